/** The order ticket without its looks: what is drafted, what is sent, and what it reads back as. */
import { plain, scaled, typed, Units } from "./units";

export type Side = "buy" | "sell";
export type OrdType = "market" | "limit" | "stop" | "stop_limit" | "trailing_stop";
export type Tif = "day" | "gtc" | "gtd" | "ioc" | "fok";
export type QtyUnit = "base" | "quote" | "percent";
export type Group = "none" | "oco" | "bracket";

export interface Draft {
  account: string;
  symbol: string;
  side: Side;
  ordType: OrdType;
  tif: Tif;
  unit: QtyUnit;
  qty: string; // as typed
  price: string;
  stopPx: string;
  trail: string;
  expire: string; // ISO 8601 in UTC, with gtd
  iceberg: boolean;
  display: string;
  postOnly: boolean;
  reduceOnly: boolean;
  group: Group;
  otherStop: string; // of an OCO: the stop beside the limit
  target: string; // of a bracket
  guard: string; // of a bracket: the stop-loss
}

export const EMPTY: Draft = {
  account: "", symbol: "", side: "buy", ordType: "limit", tif: "gtc", unit: "base", qty: "", price: "",
  stopPx: "", trail: "", expire: "", iceberg: false, display: "", postOnly: false, reduceOnly: false,
  group: "none", otherStop: "", target: "", guard: "",
};

/** As POST /api/orders takes it. */
export interface Place {
  account_id: string;
  cl_ord_id: string;
  symbol: string;
  side: Side;
  ord_type: OrdType;
  time_in_force: Tif;
  order_qty?: string;
  cash_order_qty?: string;
  price?: string;
  stop_px?: string;
  trail_offset?: string;
  display_qty?: string;
  expire_time?: string;
  post_only?: boolean;
  reduce_only?: boolean;
}

export interface Asked {
  orders: Place[];
  contingency?: "oco" | "bracket";
}

export type Field = keyof Draft;
export interface Wrong {
  field: Field;
  text: string;
}

/** What the market and the verdict say, that a size may be meant by. */
export interface Around {
  units: Units;
  bid: string | null;
  ask: string | null;
  max: string | null; // the largest quantity that passes
  now: number; // ms since 1970, by the house's clock
}

export const TYPES: readonly { value: OrdType; word: string; key?: string }[] = [
  { value: "limit", word: "Limit", key: "L" },
  { value: "market", word: "Market", key: "M" },
  { value: "stop", word: "Stop" },
  { value: "stop_limit", word: "Stop limit" },
  { value: "trailing_stop", word: "Trailing" },
];

/** Times in force that a type may have: the house's own rule (rules/entry.py). */
export function tifsOf(draft: Pick<Draft, "ordType" | "group" | "postOnly" | "iceberg">): Tif[] {
  if (draft.ordType === "market") {
    return draft.group === "bracket" ? ["ioc", "day", "gtc"] : ["ioc", "fok", "day", "gtc"];
  }
  const rests: Tif[] = ["day", "gtc", "gtd"];
  const waits = draft.ordType !== "limit" || draft.group === "oco" || draft.postOnly || draft.iceberg;
  return waits ? rests : [...rests, "ioc", "fok"];
}

/** A draft with what its other choices allow; typed numbers are never touched. */
export function settled(draft: Draft): Draft {
  const next = { ...draft };
  if (next.ordType !== "limit") {
    next.postOnly = false;
    next.iceberg = false;
    if (next.group === "oco") next.group = "none";
  }
  if (next.group !== "none") {
    next.iceberg = false;
    next.reduceOnly = next.group === "oco" && next.reduceOnly;
  }
  const allowed = tifsOf(next);
  if (!allowed.includes(next.tif)) next.tif = allowed.includes("gtc") && next.ordType !== "market" ? "gtc" : allowed[0]!;
  return next;
}

export function changed(draft: Draft, change: Partial<Draft>): Draft {
  const asked = { ...draft, ...change };
  // What is asked for last wins: IOC takes the marks off that it cannot have.
  if (change.tif === "ioc" || change.tif === "fok") {
    asked.postOnly = false;
    asked.iceberg = false;
    if (asked.group === "oco") asked.group = "none";
  }
  if (change.ordType === "market" && draft.ordType !== "market") asked.tif = "ioc";
  if (change.ordType && change.ordType !== "market" && draft.ordType === "market" && !change.tif) asked.tif = "gtc";
  return settled(asked);
}

/** What a click in the ladder works: a plain limit there, of the drafted quantity. A share is no quantity. */
export function clicked(draft: Draft, side: Side, px: string): Draft {
  const lasts = draft.ordType !== "market" && (draft.tif !== "gtd" || draft.expire !== "");
  return { ...draft, side, ordType: "limit", price: px, group: "none", postOnly: false, iceberg: false, tif: lasts ? draft.tif : "gtc" };
}

/** The price that sizes and costs go by: the order's own, or the touch that it would take. */
export function workingPx(draft: Draft, around: Around): bigint | null {
  const { units } = around;
  if (draft.ordType === "limit" || draft.ordType === "stop_limit") return ticksOf(draft.price, units);
  if (draft.ordType === "stop") return ticksOf(draft.stopPx, units);
  const touch = draft.side === "buy" ? around.ask : around.bid;
  return touch === null ? null : units.ticks(touch);
}

function ticksOf(text: string, units: Units): bigint | null {
  const plainly = typed(text);
  return plainly === null ? null : units.ticks(plainly);
}

export interface Size {
  lots: bigint;
  cash: string | null; // a market order by notional is sent as cash
}

/** The quantity meant, in lots, or what is wrong with it. */
export function sizeOf(draft: Draft, around: Around): Size | Wrong {
  const { units } = around;
  const number = typed(draft.qty.replace(/%$/, ""));
  if (number === null) return { field: "qty", text: draft.qty.trim() ? "Not a number" : "Enter a quantity" };
  if (draft.unit === "base") {
    const lots = units.lots(number);
    if (lots === null) return { field: "qty", text: `Must be a multiple of ${plain(units.listed.lot_size)}` };
    return lots > 0n ? { lots, cash: null } : { field: "qty", text: "Must be above zero" };
  }
  if (draft.unit === "percent") {
    const max = around.max === null ? null : units.lots(around.max);
    if (max === null) return { field: "qty", text: "What passes is not known yet" };
    const hundredths = scaled(number, 2);
    if (hundredths === null || hundredths === 0n || hundredths > 10000n) {
      return { field: "qty", text: "Must be above 0 and at most 100 %" };
    }
    const lots = (max * hundredths) / 10000n;
    return lots > 0n ? { lots, cash: null } : { field: "qty", text: "Less than one lot passes" };
  }
  const px = workingPx(draft, around);
  if (px === null) return { field: "qty", text: "No price to work a quantity out from" };
  const lots = units.lotsFor(number, px);
  if (lots === null || lots <= 0n) return { field: "qty", text: `Less than one lot at ${units.px(px)}` };
  const byCash = draft.ordType === "market" && draft.group === "none";
  return { lots, cash: byCash ? plain(number) : null };
}

function price(draft: Draft, field: Field, what: string, units: Units): string | Wrong {
  const text = draft[field] as string;
  const number = typed(text);
  if (number === null) return { field, text: text.trim() ? "Not a number" : `Enter ${what}` };
  const ticks = units.ticks(number);
  if (ticks === null) return { field, text: `Must be a multiple of ${plain(units.listed.tick_size)}` };
  return ticks > 0n ? plain(units.px(ticks)) : { field, text: "Must be above zero" };
}

const isWrong = (found: unknown): found is Wrong => typeof found === "object" && found !== null && "field" in found;
export { isWrong };

/** What would be sent, under ids that `name` makes; or the first field that is wrong. */
export function asked(draft: Draft, around: Around, name: (leg: number) => string): Asked | Wrong {
  const { units } = around;
  const size = sizeOf(draft, around);
  const first: Place = {
    account_id: draft.account,
    cl_ord_id: name(1),
    symbol: draft.symbol,
    side: draft.side,
    ord_type: draft.ordType,
    time_in_force: draft.tif,
  };
  const needs: [boolean, Field, "price" | "stop_px" | "trail_offset", string][] = [
    [draft.ordType === "stop" || draft.ordType === "stop_limit", "stopPx", "stop_px", "a stop price"],
    [draft.ordType === "limit" || draft.ordType === "stop_limit", "price", "price", "a price"],
    [draft.ordType === "trailing_stop", "trail", "trail_offset", "how far it trails"],
  ];
  for (const [needed, field, wire, what] of needs) {
    if (!needed) continue;
    const found = price(draft, field, what, units);
    if (isWrong(found)) return found;
    first[wire] = found;
  }
  if (isWrong(size)) return size;
  if (size.cash !== null) first.cash_order_qty = size.cash;
  else first.order_qty = plain(units.qty(size.lots));
  const more = extras(draft, around, size, first);
  if (more) return more;
  if (draft.group === "oco") return oco(draft, units, first, name);
  if (draft.group === "bracket") return bracket(draft, units, first, name);
  return { orders: [first] };
}

function extras(draft: Draft, around: Around, size: Size, into: Place): Wrong | null {
  if (draft.tif === "gtd") {
    const at = Date.parse(draft.expire);
    if (Number.isNaN(at)) return { field: "expire", text: "Enter when it ends" };
    if (at <= around.now) return { field: "expire", text: "That time has passed" };
    into.expire_time = new Date(at).toISOString();
  }
  if (draft.iceberg) {
    const number = typed(draft.display);
    const lots = number === null ? null : around.units.lots(number);
    if (lots === null || lots <= 0n) return { field: "display", text: "Enter what is shown, in whole lots" };
    if (lots > size.lots) return { field: "display", text: "More than the order" };
    into.display_qty = plain(around.units.qty(lots));
  }
  if (draft.postOnly) into.post_only = true;
  if (draft.reduceOnly) into.reduce_only = true;
  return null;
}

function oco(draft: Draft, units: Units, first: Place, name: (leg: number) => string): Asked | Wrong {
  const stop = price(draft, "otherStop", "the stop of the other leg", units);
  if (isWrong(stop)) return stop;
  const { price: _, ...rest } = first;
  const second: Place = { ...rest, cl_ord_id: name(2), ord_type: "stop", stop_px: stop };
  delete second.post_only;
  return { orders: [first, second], contingency: "oco" };
}

function bracket(draft: Draft, units: Units, first: Place, name: (leg: number) => string): Asked | Wrong {
  const target = price(draft, "target", "a take-profit", units);
  if (isWrong(target)) return target;
  const guard = price(draft, "guard", "a stop-loss", units);
  if (isWrong(guard)) return guard;
  const isLong = first.side === "buy";
  const [a, b] = [units.ticks(target)!, units.ticks(guard)!];
  if (a === b || a > b !== isLong) return { field: "target", text: `Must be ${isLong ? "above" : "below"} the stop-loss` };
  const child = {
    account_id: first.account_id, symbol: first.symbol, side: isLong ? ("sell" as const) : ("buy" as const),
    time_in_force: "gtc" as const, order_qty: first.order_qty!,
  };
  return {
    orders: [
      first,
      { ...child, cl_ord_id: name(2), ord_type: "limit", price: target },
      { ...child, cl_ord_id: name(3), ord_type: "stop", stop_px: guard },
    ],
    contingency: "bracket",
  };
}

export const TYPE_WORD: Record<string, string> = {
  market: "market", limit: "limit", stop: "stop", stop_limit: "stop limit", trailing_stop: "trailing stop",
};

export type Show = (text: string, decimals: number) => string;

/** `Buy 0.50 BTC-USD limit 61,240.50 GTC · demo`: side, size, unit, account are never implied. */
export function sentence(order: Place, units: Units, show: Show): string {
  const side = order.side === "buy" ? "Buy" : "Sell";
  const size = order.cash_order_qty
    ? `${units.listed.symbol} for ${show(order.cash_order_qty, 2)} ${units.listed.quote}`
    : `${show(order.order_qty ?? "", units.qtyDecimals)} ${units.listed.symbol}`;
  const px = (text: string) => show(text, units.pxDecimals);
  const at: string[] = [TYPE_WORD[order.ord_type] ?? order.ord_type];
  if (order.ord_type === "stop_limit") at.push(`${px(order.stop_px ?? "")} → ${px(order.price ?? "")}`);
  else if (order.price) at.push(px(order.price));
  else if (order.stop_px) at.push(px(order.stop_px));
  else if (order.trail_offset) at.push(`by ${px(order.trail_offset)}`);
  at.push(order.time_in_force.toUpperCase());
  if (order.expire_time) at.push(`until ${order.expire_time.slice(0, 16).replace("T", " ")} UTC`);
  if (order.post_only) at.push("post-only");
  if (order.reduce_only) at.push("reduce-only");
  if (order.display_qty) at.push(`showing ${show(order.display_qty, units.qtyDecimals)}`);
  return `${side} ${size} ${at.join(" ")} · ${order.account_id}`;
}

/** Of a list: the entry's sentence and what hangs on it. */
export function sentences(found: Asked, units: Units, show: Show): string[] {
  const [first, ...others] = found.orders;
  const lines = [sentence(first!, units, show)];
  const px = (text: string) => show(text, units.pxDecimals);
  if (found.contingency === "oco") lines.push(`or stop ${px(others[0]!.stop_px!)}, whichever comes first`);
  if (found.contingency === "bracket") {
    lines.push(`then take profit ${px(others[0]!.price!)}, stop loss ${px(others[1]!.stop_px!)}`);
  }
  return lines;
}

/** Plus or minus so many ticks; an empty price begins at the touch of its side, never at the last. */
export function stepped(text: string, by: bigint, units: Units, touch: string | null): string {
  const number = typed(text);
  const found = number === null ? null : units.ticks(number);
  if (found === null) {
    const begin = touch === null ? null : units.ticks(touch);
    return begin === null ? text : units.px(begin);
  }
  const next = found + by;
  return units.px(next > 0n ? next : 1n);
}
