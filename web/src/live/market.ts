/**
 * Market data between two frames: state is conflated to the newest per key, trades are counted and the
 * newest kept, a hole in a book's numbers stops that book until its snapshot comes. Pure: no socket, no clock.
 */
import type { Bar, BookMessage, Level, MarketChannel, MarketMessage, Price, TradeLine } from "./messages";

export const TRADES_MAX = 200;
/** Levels handed to the page on each side. */
export const DEPTH = 50;

/** A book as the page gets it. Levels are one text, "price qty|price qty", split only by who shows them. */
export interface BookState {
  symbol: string;
  sequence: number;
  quality: string;
  source: string;
  at: number;
  bids: string;
  asks: string;
  /** True from a hole until the snapshot after it: nothing is drawn between the two. */
  catching: boolean;
}
export interface TradesState {
  symbol: string;
  items: TradeLine[];
  missed: number;
}
export interface MarketBatch {
  prices: Price[];
  books: BookState[];
  trades: TradesState[];
  bars: [symbol: string, interval: string, bar: Bar][];
}

/** Decimals as text by size, without a float: both have the same digits after the point. */
export function comparePx(a: string, b: string): number {
  const left = a.startsWith("-");
  if (left !== b.startsWith("-")) return left ? -1 : 1;
  const way = left ? -1 : 1;
  const [point, other] = [whole(a), whole(b)];
  if (point !== other) return point < other ? -way : way;
  return a < b ? -way : a > b ? way : 0;
}
const whole = (text: string): number => {
  const at = text.indexOf(".");
  return at < 0 ? text.length : at;
};

class Book {
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();
  sequence = 0;
  quality = "";
  source = "";
  at = 0;
  catching = true;

  take(message: BookMessage): boolean {
    if (message.type === "snapshot") {
      this.bids.clear();
      this.asks.clear();
      this.catching = false;
    } else if (this.catching) {
      return true; // Nothing is drawn on a book with a hole.
    } else if (message.sequence !== this.sequence + 1) {
      if (message.sequence <= this.sequence) return true; // Told twice.
      this.catching = true;
      return false;
    }
    this.sequence = message.sequence;
    this.quality = message.quality;
    this.source = message.source;
    this.at = message.at;
    fill(this.bids, message.bids);
    fill(this.asks, message.asks);
    return true;
  }

  shown(symbol: string): BookState {
    const { sequence, quality, source, at, catching } = this;
    return { symbol, sequence, quality, source, at, catching, bids: joined(this.bids, -1), asks: joined(this.asks, 1) };
  }
}

function fill(side: Map<string, string>, levels: readonly Level[]): void {
  for (const [price, qty] of levels) {
    if (/^[0.]*$/.test(qty)) side.delete(price);
    else side.set(price, qty);
  }
}

function joined(side: Map<string, string>, way: 1 | -1): string {
  const best = [...side.keys()].sort((a, b) => way * comparePx(a, b)).slice(0, DEPTH);
  return best.map((price) => `${price} ${side.get(price)}`).join("|");
}

export function levelsOf(text: string): Level[] {
  return text ? text.split("|").map((level) => level.split(" ") as unknown as Level) : [];
}

export class MarketLine {
  readonly #books = new Map<string, Book>();
  readonly #dirtyBooks = new Set<string>();
  readonly #prices = new Map<string, Price>();
  readonly #trades = new Map<string, TradesState>();
  readonly #bars = new Map<string, [string, string, Bar]>();

  /** False where a hole was found: the symbol's book is to be asked for again. */
  take(message: MarketMessage): boolean {
    switch (message.channel) {
      case "book": {
        let book = this.#books.get(message.symbol);
        if (!book) this.#books.set(message.symbol, (book = new Book()));
        const whole = book.take(message);
        this.#dirtyBooks.add(message.symbol);
        return whole;
      }
      case "prices":
        this.#prices.set(message.symbol, message.price);
        return true;
      case "trades": {
        const found = this.#trades.get(message.symbol) ?? { symbol: message.symbol, items: [], missed: 0 };
        const items = [...found.items, ...message.items];
        const over = Math.max(0, items.length - TRADES_MAX);
        this.#trades.set(message.symbol, { symbol: message.symbol, items: items.slice(over), missed: found.missed + (message.missed ?? 0) + over });
        return true;
      }
      case "bars":
        this.#bars.set(`${message.symbol} ${message.interval} ${message.bar.start}`, [message.symbol, message.interval, message.bar]);
        return true;
      case "consolidated":
        return true;
    }
  }

  get isEmpty(): boolean {
    return !this.#dirtyBooks.size && !this.#prices.size && !this.#trades.size && !this.#bars.size;
  }

  /** The newest of all that changed since the last time. */
  batch(): MarketBatch {
    const books = [...this.#dirtyBooks].map((symbol) => (this.#books.get(symbol) as Book).shown(symbol));
    const found = { books, prices: [...this.#prices.values()], trades: [...this.#trades.values()], bars: [...this.#bars.values()] };
    this.#dirtyBooks.clear();
    this.#prices.clear();
    this.#trades.clear();
    this.#bars.clear();
    return found;
  }

  /** The line was cut: what comes next must begin with snapshots. */
  cut(): void {
    for (const [symbol, book] of this.#books) {
      book.catching = true;
      this.#dirtyBooks.add(symbol);
    }
  }

  forget(channel: MarketChannel, symbol: string): void {
    if (channel === "book") {
      this.#books.delete(symbol);
      this.#dirtyBooks.delete(symbol);
    } else if (channel === "prices") this.#prices.delete(symbol);
    else if (channel === "trades") this.#trades.delete(symbol);
  }
}
