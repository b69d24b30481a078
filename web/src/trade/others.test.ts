import { describe, expect, test } from "vitest";
import { trimmed } from "../kit/decimal";
import { chordsOf } from "../shell/keys";
import { act, armed, type ArmedKey, countdown, DISARMED, IDLE_MS, type Pressed } from "./armed";
import { cell, csv } from "./csv";
import { gain, type Traded } from "./pnl";

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
  const pressed: Pressed = { chord: "KeyB", repeat: false, composing: false, typing: false };
  const chord = (key: ArmedKey): string => chordsOf(key.keys)[0]!;
  test.each<[string, Partial<Pressed>, unknown]>([
    ["B sets the side", {}, { do: "side", side: "buy" }],
    ["the arrow moves a tick", { chord: "ArrowUp" }, { do: "tick", by: 1 }],
    ["and goes on while it is held", { chord: "Shift+ArrowDown", repeat: true }, { do: "tick", by: -10 }],
    ["a digit takes a preset", { chord: "Digit3" }, { do: "preset", nth: 3 }],
    ["Ctrl+Enter sends", { chord: "Ctrl+Enter" }, { do: "send" }],
    ["even while typing", { chord: "Ctrl+Enter", typing: true }, { do: "send" }],
    ["never on repeat", { chord: "Ctrl+Enter", repeat: true }, null],
    ["Enter alone sends nothing", { chord: "Enter" }, null],
    ["C cancels", { chord: "KeyC" }, { do: "cancel" }],
    ["Shift+C cancels all", { chord: "Shift+KeyC" }, { do: "cancel_all" }],
    ["Ctrl+C is the browser's", { chord: "Ctrl+KeyC" }, null],
    ["nothing while typing", { typing: true }, null],
    ["nothing while composing", { composing: true }, null],
    ["nothing on repeat", { repeat: true }, null],
    ["Alt+B is somebody else's", { chord: "Alt+KeyB" }, null],
    ["six is no preset", { chord: "Digit6" }, null],
  ])("%s", (_, change, does) => {
    expect(act({ ...pressed, ...change }, chord)).toEqual(does);
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
});
