import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compare, of, text, trimmed } from "../kit/decimal";
import { act, armed, countdown, DISARMED, IDLE_MS, type Key } from "./armed";
import { cell, csv } from "./csv";
import { filled, gain, type Traded } from "./pnl";

describe("csv", () => {
  test.each([
    ["plain", "plain"],
    ['say "hi", twice', '"say ""hi"", twice"'],
    ["−12.50", "-12.50"],
    ["-12.50", "-12.50"],
    ["=1+1", "'=1+1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["two\nlines", '"two\nlines"'],
    [null, ""],
    [0, "0"],
  ])("%j is %j", (value, shown) => {
    expect(cell(value)).toBe(shown);
  });

  test("a title, then a line for each row", () => {
    const columns = [{ title: "Side", of: (row: { side: string; qty: string }) => row.side }, { title: "Qty", of: (row: { qty: string }) => row.qty }];
    expect(csv(columns, [{ side: "buy", qty: "0.10" }])).toBe("Side,Qty\r\nbuy,0.10\r\n");
  });
});

describe("armed keys", () => {
  const key: Key = { code: "KeyB", shift: false, ctrl: false, alt: false, meta: false, repeat: false, composing: false, typing: false };
  test.each<[string, Partial<Key>, unknown]>([
    ["B sets the side", {}, { do: "side", side: "buy" }],
    ["the arrow moves a tick", { code: "ArrowUp" }, { do: "tick", by: 1 }],
    ["and goes on while it is held", { code: "ArrowDown", shift: true, repeat: true }, { do: "tick", by: -10 }],
    ["a digit takes a preset", { code: "Digit3" }, { do: "preset", nth: 3 }],
    ["Ctrl+Enter sends", { code: "Enter", ctrl: true }, { do: "send" }],
    ["even while typing", { code: "Enter", ctrl: true, typing: true }, { do: "send" }],
    ["never on repeat", { code: "Enter", ctrl: true, repeat: true }, null],
    ["Enter alone sends nothing", { code: "Enter" }, null],
    ["C cancels", { code: "KeyC" }, { do: "cancel" }],
    ["Shift+C cancels all", { code: "KeyC", shift: true }, { do: "cancel_all" }],
    ["Ctrl+C is the browser's", { code: "KeyC", ctrl: true }, null],
    ["nothing while typing", { typing: true }, null],
    ["nothing while composing", { composing: true }, null],
    ["nothing on repeat", { repeat: true }, null],
    ["Alt+B is somebody else's", { alt: true }, null],
    ["six is no preset", { code: "Digit6" }, null],
  ])("%s", (_, change, does) => {
    expect(act({ ...key, ...change })).toEqual(does);
  });

  test("it goes off after ten idle minutes, and when anything about the ground changes", () => {
    const on = armed(DISARMED, { is: "arm", now: 0 });
    expect(armed(on, { is: "tick", now: IDLE_MS - 1 })).toEqual(on);
    expect(armed(on, { is: "tick", now: IDLE_MS })).toEqual({ on: false, why: "idle for 10 minutes" });
    const used = armed(on, { is: "used", now: 60_000 });
    expect(armed(used, { is: "tick", now: IDLE_MS })).toEqual(used);
    expect(armed(used, { is: "disarm", why: "the connection was cut" })).toEqual({ on: false, why: "the connection was cut" });
    expect(armed(DISARMED, { is: "used", now: 1 })).toBe(DISARMED);
    expect(countdown(IDLE_MS, 1_500)).toBe("9:59");
    expect(countdown(IDLE_MS, 0)).toBe("10:00");
    expect(countdown(0, 5)).toBe("0:00");
  });
});

describe("profit and loss", () => {
  const flat: Traded = { symbol: "BTC-USD", qty: "10", traded_qty: "0", currency: "USD", cost: "0", realized: "0", fees: "0" };

  test("is net of fees, and not known without a price", () => {
    const line = { ...flat, qty: "12", traded_qty: "2", cost: "200", realized: "5", fees: "1.5" };
    const found = gain(line, "103.5");
    expect([found.unrealized, found.net, found.value].map((each) => trimmed(each!))).toEqual(["7", "10.5", "1242"]);
    expect(gain(line, null)).toEqual({ unrealized: null, net: null, value: null });
  });

  test("a fill that adds moves the average, one that reduces realizes, one that turns does both", () => {
    const long = filled(filled(flat, "buy", "1", "100", "0.1"), "buy", "1", "110", "0.1");
    expect([long.qty, long.traded_qty, long.cost, long.avg_px]).toEqual(["12", "2", "210", "105"]);
    const less = filled(long, "sell", "1", "120", "0.1");
    expect([less.traded_qty, less.cost, less.realized, less.fees]).toEqual(["1", "105", "15", "0.3"]);
    const short = filled(less, "sell", "3", "100", "0");
    expect([short.traded_qty, short.cost, short.realized, short.avg_px]).toEqual(["-2", "-200", "10", "100"]);
  });

  test("cost and what was realized add up to the cash that went, whatever is traded", () => {
    const fill = fc.tuple(fc.constantFrom("buy" as const, "sell" as const), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 90, max: 110 }));
    fc.assert(
      fc.property(fc.array(fill, { maxLength: 12 }), (fills) => {
        let line = flat;
        let spent = 0;
        for (const [side, qty, px] of fills) {
          line = filled(line, side, String(qty), String(px), "0");
          spent += (side === "buy" ? 1 : -1) * qty * px;
        }
        const off = of(text({ units: of(line.cost).units, scale: of(line.cost).scale }));
        const difference = Number(text(off)) - Number(line.realized) - spent;
        expect(Math.abs(difference)).toBeLessThan(1e-6);
        expect(compare(line.traded_qty, "0") === 0 ? line.avg_px : "").not.toBe(undefined);
      }),
    );
  });
});
