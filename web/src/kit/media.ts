/** What the window is like, as CSS asks it. */
import { useSyncExternalStore } from "react";

const queries = new Map<string, MediaQueryList>();
export function useMedia(query: string): boolean {
  let found = queries.get(query);
  if (!found) queries.set(query, (found = matchMedia(query)));
  const list = found;
  return useSyncExternalStore(
    (listener) => {
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => list.matches,
  );
}
