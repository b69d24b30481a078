/** Journal: everything that was decided, in order; a slider over it, and what was true at any place of it. */
import { useCallback, useEffect, useMemo, useState, useRef } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, number, zoneName } from "../kit/format";
import { prefs } from "../kit/prefs";
import { Empty, ErrorPanel } from "../kit/states";
import { useStore } from "../kit/store";
import { houseNow, useConnection } from "../live/stores";
import { useSecond } from "../shell/Connection";
import { asOf, backToNow, lookAt, useAsOf } from "../shell/past";
import { provide } from "../shell/keys";
import { setQuery } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { EntryPanel } from "./EntryPanel";
import { Slider } from "./Slider";
import { type Point, timeOf } from "./slider";
import { StatePanel } from "./StatePanel";
import { type Entry, Follower, parsed, rates } from "./tail";
import { TailList } from "./TailList";
import "./journal.css";

const FILTER_MS = 250;
const TIMELINE_MS = 10_000;

export default function Journal({ route }: ScreenProps) {
  const past = useAsOf();
  const said = route.query.q ?? "";
  const vs = numberOf(route.query.vs);
  const chosen = numberOf(route.query.entry);
  const tab = route.query.tab === "state" || past ? (route.query.tab ?? "state") : "entry";
  const follower = useFollower(said, past?.position ?? null);
  const tail = useStore(follower.state);
  const entry = useEntry(chosen, tail.entries);
  const line = useAsked(`timeline ${past ? "past" : ""}`, () => ok(api.GET("/api/journal/timeline", { params: { query: { points: 200 } } })), TIMELINE_MS);
  // A hand that rests on its way begins another timeline: until that is read the last one stands, or there would be no head and the release were "now".
  const kept = useRef(line.data);
  if (line.data) kept.current = line.data;
  const drawn = line.data ?? kept.current;
  const points = useMemo((): Point[] => (drawn?.points ?? []).map(([position = 0, at = 0]): Point => [position, at]), [drawn]);
  const head = Math.max(tail.head, drawn?.head ?? 0);

  const stand = useCallback(async (position: number | null) => {
    if (position === null || position >= head) {
      backToNow();
      setQuery({ at: null });
      return;
    }
    const at = timeOf(position, points);
    lookAt({ position, at: at ?? 0, knownAt: null });
    setQuery({ at: String(position) });
    const [exact] = (await ok(api.GET("/api/journal", { params: { query: { after: position - 1, limit: 1 } } }))).items;
    if (exact?.position === position && asOf.get()?.position === position) lookAt({ position, at: Number(exact.at) / 1e6, knownAt: null });
  }, [head, points]);

  // A link into the past opens there; the Now button of the shell takes the address with it.
  const wanted = numberOf(route.query.at);
  useEffect(() => {
    if (wanted !== null && head && asOf.get()?.position !== wanted) void stand(wanted);
  }, [head > 0]);
  useEffect(() => {
    if (!past && wanted !== null && head) setQuery({ at: null, vs: null });
  }, [past === null]);

  const at = past?.position ?? head;
  // A key may come before what was drawn last has told its place: a step goes from where one stands now.
  const step = useCallback((by: number): void => void stand(Math.max(1, (asOf.get()?.position ?? head) + by)), [stand, head]);
  useEffect(() => provide("Journal screen", [
    { title: "One entry back", keys: "←", run: () => step(-1) },
    { title: "One entry on", keys: "→", run: () => step(1) },
    { title: "100 entries back", keys: "Shift+←", run: () => step(-100) },
    { title: "100 entries on", keys: "Shift+→", run: () => step(100) },
    { title: "To the beginning", keys: "Home", run: () => void stand(1) },
    { title: "Now", keys: "n", run: () => void stand(null) },
    { title: "Now", keys: "End", run: () => void stand(null) },
    { title: "Compare with this position", keys: "d", run: () => setQuery({ vs: vs === at ? null : String(at), tab: "state" }) },
    { title: "Copy the replay command", run: () => void navigator.clipboard.writeText(`fondaco replay --until ${at}`) },
  ]), [stand, step, at, vs]);

  return (
    <div className="journal">
      <Head tail={tail.entries} head={head} />
      <Slider points={points} head={head} at={past?.position ?? null} vs={vs} onRest={(position) => void stand(position)} />
      <div className="columns">
        <section className="panel tail" data-panel aria-label="Entries">
          <header>
            <h2>{past ? `Entries up to ${number(String(past.position))}` : "Entries as they are written"}</h2>
            <Search said={said} />
          </header>
          {tail.problem && !tail.entries.length ? <ErrorPanel problem={tail.problem} /> : <TailList follower={follower} tail={tail} chosen={chosen} onChoose={(position) => setQuery({ entry: String(position), ...(past ? {} : { tab: null }) })} said={said} />}
        </section>
        <aside className="panel" data-panel aria-label="What was true">
          <header>
            <nav className="tabs" aria-label="Beside the entries">
              <button type="button" aria-pressed={tab === "entry"} onClick={() => setQuery({ tab: "entry" })}>Entry</button>
              <button type="button" aria-pressed={tab !== "entry"} onClick={() => setQuery({ tab: "state" })}>Account at {number(String(at))}</button>
            </nav>
          </header>
          <div className="body scroll" tabIndex={0}>
            {tab === "entry" ? (entry ? <EntryPanel entry={entry} onStand={(position) => void stand(position)} /> : <Empty>Choose an entry: j and k move, / searches. Every one has an id, a cause, both its times and a proof.</Empty>) : <StatePanel at={at} vs={vs} past={past !== null} />}
          </div>
        </aside>
      </div>
    </div>
  );
}

const numberOf = (text: string | undefined): number | null => (text && /^\d{1,15}$/.test(text) ? Number(text) : null);

function useFollower(said: string, until: number | null): Follower {
  const follower = useMemo(() => new Follower(parsed(said), until), [said, until]);
  useEffect(() => follower.follow(), [follower]);
  return follower;
}

/** The chosen entry: one that is in view, or else it is asked for. */
function useEntry(position: number | null, entries: readonly Entry[]): Entry | null {
  const shown = position === null ? null : (entries.find((entry) => entry.position === position) ?? null);
  const asked = useAsked(position !== null && !shown ? `entry ${position}` : "", async () => {
    const page = await ok(api.GET("/api/journal", { params: { query: { after: (position ?? 1) - 1, limit: 1 } } }));
    return page.items[0]?.position === position ? page.items[0] : null;
  });
  return shown ?? asked.data;
}

function Head({ tail, head }: { tail: readonly Entry[]; head: number }) {
  const now = useSecond();
  const connection = useConnection();
  const verified = useAsked("verified", () => ok(api.GET("/api/journal/verify")), 30_000);
  const rate = rates(tail, houseNow()).slice(0, 3);
  const last: Schemas["VerificationReply"]["last"] | undefined = verified.data?.last;
  return (
    <header className="top" data-now={now}>
      <h1>Position {number(String(head))}</h1>
      <p className="label">
        {rate.length ? rate.map(([room, perS]) => `${room} ${number(perS.toFixed(1))}/s`).join(" · ") : "nothing written in the last 10 s"}
        {" · "}{last ? (last.wrong.length ? "" : `verified to ${number(String(last.entries))}`) : "not verified yet"}
        {connection.state === "live" ? "" : " · the line is not live"}
      </p>
      {!!last?.wrong.length && <p className="line cut" role="alert">The journal is not what was written: {last.wrong[0]}</p>}
    </header>
  );
}

function Search({ said }: { said: string }) {
  const { zone } = useStore(prefs);
  const [text, setText] = useState(said);
  useEffect(() => setText(said), [said]);
  useEffect(() => {
    if (text.trim() === said) return undefined;
    const timer = setTimeout(() => setQuery({ q: text.trim() || null }), FILTER_MS);
    return () => clearTimeout(timer);
  }, [text, said]);
  return (
    <div className="search end">
      <label className="unseen" htmlFor="journal-search">Search</label>
      <input id="journal-search" type="search" data-filter value={text} placeholder="words, stream:account/demo, kind:trading.order, cause:…" onChange={(event) => setText(event.target.value)} autoComplete="off" spellCheck={false} />
      <span className="label" title={`Times are in ${zoneName(zone)}, ${dayTime(houseNow(), "s", zone)}`}>{zoneName(zone)}</span>
    </div>
  );
}
