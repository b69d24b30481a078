/** What the page and its worker say to each other. */
import type { AccountState } from "./account";
import type { MarketBatch } from "./market";
import type { AccountMessage, AssessmentMessage, CaughtUp, MarketChannel, Snapshot } from "./messages";

/** A key of what the page watches: "book BTC-USD". */
export type Watch = `${MarketChannel} ${string}`;

export type ToWorker =
  | { type: "start"; token: string; origin: string; hearsOrders: boolean }
  | { type: "stop" }
  | { type: "watch"; watches: Watch[] }
  | { type: "unwatch"; watches: Watch[] }
  | { type: "accounts"; accounts: string[] }
  /** An assessment that the page looks at, or no longer. */
  | { type: "assessment"; assessment_id: string; isFollowed: boolean }
  /** The last batch is on the screen: the next may come. */
  | { type: "ready" }
  /** Try now: online again, awake, looked at. */
  | { type: "poke"; why: string };

export type LineState = "off" | "connecting" | "catching" | "live" | "cut" | "refused";

export interface Connection {
  state: LineState;
  /** By this machine's clock, in milliseconds since 1970; 0: never. */
  lastContact: number;
  attempt: number;
  nextTryAt: number;
  /** The journal's position that was heard last. */
  position: number;
  why: string;
}

export type AccountItem = { type: "snapshot"; snapshot: Snapshot } | { type: "message"; message: AccountMessage; tells: boolean } | { type: "caught_up"; account_id: string; message: CaughtUp };

export interface Batch extends MarketBatch {
  type: "batch";
  /** Own events first: each once, in their order. */
  items: AccountItem[];
  /** The newest of each that was told since the last batch; what was written down counts on. */
  assessments: AssessmentMessage[];
  /** When the worker heard the first of it, by `performance.timeOrigin + now()`. */
  heardAt: number;
}

export type FromWorker = Batch | { type: "connection"; connection: Connection };

export const OFF: Connection = { state: "off", lastContact: 0, attempt: 0, nextTryAt: 0, position: 0, why: "" };
export const HEARTBEAT_MS = 2_000;
/** Alive is who was heard within twice the heartbeat's interval. */
export const DEAD_MS = 2 * HEARTBEAT_MS + 500;
/** A timer that comes this much too late: the machine slept, so the line is cut whatever the socket says. */
export const SLEPT_MS = 5_000;
export const RETRY_MIN_MS = 250;
export const RETRY_MAX_MS = 8_000;

/** How long to wait before the nth try; `spread` is from 0 to 1. */
export function waitMs(attempt: number, spread: number): number {
  const full = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.75 + 0.5 * spread));
}

/** What one account heard while nobody looked, in a sentence; "" where nothing happened. */
export function summary(items: readonly AccountItem[]): string {
  const counts = new Map<string, number>();
  const add = (word: string): void => void counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const item of items) {
    if (item.type !== "message" || !item.tells) continue;
    const { message } = item;
    if (message.channel === "executions") add("fill");
    else if (message.channel === "orders" && message.ord_status === "rejected") add("refusal");
    else if (message.channel === "orders" && message.ord_status === "canceled") add("canceled");
  }
  return [...counts].map(([word, count]) => `${count} ${word}${word === "canceled" || count === 1 ? "" : "s"}`).join(", ");
}

export type { AccountState };
