/** What everybody must see of the line to the house: an edge round the page, a sentence, a chip, the tab's title. */
import { useEffect, useState } from "react";
import { age, dayTime, lasted, time, zoneName } from "../kit/format";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { awayStore, retryNow } from "../live/link";
import type { Connection as State } from "../live/protocol";
import { clockOffset, connectionStore, houseNow, movedStore, useConnection } from "../live/stores";
import { backToNow, useAsOf } from "./past";
import { phase } from "./session";

const CLOCK_WRONG_MS = 500;

/** Rendered again every second, for ages. */
export function useSecond(isOn = true): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isOn) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}

export type Health = "live" | "starting" | "catching" | "cut" | "offline" | "refused";
export function healthOf(state: State["state"]): Health {
  if (state === "live") return "live";
  if (state === "catching" || state === "cut" || state === "refused") return state;
  return "starting";
}

/** "No contact for 8 s. Last data 14:02:11 UTC. Trying again (3)." */
export function sentence(connection: State, now: number): string {
  const { state, lastContact, attempt, position, why } = connection;
  if (state === "catching") return `Back. Reading what happened since position ${position}; orders open when that is done.`;
  if (state === "refused") return `Signed out by the house: ${why}.`;
  const since = lastContact ? (age(now - lastContact) ?? "more than an hour") : "";
  const last = lastContact ? `No contact for ${since}. Last data ${time(lastContact)} ${zoneName()}.` : "No contact with the house.";
  return `${last} Trying again (${Math.max(1, attempt)}).`;
}

export function ConnectionLine() {
  const connection = useConnection();
  const isIn = useStore(phase) === "in";
  const health = healthOf(connection.state);
  const isBad = isIn && health !== "live" && health !== "starting";
  const now = useSecond(isBad);
  useEffect(() => {
    document.documentElement.dataset.line = isIn ? health : "off";
    document.title = `${health === "cut" || health === "refused" ? "⚠ " : ""}Fondaco`;
  }, [isIn, health]);
  if (!isBad) return null;
  return (
    <div className={`line ${health}`} role={health === "cut" ? "alert" : "status"}>
      {/* The age changes each second; who listens hears the state once. */}
      <span aria-hidden="true">{sentence(connection, now)}</span>
      <span className="unseen">{health === "cut" ? "The house does not answer. Orders are closed, cancels are still sent." : "Catching up."}</span>
      {health === "cut" && <button type="button" className="button quiet" onClick={retryNow}>Try now</button>}
    </div>
  );
}

export function AwayNote() {
  const away = useStore(awayStore);
  if (!away) return null;
  return (
    <div className="line away" role="status">
      <span>{away}</span>
      <button type="button" className="button quiet" onClick={() => { awayStore.set(""); location.hash = "#/trade?tab=fills"; }}>Show</button>
      <button type="button" className="button quiet" onClick={() => awayStore.set("")}>Dismiss</button>
    </div>
  );
}

/** The past, plainly: both times and the way back. */
export function PastLine() {
  const past = useAsOf();
  useEffect(() => {
    document.documentElement.dataset.past = past ? "yes" : "no";
  }, [past]);
  if (!past) return null;
  return (
    <div className="line past" role="status">
      <span>As of {dayTime(past.at)} {zoneName()}, position {past.position}, known at {past.knownAt === null ? "now" : `position ${past.knownAt}`}. Reading only.</span>
      <button type="button" className="button" onClick={backToNow}>Now</button>
    </div>
  );
}

const WORDS: Record<Health, string> = { live: "Live", starting: "Connecting", catching: "Catching up", cut: "Cut off", offline: "Offline", refused: "Signed out" };

export function ConnectionChip() {
  const connection = useConnection();
  const offset = useStore(clockOffset);
  const health = healthOf(connection.state);
  const moved = useStore(movedStore);
  const isWrong = moved === null && Math.abs(offset) > CLOCK_WRONG_MS; // A sandbox's clock is not meant to be ours.
  const off = lasted(Math.abs(offset) * 1e6);
  const title = `Last heard ${connection.lastContact ? time(connection.lastContact, "ms") : "never"}, position ${connection.position}`;
  return (
    <span className={`connection ${health}`} title={title}>
      <i aria-hidden="true" />
      {WORDS[health]}
      {isWrong && <span className="chip warn" title="Ages are told by the house's clock.">clock {off} {offset > 0 ? "slow" : "fast"}</span>}
    </span>
  );
}

export function Clock() {
  const moved = useStore(movedStore);
  useSecond(!moved);
  const { zone } = useStore(prefs);
  if (moved) {
    return (
      <time className="clock moved" title="This is a sandbox: its time stands still until somebody moves it.">
        <span className="chip">sandbox time</span> {dayTime(moved, "s", zone)} <span className="dim">{zoneName(zone)}</span>
      </time>
    );
  }
  return <time className="clock">{time(houseNow(), "s", zone)} <span className="dim">{zone === "UTC" ? "UTC" : zoneName(zone)}</span></time>;
}

export const isCut = (): boolean => connectionStore.get().state !== "live";
