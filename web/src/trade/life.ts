/**
 * Life of a click: draft, sending, and then what the house says.
 *
 * A wish is in no total and in no count. No answer within 2 s is "no answer, checking": the order is
 * looked for under its cl_ord_id, which a retry keeps. A cut while it was sent makes it UNKNOWN until
 * the account's stream says what it is.
 */
import type { Asked } from "./ticket";

export const ANSWER_WITHIN_MS = 2_000;

export interface Refusal {
  code: string;
  text: string;
  value?: string;
  limit?: string;
  distance?: string;
  unit?: string;
  largest?: string; // the quantity that would have passed
  reached: "no" | "yes" | "unknown";
}

export type Wish =
  | { kind: "place"; asked: Asked }
  | { kind: "cancel"; orderId: string }
  | { kind: "replace"; orderId: string; clOrdId: string; price?: string; orderQty?: string; stopPx?: string }
  | { kind: "mass_cancel"; account: string; symbol: string | null; count: number };

export type Stage = "sending" | "checking" | "unknown" | "refused";

export interface Intent {
  key: string; // cl_ord_id of what is placed or replaced; "cancel:" + order_id of what is canceled
  wish: Wish;
  since: number; // ms
  stage: Stage;
  refusal?: Refusal;
}

export type LifeEvent =
  | { is: "send"; key: string; wish: Wish; now: number }
  | { is: "answered"; key: string } // 2xx, or the stream shows it
  | { is: "refused"; key: string; refusal: Refusal }
  | { is: "lost"; key: string } // the request failed on its way: nobody knows
  | { is: "tick"; now: number }
  | { is: "cut" }
  | { is: "absent"; key: string } // asked by cl_ord_id: there is no such order
  | { is: "dismiss"; key: string };

export type Intents = ReadonlyMap<string, Intent>;

export function lived(intents: Intents, event: LifeEvent): Intents {
  switch (event.is) {
    case "send":
      return with_(intents, { key: event.key, wish: event.wish, since: event.now, stage: "sending" });
    case "answered":
    case "dismiss":
      return without(intents, event.key);
    case "refused":
      return changed(intents, event.key, (one) => ({ ...one, stage: "refused", refusal: event.refusal }));
    case "lost":
      return changed(intents, event.key, (one) => (open(one) ? { ...one, stage: "checking" } : one));
    case "absent":
      // Not there yet is not never: only an unanswered check of a lost request ends here.
      return changed(intents, event.key, (one) =>
        one.stage === "checking" || one.stage === "unknown"
          ? { ...one, stage: "refused", refusal: NEVER_CAME }
          : one,
      );
    case "tick":
      return mapped(intents, (one) =>
        one.stage === "sending" && event.now - one.since >= ANSWER_WITHIN_MS ? { ...one, stage: "checking" } : one,
      );
    case "cut":
      return mapped(intents, (one) => (open(one) ? { ...one, stage: "unknown" } : one));
  }
}

export const NEVER_CAME: Refusal = {
  code: "never_came",
  text: "The house has no such order. It was not placed; you may send it again.",
  reached: "no",
};

const open = (one: Intent): boolean => one.stage === "sending" || one.stage === "checking";

/** Whether the ticket must wait: something that it sent has no answer. */
export function locked(intents: Intents): boolean {
  for (const one of intents.values()) if (one.wish.kind === "place" && one.stage !== "refused") return true;
  return false;
}

/** Wishes that are neither answered nor refused: drawn dashed. */
export function pending(intents: Intents): Intent[] {
  return [...intents.values()].filter((one) => one.stage !== "refused");
}

export function ofOrder(intents: Intents, orderId: string): Intent | undefined {
  for (const one of intents.values()) {
    if ((one.wish.kind === "cancel" || one.wish.kind === "replace") && one.wish.orderId === orderId) return one;
  }
  return undefined;
}

export const WORD: Record<Stage, string> = {
  sending: "Sending",
  checking: "No answer, checking",
  unknown: "Unknown",
  refused: "Refused",
};

function with_(intents: Intents, one: Intent): Intents {
  return new Map(intents).set(one.key, one);
}

function without(intents: Intents, key: string): Intents {
  if (!intents.has(key)) return intents;
  const next = new Map(intents);
  next.delete(key);
  return next;
}

function changed(intents: Intents, key: string, change: (one: Intent) => Intent): Intents {
  const one = intents.get(key);
  if (!one) return intents;
  const next = change(one);
  return next === one ? intents : with_(intents, next);
}

function mapped(intents: Intents, change: (one: Intent) => Intent): Intents {
  let next: Map<string, Intent> | null = null;
  for (const [key, one] of intents) {
    const found = change(one);
    if (found !== one) (next ??= new Map(intents)).set(key, found);
  }
  return next ?? intents;
}

let count = 0;
/** An id of ours: 48 bits of chance and a count, so that no two clicks share one. */
export function clOrdId(random: () => number = Math.random, now: number = Date.now()): string {
  count += 1;
  return `w${now.toString(36)}-${Math.floor(random() * 2 ** 32).toString(36)}-${count.toString(36)}`;
}
