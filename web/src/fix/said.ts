/** What the FIX pages say of sessions: words, order and sentences. Pure. */
import type { Schemas } from "../client/api";
import { age, ms, number } from "../kit/format";

export type Session = Schemas["SessionShown"];
export type State = "up" | "connecting" | "down" | "closed" | "stopped";

interface Look {
  /** Read as a shape before it is read as a word. */
  glyph: string;
  word: string;
  tone: "" | "warn" | "critical" | "dim";
}

/** A session outside its hours is asleep, not down; one that an operator stopped is no trouble either. */
export const LOOKS: Record<State, Look> = {
  up: { glyph: "●", word: "up", tone: "" },
  connecting: { glyph: "◐", word: "logging on", tone: "warn" },
  down: { glyph: "○", word: "down", tone: "dim" },
  closed: { glyph: "☾", word: "asleep", tone: "dim" },
  stopped: { glyph: "■", word: "stopped", tone: "dim" },
};

export const lookOf = (session: Session): Look => LOOKS[session.state as State] ?? { glyph: "?", word: session.state, tone: "warn" };

/** "FIX.4.4", "HOUSE", "BROKER" of "FIX.4.4:HOUSE->BROKER"; a qualifier stays with who it qualifies. */
export function named(session: string): { version: string; ours: string; theirs: string } {
  const [version = "", rest = ""] = [session.slice(0, session.indexOf(":")), session.slice(session.indexOf(":") + 1)];
  const [ours = "", theirs = ""] = rest.split("->");
  return { version, ours, theirs };
}

export interface Trouble {
  tone: "critical" | "warn";
  session: string;
  what: string;
  detail: string;
}

/** How long a side may be silent before it is worth a word: its heartbeat and a fifth. */
const PATIENCE = 1.2;

/** Worst first; nothing of what is well, and nothing of who simply is not here. `now` is the house's clock. */
export function troubles(sessions: readonly Session[], now: number): Trouble[] {
  const found: Trouble[] = [];
  for (const each of sessions) {
    const say = (tone: Trouble["tone"], what: string, detail: string): void => void found.push({ tone, session: each.session, what, detail });
    if (each.missing_from) say("warn", "has a gap", `${span(each.missing_from, each.missing_to)} asked for again${each.waiting ? `, ${number(String(each.waiting))} waiting behind it` : ""}`);
    if (each.unanswered) say("warn", "does not answer", `${number(String(each.unanswered))} TestRequest${each.unanswered > 1 ? "s" : ""} without an answer`);
    else if (isSilent(each, now)) say("warn", "is silent", `nothing heard for ${age(now - ms(each.heard_at as string)) ?? "over an hour"}, its heartbeat is ${each.heart_bt_int_s} s`);
    if (each.role === "initiator" && each.state === "down") say("critical", "cannot reach its counterparty", each.reason || "no connection");
  }
  return found.sort((a, b) => Number(b.tone === "critical") - Number(a.tone === "critical"));
}

export const isSilent = (session: Session, now: number): boolean =>
  session.state === "up" && session.heard_at !== null && session.heart_bt_int_s > 0 && now - ms(session.heard_at) > session.heart_bt_int_s * 1_000 * PATIENCE;

const span = (first: number, last: number): string => (last > first ? `${number(String(first))} to ${number(String(last))}` : number(String(first)));

/** "2 of 4 sessions are up. 1 is stopped." */
export function sentence(sessions: readonly Session[]): string {
  if (!sessions.length) return "No FIX session is agreed.";
  const [first] = sessions;
  if (first && sessions.length === 1) return `The one session is ${lookOf(first).word}.`;
  const count = (state: State): number => sessions.filter((each) => each.state === state).length;
  const up = count("up");
  const head = up === sessions.length ? `All ${up} sessions are up.` : `${up || "None"} of ${sessions.length} sessions ${up > 1 ? "are" : "is"} up.`;
  const rest = (["connecting", "stopped", "closed"] as const).filter(count).map((state) => `${count(state)} ${count(state) > 1 ? "are" : "is"} ${LOOKS[state].word}.`);
  return [head, ...rest].join(" ");
}

/** What the other side will see of new numbers, before they are set. */
export function preview(session: Session, nextOut: number, nextIn: number): string[] {
  const lines: string[] = [];
  const { theirs } = named(session.session);
  const out = nextOut - session.next_out;
  if (out > 0) lines.push(`${theirs} sees a gap of ${number(String(out))} (${span(session.next_out, nextOut - 1)}) at our next message and asks for it again; what was never sent is gap-filled.`);
  if (out < 0) lines.push(`Our next message says ${number(String(nextOut))}, which ${theirs} has had: unless it set its own number back too, it logs out ("MsgSeqNum too low").`);
  const into = nextIn - session.next_in;
  if (into > 0) lines.push(`${span(session.next_in, nextIn - 1)} of ${theirs} are given up: we never ask for them.`);
  if (into < 0) lines.push(`We ask ${theirs} for ${span(nextIn, session.next_in - 1)} again; what comes is marked PossDup and acted on once.`);
  return lines.length ? lines : ["These are the numbers it has now."];
}

/** A number as an operator types it, or why it is none. */
export function sequence(text: string): number | string {
  const said = text.replace(/[\s,.'’\u202f]/g, "");
  if (!/^\d+$/.test(said)) return "a whole number from 1 on";
  const found = Number(said);
  if (found < 1) return "numbers begin with 1";
  return found > Number.MAX_SAFE_INTEGER ? "larger than any number that can be kept" : found;
}

/** Messages a second of each session, from what two answers counted; at most `kept` of them. */
export class Rates {
  readonly #lines = new Map<string, number[]>();
  #before = new Map<string, number>();
  #at = 0;

  constructor(readonly kept = 60) {}

  add(sessions: readonly Session[], at: number): void {
    const seconds = (at - this.#at) / 1_000;
    if (this.#at && seconds <= 0) return;
    for (const { session, received, sent } of sessions) {
      const before = this.#before.get(session);
      const line = this.#lines.get(session) ?? [];
      // Fewer than before: the house began again.
      if (before !== undefined && this.#at) line.push(Math.max(0, received + sent - before) / seconds);
      this.#lines.set(session, line.slice(-this.kept));
    }
    this.#before = new Map(sessions.map(({ session, received, sent }) => [session, received + sent]));
    this.#at = at;
  }

  of(session: string): readonly number[] {
    return this.#lines.get(session) ?? [];
  }
}
