import { expect, it } from "vitest";
import { inPercent, placesOf } from "./ranks";

it("tells returns of one column with the same digits", () => {
  expect(placesOf(["0", "0.08", "-0.0005"])).toBe(2);
  expect(placesOf(["0", "0.08", "-0.0000156"])).toBe(4);
  expect(["0", "0.08", "-0.0000156"].map((each) => inPercent(each, 4))).toEqual(["0.0000", "8.0000", "-0.0016"]);
});
