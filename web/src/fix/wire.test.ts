import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { bytesOf, chain, completed, completions, differing, flat, letter, type Shown, spans, written } from "./wire";

const shown = (tag: number, value: string, entries: Shown[][] = []): Shown => ({ tag, name: `T${tag}`, value, meaning: null, entries });
const hex = (text: string): string => Array.from(text, (each) => each.charCodeAt(0).toString(16).padStart(2, "0")).join("");

it("tells fields of groups behind the one that counts them, and where an entry begins", () => {
  const found = flat([shown(35, "W"), shown(268, "2", [[shown(269, "0"), shown(270, "1")], [shown(269, "1")]]), shown(10, "000")]);
  expect(found.map(({ tag, depth, entry }) => [tag, depth, entry])).toEqual([[35, 0, ""], [268, 0, ""], [269, 1, "1 of 2"], [270, 1, ""], [269, 1, "2 of 2"], [10, 0, ""]]);
});

describe("places of fields", () => {
  it("cover every byte once, in order, each at its tag", () => {
    const field = fc.record({ tag: fc.integer({ min: 1, max: 9_999 }), value: fc.string({ unit: fc.constantFrom(..."abcXYZ.- 019"), maxLength: 8 }) });
    fc.assert(fc.property(fc.array(field, { minLength: 1, maxLength: 20 }), (fields) => {
      const raw = fields.map(({ tag, value }) => `${tag}=${value}\x01`).join("");
      const bytes = bytesOf(hex(raw));
      const found = spans(bytes, fields);
      expect(found.map((span) => span.field)).toEqual(fields.map((_, nth) => nth));
      expect(found.map(({ from, to }) => raw.slice(from, to))).toEqual(fields.map(({ tag, value }) => `${tag}=${value}\x01`));
    }));
  });

  it("bear SOH inside a data field, and a message that was cut", () => {
    const data = "95=3\x0196=a\x01b\x0110=000\x01";
    expect(spans(bytesOf(hex(data)), [{ tag: 95 }, { tag: 96 }, { tag: 10 }]).map(({ from, to }) => data.slice(from, to))).toEqual(["95=3\x01", "96=a\x01b\x01", "10=000\x01"]);
    const cut = "35=D\x01garb";
    expect(spans(bytesOf(hex(cut)), [{ tag: 35 }, { tag: 49 }])).toEqual([{ field: 0, from: 0, to: 5 }, { field: -1, from: 5, to: 9 }]);
  });
});

it("hides no byte", () => {
  expect([65, 1, 0, 255, 126].map(letter)).toEqual(["A", "␁", "\\x00", "\\xff", "~"]);
  expect(written(bytesOf("380141"))).toBe("8␁A");
});

it("says what differs, a repeated tag by its turn", () => {
  const left = flat([shown(35, "D"), shown(58, "a"), shown(58, "b"), shown(44, "1")]);
  const right = flat([shown(35, "D"), shown(58, "a"), shown(58, "c"), shown(1, "x")]);
  expect(differing(left, right).map(({ tag, left: l, right: r }) => [tag, l?.value ?? null, r?.value ?? null])).toEqual([[58, "b", "c"], [44, "1", null], [1, null, "x"]]);
});

it("asks for everything of one order", () => {
  expect(chain(flat([shown(11, 'a"1'), shown(41, "b"), shown(37, "demo.4")]))).toBe('11="a\\"1" OR 41="a\\"1" OR 11="b" OR 41="b" OR 37="demo.4"');
  expect(chain(flat([shown(37, "NONE"), shown(11, "a")]))).toBe('11="a" OR 41="a"');
  expect(chain(flat([shown(35, "0")]))).toBe("");
});

describe("completion", () => {
  it.each<[string, string | undefined]>([["sym", "Symbol"], ["55", "Symbol"], ["35=D AND cl", "ClOrdID"], ["35=D an", "AND"], ["58=lim", undefined], ['"sym', undefined], ["", undefined], ["(msgt", "MsgType"]])("of %s", (text, first) => {
    expect(completions(text, text.length)[0]?.name).toBe(first);
  });

  it("puts the name and the operator where the word was", () => {
    expect(completed("35=D AND sy AND 54=1", 11, { name: "Symbol", tag: 55 })).toEqual({ text: "35=D AND Symbol= AND 54=1", cursor: 16 });
    expect(completed("35=D an", 7, { name: "AND", tag: 0 })).toEqual({ text: "35=D AND ", cursor: 9 });
  });
});
