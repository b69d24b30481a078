/**
 * What one was told lately. No socket says when something new is there, so it is asked after own events, when the page comes
 * into view, when its service worker has shown something, and once a minute.
 */
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { Store } from "../kit/store";
import { accountStore, connectionStore } from "../live/stores";
import { go } from "../shell/routes";
import { accountId, session } from "../shell/session";

export type Line = Schemas["InboxLine"];
interface Told {
  items: readonly Line[];
  unseen: number;
  problem: Problem | null;
  /** When it was heard, in milliseconds since 1970; 0: never. */
  at: number;
}

const FEW = 8;
const EVERY_MS = 60_000;
/** Most of what is told of an event is there by the first of these; the process that tells may have to be begun first. */
const AFTER_EVENTS_MS = [1_500, 6_000, 20_000] as const;
const AT_MOST_EVERY_MS = 4_000;
export const BELL = "bell";
const NOTHING: Told = { items: [], unseen: 0, problem: null, at: 0 };
export const told = new Store<Told>(NOTHING);

let asking = 0;
/** Asks now. Where it is not one's own to know, nothing is asked again. */
export async function look(): Promise<void> {
  const nth = ++asking;
  try {
    const found = await ok(api.GET("/api/notifications", { params: { query: { limit: FEW } } }));
    if (nth === asking) told.set({ items: found.items, unseen: found.unseen, problem: null, at: Date.now() });
  } catch (error) {
    const problem = error instanceof Problem ? error : noAnswer(error, false);
    if (nth === asking) told.update((before) => ({ ...before, problem, at: Date.now() }));
  }
}

/** All that was told up to a number was looked at: a mark of one's own, so it is shown before it is answered. */
export async function see(up_to: number): Promise<void> {
  const before = told.get();
  asking += 1;
  told.set({ ...before, items: before.items.map((each) => (each.number <= up_to ? { ...each, is_seen: true } : each)), unseen: before.items.some((each) => each.number > up_to && !each.is_seen) ? before.unseen : 0 });
  try {
    const { unseen } = await ok(api.POST("/api/notifications/seen", { body: { up_to } }));
    told.update((now) => ({ ...now, unseen }));
  } catch {
    told.set(before);
  }
}

/** Keeps looking while somebody is signed in, until it is stopped. */
export function keepLooking(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  let rounds: number[] = [];
  // What somebody is told is not for who acts in their name; and who it is must be known first.
  const isOwn = (): boolean => session.get()?.behind === "";
  const isShut = (): boolean => told.get().problem?.status === 403;
  const soon = (wait: number): void => {
    clearTimeout(timer);
    if (!isStopped && !isShut()) timer = setTimeout(() => void turn(), wait);
  };
  const turn = async (): Promise<void> => {
    if (isOwn() && !document.hidden && connectionStore.get().state !== "cut") await look();
    soon(rounds.shift() ?? EVERY_MS);
  };
  const early = (wait: number): void => soon(Math.max(wait, AT_MOST_EVERY_MS - (Date.now() - told.get().at)));
  const onView = (): void => { if (!document.hidden) early(0); };
  const onShown = ({ data }: MessageEvent): void => {
    if (data === "notice") early(0);
    else if (typeof data?.go === "string" && data.go.startsWith("#/notices")) go(data.go);
  };
  const onOwn = (): void => {
    rounds = [...AFTER_EVENTS_MS.slice(1)];
    early(AFTER_EVENTS_MS[0]);
  };
  let stopEvents = (): void => undefined;
  const follow = (): void => {
    stopEvents();
    const account = accountId.get();
    stopEvents = account ? accountStore(account).onEvents(onOwn) : () => undefined;
  };
  const stops = [accountId.subscribe(follow), session.subscribe(() => { told.set(NOTHING); soon(0); })];
  document.addEventListener("visibilitychange", onView);
  navigator.serviceWorker?.addEventListener("message", onShown);
  told.set(NOTHING);
  follow();
  soon(0);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    stopEvents();
    for (const stop of stops) stop();
    document.removeEventListener("visibilitychange", onView);
    navigator.serviceWorker?.removeEventListener("message", onShown);
    told.set(NOTHING);
  };
}

export const toggleBell = (): void => void document.getElementById(BELL)?.togglePopover();
