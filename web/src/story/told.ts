/** An order's life in the words of the page: what each entry was, how long it took, how near each limit was. */
import type { Schemas } from "../client/api";
import * as d from "../kit/decimal";
import { number } from "../kit/format";

export type Why = Schemas["Why"];
export type Step = Schemas["WhyStep"];
export type Check = Schemas["RuleLine"];
export type Order = Schemas["OrderLine"];

export type Stage = "request" | "decide" | "route" | "venue" | "execution" | "booking" | "settlement" | "change" | "end";
export type Tone = "plain" | "bad" | "unknown";

interface Part {
  stage: Stage;
  title: string;
  tone: Tone;
}

const KINDS: Record<string, readonly [Stage, string, Tone?]> = {
  "trading.order_accepted": ["decide", "Accepted"],
  "trading.order_rejected": ["decide", "Refused", "bad"],
  "trading.order_triggered": ["route", "Stop triggered, sent to its venue"],
  "trading.order_trailed": ["change", "Stop followed the mark"],
  "trading.order_released": ["route", "Released: its parent has executed"],
  "venues.order_booked": ["venue", "Rests at the venue"],
  "venues.order_executed": ["execution", "Executed at the venue"],
  "venues.order_ended": ["venue", "The venue is done with it"],
  "venues.order_replaced": ["venue", "The venue took the new terms"],
  "venues.change_denied": ["venue", "The venue will not change it", "bad"],
  "trading.order_filled": ["booking", "Fill booked"],
  "venues.execution_busted": ["venue", "The venue takes a trade back", "bad"],
  "trading.fill_busted": ["booking", "Trade taken back", "bad"],
  "trading.fill_corrected": ["booking", "Trade corrected"],
  "trading.order_completed": ["booking", "Its cash is spent"],
  "trading.fill_unsettled": ["settlement", "Waits to settle"],
  "trading.fills_settled": ["settlement", "Settled"],
  "trading.cancel_requested": ["change", "Cancel asked of the venue"],
  "trading.replace_requested": ["change", "New terms asked of the venue"],
  "trading.order_replaced": ["change", "Replaced"],
  "trading.change_denied": ["change", "Change denied", "bad"],
  "trading.order_canceled": ["end", "Canceled"],
  "trading.order_expired": ["end", "Expired"],
  "trading.order_refused": ["end", "Rejected by the venue", "bad"],
  "trading.order_unknown": ["venue", "UNKNOWN: the venue is silent", "unknown"],
  "trading.order_resolved": ["venue", "The venue says that it works"],
  "venues.order_routed": ["route", "To be sent over FIX"],
  "venues.cancel_routed": ["change", "A cancel to be sent over FIX"],
  "venues.replace_routed": ["change", "New terms to be sent over FIX"],
  "venues.trade_disputed": ["venue", "They take back or correct a trade: refused", "bad"],
  "venues.pool_joined": ["venue", "Waits at the pooling desk"],
  "venues.block_allocated": ["execution", "Shared out by the pooling desk"],
  "trading.report_unmatched": ["venue", "A report that fits nothing", "bad"],
};

export function partOf(kind: string): Part {
  const bare = kind.replace(/\.v\d+$/, "").replace(/^crossing\./, "venues.");
  const found = KINDS[bare];
  if (found) return { stage: found[0], title: found[1], tone: found[2] ?? "plain" };
  const words = (bare.split(".").pop() ?? kind).replace(/_/g, " ");
  return { stage: "venue", title: words.charAt(0).toUpperCase() + words.slice(1), tone: "plain" };
}

/** What a measuring rule said when it refused; null where none did. */
export interface Excess {
  rule: string;
  value: string;
  limit: string;
  distance: string;
  unit: string;
  largest: string;
}

export function excessOf(step: Step): Excess | null {
  const event = (step.event ?? {}) as Record<string, unknown>;
  const found = event.excess as Record<string, string> | null | undefined;
  if (!found || !found.limit) return null;
  return { rule: String(event.reason ?? ""), value: found.value ?? "", limit: found.limit, distance: found.distance ?? "", unit: found.unit ?? "", largest: found.order_qty_max ?? "" };
}

/** `Buy 0.50 BTC-USD limit 61,240.50 GTC · demo` */
export function sentence(order: Order): string {
  const side = order.side === "buy" ? "Buy" : "Sell";
  const size = order.cash_order_qty ? `for ${number(order.cash_order_qty)}` : number(order.order_qty);
  const price = order.price && order.ord_type !== "market" ? ` ${number(order.price)}` : "";
  const stop = order.stop_px ? ` stop ${number(order.stop_px)}` : "";
  return `${side} ${size} ${order.symbol} ${order.ord_type.replace(/_/g, " ")}${price}${stop} ${(order.time_in_force ?? "").toUpperCase()} · ${order.account_id}`.replace(/ +/g, " ");
}

export interface Bar {
  /** Shares of the limit, 0 to 1: what was used before, what this order asked for. */
  used: number;
  asked: number;
  /** Whether both do not fit. */
  over: boolean;
}

/** How much of a limit was used before an order, and how much the order took; null where that is not known. */
export function bar(check: Check): Bar | null {
  const { limit } = check;
  if (!limit || d.sign(limit) <= 0) return null;
  const share = (value: string | null | undefined): number => (value ? Math.max(0, d.toFloat(d.div(value, limit, 6))) : 0);
  const used = share(check.used);
  const asked = share(check.asked);
  const over = check.used !== undefined && check.asked ? d.compare(d.add(check.used ?? "0", check.asked), limit) > 0 : used > 1;
  return { used: Math.min(1, used), asked: Math.min(1 - Math.min(1, used), asked), over };
}

const CHECKS: Record<string, string> = {
  qty: "Size of an order",
  notional: "Notional of an order",
  collar: "Room to the price collar",
  position: "Position",
  concentration: "Share in one instrument",
  class_concentration: "Share in its asset class",
  issuer_concentration: "Share with one issuer",
  venue_concentration: "Share at one venue",
  trade_risk: "Risk of a trade",
  open_positions: "Open positions",
  open_lots: "Open lots",
  leverage: "Leverage",
  daily_loss: "Daily loss",
  orders: "Orders in the window",
  notional_rate: "Notional in the window",
  power: "Buying power",
  margin: "Free margin",
};
export const checkTitle = (name: string): string => CHECKS[name] ?? name.replace(/_/g, " ");

/** Nearest to its limit first: what an order came closest to. */
export function byNearness(checks: readonly Check[]): Check[] {
  const share = (check: Check): number => {
    const found = bar(check);
    return found ? found.used + found.asked : -1;
  };
  return [...checks].sort((a, b) => share(b) - share(a));
}

/** How long the whole of it took, in microseconds. */
export function lastedUs(steps: readonly Step[]): number | null {
  const first = steps[0];
  const last = steps.at(-1);
  if (!first || !last || first === last) return null;
  return micros(last.at) - micros(first.at);
}

/** ISO text to microseconds since 1970; Date alone knows milliseconds. */
export function micros(at: string): number {
  const part = /\.(\d+)/.exec(at)?.[1] ?? "";
  return Math.floor(Date.parse(at) / 1_000) * 1_000_000 + Number(part.padEnd(6, "0").slice(0, 6) || 0);
}
