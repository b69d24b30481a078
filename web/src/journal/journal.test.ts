import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changes, type AsOf } from "./difference";
import { density, type Point, positionAt, positionOf, shareOf, ticks, timeOf } from "./slider";
import { appended, type Entry, KEPT, parsed, prepended, rates, type Tail } from "./tail";

const entry = (position: number, some: Partial<Entry> = {}): Entry => ({ position, kind: "trading.order_accepted.v1", at: String(position * 1e9), ...some }) as Entry;
const EMPTY: Tail = { entries: [], fresh: 0, next: 0, previous: 1, head: 0, busy: false, problem: null };
const positions = (tail: Tail): number[] => tail.entries.map(({ position }) => position);

describe("the tail", () => {
  it("has every entry once and in order, however pages overlap", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }), fc.boolean())), (moves) => {
      let tail: Tail = { ...EMPTY, entries: [entry(500)], previous: 500, next: 500 };
      for (const [isOlder, count, overlap, isReading] of moves) {
        if (isOlder) {
          const to = tail.entries[0]!.position + overlap;
          tail = prepended(tail, Array.from({ length: count + overlap }, (_, nth) => entry(to - count - overlap + nth)), to - count - overlap);
        } else {
          const from = tail.entries.at(-1)!.position + 1 - overlap;
          tail = appended(tail, Array.from({ length: count + overlap }, (_, nth) => entry(from + nth)), from + count + overlap - 1, 999, isReading);
        }
      }
      const found = positions(tail);
      expect(found).toEqual(Array.from({ length: found.length }, (_, nth) => found[0]! + nth));
    }));
  });
  it("counts what is new while somebody reads, and drops nothing then", () => {
    const full: Tail = { ...EMPTY, entries: Array.from({ length: KEPT }, (_, nth) => entry(nth + 1)), next: KEPT };
    const reading = appended(full, [entry(KEPT + 1), entry(KEPT + 2)], KEPT + 2, KEPT + 2, true);
    expect([reading.fresh, reading.entries.length, positions(reading)[0]]).toEqual([2, KEPT + 2, 1]);
    const following = appended(reading, [entry(KEPT + 3)], KEPT + 3, KEPT + 3, false);
    expect([following.fresh, following.entries.length, following.previous]).toEqual([0, KEPT, 4]);
  });
  it("reads what is typed", () => {
    expect(parsed("stream:account/demo kind:trading.order  two words cause:a:b#c")).toEqual({ stream: "account/demo", kind: "trading.order", cause: "a:b#c", text: "two words" });
    expect(parsed("  ")).toEqual({ stream: "", kind: "", cause: "", text: "" });
  });
  it("says how fast entries come, by room", () => {
    const entries = [entry(1), entry(95), entry(96, { kind: "venues.order_booked.v1" }), entry(99)];
    expect(rates(entries, 100_000)).toEqual([["trading", 0.2], ["venues", 0.1]]);
  });
});

const POINTS: readonly Point[] = [[1, 0], [11, 1_000], [12, 60_000], [100, 61_000]];

describe("the slider", () => {
  it("goes from positions to shares and back", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (first, size, share) => {
      const position = positionAt(share, first, first + size);
      expect(position).toBeGreaterThanOrEqual(first);
      expect(position).toBeLessThanOrEqual(first + size);
      expect(positionAt(shareOf(position, first, first + size), first, first + size)).toBe(position);
    }));
    expect(shareOf(5, 5, 5)).toBe(1);
  });
  it("knows the time of a position, and the position of a time", () => {
    expect([1, 6, 11, 12, 56, 100, 200].map((each) => timeOf(each, POINTS))).toEqual([0, 500, 1_000, 60_000, 60_500, 61_000, 61_000]);
    expect([-5, 0, 500, 59_999, 61_000, 99_999].map((each) => positionOf(each, POINTS))).toEqual([1, 1, 6, 11, 100, 100]);
    expect(timeOf(1, [])).toBeNull();
  });
  it("is high where entries came fast", () => {
    const [busy, quiet, busiest] = density(POINTS);
    expect(busy!.perS).toBe(10);
    expect(busiest!.height).toBe(1);
    expect(quiet!.height).toBeLessThan(busy!.height);
    expect(density([])).toEqual([]);
  });
  it("has ticks at round times that do not crowd each other", () => {
    const even: Point[] = Array.from({ length: 61 }, (_, nth) => [nth * 10 + 1, nth * 60_000]);
    const found = ticks(even);
    expect(found.length).toBeGreaterThan(2);
    for (const [nth, tick] of found.entries()) {
      expect(tick.at % tick.step).toBe(0);
      const before = found[nth - 1];
      if (before) expect(shareOf(tick.position, 1, 601) - shareOf(before.position, 1, 601)).toBeGreaterThanOrEqual(0.099);
    }
    expect(ticks([[1, 5]])).toEqual([]);
  });
});

describe("two positions", () => {
  const state = (some: Partial<AsOf>): AsOf => ({ account_id: "demo", balances: [], positions: [], orders: [], trading_state: "active", order_count: 0, ...some }) as AsOf;
  const usd = (balance: string, held: string): AsOf["balances"][number] => ({ asset: "USD", balance, held, free: "0" });
  const order = (order_id: string, leaves_qty: string): AsOf["orders"][number] => ({ order_id, leaves_qty, cum_qty: "0", ord_status: "new", price: "1", side: "buy", symbol: "BTC-USD", order_qty: "2" }) as AsOf["orders"][number];
  it("differ in cash to the last digit, and in orders that came, went or changed", () => {
    const found = changes(
      state({ balances: [usd("100", "0"), { asset: "BTC", balance: "1", held: "0", free: "1" }], orders: [order("demo.1", "2"), order("demo.2", "2")] }),
      state({ balances: [usd("99.99999999", "5"), { asset: "BTC", balance: "1", held: "0", free: "1" }], orders: [order("demo.2", "1"), order("demo.3", "2")], trading_state: "halted" }),
    );
    expect(found.map(({ what, before, after, by }) => [what, before, after, by])).toEqual([
      ["USD balance", "100", "99.99999999", "-0.00000001"],
      ["USD held", "0", "5", "5"],
      ["demo.1 Buy BTC-USD left", "2", null, null],
      ["demo.2 Buy BTC-USD left", "2", "1", "-1"],
      ["demo.3 Buy BTC-USD left", null, "2", null],
      ["trading state", "active", "halted", null],
    ]);
  });
  it("are the same where nothing happened", () => expect(changes(state({ balances: [usd("1", "0")] }), state({ balances: [usd("1.00", "0")] }))).toEqual([]));
});
