import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Drag, dragged, type DragEvent, type Draggable, ghost, IDLE, spread, verdict } from "./drag";
import { Units } from "./units";

const units = new Units({ symbol: "BTC-USD", base: "BTC", quote: "USD", tick_size: "0.01", lot_size: "0.001" });
const order: Draggable = { orderId: "demo.1", side: "buy", field: "price", from: 9_900n };
const press: DragEvent = { is: "press", order, y: 100 };
const run = (...events: DragEvent[]): Drag => events.reduce(dragged, IDLE);

describe("dragging an order", () => {
  test.each<[string, DragEvent[], Drag["at"]]>([
    ["a click moves nothing", [press, { is: "move", y: 102, ticks: 9_901n }, { is: "release", clOrdId: "x" }], "idle"],
    ["a move draws a ghost", [press, { is: "move", y: 110, ticks: 9_890n }], "moving"],
    ["release asks", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "release", clOrdId: "x" }], "asked"],
    ["back where it was asks nothing", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "move", y: 100, ticks: 9_900n }, { is: "release", clOrdId: "x" }], "idle"],
    ["Esc drops it", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "escape" }], "idle"],
    ["what is asked cannot be dropped", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "release", clOrdId: "x" }, { is: "escape" }], "asked"],
    ["nor begun again", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "release", clOrdId: "x" }, press], "asked"],
    ["an answer ends it", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "release", clOrdId: "x" }, { is: "answered" }], "idle"],
    ["a refusal stays with its reason", [press, { is: "move", y: 110, ticks: 9_890n }, { is: "release", clOrdId: "x" }, { is: "refused", why: "no" }], "refused"],
    ["arrows move it too", [press, { is: "step", by: 1n }], "moving"],
  ])("%s", (_, events, at) => {
    expect(run(...events).at).toBe(at);
  });

  test("the ghost is where the pointer was last, and the order where it was", () => {
    const moving = run(press, { is: "move", y: 110, ticks: 9_890n }, { is: "move", y: 120, ticks: 9_880n });
    expect(ghost(moving)).toMatchObject({ to: 9_880n, order: { from: 9_900n } });
    expect(ghost(IDLE)).toBe(null);
    expect(run(press, { is: "step", by: -10_000n })).toMatchObject({ to: 1n });
  });

  test.each([
    ["buy", "price", 9_950n, "+0.50 · rests, 50.0 bp from the ask"],
    ["buy", "price", 10_000n, "+1.00 · would execute at once"],
    ["buy", "price", 9_000n, "−9.00 · rests, 1000 bp from the ask"],
    ["sell", "price", 9_980n, "+0.80 · would execute at once"],
    ["sell", "stop_px", 9_980n, "+0.80 · waits"],
    ["sell", "stop_px", 9_995n, "+0.95 · would trigger at once"],
    ["buy", "stop_px", 10_100n, "+2.00 · waits"],
  ] as const)("%s %s to %s: %s", (side, field, to, text) => {
    expect(verdict({ ...order, side, field }, to, units, "99.90", "100.00")).toBe(text);
  });

  test("labels never lie on each other while there is room, in the order of their prices", () => {
    const label = fc.record({ id: fc.uuid(), y: fc.integer({ min: -50, max: 650 }) });
    fc.assert(
      fc.property(fc.uniqueArray(label, { selector: (each) => each.id, maxLength: 25 }), (labels) => {
        const places = [...spread(labels, 20, 0, 600).values()];
        places.forEach((place, nth) => {
          expect(place).toBeGreaterThanOrEqual(0);
          expect(place).toBeLessThanOrEqual(580);
          if (nth) expect(place - places[nth - 1]!).toBeGreaterThanOrEqual(20);
        });
      }),
    );
  });
});
