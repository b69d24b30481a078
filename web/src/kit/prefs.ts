/** What a person has chosen about how this page looks and behaves. Kept locally, and in the house (shell/kept.ts). */
import { isColour, readable, textOn } from "./colour";
import { Store } from "./store";

export type Theme = "dark" | "light" | "system";
export type Density = "dense" | "comfortable";
export type Direction = "house" | "blue" | "classic" | "own";
export type Grouping = "en" | "de" | "fr" | "ch" | "plain";
/** "UTC", "local", or an IANA name such as "Europe/Zurich". */
export type Zone = string;
export type Confirm = "always" | "unusual" | "never-armed";

export interface Prefs {
  theme: Theme;
  density: Density;
  direction: Direction;
  swap: boolean;
  /** As #RRGGBB, where the direction is "own". */
  ownUp: string;
  ownDown: string;
  grouping: Grouping;
  zone: Zone;
  confirm: Confirm;
  /** Market orders, and prices this far through the touch, are unusual. */
  unusualBps: number;
  /** So are quantities of this many times the usual. */
  unusualTimes: number;
  /** So is what eats more than this share of the visible depth, in per cent. */
  unusualDepth: number;
  clearQty: boolean;
  keys: boolean;
  flash: boolean;
  sounds: boolean;
  /** Keys that were given another place: action → "g t", "Shift+KeyA" … */
  remapped: Record<string, string>;
}

export const DEFAULTS: Prefs = {
  theme: "system",
  density: "dense",
  direction: "house",
  swap: false,
  ownUp: "#2FC1B5",
  ownDown: "#FF8B5E",
  grouping: "en",
  zone: "UTC",
  confirm: "unusual",
  unusualBps: 25,
  unusualTimes: 5,
  unusualDepth: 30,
  clearQty: false,
  keys: true,
  flash: true,
  sounds: false,
  remapped: {},
};
const KEY = "fondaco.prefs";

/** Of an older or a newer page: what we know is taken, the rest is left to its default. */
export function migrated(found: unknown): Prefs {
  if (typeof found !== "object" || found === null) return DEFAULTS;
  const known = Object.entries(found).filter(
    ([name, value]) => name in DEFAULTS && typeof value === typeof DEFAULTS[name as keyof Prefs],
  );
  return { ...DEFAULTS, ...Object.fromEntries(known) };
}

function read(): Prefs {
  try {
    return migrated(JSON.parse(globalThis.localStorage?.getItem(KEY) ?? "null"));
  } catch {
    return DEFAULTS; // Storage is off, or holds what we did not write.
  }
}

export const prefs = new Store<Prefs>(read());

export function change(some: Partial<Prefs>): void {
  prefs.set({ ...prefs.get(), ...some });
}

/** Those of the theme in view. */
export function grounds(): string[] {
  const style = getComputedStyle(document.documentElement);
  return ["--bg0", "--bg1", "--bg2", "--bg3"].map((name) => style.getPropertyValue(name).trim());
}

/** Puts them on the document, now and whenever they change. */
export function applyPrefs(): void {
  const system = matchMedia("(prefers-color-scheme: light)");
  const apply = (): void => {
    const { theme, density, direction, swap, ownUp, ownDown } = prefs.get();
    const { dataset, style } = document.documentElement;
    dataset.theme = theme === "system" ? (system.matches ? "light" : "dark") : theme;
    dataset.density = density;
    dataset.direction = direction;
    dataset.swap = swap ? "yes" : "no";
    const isOwn = direction === "own" && isColour(ownUp) && isColour(ownDown);
    const shown = isOwn ? [ownUp, ownDown].map((each) => readable(each, grounds())) : ["", ""];
    for (const [nth, [name, on]] of ([["--up", "--on-buy"], ["--down", "--on-sell"]] as const).entries()) {
      const color = shown[nth] as string;
      style.setProperty(name, color); // "" takes it away
      style.setProperty(on, color && textOn(color));
    }
  };
  apply();
  system.addEventListener("change", apply);
  prefs.subscribe(() => {
    apply();
    try {
      localStorage.setItem(KEY, JSON.stringify(prefs.get()));
    } catch {
      // Storage is off or full: the choice holds until the page is left.
    }
  });
}
