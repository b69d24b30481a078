import { describe, expect, it } from "vitest";
import { act, consequence, type Preview, type Progress, steps } from "./stopping";

const preview = (some: Partial<Preview>): Preview => ({ scope: "house", name: "", stopped: false, orders: 0, accounts: 0, positions: 0, at_work: [], position: 1, ...some });
const progress = (some: Partial<Progress>): Progress => ({
  scope: "house", name: "", blocked: true, reason: "drill", by: "ada", since: 9, at: null, ended_at: null, sent: 0, confirmed: 0,
  ended_otherwise: 0, unconfirmed: 0, named: [], refused: 0, positions: 0, position: 12, ...some,
});

describe("what a stop would do", () => {
  it.each([
    [{ orders: 214, accounts: 31, positions: 12 }, "cancels 214 orders in 31 accounts; 12 positions stay"],
    [{ orders: 1, accounts: 1, positions: 1 }, "cancels 1 order in 1 account; 1 position stays"],
    [{}, "cancels nothing: no order works there; no position is open"],
  ])("is said in numbers: %o", (some, text) => expect(consequence(preview(some))).toBe(text));
  it("names what is stopped", () => {
    expect(act("house", "")).toBe("Stop the house");
    expect(act("instrument", "BTC-USD")).toBe("Stop instrument BTC-USD");
  });
});

describe("how far a stop is", () => {
  it("is not done while one order is not confirmed", () => {
    const found = steps(progress({ sent: 5, confirmed: 3, ended_otherwise: 1, unconfirmed: 1, refused: 4 }));
    expect(found.map(({ text }) => text)).toEqual([
      "New orders blocked, 4 refused since", "Cancels sent 5", "Confirmed 3", "Executed or expired before the cancel 1", "Not confirmed 1", "Positions left 0",
    ]);
    expect(found.filter(({ done }) => !done).map(({ text }) => text)).toEqual(["Confirmed 3", "Not confirmed 1"]);
  });
  it("is done when all have ended, however", () => {
    expect(steps(progress({ sent: 5, confirmed: 4, ended_otherwise: 1 })).every(({ done }) => done)).toBe(true);
  });
  it("says when it was lifted", () => expect(steps(progress({ blocked: false }))[0]).toEqual({ done: false, text: "New orders are accepted again" }));
});
