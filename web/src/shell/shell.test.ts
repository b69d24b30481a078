import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chordOf, chordsOf, meaning } from "./keys";
import { migrated, NONE } from "./layouts";
import { rank } from "./Palette";
import { address, parse } from "./routes";
import { migrated as prefsOf, DEFAULTS } from "../kit/prefs";
import type { Command } from "./screens";

describe("addresses", () => {
  test("what is written is read again", () => {
    const word = fc.string({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 3 }), fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), word), (path, parts, query) => {
        expect(parse(address(path, parts, query))).toEqual({ path, parts, query });
      }),
    );
  });
});

describe("keys", () => {
  const ran: string[] = [];
  const command = (title: string, keys: string): Command => ({ title, keys, run: () => void ran.push(title) });
  const all = [command("trade", "g t"), command("ticket", "t"), command("keys", "?"), command("send", "Ctrl+Enter"), command("arm", "Shift+A")];
  const title = (chord: string, at: number): string => {
    const found = meaning(chord, at, all);
    return found === null || found === "begun" ? String(found) : found.title;
  };

  test("go by their place, one or two of them", () => {
    expect(title("KeyT", 0)).toBe("ticket");
    expect(title("KeyG", 100)).toBe("begun");
    expect(title("KeyT", 200)).toBe("trade");
    expect(title("KeyG", 300)).toBe("begun");
    expect(title("KeyT", 5_000)).toBe("ticket"); // too late for the two
    expect(title("KeyG", 6_000)).toBe("begun");
    expect(title("KeyX", 6_100)).toBe("null");
    expect(title("KeyT", 6_200)).toBe("ticket");
    expect(title("Shift+Slash", 7_000)).toBe("keys");
    expect(title("Ctrl+Enter", 7_100)).toBe("send");
    expect(title("Shift+KeyA", 7_200)).toBe("arm");
    expect(title("KeyA", 7_300)).toBe("null");
  });

  test("⌘ is Ctrl, and a layout does not matter", () => {
    const held = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
    expect(chordOf({ ...held, code: "KeyK", metaKey: true })).toBe("Ctrl+KeyK");
    expect(chordsOf("g t")).toEqual(["KeyG", "KeyT"]);
    expect(chordsOf("[")).toEqual(["BracketLeft"]);
    expect(chordsOf("5")).toEqual(["Digit5"]);
  });
});

describe("the palette", () => {
  const symbol = { key: "s BTC-USD", kind: "symbol", title: "BTC-USD" } as const;
  const action = { key: "c x", kind: "action", title: "Cancel all orders of BTC-USD" } as const;
  const order = { key: "o demo.1", kind: "order", title: "Order demo.1", words: "BTC-USD buy" } as const;

  test("puts an exact symbol first, then what was used lately", () => {
    expect(rank(symbol, "btcusd", [])).toBeGreaterThan(rank(action, "btcusd", [action.key]));
    expect(rank(action, "c", [action.key])).toBeGreaterThan(rank(action, "c", []));
    expect(rank(order, "", [])).toBe(0);
    expect(rank(order, "demo buy", [])).toBeGreaterThan(0);
    expect(rank(action, "zebra", [])).toBe(0);
  });
});

describe("what was kept by an older page", () => {
  test("is carried over, never dropped", () => {
    expect(migrated({ screens: { trade: { ladder: 300 } } }).named.Standard).toEqual({ trade: { ladder: 300 } });
    expect(migrated({ version: 1, active: "Mine", layouts: { Mine: { trade: { a: 1 } } } })).toMatchObject({ version: 2, active: "Mine", named: { Mine: { trade: { a: 1 } } } });
    expect(migrated({ named: {}, active: 3 })).toEqual(NONE);
  });

  test("and what nobody knows does no harm", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (found) => {
      const layouts = migrated(found);
      expect(layouts.active in layouts.named).toBe(true);
      expect(Object.keys(prefsOf(found))).toEqual(Object.keys(DEFAULTS));
    }));
    expect(prefsOf(null)).toEqual(DEFAULTS);
    expect(prefsOf({ theme: "light", swap: "yes", nonsense: 1 })).toEqual({ ...DEFAULTS, theme: "light" });
  });
});
