/** Every view has an address: #/trade/BTC-USD?account=demo&tab=fills. The house serves one page for all. */
import { useSyncExternalStore } from "react";

export interface Route {
  /** The screen: "trade". */
  path: string;
  /** What follows it: ["BTC-USD"]. */
  parts: readonly string[];
  query: Readonly<Record<string, string>>;
}

export function parse(hash: string): Route {
  const [address = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [path = "", ...parts] = address.split("/").filter(Boolean).map(decoded);
  return { path, parts, query: Object.fromEntries(new URLSearchParams(search)) };
}

export function address(path: string, parts: readonly string[] = [], query: Readonly<Record<string, string | null | undefined>> = {}): string {
  const kept = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const search = new URLSearchParams(kept).toString();
  return `#/${[path, ...parts].map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // Half an escape, typed by hand.
  }
}

let last = "";
let now: Route = parse("");
export function current(): Route {
  if (location.hash !== last) {
    last = location.hash;
    now = parse(last);
  }
  return now;
}

export function go(to: string, replace = false): void {
  if (to === location.hash) return;
  if (replace) {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = to;
}

/** The same view with another query; null takes a name away. Going back skips it. */
export function setQuery(some: Readonly<Record<string, string | null>>): void {
  const { path, parts, query } = current();
  go(address(path, parts, { ...query, ...some }), true);
}

export const openOrder = (order_id: string): void => go(address("order", [order_id], account()));
export const openSymbol = (symbol: string): void => go(address("trade", [symbol], account()));
const account = (): { account?: string } => {
  const chosen = current().query.account;
  return chosen ? { account: chosen } : {};
};

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
export const useRoute = (): Route => useSyncExternalStore(subscribe, current);
