/** Certificates in the words of a page. Pure. */
import type { Schemas } from "../client/api";
import type { AssessmentLine } from "./standing";

export type Certificate = Schemas["CertificateReply"];
export type Kind = Certificate["kind"];

export const TITLES: Record<Kind, string> = { passed: "Assessment passed", funded: "Funded trader", payout: "Payout received" };
const STANDINGS: Record<Certificate["standing"], { shape: string; word: string }> = {
  valid: { shape: "filled", word: "holds" },
  ended: { shape: "over", word: "has ended" },
  suspended: { shape: "suspended", word: "suspended" },
  void: { shape: "refused", word: "void" },
  withdrawn: { shape: "over", word: "taken back" },
  revoked: { shape: "refused", word: "revoked" },
};
export const standsAs = (standing: Certificate["standing"]): { shape: string; word: string } => STANDINGS[standing];
/** Copies are given of no other. */
export const holds = (found: Certificate): boolean => found.standing === "valid" || found.standing === "ended";

export interface Choice {
  assessment_id: string;
  kind: Kind;
  number: number;
  title: string;
}

interface Paid {
  assessment_id: string;
  number: number;
  tier: string;
  amount: string;
  currency: string;
}

/** What a certificate may be made of, less what there is one of. The house decides again when it is asked. */
export function choices(mine: readonly AssessmentLine[], paid: readonly Paid[], there: readonly Certificate[]): Choice[] {
  const has = (assessment_id: string, kind: Kind): boolean => there.some((each) => each.assessment_id === assessment_id && each.kind === kind && each.standing !== "revoked");
  const found: Choice[] = [];
  for (const each of mine) {
    const of = `${each.tier}, ${each.assessment_id}`;
    // A funded stage that is not the first one comes after all phases were passed.
    const isPassed = each.state === "passed" || (each.state === "funded" && each.stage > 0);
    if (isPassed && !has(each.assessment_id, "passed")) found.push({ assessment_id: each.assessment_id, kind: "passed", number: 0, title: `Passed: ${of}` });
    if (each.state === "funded" && !has(each.assessment_id, "funded")) found.push({ assessment_id: each.assessment_id, kind: "funded", number: 0, title: `Funded: ${of}` });
  }
  for (const each of paid) found.push({ assessment_id: each.assessment_id, kind: "payout", number: each.number, title: `Paid ${each.amount} ${each.currency}: ${each.tier}, payout ${each.number}` });
  return found;
}
