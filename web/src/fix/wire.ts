/** A message's bytes, and which of them are which field. Pure. */
import type { Schemas } from "../client/api";

export type Shown = Schemas["Shown"];

export interface Field {
  tag: number;
  name: string;
  value: string;
  meaning: string | null;
  /** How deep in groups: 0 stands by itself. */
  depth: number;
  /** "2 of 3" where an entry of a group begins. */
  entry: string;
}

/** Every field in the order of the wire, those of groups behind the one that counts them. */
export function flat(fields: readonly Shown[], depth = 0): Field[] {
  return fields.flatMap(({ tag, name, value, meaning, entries }) => [
    { tag, name, value, meaning: meaning ?? null, depth, entry: "" },
    ...(entries ?? []).flatMap((each, nth, all) => flat(each, depth + 1).map((field, at) => (at ? field : { ...field, entry: `${nth + 1} of ${all.length}` }))),
  ]);
}

export interface Span {
  /** Which field, by its place in `flat`; -1: bytes of no field. */
  field: number;
  from: number;
  to: number;
}

const SOH = 1;

export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));

/**
 * Where each field lies. A field ends at the first SOH that the next field's tag follows, so that a data field may
 * have SOH in it. What fits no field, as in a damaged message, is a span of none.
 */
export function spans(bytes: Uint8Array, fields: readonly Pick<Field, "tag">[]): Span[] {
  const found: Span[] = [];
  let at = 0;
  fields.forEach(({ tag }, nth) => {
    if (!startsWith(bytes, at, `${tag}=`)) return;
    const next = fields[nth + 1];
    const to = next ? ending(bytes, at, `${next.tag}=`) : bytes.length;
    found.push({ field: nth, from: at, to });
    at = to;
  });
  if (at < bytes.length) found.push({ field: -1, from: at, to: bytes.length });
  return found;
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let nth = 0; nth < text.length; nth += 1) if (bytes[at + nth] !== text.charCodeAt(nth)) return false;
  return true;
}

function ending(bytes: Uint8Array, from: number, next: string): number {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] === SOH && startsWith(bytes, at + 1, next)) return at + 1;
  const first = bytes.indexOf(SOH, from);
  return first < 0 ? bytes.length : first + 1;
}

/** One byte as it is read: SOH as ␁, what cannot be printed as \xNN. */
export const letter = (byte: number): string => (byte === SOH ? "␁" : byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`);

export const written = (bytes: Uint8Array): string => Array.from(bytes, letter).join("");

/** Two messages field by field, in the order of the first: those that differ. A tag that comes again is counted. */
export function differing(left: readonly Field[], right: readonly Field[]): { tag: number; name: string; left: Field | null; right: Field | null }[] {
  const keyed = (fields: readonly Field[]): Map<string, Field> => {
    const seen = new Map<number, number>();
    return new Map(fields.map((field) => {
      const nth = (seen.get(field.tag) ?? 0) + 1;
      seen.set(field.tag, nth);
      return [`${field.tag}/${nth}`, field];
    }));
  };
  const [one, other] = [keyed(left), keyed(right)];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((key) => {
    const [a, b] = [one.get(key) ?? null, other.get(key) ?? null];
    const field = a ?? b;
    return field && a?.value !== b?.value ? [{ tag: field.tag, name: field.name, left: a, right: b }] : [];
  });
}

/** The question that finds everything of one order; "" for a message of none. */
export function chain(fields: readonly Field[]): string {
  const value = (tag: number): string => fields.find((field) => field.tag === tag)?.value ?? "";
  const quoted = (text: string): string => `"${text.replace(/[\\"*]/g, "\\$&")}"`;
  const ids = [...new Set([value(11), value(41)])].filter(Boolean);
  const parts = ids.flatMap((id) => [`11=${quoted(id)}`, `41=${quoted(id)}`]);
  const order = value(37);
  if (order && order.toUpperCase() !== "NONE") parts.push(`37=${quoted(order)}`);
  return parts.join(" OR ");
}

/** Tags that people look for, by their names; any other may be typed by its number. */
export const KNOWN: readonly (readonly [number, string])[] = [
  [1, "Account"], [6, "AvgPx"], [7, "BeginSeqNo"], [11, "ClOrdID"], [14, "CumQty"], [16, "EndSeqNo"], [17, "ExecID"], [31, "LastPx"], [32, "LastQty"],
  [34, "MsgSeqNum"], [35, "MsgType"], [36, "NewSeqNo"], [37, "OrderID"], [38, "OrderQty"], [39, "OrdStatus"], [40, "OrdType"], [41, "OrigClOrdID"], [43, "PossDupFlag"], [44, "Price"],
  [45, "RefSeqNum"], [49, "SenderCompID"], [50, "SenderSubID"], [52, "SendingTime"], [54, "Side"], [55, "Symbol"], [56, "TargetCompID"], [58, "Text"], [59, "TimeInForce"],
  [60, "TransactTime"], [97, "PossResend"], [99, "StopPx"], [102, "CxlRejReason"], [103, "OrdRejReason"], [108, "HeartBtInt"], [112, "TestReqID"], [123, "GapFillFlag"],
  [141, "ResetSeqNumFlag"], [150, "ExecType"], [151, "LeavesQty"], [262, "MDReqID"], [320, "SecurityReqID"], [371, "RefTagID"], [372, "RefMsgType"], [373, "SessionRejectReason"],
  [380, "BusinessRejectReason"], [434, "CxlRejResponseTo"], [571, "TradeReportID"], [1128, "ApplVerID"], [1137, "DefaultApplVerID"],
];
const OWN: readonly (readonly [number, string])[] = [[0, "session"], [0, "direction"], [0, "time"], [0, "AND"], [0, "OR"], [0, "NOT"]];

export interface Completion {
  name: string;
  tag: number;
}

/** What the word before the cursor may become; nothing inside quotes or behind an operator. */
export function completions(text: string, cursor: number): Completion[] {
  const before = text.slice(0, cursor);
  if ((before.match(/"/g)?.length ?? 0) % 2) return [];
  const word = /(?:^|[\s(])([A-Za-z0-9_]+)$/.exec(before)?.[1];
  if (!word) return [];
  const said = word.toLowerCase();
  const fits = (tag: number, name: string): number => (String(tag) === word ? 0 : name.toLowerCase().startsWith(said) ? 1 : tag && String(tag).startsWith(word) ? 2 : word.length > 2 && name.toLowerCase().includes(said) ? 3 : 9);
  return [...KNOWN, ...OWN].map(([tag, name]) => ({ name, tag, rank: fits(tag, name) })).filter(({ rank, name }) => rank < 9 && name !== word).sort((a, b) => a.rank - b.rank).slice(0, 6).map(({ name, tag }) => ({ name, tag }));
}

/** The text with the word before the cursor completed, and where the cursor stands then. */
export function completed(text: string, cursor: number, by: Completion): { text: string; cursor: number } {
  const begin = cursor - (/[A-Za-z0-9_]+$/.exec(text.slice(0, cursor))?.[0].length ?? 0);
  const put = /^(AND|OR|NOT)$/.test(by.name) ? `${by.name} ` : `${by.name}=`;
  return { text: text.slice(0, begin) + put + text.slice(cursor), cursor: begin + put.length };
}
