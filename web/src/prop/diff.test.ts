import fc from "fast-check";
import { expect, it } from "vitest";
import { diff, near } from "./diff";

const texts = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 }).map((lines) => lines.join("\n"));
const lines = (text: string): string[] => text.replace(/\n$/, "").split("\n");

it("holds both texts whole, in their order", () => {
  fc.assert(fc.property(texts, texts, (before, after) => {
    const found = diff(before, after);
    expect(found.filter(({ kind }) => kind !== "new").map(({ text }) => text)).toEqual(lines(before));
    expect(found.filter(({ kind }) => kind !== "gone").map(({ text }) => text)).toEqual(lines(after));
  }));
});

it("of a text with itself changes nothing, and turned around swaps what goes and comes", () => {
  fc.assert(fc.property(texts, texts, (before, after) => {
    expect(diff(before, before).every(({ kind }) => kind === "same")).toBe(true);
    const count = (kind: string, from: string, to: string): number => diff(from, to).filter((each) => each.kind === kind).length;
    expect(count("gone", before, after)).toBe(count("new", after, before));
  }));
});

it("shows what is around a change and no more", () => {
  const found = near(diff("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\n6\nseven"));
  expect(found.map((each) => each && `${each.kind} ${each.text} ${each.before}/${each.after}`)).toEqual([null, "same 5 5/5", "same 6 6/6", "gone 7 7/0", "new seven 0/7"]);
});
