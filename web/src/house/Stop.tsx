/** The kill switch: numbers before the act, a reason, two clicks that lie apart, then a list that stays. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { number } from "../kit/format";
import { When } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { ErrorPanel } from "../kit/states";
import { useStore } from "../kit/store";
import { asOf } from "../shell/past";
import { current, openOrder, setQuery, useRoute } from "../shell/routes";
import { accounts, may, useInstruments } from "../shell/session";
import { act, consequence, type Preview, type Progress, type Scope, steps } from "./stopping";

const ARMED_S = 12;
const SCOPES: readonly { value: Scope; label: string }[] = [
  { value: "account", label: "Account" },
  { value: "instrument", label: "Instrument" },
  { value: "house", label: "House" },
];

export function Stop({ house }: { house: Schemas["HouseReply"] }) {
  const route = useRoute();
  const since = /^\d+$/.test(route.query.stop ?? "") ? Number(route.query.stop) : null;
  const isShown = since !== null || house.killed;
  return (
    <section className="panel stop" data-panel aria-label="Stop trading">
      <header><h2>Stop trading</h2>{!may("limits:write") && <span className="label">needs scope limits:write</span>}</header>
      {isShown ? <Running since={since} killed={house.killed} /> : <Ask />}
    </section>
  );
}

function Ask() {
  const listed = useInstruments();
  const own = useStore(accounts);
  const past = useStore(asOf);
  const [scope, setScope] = useState<Scope>("account");
  const [chosen, setChosen] = useState<Record<Scope, string>>({ account: current().query.account ?? "", instrument: "", house: "" });
  const [reason, setReason] = useState("");
  const [armed, setArmed] = useState(0);
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const name = scope === "house" ? "" : chosen[scope] || (scope === "account" ? (own[0]?.account_id ?? "") : (listed[0]?.symbol ?? ""));
  const query = scope === "account" ? { account_id: name } : scope === "instrument" ? { symbol: name } : {};
  const asked = useAsked(scope === "house" || name ? `preview ${scope} ${name}` : "", () => ok(api.GET("/api/risk/kill/preview", { params: { query } })), 3_000);
  const found: Preview | null = asked.data;

  useEffect(() => {
    if (!armed) return undefined;
    const timer = setTimeout(() => setArmed((left) => left - 1), 1_000);
    return () => clearTimeout(timer);
  }, [armed]);
  useEffect(() => setArmed(0), [scope, name, reason]);

  const send = async (): Promise<void> => {
    setSending(true);
    setProblem(null);
    try {
      const told = scope === "house"
        ? await ok(api.POST("/api/risk/kill", { body: { reason } }))
        : await ok(api.POST("/api/risk/stop", { body: { reason, account_id: scope === "account" ? name : null, symbol: scope === "instrument" ? name : null } }));
      setQuery({ stop: String(told.position) });
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
    setSending(false);
    setArmed(0);
  };
  const why = past ? "The past is only read." : !may("limits:write") ? "Needs scope limits:write." : reason.trim().length < 3 ? "Say why first: it is kept in the journal." : found === null ? "Counting what it would do." : "";

  return (
    <div className="body form">
      {/* The second click lies here, away from the first. */}
      <div className={`armed ${armed ? "on" : ""}`} aria-live="polite">
        {!armed && <span className="label">Two clicks: the second one appears here.</span>}
        {armed > 0 && found && (
          <>
            <button type="button" className="button quiet" onClick={() => setArmed(0)}>Do not</button>
            <button type="button" className="button stop-now" disabled={sending} onClick={() => void send()}>{sending ? "Sending" : `${act(scope, name)} now`}</button>
            <span className="label">{armed} s</span>
          </>
        )}
      </div>
      <Segmented label="What to stop" value={scope} choices={SCOPES} onChange={setScope} />
      {scope === "account" && <Select label="Account" value={name} choices={own.map((each) => [each.account_id, each.account_id] as const)} onChange={(value) => setChosen({ ...chosen, account: value })} />}
      {scope === "instrument" && <Select label="Instrument" value={name} choices={listed.map((each) => [each.symbol, each.symbol] as const)} onChange={(value) => setChosen({ ...chosen, instrument: value })} />}
      <p className="numbers-first">
        {found ? <><b>{act(scope, name)}</b> {consequence(found)}. Nothing new is accepted there until somebody lifts it.{found.stopped && " It is stopped already."}</> : asked.problem ? asked.problem.message : "Counting."}
      </p>
      {found && found.at_work.length > 0 && scope !== "account" && (
        <p className="label">{found.at_work.slice(0, 4).map((each) => `${each.account_id} ${number(String(each.orders))}`).join(", ")}{found.accounts > 4 && `, and ${number(String(found.accounts - 4))} more`}</p>
      )}
      <Field label="Reason, kept in the journal" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} autoComplete="off" />
      {problem && <ErrorPanel problem={problem} />}
      <div className="row"><button type="button" className="button danger" disabled={Boolean(why) || armed > 0} onClick={() => setArmed(ARMED_S)}>{act(scope, name)}…</button><span className="label">{armed ? "Now the button above." : why}</span></div>
    </div>
  );
}

function Running({ since, killed }: { since: number | null; killed: boolean }) {
  const asked = useAsked(`stop ${since ?? "house"}`, () => ok(api.GET("/api/risk/kill", { params: { query: since === null ? {} : { since } } })), 1_000);
  const found: Progress | null = asked.data;
  if (!found) return asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <p className="state">Reading how far it is</p>;
  const what = found.scope === "house" ? "The house" : `${found.scope === "account" ? "Account" : "Instrument"} ${found.name}`;
  return (
    <div className={`body form running ${found.blocked ? "" : "lifted"}`} role="status">
      <p className="numbers-first"><b>{what} {found.blocked ? "is stopped" : "was stopped"}</b>{found.at && <> at <When at={found.at} precision="s" /></>}{found.by && ` by ${found.by}`}: {found.reason}</p>
      <ol className="steps">
        {steps(found).map((step) => <li key={step.text} className={step.done ? "" : "open"}><span aria-hidden="true">{step.done ? "✓" : "…"}</span>{step.text}</li>)}
      </ol>
      {found.named.length > 0 && (
        <ul className="named" aria-label="Not confirmed">
          {found.named.map((each) => <li key={each.order_id}><button type="button" className="link" onClick={() => openOrder(each.order_id)}>{each.order_id}</button><span className="label">asked <When at={each.asked_at} /></span>{each.says && <span>{each.says.replace(/_/g, " ")}</span>}</li>)}
        </ul>
      )}
      {found.blocked ? <Lift found={found} again={asked.again} /> : <p className="label">Lifted{found.ended_at && <> at <When at={found.ended_at} precision="s" /></>}.</p>}
      {!(killed && since === null) && <div className="row"><button type="button" className="button" onClick={() => setQuery({ stop: null })}>Close this list</button></div>}
    </div>
  );
}

function Lift({ found, again }: { found: Progress; again: () => void }) {
  const [reason, setReason] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const lift = async (): Promise<void> => {
    try {
      if (found.scope === "house") await ok(api.POST("/api/risk/unkill", { body: { reason } }));
      else if (found.scope === "account") await ok(api.PUT("/api/accounts/{account_id}/trading-state", { params: { path: { account_id: found.name } }, body: { state: "active", reason } }));
      else await ok(api.PUT("/api/risk/trading-state", { body: { state: "active", reason, symbol: found.name } }));
      again();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
  };
  if (!isOpen) return <div className="row"><button type="button" className="button" disabled={!may("limits:write")} onClick={() => setOpen(true)}>Lift it…</button></div>;
  return (
    <>
      <Field label="Why it may trade again, kept in the journal" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} autoComplete="off" />
      {problem && <ErrorPanel problem={problem} />}
      <div className="row lift"><button type="button" className="button quiet" onClick={() => setOpen(false)}>Leave it stopped</button><button type="button" className="button danger" disabled={reason.trim().length < 3} onClick={() => void lift()}>Accept new orders again</button></div>
    </>
  );
}
