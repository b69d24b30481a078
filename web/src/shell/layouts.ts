/**
 * Layouts: for each screen what it wants remembered (sizes, what is closed, columns), under names. Changed by hand,
 * kept at once, undone step by step. One of an older version is carried over, never dropped.
 */
import { useCallback } from "react";
import { useStore } from "../kit/store";
import { Kept } from "./kept";

type Json = Record<string, unknown>;
/** What each screen remembers. */
export type Layout = Record<string, Json>;
export interface Layouts extends Json {
  version: 2;
  active: string;
  named: Record<string, Layout>;
}

const FIRST = "Standard";
const UNDO_MAX = 50;
export const NONE: Layouts = { version: 2, active: FIRST, named: { [FIRST]: {} } };

export function migrated(found: Json): Layouts {
  const named = isObject(found.named) ? found.named : isObject(found.layouts) ? found.layouts : { [FIRST]: isObject(found.screens) ? found.screens : {} };
  const kept = Object.fromEntries(
    Object.entries(named)
      .filter(([, layout]) => isObject(layout))
      .map(([name, layout]) => [name, Object.fromEntries(Object.entries(layout as Json).filter(([, screen]) => isObject(screen)))]),
  ) as Record<string, Layout>;
  const names = Object.keys(kept);
  if (!names.length) return NONE;
  const active = typeof found.active === "string" && found.active in kept ? found.active : (names[0] as string);
  return { version: 2, active, named: kept };
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

const kept = new Kept<Layouts>("layouts", NONE, migrated);
export const layouts = kept.store;
export const readLayouts = (): Promise<void> => kept.read();
const before: Layouts[] = [];

function put(value: Layouts): void {
  before.push(layouts.get());
  if (before.length > UNDO_MAX) before.shift();
  layouts.set(value);
}

/** What `screen` remembers in the active layout, over `initial`; and a way to change some of it. */
export function useLayout<T extends object>(screen: string, initial: T): [T, (some: Partial<T>) => void] {
  const found = useStore(layouts);
  const mine = { ...initial, ...found.named[found.active]?.[screen] } as T;
  const change = useCallback(
    (some: Partial<T>) => {
      const now = layouts.get();
      const layout = now.named[now.active] ?? {};
      put({ ...now, named: { ...now.named, [now.active]: { ...layout, [screen]: { ...layout[screen], ...some } } } });
    },
    [screen],
  );
  return [mine, change];
}

export const canUndo = (): boolean => before.length > 0;
export function undo(): void {
  const found = before.pop();
  if (found) layouts.set(found);
}

export const names = (): string[] => Object.keys(layouts.get().named);
export function choose(name: string): void {
  const now = layouts.get();
  if (name in now.named) put({ ...now, active: name });
}
/** The active layout under another name as well, which is active then. */
export function saveAs(name: string): void {
  const now = layouts.get();
  put({ ...now, active: name, named: { ...now.named, [name]: structuredClone(now.named[now.active] ?? {}) } });
}
export function remove(name: string): void {
  const now = layouts.get();
  const { [name]: _, ...rest } = now.named;
  if (Object.keys(rest).length) put({ ...now, named: rest, active: now.active === name ? (Object.keys(rest)[0] as string) : now.active });
}
/** The active layout as it came. Can be undone. */
export function reset(): void {
  const now = layouts.get();
  put({ ...now, named: { ...now.named, [now.active]: {} } });
}
export const exported = (): string => JSON.stringify(layouts.get(), null, 2);
/** Throws SyntaxError for what is no layout. */
export function imported(text: string): void {
  const found: unknown = JSON.parse(text);
  if (!isObject(found)) throw new SyntaxError("this is no layout: a file that was exported here is needed");
  const more = migrated(found);
  const now = layouts.get();
  put({ ...more, named: { ...now.named, ...more.named } });
}
