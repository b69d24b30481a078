import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Limits, sketch, spread } from "./sketch";

const part = fc.double({ min: 0.01, max: 0.3, noNaN: true });
const limits: fc.Arbitrary<Limits> = fc
  .record({
    size: fc.integer({ min: 1_000, max: 1_000_000 }),
    target: fc.option(part, { nil: 0 }),
    daily: fc.option(fc.record({ amount: part, basis: fc.constantFrom("initial", "balance", "equity", "higher") }), { nil: null }),
    overall: fc.option(fc.record({ amount: part, follows: fc.constantFrom("static", "trailing", "end_of_day"), lock: fc.option(fc.double({ min: 0.9, max: 1.2, noNaN: true }), { nil: null }) }), { nil: null }),
  })
  .map(({ size, target, daily, overall }) => ({
    size,
    target: target * size,
    daily: daily && { ...daily, basis: daily.basis as "balance", amount: daily.amount * size },
    overall: overall && { ...overall, follows: overall.follows as "static", amount: overall.amount * size, lock: overall.lock === null ? null : Math.max(overall.lock * size, size - overall.amount * size) },
  }));

const floorAt = (found: ReturnType<typeof sketch>, time: number): number => found.overall.filter(([at]) => at <= time + 1e-9).at(-1)?.[1] ?? Number.NEGATIVE_INFINITY;

describe("a tier as a picture", () => {
  it("never breaks what it draws, and everything is in the picture", () => {
    fc.assert(fc.property(limits, (some) => {
      const found = sketch(some);
      for (const [time, equity] of found.equity) {
        const today = found.daily.find(({ from, until }) => from <= time && time < until);
        if (today) expect(equity).toBeGreaterThan(today.at - some.size * 1e-9);
        expect(equity).toBeGreaterThanOrEqual(floorAt(found, time) - some.size * 1e-9);
        expect(equity).toBeGreaterThanOrEqual(found.low);
        expect(equity).toBeLessThanOrEqual(found.high);
      }
    }));
  });
  it("has an overall limit that never falls, and stops at its lock", () => {
    fc.assert(fc.property(limits, (some) => {
      const line = sketch(some).overall.map(([, at]) => at);
      line.forEach((at, nth) => nth && expect(at).toBeGreaterThanOrEqual(line[nth - 1] as number));
      const { overall } = some;
      if (overall?.follows === "static") expect(new Set(line)).toEqual(new Set([some.size - overall.amount]));
      else if (overall?.lock) expect(Math.max(...line)).toBeLessThanOrEqual(overall.lock);
    }));
  });
  it("takes the day's limit from its reset, as the tier says", () => {
    const tier: Limits = { size: 100_000, target: 10_000, daily: { amount: 5_000, basis: "balance" }, overall: { amount: 10_000, follows: "static", lock: null } };
    const found = sketch(tier);
    found.daily.forEach((day) => expect(day.at).toBeCloseTo((found.equity.find(([time]) => time === day.from)?.[1] ?? 0) - 5_000));
    expect(sketch({ ...tier, daily: { amount: 5_000, basis: "initial" } }).daily.every(({ at }) => at === 95_000)).toBe(true);
    expect(found.equity.at(-1)?.[1]).toBeCloseTo(110_000);
  });
});

describe("labels beside it", () => {
  it("stand apart, in the order of what they name, inside", () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 140, noNaN: true }), { maxLength: 6 }), (wanted) => {
      const found = spread(wanted, 16, 140);
      const order = wanted.map((at, nth) => ({ at, nth })).sort((a, b) => a.at - b.at || a.nth - b.nth).map(({ nth }) => found[nth] as number);
      order.forEach((at, nth) => nth && expect(at - (order[nth - 1] as number)).toBeGreaterThanOrEqual(16 - 1e-9));
      order.forEach((at) => expect(at).toBeLessThanOrEqual(132 + 1e-9));
    }));
  });
});
