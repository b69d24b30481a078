/** Order: the life of one order, from the request to the ledger, each step with its time and what caused it. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, commandId, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import * as d from "../kit/decimal";
import { dayTime, lasted, number, time, zoneName } from "../kit/format";
import { Num, When } from "../kit/Num";
import { prefs } from "../kit/prefs";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { StatusChip } from "../kit/StatusChip";
import { useStore } from "../kit/store";
import { type Column, Table } from "../kit/Table";
import { accountStore } from "../live/stores";
import { useAsOf } from "../shell/past";
import { provide } from "../shell/keys";
import { address, go, openOrder } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { may, useAccountId } from "../shell/session";
import { Proof } from "./Proof";
import { bar, byNearness, type Check, checkTitle, excessOf, lastedUs, type Order, partOf, sentence, type Step, type Why } from "./told";
import "./story.css";

const OPEN_MS = 1_500;
const DONE = new Set(["filled", "canceled", "expired", "rejected"]);

export default function Story({ route }: ScreenProps) {
  const about = route.parts[0];
  return about ? <Life key={about} about={about} /> : <Choose />;
}

interface Told {
  why: Why;
  order: Order | null;
}

async function tell(about: string): Promise<Told> {
  const why = await ok(api.GET("/api/why/{about}", { params: { path: { about } } }));
  if (!/^.+\.\d+$/.test(why.about)) return { why, order: null };
  const found = await ok(api.GET("/api/orders/{order_id}", { params: { path: { order_id: why.about } } }));
  return { why, order: found.order };
}

function Life({ about }: { about: string }) {
  const [ended, setEnded] = useState(false);
  const asked = useAsked(`why ${about}`, () => tell(about), ended ? 0 : OPEN_MS);
  const status = asked.data?.order?.ord_status ?? "";
  useEffect(() => setEnded(DONE.has(status)), [status]);
  // What happens to the account is heard at once; then this is asked again.
  const account_id = asked.data?.why.account_id ?? "";
  const { again } = asked;
  useEffect(() => (account_id ? accountStore(account_id).onEvents(() => setTimeout(again, 60)) : undefined), [account_id, again]);

  if (!asked.data) {
    if (asked.problem) return <div className="story"><Find said={about} /><ErrorPanel problem={asked.problem} retry={asked.again} /></div>;
    return <Loading rows={10} waitsFor={`Reading the life of ${about}`} />;
  }
  return <Timeline told={asked.data} again={asked.again} />;
}

function Timeline({ told: { why, order }, again }: { told: Told; again: () => void }) {
  const { zone } = useStore(prefs);
  const [at, setAt] = useState<number | null>(null);
  const [raw, setRaw] = useState<number | null>(null);
  const [copied, setCopied] = useState("");
  const { steps } = why;
  const chosen = steps.find((step) => step.position === at) ?? null;
  const whole = lastedUs(steps);
  const list = useRef<HTMLOListElement>(null);

  const move = useCallback((by: number) => {
    const nth = steps.findIndex((step) => step.position === at);
    const next = steps[Math.max(0, Math.min(steps.length - 1, nth < 0 ? (by > 0 ? 0 : steps.length - 1) : nth + by))];
    if (!next) return;
    setAt(next.position);
    list.current?.querySelector<HTMLElement>(`[data-position="${next.position}"]`)?.focus();
  }, [steps, at]);
  const copy = useCallback((text: string, said: string) => void navigator.clipboard.writeText(text).then(() => setCopied(said), () => setCopied("The browser let nothing be copied.")), []);
  useEffect(() => provide("Order screen", [
    { title: "Next step", keys: "→", run: () => move(1) },
    { title: "Step before", keys: "←", run: () => move(-1) },
    { title: "Raw entry", keys: "o", unless: () => (at === null ? "choose a step first" : ""), run: () => setRaw((before) => (before === at ? null : at)) },
    { title: "Copy the id", keys: "y", run: () => copy(why.about, `Copied ${why.about}.`) },
    { title: "Copy a link to this order", run: () => copy(location.href, "Copied the link.") },
    { title: "Export this story", run: () => save(why) },
  ]), [move, copy, at, why]);

  return (
    <div className="story">
      <header className="top">
        <div>
          <h1>{order ? sentence(order) : `Position ${why.about}`}</h1>
          <p className="label">
            {order && <><StatusChip status={order.ord_status} filled={share(order)} reason={order.text} /> </>}
            <span className="part"><span className="mono">{why.about}</span></span>
            {order && <span className="part">your id <span className="mono">{order.cl_ord_id}</span></span>}
            {order && d.sign(order.cum_qty) > 0 && <span className="part">executed {number(order.cum_qty)} of {number(order.order_qty)}{order.avg_px && <> at {number(order.avg_px)} on average</>}{order.fees && <>, fees {number(order.fees)}</>}</span>}
          </p>
        </div>
        <div className="end">
          {order && !DONE.has(order.ord_status) && <Change order={order} again={again} />}
          <button type="button" className="button" onClick={() => copy(location.href, "Copied the link.")}>Copy link</button>
          <button type="button" className="button" onClick={() => save(why)}>Export</button>
        </div>
      </header>
      <p className="said" role="status">{copied}</p>
      <p className="clock-said label">
        {steps.length} {steps.length === 1 ? "entry" : "entries"}{whole !== null && <>, {lasted(whole * 1_000)} from first to last</>}. Times are the house's own clock, which never goes back, on {dayTime(steps[0]?.at ?? why.about, "s").slice(0, 10)} in {zoneName(zone)}; +times are since the step that caused each. Views show entries up to {number(String(why.position ?? 0))}.
      </p>
      <div className="columns">
        <ol className="timeline" ref={list} aria-label="Steps">
          {steps[0] && <Asked step={steps[0]} />}
          {steps.map((step) => <Entry key={step.position} step={step} on={step.position === at} onChoose={() => setAt(step.position)} />)}
          {order && <Ahead order={order} />}
        </ol>
        <aside aria-label="Entry">
          {chosen ? <Detail step={chosen} raw={raw === chosen.position} onRaw={() => setRaw(raw === chosen.position ? null : chosen.position)} copy={copy} /> : <Empty>Choose a step: ← → move, o shows the entry as it was written.</Empty>}
        </aside>
      </div>
    </div>
  );
}

const share = (order: Order): number => (d.sign(order.order_qty) > 0 ? d.toFloat(d.div(order.cum_qty, order.order_qty, 4)) : 0);

/** Who asked: what no entry says. */
function Asked({ step }: { step: Step }) {
  const cause = step.causes.at(-1);
  const request = step.spans?.find((span) => span.name.startsWith("request"));
  if (!cause || cause.by === "entry") return null;
  return (
    <li className="step plain">
      <span className="when">{request ? <When at={request.at} precision="us" /> : null}</span>
      <span className="dot" />
      <div>
        <h2>{cause.by === "request" ? "Asked by a client" : "Asked by what watches time and marks"}</h2>
        <p className="label parts-said"><span className="part mono">{cause.id}</span>{request && <span className="part">answered after {lasted(request.took_us * 1_000)}</span>}{step.trace_id && <span className="part">trace <span className="mono">{step.trace_id.slice(0, 16)}…</span></span>}</p>
      </div>
    </li>
  );
}

function Entry({ step, on, onChoose }: { step: Step; on: boolean; onChoose: () => void }) {
  const { title, tone, stage } = partOf(step.kind);
  return (
    <li className={`step ${tone} ${stage}`} aria-current={on || undefined} tabIndex={0} data-position={step.position} onFocus={onChoose} onClick={onChoose}>
      <span className="when"><When at={step.at} precision="us" />{step.after_us !== null && step.after_us !== undefined && <small>+{lasted(step.after_us * 1_000)}</small>}</span>
      <span className="dot" aria-hidden="true">{tone === "bad" ? "✕" : tone === "unknown" ? "?" : ""}</span>
      <div>
        <h2>{title} <span className="label mono">@{step.position}</span></h2>
        <p>{step.said}</p>
        {tone === "bad" && <Taught step={step} />}
        <Spans step={step} />
        {!!step.checks?.length && <Checks checks={step.checks} />}
        {!!step.postings?.length && <Postings step={step} />}
        {!!step.marks?.length && <p className="label">Marks used: {step.marks.map((mark) => `${mark.symbol} ${number(mark.px)}${mark.quality === "ok" ? "" : ` ${mark.quality.toUpperCase()}`} (${mark.source}, ${time(mark.at, "ms")})`).join(", ")}</p>}
      </div>
    </li>
  );
}

/** A refusal: rule, value, limit, distance, and the largest that would have passed. */
function Taught({ step }: { step: Step }) {
  const found = excessOf(step);
  if (!found) return null;
  return (
    <dl className="taught">
      <div><dt>Rule</dt><dd>{found.rule.replace(/_/g, " ")}</dd></div>
      <div><dt>Value</dt><dd><Num value={found.value} /> {found.unit}</dd></div>
      <div><dt>Limit</dt><dd><Num value={found.limit} /> {found.unit}</dd></div>
      <div><dt>Over by</dt><dd><Num value={found.distance} /> {found.unit}</dd></div>
      {found.largest && <div><dt>Largest that would have passed</dt><dd><Num value={found.largest} /></dd></div>}
    </dl>
  );
}

/** How long the parts of the turn took. */
function Spans({ step }: { step: Step }) {
  const parts = (step.spans ?? []).filter((span) => !span.name.startsWith("request"));
  if (!parts.length) return null;
  return <p className="spans label">{parts.map((span) => <span key={span.name + span.at}>{span.name.split(" ")[0]} <b>{lasted(span.took_us * 1_000)}</b></span>)}</p>;
}

const CHECKS_SHOWN = 4;
function Checks({ checks }: { checks: readonly Check[] }) {
  const [all, setAll] = useState(false);
  const sorted = useMemo(() => byNearness(checks), [checks]);
  const shown = all ? sorted : sorted.slice(0, CHECKS_SHOWN);
  return (
    <>
      <table className="checks rules">
        <thead><tr><th scope="col">Rule</th><th scope="col"><span className="unseen">Share used</span></th><th scope="col" className="num">Used</th><th scope="col" className="num">This order</th><th scope="col" className="num">Limit</th><th scope="col" className="num">Left before</th><th scope="col">Unit</th></tr></thead>
        <tbody>{shown.map((check) => <CheckRow key={check.name} check={check} />)}</tbody>
      </table>
      {sorted.length > CHECKS_SHOWN && <button type="button" className="link" onClick={(event) => { event.stopPropagation(); setAll(!all); }}>{all ? "Only the nearest" : `${sorted.length - CHECKS_SHOWN} further rules`}</button>}
    </>
  );
}

function CheckRow({ check }: { check: Check }) {
  const found = bar(check);
  return (
    <tr className={found?.over ? "over" : undefined}>
      <th scope="row">{checkTitle(check.name)}</th>
      <td>{found ? <span className="room" title={`${Math.round((found.used + found.asked) * 100)} % of the limit`}><i className="used" style={{ inlineSize: `${found.used * 100}%` }} /><i className="asked" style={{ inlineSize: `${Math.max(found.asked * 100, check.asked && found.asked ? 1 : 0)}%` }} /></span> : <span className="dim">limit of that day not read</span>}</td>
      <td className="num" data-name="Used"><Num value={check.used} /></td>
      <td className="num" data-name="This order"><Num value={check.asked} missing="This rule is not about one number of the order." /></td>
      <td className="num" data-name="Limit"><Num value={check.limit} /></td>
      <td className="num" data-name="Left before"><Num value={check.left} /></td>
      <td data-name="Unit">{check.unit}</td>
    </tr>
  );
}

function Postings({ step }: { step: Step }) {
  return (
    <table className="checks postings">
      <thead><tr><th scope="col">Debit</th><th scope="col">Credit</th><th scope="col" className="num">Amount</th><th scope="col">Asset</th></tr></thead>
      <tbody>{step.postings?.map((each, nth) => <tr key={nth}><td>{each.debit}</td><td>{each.credit}</td><td className="num"><Num value={each.amount} /></td><td>{each.asset}</td></tr>)}</tbody>
    </table>
  );
}

/** What is not there yet, or is being asked. */
function Ahead({ order }: { order: Order }) {
  const left = `${number(order.leaves_qty)} ${order.symbol.split("-")[0]}`;
  if (order.ord_status === "unknown") return <li className="step unknown"><span className="when" /><span className="dot">?</span><div><h2>The venue has not answered</h2><p>It is asked again until a report, a drop copy or a statement says what became of it. Meanwhile risk counts all {left} as if they would execute.</p></div></li>;
  if (DONE.has(order.ord_status)) return null;
  return <li className="step ahead"><span className="when" /><span className="dot" /><div><h2>Still open</h2><p className="label">{left} left. What happens next is added here; nothing above moves.</p></div></li>;
}

function Detail({ step, raw, onRaw, copy }: { step: Step; raw: boolean; onRaw: () => void; copy: (text: string, said: string) => void }) {
  const account = useAccountId();
  return (
    <div className="detail" data-panel>
      <h2>{partOf(step.kind).title}</h2>
      <dl className="facts">
        <dt>Position</dt><dd><a href={address("journal", [], { account, entry: String(step.position) })}>{number(String(step.position))}</a></dd>
        <dt>Stream</dt><dd className="mono">{step.stream} v{step.version}</dd>
        <dt>Kind</dt><dd className="mono">{step.kind}</dd>
        <dt>Recorded</dt><dd>{dayTime(step.at, "us")} {zoneName()}</dd>
        <dt>Reference data</dt><dd>version {step.refs_version}</dd>
        {step.causes.map((cause, nth) => <Because key={nth} cause={cause} />)}
      </dl>
      <div className="row">
        <button type="button" className="button" aria-expanded={raw} onClick={onRaw}>Raw entry <kbd>o</kbd></button>
        <button type="button" className="button quiet" onClick={() => copy(JSON.stringify(step.event, null, 2), "Copied the entry.")}>Copy entry</button>
      </div>
      {raw && <pre className="raw mono" tabIndex={0} role="region" aria-label="The entry as it was written">{JSON.stringify(step.event, null, 2)}</pre>}
      <Proof position={step.position} copy={copy} />
    </div>
  );
}

function Because({ cause }: { cause: Schemas["Cause"] }) {
  return <><dt>Because of</dt><dd>{cause.by === "entry" ? <><span className="mono">{cause.id}</span>{cause.kind && <> ({partOf(cause.kind).title.toLowerCase()})</>}</> : <>{cause.by} <span className="mono">{cause.id}</span></>}</dd></>;
}

/** Cancel and new terms, while it works. The old order stays what it is until the house answers. */
function Change({ order, again }: { order: Order; again: () => void }) {
  const past = useAsOf();
  const [sending, setSending] = useState("");
  const [open, setOpen] = useState(false);
  const [price, setPrice] = useState(order.price ?? "");
  const [qty, setQty] = useState(order.order_qty);
  const [problem, setProblem] = useState<Problem | null>(null);
  const why = past ? "The past is only read" : may("orders:write") ? "" : "Needs scope orders:write";
  const run = async (word: string, act: () => Promise<unknown>): Promise<void> => {
    setSending(word);
    setProblem(null);
    try {
      await act();
      setOpen(false);
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
    setSending("");
    again();
  };
  const path = { order_id: order.order_id };
  return (
    <div className="change">
      {open && (
        <>
          <label className="label">Quantity <input value={qty} inputMode="decimal" onChange={(event) => setQty(event.target.value)} /></label>
          {order.price && <label className="label">Price <input value={price} inputMode="decimal" onChange={(event) => setPrice(event.target.value)} /></label>}
          <button type="button" className="button main" disabled={!!sending} onClick={() => void run("Replacing", () => ok(api.PATCH("/api/orders/{order_id}", { params: { path }, body: { cl_ord_id: commandId(), order_qty: qty, ...(order.price ? { price } : {}) } })))}>{sending || "Send new terms"}</button>
        </>
      )}
      <button type="button" className="button" title={why} disabled={!!why || !!sending} onClick={() => setOpen(!open)}>{open ? "Keep the terms" : "Replace…"}</button>
      <button type="button" className="button danger" title={why} disabled={!!why || !!sending} onClick={() => void run("Canceling", () => ok(api.DELETE("/api/orders/{order_id}", { params: { path } })))}>{sending === "Canceling" ? "Canceling" : "Cancel order"}</button>
      {problem && <p className="wrong" role="alert">{problem.message}</p>}
    </div>
  );
}

function save(why: Why): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(why, null, 2)], { type: "application/json" }));
  link.download = `${why.about}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

const RECENT: readonly Column<Order>[] = [
  { key: "id", title: "Order", cell: (order) => <a className="mono" href={address("order", [order.order_id], { account: order.account_id })}>{order.order_id}</a> },
  { key: "at", title: "Came", cell: (order) => <When at={order.created_at} /> },
  { key: "what", title: "What", cell: (order) => sentence(order) },
  { key: "status", title: "State", cell: (order) => <StatusChip status={order.ord_status} filled={share(order)} reason={order.text} /> },
];

/** No order was named: the newest of this account, or one by its id. */
function Choose() {
  const account = useAccountId();
  const asked = useAsked(account && `recent ${account}`, () => ok(api.GET("/api/orders", { params: { query: { account_id: account, limit: 30 } } })), 5_000);
  return (
    <div className="story">
      <header className="top"><div><h1>The life of an order</h1><p className="label">From the request to the ledger, each step with its time, its cause and its proof.</p></div></header>
      <Find said="" />
      {asked.data ? (
        <Table label="Newest orders" columns={RECENT} rows={asked.data.items} rowKey={(order) => order.order_id} onOpen={(order) => openOrder(order.order_id)} onSelect={() => undefined} empty="No order in this account yet. g t goes to Trade." />
      ) : asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading waitsFor="Reading the newest orders" />}
    </div>
  );
}

function Find({ said }: { said: string }) {
  const account = useAccountId();
  const [text, setText] = useState(said);
  return (
    <form className="find" onSubmit={(event) => { event.preventDefault(); if (text.trim()) go(address("order", [text.trim()], { account })); }}>
      <label className="unseen" htmlFor="find-order">Order id, your id, or a position</label>
      <input id="find-order" data-filter value={text} placeholder="Order id, your id, or a position of the journal" onChange={(event) => setText(event.target.value)} />
      <button type="submit" className="button">Open</button>
    </form>
  );
}
