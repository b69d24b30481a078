/** The words of a stop: what it would do, and how far it is. */
import type { Schemas } from "../client/api";
import { number } from "../kit/format";

export type Scope = "house" | "account" | "instrument";
export type Preview = Schemas["KillPreviewReply"];
export type Progress = Schemas["KillProgressReply"];

const some = (count: number, one: string, many: string): string => `${number(String(count))} ${count === 1 ? one : many}`;

/** "cancels 214 orders in 31 accounts; 12 positions stay" */
export function consequence(found: Preview): string {
  const orders = found.orders
    ? `cancels ${some(found.orders, "order", "orders")} in ${some(found.accounts, "account", "accounts")}`
    : "cancels nothing: no order works there";
  const stay = found.positions ? `${some(found.positions, "position stays", "positions stay")}` : "no position is open";
  return `${orders}; ${stay}`;
}

/** "Stop the house", "Stop account demo" */
export const act = (scope: Scope, name: string): string => (scope === "house" ? "Stop the house" : `Stop ${scope} ${name}`);

export interface Step {
  done: boolean;
  text: string;
}

/** The list that stays until somebody closes it. */
export function steps(found: Progress): Step[] {
  const all = found.sent - found.ended_otherwise;
  return [
    { done: found.blocked, text: found.blocked ? `New orders blocked${found.refused ? `, ${number(String(found.refused))} refused since` : ""}` : "New orders are accepted again" },
    { done: true, text: `Cancels sent ${number(String(found.sent))}` },
    { done: found.confirmed >= all, text: `Confirmed ${number(String(found.confirmed))}` },
    ...(found.ended_otherwise ? [{ done: true, text: `Executed or expired before the cancel ${number(String(found.ended_otherwise))}` }] : []),
    { done: !found.unconfirmed, text: `Not confirmed ${number(String(found.unconfirmed))}` },
    { done: true, text: `Positions left ${number(String(found.positions))}` },
  ];
}
