import { describe, expect, it } from "vitest";
import { leadsTo } from "./leads";

describe("what a notice leads to", () => {
  it.each([
    ["order/demo.57", "#/order/demo.57?account=a"],
    ["account/second", "#/trade?account=second"],
    ["alert/F01-1", "#/fix/alerts/F01-1?account=a"],
    ["approval/apr-3", "#/access/approvals?account=a"],
    ["case/kyc-1", "#/access/kyc/kyc-1?account=a"],
    ["you", "#/access/you?account=a"],
    ["house", "#/house?account=a"],
    ["webhook/wh_1", "#/access/webhooks/wh_1?account=a"],
    ["assessment/asm-1", "#/prop/now/asm-1?account=a"],
  ])("%s", (leads_to, wanted) => expect(leadsTo({ leads_to, position: 9 }, "a")).toBe(wanted));

  it("is the entry where no page shows it, and nothing where there is none", () => {
    expect(leadsTo({ leads_to: "moon/1", position: 9 }, "a")).toBe("#/journal?account=a&entry=9");
    expect(leadsTo({ leads_to: "toString", position: 9 }, "a")).toBe("#/journal?account=a&entry=9");
    expect(leadsTo({ leads_to: "", position: 0 }, "a")).toBe("");
    expect(leadsTo({}, "")).toBe("");
  });

  it("never leaves the page", () => {
    expect(leadsTo({ leads_to: "order///evil.example/?x=#y", position: 1 }, "")).toMatch(/^#\/order\/[^?#/]+$/);
  });
});
