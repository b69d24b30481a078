/** Numbers and times as they are shown. Decimals come as text and are never made floats. */
import * as d from "./decimal";
import { type Grouping, prefs, type Zone } from "./prefs";

export const MINUS = "\u2212";
export const MISSING = "–";
const THIN = "\u202f";

interface Signs {
  group: string;
  point: string;
}
const SIGNS: Record<Grouping, Signs> = {
  en: { group: ",", point: "." },
  de: { group: ".", point: "," },
  fr: { group: THIN, point: "," },
  ch: { group: "’", point: "." },
  plain: { group: "", point: "." },
};
export const signsOf = (grouping: Grouping = prefs.get().grouping): Signs => SIGNS[grouping];

export interface NumberParts {
  sign: string;
  /** With the point, but without the zeros that end it. */
  head: string;
  /** The zeros at the end of the part after the point; shown dimmed. */
  zeros: string;
}

export interface NumberStyle {
  /** Digits after the point; absent: as the text has them. Digits are never cut, only added. */
  decimals?: number;
  /** A plus before what is above zero. */
  signed?: boolean;
  grouping?: Grouping;
}

export function parts(value: string, style: NumberStyle = {}): NumberParts {
  let found = d.of(value);
  if (style.decimals !== undefined && found.scale < style.decimals) found = d.rescale(found, style.decimals);
  const { group, point } = signsOf(style.grouping);
  const [whole = "0", part = ""] = d.text(d.abs(found)).split(".");
  const grouped = group ? whole.replace(/\B(?=(\d{3})+$)/g, group) : whole;
  const kept = part.replace(/0+$/, "");
  const sign = d.sign(found) < 0 ? MINUS : style.signed && d.sign(found) > 0 ? "+" : "";
  if (!part) return { sign, head: grouped, zeros: "" };
  if (kept) return { sign, head: grouped + point + kept, zeros: part.slice(kept.length) };
  return { sign, head: grouped, zeros: point + part };
}

export function number(value: string | null | undefined, style: NumberStyle = {}): string {
  if (value === null || value === undefined || value === "") return MISSING;
  const { sign, head, zeros } = parts(value, style);
  return sign + head + zeros;
}

/** Rounded to so many digits, for what is computed and not a price or a size. */
export function rounded(value: d.Amount, decimals: number, style: NumberStyle = {}): string {
  return number(d.text(d.rescale(value, decimals)), { ...style, decimals });
}

/** Money in its currency's minor digits: what is finer is rounded half to even. */
export function money(value: string | null | undefined, style: NumberStyle = {}): string {
  if (value === null || value === undefined || value === "") return MISSING;
  return rounded(value, style.decimals ?? 2, style);
}

/** A share as per cent with two decimals; below 0.05 % in basis points. `share` is 1 for all of it. */
export function percent(share: d.Amount, style: NumberStyle = {}): string {
  const value = d.of(share);
  const small = d.sign(value) !== 0 && d.compare(d.abs(value), "0.0005") < 0;
  const times = small ? "10000" : "100";
  return `${rounded(d.mul(value, times), small ? 1 : 2, style)}${THIN}${small ? "bp" : "%"}`;
}

const SHORT: readonly [string, string][] = [
  ["1000000000", "B"],
  ["1000000", "M"],
  ["1000", "k"],
];

/** "1.2 M", for axes and tiles only. */
export function short(value: string): string {
  const found = d.of(value);
  for (const [size, name] of SHORT) {
    if (d.compare(d.abs(found), size) >= 0) return `${rounded(d.div(found, size, 1), 1)}${THIN}${name}`;
  }
  return number(d.trimmed(d.rescale(found, Math.min(found.scale, 2))));
}

/** What is copied and exported: a hyphen, a point, nothing grouped. */
export const plain = (value: string): string => d.text(d.of(value));

/**
 * What a person typed, as plain text; null where it is no number. Both separators are taken: the last
 * of "." and "," that stands once is the point, unless three digits follow it and the setting groups by it.
 */
export function typed(text: string, grouping: Grouping = prefs.get().grouping): string | null {
  let said = text.trim().replace(/[\s\u00a0\u202f’']/g, "").replace(MINUS, "-");
  const { group } = signsOf(grouping);
  const dots = said.split(".").length - 1;
  const commas = said.split(",").length - 1;
  if (dots && commas) {
    const point = said.lastIndexOf(".") > said.lastIndexOf(",") ? "." : ",";
    if ((point === "." ? dots : commas) > 1) return null;
    said = said.split(point === "." ? "," : ".").join("").replace(point, ".");
  } else if (dots > 1 || commas > 1) {
    const mark = dots ? "." : ",";
    if (!new RegExp(`^[+-]?\\d{1,3}(\\${mark}\\d{3})+$`).test(said)) return null;
    said = said.split(mark).join("");
  } else if (dots || commas) {
    const mark = dots ? "." : ",";
    const grouped = mark === group && /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(said);
    said = grouped ? said.replace(mark, "") : said.replace(mark, ".");
  }
  const found = d.parse(said);
  return found && d.text(found);
}

// --- Times: nanoseconds or milliseconds since 1970, or ISO text ---------------------------------

export type Moment = number | bigint | string | Date;

/** Milliseconds since 1970 with their fraction. Numbers above 1e14 are nanoseconds. */
export function ms(moment: Moment): number {
  if (moment instanceof Date) return moment.getTime();
  if (typeof moment === "bigint") return Number(moment / 1000n) / 1000;
  if (typeof moment === "string") {
    if (/^\d+$/.test(moment)) return ms(BigInt(moment));
    const found = Date.parse(moment);
    const micros = /\.\d{3}(\d{1,6})/.exec(moment)?.[1];
    return micros ? found + Number(`0.${micros}`) : found;
  }
  return Math.abs(moment) > 1e14 ? moment / 1e6 : moment;
}

export type Precision = "s" | "ms" | "us" | "min";

const FORMATS = new Map<string, Intl.DateTimeFormat>();
function zoneParts(at: number, zone: Zone): Record<string, string> {
  const name = zone === "local" ? undefined : zone;
  const key = name ?? "";
  let format = FORMATS.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "shortOffset",
    });
    FORMATS.set(key, format);
  }
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** Whether this hour comes twice that night, so that its offset must be said. */
function isRepeated(at: number, zone: Zone): boolean {
  if (zone === "UTC") return false;
  const offset = (when: number): string => zoneParts(when, zone).timeZoneName ?? "";
  const here = offset(at);
  const wall = (when: number): string => {
    const found = zoneParts(when, zone);
    return `${found.day}${found.hour}`;
  };
  return [at - 3_600_000, at + 3_600_000].some((other) => offset(other) !== here && wall(other) === wall(at));
}

export function time(moment: Moment, precision: Precision = "s", zone: Zone = prefs.get().zone): string {
  const at = ms(moment);
  if (!Number.isFinite(at)) return MISSING;
  const found = zoneParts(at, zone);
  const clock = `${found.hour}:${found.minute}`;
  const offset = isRepeated(at, zone) ? ` ${found.timeZoneName}` : "";
  if (precision === "min") return clock + offset;
  const micros = Math.floor((((at % 1000) + 1000) % 1000) * 1000 + 1e-6);
  const part = precision === "ms" ? Math.floor(micros / 1000).toString().padStart(3, "0") : micros.toString().padStart(6, "0");
  return `${clock}:${found.second}${precision === "s" ? "" : `.${part}`}${offset}`;
}

export function day(moment: Moment, zone: Zone = prefs.get().zone): string {
  const found = zoneParts(ms(moment), zone);
  return `${found.year}-${found.month}-${found.day}`;
}

export const dayTime = (moment: Moment, precision: Precision = "s", zone: Zone = prefs.get().zone): string =>
  `${day(moment, zone)} ${time(moment, precision, zone)}`;

/** "UTC", "Europe/Zurich", or the name of this machine's zone. */
export const zoneName = (zone: Zone = prefs.get().zone): string =>
  zone === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;

/** "12 s", "4 min": only under an hour, beyond it nothing is said in ages. */
export function age(milliseconds: number): string | null {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}${THIN}s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)}${THIN}min` : null;
}

/** A duration by its size: "840 ns", "12.4 µs", "3.2 ms", "1.35 s". */
export function lasted(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${Math.round(nanoseconds)}${THIN}ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toFixed(1)}${THIN}µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toFixed(nanoseconds < 1e7 ? 2 : 1)}${THIN}ms`;
  return `${(nanoseconds / 1e9).toFixed(2)}${THIN}s`;
}
