/** The depth ladder without its looks: a fixed axis of prices, what is displayed and what is mine. */
import type { Side } from "./ticket";
import { Units } from "./units";

export type Level = readonly [price: string, qty: string];

/** An order of mine that works, or that I have asked for and nobody has answered yet. */
export interface Own {
  id: string; // order_id, or cl_ord_id while nobody has answered
  side: Side;
  price: string;
  leaves: string;
  wish: boolean; // asked for, not answered: drawn dashed, in no total
  ahead: string | null; // displayed before it in the queue, an estimate
}

export interface Row {
  px: number; // ticks
  bid: number; // lots displayed
  ask: number;
  bidSum: number; // from the touch to here
  askSum: number;
  own: Own[];
  touch: "bid" | "ask" | null;
}

/** One side as ticks and lots, best first. */
export interface Sides {
  bids: [number, number][];
  asks: [number, number][];
}

/** Numbers, not bigints: ticks and lots of what is drawn stay below 2^53, and a frame sorts 100 of them. */
export function sides(units: Units, bids: Iterable<Level>, asks: Iterable<Level>): Sides {
  const read = (levels: Iterable<Level>): [number, number][] => {
    const found: [number, number][] = [];
    for (const [price, qty] of levels) {
      const px = units.ticks(price);
      const lots = units.lots(qty);
      if (px !== null && lots !== null && lots > 0n) found.push([Number(px), Number(lots)]);
    }
    return found;
  };
  return {
    bids: read(bids).sort((a, b) => b[0] - a[0]),
    asks: read(asks).sort((a, b) => a[0] - b[0]),
  };
}

/** The row that a price falls in: never better than it is. A bid goes down to it, an ask up. */
export function bucket(px: number, group: number, side: Side): number {
  const rest = px % group;
  if (rest === 0) return px;
  return side === "buy" ? px - rest : px - rest + group;
}

/** The price of the row in the middle, for a touch. */
export function centreOf(found: Sides, group: number, before: number): number {
  const bid = found.bids[0]?.[0];
  const ask = found.asks[0]?.[0];
  if (bid === undefined && ask === undefined) return before;
  const middle = bid === undefined ? ask! : ask === undefined ? bid : (bid + ask) / 2;
  return Math.round(middle / group) * group;
}

/** `count` rows from the highest price down, with `centre` in the middle. */
export function rows(found: Sides, own: readonly Own[], units: Units, centre: number, group: number, count: number): Row[] {
  const top = centre + Math.floor(count / 2) * group;
  const at = new Map<number, Row>();
  const made: Row[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const px = top - nth * group;
    const row: Row = { px, bid: 0, ask: 0, bidSum: 0, askSum: 0, own: [], touch: null };
    made.push(row);
    at.set(px, row);
  }
  const fill = (levels: [number, number][], side: Side): void => {
    let sum = 0;
    let nth = 0;
    for (const [px, lots] of levels) {
      sum += lots;
      const row = at.get(bucket(px, group, side));
      if (row) {
        if (side === "buy") {
          row.bid += lots;
          row.bidSum = sum;
        } else {
          row.ask += lots;
          row.askSum = sum;
        }
        if (nth === 0) row.touch = side === "buy" ? "bid" : "ask";
      }
      nth += 1;
    }
  };
  fill(found.bids, "buy");
  fill(found.asks, "sell");
  for (const order of own) {
    const px = units.ticks(order.price);
    if (px !== null) at.get(bucket(Number(px), group, order.side))?.own.push(order);
  }
  return made;
}

/** The largest size in a row, that depth is drawn against; at least 1. */
export function deepest(made: readonly Row[]): number {
  let most = 1;
  for (const row of made) most = Math.max(most, row.bid, row.ask);
  return most;
}

/** Groupings that are offered: 1, 2, 5, 10 … ticks, as long as they show something. */
export function groupings(centre: number): number[] {
  const found: number[] = [];
  for (let ten = 1; ten <= 100_000; ten *= 10) {
    for (const step of [1, 2, 5]) if (step * ten * 20 <= centre || step * ten === 1) found.push(step * ten);
  }
  return found;
}

/** Grouping with which the touch and some twenty levels are in view. */
export function groupFor(found: Sides, count: number, centre: number): number {
  const far = (levels: [number, number][]): number =>
    levels.length ? Math.abs(levels[Math.min(levels.length, 15) - 1]![0] - centre) : 0;
  const needed = Math.max(far(found.bids), far(found.asks)) / Math.max(count / 2 - 1, 1);
  return groupings(centre).find((group) => group >= needed) ?? 1;
}

export const RECENTRE_MS = 3_000;

/** Whether the axis may move by itself: the touch out of view for 3 s, and nobody is inside. */
export class Recentre {
  private outSince: number | null = null;

  /** True: recentre now. */
  look(touchInView: boolean, inside: boolean, now: number): boolean {
    if (touchInView) {
      this.outSince = null;
      return false;
    }
    this.outSince ??= now;
    if (inside || now - this.outSince < RECENTRE_MS) return false;
    this.outSince = null;
    return true;
  }
}

export interface Pressed {
  px: number;
  side: Side;
  row: number;
}

/**
 * A press in a column asks for a limit there. It acts on release over the same row, on the price
 * that was shown at the press: if the row shows another one by then, nothing happens.
 */
export class Press {
  private held: Pressed | null = null;

  down(row: number, px: number, side: Side): void {
    this.held = { px, side, row };
  }

  up(row: number, px: number, side: Side): Pressed | null {
    const held = this.held;
    this.held = null;
    return held && held.row === row && held.px === px && held.side === side ? held : null;
  }

  drop(): void {
    this.held = null;
  }

  get active(): boolean {
    return this.held !== null;
  }
}

/** Displayed before an order in its queue when it came: what was there, less what was taken since. */
export function queueAhead(level: bigint, mine: bigint): bigint {
  return level > mine ? level - mine : 0n;
}
