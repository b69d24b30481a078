/** Whether the page shows the past. Then a sepia rule stands round it, and every command is off, everywhere. */
import { readingOnly } from "../client/api";
import { Store, useStore } from "../kit/store";

export interface AsOf {
  /** The journal's position that is shown. */
  position: number;
  /** Its time, in milliseconds since 1970. */
  at: number;
  /** Known at this position; null: now. */
  knownAt: number | null;
}

export const asOf = new Store<AsOf | null>(null);
export const useAsOf = (): AsOf | null => useStore(asOf);

export function lookAt(past: AsOf): void {
  asOf.set(past);
  readingOnly.set(`this is as of position ${past.position}`);
}
export function backToNow(): void {
  asOf.set(null);
  readingOnly.set("");
}
