import { expect, test } from "vitest";
import * as d from "../kit/decimal";
import { lineOf, strictest } from "./Band";
import { gain, parts, type Traded } from "./pnl";
import { type Judgement, told } from "./replacing";

const line: Traded = {
  symbol: "BTC-USD", qty: "1", traded_qty: "1", currency: "USD", cost: "100", realized: "0", fees: "0.2",
  waiting: [{ state: "matched", traded_qty: "0.4", cash: "-40.08", fills: 1 }, { state: "confirmed", traded_qty: "0.1", cash: "-10.02", fills: 2 }],
};

test.each(["90", "100", "123.45"])("the parts of a gain add up to it, at %s", (mark) => {
  const found = parts(line, mark)!;
  const sum = d.add(d.add(found.matched, found.confirmed), found.settled);
  expect(d.text(d.sub(sum, gain(line, mark).net!)).replace(/[.0]/g, "")).toBe("");
});
test("a mark moves each part by what it holds", () => {
  const found = parts(line, "110")!;
  expect([found.matched, found.confirmed].map((each) => d.text(d.rescale(each, 2)))).toEqual(["3.92", "0.98"]);
});
test("without a price there are no parts", () => expect(parts(line, null)).toBeNull());

test.each([
  [{ accepted: true, cancels: false, reasons: [] }, "passes", false],
  [{ accepted: true, cancels: true, reasons: [] }, "would cancel it", false],
  [{ accepted: false, cancels: false, reasons: [{ reason: "exceeds_order_notional", text: "", distance: "12.5", unit: "USD" }] }, "would be refused: Order notional, over by 12.5 USD", true],
  [{ accepted: false, cancels: false, reasons: [{ reason: "too_late", text: "" }] }, "would be refused: too late", true],
])("%o is told in a few words", (found, text, isRefused) => expect(told({ at: "said", found: found as Judgement })).toEqual({ text, isRefused }));

const at = { reason: "", by: "", at: "2026-11-21T00:00:00Z", position: 1 };
const lines = [
  { scope: "house", name: "", state: "halted", ...at }, { scope: "kill", name: "", state: "halted", ...at },
  { scope: "account", name: "demo", state: "reducing", ...at },
];
test("the strictest state is said, and of the house the kill", () => {
  const held = strictest([["The house", ["kill", "house"], "", "halted"], ["Account demo", ["account"], "demo", "reducing"]])!;
  expect([held.who, held.state]).toEqual(["The house", "halted"]);
  expect(lineOf(lines, held)?.scope).toBe("kill");
});
test("an account's own state is not another's", () => {
  const held = strictest([["The house", ["kill"], "", "active"], ["Account a", ["account"], "a", "reducing"]])!;
  expect(lineOf(lines, held)).toBeUndefined();
  expect(strictest([["The house", ["kill"], "", "active"]])).toBeNull();
});
