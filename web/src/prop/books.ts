/** A day of ours beside the provider's, in words: what is not the same, and what to do about it. Pure. */
import type { Schemas } from "../client/api";
import * as d from "../kit/decimal";

export type Day = Schemas["ReconciliationShown"];

export interface Difference {
  key: string;
  what: "not heard of here" | "not at the provider" | "differs";
  kind: string;
  reference: string;
  /** The purchase or payout; "" where nobody says. */
  name: string;
  ours: string | null;
  theirs: string | null;
  currency: string;
  next: string;
}

const KINDS: Record<string, string> = { sale: "sale", refund: "refund", refund_back: "refund that came back", dispute: "dispute", dispute_won: "dispute won", payout: "payout", payout_back: "payout that came back" };
export const kindWord = (kind: string): string => KINDS[kind] ?? kind.replaceAll("_", " ");

const HERE: Record<string, string> = {
  sale: "A message was lost. The house asks for it by itself each day and completes the purchase; if it is still here tomorrow, look the payment up at the provider and ask who bought it.",
  refund: "Somebody refunded it at the provider, not here. Look it up there, and who did; refund through this house, so that the assessment follows.",
  dispute: "A buyer’s bank has taken money back and we have not heard: the assessment still runs. Look the dispute up at the provider; its message comes again until it is heard.",
  payout: "Somebody paid it at the provider, not through this house. Stop further payouts until it is known who did.",
};
const THERE: Record<string, string> = {
  sale: "We count as paid what the provider does not. Open the purchase, look its payment up at the provider; where it is not there, freeze the assessment.",
  refund: "The provider has not made the refund. Open the purchase: a refund that failed can be asked for again.",
  payout: "The provider has not paid it. Look at its state under Payouts; nobody is told that they were paid.",
};

/** What differs before what is missing, and the largest first. */
export function differences(day: Day): Difference[] {
  const found: Difference[] = [
    ...day.differ.map((each) => ({ what: "differs" as const, kind: each.kind, reference: each.reference, name: each.name, ours: each.ours, theirs: each.theirs, currency: each.ours_currency === each.theirs_currency ? each.ours_currency : `${each.ours_currency} / ${each.theirs_currency}`, next: "Both know it, with another amount. Compare the receipt here with the payment there; what the provider says was paid is what was paid." })),
    ...day.missing_here.map((each) => ({ what: "not heard of here" as const, kind: each.kind, reference: each.reference, name: each.name, ours: null, theirs: each.amount, currency: each.currency, next: HERE[each.kind] ?? "The provider knows of it and we do not: look it up there." })),
    ...day.missing_there.map((each) => ({ what: "not at the provider" as const, kind: each.kind, reference: each.reference, name: each.name, ours: each.amount, theirs: null, currency: each.currency, next: THERE[each.kind] ?? "We have noted it and the provider has not: look it up there." })),
  ].map((each) => ({ ...each, key: `${each.what} ${each.kind} ${each.reference}` }));
  const rank = { differs: 0, "not heard of here": 1, "not at the provider": 1 };
  const size = (each: Difference): d.Decimal => d.abs(each.theirs === null || each.ours === null ? (each.theirs ?? each.ours ?? "0") : d.sub(each.theirs, each.ours));
  return found.sort((a, b) => rank[a.what] - rank[b.what] || d.compare(size(b), size(a)));
}

/** "2026-11-21" moved by days. */
export function moved(day: string, by: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
}
export const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
