import { describe, expect, it } from "vitest";
import { drafted, isSame, type Limits, meant } from "./drafting";

const LIMITS: Limits = {
  order_notional_max: "250000", orders_max: 100, collar_bps: 500, rate_window_ms: 1000, market_protection_bps: 500,
  position_max: { "BTC-USD": "5", "ETH-USD": "0.25" }, class_concentration_max_bps: { crypto: 9000 },
};

describe("limits as a form", () => {
  it("say the same when nothing was changed", () => {
    const found = meant(drafted(LIMITS), LIMITS);
    expect("limits" in found && found.limits).toEqual(LIMITS);
  });
  it("are off where a field is empty, and take both separators", () => {
    const draft = { ...drafted(LIMITS), collar_bps: " ", order_notional_max: "1,250,000.50", "position_max ETH-USD": "" };
    const found = meant(draft, LIMITS);
    expect("limits" in found && found.limits).toEqual({ ...LIMITS, collar_bps: undefined, order_notional_max: "1250000.50", position_max: { "BTC-USD": "5" } });
  });
  it("never fall back to a window that was emptied", () => {
    const found = meant({ ...drafted(LIMITS), market_protection_bps: "" }, LIMITS);
    expect("limits" in found && found.limits.market_protection_bps).toBe(0);
  });
  it.each([["orders_max", "1.5"], ["order_notional_max", "-1"], ["position_max BTC-USD", "five"]])("name the field that cannot be: %s %s", (field, text) => {
    expect(meant({ ...drafted(LIMITS), [field]: text }, LIMITS)).toMatchObject({ field });
  });
  it("keep what has no field here", () => {
    const now = { ...LIMITS, something_newer: "cancel_newest" } as Limits;
    const found = meant({ ...drafted(now), orders_max: "7" }, now);
    expect("limits" in found && found.limits).toEqual({ ...now, orders_max: 7 });
  });
  it("know whether anything was changed", () => {
    expect(isSame(drafted(LIMITS), { ...drafted(LIMITS), daily_loss_max: "" })).toBe(true);
    expect(isSame(drafted(LIMITS), { ...drafted(LIMITS), daily_loss_max: "1" })).toBe(false);
  });
});
