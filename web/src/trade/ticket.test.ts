import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { number } from "../kit/format";
import { type Around, asked, type Asked, changed, clicked, type Draft, EMPTY, isWrong, type OrdType, sentence, sentences, settled, sizeOf, stepped, type Tif, tifsOf } from "./ticket";
import { Units } from "./units";

const units = new Units({ symbol: "BTC-USD", base: "BTC", quote: "USD", tick_size: "0.01", lot_size: "0.00001" });
const around: Around = { units, bid: "61240.40", ask: "61240.50", max: "2.5", now: Date.parse("2026-11-21T18:00:00Z") };
const DRAFT: Draft = { ...EMPTY, account: "demo", symbol: "BTC-USD", qty: "0.5", price: "61,240.50" };
const show = (text: string, decimals: number): string => number(text, { decimals, grouping: "en" });
const name = (leg: number): string => `id${leg}`;
const built = (change: Partial<Draft>): Asked => {
  const found = asked(changed(DRAFT, change), around, name);
  if (isWrong(found)) throw new Error(`${found.field}: ${found.text}`);
  return found;
};

describe("an order reads back as one sentence", () => {
  test.each<[Partial<Draft>, string]>([
    [{}, "Buy 0.50000 BTC-USD limit 61,240.50 GTC · demo"],
    [{ side: "sell", tif: "day", postOnly: true }, "Sell 0.50000 BTC-USD limit 61,240.50 DAY post-only · demo"],
    [{ ordType: "market" }, "Buy 0.50000 BTC-USD market IOC · demo"],
    [{ ordType: "market", unit: "quote", qty: "1500" }, "Buy BTC-USD for 1,500.00 USD market IOC · demo"],
    [{ ordType: "stop", stopPx: "62000", tif: "gtd", expire: "2026-12-01T00:00:00Z" }, "Buy 0.50000 BTC-USD stop 62,000.00 GTD until 2026-12-01 00:00 UTC · demo"],
    [{ ordType: "stop_limit", stopPx: "62000", price: "62010" }, "Buy 0.50000 BTC-USD stop limit 62,000.00 → 62,010.00 GTC · demo"],
    [{ ordType: "trailing_stop", side: "sell", trail: "250", reduceOnly: true }, "Sell 0.50000 BTC-USD trailing stop by 250.00 GTC reduce-only · demo"],
    [{ iceberg: true, display: "0.1" }, "Buy 0.50000 BTC-USD limit 61,240.50 GTC showing 0.10000 · demo"],
  ])("%j", (change, text) => {
    expect(sentence(built(change).orders[0]!, units, show)).toBe(text);
  });

  test("what is sold first is bought back, below for a profit and above for a loss", () => {
    const short = built({ side: "sell", group: "bracket", target: "58000", guard: "65000" });
    expect(short.orders.map((order) => [order.side, order.price ?? order.stop_px])).toEqual([["sell", "61240.5"], ["buy", "58000"], ["buy", "65000"]]);
  });

  test("an OCO and a bracket say what hangs on them", () => {
    const oco = built({ side: "sell", group: "oco", price: "65000", otherStop: "58000" });
    expect(oco.contingency).toBe("oco");
    expect(oco.orders.map((order) => [order.ord_type, order.side, order.order_qty])).toEqual([["limit", "sell", "0.5"], ["stop", "sell", "0.5"]]);
    expect(sentences(oco, units, show)[1]).toBe("or stop 58,000.00, whichever comes first");
    const bracket = built({ group: "bracket", target: "65000", guard: "58000" });
    expect(bracket.orders.map((order) => [order.cl_ord_id, order.side, order.ord_type])).toEqual([["id1", "buy", "limit"], ["id2", "sell", "limit"], ["id3", "sell", "stop"]]);
    expect(sentences(bracket, units, show)[1]).toBe("then take profit 65,000.00, stop loss 58,000.00");
  });
});

describe("what is wrong is said of its field", () => {
  test.each<[Partial<Draft>, string, string]>([
    [{ qty: "" }, "qty", "Enter a quantity"],
    [{ qty: "x" }, "qty", "Not a number"],
    [{ qty: "0.000001" }, "qty", "Must be a multiple of 0.00001"],
    [{ qty: "0" }, "qty", "Must be above zero"],
    [{ price: "61240.505" }, "price", "Must be a multiple of 0.01"],
    [{ ordType: "stop" }, "stopPx", "Enter a stop price"],
    [{ tif: "gtd", expire: "2020-01-01T00:00:00Z" }, "expire", "That time has passed"],
    [{ iceberg: true, display: "0.6" }, "display", "More than the order"],
    [{ group: "bracket", target: "58000", guard: "65000" }, "target", "Must be above the stop-loss"],
    [{ unit: "percent", qty: "101" }, "qty", "Must be above 0 and at most 100 %"],
    [{ unit: "quote", qty: "0.1" }, "qty", "Less than one lot at 61240.50"],
  ])("%j", (change, field, text) => {
    expect(asked(changed(DRAFT, change), around, name)).toEqual({ field, text });
  });
});

describe("size", () => {
  test("by quote it is what the amount pays for, and by per cent of what passes", () => {
    expect(sizeOf({ ...DRAFT, unit: "quote", qty: "1000" }, around)).toEqual({ lots: 1632n, cash: null });
    expect(sizeOf({ ...DRAFT, unit: "percent", qty: "50" }, around)).toEqual({ lots: 125_000n, cash: null });
    expect(sizeOf({ ...DRAFT, unit: "percent", qty: "33.33" }, around)).toEqual({ lots: 83_325n, cash: null });
    expect(sizeOf({ ...DRAFT, unit: "percent", qty: "50" }, { ...around, max: null })).toHaveProperty("field", "qty");
  });
  test("a market order for an amount goes by the touch it takes, and is sent as cash", () => {
    expect(sizeOf({ ...DRAFT, ordType: "market", unit: "quote", qty: "1000" }, around)).toEqual({ lots: 1632n, cash: "1000" });
  });
  test("a share of what passes never exceeds it", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 12n), fc.integer({ min: 1, max: 10_000 }), (max, hundredths) => {
        const qty = (hundredths / 100).toFixed(2);
        const found = sizeOf({ ...DRAFT, unit: "percent", qty }, { ...around, max: units.qty(max) });
        if (!isWrong(found)) expect(found.lots <= max && found.lots > 0n).toBe(true);
      }),
    );
  });
});

/** The house's own rule, rules/entry.py `_unsupported_manner`. */
function unsupported(order: Asked["orders"][number], now: number): string {
  const atOnce = order.time_in_force === "ioc" || order.time_in_force === "fok";
  if ((order.time_in_force === "gtd") !== Boolean(order.expire_time)) return "expire_time";
  if (order.expire_time && Date.parse(order.expire_time) <= now) return "expired";
  if (order.ord_type === "market" && order.time_in_force === "gtd") return "market gtd";
  if (order.ord_type !== "market" && order.ord_type !== "limit" && atOnce) return "stop at once";
  if (order.post_only && (order.ord_type !== "limit" || atOnce)) return "post only";
  if (order.display_qty && (order.ord_type !== "limit" || atOnce)) return "display";
  if (Boolean(order.order_qty) === Boolean(order.cash_order_qty)) return "one of two";
  if (order.cash_order_qty && order.ord_type !== "market") return "cash";
  const given = [Boolean(order.price), Boolean(order.stop_px), Boolean(order.trail_offset)].join();
  const needs: Record<OrdType, string> = {
    market: "false,false,false", limit: "true,false,false", stop: "false,true,false",
    stop_limit: "true,true,false", trailing_stop: "false,false,true",
  };
  return given === needs[order.ord_type] ? "" : "prices";
}

test("whatever is clicked in whatever order, what is sent is a combination that the house knows", () => {
  const TYPES: OrdType[] = ["market", "limit", "stop", "stop_limit", "trailing_stop"];
  const TIFS: Tif[] = ["day", "gtc", "gtd", "ioc", "fok"];
  const change = fc.oneof(
    fc.constantFrom(...TYPES).map((ordType): Partial<Draft> => ({ ordType })),
    fc.constantFrom(...TIFS).map((tif): Partial<Draft> => ({ tif })),
    fc.constantFrom("buy", "sell").map((side) => ({ side }) as Partial<Draft>),
    fc.constantFrom("none", "oco", "bracket").map((group) => ({ group }) as Partial<Draft>),
    fc.constantFrom("base", "quote", "percent").map((unit) => ({ unit, qty: unit === "quote" ? "5000" : "1" }) as Partial<Draft>),
    fc.boolean().map((postOnly) => ({ postOnly })),
    fc.boolean().map((reduceOnly) => ({ reduceOnly })),
    fc.boolean().map((iceberg) => ({ iceberg })),
  );
  const full: Draft = {
    ...DRAFT, stopPx: "62000", trail: "100", expire: "2026-12-01T00:00:00Z", display: "0.00001",
    otherStop: "58000", target: "65000", guard: "58000",
  };
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (clicks) => {
      const draft = clicks.reduce(changed, full);
      expect(settled(draft)).toEqual(draft);
      expect(tifsOf(draft)).toContain(draft.tif);
      const found = asked(draft, around, name);
      if (draft.group === "bracket" && draft.side === "sell") {
        expect(found).toEqual({ field: "target", text: "Must be below the stop-loss" });
        return;
      }
      if (isWrong(found)) throw new Error(`${found.field}: ${found.text}`);
      for (const order of found.orders) expect(unsupported(order, around.now)).toBe("");
      if (found.contingency === "bracket") expect(found.orders.map((order) => order.side)).toEqual(["buy", "sell", "sell"]);
      if (found.contingency) expect(new Set(found.orders.map((order) => order.order_qty)).size).toBe(1);
    }),
  );
});

test("a click in the ladder is a plain limit of the drafted quantity, and a share is none", () => {
  const market = changed({ ...DRAFT, group: "bracket", target: "65000", guard: "58000" }, { ordType: "market" });
  const found = asked(clicked(market, "sell", "61250.00"), around, name);
  expect(found).toEqual({ orders: [expect.objectContaining({ side: "sell", ord_type: "limit", price: "61250", order_qty: "0.5", time_in_force: "gtc" })] });
  const share = clicked({ ...DRAFT, unit: "percent", qty: "50" }, "buy", "61250.00");
  expect(asked(share, { ...around, max: null }, name)).toHaveProperty("field", "qty");
});

test("a price steps by ticks, and an empty one begins at the touch", () => {
  expect(stepped("61240.50", 10n, units, "1")).toBe("61240.60");
  expect(stepped("0.01", -10n, units, "1")).toBe("0.01");
  expect(stepped("", 1n, units, "61240.40")).toBe("61240.40");
  expect(stepped("", 1n, units, null)).toBe("");
});
