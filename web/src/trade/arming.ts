/** Armed trading as the page has it: one tab, gone when anything about the ground changes. */
import { Store, useStore } from "../kit/store";
import { connectionStore } from "../live/stores";
import { accountId, welcome } from "../shell/session";
import { type Armed, armed, type ArmEvent, DISARMED } from "./armed";

export const arming = new Store<Armed>(DISARMED);
const tell = (event: ArmEvent): void => arming.update((now) => armed(now, event));

const ME = Math.random().toString(36).slice(2);
let others: BroadcastChannel | null = null;

export function arm(): void {
  if (connectionStore.get().state !== "live") return;
  tell({ is: "arm", now: Date.now() });
  others?.postMessage(ME);
}
export const disarm = (why: string | null = null): void => tell({ is: "disarm", why });
export const used = (): void => tell({ is: "used", now: Date.now() });
export const useArmed = (): Armed => useStore(arming);

/** While the screen is shown. */
export function guard(): () => void {
  others = new BroadcastChannel("fondaco.armed");
  others.onmessage = (event: MessageEvent<string>) => {
    if (event.data !== ME) disarm("another tab was armed");
  };
  const blur = (): void => disarm("the window lost the focus");
  addEventListener("blur", blur);
  const timer = setInterval(() => tell({ is: "tick", now: Date.now() }), 1_000);
  const stops = [
    connectionStore.subscribe(() => connectionStore.get().state !== "live" && disarm("the connection was cut")),
    accountId.subscribe(() => disarm("another account was chosen")),
    welcome.subscribe(() => disarm("the environment changed")),
  ];
  return () => {
    disarm();
    removeEventListener("blur", blur);
    clearInterval(timer);
    for (const stop of stops) stop();
    others?.close();
    others = null;
  };
}
