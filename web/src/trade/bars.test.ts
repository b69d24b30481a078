import { describe, expect, test } from "vitest";
import { type Candle, candle, heardQuality, isCandle, left, series, traded } from "./bars";

const at = (time: number, px = 1): Candle => ({ time, open: px, high: px, low: px, close: px, volume: 1 });

describe("candles", () => {
  test("are in order, each once, the newest word wins, and a gap is a gap", () => {
    const places = series([at(180), at(60), at(60, 2)], 60);
    expect(places.map((place) => [place.time, isCandle(place) ? place.open : null])).toEqual([[60, 2], [120, null], [180, 1]]);
    expect(series([at(0), at(1_000_000)], 1)).toHaveLength(302);
    expect(series([], 60)).toEqual([]);
  });

  test("a bar of the house in nanoseconds is a candle in seconds", () => {
    const bar = { start: 1_700_000_040_000_000_000, open: "1", high: "3", low: "0.5", close: "2", volume: "7", buy_volume: "1", trades: 2 };
    expect(candle(bar)).toEqual({ time: 1_700_000_040, open: 1, high: 3, low: 0.5, close: 2, volume: 7 });
  });

  test("a trade moves the last one, begins the next, and an old one is left out", () => {
    const trade = (time: number, price: string) => ({ at: time * 1e9, price, qty: "2" });
    expect(traded(at(60), trade(61, "3"), 60)).toEqual({ time: 60, open: 1, high: 3, low: 1, close: 3, volume: 3 });
    expect(traded(at(60), trade(125, "3"), 60)).toEqual({ time: 120, open: 3, high: 3, low: 3, close: 3, volume: 2 });
    expect(traded(at(60), trade(59, "3"), 60)).toBe(null);
    expect(traded(null, trade(59, "3"), 60)).toEqual({ time: 0, open: 3, high: 3, low: 3, close: 3, volume: 2 });
  });

  test("says how long it stays open", () => {
    expect(left(61_000, 60)).toBe("0:59");
    expect(left(0, 86_400)).toBe("24 h");
  });

  test("remembers when the book was not well", () => {
    let periods = heardQuality([], "ok", 1);
    expect(periods).toEqual([]);
    periods = heardQuality(periods, "stale", 2);
    expect(heardQuality(periods, "stale", 3)).toBe(periods);
    periods = heardQuality(periods, "gapped", 4);
    periods = heardQuality(periods, "ok", 5);
    expect(periods).toEqual([{ from: 2, to: 4, quality: "stale" }, { from: 4, to: 5, quality: "gapped" }]);
  });
});
