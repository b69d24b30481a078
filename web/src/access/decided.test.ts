import { expect, it } from "vitest";
import fc from "fast-check";
import { decided } from "./decided";

const LINE = {
  decision_id: "a-1", timestamp: "2026-11-22T08:07:37.171724068Z", bundles: { fondaco: { revision: "9a4e" } },
  input: { subject: { caller: "ada/k" }, action: { operation: "trading.place_order", scope: "orders:write" }, resource: { account: "demo", notional: 50001 }, environment: { door: "rest", address: "public" } },
  result: { allow: false, reasons: [{ code: "forbidden", text: "50,000 at most" }, { code: "late" }] },
};

it("reads a line", () => {
  expect(decided(LINE)).toMatchObject({ id: "a-1", revision: "9a4e", caller: "ada/k", operation: "trading.place_order", about: "account demo, notional 50001", door: "rest", allow: false, reasons: ["50,000 at most", "late"] });
});

it("takes nothing for allowed that does not say so, whatever the line is", () => {
  fc.assert(fc.property(fc.jsonValue(), (raw) => {
    const allowed = (raw as { result?: { allow?: unknown } } | null)?.result?.allow === true;
    expect(decided(raw).allow).toBe(allowed);
  }));
});
