/** The page's end of the line to the worker: one batch per animation frame, own events first. */
import { Store } from "../kit/store";
import { assessmentStore, connectionStore, knownAccounts, marketStore, takeItems } from "./stores";
import { type AccountItem, type Batch, type FromWorker, OFF, summary, type ToWorker, type Watch } from "./protocol";

const UNWATCH_MS = 3_000; // A panel that is closed and opened again costs no snapshot.

/** What happened while the line was cut or nobody looked, in one sentence. */
export const awayStore = new Store<string>("");
/** Milliseconds of script that the last frames took, and what they brought; for the benchmark and the House. */
export const frameStats = { frames: 0, script_ms: 0, worst_ms: 0, heard_to_shown_ms: 0 };

let worker: Worker | null = null;
let waiting: Batch | null = null;
let isAsked = false;
let away: AccountItem[] | null = null;
const leaving = new Map<Watch, ReturnType<typeof setTimeout>>();

const say = (message: ToWorker): void => worker?.postMessage(message);

function frame(): void {
  isAsked = false;
  const batch = waiting;
  waiting = null;
  if (!batch) return;
  const began = performance.now();
  if (batch.items.length) {
    if (away) away.push(...batch.items);
    takeItems(batch.items);
  }
  marketStore.take(batch);
  for (const each of batch.assessments) assessmentStore.set(each.assessment_id, each);
  const took = performance.now() - began;
  frameStats.frames += 1;
  frameStats.script_ms += took;
  frameStats.worst_ms = Math.max(frameStats.worst_ms, took);
  frameStats.heard_to_shown_ms = performance.timeOrigin + performance.now() - batch.heardAt;
  say({ type: "ready" });
}

function hear({ data }: MessageEvent<FromWorker>): void {
  if (data.type === "batch") {
    waiting = data;
    if (!isAsked) {
      isAsked = true;
      requestAnimationFrame(frame);
    }
    return;
  }
  const before = connectionStore.get();
  connectionStore.set(data.connection);
  if (data.connection.state === "cut" && !away) away = [];
  if (data.connection.state === "live" && before.state !== "live" && away) {
    // The last of them is drawn with the next frame.
    setTimeout(() => {
      const found = summary(away ?? []);
      away = null;
      if (found) awayStore.set(`While away: ${found}.`);
    }, 100);
  }
}

function watch(key: Watch, isWatched: boolean): void {
  const timer = leaving.get(key);
  if (isWatched) {
    if (timer !== undefined) {
      clearTimeout(timer);
      leaving.delete(key);
    } else say({ type: "watch", watches: [key] });
    return;
  }
  leaving.set(
    key,
    setTimeout(() => {
      leaving.delete(key);
      say({ type: "unwatch", watches: [key] });
    }, UNWATCH_MS),
  );
}

/** Begin to listen as whoever the token stands for, who may hear of orders or not. */
export function connect(token: string, hearsOrders: boolean): void {
  if (!worker) {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "live" });
    worker.onmessage = hear;
    marketStore.connect(watch);
    assessmentStore.onWatch = (assessment_id, isFollowed) => {
      if (!isFollowed) assessmentStore.remove(assessment_id);
      say({ type: "assessment", assessment_id, isFollowed });
    };
    for (const assessment_id of assessmentStore.watched()) say({ type: "assessment", assessment_id, isFollowed: true });
    const poke = (why: string) => (): void => say({ type: "poke", why });
    addEventListener("online", poke("online"));
    addEventListener("focus", poke("focus"));
    addEventListener("pageshow", poke("shown"));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") poke("visible")();
    });
  }
  say({ type: "accounts", accounts: knownAccounts().map((account) => account.account_id) });
  say({ type: "start", token, origin: location.origin, hearsOrders });
}

export function disconnect(): void {
  say({ type: "stop" });
  connectionStore.set(OFF);
}

/** Which accounts are listened to. */
export const follow = (accounts: string[]): void => say({ type: "accounts", accounts });
export const retryNow = (): void => say({ type: "poke", why: "asked" });

