/**
 * What the page knows of the market and of its accounts, filled once per animation frame from the worker.
 * `marketStore` ticks: write its values into cells by `subscribe`, not through React. `useKey` is for what
 * changes seldom.
 */
import { useCallback, useSyncExternalStore } from "react";
import { KeyStore, Store, type Stop, useStore } from "../kit/store";
import { type AccountState, corrected, evolve, fromSnapshot, nothing } from "./account";
import { type BookState, levelsOf, TRADES_MAX, type TradesState } from "./market";
import type { AccountMessage, AssessmentMessage, Balance, Bar, Level, Order, Price } from "./messages";
import { type AccountItem, type Batch, type Connection, OFF, type Watch } from "./protocol";

// --- Market -------------------------------------------------------------------------------------

/** A book; its levels are split when somebody looks at them, best first. */
export class BookShown {
  #bids: Level[] | null = null;
  #asks: Level[] | null = null;
  constructor(readonly state: BookState) {}
  get symbol(): string {
    return this.state.symbol;
  }
  get quality(): string {
    return this.state.quality;
  }
  get source(): string {
    return this.state.source;
  }
  get at(): number {
    return this.state.at;
  }
  /** Between a hole and its snapshot nothing is drawn. */
  get catching(): boolean {
    return this.state.catching;
  }
  get bids(): readonly Level[] {
    return (this.#bids ??= levelsOf(this.state.bids));
  }
  get asks(): readonly Level[] {
    return (this.#asks ??= levelsOf(this.state.asks));
  }
}

export interface BarShown {
  interval: string;
  bar: Bar;
}

class MarketStore {
  readonly prices = new KeyStore<Price>();
  readonly books = new KeyStore<BookShown>();
  /** The newest trades, oldest first. */
  readonly tapes = new KeyStore<TradesState>();
  /** The bar that is being made: minutes. */
  readonly bars = new KeyStore<BarShown>();

  price(symbol: string): Price | undefined {
    return this.prices.get(symbol);
  }
  book(symbol: string): BookShown | undefined {
    return this.books.get(symbol);
  }
  trades(symbol: string): TradesState | undefined {
    return this.tapes.get(symbol);
  }
  bar(symbol: string): BarShown | undefined {
    return this.bars.get(symbol);
  }

  /** Watching begins with the first listener of a key and ends a while after the last. */
  connect(say: (watch: Watch, isWatched: boolean) => void): void {
    this.prices.onWatch = (symbol, on) => say(`prices ${symbol}`, on);
    this.books.onWatch = (symbol, on) => say(`book ${symbol}`, on);
    this.tapes.onWatch = (symbol, on) => say(`trades ${symbol}`, on);
    this.bars.onWatch = (symbol, on) => say(`bars ${symbol}`, on);
  }

  take(batch: Batch): void {
    for (const book of batch.books) this.books.set(book.symbol, new BookShown(book));
    const now = Date.now();
    for (const price of batch.prices) {
      price.heardAt = now;
      this.prices.set(price.symbol, price);
    }
    for (const [symbol, interval, bar] of batch.bars) this.bars.set(symbol, { interval, bar });
    for (const found of batch.trades) {
      const before = this.tapes.get(found.symbol);
      const items = [...(before?.items ?? []), ...found.items].slice(-TRADES_MAX);
      this.tapes.set(found.symbol, { symbol: found.symbol, items, missed: (before?.missed ?? 0) + found.missed });
    }
  }
}

export const marketStore = new MarketStore();

// --- Accounts -----------------------------------------------------------------------------------

export interface PositionLine {
  account_id: string;
  symbol: string;
  qty: string;
  traded_qty: string;
  currency: string;
  cost: string;
  realized: string;
  fees: string;
  position: number;
  avg_px?: string | null;
  waiting?: { state: string; traded_qty: string; cash: string; fills: number }[];
}

export type OwnEvent = AccountMessage;

export class AccountStore {
  readonly state: Store<AccountState>;
  readonly positions = new Store<readonly PositionLine[]>([]);
  /** As of which position of the journal `positions` are. */
  positionsAt = 0;
  /** Events for people: fills, refusals, cancels; each once. */
  readonly #listeners = new Set<(events: readonly OwnEvent[]) => void>();

  constructor(readonly account_id: string) {
    this.state = new Store(nothing(account_id));
  }

  get orders(): ReadonlyMap<string, Order> {
    return this.state.get().orders;
  }
  get balances(): ReadonlyMap<string, Balance> {
    return this.state.get().balances;
  }

  /** Hears each own event once, before it is drawn. */
  onEvents(listener: (events: readonly OwnEvent[]) => void): Stop {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(items: readonly AccountItem[]): void {
    let state = this.state.get();
    let waiting: AccountMessage[] = [];
    const told: AccountMessage[] = [];
    const apply = (): void => {
      if (waiting.length) state = evolve(state, waiting);
      waiting = [];
    };
    for (const item of items) {
      if (item.type === "message") {
        waiting.push(item.message);
        if (item.tells) told.push(item.message);
      } else if (item.type === "snapshot") {
        apply();
        state = fromSnapshot(state, item.snapshot);
      } else {
        apply();
        state = { ...state, position: Math.max(state.position, item.message.position) };
      }
    }
    apply();
    this.state.set(state);
    if (told.length) for (const listener of [...this.#listeners]) listener(told);
  }

  /** Orders as REST shows them, where nothing newer was heard. */
  correct(orders: readonly Order[]): void {
    this.state.update((state) => corrected(state, orders));
  }

  setPositions(lines: readonly PositionLine[], at: number): void {
    if (at < this.positionsAt) return; // An older answer that came late.
    this.positionsAt = at;
    this.positions.set(lines);
  }

  setAccount(account: AccountState["account"]): void {
    if (!account) return;
    this.state.update((state) => {
      if (state.account && account.position < state.account.position) return state;
      const balances = account.position >= state.position ? new Map(account.balances.map((each) => [each.asset, each])) : held(state, account.balances);
      return { ...state, account, balances };
    });
  }
}

/** Holds and values from an answer, amounts from what was heard since. */
function held(state: AccountState, lines: readonly Balance[]): Map<string, Balance> {
  const all = new Map(state.balances);
  for (const line of lines) {
    const known = all.get(line.asset);
    all.set(line.asset, known ? { ...line, balance: known.balance } : line);
  }
  return all;
}

const accounts = new Map<string, AccountStore>();
export function accountStore(account_id: string): AccountStore {
  let found = accounts.get(account_id);
  if (!found) accounts.set(account_id, (found = new AccountStore(account_id)));
  return found;
}
export function forgetAccounts(): void {
  accounts.clear();
}
export const knownAccounts = (): AccountStore[] => [...accounts.values()];

export function takeItems(items: readonly AccountItem[]): void {
  const by = new Map<string, AccountItem[]>();
  for (const item of items) {
    const id = item.type === "snapshot" ? item.snapshot.account_id : item.type === "message" ? item.message.account_id : item.account_id;
    const found = by.get(id);
    if (found) found.push(item);
    else by.set(id, [item]);
  }
  for (const [id, found] of by) accountStore(id).take(found);
}

// --- Assessments --------------------------------------------------------------------------------

/** As they were heard last. Whoever listens to a key has the house tell of it. */
export const assessmentStore = new KeyStore<AssessmentMessage>();

/** The newest that was heard; undefined while nothing was, and while the line is cut. `id` "" hears nothing. */
export function useHeard(id: string): AssessmentMessage | undefined {
  const subscribe = useCallback((listener: () => void) => (id ? assessmentStore.subscribe(id, listener) : () => undefined), [id]);
  const heard = useSyncExternalStore(subscribe, () => (id ? assessmentStore.get(id) : undefined));
  return isLive(useConnection()) ? heard : undefined;
}

// --- Connection ---------------------------------------------------------------------------------

export const connectionStore = new Store<Connection>(OFF);
/** What the house's clock is ahead of ours, in milliseconds. */
export const clockOffset = new Store<number>(0);
/** Where the time of a sandbox stands, in nanoseconds since 1970; null in a house whose time is everybody's; undefined until that is known. */
export const movedStore = new Store<bigint | null | undefined>(undefined);
/** In milliseconds. A sandbox's time stands still until somebody moves it. */
export const houseNow = (): number => {
  const moved = movedStore.get();
  return moved ? Number(moved / 1_000_000n) : Date.now() + clockOffset.get();
};

/** Whether new orders may be sent: everything is heard up to the journal's end. */
export const isLive = (connection: Connection): boolean => connection.state === "live";

// --- For React ----------------------------------------------------------------------------------

export { useKey } from "../kit/store";

function useState<T>(account_id: string, pick: (state: AccountState) => T): T {
  const { state } = accountStore(account_id);
  const get = useCallback(() => pick(state.get()), [state, pick]);
  return useSyncExternalStore(state.subscribe, get);
}
const ordersOf = (state: AccountState): AccountState["orders"] => state.orders;
const balancesOf = (state: AccountState): AccountState["balances"] => state.balances;
const executionsOf = (state: AccountState): AccountState["executions"] => state.executions;
const shownOf = (state: AccountState): AccountState["account"] => state.account;

export const useOrders = (account_id: string): AccountState["orders"] => useState(account_id, ordersOf);
export const useBalances = (account_id: string): AccountState["balances"] => useState(account_id, balancesOf);
export const useExecutions = (account_id: string): AccountState["executions"] => useState(account_id, executionsOf);
export const useAccount = (account_id: string): AccountState["account"] => useState(account_id, shownOf);
export const usePositions = (account_id: string): readonly PositionLine[] => useStore(accountStore(account_id).positions);
export const useConnection = (): Connection => useStore(connectionStore);
