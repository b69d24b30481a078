import { expect, test } from "vitest";
import { loudest, soundOf, TONES } from "./sound";

test.each([
  [{ channel: "executions", ord_status: "filled" }, "fill"],
  [{ channel: "orders", ord_status: "rejected" }, "refusal"],
  [{ channel: "orders", ord_status: "canceled" }, "cancel"],
  [{ channel: "orders", ord_status: "new" }, null],
  [{ channel: "balances" }, null],
] as const)("%o sounds like %s", (event, sound) => expect(soundOf(event)).toBe(sound));

test("of several at once a refusal is heard first", () => {
  expect(loudest(["fill", null, "refusal", "cancel"])).toBe("refusal");
  expect(loudest([null])).toBeNull();
});

test("no two sounds are alike", () => {
  const all = Object.values(TONES).map((tones) => JSON.stringify(tones));
  expect(new Set(all).size).toBe(all.length);
});
