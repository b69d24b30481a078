import { describe, expect, test } from "vitest";
import type { Place } from "./ticket";
import { BOUNDS, median, mustAsk, reasons, type Seen, throughBps } from "./unusual";
import { Units } from "./units";

const units = new Units({ symbol: "BTC-USD", base: "BTC", quote: "USD", tick_size: "0.01", lot_size: "0.001" });
const seen: Seen = { units, bid: "99.90", ask: "100.00", displayed: 100_000n, position: 0n, usual: [1000n, 1000n, 1200n], lastAccount: "demo" };
const order: Place = { account_id: "demo", cl_ord_id: "x", symbol: "BTC-USD", side: "buy", ord_type: "limit", time_in_force: "gtc", price: "99.00", order_qty: "1" };

describe("what is asked about before it goes", () => {
  test.each<[string, Partial<Place>, bigint, Partial<Seen>, string[]]>([
    ["a usual order is not", {}, 1000n, {}, []],
    ["a market order", { ord_type: "market", price: undefined }, 1000n, {}, ["market order"]],
    ["a price through the touch", { price: "100.30" }, 1000n, {}, ["30 bp through the touch"]],
    ["at the bound it is not", { price: "100.25" }, 1000n, {}, []],
    ["a sale through the touch", { side: "sell", price: "99.00" }, 1000n, {}, ["90 bp through the touch"]],
    ["many times the usual size", {}, 6000n, {}, ["6 times your usual size"]],
    ["nothing is usual after two orders", {}, 6000n, { usual: [1000n, 1000n] }, []],
    ["turning a position round", { side: "sell", price: "101.00" }, 1000n, { position: 500n }, ["turns the position round"]],
    ["closing it does not", { side: "sell", price: "101.00" }, 500n, { position: 500n }, []],
    ["eating what is displayed", { price: "100.00" }, 4000n, { displayed: 10_000n, usual: [] }, ["40 % of what is displayed"]],
    ["what rests eats nothing", {}, 4000n, { displayed: 10_000n, usual: [] }, []],
    ["another account", { account_id: "demo2" }, 1000n, {}, ["another account than your last order (demo)"]],
  ])("%s", (_, change, lots, more, why) => {
    expect(reasons({ ...order, ...change } as Place, lots, { ...seen, ...more }, BOUNDS)).toEqual(why);
  });

  test("how far through: negative where it rests, null where nobody knows", () => {
    expect(throughBps(order, seen)).toBe(-100);
    expect(throughBps({ ...order, price: "99.99" }, seen)).toBe(-1);
    expect(throughBps({ ...order, price: "100.00" }, seen)).toBe(0);
    expect(throughBps(order, { ...seen, ask: null })).toBe(null);
  });

  test.each([
    ["always", [], true, true],
    ["always", [], false, true],
    ["unusual", [], true, false],
    ["unusual", ["market order"], true, true],
    ["never-armed", ["market order"], true, false],
    ["never-armed", ["market order"], false, true],
  ] as const)("%s with %j, armed %s: %s", (setting, why, isArmed, asks) => {
    expect(mustAsk(setting, why, isArmed)).toBe(asks);
  });

  test("the usual is the middle one", () => {
    expect(median([5n, 1n, 3n])).toBe(3n);
    expect(median([4n, 1n, 3n, 2n])).toBe(2n);
  });
});
