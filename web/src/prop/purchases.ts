/** What was bought, in the words and shapes of a page. Pure. */
import type { Schemas } from "../client/api";

export type Purchase = Schemas["PurchaseShown"];

const STATES: Record<string, { shape: string; word: string }> = {
  opened: { shape: "sending", word: "being opened" },
  awaiting_payment: { shape: "working", word: "to be paid" },
  pending: { shape: "sending", word: "paid, not confirmed" },
  completed: { shape: "filled", word: "paid" },
  partly_refunded: { shape: "partial", word: "partly refunded" },
  refunded: { shape: "over", word: "refunded" },
  disputed: { shape: "suspended", word: "disputed" },
  charged_back: { shape: "refused", word: "charged back" },
  expired: { shape: "over", word: "not paid in time" },
};
export const purchaseState = (state: string): { shape: string; word: string } => STATES[state] ?? { shape: "working", word: state.replaceAll("_", " ") };

/** Nothing becomes of it any more without somebody doing something. */
export const isSettled = (found: Purchase): boolean => !["opened", "awaiting_payment", "pending"].includes(found.state);

export interface Said {
  title: string;
  next: string;
}

/** Where somebody stands who comes back from the provider's page, or looks it up later. The provider's word counts, not that of the address. */
export function back(found: Purchase, left: boolean, isJust = true): Said {
  if (found.state === "completed" && !isJust) return { title: "Paid", next: found.assessment_id ? "It has opened an assessment; what became of that stands there." : "What was bought was given." };
  if (found.state === "completed") return { title: "Paid", next: found.assessment_id ? "Your assessment is open." : "Your assessment is being opened; this page goes on by itself." };
  if (found.state === "pending") return { title: "Paid, not confirmed", next: "Your bank has not confirmed it yet. Nothing needs to be done or paid again: the assessment opens when it does." };
  if (found.state === "awaiting_payment" || found.state === "opened") {
    return left
      ? { title: "Not paid", next: "You came back without paying. Nothing was charged." }
      : { title: "Paid, not confirmed", next: "The provider’s confirmation has not come yet. Nothing needs to be done or paid again; this page goes on by itself." };
  }
  if (found.state === "expired") return { title: "Not paid in time", next: "Nothing was charged. What you had in mind can be bought anew." };
  return { title: purchaseState(found.state).word, next: "Nothing more will become of this purchase by itself." };
}

export const PURPOSES: Record<string, string> = { assessment: "a new assessment", reset: "a reset", extension: "more time", upgrade: "an upgrade" };
