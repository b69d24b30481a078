/** The last state, in IndexedDB, per user: shown without a network, marked stale, cleared at sign-out. */
import type { Balance, Order, Price } from "../live/messages";
import type { PositionLine } from "../live/stores";

const NAME = "fondaco";
const STORE = "last";

export interface Last {
  user: string;
  tenant: string;
  environment: string;
  account_id: string;
  position: number;
  /** The house's last word, in milliseconds since 1970. */
  at: number;
  equity: string | null;
  currency: string;
  balances: Balance[];
  orders: Order[];
  positions: readonly PositionLine[];
  prices: Price[];
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("no storage"));
  });
}

export async function on<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const asked = act(database.transaction(STORE, mode).objectStore(STORE));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error ?? new Error("no storage"));
    });
  } finally {
    database.close();
  }
}

export const last = (): Promise<Last | undefined> => on("readonly", (store) => store.get("last") as IDBRequest<Last | undefined>);
export async function forget(): Promise<void> {
  try {
    await on("readwrite", (store) => store.clear());
  } catch {
    // Where nothing can be kept nothing was.
  }
}
