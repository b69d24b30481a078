/** Words for cases. */
import type { Schemas } from "../client/api";

export type Outcome = Schemas["CloseRequest"]["outcome"];
export const OUTCOMES: readonly (readonly [Outcome, string])[] = [
  ["true_positive", "A true finding"],
  ["false_positive", "A false alarm"],
  ["benign", "True, and harmless"],
  ["inconclusive", "Nobody can tell"],
  ["duplicate", "Part of another case"],
];

export const outcomeOf = (outcome: string): string => OUTCOMES.find(([each]) => each === outcome)?.[1] ?? outcome;

/** What was done, and by whom, as a sentence. */
export function said({ by, what, text }: { by: string; what: string; text: string }): string {
  const who = by || "the house";
  switch (what) {
    case "opened": return `Opened for “${text}”`;
    case "assigned": return text ? `${who} gave it to ${text}` : `${who} took it from whoever had it`;
    case "commented": return `${who}: ${text}`;
    case "closed": {
      const [outcome = "", ...why] = text.split(": ");
      return `${who} closed it. ${outcomeOf(outcome)}: ${why.join(": ")}`;
    }
    case "reopened": return `${who} opened it again: ${text}`;
    default: return `${who} ${what} ${text}`;
  }
}
