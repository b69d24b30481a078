import { expect, it } from "vitest";
import { type Certificate, choices, holds } from "./certificates";
import type { AssessmentLine } from "./standing";

const line = (assessment_id: string, state: string, stage: number): AssessmentLine => ({ assessment_id, state, stage, tier: "two-step" }) as AssessmentLine;
const made = (assessment_id: string, kind: string, standing = "valid"): Certificate => ({ assessment_id, kind, standing }) as Certificate;

it("offers what was come to, and not what there is one of", () => {
  const mine = [line("a", "passed", 1), line("b", "funded", 2), line("c", "funded", 0), line("d", "failed", 0), line("e", "active", 1)];
  const kinds = (there: Certificate[]) => choices(mine, [], there).map(({ assessment_id, kind }) => `${assessment_id} ${kind}`);
  expect(kinds([])).toEqual(["a passed", "b passed", "b funded", "c funded"]);
  expect(kinds([made("b", "passed"), made("c", "funded", "revoked")])).toEqual(["a passed", "b funded", "c funded"]);
  expect(choices([], [{ assessment_id: "b", number: 3, tier: "two-step", amount: "1.00", currency: "USD" }], [])).toMatchObject([{ kind: "payout", number: 3 }]);
});

it("gives copies of what holds, or did", () => {
  expect((["valid", "ended", "suspended", "void", "revoked"] as const).map((standing) => holds(made("a", "passed", standing)))).toEqual([true, true, false, false, false]);
});
