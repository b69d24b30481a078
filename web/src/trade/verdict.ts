/** What the house would say of the draft: asked when it rests for 80 ms; late answers are dropped. */

export interface Judged {
  accepted: boolean;
  reasons: { reason: string; text: string; value?: string; limit?: string; distance?: string; unit?: string }[];
  order_qty_max: string | null;
  cost: Cost | null;
}

export interface Cost {
  currency: string;
  qty: string;
  at_once_qty: string;
  unfilled_qty: string;
  avg_px: string | null;
  notional: string;
  fee: string;
  slippage: string | null;
  slippage_bps: string | null;
  hold: string;
  hold_asset: string;
  qty_max: string;
  margin: {
    currency: string; equity: string; initial: string; maintenance: string; available: string;
    used_bps: number | null; liquidation_px: string | null; liquidation_bps: number | null;
  } | null;
}

export type Verdict<T = Judged> =
  | { at: "none" } // nothing to ask about
  | { at: "asking"; last: T | null } // the last answer is of another draft: shown dimmed
  | { at: "said"; found: T }
  | { at: "failed"; text: string };

export const REST_MS = 80;

export interface Clock {
  set(act: () => void, ms: number): unknown;
  clear(timer: never): void;
}

const CLOCK: Clock = { set: (act, ms) => setTimeout(act, ms), clear: (timer) => clearTimeout(timer) };

/** One question at a time; the newest draft wins, whatever order the answers come in. */
export class Questions<Q, T = Judged> {
  verdict: Verdict<T> = { at: "none" };
  private sequence = 0;
  private timer: unknown = null;
  private last: T | null = null;
  private asked: Q | null = null;

  constructor(
    private readonly ask: (question: Q) => Promise<T>,
    private readonly tell: () => void,
    private readonly clock: Clock = CLOCK,
  ) {}

  /** `null`: the draft is not complete, so there is nothing to ask. */
  about(question: Q | null): void {
    this.sequence += 1;
    if (this.timer !== null) this.clock.clear(this.timer as never);
    this.timer = null;
    this.asked = null;
    if (question === null) {
      if (this.verdict.at !== "none") this.say({ at: "none" });
      return;
    }
    this.say({ at: "asking", last: this.last });
    this.timer = this.clock.set(() => this.send(question), REST_MS);
  }

  /** The same again, since account or market have moved; what was said stays until the answer. */
  again(): void {
    if (this.asked !== null && this.timer === null && this.verdict.at !== "asking") this.send(this.asked);
  }

  private send(question: Q): void {
    const sequence = this.sequence;
    this.timer = null;
    this.asked = question;
    this.ask(question).then(
      (found) => {
        if (sequence !== this.sequence) return;
        this.last = found;
        this.say({ at: "said", found });
      },
      (error: unknown) => {
        if (sequence !== this.sequence) return;
        this.say({ at: "failed", text: error instanceof Error ? error.message : String(error) });
      },
    );
  }

  private say(verdict: Verdict<T>): void {
    this.verdict = verdict;
    this.tell();
  }
}
