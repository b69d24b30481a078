import { expect, test } from "vitest";
import { changes, flat } from "./before";

test("only what differs is shown, however deep it lies", () => {
  expect(changes({ now: { roles: ["trader"], a: { b: 1, c: "x" } }, then: { roles: ["risk", "trader"], a: { b: 1, c: "y" } } })).toEqual([
    { name: "roles", now: "trader", then: "risk, trader" },
    { name: "a: c", now: "x", then: "y" },
  ]);
});

test("what was not there before, and what goes", () => {
  expect(changes({ now: { orders_max: 5, gone: "1" }, then: { orders_max: 0, next_out: 9 } })).toEqual([
    { name: "orders max", now: "5", then: "0" },
    { name: "gone", now: "1", then: "" },
    { name: "next out", now: "", then: "9" },
  ]);
});

test("what says nothing is no change", () => {
  expect(changes({ now: { a: null, b: "", c: {} }, then: {} })).toEqual([]);
  expect([...flat({ list: [{ a: 1 }, "b"] })]).toEqual([["list", '{"a":1}, b']]);
});
