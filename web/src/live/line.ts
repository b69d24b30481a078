/** One WebSocket that is kept: asks for a single-use ticket, opens, listens, pings, and comes back for ever. */
import { DEAD_MS, HEARTBEAT_MS, SLEPT_MS, waitMs } from "./protocol";

export interface LineTalk {
  opened(): void;
  /** One message, decoded. */
  heard(message: unknown): void;
  changed(): void;
}

export class Refused extends Error {}

export class Line {
  isOpen = false;
  attempt = 0;
  nextTryAt = 0;
  lastContact = 0;
  why = "";
  isRefused = false;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #lastPulse = 0;
  #isStopped = true;

  constructor(
    private readonly origin: string,
    private readonly path: string,
    private readonly token: string,
    private readonly talk: LineTalk,
  ) {}

  start(): void {
    this.#isStopped = false;
    this.#lastPulse = Date.now();
    this.#pulse = setInterval(() => this.#beat(), HEARTBEAT_MS);
    void this.#open();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
    this.#drop("");
  }

  /** Do not wait for the timer. */
  poke(): void {
    if (this.#isStopped || this.isRefused) return;
    if (this.#socket) this.#beat();
    else {
      clearTimeout(this.#timer);
      void this.#open();
    }
  }

  say(message: unknown): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  #beat(): void {
    const now = Date.now();
    const late = now - this.#lastPulse > HEARTBEAT_MS + SLEPT_MS;
    this.#lastPulse = now;
    if (!this.isOpen) return;
    if (late) this.#lost("this machine slept");
    else if (now - this.lastContact > DEAD_MS) this.#lost("nothing was heard");
    else this.say({ op: "ping" });
  }

  async #open(): Promise<void> {
    if (this.#isStopped || this.#socket) return;
    this.attempt += 1;
    this.nextTryAt = 0;
    this.talk.changed();
    let ticket: string;
    try {
      ticket = await this.#ticket();
    } catch (error) {
      if (error instanceof Refused) {
        this.isRefused = true;
        this.why = error.message;
        this.talk.changed();
        return;
      }
      this.#again(error instanceof Error ? error.message : "no answer");
      return;
    }
    if (this.#isStopped || this.#socket) return;
    const socket = new WebSocket(`${this.origin.replace(/^http/, "ws")}${this.path}?ticket=${encodeURIComponent(ticket)}`);
    this.#socket = socket;
    socket.onopen = () => {
      this.isOpen = true;
      this.lastContact = Date.now();
      this.why = "";
      this.talk.opened();
      this.talk.changed();
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      this.lastContact = Date.now();
      this.attempt = 0;
      this.talk.heard(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#lost(event.reason || (this.isOpen ? "the line was cut" : "the house does not answer"));
    };
  }

  async #ticket(): Promise<string> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 5_000);
    try {
      const answer = await fetch(`${this.origin}/api/tickets`, {
        method: "POST",
        headers: { authorization: `Bearer ${this.token}` },
        signal: controller.signal,
      });
      if (answer.status === 401 || answer.status === 403) {
        const body = (await answer.json()) as { message?: string };
        throw new Refused(body.message ?? "the key is not taken");
      }
      if (!answer.ok) throw new Error(`the house answered ${answer.status}`);
      return ((await answer.json()) as { ticket: string }).ticket;
    } catch (error) {
      if (error instanceof TypeError || (error instanceof DOMException && error.name === "AbortError")) {
        throw new Error("the house does not answer");
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #lost(why: string): void {
    this.#drop(why);
    this.#again(why);
  }

  #drop(why: string): void {
    const socket = this.#socket;
    this.#socket = null;
    this.isOpen = false;
    this.why = why;
    if (socket) {
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
    }
  }

  #again(why: string): void {
    if (this.#isStopped) return;
    this.why = why;
    const wait = waitMs(this.attempt, Math.random());
    this.nextTryAt = Date.now() + wait;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(), wait);
    this.talk.changed();
  }
}
