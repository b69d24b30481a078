/** The tail of the journal: entries in order, each once; while the reader looks at older ones, new ones wait. */
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { Store } from "../kit/store";

export type Entry = Schemas["EntryReply"];

export interface Filter {
  stream: string;
  kind: string;
  cause: string;
  text: string;
}
export const NO_FILTER: Filter = { stream: "", kind: "", cause: "", text: "" };

/** `stream:account/demo kind:trading.order cause:o1 words` as it is typed. */
export function parsed(said: string): Filter {
  const found = { ...NO_FILTER };
  const words: string[] = [];
  for (const word of said.trim().split(/\s+/)) {
    const name = /^(stream|kind|cause):(.+)$/.exec(word);
    if (name) found[name[1] as keyof Filter] = name[2] as string;
    else if (word) words.push(word);
  }
  return { ...found, text: words.join(" ") };
}

export interface Tail {
  /** Oldest first, without holes but for what the filter leaves out. */
  entries: readonly Entry[];
  /** How many of them came since the reader looked away. */
  fresh: number;
  /** Where to read on, both ways. */
  next: number;
  previous: number;
  head: number;
  /** Searching behind what is shown. */
  busy: boolean;
  problem: Problem | null;
}

export const KEPT = 5_000;
const EMPTY: Tail = { entries: [], fresh: 0, next: 0, previous: 0, head: 0, busy: true, problem: null };
const WAIT_MS = 15_000;
const PAGE = 200;
const AGAIN_MS = 1_000;

/** What came behind: appended, each once. While somebody reads, nothing that is in view is dropped for it. */
export function appended(tail: Tail, items: readonly Entry[], next: number, head: number, isReading: boolean): Tail {
  const last = tail.entries.at(-1)?.position ?? 0;
  const fresh = items.filter((entry) => entry.position > last);
  const all = fresh.length ? [...tail.entries, ...fresh] : tail.entries;
  const entries = isReading ? all : all.slice(-KEPT);
  return { ...tail, entries, fresh: isReading ? tail.fresh + fresh.length : 0, next: Math.max(next, tail.next), head, busy: false, problem: null, previous: entries[0] && entries !== all ? entries[0].position : tail.previous };
}

/** What came before: put in front, each once. */
export function prepended(tail: Tail, items: readonly Entry[], previous: number): Tail {
  const first = tail.entries[0]?.position ?? Infinity;
  return { ...tail, entries: [...items.filter((entry) => entry.position < first), ...tail.entries], previous, busy: false };
}

/** Follows the journal from `follow` on, until what that returns is called. */
export class Follower {
  readonly state = new Store<Tail>(EMPTY);
  isReading = false;
  #stop = new AbortController();
  #isOlder = false;

  constructor(readonly filter: Filter, readonly until: number | null) {}

  /** For an effect: a render that is thrown away must not leave somebody behind who asks for ever. */
  follow(): () => void {
    const stop = new AbortController();
    this.#stop = stop;
    void this.#run(stop.signal);
    return () => stop.abort();
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The reader is at the end again, or has left it. */
  look(isReading: boolean): void {
    this.isReading = isReading;
    if (!isReading && this.state.get().fresh) this.state.update((tail) => ({ ...tail, fresh: 0 }));
  }

  /** Entries before what is shown. */
  async older(): Promise<void> {
    const { previous } = this.state.get();
    if (this.#isOlder || previous <= 1 || this.#isOver) return;
    this.#isOlder = true;
    try {
      const page = await this.#ask({ before: previous, limit: PAGE });
      this.state.update((tail) => prepended(tail, page.items, page.previous));
    } catch (error) {
      this.#failed(error);
    }
    this.#isOlder = false;
  }

  async #run(stopped: AbortSignal): Promise<void> {
    let began = false;
    while (!stopped.aborted) {
      try {
        if (!began) {
          await this.#begin();
          began = true;
          if (this.until !== null) return;
        }
        const { next } = this.state.get();
        const page = await this.#ask({ after: next, limit: 500, wait_ms: WAIT_MS });
        this.state.update((tail) => appended(tail, page.items, page.next, page.head, this.isReading));
      } catch (error) {
        if (stopped.aborted) return;
        this.#failed(error);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** The newest, and what is before them until a page is full or the beginning is reached. */
  async #begin(): Promise<void> {
    let before = this.until === null ? 2 ** 52 : this.until + 1;
    let tail: Tail = { ...EMPTY };
    for (let rounds = 0; rounds < 12 && tail.entries.length < 60 && before > 1; rounds += 1) {
      const page = await this.#ask({ before, limit: PAGE });
      if (!rounds) tail = { ...tail, next: page.next, head: page.head };
      tail = { ...prepended(tail, page.items, page.previous), busy: true };
      before = page.previous;
      this.state.set(tail);
    }
    this.state.update((found) => ({ ...found, busy: false }));
  }

  async #ask(query: Record<string, number>): Promise<Schemas["JournalReply"]> {
    const set = Object.entries(this.filter).filter(([, value]) => value);
    return ok(api.GET("/api/journal", { params: { query: { ...query, ...Object.fromEntries(set) } }, signal: this.#stop.signal }));
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    const problem = error instanceof Problem ? error : noAnswer(error, false);
    this.state.update((tail) => ({ ...tail, problem, busy: false }));
  }
}

/** Entries of the last `seconds` by the first word of their kind, a second: "trading 12". */
export function rates(entries: readonly Entry[], nowMs: number, seconds = 10): [string, number][] {
  const counts = new Map<string, number>();
  for (let nth = entries.length - 1; nth >= 0; nth -= 1) {
    const entry = entries[nth] as Entry;
    if (nowMs - Number(entry.at) / 1e6 > seconds * 1_000) break;
    const room = entry.kind.split(".")[0] ?? "";
    counts.set(room, (counts.get(room) ?? 0) + 1);
  }
  return [...counts].map(([room, count]): [string, number] => [room, count / seconds]).sort((a, b) => b[1] - a[1]);
}
