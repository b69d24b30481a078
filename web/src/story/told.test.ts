import { describe, expect, it } from "vitest";
import { bar, byNearness, type Check, excessOf, lastedUs, micros, type Order, partOf, sentence, type Step } from "./told";

const check = (some: Partial<Check>): Check => ({ name: "orders", unit: "orders", left: "1", limit: null, used: null, asked: null, ...some });

describe("a headroom bar", () => {
  it.each([
    [{ limit: "100", used: "25", asked: "50" }, { used: 0.25, asked: 0.5, over: false }],
    [{ limit: "100", used: "75", asked: "50" }, { used: 0.75, asked: 0.25, over: true }],
    [{ limit: "100", used: "25" }, { used: 0.25, asked: 0, over: false }],
    [{ limit: "0.000000003", used: "0.000000001", asked: "0.000000002" }, { used: 0.333333, asked: 0.666667, over: false }],
  ])("shows what was used and what was asked: %o", (some, expected) => expect(bar(check(some))).toEqual(expected));
  it("is not drawn where the limit of that day is not known", () => {
    expect(bar(check({}))).toBeNull();
    expect(bar(check({ limit: "0", used: "0" }))).toBeNull();
  });
  it("comes first where the limit was nearest", () => {
    const found = byNearness([check({ name: "a", limit: "10", used: "1" }), check({ name: "b" }), check({ name: "c", limit: "10", used: "1", asked: "8" })]);
    expect(found.map(({ name }) => name)).toEqual(["c", "a", "b"]);
  });
});

describe("an entry in words", () => {
  it.each([
    ["trading.order_accepted.v1", "decide", "Accepted", "plain"],
    ["trading.order_rejected.v1", "decide", "Refused", "bad"],
    ["trading.order_unknown.v1", "venue", "UNKNOWN: the venue is silent", "unknown"],
    ["venues.order_executed.v2", "execution", "Executed at the venue", "plain"],
    ["venues.something_new.v1", "venue", "Something new", "plain"],
  ])("%s", (kind, stage, title, tone) => expect(partOf(kind)).toEqual({ stage, title, tone }));
});

it("takes what a refusal teaches from the entry, and invents nothing", () => {
  const excess = { value: "11", limit: "10", distance: "1", unit: "BTC", order_qty_max: "9.5" };
  expect(excessOf({ event: { reason: "exceeds_order_qty", excess } } as unknown as Step)).toEqual({ rule: "exceeds_order_qty", value: "11", limit: "10", distance: "1", unit: "BTC", largest: "9.5" });
  expect(excessOf({ event: { reason: "market_closed", excess: null } } as unknown as Step)).toBeNull();
  expect(excessOf({} as Step)).toBeNull();
});

it("says an order as one sentence, and never its side by colour alone", () => {
  const order = { side: "buy", order_qty: "0.50", symbol: "BTC-USD", ord_type: "limit", price: "61240.50", time_in_force: "gtc", account_id: "demo" } as Order;
  expect(sentence(order)).toBe("Buy 0.50 BTC-USD limit 61,240.50 GTC · demo");
  expect(sentence({ ...order, side: "sell", ord_type: "market", price: "1", cash_order_qty: "1000" })).toBe("Sell for 1,000 BTC-USD market GTC · demo");
});

describe("times", () => {
  const step = (at: string): Step => ({ at }) as Step;
  it("keep their microseconds", () => {
    expect(micros("2026-11-21T18:41:23.259154Z") % 1_000_000).toBe(259_154);
    expect(micros("2026-11-21T18:41:23Z") % 1_000_000).toBe(0);
    expect(lastedUs([step("2026-11-21T18:41:23.999999Z"), step("2026-11-21T18:41:24.000001Z")])).toBe(2);
    expect(lastedUs([step("2026-11-21T18:41:23Z")])).toBeNull();
  });
});
