/** Which orders are asked about before they go: the setting "unusual", the default. */
import type { Confirm } from "../kit/prefs";
import type { Place, Side } from "./ticket";
import { Units } from "./units";

/** Where "unusual" begins; all can be set. */
export interface Bounds {
  throughBps: number; // a limit this far beyond the other side's touch
  timesUsual: number; // the size against the median of my last orders
  depthPercent: number; // of what is displayed on the other side
}

export const BOUNDS: Bounds = { throughBps: 25, timesUsual: 5, depthPercent: 30 };

export interface Seen {
  units: Units;
  bid: string | null;
  ask: string | null;
  displayed: bigint; // lots displayed on the side that the order would take
  position: bigint; // lots, signed
  usual: readonly bigint[]; // lots of my last orders in this instrument
  lastAccount: string | null; // of the order before
}

/** Reasons to ask, in words; none: it goes. */
export function reasons(order: Place, lots: bigint, seen: Seen, bounds: Bounds = BOUNDS): string[] {
  const found: string[] = [];
  if (order.ord_type === "market") found.push("market order");
  const through = throughBps(order, seen);
  if (through !== null && through > bounds.throughBps) found.push(`${through} bp through the touch`);
  const usual = median(seen.usual);
  if (usual > 0n && lots > usual * BigInt(bounds.timesUsual)) {
    found.push(`${lots / usual} times your usual size`);
  }
  const after = seen.position + (order.side === "buy" ? lots : -lots);
  if (seen.position !== 0n && after !== 0n && after > 0n !== seen.position > 0n) found.push("turns the position round");
  const takes = order.ord_type === "market" || (through !== null && through >= 0);
  if (takes && seen.displayed > 0n && lots * 100n > seen.displayed * BigInt(bounds.depthPercent)) {
    found.push(`${(lots * 100n) / seen.displayed} % of what is displayed`);
  }
  if (seen.lastAccount !== null && seen.lastAccount !== order.account_id) {
    found.push(`another account than your last order (${seen.lastAccount})`);
  }
  return found;
}

/** Whole basis points beyond the other side's touch; negative: it rests. Null: not known. */
export function throughBps(order: Pick<Place, "side" | "price" | "ord_type">, seen: Pick<Seen, "units" | "bid" | "ask">): number | null {
  if (!order.price || order.ord_type !== "limit") return null;
  const touchText = order.side === "buy" ? seen.ask : seen.bid;
  const touch = touchText === null ? null : seen.units.ticks(touchText);
  const px = seen.units.ticks(order.price);
  if (touch === null || px === null || touch === 0n) return null;
  const beyond = order.side === "buy" ? px - touch : touch - px;
  const bps = (beyond * 10000n) / touch;
  return beyond < 0n ? Math.min(Number(bps), -1) : Number(bps);
}

export function median(values: readonly bigint[]): bigint {
  if (values.length < 3) return 0n; // nothing is usual yet
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

export function mustAsk(setting: Confirm, why: readonly string[], armed: boolean): boolean {
  if (setting === "always") return true;
  if (setting === "never-armed" && armed) return false;
  return why.length > 0;
}

/** What an order of this side would take from. */
export const takenSide = (side: Side): "asks" | "bids" => (side === "buy" ? "asks" : "bids");
