import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucket, centreOf, deepest, groupFor, groupings, type Own, Press, queueAhead, Recentre, RECENTRE_MS, rows, sides } from "./ladder";
import { Units } from "./units";

const units = new Units({ symbol: "BTC-USD", base: "BTC", quote: "USD", tick_size: "0.01", lot_size: "0.001" });
const book = sides(units, [["99.98", "2"], ["99.99", "1"], ["99.90", "5"]], [["100.02", "4"], ["100.00", "3"]]);
const own = (id: string, side: "buy" | "sell", price: string): Own => ({ id, side, price, leaves: "1", wish: false, ahead: null });

describe("the ladder", () => {
  test("has a fixed axis with sizes, sums and my orders where they are", () => {
    const made = rows(book, [own("a", "buy", "99.98"), own("b", "sell", "105.00")], units, 10_000, 1, 7);
    expect(made.map((row) => [row.px, row.bid, row.ask, row.touch])).toEqual([
      [10_003, 0, 0, null], [10_002, 0, 4000, null], [10_001, 0, 0, null], [10_000, 0, 3000, "ask"],
      [9_999, 1000, 0, "bid"], [9_998, 2000, 0, null], [9_997, 0, 0, null],
    ]);
    expect(made[5]!.own.map((order) => order.id)).toEqual(["a"]);
    expect(made[5]!.bidSum).toBe(3000);
    expect(made[1]!.askSum).toBe(7000);
    expect(deepest(made)).toBe(4000);
  });

  test("a group is never better than what is in it", () => {
    expect(bucket(10_007, 5, "buy")).toBe(10_005);
    expect(bucket(10_007, 5, "sell")).toBe(10_010);
    expect(bucket(10_005, 5, "buy")).toBe(10_005);
    const made = rows(book, [], units, 10_000, 5, 7);
    expect(made.find((row) => row.px === 9_995)!.bid).toBe(3000);
    expect(made.find((row) => row.px === 10_005)!.ask).toBe(4000);
  });

  test("grouped or not, all that is displayed within the axis is shown once", () => {
    const level = fc.tuple(fc.integer({ min: 9_000, max: 11_000 }), fc.integer({ min: 1, max: 500 }));
    fc.assert(
      fc.property(fc.uniqueArray(level, { selector: (each) => each[0] }), fc.constantFrom(1, 2, 5, 10, 50), (levels, group) => {
        const found = { bids: levels.filter((each) => each[0] < 10_000).sort((a, b) => b[0] - a[0]), asks: levels.filter((each) => each[0] >= 10_000).sort((a, b) => a[0] - b[0]) };
        const made = rows(found, [], units, 10_000, group, Math.ceil(2_400 / group) + 1);
        const total = (key: "bid" | "ask"): number => made.reduce((sum, row) => sum + row[key], 0);
        expect(total("bid")).toBe(found.bids.reduce((sum, each) => sum + each[1], 0));
        expect(total("ask")).toBe(found.asks.reduce((sum, each) => sum + each[1], 0));
      }),
    );
  });

  test("an empty book keeps its axis", () => {
    const empty = sides(units, [], []);
    expect(centreOf(empty, 1, 9_999)).toBe(9_999);
    expect(rows(empty, [], units, 9_999, 1, 5)).toHaveLength(5);
    expect(centreOf({ ...empty, bids: [[9_990, 1]] }, 10, 0)).toBe(9_990);
  });

  test("offers groupings that leave something to see", () => {
    expect(groupings(10_000)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500]);
    expect(groupings(5)).toEqual([1]);
    expect(groupFor({ bids: [[9_999, 1], [9_000, 1]], asks: [[10_001, 1]] }, 40, 10_000)).toBe(100);
  });

  test("moves by itself only when the touch was out of view for 3 s and nobody is inside", () => {
    const axis = new Recentre();
    expect(axis.look(false, false, 0)).toBe(false);
    expect(axis.look(false, false, RECENTRE_MS - 1)).toBe(false);
    expect(axis.look(false, true, RECENTRE_MS + 1)).toBe(false);
    expect(axis.look(false, false, RECENTRE_MS + 2)).toBe(true);
    expect(axis.look(false, false, RECENTRE_MS + 3)).toBe(false);
    axis.look(true, false, RECENTRE_MS + 4);
    expect(axis.look(false, false, 2 * RECENTRE_MS)).toBe(false);
  });

  test("a press acts over the same row at the price it showed, or not at all", () => {
    const press = new Press();
    press.down(3, 9_999, "buy");
    expect(press.up(3, 9_999, "buy")).toEqual({ row: 3, px: 9_999, side: "buy" });
    expect(press.up(3, 9_999, "buy")).toBe(null);
    for (const [row, px, side] of [[4, 9_998, "buy"], [3, 9_998, "buy"], [3, 9_999, "sell"]] as const) {
      press.down(3, 9_999, "buy");
      expect(press.up(row, px, side)).toBe(null);
    }
  });

  test("what is ahead in the queue is an estimate that never goes below zero", () => {
    expect(queueAhead(5n, 2n)).toBe(3n);
    expect(queueAhead(1n, 2n)).toBe(0n);
  });
});
