/** A working order dragged by its label to a new price: a wish until the house has answered. */
import type { Side } from "./ticket";
import { Units } from "./units";

export interface Draggable {
  orderId: string;
  side: Side;
  field: "price" | "stop_px"; // what of it is moved
  from: bigint; // ticks
}

export type Drag =
  | { at: "idle" }
  | { at: "pressed"; order: Draggable; y: number }
  | { at: "moving"; order: Draggable; to: bigint }
  | { at: "asked"; order: Draggable; to: bigint; clOrdId: string }
  | { at: "refused"; order: Draggable; to: bigint; why: string };

export type DragEvent =
  | { is: "press"; order: Draggable; y: number }
  | { is: "move"; y: number; ticks: bigint }
  | { is: "step"; by: bigint } // an arrow key on a label
  | { is: "release"; clOrdId: string }
  | { is: "escape" }
  | { is: "answered" }
  | { is: "refused"; why: string };

export const IDLE: Drag = { at: "idle" };
const SLACK_PX = 3; // a press that moves less is a click

export function dragged(now: Drag, event: DragEvent): Drag {
  switch (event.is) {
    case "press":
      // One wish at a time: what is asked must be answered first.
      return now.at === "asked" ? now : { at: "pressed", order: event.order, y: event.y };
    case "move":
      if (now.at === "pressed") {
        if (Math.abs(event.y - now.y) < SLACK_PX) return now;
        return { at: "moving", order: now.order, to: event.ticks };
      }
      return now.at === "moving" ? { ...now, to: event.ticks } : now;
    case "step":
      if (now.at === "pressed") return { at: "moving", order: now.order, to: positive(now.order.from + event.by) };
      return now.at === "moving" ? { ...now, to: positive(now.to + event.by) } : now;
    case "release":
      if (now.at !== "moving" || now.to === now.order.from) return now.at === "asked" ? now : IDLE;
      return { at: "asked", order: now.order, to: now.to, clOrdId: event.clOrdId };
    case "escape":
      return now.at === "asked" ? now : IDLE;
    case "answered":
      return now.at === "asked" ? IDLE : now;
    case "refused":
      return now.at === "asked" ? { at: "refused", order: now.order, to: now.to, why: event.why } : now;
  }
}

const positive = (ticks: bigint): bigint => (ticks > 0n ? ticks : 1n);

/** Where the dashed ghost stands, if there is one. */
export function ghost(now: Drag): { order: Draggable; to: bigint } | null {
  return now.at === "moving" || now.at === "asked" || now.at === "refused" ? now : null;
}

/** What is said beside the ghost: how far it is, and what it would do at once. */
export function verdict(order: Draggable, to: bigint, units: Units, bid: string | null, ask: string | null): string {
  const by = to - order.from;
  const distance = `${by < 0n ? "−" : "+"}${units.px(by < 0n ? -by : by)}`;
  const touchText = order.side === "buy" ? ask : bid;
  const touch = touchText === null ? null : units.ticks(touchText);
  if (touch === null) return `${distance} · no other side`;
  if (order.field === "stop_px") {
    const fires = order.side === "buy" ? to <= touch : to >= touch;
    return fires ? `${distance} · would trigger at once` : `${distance} · waits`;
  }
  const takes = order.side === "buy" ? to >= touch : to <= touch;
  if (takes) return `${distance} · would execute at once`;
  const away = order.side === "buy" ? touch - to : to - touch;
  return `${distance} · rests, ${bps(away, touch)} bp from the ${order.side === "buy" ? "ask" : "bid"}`;
}

function bps(part: bigint, whole: bigint): string {
  const tenths = (part * 100_000n) / whole;
  return tenths >= 1000n ? (tenths / 10n).toString() : `${tenths / 10n}.${tenths % 10n}`;
}

export interface Label {
  id: string;
  y: number; // where its price is
}

/** Labels that would lie on each other move apart; each stays as near to its price as it can. */
export function spread(labels: readonly Label[], height: number, top: number, bottom: number): Map<string, number> {
  const sorted = [...labels].sort((a, b) => a.y - b.y || (a.id < b.id ? -1 : 1));
  const places = sorted.map((label) => Math.min(Math.max(label.y, top), bottom - height));
  for (let nth = 1; nth < places.length; nth += 1) {
    places[nth] = Math.max(places[nth]!, places[nth - 1]! + height);
  }
  let limit = bottom - height;
  for (let nth = places.length - 1; nth >= 0; nth -= 1) {
    places[nth] = Math.min(places[nth]!, limit);
    limit = places[nth]! - height;
  }
  return new Map(sorted.map((label, nth) => [label.id, places[nth]!]));
}
