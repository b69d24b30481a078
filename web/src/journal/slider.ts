/** The slider stands on positions; times are ticks on it, and density says where entries came fast. */

/** A position and its time in milliseconds. */
export type Point = readonly [position: number, at: number];

/** Where a position stands, 0 to 1. */
export function shareOf(position: number, first: number, last: number): number {
  return last > first ? Math.min(1, Math.max(0, (position - first) / (last - first))) : 1;
}

export function positionAt(share: number, first: number, last: number): number {
  return Math.round(first + Math.min(1, Math.max(0, share)) * (last - first));
}

/** The time of a position: that of the point at it, or between its neighbours by their distance. */
export function timeOf(position: number, points: readonly Point[]): number | null {
  const next = points.findIndex(([at]) => at >= position);
  const after = points[next];
  if (!after) return points.at(-1)?.[1] ?? null;
  const before = points[next - 1];
  if (after[0] === position || !before) return after[1];
  const share = (position - before[0]) / (after[0] - before[0]);
  return before[1] + share * (after[1] - before[1]);
}

/** Entries a second between neighbours, as heights from 0 to 1 on a root scale: a burst hides no trickle. */
export function density(points: readonly Point[]): { from: number; to: number; height: number; perS: number }[] {
  const found = points.slice(1).map((point, nth) => {
    const before = points[nth] as Point;
    const seconds = Math.max((point[1] - before[1]) / 1_000, 0.001);
    return { from: before[0], to: point[0], perS: (point[0] - before[0]) / seconds };
  });
  const most = Math.max(...found.map(({ perS }) => perS), 0);
  return found.map((each) => ({ ...each, height: most ? Math.sqrt(each.perS / most) : 0 }));
}

const STEPS_MS = [1_000, 5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000];

export interface Tick {
  position: number;
  at: number;
  /** Milliseconds between round times: says how finely it is labeled. */
  step: number;
}

/** Round times with the positions that they fall on, never nearer to each other than `apart` (a share). */
export function ticks(points: readonly Point[], apart = 0.1): Tick[] {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || last[0] <= first[0]) return [];
  let best: Tick[] = [];
  for (const step of STEPS_MS.toReversed()) {
    if ((last[1] - first[1]) / step > 2_000) break;
    const kept: Tick[] = [];
    for (let at = Math.ceil(first[1] / step) * step; at <= last[1]; at += step) {
      const tick = { position: positionOf(at, points), at, step };
      const before = kept.at(-1);
      const room = before ? shareOf(tick.position, first[0], last[0]) - shareOf(before.position, first[0], last[0]) : 1;
      if (room >= apart) kept.push(tick);
    }
    // A finer step is taken only where it says more.
    if (kept.length > best.length) best = kept;
    if (best.length >= 6) break;
  }
  return best;
}

/** The last position at a time, as far as the points say. */
export function positionOf(at: number, points: readonly Point[]): number {
  const next = points.findIndex((point) => point[1] > at);
  if (next === 0) return (points[0] as Point)[0];
  const after = points[next];
  const before = points[(next < 0 ? points.length : next) - 1] as Point;
  if (!after) return before[0];
  return Math.floor(before[0] + ((at - before[1]) / Math.max(after[1] - before[1], 1)) * (after[0] - before[0]));
}
