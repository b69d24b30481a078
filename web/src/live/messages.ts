/** What is heard on the two sockets: the shapes of /api/asyncapi.json. */

export type Level = readonly [price: string, qty: string];

export interface BookMessage {
  channel: "book";
  type: "snapshot" | "delta";
  symbol: string;
  sequence: number;
  quality: string;
  source: string;
  bids: Level[];
  asks: Level[];
  at: number;
}
export interface TradeLine {
  price: string;
  qty: string;
  aggressor: string;
  trade_id: number;
  at: number;
  source: string;
}
export interface TradesMessage {
  channel: "trades";
  symbol: string;
  items: TradeLine[];
  missed: number;
}
export interface Bar {
  start: number;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  buy_volume: string;
  trades: number;
}
export interface BarMessage {
  channel: "bars";
  symbol: string;
  interval: string;
  bar: Bar;
}
export interface Quote {
  price: string;
  source: string;
  age_ms: number;
}
export interface Price {
  symbol: string;
  quality: string;
  synthetic: boolean;
  last: Quote | null;
  mid: Quote | null;
  mark: Quote | null;
  /** When it came, by this machine's clock: ages count on from there. */
  heardAt?: number;
}
export interface PriceMessage {
  channel: "prices";
  symbol: string;
  price: Price;
}
export interface ConsolidatedMessage {
  channel: "consolidated";
  symbol: string;
  book: unknown;
}
export type MarketMessage = BookMessage | TradesMessage | BarMessage | PriceMessage | ConsolidatedMessage;
export type MarketChannel = MarketMessage["channel"];

export interface ExecutionMessage {
  channel: "executions";
  position: number;
  account_id: string;
  order_id: string;
  exec_number: number;
  symbol: string;
  side: string;
  last_qty: string;
  last_px: string;
  fee: string;
  fee_asset: string;
  liquidity: "maker" | "taker";
  cum_qty: string;
  leaves_qty: string;
  ord_status: string;
  at: number;
  exec_type?: "trade" | "trade_cancel" | "trade_correct"; // absent: a trade
  ref_number?: number; // the execution that is taken back, or corrected by this one
}
export interface OrderMessage {
  channel: "orders";
  position: number;
  account_id: string;
  order_id: string;
  kind: string;
  at: number;
  ord_status?: string;
  cl_ord_id?: string;
  symbol?: string;
  side?: string;
  order_qty?: string;
  price?: string;
  leaves_qty?: string;
  text?: string;
  // The terms of an order, with the entry that sets them.
  ord_type?: string;
  time_in_force?: string;
  stop_px?: string;
  trail_offset?: string;
  display_qty?: string;
  cash_order_qty?: string;
  expire_time?: string;
  post_only?: boolean;
  reduce_only?: boolean;
  list_id?: string;
  contingency?: string;
  at_venue?: boolean;
}
export interface BalanceMessage {
  channel: "balances";
  position: number;
  account_id: string;
  changes: Record<string, string>;
  at: number;
}
export type AccountMessage = ExecutionMessage | OrderMessage | BalanceMessage;

export interface Order {
  order_id: string;
  account_id: string;
  cl_ord_id: string;
  symbol: string;
  side: string;
  ord_type: string;
  ord_status: string;
  order_qty: string;
  leaves_qty: string;
  cum_qty: string;
  created_at: string;
  updated_at: string;
  position: number;
  time_in_force?: string | null;
  price?: string | null;
  avg_px?: string | null;
  stop_px?: string | null;
  trail_offset?: string | null;
  display_qty?: string | null;
  cash_order_qty?: string | null;
  expire_time?: string | null;
  post_only?: boolean;
  reduce_only?: boolean;
  list_id?: string | null;
  contingency?: string | null;
  at_venue?: boolean;
  hold?: string | null;
  hold_asset?: string | null;
  fees?: string | null;
  reason?: string | null;
  text?: string | null;
}
export interface Balance {
  asset: string;
  balance: string;
  held: string;
  free: string;
  value: string | null;
  mark: { symbol: string; px: string; quality: string; source: string; at: string } | null;
}
export interface AccountShown {
  account_id: string;
  name: string;
  account_type: string;
  currency: string;
  trading_state: string;
  balances: Balance[];
  equity: string | null;
  open_orders: number;
  position: number;
  virtual: boolean;
}
export interface Snapshot {
  type: "snapshot";
  id: number | string | null;
  account_id: string;
  position: number;
  orders: Order[];
  account: AccountShown;
}
/** Everything up to `position` was told; from here on it is live. */
export interface CaughtUp {
  type: "caught_up";
  id: number | string | null;
  position: number;
}
export interface Done {
  id: number | string | null;
  status: number;
  op?: string;
  error?: { code: string; message: string };
}
/** An assessment as it stands: all of it, so that the newest is enough. */
export interface AssessmentMessage {
  channel: "assessments";
  assessment_id: string;
  account_id: string;
  state: string;
  frozen: string;
  stage: number;
  stage_name: string;
  balance: string;
  equity: string;
  open_positions: number;
  day_from: string;
  resets_at: string;
  trades: number;
  days_traded: number;
  headroom: { rule: string; title: string; level: string; base: string; limit: string; headroom: string; used_ppm: number; used: string; state: "well" | "warned" | "broken" }[];
  conditions: { name: string; needed: string; reached: string; is_met: boolean }[];
  at: string;
  /** What was written down that made it be said; nothing where its equity has moved. */
  why: string[];
}
export type TradingMessage = AssessmentMessage | Snapshot | CaughtUp | AccountMessage | Done;
