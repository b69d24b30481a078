import { describe, expect, test } from "vitest";
import { prefs } from "../kit/prefs";
import type { AssessmentMessage } from "../live/messages";
import { type Assessment, readable, withHeard } from "./standing";

const line = { rule: "daily_loss", title: "Daily loss", level: "95000", base: "100000", limit: "95000", headroom: "5000", used_ppm: 0, used: "0", state: "well" as const };
const asked = { assessment_id: "asm-1", account_id: "asm-1-1", state: "active", equity: "100000", balance: "100000", violations: [], headroom: [line], conditions: [] } as unknown as Assessment;
const heard: AssessmentMessage = {
  channel: "assessments", assessment_id: "asm-1", account_id: "asm-1-1", state: "active", frozen: "", stage: 0, stage_name: "One", balance: "100000", equity: "96000", open_positions: 1,
  day_from: "100000", resets_at: "1", trades: 1, days_traded: 1, headroom: [{ ...line, headroom: "1000", used_ppm: 800_000, state: "warned" }], conditions: [], at: "5", why: ["warned"],
};

describe("what is heard of an assessment", () => {
  test("moves what it says and leaves the rest", () => {
    const shown = withHeard(asked, heard);
    expect([shown.equity, shown.headroom[0]?.state, shown.open_positions]).toEqual(["96000", "warned", 1]);
    expect(shown.violations).toBe(asked.violations);
  });
  test.each([{ assessment_id: "asm-2" }, { account_id: "asm-1-2" }, { state: "failed" }])("is not mixed with what was asked of %o", (other) => {
    expect(withHeard(asked, { ...heard, ...other })).toBe(asked);
  });
  test("is not there before it was heard", () => expect(withHeard(asked, undefined)).toBe(asked));
});

describe("what the house says", () => {
  test("is read in one's own time zone, without zeros that say nothing", () => {
    prefs.update((found) => ({ ...found, zone: "UTC" }));
    expect(readable("the next payout may be asked for from 2026-12-28 18:31 UTC on")).toBe("The next payout may be asked for from 2026-12-28 18:31 on");
    expect(readable("the profit is -12.500000, must be at least 100")).toBe("The profit is −12.50, must be at least 100");
  });
});
