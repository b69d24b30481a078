/** The colours again: contrast by WCAG 2.2, distance by CIEDE2000 after colour blindness (Machado 2009, full severity). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ciede2000, contrast, distance, EYES, luminance } from "./colour";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

function block(selector: string): Record<string, string> {
  const at = css.indexOf(`${selector} {`);
  if (at < 0) throw new Error(`${selector} is not in tokens.css`);
  const body = css.slice(at, css.indexOf("}", at));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9A-Fa-f]{6})/g)].map((found) => [found[1], found[2]])) as Record<string, string>;
}
const dark = block(':root, :root[data-theme="dark"]');
const light = block(':root[data-theme="light"]');
const themes = { dark, light };
test("the distance is the published one (Sharma, Wu, Dalal 2005, table 1)", () => {
  expect(ciede2000([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4);
  expect(ciede2000([50, 2.49, -0.001], [50, -2.49, 0.0009])).toBeCloseTo(7.1792, 4);
  expect(ciede2000([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514])).toBeCloseTo(0.9082, 4);
});

describe.each(Object.entries(themes))("%s", (_, theme) => {
  const of = (name: string): string => {
    const found = theme[name];
    if (!found) throw new Error(`--${name} is missing`);
    return found;
  };
  const grounds = ["bg0", "bg1", "bg2", "bg3"];

  test.each(["ink", "ink2", "ink3", "accent", "up", "down", "critical-ink"])("%s is read on every ground", (name) => {
    for (const ground of grounds) expect(contrast(of(name), of(ground)), ground).toBeGreaterThanOrEqual(4.5);
  });

  test("borders of what is typed into are seen", () => {
    for (const ground of grounds) expect(contrast(of("edge"), of(ground)), ground).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ["on-buy", "up"],
    ["on-sell", "down"],
    ["on-warn", "warn"],
    ["on-critical", "critical"],
    ["on-info", "info"],
    ["ink3", "bid-bar"],
    ["ink3", "ask-bar"],
    ["ink3", "own-row"],
    ["ink", "flash-up"],
    ["ink", "flash-down"],
  ])("%s on %s", (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test("a change of a cell is no flash by WCAG 2.3.1", () => {
    for (const name of ["flash-up", "flash-down"]) {
      const [one, two] = [luminance(of("bg1")), luminance(of(name))];
      expect(Math.abs(one - two) < 0.1 || Math.min(one, two) > 0.8).toBe(true);
    }
  });

  test("lines of a chart are told apart", () => {
    const lines = ["line1", "line2", "line3", "line4", "line5"].map(of);
    for (const [nth, one] of lines.entries()) {
      for (const two of lines.slice(nth + 1)) expect(distance(one, two, "normal"), `${one} ${two}`).toBeGreaterThan(10);
    }
  });
});

const sets = [
  ["house", dark, light],
  ["blue", block(':root[data-direction="blue"]'), block(':root[data-direction="blue"][data-theme="light"]')],
  ["classic", block(':root[data-direction="classic"]'), block(':root[data-direction="classic"][data-theme="light"]')],
] as const;

test.each(sets.flatMap(([name, inDark, inLight]) => [[name, "dark", inDark, dark], [name, "light", inLight, light]] as const))(
  "%s in %s: up and down are told apart by every eye, and are read",
  (_, __, set, theme) => {
    const [up, down] = [set.up as string, set.down as string];
    for (const eye of Object.keys(EYES)) expect(distance(up, down, eye), eye).toBeGreaterThanOrEqual(10);
    for (const ground of ["bg0", "bg1", "bg2", "bg3"]) {
      for (const color of [up, down]) expect(contrast(color, theme[ground] as string), `${color} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(set["on-buy"] as string, up)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(set["on-sell"] as string, down)).toBeGreaterThanOrEqual(4.5);
  },
);
