/** Disputes in the words of a page: where one stands, what was when, and what may be said to the buyer's bank. Pure. */
import type { Schemas } from "../client/api";
import { dayTime, ms } from "../kit/format";
import { until } from "./gauges";
import type { Assessment } from "./standing";

export type Dispute = Schemas["DisputeShown"];

const STATES: Record<Dispute["state"], { shape: string; word: string }> = {
  open: { shape: "suspended", word: "open" },
  won: { shape: "filled", word: "won" },
  lost: { shape: "refused", word: "lost" },
};
export const disputeState = (state: Dispute["state"]): { shape: string; word: string } => STATES[state];
export const why = (reason: string): string => reason.replaceAll("_", " ") || "no reason given";

export interface Due {
  text: string;
  /** Less than three days, or none, are left of it. */
  isNear: boolean;
  isOver: boolean;
}

const NEAR_MS = 3 * 86_400_000;
/** How long it may still be answered; null where that no longer matters, or is not known. */
export function due(found: Pick<Dispute, "state" | "due_at" | "evidence">, now: number): Due | null {
  if (found.state !== "open" || !found.due_at || ["asked", "sent"].includes(found.evidence.state)) return null;
  const left = ms(found.due_at) - now;
  if (left <= 0) return { text: "too late", isNear: true, isOver: true };
  return { text: `${until(found.due_at, now)} left`, isNear: left < NEAR_MS, isOver: false };
}

/** Why it cannot be answered; "" where it can. The house decides again when it is asked. */
export function whyNoAnswer(found: Pick<Dispute, "state" | "due_at" | "evidence">, now: number): string {
  if (found.state !== "open") return `It is ${found.state}`;
  if (found.evidence.state === "sent") return "It was answered: there is one answer";
  if (found.evidence.state === "asked") return "The answer is on its way";
  return due(found, now)?.isOver ? "The time to answer is over" : "";
}

export interface Step {
  at: string;
  what: string;
  says?: string;
}

/** What was when, the oldest first. */
export function steps(found: Dispute): Step[] {
  const { evidence } = found;
  const EVIDENCE = { asked: "An answer was agreed to", sent: `${found.provider} has the answer`, refused: `${found.provider} did not take the answer` } as const;
  const all: (Step | null)[] = [
    { at: found.bought_at, what: "Bought", says: `by ${found.user}` },
    found.completed_at ? { at: found.completed_at, what: "Paid" } : null,
    { at: found.opened_at, what: "Disputed", says: why(found.reason) },
    evidence.state ? { at: evidence.at, what: EVIDENCE[evidence.state], says: evidence.state === "refused" ? evidence.reason : `by ${evidence.by}` } : null,
    found.closed_at ? { at: found.closed_at, what: found.state === "won" ? "Won: the money came back" : "Lost: the money is gone" } : null,
  ];
  return all.filter((each) => each !== null).sort((a, b) => ms(a.at) - ms(b.at));
}

/** What becomes of it next, and whose turn it is. */
export function next(found: Dispute, now: number): string {
  if (found.state === "won") return "It is over. The money came back, and the assessment goes on. The provider’s fee does not come back.";
  if (found.state === "lost") return "It is over. The money is gone, and the assessment has ended.";
  if (found.evidence.state === "asked") return `The answer is on its way to ${found.provider}.`;
  if (found.evidence.state === "sent") return "The buyer’s bank decides. That takes weeks; nothing needs to be done, and nothing more is heard.";
  if (due(found, now)?.isOver) return "It was not answered in time: the buyer’s bank decides without you.";
  const again = found.evidence.state === "refused" ? ` It was not taken: ${found.evidence.reason}.` : "";
  return `Answer it with what shows that the buyer had what they paid for, or leave it, and it is lost.${again}`;
}

export interface Draft {
  product: string;
  activity: string;
  text: string;
}

/** What the house knows, as a bank may read it: without names, and to be read over by a person. */
export function draft(found: Dispute, assessment: Assessment | null): Draft {
  const product = `${found.title}: a trading evaluation on a simulated account, sold as a digital service under the terms of version ${found.version}, which the buyer saw before paying ${found.total} ${found.currency}.`;
  if (!assessment) return { product, activity: "", text: "" };
  const began = assessment.trades === 0 ? "In its last stage it was not traded on." : `${assessment.trades} ${assessment.trades === 1 ? "trade" : "trades"} on ${assessment.days_traded} ${assessment.days_traded === 1 ? "day" : "days"} in its last stage.`;
  const broken = assessment.violations.map(({ rule, at }) => `The rule “${rule.replaceAll("_", " ")}” was broken on ${dayTime(at, "min", "UTC")} UTC.`);
  const activity = [`Paid on ${dayTime(found.completed_at, "min", "UTC")} UTC, and opened as ${assessment.assessment_id}${assessment.began_at && assessment.began_at !== "0" ? ` on ${dayTime(assessment.began_at, "min", "UTC")} UTC` : ""}.`, began, ...broken].join(" ");
  return { product, activity, text: `Terms agreed to, by their SHA-256: ${assessment.fingerprint}.` };
}
