/** A tier's limits as a picture: a week of somebody's equity, with each level where the rules put it. Pure; floats, for drawing. */

export type Basis = "initial" | "balance" | "equity" | "higher";
export type Follows = "static" | "trailing" | "end_of_day";

export interface Limits {
  size: number;
  /** Profit over the size; 0: none. */
  target: number;
  /** How far a day may fall; null: no such rule. */
  daily: { amount: number; basis: Basis } | null;
  /** `lock`: where a limit that follows stops; null: nowhere. */
  overall: { amount: number; follows: Follows; lock: number | null } | null;
}

/** A day, or a time in days, and an amount. */
export type Point = readonly [number, number];

export interface Sketch {
  days: number;
  equity: readonly Point[];
  /** The limit of each day, level from its reset to the next one. */
  daily: readonly { from: number; until: number; at: number }[];
  /** The overall limit, as a line of steps. */
  overall: readonly Point[];
  low: number;
  high: number;
}

// A day falls by a part of the room that its limits leave, then closes at a part of the target (or of the room, where
// there is no target). The second day comes near its limit: there one sees what the limit is for.
const DAYS: readonly { dip: number; close: number }[] = [
  { dip: 0.2, close: 0.3 },
  { dip: 0.78, close: 0.1 },
  { dip: 0.3, close: 0.52 },
  { dip: 0.42, close: 0.74 },
  { dip: 0.16, close: 1.0 },
];
const FINE = 8;
const AT: readonly number[] = [0, 0.16, 0.34, 0.5, 0.66, 0.82, 1];

const dayLimit = (limits: Limits, start: number): number => (limits.daily ? (limits.daily.basis === "initial" ? limits.size : start) - limits.daily.amount : Number.NEGATIVE_INFINITY);
const floorAt = (limits: Limits, highest: number): number => {
  const { overall, size } = limits;
  if (!overall) return Number.NEGATIVE_INFINITY;
  return overall.follows === "static" ? size - overall.amount : Math.min(highest - overall.amount, overall.lock ?? Number.POSITIVE_INFINITY);
};

/** Never touches a limit: it shows where they are, and says nothing of how likely they are to be met. */
export function sketch(limits: Limits): Sketch {
  const goal = limits.target || limits.overall?.amount || limits.daily?.amount || limits.size * 0.1;
  const equity: Point[] = [[0, limits.size]];
  const daily: { from: number; until: number; at: number }[] = [];
  const overall: Point[] = [];
  let highest = limits.size;
  let closed = limits.size;
  let start = limits.size;
  const floor = (): number => floorAt(limits, limits.overall?.follows === "end_of_day" ? closed : highest);
  const mark = (time: number): void => {
    if (!limits.overall) return;
    const at = floor();
    const before = overall.at(-1);
    // What follows every tick rises with it; what follows closes rises at once.
    if (before && before[1] !== at && limits.overall.follows !== "trailing") overall.push([time, before[1]]);
    overall.push([time, at]);
  };
  mark(0);
  DAYS.forEach(({ dip, close }, day) => {
    const limit = dayLimit(limits, start);
    if (limits.daily) daily.push({ from: day, until: day + 1, at: limit });
    const nearest = Math.max(limit, floor());
    const room = Number.isFinite(nearest) ? start - nearest : goal;
    const low = start - dip * room;
    const end = Math.max(limits.size + close * goal, start - 0.5 * room);
    const way = [start, start - 0.35 * dip * room, low, low + 0.3 * (end - low), low + 0.2 * (end - low), low + 0.75 * (end - low), end];
    way.forEach((value, nth) => {
      if (!nth) return;
      const time = day + (AT[nth] as number);
      const [since, was] = equity.at(-1) as Point;
      for (let step = 1; step <= FINE; step++) {
        const now = was + ((value - was) * step) / FINE;
        highest = Math.max(highest, now);
        if (limits.overall?.follows === "trailing") mark(since + ((time - since) * step) / FINE);
      }
      equity.push([time, value]);
    });
    closed = Math.max(closed, end);
    start = end;
    mark(day + 1);
  });
  const levels = [...equity.map(([, at]) => at), ...daily.map(({ at }) => at), ...overall.map(([, at]) => at), limits.size + limits.target];
  const [low, high] = [Math.min(...levels), Math.max(...levels)];
  const air = (high - low) * 0.08 || 1;
  return { days: DAYS.length, equity, daily, overall, low: low - air, high: high + air };
}

/** Where labels stand that each want a place, so that none covers another: in their order, at least `gap` apart, from 0 to `height`. */
export function spread(wanted: readonly number[], gap: number, height: number): number[] {
  const order = wanted.map((at, nth) => ({ at, nth })).sort((a, b) => a.at - b.at || a.nth - b.nth);
  const found: number[] = new Array(wanted.length).fill(0);
  let least = gap / 2;
  for (const each of order) {
    least = Math.max(least, each.at);
    found[each.nth] = least;
    least += gap;
  }
  let most = height - gap / 2;
  for (const each of [...order].reverse()) {
    found[each.nth] = Math.min(found[each.nth] as number, most);
    most = (found[each.nth] as number) - gap;
  }
  return found;
}
