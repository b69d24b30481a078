/** One session: what it is, where its numbers stand, and the three things that may be done to it. */
import { type ReactNode, useState } from "react";
import { api, ok } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { age, number } from "../kit/format";
import { When } from "../kit/Num";
import { ErrorPanel } from "../kit/states";
import { address, setQuery } from "../shell/routes";
import { useAsOf } from "../shell/past";
import { may, useAccountId } from "../shell/session";
import { lookOf, named, preview, sequence, type Session } from "./said";
import { Heard } from "./Sessions";

interface PanelProps {
  session: Session;
  now: number;
  again: () => void;
  /** Which question is open: it is in the address, so that the palette can ask it. */
  ask: string | undefined;
}

export function SessionPanel({ session, now, again, ask }: PanelProps) {
  const { glyph, word, tone } = lookOf(session);
  const past = useAsOf();
  const account = useAccountId();
  const stopped = session.state === "stopped";
  const isAtRest = stopped && !session.peer;
  const never = past ? "The past is only read." : may("house:write") ? "" : "Needs scope house:write.";
  const close = (): void => setQuery({ ask: null });
  const done = (): void => {
    close();
    again();
  };
  return (
    <aside className="panel session" data-panel aria-label="Session">
      <header><h2 className="mono">{session.session}</h2></header>
      <div className="body scroll" tabIndex={0}>
        <p className={`now ${tone}`}><span aria-hidden="true">{glyph}</span> {word}{session.reason && <span className="label"> {session.reason}</span>}{stopped && session.stopped_by && <span className="label"> by {session.stopped_by}</span>}</p>
        <dl className="numbers-of">
          <div><dt>Next out</dt><dd>{number(String(session.next_out))}</dd></div>
          <div><dt>Next in</dt><dd>{number(String(session.next_in))}</dd></div>
        </dl>
        {session.missing_from > 0 && <p className="gap"><b>Gap.</b> {number(String(session.missing_from))} to {number(String(session.missing_to))} asked for again, {number(String(session.waiting))} waiting behind it.</p>}
        <dl className="facts">
          <Fact name="Heard">{session.heard_at ? <><Heard session={session} now={now} /> ago, <When at={session.heard_at} /></> : <span className="dim">no connection</span>}</Fact>
          <Fact name="Said">{session.said_at ? <>{age(now - Date.parse(session.said_at)) ?? "> 1 h"} ago, <When at={session.said_at} /></> : <span className="dim">no connection</span>}</Fact>
          <Fact name="Heartbeat">{session.heart_bt_int_s ? `${session.heart_bt_int_s} s` : "agreed at the logon"}</Fact>
          <Fact name="Messages">{number(String(session.received))} in, {number(String(session.sent))} out since the house began</Fact>
          <Fact name="Peer">{session.peer || <span className="dim">nobody is connected</span>}</Fact>
          <Fact name="Role">{session.role === "initiator" ? `we call ${session.connect.join(", then ")}` : `${named(session.session).theirs} calls us`}</Fact>
          <Fact name="Hours">{session.hours}</Fact>
          <Fact name="Serves">{session.application || "nothing: what comes is refused"}</Fact>
        </dl>
        <div className="row">
          <button type="button" className="button" disabled={!!never} onClick={() => setQuery({ ask: stopped ? "start" : "stop" })}>{stopped ? "Start…" : "Stop…"} <kbd>o</kbd></button>
          <button type="button" className="button" disabled={!!never || !isAtRest} onClick={() => setQuery({ ask: "numbers" })}>Set numbers… <kbd>n</kbd></button>
          <a className="button quiet" href={address("fix", ["messages"], { account, session: session.session })}>Messages</a>
          <span className="label">{never || (isAtRest ? "" : stopped ? "Numbers can be set once its connection has ended." : "Numbers are set while it is stopped.")}</span>
        </div>
      </div>
      {!never && (ask === "stop" || ask === "start") && <StopOrStart what={ask} session={session} onClose={close} onDone={done} />}
      {!never && ask === "numbers" && isAtRest && <Numbers session={session} onClose={close} onDone={done} />}
    </aside>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }): ReactNode => <><dt>{name}</dt><dd>{children}</dd></>;

interface AskProps {
  session: Session;
  onClose: () => void;
  onDone: () => void;
}

/** The reason that every order to a session needs, and the sending of it. */
function useOrder(send: (reason: string) => Promise<unknown>, onDone: () => void): { field: ReactNode; problem: ReactNode; isReady: boolean; isSending: boolean; go: () => void } {
  const [reason, setReason] = useState("");
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const go = async (): Promise<void> => {
    setSending(true);
    setProblem(null);
    try {
      await send(reason.trim());
      onDone();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
      setSending(false);
    }
  };
  return {
    field: <Field label="Reason, kept in the journal" value={reason} maxLength={200} autoComplete="off" onChange={(event) => setReason(event.target.value)} />,
    problem: problem && <ErrorPanel problem={problem} />,
    isReady: reason.trim().length >= 3,
    isSending,
    go: () => void go(),
  };
}

function StopOrStart({ what, session, onClose, onDone }: AskProps & { what: "stop" | "start" }) {
  const name = session.session;
  const order = useOrder((reason) => ok(what === "stop" ? api.POST("/api/fix/sessions/stop", { body: { session: name, reason } }) : api.POST("/api/fix/sessions/start", { body: { session: name, reason } })), onDone);
  const { theirs } = named(name);
  const isStop = what === "stop";
  return (
    <Dialog
      title={`${isStop ? "Stop" : "Start"} ${theirs}`}
      open
      onClose={onClose}
      footer={<>
        <button type="button" className="button quiet" onClick={onClose}>{isStop ? "Leave it running" : "Leave it stopped"}</button>
        <button type="button" className={`button ${isStop ? "danger" : "main"}`} disabled={!order.isReady || order.isSending} onClick={order.go}>{order.isSending ? "Sending" : isStop ? `Stop ${theirs}` : `Let ${theirs} log on`}</button>
      </>}
    >
      <p>{isStop
        ? <><b className="mono">{name}</b> is logged out, and nobody logs on to it until it is started again. Orders that came over it go on working; its numbers stay at {number(String(session.next_out))} out and {number(String(session.next_in))} in.</>
        : <><b className="mono">{name}</b> may log on again, at {number(String(session.next_out))} out and {number(String(session.next_in))} in.{session.role === "initiator" && ` We call ${session.connect.join(", then ")} at once.`}</>}</p>
      {order.field}
      {order.problem}
    </Dialog>
  );
}

function Numbers({ session, onClose, onDone }: AskProps) {
  const [out, setOut] = useState(String(session.next_out));
  const [into, setInto] = useState(String(session.next_in));
  const [nextOut, nextIn] = [sequence(out), sequence(into)];
  const isGood = typeof nextOut === "number" && typeof nextIn === "number";
  const order = useOrder((reason) => ok(api.POST("/api/fix/sessions/sequence", { body: { session: session.session, next_out: nextOut as number, next_in: nextIn as number, reason } })), onDone);
  const isChanged = isGood && (nextOut !== session.next_out || nextIn !== session.next_in);
  return (
    <Dialog
      title={`Sequence numbers of ${named(session.session).theirs}`}
      open
      onClose={onClose}
      footer={<>
        <button type="button" className="button quiet" onClick={onClose}>Leave them</button>
        <button type="button" className="button danger" disabled={!isChanged || !order.isReady || order.isSending} onClick={order.go}>{order.isSending ? "Sending" : isGood ? `Set ${number(String(nextOut))} out, ${number(String(nextIn))} in` : "Set"}</button>
      </>}
    >
      <div className="inline">
        <Field label="Next out" inputMode="numeric" value={out} wrong={typeof nextOut === "string" ? nextOut : null} said={`now ${number(String(session.next_out))}`} onChange={(event) => setOut(event.target.value)} />
        <Field label="Next in" inputMode="numeric" value={into} wrong={typeof nextIn === "string" ? nextIn : null} said={`now ${number(String(session.next_in))}`} onChange={(event) => setInto(event.target.value)} />
      </div>
      {isGood && <ul className="foreseen" aria-label="What the other side will see" aria-live="polite">{preview(session, nextOut, nextIn).map((line) => <li key={line}>{line}</li>)}</ul>}
      {order.field}
      {order.problem}
    </Dialog>
  );
}
