/**
 * Owns both sockets. Decodes, orders, conflates; hands the page one batch per frame and no more: the next
 * goes out when the page says that it has shown the last. A hidden page says nothing, so that here the newest
 * state and all events wait for it.
 */
import { Heard } from "./account";
import { Line } from "./line";
import { MarketLine } from "./market";
import type { AccountMessage, AssessmentMessage, CaughtUp, Done, MarketChannel, MarketMessage, Snapshot, TradingMessage } from "./messages";
import type { AccountItem, Batch, Connection, FromWorker, LineState, ToWorker, Watch } from "./protocol";

const post = (message: FromWorker): void => (self as unknown as { postMessage(message: FromWorker): void }).postMessage(message);
const now = (): number => performance.timeOrigin + performance.now();

class Account {
  readonly heard = new Heard();
  /** A snapshot came, so that a cut can be resumed. */
  isKnown = false;
  /** Told up to the journal's end since the line was opened. */
  isLive = false;
}

class Session {
  readonly #market: Line;
  readonly #trading: Line;
  readonly #line = new MarketLine();
  readonly #accounts = new Map<string, Account>();
  readonly #asks = new Map<number, string>();
  readonly #items: AccountItem[] = [];
  readonly #assessments = new Map<string, AssessmentMessage>();
  #nextId = 1;
  #isReady = true;
  #isScheduled = false;
  #heardAt = 0;
  #wasLive = false;

  constructor(
    token: string,
    origin: string,
    private readonly watches: Set<Watch>,
    accounts: readonly string[],
    private readonly followed: ReadonlySet<string>,
    /** Whether the house would let this caller hear of orders; else that line is never opened, and misses nothing. */
    private readonly hearsOrders: boolean,
  ) {
    for (const id of accounts) this.#accounts.set(id, new Account());
    const changed = (): void => this.#tell();
    this.#market = new Line(origin, "/ws/market-data", token, {
      opened: () => this.#subscribe([...this.watches]),
      heard: (message) => this.#hearMarket(message as MarketMessage | Done),
      changed: () => {
        if (!this.#market.isOpen) this.#cutMarket();
        changed();
      },
    });
    this.#trading = new Line(origin, "/ws/trading", token, {
      opened: () => {
        for (const id of this.#accounts.keys()) this.#follow(id);
        for (const id of this.followed) this.followAssessment(id, true);
      },
      heard: (message) => this.#hearTrading(message as TradingMessage),
      changed: () => {
        if (!this.#trading.isOpen) for (const account of this.#accounts.values()) account.isLive = false;
        changed();
      },
    });
  }

  get #lines(): Line[] {
    return this.hearsOrders ? [this.#market, this.#trading] : [this.#market];
  }

  start(): void {
    for (const line of this.#lines) line.start();
  }

  stop(): void {
    this.#market.stop();
    this.#trading.stop();
  }

  poke(): void {
    for (const line of this.#lines) line.poke();
  }

  ready(): void {
    this.#isReady = true;
    this.#schedule();
  }

  watch(watches: readonly Watch[]): void {
    this.#subscribe(watches);
  }

  unwatch(watches: readonly Watch[]): void {
    for (const [channel, symbols] of byChannel(watches)) {
      this.#market.say({ op: "unsubscribe", channel, symbols });
      for (const symbol of symbols) this.#line.forget(channel, symbol);
    }
  }

  follow(accounts: readonly string[]): void {
    for (const id of [...this.#accounts.keys()]) {
      if (accounts.includes(id)) continue;
      this.#accounts.delete(id);
      this.#trading.say({ op: "unsubscribe", accounts: [id] });
    }
    for (const id of accounts) {
      if (this.#accounts.has(id)) continue;
      this.#accounts.set(id, new Account());
      this.#follow(id);
    }
    this.#tell();
  }

  // --- Market ---------------------------------------------------------------------------------

  #subscribe(watches: readonly Watch[]): void {
    for (const [channel, symbols] of byChannel(watches)) this.#market.say({ op: "subscribe", channel, symbols });
  }

  #hearMarket(message: MarketMessage | Done): void {
    if ("channel" in message) {
      if (!this.#line.take(message)) {
        // A hole: ask for the snapshot again. Until it comes this book is "catching up".
        this.#market.say({ op: "unsubscribe", channel: "book", symbols: [message.symbol] });
        this.#market.say({ op: "subscribe", channel: "book", symbols: [message.symbol] });
      }
      this.#schedule();
    }
    this.#touch();
  }

  #cutMarket(): void {
    this.#line.cut();
    this.#schedule();
  }

  // --- Accounts -------------------------------------------------------------------------------

  #follow(id: string): void {
    const account = this.#accounts.get(id);
    if (!account || !this.#trading.isOpen) return;
    account.isLive = false;
    const ask = this.#nextId++;
    this.#asks.set(ask, id);
    if (account.isKnown) this.#trading.say({ op: "resume", id: ask, after: account.heard.resumeAfter, accounts: [id], mark: true });
    else this.#trading.say({ op: "subscribe", id: ask, accounts: [id], mark: true });
  }

  #hearTrading(message: TradingMessage): void {
    if ("channel" in message) {
      if (message.channel === "assessments") this.#assessment(message);
      else this.#event(message);
    } else if ("type" in message) {
      if (message.type === "snapshot") this.#snapshot(message);
      else this.#caughtUp(message);
    } else if (message.error) this.#failed(message);
    this.#touch();
  }

  followAssessment(id: string, isFollowed: boolean): void {
    if (this.#trading.isOpen) this.#trading.say({ op: isFollowed ? "follow" : "unfollow", assessments: [id] });
  }

  #assessment(message: AssessmentMessage): void {
    const before = this.#assessments.get(message.assessment_id);
    this.#assessments.set(message.assessment_id, before ? { ...message, why: [...before.why, ...message.why] } : message);
    this.#schedule();
  }

  #event(message: AccountMessage): void {
    const account = this.#accounts.get(message.account_id);
    if (!account) return;
    const { applies, tells } = account.heard.take(message);
    if (applies || tells) this.#add({ type: "message", message, tells });
  }

  #snapshot(snapshot: Snapshot): void {
    const account = this.#accounts.get(snapshot.account_id);
    if (!account) return;
    account.isKnown = true;
    account.heard.snapshot(snapshot.position);
    this.#add({ type: "snapshot", snapshot });
  }

  #caughtUp(message: CaughtUp): void {
    const id = this.#asks.get(Number(message.id));
    const account = id === undefined ? undefined : this.#accounts.get(id);
    if (id === undefined || !account) return;
    this.#asks.delete(Number(message.id));
    account.heard.caughtUp(message.position);
    account.isLive = true;
    this.#add({ type: "caught_up", account_id: id, message });
    this.#tell();
  }

  /** A resume from too far back, or from a journal that is another: begin with a snapshot. */
  #failed(message: Done): void {
    const id = this.#asks.get(Number(message.id));
    const account = id === undefined ? undefined : this.#accounts.get(id);
    if (id === undefined || !account) return;
    this.#asks.delete(Number(message.id));
    if (!account.isKnown) return;
    this.#accounts.set(id, new Account());
    this.#follow(id);
  }

  // --- To the page ----------------------------------------------------------------------------

  #add(item: AccountItem): void {
    this.#items.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#heardAt) this.#heardAt = now();
    if (this.#isScheduled || !this.#isReady) return;
    this.#isScheduled = true;
    // What the socket has already given us goes along.
    setTimeout(() => this.#flush(), 0);
  }

  #flush(): void {
    this.#isScheduled = false;
    if (!this.#isReady || (this.#line.isEmpty && !this.#items.length && !this.#assessments.size)) return;
    this.#isReady = false;
    const batch: Batch = { type: "batch", items: this.#items.splice(0), assessments: [...this.#assessments.values()], heardAt: this.#heardAt, ...this.#line.batch() };
    this.#heardAt = 0;
    this.#assessments.clear();
    post(batch);
  }

  #lastTouch = 0;
  #touch(): void {
    const at = Date.now();
    if (at - this.#lastTouch < 1_000) return;
    this.#lastTouch = at;
    this.#tell();
  }

  #state(): LineState {
    const lines = this.#lines;
    if (lines.some((line) => line.isRefused)) return "refused";
    if (lines.every((line) => line.isOpen)) {
      return !this.hearsOrders || [...this.#accounts.values()].every((account) => account.isLive) ? "live" : this.#wasLive ? "catching" : "connecting";
    }
    return this.#wasLive || lines.some((line) => line.attempt > 1) ? "cut" : "connecting";
  }

  #tell(): void {
    const lines = this.#lines;
    const state = this.#state();
    if (state === "live") this.#wasLive = true;
    const connection: Connection = {
      state,
      lastContact: Math.min(...lines.map((line) => line.lastContact)),
      attempt: Math.max(...lines.map((line) => line.attempt)),
      nextTryAt: Math.max(...lines.map((line) => line.nextTryAt)),
      position: Math.max(0, ...[...this.#accounts.values()].map((account) => account.heard.position)),
      why: lines.map((line) => line.why).find((why) => why) ?? "",
    };
    post({ type: "connection", connection });
  }
}

function byChannel(watches: readonly Watch[]): Map<MarketChannel, string[]> {
  const found = new Map<MarketChannel, string[]>();
  for (const watch of watches) {
    const [channel, symbol] = watch.split(" ") as [MarketChannel, string];
    found.set(channel, [...(found.get(channel) ?? []), symbol]);
  }
  return found;
}

const watches = new Set<Watch>();
const followed = new Set<string>();
let accounts: string[] = [];
let session: Session | null = null;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "start":
      session?.stop();
      session = new Session(data.token, data.origin, watches, accounts, followed, data.hearsOrders);
      session.start();
      break;
    case "stop":
      session?.stop();
      session = null;
      break;
    case "watch": {
      const more = data.watches.filter((watch) => !watches.has(watch));
      for (const watch of more) watches.add(watch);
      session?.watch(more);
      break;
    }
    case "unwatch": {
      const less = data.watches.filter((watch) => watches.delete(watch));
      session?.unwatch(less);
      break;
    }
    case "accounts":
      accounts = data.accounts;
      session?.follow(accounts);
      break;
    case "assessment":
      if (data.isFollowed) followed.add(data.assessment_id);
      else followed.delete(data.assessment_id);
      session?.followAssessment(data.assessment_id, data.isFollowed);
      break;
    case "ready":
      session?.ready();
      break;
    case "poke":
      session?.poke();
  }
};
