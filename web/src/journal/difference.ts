/** What is otherwise between two positions of one account. */
import type { Schemas } from "../client/api";
import * as d from "../kit/decimal";

export type AsOf = Schemas["AsOfReply"];

export interface Change {
  what: string;
  before: string | null;
  after: string | null;
  /** After less before, exact; null where one of them is not there, or it is no number. */
  by: string | null;
}

function compared(what: string, before: string | null, after: string | null): Change[] {
  if (before !== null && after !== null && d.compare(before, after) === 0) return [];
  const by = before !== null && after !== null ? d.trimmed(d.sub(after, before)) : null;
  return [{ what, before, after, by }];
}

type Named<T> = ReadonlyMap<string, T>;
const names = (a: Named<unknown>, b: Named<unknown>): string[] => [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => x.localeCompare(y, "en", { numeric: true }));
const named = <T>(items: readonly T[], key: (item: T) => string): Named<T> => new Map(items.map((item) => [key(item), item]));

export function changes(before: AsOf, after: AsOf): Change[] {
  const found: Change[] = [];
  const [cash, cashThen] = [named(before.balances, ({ asset }) => asset), named(after.balances, ({ asset }) => asset)];
  for (const asset of names(cash, cashThen).reverse()) {
    found.push(...compared(`${asset} balance`, cash.get(asset)?.balance ?? "0", cashThen.get(asset)?.balance ?? "0"));
    found.push(...compared(`${asset} held`, cash.get(asset)?.held ?? "0", cashThen.get(asset)?.held ?? "0"));
  }
  const [held, heldThen] = [named(before.positions, ({ symbol }) => symbol), named(after.positions, ({ symbol }) => symbol)];
  for (const symbol of names(held, heldThen)) {
    found.push(...compared(`${symbol} position`, held.get(symbol)?.qty ?? "0", heldThen.get(symbol)?.qty ?? "0"));
    found.push(...compared(`${symbol} cost`, held.get(symbol)?.cost ?? "0", heldThen.get(symbol)?.cost ?? "0"));
  }
  const [works, worksThen] = [named(before.orders, ({ order_id }) => order_id), named(after.orders, ({ order_id }) => order_id)];
  for (const id of names(works, worksThen)) {
    const order = works.get(id) ?? worksThen.get(id);
    const side = order?.side === "sell" ? "Sell" : "Buy";
    found.push(...compared(`${id} ${side} ${order?.symbol} left`, works.get(id)?.leaves_qty ?? null, worksThen.get(id)?.leaves_qty ?? null));
    const [px, pxThen] = [works.get(id)?.price, worksThen.get(id)?.price];
    if (px && pxThen) found.push(...compared(`${id} ${side} ${order?.symbol} price`, px, pxThen));
  }
  if (before.trading_state !== after.trading_state) found.push({ what: "trading state", before: before.trading_state, after: after.trading_state, by: null });
  return found;
}
