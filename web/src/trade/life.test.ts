import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANSWER_WITHIN_MS, clOrdId, type Intents, type LifeEvent, lived, locked, ofOrder, pending, type Stage } from "./life";

const NONE: Intents = new Map();
const wish = { kind: "place" as const, asked: { orders: [] } };
const refusal = { code: "exceeds_order_qty", text: "too large", largest: "1", reached: "no" as const };
const told = (...events: LifeEvent[]): Stage | undefined => events.reduce(lived, NONE).get("a")?.stage;
const send: LifeEvent = { is: "send", key: "a", wish, now: 0 };

describe("life of a click", () => {
  test.each<[string, LifeEvent[], Stage | undefined]>([
    ["is dashed until it is answered", [send], "sending"],
    ["goes once the house has it", [send, { is: "answered", key: "a" }], undefined],
    ["stays with its reason when refused", [send, { is: "refused", key: "a", refusal }], "refused"],
    ["is checked after two seconds", [send, { is: "tick", now: ANSWER_WITHIN_MS }], "checking"],
    ["and not before", [send, { is: "tick", now: ANSWER_WITHIN_MS - 1 }], "sending"],
    ["is checked when it was lost on its way", [send, { is: "lost", key: "a" }], "checking"],
    ["is unknown when the line was cut", [send, { is: "cut" }], "unknown"],
    ["stays unknown whatever the clock says", [send, { is: "cut" }, { is: "tick", now: 99_999 }], "unknown"],
    ["an unknown one that is found is known", [send, { is: "cut" }, { is: "answered", key: "a" }], undefined],
    ["one that never came may be sent again", [send, { is: "lost", key: "a" }, { is: "absent", key: "a" }], "refused"],
    ["one under way is not absent yet", [send, { is: "absent", key: "a" }], "sending"],
    ["a refusal is not undone by a cut", [send, { is: "refused", key: "a", refusal }, { is: "cut" }], "refused"],
    ["a refusal is dismissed by hand", [send, { is: "refused", key: "a", refusal }, { is: "dismiss", key: "a" }], undefined],
    ["what nobody sent has no answer", [{ is: "answered", key: "b" }], undefined],
  ])("%s", (_, events, stage) => {
    expect(told(...events)).toBe(stage);
  });

  test("the button is locked until the answer, whatever it is", () => {
    const sent = lived(NONE, send);
    expect(locked(sent)).toBe(true);
    expect(locked(lived(sent, { is: "cut" }))).toBe(true);
    expect(locked(lived(sent, { is: "answered", key: "a" }))).toBe(false);
    expect(locked(lived(sent, { is: "refused", key: "a", refusal }))).toBe(false);
    expect(locked(lived(NONE, { is: "send", key: "c", wish: { kind: "cancel", orderId: "demo.1" }, now: 0 }))).toBe(false);
  });

  test("an order knows what is asked of it", () => {
    const asked = lived(NONE, { is: "send", key: "c", wish: { kind: "cancel", orderId: "demo.1" }, now: 0 });
    expect(ofOrder(asked, "demo.1")?.wish.kind).toBe("cancel");
    expect(ofOrder(asked, "demo.2")).toBeUndefined();
  });

  test("nothing is pending once everything was answered or refused, in any order", () => {
    const key = fc.constantFrom("a", "b", "c");
    const event = fc.oneof(
      key.map((each): LifeEvent => ({ is: "send", key: each, wish, now: 0 })),
      key.map((each): LifeEvent => ({ is: "lost", key: each })),
      fc.constant<LifeEvent>({ is: "cut" }),
      fc.nat(9_999).map((now): LifeEvent => ({ is: "tick", now })),
    );
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), (events, refused) => {
        const ends = ["a", "b", "c"].map((each, nth): LifeEvent =>
          refused[nth] ? { is: "refused", key: each, refusal } : { is: "answered", key: each },
        );
        expect(pending([...events, ...ends].reduce(lived, NONE))).toEqual([]);
      }),
    );
  });

  test("ids of clicks differ", () => {
    const made = Array.from({ length: 1_000 }, () => clOrdId(() => 0.5, 1));
    expect(new Set(made).size).toBe(1_000);
    expect(made[0]).toMatch(/^[A-Za-z0-9_.:+=-]{1,64}$/);
  });
});
