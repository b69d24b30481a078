/**
 * One account as it stands: a snapshot, then every entry after it. Events are never merged, never dropped
 * and told once, whatever the line does. Pure: no socket, no clock.
 */
import * as d from "../kit/decimal";
import type { AccountMessage, AccountShown, Balance, ExecutionMessage, Order, OrderMessage, Snapshot } from "./messages";

export const EXECUTIONS_MAX = 1_000;
export const FINISHED_MAX = 200;
const OVER = new Set(["filled", "canceled", "expired", "rejected", "done_for_day"]);
export const isOver = (status: string): boolean => OVER.has(status);

export interface AccountState {
  account_id: string;
  /** How far the journal was heard. */
  position: number;
  account: AccountShown | null;
  orders: ReadonlyMap<string, Order>;
  balances: ReadonlyMap<string, Balance>;
  /** Heard since this page was opened, newest last. */
  executions: readonly ExecutionMessage[];
}

export const nothing = (account_id: string): AccountState => ({
  account_id,
  position: 0,
  account: null,
  orders: new Map(),
  balances: new Map(),
  executions: [],
});

/** The state of the snapshot. Orders that ended here lately stay, for whoever looks at them. */
export function fromSnapshot(before: AccountState, snapshot: Snapshot): AccountState {
  const open = new Map(snapshot.orders.map((order) => [order.order_id, order]));
  const orders = new Map([...before.orders].filter(([id, order]) => !open.has(id) && isOver(order.ord_status)));
  for (const [id, order] of open) {
    const known = before.orders.get(id);
    orders.set(id, known && known.position > order.position ? known : order);
  }
  // What was heard as newer than the snapshot is still true.
  for (const [id, order] of before.orders) {
    if (!orders.has(id) && order.position > snapshot.position) orders.set(id, order);
  }
  return {
    ...before,
    position: Math.max(before.position, snapshot.position),
    account: snapshot.account,
    balances: new Map(snapshot.account.balances.map((balance) => [balance.asset, balance])),
    orders,
  };
}

interface Draft {
  account_id: string;
  position: number;
  account: AccountShown | null;
  orders: Map<string, Order>;
  balances: Map<string, Balance>;
  executions: ExecutionMessage[];
}

/** Some entries more, in their order. Which of them are new is not checked here: see `Heard`. */
export function evolve(before: AccountState, messages: readonly AccountMessage[]): AccountState {
  const draft: Draft = {
    ...before,
    orders: new Map(before.orders),
    balances: new Map(before.balances),
    executions: [...before.executions],
  };
  for (const message of messages) take(draft, message);
  draft.executions = draft.executions.slice(-EXECUTIONS_MAX);
  forgetOldest(draft.orders);
  return draft;
}

function take(draft: Draft, message: AccountMessage): void {
  draft.position = Math.max(draft.position, message.position);
  switch (message.channel) {
    case "executions": {
      const gone = draft.executions.find((each) => each.order_id === message.order_id && each.exec_number === message.ref_number);
      if (gone) draft.executions = draft.executions.filter((each) => each !== gone);
      if (message.exec_type !== "trade_cancel") draft.executions.push(message);
      const order = draft.orders.get(message.order_id);
      if (order) draft.orders.set(order.order_id, executed(order, message, gone));
      break;
    }
    case "orders":
      draft.orders.set(message.order_id, changed(draft.orders.get(message.order_id), message));
      break;
    case "balances":
      move(draft.balances, message.changes);
  }
}

function forgetOldest(orders: Map<string, Order>): void {
  const over = [...orders.values()].filter((order) => isOver(order.ord_status));
  for (const order of over.slice(0, Math.max(0, over.length - FINISHED_MAX))) orders.delete(order.order_id);
}

function changed(order: Order | undefined, message: OrderMessage): Order {
  const at = new Date(message.at / 1e6).toISOString();
  const known: Order = order ?? {
    order_id: message.order_id,
    account_id: message.account_id,
    cl_ord_id: "",
    symbol: "",
    side: "",
    ord_type: "",
    ord_status: "new",
    order_qty: "",
    leaves_qty: "",
    cum_qty: "0",
    created_at: at,
    updated_at: at,
    position: 0,
  };
  return {
    ...known,
    ...termsOf(message),
    ord_status: message.ord_status ?? known.ord_status,
    cl_ord_id: message.cl_ord_id || known.cl_ord_id,
    symbol: message.symbol || known.symbol,
    side: message.side || known.side,
    order_qty: message.order_qty || known.order_qty,
    price: message.price || known.price,
    leaves_qty: message.leaves_qty || known.leaves_qty,
    text: message.text || known.text,
    position: Math.max(known.position, message.position),
    updated_at: at,
  };
}

/** What an order asks for, where the entry sets it; a trailing stop's price moves by itself. */
function termsOf(message: OrderMessage): Partial<Order> {
  if (!message.ord_type) return message.stop_px ? { stop_px: message.stop_px } : {};
  return {
    ord_type: message.ord_type,
    time_in_force: message.time_in_force ?? null,
    stop_px: message.stop_px ?? null,
    trail_offset: message.trail_offset ?? null,
    display_qty: message.display_qty ?? null,
    cash_order_qty: message.cash_order_qty ?? null,
    expire_time: message.expire_time ?? null,
    post_only: message.post_only ?? false,
    reduce_only: message.reduce_only ?? false,
    list_id: message.list_id ?? null,
    contingency: message.contingency ?? null,
    at_venue: message.at_venue ?? true,
  };
}

/** `gone` is the execution that its venue takes back, or corrects, where it is known here. */
function executed(order: Order, message: ExecutionMessage, gone?: ExecutionMessage): Order {
  const { last_qty, last_px, cum_qty, leaves_qty, ord_status, position } = message;
  if (order.position >= position) return order; // It was told as it is after this.
  const paid = (of: ExecutionMessage) => d.mul(of.last_px, of.last_qty);
  const before = order.avg_px ? d.mul(order.avg_px, order.cum_qty) : d.of("0");
  const kept = gone ? d.sub(before, paid(gone)) : before;
  const gross = message.exec_type === "trade_cancel" ? kept : d.add(kept, d.mul(last_px, last_qty));
  const isKnown = !d.isZero(cum_qty) && (!message.ref_number || gone !== undefined);
  const avg_px = isKnown ? d.text(d.div(gross, cum_qty, d.of(last_px).scale + 6)) : order.avg_px;
  return { ...order, cum_qty, leaves_qty, ord_status, avg_px, position, updated_at: new Date(message.at / 1e6).toISOString() };
}

function move(balances: Map<string, Balance>, changes: Record<string, string>): void {
  for (const [asset, change] of Object.entries(changes)) {
    const known = balances.get(asset) ?? { asset, balance: "0", held: "0", free: "0", value: null, mark: null };
    const balance = d.text(d.add(known.balance, change));
    balances.set(asset, { ...known, balance, free: d.text(d.sub(balance, known.held)) });
  }
}

/** An order as REST shows it, unless what was heard is newer. */
export function corrected(before: AccountState, orders: readonly Order[]): AccountState {
  const all = new Map(before.orders);
  for (const order of orders) {
    const known = all.get(order.order_id);
    if (!known || known.position <= order.position) all.set(order.order_id, order);
  }
  return { ...before, orders: all };
}

/** How far something went, where one position may come in several messages. */
class Mark {
  position = 0;
  /** Whether all of `position` is in. */
  isWhole = true;
  readonly #last = new Set<string>();

  take(position: number, key: string): boolean {
    if (position < this.position || (position === this.position && (this.isWhole || this.#last.has(key)))) return false;
    if (position > this.position) {
      this.position = position;
      this.#last.clear();
    }
    this.isWhole = false;
    this.#last.add(key);
    return true;
  }

  set(position: number): void {
    this.position = position;
    this.isWhole = true;
    this.#last.clear();
  }
}

/**
 * Which messages of an account are new. One entry may be told in several messages, and a cut may fall
 * between them: then that entry is asked for again, and what was heard of it is left out.
 */
export class Heard {
  readonly #applied = new Mark();
  readonly #told = new Mark();

  get position(): number {
    return this.#applied.position;
  }

  /** What follows this position is still to be asked for. */
  get resumeAfter(): number {
    return this.#applied.isWhole ? this.position : Math.max(0, this.position - 1);
  }

  /** Whether the state takes it, and whether a person is to hear of it: each once. */
  take(message: AccountMessage): { applies: boolean; tells: boolean } {
    const key = keyOf(message);
    return { applies: this.#applied.take(message.position, key), tells: this.#told.take(message.position, key) };
  }

  /** It stands for everything up to its position; what follows is told from there, even again. */
  snapshot(position: number): void {
    this.#applied.set(position);
    if (position > this.#told.position) this.#told.set(position);
  }

  /** Everything up to `position` was told. */
  caughtUp(position: number): void {
    if (position >= this.position) this.#applied.set(position);
    if (position >= this.#told.position) this.#told.set(position);
  }
}

const keyOf = (message: AccountMessage): string =>
  message.channel === "executions"
    ? `${message.account_id} x ${message.order_id} ${message.exec_number}`
    : message.channel === "orders"
      ? `${message.account_id} o ${message.order_id} ${message.kind}`
      : `${message.account_id} b ${message.position}`;
