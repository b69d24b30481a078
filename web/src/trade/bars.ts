/** Candles for the chart: floats, for drawing only. A gap stays a gap, and a live trade moves the last one. */
import type { Bar, TradeLine } from "../live/messages";

export interface Candle {
  time: number; // seconds since 1970, UTC; the begin of the interval
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}
export type Place = Candle | { time: number };
export const isCandle = (place: Place): place is Candle => "open" in place;

export const INTERVALS: readonly { value: string; seconds: number }[] = [
  { value: "1s", seconds: 1 }, { value: "1m", seconds: 60 }, { value: "5m", seconds: 300 },
  { value: "15m", seconds: 900 }, { value: "1h", seconds: 3_600 }, { value: "1d", seconds: 86_400 },
];
const GAP_MAX = 300; // places that are kept empty for one gap: a longer one is shortened to this

const seconds = (ns: number): number => Math.floor(ns / 1e9);

export function candle(bar: Bar): Candle {
  return {
    time: seconds(bar.start), open: Number(bar.open), high: Number(bar.high), low: Number(bar.low), close: Number(bar.close), volume: Number(bar.volume),
  };
}

/** In order of time, each once, with empty places where nothing was traded. */
export function series(found: readonly Candle[], step: number): Place[] {
  const sorted = [...new Map(found.map((each) => [each.time, each])).values()].sort((a, b) => a.time - b.time);
  const places: Place[] = [];
  for (const each of sorted) {
    const before = places.at(-1);
    if (before) {
      const missing = Math.min((each.time - before.time) / step - 1, GAP_MAX);
      for (let nth = 1; nth <= missing; nth += 1) places.push({ time: before.time + nth * step });
    }
    places.push(each);
  }
  return places;
}

/** The last candle after a trade, or a new one; null for a trade that is older than it. */
export function traded(last: Candle | null, trade: Pick<TradeLine, "price" | "qty" | "at">, step: number): Candle | null {
  const time = Math.floor(seconds(trade.at) / step) * step;
  const px = Number(trade.price);
  const qty = Number(trade.qty);
  if (last && time < last.time) return null;
  if (!last || time > last.time) return { time, open: px, high: px, low: px, close: px, volume: qty };
  return { time, open: last.open, high: Math.max(last.high, px), low: Math.min(last.low, px), close: px, volume: last.volume + qty };
}

/** "0:42" until the candle is closed. */
export function left(now: number, step: number): string {
  const rest = step - (Math.floor(now / 1000) % step);
  if (rest >= 3_600) return `${Math.floor(rest / 3_600)} h`;
  return `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`;
}

export interface Period {
  from: number; // seconds
  to: number | null; // null: still
  quality: string;
}

/** When the book was not well, as it was heard here. */
export function heardQuality(periods: readonly Period[], quality: string, at: number): readonly Period[] {
  const last = periods.at(-1);
  const isOpen = last && last.to === null;
  if (isOpen && last.quality === quality) return periods;
  const closed = isOpen ? [...periods.slice(0, -1), { ...last, to: at }] : periods;
  return quality === "ok" || quality === "" ? closed : [...closed, { from: at, to: null, quality }];
}
