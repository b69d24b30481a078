import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparePx, levelsOf, MarketLine, TRADES_MAX } from "./market";
import type { BookMessage, Level, TradeLine } from "./messages";

const px = fc.integer({ min: 1, max: 99_999 }).map((ticks) => (ticks / 100).toFixed(2));
const qty = fc.integer({ min: 0, max: 50 }).map((lots) => (lots / 10).toFixed(1));
const levels = fc.array(fc.tuple(px, qty), { maxLength: 8 });

function book(type: "snapshot" | "delta", sequence: number, bids: Level[], asks: Level[] = []): BookMessage {
  return { channel: "book", type, symbol: "A", sequence, quality: "ok", source: "s", bids, asks, at: sequence };
}
const trade = (trade_id: number): TradeLine => ({ price: "1.00", qty: "1", aggressor: "buy", trade_id, at: trade_id, source: "s" });

describe("conflation", () => {
  test("however frames fall, the last state is the same", () => {
    fc.assert(
      fc.property(fc.array(levels, { minLength: 1, maxLength: 20 }), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), (deltas, frames) => {
        const often = new MarketLine();
        const once = new MarketLine();
        let shown = "";
        [often, once].forEach((line) => line.take(book("snapshot", 7, [["1.00", "1.0"]])));
        deltas.forEach((bids, nth) => {
          for (const line of [often, once]) expect(line.take(book("delta", 8 + nth, bids))).toBe(true);
          if (frames[nth]) shown = often.batch().books.at(-1)?.bids ?? shown;
        });
        shown = often.batch().books.at(-1)?.bids ?? shown;
        expect(once.batch().books.at(-1)?.bids).toBe(shown);
      }),
    );
  });

  test("a batch holds one state per key, however much came", () => {
    const line = new MarketLine();
    line.take(book("snapshot", 1, []));
    for (let n = 2; n < 500; n++) line.take(book("delta", n, [["1.00", String(n)]]));
    for (let n = 0; n < 500; n++) line.take({ channel: "prices", symbol: "A", price: { symbol: "A", quality: "ok", synthetic: true, last: null, mid: null, mark: { price: String(n), source: "s", age_ms: 0 } } });
    const batch = line.batch();
    expect(batch.books).toHaveLength(1);
    expect(batch.prices).toHaveLength(1);
    expect(batch.prices[0]?.mark?.price).toBe("499");
    expect(line.isEmpty).toBe(true);
  });

  test("trades that do not fit are counted, never lost in silence", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 12 }), (counts) => {
        const line = new MarketLine();
        let id = 0;
        for (const count of counts) line.take({ channel: "trades", symbol: "A", items: Array.from({ length: count }, () => trade(id++)), missed: 0 });
        const found = line.batch().trades[0] ?? { items: [], missed: 0 };
        expect(found.items.length).toBeLessThanOrEqual(TRADES_MAX);
        expect(found.items.length + found.missed).toBe(id);
        expect(found.items.map((each) => each.trade_id)).toEqual(Array.from({ length: found.items.length }, (_, nth) => id - found.items.length + nth));
      }),
    );
  });
});

describe("a book", () => {
  test("is what was said last of each level, best first", () => {
    fc.assert(
      fc.property(fc.array(levels, { maxLength: 10 }), (deltas) => {
        const line = new MarketLine();
        const told = new Map<string, string>();
        line.take(book("snapshot", 0, []));
        deltas.forEach((bids, nth) => {
          line.take(book("delta", nth + 1, bids));
          for (const [price, size] of bids) Number(size) ? told.set(price, size) : told.delete(price);
        });
        const expected = [...told].sort((a, b) => Number(b[0]) - Number(a[0])).slice(0, 50);
        expect(levelsOf(line.batch().books[0]?.bids ?? "")).toEqual(expected);
      }),
    );
  });

  test("with a hole in its numbers shows nothing until a snapshot comes", () => {
    const line = new MarketLine();
    line.take(book("snapshot", 5, [["1.00", "1"]]));
    expect(line.take(book("delta", 7, [["2.00", "1"]]))).toBe(false);
    expect(line.batch().books[0]?.catching).toBe(true);
    expect(line.take(book("delta", 8, [["3.00", "1"]]))).toBe(true); // ignored, and asked for once
    line.take(book("snapshot", 9, [["4.00", "1"]]));
    const found = line.batch().books[0];
    expect([found?.catching, found?.bids]).toEqual([false, "4.00 1"]);
  });

  test("takes nothing twice, and begins again after a cut", () => {
    const line = new MarketLine();
    line.take(book("snapshot", 5, [["1.00", "1"]]));
    expect(line.take(book("delta", 5, [["1.00", "9"]]))).toBe(true);
    expect(line.batch().books[0]?.bids).toBe("1.00 1");
    line.cut();
    expect(line.batch().books[0]?.catching).toBe(true);
    line.take(book("delta", 6, [["1.00", "9"]]));
    expect(line.batch().books[0]?.catching).toBe(true);
  });
});

test("prices as text stand in the order of their numbers", () => {
  fc.assert(
    fc.property(fc.integer({ min: -99_999, max: 99_999_999 }), fc.integer({ min: -99_999, max: 99_999_999 }), (a, b) => {
      expect(Math.sign(comparePx((a / 100).toFixed(2), (b / 100).toFixed(2)))).toBe(Math.sign(a - b));
    }),
  );
});
