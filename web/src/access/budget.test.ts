import { expect, test } from "vitest";
import { spent } from "./budget";

test.each([
  ["1000", "1000", "0", 0],
  ["1000", "469.97", "530.03", 53],
  ["2000.5", "0", "2000.5", 100],
  ["0.000000003", "0.000000001", "0.000000002", 66],
  ["0", "0", "0", 100],
])("of %s, with %s left, %s is used: %d percent", (max, left, amount, percent) => {
  expect(spent(max, left)).toEqual({ amount, percent });
});
