/** Armed keyboard trading: keys send orders only while it is on, and the page says that it is. */

export const IDLE_MS = 10 * 60_000;

export type Armed = { on: false; why: string | null } | { on: true; until: number };

export type ArmEvent =
  | { is: "arm"; now: number }
  | { is: "used"; now: number } // a trading key, or the hand on this page
  | { is: "tick"; now: number }
  | { is: "disarm"; why: string | null }; // blur, cut, another account or environment, another tab

export const DISARMED: Armed = { on: false, why: null };

export function armed(now: Armed, event: ArmEvent): Armed {
  switch (event.is) {
    case "arm":
      return { on: true, until: event.now + IDLE_MS };
    case "used":
      return now.on ? { on: true, until: event.now + IDLE_MS } : now;
    case "tick":
      return now.on && event.now >= now.until ? { on: false, why: "idle for 10 minutes" } : now;
    case "disarm":
      return now.on ? { on: false, why: event.why } : now;
  }
}

export type Act =
  | { do: "side"; side: "buy" | "sell" }
  | { do: "tick"; by: 1 | -1 | 10 | -10 }
  | { do: "preset"; nth: number }
  | { do: "type"; type: "market" | "limit" }
  | { do: "send" }
  | { do: "cancel" }
  | { do: "cancel_all" }
  | { do: "flatten" };

export interface Key {
  code: string;
  shift: boolean;
  ctrl: boolean;
  alt: boolean;
  meta: boolean;
  repeat: boolean;
  composing: boolean;
  typing: boolean; // the focus is in a text field
}

/** What a key does while armed; by its place on the keyboard, so that other layouts keep it. */
export function act(key: Key): Act | null {
  if (key.composing || key.alt) return null;
  if (key.code === "Enter" && (key.ctrl || key.meta)) return key.repeat || key.shift ? null : { do: "send" };
  if (key.ctrl || key.meta || key.typing) return null;
  if (key.code === "ArrowUp" || key.code === "ArrowDown") {
    const up = key.code === "ArrowUp";
    return { do: "tick", by: key.shift ? (up ? 10 : -10) : up ? 1 : -1 };
  }
  if (key.repeat) return null;
  if (key.code === "KeyC") return key.shift ? { do: "cancel_all" } : { do: "cancel" };
  if (key.shift) return null;
  const preset = /^(?:Digit|Numpad)([1-5])$/.exec(key.code);
  if (preset) return { do: "preset", nth: Number(preset[1]) };
  switch (key.code) {
    case "KeyB":
      return { do: "side", side: "buy" };
    case "KeyS":
      return { do: "side", side: "sell" };
    case "KeyM":
      return { do: "type", type: "market" };
    case "KeyL":
      return { do: "type", type: "limit" };
    case "KeyF":
      return { do: "flatten" };
    default:
      return null;
  }
}

/** "9:58" */
export function countdown(until: number, now: number): string {
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
