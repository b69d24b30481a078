/** What buyers' banks have taken back: until when it may be answered, with what, and what came of it. */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Ask, at, Outcome, useDoing } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, money } from "../kit/format";
import { Num } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { clockOffset } from "../live/stores";
import { useSecond } from "../shell/Connection";
import { provide } from "../shell/keys";
import { address, go, setQuery } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import { csv, save } from "../trade/csv";
import { type Dispute, type Draft, disputeState, draft, due, next, steps, why, whyNoAnswer } from "./disputes";
import { stateOf } from "./gauges";
import { savePack } from "./pack";
import type { PageProps } from "./Prop";
import type { Assessment } from "./standing";

const EVERY_MS = 5_000;
const VIEWS = ["open", "won", "lost", "all"] as const;
type View = (typeof VIEWS)[number];
const LONGEST = 20_000;

export default function Disputes({ route }: PageProps) {
  const account = useAccountId();
  const view: View = VIEWS.find((each) => each === route.query.view) ?? "open";
  const id = route.parts[1] ?? "";
  const asked = useAsked("disputes", () => ok(api.GET("/api/disputes", { params: { query: { limit: 500 } } })), EVERY_MS);
  const now = useSecond() + clockOffset.get();
  const all = asked.data?.items ?? [];
  const items = all.filter((each) => view === "all" || each.state === view);
  const chosen = all.find(({ dispute }) => dispute === id);
  const open = all.filter(({ state }) => state === "open");
  const here = (each: Dispute): string => address("prop", ["disputes", each.dispute], { account, ...(view !== "open" && { view }) });
  const keep = (): void => save("disputes.csv", csv<Dispute>([
    { title: "dispute", of: (each) => each.dispute }, { title: "state", of: (each) => each.state }, { title: "reason", of: (each) => each.reason }, { title: "amount", of: (each) => each.amount }, { title: "fee", of: (each) => each.fee }, { title: "currency", of: (each) => each.currency },
    { title: "opened_at", of: (each) => each.opened_at }, { title: "due_at", of: (each) => each.due_at }, { title: "closed_at", of: (each) => each.closed_at }, { title: "evidence", of: (each) => each.evidence.state }, { title: "purchase_id", of: (each) => each.purchase_id },
    { title: "user", of: (each) => each.user }, { title: "tier", of: (each) => each.tier }, { title: "assessment_id", of: (each) => each.assessment_id ?? "" },
  ], items));
  useEffect(() => provide("Disputes", [{ title: "CSV of these disputes", keys: "e", unless: () => (items.length ? "" : "there is none"), run: keep }]), [asked.data, view]);
  return (
    <>
      <section className="panel" data-panel aria-label="Disputes">
        <header>
          <h2>Disputes</h2><span className="label lead">{asked.data && (open.length ? `${open.length} open, the one with the least time first.` : "None is open.")}</span>
          <div className="end">
            <button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV <kbd>e</kbd></button>
            <Segmented<View> label="Which" value={view} onChange={(each) => setQuery({ view: each === "open" ? null : each })} choices={[{ value: "open", label: "Open" }, { value: "won", label: "Won" }, { value: "lost", label: "Lost" }, { value: "all", label: "All" }]} />
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading rows={5} waitsFor="Reading disputes" />}
        {asked.data && <Table<Dispute> label="Disputes" rows={items} rowKey={(each) => each.dispute} selected={id || undefined} onOpen={(each) => go(here(each))} empty={<Empty action={view !== "all" && all.length ? { label: "See all of them", act: () => setQuery({ view: "all" }) } : undefined}>{all.length ? `None is ${view}.` : "Nobody has disputed a payment."}</Empty>} columns={[
          { key: "who", title: "Buyer", cell: (each) => <><a href={here(each)}>{each.user}</a><small>{each.title}</small></>, sort: (each) => each.user },
          { key: "state", title: "State", cell: (each) => <State found={each} /> },
          { key: "why", title: "Because", cell: (each) => why(each.reason), sort: (each) => each.reason },
          { key: "amount", title: "Amount", num: true, cell: (each) => <span><Num value={each.amount} /> {each.currency}</span>, sort: (each) => Number(each.amount) },
          { key: "due", title: "Answer by", num: true, cell: (each) => <Until found={each} now={now} />, sort: (each) => BigInt(each.due_at || 0) },
          { key: "opened", title: "Opened", num: true, cell: (each) => at(each.opened_at), sort: (each) => BigInt(each.opened_at) },
          { key: "closed", title: "Decided", num: true, cell: (each) => (each.closed_at ? at(each.closed_at) : <span className="dim">not yet</span>), sort: (each) => BigInt(each.closed_at || 0) },
        ]} />}
      </section>
      {chosen && <One key={chosen.dispute} found={chosen} now={now} again={asked.again} />}
      {id && asked.data && !chosen && <section className="panel" data-panel aria-label="Dispute"><Empty action={{ label: "See all of them", act: () => go(address("prop", ["disputes"], { account, view: "all" })) }}>There is no dispute {id}.</Empty></section>}
    </>
  );
}

const EVIDENCE: Record<string, string> = { asked: "answer on its way", sent: "answered", refused: "answer not taken" };

function State({ found }: { found: Dispute }) {
  const { shape, word } = disputeState(found.state);
  return <><span className={`status ${shape}`}><span>{word}</span></span>{found.evidence.state && <small>{EVIDENCE[found.evidence.state]}</small>}</>;
}

function Until({ found, now }: { found: Dispute; now: number }) {
  if (!found.due_at) return <span className="dim" title="The provider has not said">–</span>;
  const left = due(found, now);
  return <>{at(found.due_at)}{left && <small>{left.isNear ? <span className="chip warn">△ {left.text}</span> : left.text}</small>}</>;
}

function One({ found, now, again }: { found: Dispute; now: number; again: () => void }) {
  const account = useAccountId();
  const name = found.assessment_id ?? "";
  const asked = useAsked(name && may("evaluation:read") ? `assessment ${name}` : "", () => ok(api.GET("/api/assessments/{assessment_id}", { params: { path: { assessment_id: name } } })), EVERY_MS);
  const [isAnswering, setAnswering] = useState(false);
  const { isBusy, problem, run } = useDoing();
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    place.current?.scrollIntoView({ block: "nearest" }); // Below a long list nobody would see that it opened.
  }, []);
  const assessment = asked.data;
  const no = may("payments:write") ? whyNoAnswer(found, now) : "Needs scope payments:write";
  const pack = (): void => void run(() => savePack(name));
  useEffect(() => provide("Dispute", [
    { title: "Answer this dispute", keys: "a", unless: () => no, run: () => setAnswering(true) },
    { title: "Dispute pack of its assessment", keys: "p", unless: () => (assessment ? "" : "no assessment is seen"), run: pack },
  ]), [found.dispute, no, assessment !== null]);
  return (
    <section className="panel dispute" ref={place} data-panel aria-label={`Dispute ${found.dispute}`}>
      <header>
        <h2>{found.user}: {found.currency} {money(found.amount)}</h2><State found={found} /><span className="label mono">{found.dispute}</span>
        <div className="end">
          <button type="button" className="button" disabled={isBusy || !assessment} title={assessment ? undefined : "No assessment of it is seen"} onClick={pack}>Dispute pack <kbd>p</kbd></button>
          <button type="button" className="button main" disabled={Boolean(no)} title={no || undefined} onClick={() => setAnswering(true)}>Answer it <kbd>a</kbd></button>
        </div>
      </header>
      <Outcome problem={problem} />
      <p className="pad"><b>Next:</b> {next(found, now)}</p>
      <div className="halves">
        <div>
          <Facts found={found} assessment={assessment} account={account} now={now} />
          {found.evidence.state && <Said found={found} />}
        </div>
        <ol className="steps" aria-label="What was when">{steps(found).map(({ at: moment, what, says }) => <li key={`${what} ${moment}`}><time dateTime={dayTime(moment, "s", "UTC").replace(" ", "T") + "Z"}>{at(moment)}</time><span><b>{what}</b>{says && <small>{says}</small>}</span></li>)}</ol>
      </div>
      {isAnswering && <Answer found={found} assessment={assessment} onClose={() => setAnswering(false)} onDone={again} />}
    </section>
  );
}

function Facts({ found, assessment, account, now }: { found: Dispute; assessment: Assessment | null; account: string; now: number }) {
  const facts: [string, ReactNode][] = [
    ["Because", why(found.reason)],
    ["Answer by", <Until key="due" found={found} now={now} />],
    ["Taken back", <><Num value={found.amount} /> of <Num value={found.total} /> {found.currency}</>],
    ["Provider’s fee", <><Num value={found.fee} /> {found.currency}, {found.provider}</>],
    ["Purchase", <a key="to" className="mono" href={address("prop", ["bought", found.purchase_id], { receipt: "1", account })}>{found.purchase_id}</a>],
  ];
  if (found.assessment_id) facts.push(["Assessment", <><a className="mono" href={address("prop", ["now", found.assessment_id], { account })}>{found.assessment_id}</a>{assessment && <> <span className={`status ${stateOf(assessment.state).shape}`}><span>{stateOf(assessment.state).word}</span></span></>}</>]);
  if (assessment) facts.push(["Trading on it", assessment.frozen ? <span className="chip warn">❚❚ frozen: {assessment.frozen}</span> : "not stopped"]);
  return <dl className="facts-of one">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** What was handed in, as the bank reads it. */
function Said({ found: { evidence } }: { found: Dispute }) {
  const parts = [["What was sold", evidence.product], ["That it was used", evidence.activity], ["Else", evidence.text]].filter(([, text]) => text);
  return <section className="said-there" aria-label="The answer"><h3>The answer</h3>{parts.map(([title, text]) => <div key={title}><h4 className="label">{title}</h4><p>{text}</p></div>)}</section>;
}

function Answer({ found, assessment, onClose, onDone }: { found: Dispute; assessment: Assessment | null; onClose: () => void; onDone: () => void }) {
  const [said, setSaid] = useState<Draft>(() => draft(found, assessment));
  const length = Object.values(said).reduce((sum, text) => sum + text.trim().length, 0);
  const put = (name: keyof Draft) => (text: string): void => setSaid((before) => ({ ...before, [name]: text }));
  return (
    <Ask title={`Answer ${found.user}’s bank`} act="Hand it in, once" wide reasoned={false} ready={length > 0} onClose={onClose} onDone={onDone}
      send={() => ok(api.POST("/api/disputes/{dispute}/evidence", { params: { path: { dispute: found.dispute } }, body: { product: said.product.trim(), activity: said.activity.trim(), text: said.text.trim() } }))}>
      <p>{found.provider} gives this to the bank that took {found.currency} {money(found.amount)} back ({why(found.reason)}). It is the last word: nothing can be added, and somebody else must agree to it.</p>
      <p className="label">The house has begun it. It stays in the journal for ever, so leave out names, addresses and numbers of people. Files, such as the dispute pack, are handed in on the provider’s own pages: before this, for nothing is taken after it.</p>
      <Long label="What was sold" value={said.product} onChange={put("product")} rows={3} />
      <Long label="That it was used, and when" value={said.activity} onChange={put("activity")} rows={5} />
      <Long label="Whatever else" value={said.text} onChange={put("text")} rows={3} />
    </Ask>
  );
}

function Long({ label, value, onChange, rows }: { label: string; value: string; onChange: (text: string) => void; rows: number }) {
  const id = useId();
  return (
    <div className="field">
      <span className="label"><label htmlFor={id}>{label}</label></span>
      <span className="in"><textarea id={id} className="long" rows={rows} maxLength={LONGEST} value={value} onChange={(event) => onChange(event.target.value)} /></span>
    </div>
  );
}
