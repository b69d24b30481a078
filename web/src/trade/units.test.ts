import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scaled, Units } from "./units";

const BTC = new Units({ symbol: "BTC-USD", base: "BTC", quote: "USD", tick_size: "0.01", lot_size: "0.00001" });
const WHOLE = new Units({ symbol: "FON-USD", base: "FON", quote: "USD", tick_size: "0.05", lot_size: "1" });
const TINY = new Units({ symbol: "PEPE-USD", base: "PEPE", quote: "USD", tick_size: "0.00000001", lot_size: "1" });

describe("units", () => {
  test.each([
    [BTC, "61240.5", 6124050n],
    [BTC, "61240.50", 6124050n],
    [BTC, "61240.505", null],
    [WHOLE, "100.05", 2001n],
    [WHOLE, "100.01", null],
    [TINY, "0.00000123", 123n],
    [BTC, "-1", null],
    [BTC, "", null],
    [BTC, "1e3", null],
  ])("a price is whole ticks or none", (units, px, ticks) => {
    expect(units.ticks(px)).toBe(ticks);
  });

  test("what is read back has every decimal of the tick", () => {
    expect(BTC.px(6124050n)).toBe("61240.50");
    expect(BTC.qty(50000n)).toBe("0.50000");
    expect(WHOLE.px(2001n)).toBe("100.05");
    expect(WHOLE.qty(12n)).toBe("12");
  });

  test("ticks and lots go to text and back, all of them", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 15n), fc.constantFrom(BTC, WHOLE, TINY), (n, units) => {
        expect(units.ticks(units.px(n))).toBe(n);
        expect(units.lots(units.qty(n))).toBe(n);
      }),
    );
  });

  test("lots for an amount never cost more than it, and one more would", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 9n), fc.bigInt(1n, 10n ** 10n), fc.constantFrom(BTC, WHOLE), (ticks, cents, units) => {
        const amount = `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
        const lots = units.lotsFor(amount, ticks)!;
        const cost = (n: bigint): bigint => scaled(units.notional(ticks, n), 18)!;
        expect(cost(lots) <= scaled(amount, 18)!).toBe(true);
        expect(cost(lots + 1n) > scaled(amount, 18)!).toBe(true);
      }),
    );
  });

  test("a notional beyond what a float holds is exact", () => {
    expect(BTC.notional(12_345_678_901n, 99_999_999_999n)).toBe("123456789008765.4321099");
  });

  test.each([
    [61240.504, 6124050n],
    [61240.506, 6124051n],
    [0, 1n],
    [Number.NaN, 1n],
  ])("where the pointer is, is the nearest tick", (px, ticks) => {
    expect(BTC.nearest(px)).toBe(ticks);
  });
});
