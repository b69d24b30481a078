/**
 * What the sockets do not say: holds, values, positions, use of limits. Asked for again after own events, and
 * now and then while the page is looked at. An answer that is older than what was heard is thrown away.
 */
import { api, ok, type Schemas } from "../client/api";
import { KeyStore } from "../kit/store";
import { isOver } from "./account";
import type { AccountShown, Order } from "./messages";
import { accountStore, connectionStore, type PositionLine } from "./stores";

export type Limits = Schemas["LimitsReply"];
export type Margin = Schemas["MarginReply"];
/** Where accounts on margin stand, by account. */
export const marginStore = new KeyStore<Margin>();
/** What limits an account has left, by account. */
export const limitsStore = new KeyStore<Limits>();

const AFTER_EVENTS_MS = 120;
const EVERY_MS = 2_000;

/** Keeps one account fresh until it is stopped. */
export function keepFresh(account_id: string): () => void {
  const store = accountStore(account_id);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;
  let isStopped = false;
  let ordersAreDue = false;

  const later = (wait: number): void => {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void look(), wait);
  };

  const look = async (): Promise<void> => {
    if (isBusy || document.visibilityState === "hidden" || connectionStore.get().state !== "live") {
      later(EVERY_MS);
      return;
    }
    isBusy = true;
    const min_position = store.state.get().position;
    try {
      const path = { account_id };
      const [account, positions, limits] = await Promise.all([
        ok(api.GET("/api/accounts/{account_id}", { params: { path, query: { min_position } } })),
        ok(api.GET("/api/risk/positions", { params: { query: { account_id } } })),
        ok(api.GET("/api/risk/limits", { params: { query: { account_id } } })),
      ]);
      store.setAccount(account as AccountShown);
      store.setPositions(positions.traded as PositionLine[], positions.position);
      limitsStore.set(account_id, limits);
      // Refused while something has no price: what was shown keeps its place.
      if (account.account_type === "margin") marginStore.set(account_id, await ok(api.GET("/api/accounts/{account_id}/margin", { params: { path } })));
      if (ordersAreDue) {
        ordersAreDue = false;
        const orders = await ok(api.GET("/api/orders", { params: { query: { account_id, ord_status: OPEN, limit: 1000, min_position } } }));
        store.correct(orders.items as Order[]);
      }
    } catch {
      // The connection says what is wrong; what is shown keeps its age.
    } finally {
      isBusy = false;
      later(EVERY_MS);
    }
  };

  const stop = store.onEvents((events) => {
    ordersAreDue ||= events.some((event) => event.channel === "orders" && !isOver(event.ord_status ?? ""));
    later(AFTER_EVENTS_MS);
  });
  const stopConnection = connectionStore.subscribe(() => {
    if (connectionStore.get().state === "live" && !limitsStore.get(account_id)) later(0);
  });
  later(0);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    stop();
    stopConnection();
  };
}

const OPEN = "pending_new,new,partially_filled,pending_cancel,pending_replace,suspended,unknown";
