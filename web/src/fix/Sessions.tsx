/** FIX sessions: who is here, at which numbers; beside it the one that is chosen, and what may be done to it. */
import { useEffect } from "react";
import { age, ms, number } from "../kit/format";
import { useMedia } from "../kit/media";
import { Empty } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { clockOffset } from "../live/stores";
import { useSecond } from "../shell/Connection";
import { provide } from "../shell/keys";
import { address, go, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import type { ViewProps } from "./Fix";
import { isSilent, lookOf, named, type Rates, type Session } from "./said";
import { SessionPanel } from "./SessionPanel";
import { Spark } from "./Spark";
import { Timeline } from "./Timeline";

export function Sessions({ route, sessions, rates, again }: ViewProps) {
  const chosen = sessions.find(({ session }) => session === route.parts[1]) ?? null;
  const isNarrow = useMedia("(max-width: 599px)");
  const isWide = useMedia("(min-width: 1280px)");
  const now = useSecond() + clockOffset.get();
  const account = useAccountId();
  const choose = (session: string): void => go(address("fix", ["sessions", session], { account }), !isNarrow || route.parts.length > 1);
  useEffect(() => provide("FIX sessions", [
    { title: "Stop or start this session", keys: "o", danger: true, unless: () => (chosen ? "" : "no session is chosen"), run: () => setQuery({ ask: chosen?.state === "stopped" ? "start" : "stop" }) },
    { title: "Set sequence numbers of this session", keys: "n", danger: true, unless: () => (!chosen ? "no session is chosen" : chosen.state === "stopped" && !chosen.peer ? "" : "it is not stopped"), run: () => setQuery({ ask: "numbers" }) },
  ]), [chosen]);
  const columns = isNarrow ? NARROW(now) : WIDE(now, rates, isWide);
  const list = (
    <section className="panel" data-panel aria-label="Sessions">
      <div className="scroll list">
        <Table
          label="FIX sessions"
          columns={columns}
          rows={sessions}
          rowKey={({ session }) => session}
          selected={chosen?.session ?? null}
          onSelect={choose}
          rowClass={({ state }) => (state === "up" || state === "connecting" ? undefined : "away")}
          empty={<>No session is agreed. <span className="mono">fix.toml</span> in the house's data directory names them; a demo house started with <span className="mono">--fix-port</span> has four to try.</>}
        />
      </div>
    </section>
  );
  if (isNarrow && chosen) {
    return (
      <div className="sessions">
        <p className="back"><a href={address("fix", ["sessions"], { account })}>← All sessions</a></p>
        <SessionPanel session={chosen} now={now} again={again} ask={route.query.ask} />
        <Timeline session={chosen.session} span={route.query.span} />
      </div>
    );
  }
  return (
    <div className="sessions columns">
      <div className="stack">{list}{chosen && <Timeline key={chosen.session} session={chosen.session} span={route.query.span} />}</div>
      {!isNarrow && (chosen ? <SessionPanel key={chosen.session} session={chosen} now={now} again={again} ask={route.query.ask} /> : <aside className="panel" data-panel aria-label="Session"><Empty>{sessions.length ? "Choose a session: j and k move." : "Nothing to choose."}</Empty></aside>)}
    </div>
  );
}

function State({ session }: { session: Session }) {
  const { glyph, word, tone } = lookOf(session);
  return <span className={`line-state ${tone}`} title={session.reason || undefined}><span aria-hidden="true">{glyph}</span>{word}</span>;
}

function Name({ session }: { session: Session }) {
  const { version, ours, theirs } = named(session.session);
  return <span className="name"><b>{theirs}</b> <span className="label">{session.role === "initiator" ? "we call" : "calls us"} as {ours}, {version}</span></span>;
}

/** How long nothing was heard, against the interval that was agreed. */
export function Heard({ session, now }: { session: Session; now: number }) {
  if (!session.heard_at) return <span className="dim" title="There is no connection.">–</span>;
  const silent = isSilent(session, now);
  return <span className={silent ? "late" : undefined} title={session.heard_at}>{silent && "! "}{age(now - ms(session.heard_at)) ?? "> 1 h"}</span>;
}

const STATE: Column<Session> = { key: "state", title: "State", cell: (session) => <State session={session} />, sort: ({ state }) => state };
const numberOf = (key: "next_out" | "next_in" | "received" | "sent", title: string): Column<Session> => ({ key, title, num: true, sort: (session) => session[key], cell: (session) => (session[key] ? number(String(session[key])) : <span className="dim">0</span>) });

const WIDE = (now: number, rates: Rates, isWide: boolean): Column<Session>[] => [
  STATE,
  { key: "session", title: "Counterparty", cell: (session) => <Name session={session} />, sort: ({ session }) => named(session).theirs },
  numberOf("next_out", "Next out"),
  numberOf("next_in", "Next in"),
  { key: "gap", title: "Gap", num: true, cell: ({ missing_from, missing_to }) => (missing_from ? <b>{number(String(missing_to - missing_from + 1))}</b> : <span className="dim">0</span>), sort: (session) => (session.missing_from ? session.missing_to - session.missing_from + 1 : 0) },
  { key: "heard", title: "Heard", num: true, cell: (session) => <Heard session={session} now={now} /> },
  { key: "beat", title: "Heartbeat", num: true, cell: ({ heart_bt_int_s }) => (heart_bt_int_s ? `${heart_bt_int_s} s` : <span className="dim">–</span>), sort: ({ heart_bt_int_s }) => heart_bt_int_s },
  numberOf("received", "Received"),
  numberOf("sent", "Sent"),
  ...(isWide ? [{ key: "rate", title: "Messages/s", cell: (session: Session) => <Spark values={rates.of(session.session)} /> }] : []),
  { key: "application", title: "Serves", cell: ({ application }) => application || <span className="dim">nothing</span>, sort: ({ application }) => application },
];

const NARROW = (now: number): Column<Session>[] => [
  { ...STATE, cell: (session) => <><State session={session} /><span className="under label">{session.heard_at ? <>heard <Heard session={session} now={now} /></> : ""}</span></> },
  { key: "session", title: "Counterparty", cell: (session) => <><b>{named(session.session).theirs}</b><span className="under label">{named(session.session).version}</span></>, sort: ({ session }) => named(session).theirs },
  { key: "numbers", title: "Next out, in", num: true, cell: (session) => <>{number(String(session.next_out))}<span className="under">{number(String(session.next_in))}</span></> },
];
