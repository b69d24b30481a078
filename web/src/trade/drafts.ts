/** The drafted ticket of each instrument: kept over reloads, and shared by ticket, ladder, chart and keys. */
import { Store } from "../kit/store";
import { changed, type Draft, EMPTY } from "./ticket";

type Drafts = Readonly<Record<string, Draft>>;
const KEY = "fondaco.drafts";
const KEPT_MAX = 50;

function read(): Drafts {
  try {
    const found: unknown = JSON.parse(globalThis.localStorage?.getItem(KEY) ?? "{}");
    if (typeof found !== "object" || found === null) return {};
    return Object.fromEntries(Object.entries(found).map(([symbol, draft]) => [symbol, sound({ ...(draft as Draft), symbol })]));
  } catch {
    return {}; // Storage is off, or holds what we did not write.
  }
}

/** Of an older page: what we know is taken, the rest is left to its default. */
export function sound(found: Draft): Draft {
  const known = Object.entries(found).filter(([name, value]) => name in EMPTY && typeof value === typeof EMPTY[name as keyof Draft]);
  return changed({ ...EMPTY, ...Object.fromEntries(known) }, {});
}

export const drafts = new Store<Drafts>(read());

const empty = new Map<string, Draft>();

/** The draft of an instrument; the same object until it changes. */
export function draftOf(symbol: string): Draft {
  const found = drafts.get()[symbol] ?? empty.get(symbol);
  if (found) return found;
  const made = { ...EMPTY, symbol };
  empty.set(symbol, made);
  return made;
}

export function draft(symbol: string, change: Partial<Draft>): void {
  drafts.update((all) => ({ ...all, [symbol]: { ...changed(draftOf(symbol), change), symbol } }));
}

let timer: ReturnType<typeof setTimeout> | undefined;
drafts.subscribe(() => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    try {
      localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(Object.entries(drafts.get()).slice(-KEPT_MAX))));
    } catch {
      // The draft lives as long as the page.
    }
  }, 200);
});

/** Five quantities a digit away: 1, 2, 5, 10 and 20 times the most lots, a power of ten, that are worth 150. */
export function presets(px: bigint | null, worth: (lots: bigint) => number): bigint[] {
  const found: bigint[] = [];
  let unit = 1n;
  while (px !== null && worth(unit * 10n) <= 150) unit *= 10n;
  for (const times of [1n, 2n, 5n, 10n, 20n]) found.push(unit * times);
  return found;
}
