import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "./push";
import { body, type Chosen, isUsual, toggled, WAYS, type Way } from "./ways";

const TOPICS = [
  { topic: "security", ways: ["inbox", "email"], usual: ["inbox", "email"], kinds: [] },
  { topic: "orders", ways: [], usual: [], kinds: [] },
] as unknown as Parameters<typeof body>[0]["topics"];
const AT_FIRST: Chosen = { ways: { security: ["inbox", "email"], orders: [] }, quiet: null, accounts: null };
const ticks = fc.array(fc.tuple(fc.constantFrom("security", "orders"), fc.constantFrom<Way>("inbox", "email", "push")), { maxLength: 12 });

describe("what somebody chooses", () => {
  it("is as it was after two ticks of the same box, in whatever order ways were ticked", () => {
    fc.assert(fc.property(ticks, (some) => {
      const there = some.reduce((chosen, [topic, way]) => toggled(chosen, topic, way), AT_FIRST);
      const back = some.reduce((chosen, [topic, way]) => toggled(chosen, topic, way), there);
      expect(body({ topics: TOPICS }, back)).toEqual(body({ topics: TOPICS }, AT_FIRST));
    }));
  });

  it("sends what differs from the usual, and nothing else", () => {
    expect(body({ topics: TOPICS }, AT_FIRST).ways).toEqual({});
    const chosen = toggled(toggled(AT_FIRST, "orders", "push"), "orders", "inbox");
    expect(body({ topics: TOPICS }, chosen).ways).toEqual({ orders: ["inbox", "push"] });
    expect(isUsual(TOPICS[1]!, chosen)).toBe(false);
    expect(WAYS.map((each) => each.way)).toEqual(["inbox", "email", "push"]);
  });

  it("reads the house's key as bytes", () => {
    expect([...bytesOf("BP-_AQ")]).toEqual([4, 255, 191, 1]);
  });
});
