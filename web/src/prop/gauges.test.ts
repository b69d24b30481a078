import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gauge, type Measured, ordered, until } from "./gauges";

const measured = (some: Partial<Measured> = {}): Measured => ({ rule: "daily_loss", title: "Daily loss", level: "95000", base: "100000", headroom: "1234.56", used_ppm: 753_088, state: "well", ...some });

describe("a gauge", () => {
  it.each([
    ["is quiet while a rule is kept", {}, new Set<string>(), "well"],
    ["says that it is near when the house has warned", { state: "warned" as const }, new Set<string>(), "near"],
    ["says broken where nothing is left", { headroom: "-0.01", state: "broken" as const }, new Set<string>(), "broken"],
    ["says broken of the rule that was, whatever equity does later", { headroom: "900", used_ppm: 100_000 }, new Set(["daily_loss"]), "broken"],
    ["is not broken by another rule", { state: "warned" as const }, new Set(["overall_loss"]), "near"],
  ])("%s", (_, some, broken, mood) => expect(gauge(measured(some), broken).mood).toBe(mood));

  it("never says that more is left than there is, nor less than nothing", () => {
    fc.assert(fc.property(fc.integer({ min: -500_000, max: 2_000_000 }), (used_ppm) => {
      const found = gauge(measured({ used_ppm }), new Set());
      const left = Number(found.leftPercent);
      expect(left).toBeLessThanOrEqual(Math.max((1_000_000 - used_ppm) / 10_000, 0) + 1e-9);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(found.used).toBeGreaterThanOrEqual(0);
      expect(found.used).toBeLessThanOrEqual(1);
    }));
  });

  it("stands the worst first, and moves nothing that is equal", () => {
    const all = [gauge(measured({ rule: "a", used_ppm: 10 }), new Set()), gauge(measured({ rule: "b", used_ppm: 10 }), new Set()), gauge(measured({ rule: "c", state: "warned", used_ppm: 5 }), new Set()), gauge(measured({ rule: "d", used_ppm: 1 }), new Set(["d"]))];
    expect(ordered(all).map(({ rule }) => rule)).toEqual(["d", "c", "a", "b"]);
  });
});

describe("the time until a reset", () => {
  it.each([
    [0, "now"], [-5_000, "now"], [1, "0:01"], [59_000, "0:59"], [61_000, "1:01"], [3_600_000, "1 h 00 min"], [11_040_000, "3 h 04 min"], [47 * 3_600_000, "47 h 00 min"], [50 * 3_600_000, "2 days"],
  ])("%i ms is %s", (left, said) => expect(until(String(BigInt(1_700_000_000_000 + left) * 1_000_000n), 1_700_000_000_000)).toBe(said));
});

describe("money on a gauge", () => {
  it("is rounded against whoever trusts it: less room, a nearer limit", () => {
    const found = gauge(measured({ headroom: "4958.65983965", level: "95000.001" }), new Set());
    expect(found.left).toBe("4958.65");
    expect(found.level).toBe("95000.01");
    expect(gauge(measured({ headroom: "-0.001", state: "broken" }), new Set()).left).toBe("-0.01");
  });
});
