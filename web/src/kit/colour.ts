/** How far colours are told apart: contrast by WCAG 2.2, distance by CIEDE2000 for colour-blind eyes (Machado 2009). */

type Rgb = [number, number, number];

const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
const linear = (hex: string): Rgb => rgb(hex).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Rgb;
export const luminance = (hex: string): number => {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
export function contrast(a: string, b: string): number {
  const [one, two] = [luminance(a), luminance(b)];
  return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
}

export const EYES: Record<string, number[]> = {
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
export function ciede2000(one: Rgb, two: Rgb): number {
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

export const distance = (a: string, b: string, eye: string): number => ciede2000(lab(seen(a, eye)), lab(seen(b, eye)));

const READ = 4.5;
const TOLD_APART = 10;
export const isColour = (text: string): boolean => /^#[0-9A-Fa-f]{6}$/.test(text);

/** Black or white on it, whichever is read better. */
export const textOn = (ground: string): string => (contrast("#FFFFFF", ground) >= contrast("#000000", ground) ? "#FFFFFF" : "#000000");

const worst = (color: string, grounds: readonly string[]): number => Math.min(...grounds.map((ground) => contrast(color, ground)));
const STEPS = 20;

/** The colour itself where it is read on every ground, else as little lighter or darker as it takes. */
export function readable(color: string, grounds: readonly string[]): string {
  const end = worst("#FFFFFF", grounds) > worst("#000000", grounds) ? 255 : 0;
  for (let nth = 0; nth <= STEPS; nth += 1) {
    const mixed = [1, 3, 5].map((at) => Math.round(Number.parseInt(color.slice(at, at + 2), 16) * (1 - nth / STEPS) + (end * nth) / STEPS));
    const found = `#${mixed.map((each) => each.toString(16).padStart(2, "0")).join("")}`.toUpperCase();
    if (worst(found, grounds) >= READ) return found;
  }
  return end ? "#FFFFFF" : "#000000";
}

/** What somebody would not tell apart, and what is changed so that it is read; nothing where all is well. */
export function doubts(up: string, down: string, grounds: readonly string[]): string[] {
  const found: string[] = [];
  for (const [name, color] of [["up", up], ["down", down]] as const) {
    const least = worst(color, grounds);
    if (least < READ) found.push(`The ${name} colour has a contrast of ${least.toFixed(1)} in this theme, and ${READ} is needed to be read: ${readable(color, grounds)} is shown.`);
  }
  const blind = Object.keys(EYES).filter((eye) => distance(up, down, eye) < TOLD_APART);
  if (blind.includes("normal")) found.push("The two colours are hardly told apart.");
  else if (blind.length) found.push(`Eyes that are ${blind.map((eye) => `${eye}opic`).join(" or ")} do not tell them apart.`);
  return found;
}
