/** What may be bought for an assessment that one has: begun anew, given more time, or changed for a larger one. Pure. */
import { isOver } from "./gauges";
import type { Assessment } from "./standing";
import { stages, type Tier } from "./tiers";

export type Further = "reset" | "extension" | "upgrade";
export const FURTHER: readonly Further[] = ["reset", "extension", "upgrade"];
export const FURTHER_WORDS: Record<Further, { act: string; says: string }> = {
  reset: { act: "Begin anew", says: "The same rules on a fresh account: what was lost, or broken, counts no more. The account of now is closed." },
  extension: { act: "30 more days", says: "The time limit ends 30 days later. Nothing else changes." },
  upgrade: { act: "Change for another tier", says: "It begins at the first stage of the other tier, on a fresh account, under that tier’s rules. What was reached here counts no more." },
};

/** Why it cannot be bought; "" where it can. The house decides again when it is bought. */
export function whyNot(what: Further, found: Pick<Assessment, "state" | "frozen">, timed: boolean, others: number): string {
  if (found.frozen) return `It is frozen: ${found.frozen}`;
  if (found.state === "purchased") return "It is being opened";
  const isFunded = found.state === "funded";
  if (what === "reset") return found.state === "passed" || isFunded ? "What is passed, or funded, is not begun anew" : "";
  if (isOver(found.state)) return "It is over";
  if (what === "extension") return timed ? "" : "It has no time limit";
  return isFunded ? "It is funded" : others ? "" : "No other tier is sold in this currency";
}

export const isTimed = (tier: Tier): boolean => stages(tier).some((each) => each.time_limit_days > 0);
