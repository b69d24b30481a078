/** Being told while no page is open: the browser's maker carries it, sealed, and the service worker shows it. */
import { api, ok, type Schemas } from "../client/api";
import { Problem } from "../client/problem";

/** Which of the house's subscriptions is this browser's: no browser tells it from the address. */
const MINE = "fondaco.push";
const WAIT_MS = 20_000;

export type Standing = "unable" | "denied" | "off" | "on";

/** Bytes of base64url, as a browser wants the key of the house. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (each) => each.charCodeAt(0));
}

export const isAble = (): boolean => "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

/** Whether this browser is told by push, of the subscriptions that the house has. */
export async function standing(known: readonly Schemas["SubscriptionShown"][]): Promise<Standing> {
  if (!isAble()) return "unable";
  if (Notification.permission === "denied") return "denied";
  const registration = await navigator.serviceWorker.getRegistration();
  const has = await registration?.pushManager.getSubscription();
  return has && known.some((each) => each.subscription_id === mine()) ? "on" : "off";
}

export const mine = (): string => {
  try {
    return localStorage.getItem(MINE) ?? "";
  } catch {
    return "";
  }
};

function keep(id: string): void {
  try {
    if (id) localStorage.setItem(MINE, id);
    else localStorage.removeItem(MINE);
  } catch {
    // The list of browsers still has it.
  }
}

const failed = (message: string): Problem => new Problem({ status: 0, code: "push", message, retryable: true, reached_venue: "no" });

/** Asks for permission, so it must follow a click. */
export async function tellHere(push_key: string): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw failed("The browser was told not to show notices of this page. Its settings of this site change that.");
  const registration = await worker();
  const key = bytesOf(push_key);
  const before = await registration.pushManager.getSubscription();
  if (before && !isSame(before.options.applicationServerKey, key)) await before.unsubscribe(); // the house has another key now
  let found: PushSubscription;
  try {
    found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (error) {
    throw failed(`The browser could not reach the push service of its maker: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { endpoint = "", keys = {} } = found.toJSON();
  const made = await ok(api.POST("/api/notifications/push", { body: { endpoint, p256dh: keys.p256dh ?? "", auth: keys.auth ?? "" } }));
  keep(made.subscription_id);
}

/** No more; this browser's own subscription ends, too. */
export async function leave(subscription_id: string): Promise<void> {
  await ok(api.DELETE("/api/notifications/push/{subscription_id}", { params: { path: { subscription_id } } }));
  if (subscription_id !== mine()) return;
  keep("");
  const registration = await navigator.serviceWorker?.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

async function worker(): Promise<ServiceWorkerRegistration> {
  const late = new Promise<never>((_, no) => setTimeout(() => no(failed("The page's service worker did not start. Load the page again.")), WAIT_MS));
  return Promise.race([navigator.serviceWorker.ready, late]);
}

function isSame(one: ArrayBuffer | null, other: Uint8Array): boolean {
  const bytes = new Uint8Array(one ?? new ArrayBuffer(0));
  return bytes.length === other.length && bytes.every((each, nth) => each === other[nth]);
}
