/** Small stores. React reads them through `useSyncExternalStore`; what ticks is written to cells directly. */
import { useCallback, useSyncExternalStore } from "react";

export type Stop = () => void;

/** One value. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  readonly set = (value: T): void => {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  };

  readonly update = (change: (value: T) => T): void => this.set(change(this.#value));

  readonly subscribe = (listener: () => void): Stop => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** A value per key. Whoever listens to a key hears of that one alone. */
export class KeyStore<V> {
  readonly #values = new Map<string, V>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #all = new Set<(key: string) => void>();
  /** Told when the first listener of a key comes, and when the last one goes. */
  onWatch: ((key: string, isWatched: boolean) => void) | null = null;

  readonly get = (key: string): V | undefined => this.#values.get(key);
  readonly keys = (): IterableIterator<string> => this.#values.keys();

  readonly set = (key: string, value: V): void => {
    if (Object.is(this.#values.get(key), value)) return;
    this.#values.set(key, value);
    this.#tell(key);
  };

  readonly remove = (key: string): void => {
    if (this.#values.delete(key)) this.#tell(key);
  };

  readonly clear = (): void => {
    for (const key of [...this.#values.keys()]) this.remove(key);
  };

  readonly subscribe = (key: string, listener: () => void): Stop => {
    let found = this.#listeners.get(key);
    if (!found) {
      this.#listeners.set(key, (found = new Set()));
      this.onWatch?.(key, true);
    }
    const listeners = found;
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size) return;
      this.#listeners.delete(key);
      this.onWatch?.(key, false);
    };
  };

  readonly subscribeAll = (listener: (key: string) => void): Stop => {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  };

  readonly watched = (): string[] => [...this.#listeners.keys()];

  #tell(key: string): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) listener();
    for (const listener of [...this.#all]) listener(key);
  }
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** The value of one key; the component is rendered again when that one changes. */
export function useKey<V>(store: KeyStore<V>, key: string): V | undefined {
  const subscribe = useCallback((listener: () => void) => store.subscribe(key, listener), [store, key]);
  return useSyncExternalStore(subscribe, () => store.get(key));
}
