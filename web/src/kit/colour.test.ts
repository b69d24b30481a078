import { expect, test } from "vitest";
import { contrast, doubts, isColour, readable, textOn } from "./colour";

const DARK = ["#0D1117", "#263142"];

test("what is read and told apart by every eye raises no doubt", () => expect(doubts("#2FC1B5", "#FF8B5E", DARK)).toEqual([]));
test("what is too dark is said with its contrast", () => expect(doubts("#204020", "#FF8B5E", DARK)[0]).toMatch(/up colour has a contrast of 1\.\d/));
test.each([["#2FC1B5", ["#F4F1EA", "#E5DFD3"]], ["#003300", DARK], ["#808080", DARK], ["#FFFF00", ["#FFFDF9"]]])("%s is made to be read on %o", (color, grounds) => {
  for (const ground of grounds) expect(contrast(readable(color, grounds), ground)).toBeGreaterThanOrEqual(4.5);
});
test("what is read already stays as it is", () => expect(readable("#2FC1B5", DARK)).toBe("#2FC1B5"));
test("red and green of one lightness are said to be alike for some eyes", () => expect(doubts("#5AA95A", "#C98A3C", DARK).join()).toMatch(/(protan|deutan)opic/));
test("the same twice is told apart by nobody", () => expect(doubts("#2FC1B5", "#2FC1B5", DARK)).toEqual(["The two colours are hardly told apart."]));
test.each([["#2FC1B5"], ["#FFFFFF"], ["#101010"], ["#777777"]])("text on %s is read", (ground) => expect(contrast(textOn(ground), ground)).toBeGreaterThanOrEqual(4.5));
test.each([["#2FC1B5", true], ["red", false], ["#FFF", false], ["#2FC1B5;", false]])("%s", (text, is) => expect(isColour(text)).toBe(is));
