/** What the House page says first: one sentence, then what is not well, worst first. */
import type { Schemas } from "../client/api";
import { age, lasted, time } from "../kit/format";

type House = Schemas["HouseReply"];

export interface Trouble {
  tone: "critical" | "warn";
  what: string;
  detail: string;
}

const BEHIND_WARN = 1_000;
const DISK_WARN = 0.1;
const DISK_CRITICAL = 0.02;
const LANDS = new Set(["serving", "journal"]);

export function sentence(house: House, now: number): string {
  return [serving(house), feeds(house), verified(house.verification, now), speed(house)].join(" ");
}

function serving(house: House): string {
  if (house.killed) return "Killed: nothing new is accepted.";
  return house.serving ? "Serving." : "Not serving.";
}

function feeds({ feeds, environment }: House): string {
  if (environment === "none") return "No feed.";
  const bad = feeds.filter((feed) => feed.quality !== "ok").length;
  const all = `${feeds.length} ${feeds.length === 1 ? "book" : "books"}`;
  return bad ? `${bad} of ${all} not OK.` : `${all} OK.`;
}

export function verified(found: Schemas["VerificationReply"], now: number): string {
  if (found.running) return `Verifying the journal${found.total ? `, ${share(found.entries, found.total)}` : ""}.`;
  const { last } = found;
  if (!last) return "Journal not verified yet.";
  if (last.wrong.length) return "JOURNAL VERIFICATION FAILED.";
  const at = Number(last.at) / 1e6;
  const ago = age(now - at);
  return ago ? `Journal verified ${ago} ago.` : `Journal verified at ${time(at)}.`;
}

const share = (part: number, all: number): string => `${Math.min(100, Math.floor((part / all) * 100))} %`;

function speed({ windows }: House): string {
  const minute = windows.find((each) => each.seconds === 60);
  if (!minute?.count || minute.p99_ms === null || minute.p99_ms === undefined) return "No orders in the last minute.";
  return `p99 ${lasted(minute.p99_ms * 1e6)}.`;
}

/** Worst first; nothing of what is well. */
export function troubles(house: House): Trouble[] {
  const found: Trouble[] = [];
  const critical = (what: string, detail: string): void => void found.push({ tone: "critical", what, detail });
  const warn = (what: string, detail: string): void => void found.push({ tone: "warn", what, detail });

  const { verification, checks } = house;
  if (verification.last?.wrong.length) critical("The journal is not what was written", verification.last.wrong.join("; "));
  if (house.killed) critical("Kill switch is on", house.kill_reason || "no reason was kept");
  for (const name of checks.failing) critical(`Standing check ${name} fails`, `as of position ${checks.position}`);
  for (const part of house.parts) {
    if (!part.ok && part.name !== "market") (LANDS.has(part.name) ? critical : warn)(`${word(part.name)} is not well`, part.says);
  }
  for (const each of house.followers) {
    if (each.trouble) critical(`${word(each.name)} have stopped`, each.trouble);
    else if (each.behind > BEHIND_WARN) warn(`${word(each.name)} are behind`, `${each.behind} entries`);
  }
  const free = house.disk_total ? house.disk_free / house.disk_total : 1;
  if (free < DISK_WARN) (free < DISK_CRITICAL ? critical : warn)("The disk is nearly full", `${(free * 100).toFixed(1)} % is free`);
  if (verification.trouble) warn("The last verification came to no end", verification.trouble);
  for (const feed of house.feeds) {
    if (feed.quality !== "ok") warn(`${feed.symbol} is ${feed.quality.toUpperCase()}`, `${feed.source}: only orders that reduce`);
  }
  const slow = house.kernels.filter((kernel) => kernel.state !== "compiled").map((kernel) => kernel.name.split(".").pop());
  if (slow.length) warn("Kernels run from source", `${slow.join(", ")}: right, and slower`);
  return found.sort((a, b) => Number(b.tone === "critical") - Number(a.tone === "critical"));
}

const word = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** "1.4 GB": of what lies on a disk, where nobody counts bytes. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count;
  let nth = 0;
  while (size >= 1_000 && nth < units.length - 1) {
    size /= 1_000;
    nth += 1;
  }
  return `${nth && size < 100 ? size.toFixed(1) : Math.round(size)} ${units[nth]}`;
}

/** A line with a gap wherever nobody counted: `at` evenly apart, null where there is nothing. */
export function evenly(at: readonly number[], stepMs: number, lines: readonly (readonly (number | null | undefined)[])[]): (number | null)[][] {
  const first = at[0];
  const last = at.at(-1);
  if (first === undefined || last === undefined) return [[], ...lines.map(() => [])];
  const where = new Map(at.map((each, nth) => [each, nth]));
  const xs: number[] = [];
  for (let each = first; each <= last; each += stepMs) xs.push(each);
  return [
    xs.map((each) => each / 1_000),
    ...lines.map((line) => xs.map((each) => {
      const nth = where.get(each);
      return nth === undefined ? null : (line[nth] ?? null);
    })),
  ];
}

/** Columns of counts whose times end their steps, as edges: each value from the beginning of its step to its end. */
export function edges(columns: readonly (readonly (number | null)[])[], stepS: number): (number | null)[][] {
  const [ends = [], ...lines] = columns;
  const last = ends.at(-1);
  if (last === undefined || last === null) return columns.map(() => []);
  return [[...ends.map((each) => (each ?? 0) - stepS), last], ...lines.map((line) => [...line, line.at(-1) ?? null])];
}

/** Where a value stands between two gaps: no line reaches it, so it is drawn as a point. */
export function alone(values: readonly (number | null | undefined)[]): number[] {
  const isThere = (nth: number): boolean => values[nth] !== null && values[nth] !== undefined;
  return values.flatMap((_, nth) => (isThere(nth) && !isThere(nth - 1) && !isThere(nth + 1) ? [nth] : []));
}
