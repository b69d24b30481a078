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

export interface ArmedKey {
  title: string;
  keys: string; // as written; a person may give it others
  act: Act;
  repeats?: boolean; // goes on while it is held
  typing?: boolean; // taken even in a text field
}

export const ARMED_KEYS: readonly ArmedKey[] = [
  { title: "Side: buy", keys: "B", act: { do: "side", side: "buy" } },
  { title: "Side: sell", keys: "S", act: { do: "side", side: "sell" } },
  { title: "Price one tick up", keys: "↑", act: { do: "tick", by: 1 }, repeats: true },
  { title: "Price one tick down", keys: "↓", act: { do: "tick", by: -1 }, repeats: true },
  { title: "Price ten ticks up", keys: "Shift+↑", act: { do: "tick", by: 10 }, repeats: true },
  { title: "Price ten ticks down", keys: "Shift+↓", act: { do: "tick", by: -10 }, repeats: true },
  ...[1, 2, 3, 4, 5].map((nth): ArmedKey => ({ title: `Quantity preset ${nth}`, keys: String(nth), act: { do: "preset", nth } })),
  { title: "Type: market", keys: "M", act: { do: "type", type: "market" } },
  { title: "Type: limit", keys: "L", act: { do: "type", type: "limit" } },
  { title: "Send the order", keys: "Ctrl+Enter", act: { do: "send" }, typing: true },
  { title: "Cancel the selected order", keys: "C", act: { do: "cancel" } },
  { title: "Cancel all of this instrument", keys: "Shift+C", act: { do: "cancel_all" } },
  { title: "Flatten the position", keys: "F", act: { do: "flatten" } },
];

export interface Pressed {
  chord: string; // by its place on the keyboard, so that other layouts keep it
  repeat: boolean;
  composing: boolean;
  typing: boolean; // the focus is in a text field
}

/** What a key does while armed. `chordOf` gives the chord that a person has for it. */
export function act(pressed: Pressed, chordOf: (key: ArmedKey) => string): Act | null {
  if (pressed.composing) return null;
  for (const key of ARMED_KEYS) {
    if (chordOf(key) !== pressed.chord) continue;
    if ((pressed.repeat && !key.repeats) || (pressed.typing && !key.typing)) return null;
    return key.act;
  }
  return null;
}

/** "9:58" */
export function countdown(until: number, now: number): string {
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
