/** Keeps the last state while the page lives, and the page itself where it may be kept. */
import type { AccountState } from "../live/account";
import type { Price } from "../live/messages";
import { accountStore, connectionStore, marketStore, type PositionLine } from "../live/stores";
import { type Last, on } from "./last";
import { accountId, session, welcome } from "./session";

const EVERY_MS = 5_000;

export function stateOf(state: AccountState, at: number, who: { user: string; tenant: string }, environment: string, positions: readonly PositionLine[], prices: Price[]): Last {
  return {
    ...who,
    environment,
    account_id: state.account_id,
    position: state.position,
    at,
    equity: state.account?.equity ?? null,
    currency: state.account?.currency ?? "",
    balances: [...state.balances.values()],
    orders: [...state.orders.values()],
    positions,
    prices,
  };
}

let kept = "";
async function keep(): Promise<void> {
  const who = session.get();
  const { state, lastContact } = connectionStore.get();
  if (!who || state !== "live" || !accountId.get()) return;
  const store = accountStore(accountId.get());
  const prices = [...marketStore.prices.keys()].map((symbol) => marketStore.price(symbol)).filter((price): price is Price => Boolean(price));
  const found = stateOf(store.state.get(), lastContact, { user: who.user, tenant: who.tenant }, welcome.get()?.environment ?? "none", store.positions.get(), prices);
  const text = JSON.stringify({ ...found, at: 0 });
  if (text === kept) return;
  kept = text;
  await on("readwrite", (store) => store.put(found, "last"));
}

/** Keeps the last state from now on. */
export function keepLast(): void {
  setInterval(() => void keep().catch(() => undefined), EVERY_MS);
  // A new account, or the first word of the house: soon, not with the next round.
  accountId.subscribe(() => setTimeout(() => void keep().catch(() => undefined), 1_500));
  // Before the page goes: the last word counts.
  addEventListener("pagehide", () => void keep().catch(() => undefined));
}

/** Makes the page open without a network. */
export async function install(): Promise<void> {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  try {
    await navigator.serviceWorker.register("/sw.js");
  } catch {
    // No secure origin, or switched off: the page works as long as the house does.
  }
}
