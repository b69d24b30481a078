import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AccountState, evolve, fromSnapshot, Heard, nothing } from "./account";
import type { AccountMessage, Snapshot } from "./messages";
import { summary, waitMs, RETRY_MAX_MS } from "./protocol";

/** What entries say: one, two or three messages each, as a fill does. */
const entries = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 12 }).map((counts) =>
  counts.map((count, nth): AccountMessage[] => {
    const position = 10 + 2 * nth;
    const at = position * 1e9;
    const all: AccountMessage[] = [
      { channel: "balances", position, account_id: "demo", changes: { USD: "-1.50" }, at },
      { channel: "executions", position, account_id: "demo", order_id: "demo.1", exec_number: nth, symbol: "A", side: "buy", last_qty: "1", last_px: "1.50", fee: "0", fee_asset: "USD", liquidity: "taker", cum_qty: String(nth + 1), leaves_qty: "99", ord_status: "partially_filled", at },
      { channel: "orders", position, account_id: "demo", order_id: "demo.1", kind: "trading.order_filled.v1", at, ord_status: "partially_filled" },
    ];
    return all.slice(0, count);
  }),
);

function snapshot(position: number, usd: string): Snapshot {
  const account = { account_id: "demo", name: "", account_type: "cash", currency: "USD", trading_state: "active", equity: null, open_orders: 0, position, virtual: true };
  return { type: "snapshot", id: 1, account_id: "demo", position, orders: [], account: { ...account, balances: [{ asset: "USD", balance: usd, held: "0", free: usd, value: null, mark: null }] } };
}

describe("what is heard", () => {
  test("is applied once and told once, wherever the line was cut", () => {
    fc.assert(
      fc.property(entries, fc.nat(), (told, where) => {
        const all = told.flat();
        const cut = where % (all.length + 1);
        const heard = new Heard();
        heard.snapshot(9);
        const seen: AccountMessage[] = [];
        const hear = (message: AccountMessage): void => {
          const { applies, tells } = heard.take(message);
          expect(applies).toBe(tells);
          if (applies) seen.push(message);
        };
        all.slice(0, cut).forEach(hear);
        // The line comes back: the house tells everything after the position that we name.
        const after = heard.resumeAfter;
        all.filter((message) => message.position > after).forEach(hear);
        expect(seen).toEqual(all);
      }),
    );
  });

  test("a snapshot from before what was heard is filled up again, and nobody is told twice", () => {
    fc.assert(
      fc.property(entries, fc.nat(), (told, where) => {
        const all = told.flat();
        const heard = new Heard();
        heard.snapshot(9);
        let state: AccountState = fromSnapshot(nothing("demo"), snapshot(9, "100"));
        let tells = 0;
        const hear = (message: AccountMessage): void => {
          const found = heard.take(message);
          if (found.applies) state = evolve(state, [message]);
          tells += Number(found.tells);
        };
        all.forEach(hear);
        const before = state.balances.get("USD")?.balance;
        // A new subscription shows the views as of some entry, and all that followed.
        const at = 9 + 2 * (where % told.length);
        const spent = all.filter((message) => message.channel === "balances" && message.position <= at).length;
        heard.snapshot(at);
        state = fromSnapshot(state, snapshot(at, (100 - 1.5 * spent).toFixed(2)));
        all.filter((message) => message.position > at).forEach(hear);
        expect(tells).toBe(all.length);
        expect(Number(state.balances.get("USD")?.balance)).toBe(Number(before));
      }),
    );
  });

  test("after the end was reached, what follows it is asked for and no more", () => {
    const heard = new Heard();
    heard.snapshot(5);
    heard.take({ channel: "balances", position: 7, account_id: "demo", changes: {}, at: 0 });
    expect(heard.resumeAfter).toBe(6);
    heard.caughtUp(9);
    expect(heard.resumeAfter).toBe(9);
  });
});

test("average price and filled quantity follow each execution", () => {
  const order = { order_id: "demo.1", account_id: "demo", cl_ord_id: "c", symbol: "A", side: "buy", ord_type: "limit", ord_status: "new", order_qty: "3", leaves_qty: "3", cum_qty: "0", created_at: "", updated_at: "", position: 1 };
  const fill = (position: number, last_px: string, last_qty: string, cum_qty: string, leaves_qty: string): AccountMessage => ({
    channel: "executions", position, account_id: "demo", order_id: "demo.1", exec_number: position, symbol: "A", side: "buy", last_qty, last_px, fee: "0", fee_asset: "USD", liquidity: "taker", cum_qty, leaves_qty, ord_status: leaves_qty === "0" ? "filled" : "partially_filled", at: 1,
  });
  const state = { ...nothing("demo"), orders: new Map([["demo.1", order]]) };
  const after = evolve(state, [fill(2, "10.00", "1", "1", "2"), fill(3, "13.00", "2", "3", "0")]);
  expect(after.orders.get("demo.1")).toMatchObject({ cum_qty: "3", leaves_qty: "0", ord_status: "filled", avg_px: "12.00000000" });
  expect(after.executions).toHaveLength(2);
  const amended = (message: AccountMessage, exec_type: "trade_cancel" | "trade_correct"): AccountMessage => ({ ...message, exec_type, ref_number: 3 }) as AccountMessage;
  const busted = evolve(after, [amended(fill(4, "13.00", "2", "1", "0"), "trade_cancel")]);
  expect(busted.orders.get("demo.1")).toMatchObject({ cum_qty: "1", avg_px: "10.00000000" });
  expect(busted.executions).toHaveLength(1);
  const corrected = evolve(after, [amended(fill(4, "16.00", "2", "3", "0"), "trade_correct")]);
  expect(corrected.orders.get("demo.1")).toMatchObject({ cum_qty: "3", avg_px: "14.00000000" });
  expect(corrected.executions.map((each) => each.exec_number)).toEqual([2, 4]);
});

test("what happened while away is one sentence", () => {
  const message = (ord_status: string, position: number): AccountMessage => ({ channel: "orders", position, account_id: "demo", order_id: "o", kind: "k", at: 1, ord_status });
  const items = [message("rejected", 1), message("canceled", 2), message("canceled", 3)].map((each) => ({ type: "message" as const, message: each, tells: true }));
  expect(summary(items)).toBe("1 refusal, 2 canceled");
  expect(summary([])).toBe("");
});

test("waits grow to eight seconds and are spread", () => {
  fc.assert(
    fc.property(fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, spread) => {
      const wait = waitMs(attempt, spread);
      expect(wait).toBeGreaterThanOrEqual(187);
      expect(wait).toBeLessThanOrEqual(RETRY_MAX_MS * 1.25);
    }),
  );
  expect(waitMs(0, 0.5)).toBe(250);
  expect(waitMs(9, 0.5)).toBe(RETRY_MAX_MS);
});
