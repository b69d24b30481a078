/** The colours again: contrast by WCAG 2.2, distance by CIEDE2000 after colour blindness (Machado 2009, full severity). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

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
type Rgb = [number, number, number];

const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
const linear = (hex: string): Rgb => rgb(hex).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Rgb;
const luminance = (hex: string): number => {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
export function contrast(a: string, b: string): number {
  const [one, two] = [luminance(a), luminance(b)];
  return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
}

const EYES: Record<string, number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

function lab(color: Rgb): Rgb {
  const [r, g, b] = color;
  const xyz = [
    (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883,
  ].map((t) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116)) as Rgb;
  return [116 * xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])];
}

function seen(hex: string, eye: string): Rgb {
  const m = EYES[eye] as number[];
  const color = linear(hex);
  return [0, 3, 6].map((row) => Math.min(1, Math.max(0, [0, 1, 2].reduce((sum, at) => sum + (m[row + at] as number) * (color[at] as number), 0)))) as Rgb;
}

/** Sharma, Wu, Dalal 2005. */
function ciede2000(one: Rgb, two: Rgb): number {
  const degrees = Math.PI / 180;
  const mean = (Math.hypot(one[1], one[2]) + Math.hypot(two[1], two[2])) / 2;
  const g = 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
  const of = ([l, a, b]: Rgb): Rgb => {
    const stretched = a * (1 + g);
    const hue = Math.atan2(b, stretched) / degrees;
    return [l, Math.hypot(stretched, b), hue < 0 ? hue + 360 : hue];
  };
  const [l1, c1, h1] = of(one);
  const [l2, c2, h2] = of(two);
  const apart = c1 * c2 === 0 ? 0 : Math.abs(h2 - h1) <= 180 ? h2 - h1 : h2 - h1 > 180 ? h2 - h1 - 360 : h2 - h1 + 360;
  const dh = 2 * Math.sqrt(c1 * c2) * Math.sin((apart / 2) * degrees);
  const l = (l1 + l2) / 2;
  const c = (c1 + c2) / 2;
  const h = c1 * c2 === 0 ? h1 + h2 : Math.abs(h1 - h2) <= 180 ? (h1 + h2) / 2 : h1 + h2 < 360 ? (h1 + h2 + 360) / 2 : (h1 + h2 - 360) / 2;
  const cos = (angle: number): number => Math.cos(angle * degrees);
  const t = 1 - 0.17 * cos(h - 30) + 0.24 * cos(2 * h) + 0.32 * cos(3 * h + 6) - 0.2 * cos(4 * h - 63);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const sc = 1 + 0.045 * c;
  const sh = 1 + 0.015 * c * t;
  const rt = -2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) * Math.sin(60 * Math.exp(-(((h - 275) / 25) ** 2)) * degrees);
  const [x, y, z] = [(l2 - l1) / sl, (c2 - c1) / sc, dh / sh];
  return Math.sqrt(x * x + y * y + z * z + rt * y * z);
}

const distance = (a: string, b: string, eye: string): number => ciede2000(lab(seen(a, eye)), lab(seen(b, eye)));

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
