/**
 * What is asked of the house from this screen, and what becomes of it: see life.ts. An answer is what the
 * house said, or what the account's stream shows; never the click.
 */
import { api, ok, type Schemas } from "../client/api";
import { Problem } from "../client/problem";
import { Store } from "../kit/store";
import type { Order } from "../live/messages";
import { type AccountStore, accountStore, connectionStore } from "../live/stores";
import { isOver } from "../live/account";
import { clOrdId, type Intents, lived, type LifeEvent, type Refusal, type Wish } from "./life";
import type { Asked, Place } from "./ticket";

export const intents = new Store<Intents>(new Map());
/** The newest answer that a person should hear of, for the live region and the ticket's foot. */
export const heard = new Store<string>("");
/** The account of the order before: another one is unusual. */
export const lastAccount = new Store<string | null>(null);

const SHOWN_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 1_000;
const LOOKS_MAX = 3;
const REFUSED_FOR_MS = 8_000;

function tell(event: LifeEvent): void {
  intents.update((now) => lived(now, event));
  if (intents.get().size) begin();
}

export function refusalOf(problem: Problem): Refusal {
  const found: Refusal = { code: problem.code, text: problem.message, reached: problem.reached_venue };
  if (problem.value) found.value = problem.value;
  if (problem.limit) found.limit = problem.limit;
  if (problem.distance) found.distance = problem.distance;
  if (problem.unit) found.unit = problem.unit;
  if (problem.largest) found.largest = problem.largest;
  return found;
}

const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem({ status: 0, code: "no_answer", message: String(error), retryable: true, reached_venue: "unknown" });

// --- Placing ------------------------------------------------------------------------------------

/** Ids for one click: of each leg. */
export function names(): (leg: number) => string {
  const first = clOrdId();
  return (leg) => (leg === 1 ? first : `${first}.${leg}`);
}

/** The document marks what has a default as always there; what is left out takes it. */
export const orderBody = (order: Place): Schemas["PlaceOrderRequest"] => order as Schemas["PlaceOrderRequest"];
export const listBody = (asked: Asked): Schemas["BulkRequest"] =>
  ({ orders: asked.orders, atomic: true, contingency: asked.contingency ?? null }) as Schemas["BulkRequest"];

/** Sends it. Resolves once it is answered, whatever the answer. */
export async function place(asked: Asked): Promise<void> {
  const key = asked.orders[0]!.cl_ord_id;
  tell({ is: "send", key, wish: { kind: "place", asked }, now: Date.now() });
  lastAccount.set(asked.orders[0]!.account_id);
  await post(key, asked);
}

async function post(key: string, asked: Asked): Promise<void> {
  const first = asked.orders[0]!;
  try {
    if (asked.contingency) {
      await ok(api.POST("/api/orders/bulk", { body: listBody(asked) }));
    } else {
      await ok(api.POST("/api/orders", { body: orderBody(first) }));
    }
    await shown(accountStore(first.account_id), (orders) => byClOrdId(orders, key) !== undefined);
    tell({ is: "answered", key });
  } catch (error) {
    const problem = asProblem(error);
    if (problem.reached_venue === "unknown" && problem.status !== 409) {
      tell({ is: "lost", key });
      void look(key);
    } else tell({ is: "refused", key, refusal: refusalOf(problem) });
  }
}

/** The same request under the same id: the house answers it once, however often it is sent. */
export function retry(key: string): void {
  const found = intents.get().get(key);
  if (!found || found.wish.kind !== "place") return;
  tell({ is: "send", key, wish: found.wish, now: Date.now() });
  void post(key, found.wish.asked);
}

export const dismiss = (key: string): void => tell({ is: "dismiss", key });

const byClOrdId = (orders: ReadonlyMap<string, Order>, id: string): Order | undefined => {
  for (const order of orders.values()) if (order.cl_ord_id === id) return order;
  return undefined;
};

/** Once the account's stream shows it, or a second later: the answer was given. */
function shown(store: AccountStore, isThere: (orders: ReadonlyMap<string, Order>) => boolean): Promise<void> {
  if (isThere(store.orders)) return Promise.resolve();
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      stop();
      done();
    };
    const timer = setTimeout(end, SHOWN_WITHIN_MS);
    const stop = store.state.subscribe(() => isThere(store.orders) && end());
  });
}

/** Asks what became of an order that was lost on its way. */
async function look(key: string): Promise<void> {
  for (let nth = 0; nth < LOOKS_MAX; ) {
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    const found = intents.get().get(key);
    if (!found || found.wish.kind !== "place" || found.stage === "refused" || found.stage === "sending") return;
    if (connectionStore.get().state !== "live") continue; // Nobody to ask; it stays unknown.
    nth += 1;
    const { account_id } = found.wish.asked.orders[0]!;
    try {
      const page = await ok(api.GET("/api/orders", { params: { query: { account_id, cl_ord_id: key } } }));
      if (page.items.length) {
        accountStore(account_id).correct(page.items as Order[]);
        tell({ is: "answered", key });
        return;
      }
    } catch {
      nth -= 1; // Not asked.
    }
  }
  tell({ is: "absent", key });
}

// --- Changing -----------------------------------------------------------------------------------

async function change(key: string, wish: Wish, account: string, act: () => Promise<(orders: ReadonlyMap<string, Order>) => boolean>): Promise<boolean> {
  if (intents.get().get(key)?.stage === "sending") return false; // It is asked already.
  tell({ is: "send", key, wish, now: Date.now() });
  try {
    const isThere = await act();
    await shown(accountStore(account), isThere);
    tell({ is: "answered", key });
    return true;
  } catch (error) {
    const refusal = refusalOf(asProblem(error));
    tell({ is: "refused", key, refusal: { ...refusal, text: wonBy(wish, account) ?? refusal.text } });
    setTimeout(() => intents.get().get(key)?.stage === "refused" && dismiss(key), REFUSED_FOR_MS);
    return false;
  }
}

/** A fill that wins the race is said plainly. */
function wonBy(wish: Wish, account: string): string | null {
  if (wish.kind !== "cancel" && wish.kind !== "replace") return null;
  const order = accountStore(account).orders.get(wish.orderId);
  if (!order || !isOver(order.ord_status)) return null;
  return `${order.ord_status === "filled" ? "Filled" : order.ord_status} before ${wish.kind}`;
}

export const accountOf = (orderId: string): string => orderId.slice(0, orderId.lastIndexOf("."));

export function cancel(orderId: string): Promise<boolean> {
  return change(`cancel:${orderId}`, { kind: "cancel", orderId }, accountOf(orderId), async () => {
    await ok(api.DELETE("/api/orders/{order_id}", { params: { path: { order_id: orderId } } }));
    return (orders) => {
      const order = orders.get(orderId);
      return !order || isOver(order.ord_status);
    };
  });
}

export interface Terms {
  price?: string;
  order_qty?: string;
  stop_px?: string;
}

export function replace(orderId: string, terms: Terms, key = clOrdId()): Promise<boolean> {
  const wish: Wish = {
    kind: "replace", orderId, clOrdId: key,
    ...(terms.price && { price: terms.price }), ...(terms.order_qty && { orderQty: terms.order_qty }), ...(terms.stop_px && { stopPx: terms.stop_px }),
  };
  return change(key, wish, accountOf(orderId), async () => {
    const body = { cl_ord_id: key, ...terms };
    const answer = await ok(api.PATCH("/api/orders/{order_id}", { params: { path: { order_id: orderId } }, body }));
    void refreshed(orderId, answer.position);
    return (orders) => {
      const order = orders.get(orderId);
      if (!order || isOver(order.ord_status)) return true;
      return order.cl_ord_id === key && order.ord_status !== "pending_replace" && isAt(order, terms);
    };
  });
}

const isAt = (order: Order, terms: Terms): boolean =>
  (!terms.price || same(order.price, terms.price)) && (!terms.stop_px || same(order.stop_px, terms.stop_px)) && (!terms.order_qty || same(order.order_qty, terms.order_qty));
const same = (a: string | null | undefined, b: string): boolean => !!a && strip(a) === strip(b);
const strip = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** The stream says that terms were replaced; what they are now, the order itself says. */
async function refreshed(orderId: string, position: number): Promise<void> {
  const store = accountStore(accountOf(orderId));
  await shown(store, (orders) => {
    const order = orders.get(orderId);
    return !order || (order.position > position && order.ord_status !== "pending_replace") || isOver(order.ord_status);
  });
  try {
    const min_position = store.orders.get(orderId)?.position ?? position;
    const found = await ok(api.GET("/api/orders/{order_id}", { params: { path: { order_id: orderId }, query: { min_position } } }));
    store.correct([found.order as Order]);
  } catch {
    // The next look at all orders brings it.
  }
}

export function cancelAll(account: string, symbol: string | null, count: number): Promise<boolean> {
  const key = `cancel-all:${account}:${symbol ?? "*"}`;
  return change(key, { kind: "mass_cancel", account, symbol, count }, account, async () => {
    const query = symbol ? { account_id: account, symbol } : { account_id: account };
    await ok(api.DELETE("/api/orders", { params: { query } }));
    return () => true;
  });
}

/** Cancels what works in it, then sells (or buys back) what there is, reduce-only at market. */
export async function flatten(account: string, symbol: string): Promise<Problem | null> {
  try {
    await ok(api.POST("/api/positions/close", { body: { account_id: account, symbol } }));
    return null;
  } catch (error) {
    return asProblem(error);
  }
}

// --- The clock and the line ---------------------------------------------------------------------

let timer: ReturnType<typeof setInterval> | undefined;
function begin(): void {
  timer ??= setInterval(() => {
    tell({ is: "tick", now: Date.now() });
    const now = intents.get();
    for (const one of now.values()) {
      if (one.wish.kind !== "place" || (one.stage !== "checking" && one.stage !== "unknown")) continue;
      if (byClOrdId(accountStore(one.wish.asked.orders[0]!.account_id).orders, one.key)) tell({ is: "answered", key: one.key });
    }
    if (!now.size) {
      clearInterval(timer);
      timer = undefined;
    }
  }, 250);
}

connectionStore.subscribe(() => {
  if (connectionStore.get().state !== "cut") return;
  const waiting = [...intents.get().values()].filter((one) => one.stage === "sending" || one.stage === "checking");
  tell({ is: "cut" });
  for (const one of waiting) if (one.wish.kind === "place") void look(one.key);
});
