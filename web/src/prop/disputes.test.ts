import { describe, expect, it } from "vitest";
import { draft, due, type Dispute, next, steps, whyNoAnswer } from "./disputes";
import type { Assessment } from "./standing";

const NONE = { state: "", by: "", at: "", reason: "", product: "", activity: "", text: "" } as const;
const NOW = 1_800_000_000_000;
const ns = (milliseconds: number): string => `${milliseconds}000000`;
const found = (more: Partial<Dispute> = {}): Dispute => ({
  dispute: "dp_1", state: "open", amount: "349.00", fee: "15.00", currency: "USD", reason: "product_not_received", provider: "sandbox",
  opened_at: ns(NOW - 3_000), due_at: ns(NOW + 7 * 86_400_000), closed_at: "", evidence: NONE, purchase_id: "pu_1", purchase_state: "disputed", user: "ada",
  tier: "two-step", version: 2, title: "Two steps", purpose: "assessment", assessment_id: "asm-1", total: "349.00", bought_at: ns(NOW - 9_000), completed_at: ns(NOW - 8_000), ...more,
});

describe("a dispute", () => {
  it("says how long it may be answered, and no more once that does not matter", () => {
    expect(due(found(), NOW)).toEqual({ text: "7 days left", isNear: false, isOver: false });
    expect(due(found({ due_at: ns(NOW + 86_400_000) }), NOW)).toMatchObject({ text: "24 h 00 min left", isNear: true });
    expect(due(found({ due_at: ns(NOW) }), NOW)).toMatchObject({ isOver: true });
    expect(due(found({ due_at: "" }), NOW)).toBeNull();
    expect(due(found({ evidence: { ...NONE, state: "sent" } }), NOW)).toBeNull();
  });

  it("is answered once, in time, while it is open", () => {
    expect(whyNoAnswer(found(), NOW)).toBe("");
    expect(whyNoAnswer(found({ evidence: { ...NONE, state: "refused" } }), NOW)).toBe("");
    for (const more of [{ state: "won" as const }, { due_at: ns(NOW - 1) }, { evidence: { ...NONE, state: "asked" as const } }, { evidence: { ...NONE, state: "sent" as const } }]) expect(whyNoAnswer(found(more), NOW)).not.toBe("");
  });

  it("tells what was when in the order of time, and what comes next", () => {
    const told = found({ evidence: { ...NONE, state: "sent", by: "ria", at: ns(NOW - 1_000) }, state: "won", closed_at: ns(NOW) });
    expect(steps(told).map(({ what }) => what)).toEqual(["Bought", "Paid", "Disputed", "sandbox has the answer", "Won: the money came back"]);
    expect(next(told, NOW)).toContain("came back");
    expect(next(found({ evidence: { ...NONE, state: "refused", reason: "too long" } }), NOW)).toContain("too long");
  });

  it("is drafted from what the house knows, without the buyer’s name", () => {
    const assessment = { assessment_id: "asm-1", began_at: ns(NOW), trades: 1, days_traded: 1, violations: [], fingerprint: "ab12" } as unknown as Assessment;
    const made = draft(found(), assessment);
    expect(made.activity).toContain("1 trade on 1 day");
    expect(Object.values(made).join(" ")).not.toContain("ada");
    expect(draft(found(), { ...assessment, began_at: "0", trades: 0 } as Assessment).activity).toContain("not traded on");
    expect(draft(found(), null).activity).toBe("");
  });
});
