/** What is left of each rule, as a gauge: how full, and in what state, by shape and word. Pure. */
import * as d from "../kit/decimal";
import { ms } from "../kit/format";
import { cents } from "./standing";

export type Mood = "well" | "near" | "broken";

export interface Measured {
  rule: string;
  title: string;
  /** The equity at which it breaks. */
  level: string;
  /** What it is counted from. */
  base: string;
  headroom: string;
  used_ppm: number;
  state: "well" | "warned" | "broken";
}

export interface Gauge {
  rule: string;
  title: string;
  mood: Mood;
  /** How much of what may be used is used: 0 to 1, for drawing. */
  used: number;
  level: string;
  base: string;
  left: string;
  /** "12.34": hundredths of what may be used that are left. */
  leftPercent: string;
}

/** Warnings stand where the page draws them, too. */
export const MARKS: readonly number[] = [0.5, 0.75, 0.9];
const FULL_PPM = 1_000_000;

export function gauge(found: Measured, broken: ReadonlySet<string>): Gauge {
  const used = Math.min(Math.max(found.used_ppm / FULL_PPM, 0), 1);
  const mood: Mood = broken.has(found.rule) || found.state === "broken" ? "broken" : found.state === "warned" ? "near" : "well";
  const left = d.rescale(d.div(String(Math.max(FULL_PPM - found.used_ppm, 0)), "10000", 4), 2, "down");
  return { rule: found.rule, title: found.title, mood, used, level: cents(found.level, "ceiling"), base: cents(found.base), left: cents(found.headroom, "floor"), leftPercent: d.text(left) };
}

/** The worst first: what is broken, then the fullest. What is equal stays in the house's order. */
export function ordered(gauges: readonly Gauge[]): Gauge[] {
  const rank: Record<Mood, number> = { broken: 0, near: 1, well: 2 };
  return [...gauges].sort((a, b) => rank[a.mood] - rank[b.mood] || b.used - a.used);
}

export const WORDS: Record<Mood, { glyph: string; word: string; tone: "critical" | "warn" | "plain" }> = {
  broken: { glyph: "✕", word: "broken", tone: "critical" },
  near: { glyph: "△", word: "near", tone: "warn" },
  well: { glyph: "", word: "kept", tone: "plain" },
};

/** "3 h 04 min", and seconds in the last hour; "now" when it is over. */
export function until(moment: string | bigint | number, now: number): string {
  const left = Math.ceil((ms(moment) - now) / 1_000);
  if (left <= 0) return "now";
  const [hours, minutes, seconds] = [Math.floor(left / 3_600), Math.floor(left / 60) % 60, left % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours ? `${hours} h ${two(minutes)} min` : `${minutes}:${two(seconds)}`;
}

const STATES: Record<string, { shape: string; word: string }> = {
  purchased: { shape: "sending", word: "being opened" },
  active: { shape: "working", word: "active" },
  funded: { shape: "working", word: "funded" },
  passed: { shape: "filled", word: "passed" },
  failed: { shape: "refused", word: "failed" },
  abandoned: { shape: "over", word: "abandoned" },
  expired: { shape: "over", word: "expired" },
};
/** The shapes are those of orders: what is solid is done, what is crossed was refused. */
export const stateOf = (state: string): { shape: string; word: string } => STATES[state] ?? { shape: "working", word: state };
export const isOver = (state: string): boolean => ["passed", "failed", "abandoned", "expired"].includes(state);
