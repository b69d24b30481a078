/** One assessment: how far it is to each limit, and what is still missing to pass. */
import { useEffect, useMemo, useState } from "react";
import { api, ok } from "../client/api";
import { Ask, at, Outcome, useDoing } from "../access/parts";
import { useAsked } from "../kit/asked";
import * as d from "../kit/decimal";
import { dayTime, money, number, time } from "../kit/format";
import { Num } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { accountStore, clockOffset, houseNow, useHeard } from "../live/stores";
import { useSecond } from "../shell/Connection";
import { provide } from "../shell/keys";
import { address, go } from "../shell/routes";
import { accounts, choose, may } from "../shell/session";
import { type EquityColumns, EquityChart } from "./EquityChart";
import { gauge, isOver, ordered, stateOf, until } from "./gauges";
import { Gauges } from "./Gauges";
import { More } from "./More";
import { savePack } from "./pack";
import { Payouts } from "./Payouts";
import type { PageProps } from "./Prop";
import { type Assessment, cents, type Condition, conditionTitle, goal, isAt, ruleTitle, type Violation, withHeard } from "./standing";

const EVERY_MS = 1_000;
const BESIDE_MS = 5_000; // Of one that is heard over the line: for what is not said there.
const VIEWS_MS = 800; // Violations are told from views, which follow the journal.
const POINTS_MS = 5_000;

export default function Evaluation({ route }: PageProps) {
  const chosen = route.parts[1] ?? "";
  const listed = useAsked(chosen ? "" : "assessments own", () => ok(api.GET("/api/assessments")));
  const items = listed.data?.items ?? [];
  const first = items.find((each) => !isOver(each.state)) ?? items[0];
  const id = chosen || first?.assessment_id || "";
  const heard = useHeard(id);
  const asked = useAsked(id && `assessment ${id}`, () => ok(api.GET("/api/assessments/{assessment_id}", { params: { path: { assessment_id: id } } })), heard ? BESIDE_MS : EVERY_MS);
  const { again } = asked;
  useEffect(() => {
    if (!heard?.why.length) return undefined;
    again();
    const timer = setTimeout(again, VIEWS_MS);
    return () => clearTimeout(timer);
  }, [heard, again]);
  const problem = asked.problem ?? listed.problem;
  if (asked.data) return <Dashboard found={withHeard(asked.data, heard)} silent={asked.problem !== null} again={asked.again} />;
  return (
    <section className="panel" data-panel aria-label="Evaluation">
      <header><h2>Evaluation</h2></header>
      {problem ? <ErrorPanel problem={problem} retry={id ? asked.again : listed.again} /> : listed.data && !id
        ? <Empty action={{ label: "See what is sold", act: () => go(address("prop", ["shop"])) }}>You have no assessment.</Empty>
        : <Loading rows={10} waitsFor="Reading the assessment" />}
    </section>
  );
}

function Dashboard({ found, silent, again }: { found: Assessment; silent: boolean; again: () => void }) {
  const broken = useMemo(() => new Set(found.violations.map(({ rule }) => rule)), [found.violations]);
  const gauges = ordered(found.headroom.map((each) => gauge(each, isOver(found.state) ? broken : new Set())));
  const { isBusy, problem, run } = useDoing();
  const [isLeaving, setLeaving] = useState(false);
  const pack = (): void => void run(() => savePack(found.assessment_id));
  const trade = (): void => void run(() => tradeOn(found.account_id));
  // What happens on the account itself is asked about at once.
  useEffect(() => (found.account_id ? accountStore(found.account_id).onEvents(again) : undefined), [found.account_id, again]);
  useEffect(() => provide("Evaluation", [
    { title: "Trade on this account", keys: "t", unless: () => (isOver(found.state) ? "it is over" : ""), run: trade },
    { title: "Dispute pack of this assessment", keys: "p", run: pack },
    { title: "Give this assessment up", danger: true, unless: () => (isOver(found.state) ? "it is over" : ""), run: () => setLeaving(true) },
  ]), [found.assessment_id, found.state]);
  return (
    <div className={silent ? "evaluation dimmed" : "evaluation"}>
      <Head found={found} silent={silent} onPack={pack} onLeave={() => setLeaving(true)} onTrade={trade} isBusy={isBusy} />
      <Outcome problem={problem} />
      {found.violations.length > 0 && <Violations found={found} />}
      <div className="halves">
        <Equity found={found} />
        <section className="panel" data-panel aria-label="Room left">
          <header><h2>Room left</h2><span className="label">{found.state === "active" || found.state === "funded" ? "worst first" : "as it ended"}</span></header>
          {gauges.length ? <Gauges gauges={gauges} currency={found.currency} /> : <Empty>No rule measures this stage.</Empty>}
        </section>
      </div>
      <div className="halves">
        <Conditions found={found} />
        <Positions account={found.account_id} />
      </div>
      <Payouts found={found} again={again} />
      <More found={found} />
      {isLeaving && (
        <Ask title={`Give up ${found.tier}`} act="Give it up for good" danger onClose={() => setLeaving(false)} onDone={again} send={(reason) => ok(api.POST("/api/assessments/{assessment_id}/abandon", { params: { path: { assessment_id: found.assessment_id } }, body: { reason } }))}>
          <p>Orders are canceled and positions closed; then it ends. Nobody can take that back, and nothing is refunded by it.</p>
        </Ask>
      )}
      <section className="panel" data-panel aria-label="Rules">
        <header><h2>The rules that were bought</h2><span className="label">version {found.version}, terms <span className="mono" title={found.fingerprint}>{found.fingerprint.slice(0, 16)}</span></span></header>
        <div className="wording">{found.wording.map(({ heading, sentences }) => <section key={heading}><h3>{heading}</h3><ul>{sentences.map((each) => <li key={each}>{each}</li>)}</ul></section>)}</div>
      </section>
    </div>
  );
}

/** The account may be younger than the list of accounts that this page has. */
async function tradeOn(account_id: string): Promise<void> {
  accounts.set((await ok(api.GET("/api/accounts", { params: { query: { limit: 1_000 } } }))).items);
  choose(account_id);
  go(address("trade", [], { account: account_id }));
}

function Head({ found, silent, onPack, onLeave, onTrade, isBusy }: { found: Assessment; silent: boolean; onPack: () => void; onLeave: () => void; onTrade: () => void; isBusy: boolean }) {
  const now = useSecond() + clockOffset.get();
  const { shape, word } = stateOf(found.state);
  return (
    <header className="top">
      <div className="says">
        <h1>{found.tier}</h1>
        <span className={`status ${shape}`}><span>{word}</span></span>
        <span className="label">{found.stage_name}, stage {found.stage + 1} of {found.stages.length}{isAt(found.began_at) && `; since ${at(found.began_at)}`}; {found.user}, <span className="mono whole">{found.assessment_id}</span></span>
        {found.frozen && <span className="chip warn" role="status">❚❚ frozen: {found.frozen}</span>}
        {silent && <span className="chip warn" role="status">△ no answer; this is of before</span>}
      </div>
      <dl className="figures">
        <div><dt>Equity, {found.currency}</dt><dd><Num value={cents(found.equity)} /></dd></div>
        <div><dt>Balance</dt><dd><Num value={cents(found.balance)} /></dd></div>
        <div><dt>Today</dt><dd><Num value={cents(d.text(d.sub(found.equity, found.day_from)))} direction /></dd></div>
        {!isOver(found.state) && isAt(found.resets_at) && <div><dt>Next reset, {time(found.resets_at, "min", found.time_zone)} {found.time_zone}</dt><dd><time dateTime={new Date(Number(BigInt(found.resets_at) / 1_000_000n)).toISOString()} title={dayTime(found.resets_at, "s", found.time_zone)}>{until(found.resets_at, now)}</time></dd></div>}
        {!isOver(found.state) && found.next_news && <div title={`Nothing is opened from ${dayTime(found.next_news.begins_at, "s", found.time_zone)} to ${dayTime(found.next_news.ends_at, "s", found.time_zone)} in ${found.next_news.symbols.join(", ")}`}><dt>{found.next_news.is_open ? "Nothing opens, until" : "Next news, nothing opens from"} {time(found.next_news.is_open ? found.next_news.ends_at : found.next_news.begins_at, "min", found.time_zone)} {found.time_zone}</dt><dd>{until(found.next_news.is_open ? found.next_news.ends_at : found.next_news.begins_at, now)}</dd></div>}
      </dl>
      <div className="row">
        {!isOver(found.state) && <button type="button" className="button main" disabled={isBusy} onClick={onTrade}>Trade <kbd>t</kbd></button>}
        <button type="button" className="button" disabled={isBusy} onClick={onPack}>Dispute pack <kbd>p</kbd></button>
        {!isOver(found.state) && may("evaluation:ask") && <button type="button" className="button quiet" onClick={onLeave}>Give it up</button>}
      </div>
    </header>
  );
}

/** The evidence before the word: the tick, the equity, the rule, the time. */
function Violations({ found }: { found: Assessment }) {
  return (
    <section className="panel" data-panel aria-label="Violations">
      {found.violations.map((each: Violation) => (
        <div key={`${each.rule} ${each.at}`} className="state wrong" role="alert">
          <p className="said"><span className="chip critical">✕ broken</span> {ruleTitle(each.rule)}: <Num value={cents(each.value)} /> against a limit of <Num value={cents(each.limit)} />, at {dayTime(each.at, "ms")}; equity was <Num value={cents(each.equity)} /> {found.currency}.</p>
          <p>Orders were canceled and positions closed. The dispute pack has the rules, the prices and a script that works the verdict out again without this house.</p>
        </div>
      ))}
    </section>
  );
}

function Equity({ found }: { found: Assessment }) {
  const asked = useAsked(`equity ${found.assessment_id}`, () => ok(api.GET("/api/assessments/{assessment_id}/equity", { params: { path: { assessment_id: found.assessment_id } } })), POINTS_MS);
  const columns = useMemo((): EquityColumns | null => {
    const points = asked.data?.points ?? [];
    if (!points.length) return null;
    const float = (amount: string | null | undefined): number | null => (amount === null || amount === undefined ? null : d.toFloat(amount));
    // The last point is now, until it is over.
    const live = isOver(found.state) ? [] : [{ at: String(BigInt(Math.round(houseNow())) * 1_000_000n), equity: found.equity, daily_limit: level(found, "daily_loss"), overall_limit: level(found, "overall_loss"), account_id: found.account_id }];
    const all = apart([...points, ...live]);
    return {
      at: all.map(({ at: moment }) => Number(BigInt(moment) / 1_000_000n) / 1_000),
      equity: all.map(({ equity }) => float(equity)),
      daily: all.map(({ daily_limit }) => float(daily_limit)),
      overall: all.map(({ overall_limit }) => float(overall_limit)),
      target: goal(found),
      resets: (asked.data?.resets ?? []).map(({ at: moment }) => Number(BigInt(moment) / 1_000_000_000n)),
    };
  }, [asked.data, found]);
  return (
    <section className="panel" data-panel aria-label="Equity">
      <header><h2>Equity and its limits</h2><span className="key-lines"><i className="equity" />equity <i className="daily" />day’s limit <i className="overall" />overall limit <i className="target" />target</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={8} waitsFor="Reading equity" />}
      {asked.data && !columns && <Empty>No equity yet: nothing was traded.</Empty>}
      {columns && <EquityChart columns={columns} height={264} summary={`Equity of ${found.assessment_id}: ${money(found.equity)} ${found.currency} now, ${columns.at.length} points, ${columns.resets.length} resets.`} />}
    </section>
  );
}

/** With a gap wherever a stage, a payout or a reset has brought another account: nothing was lost on the way there. */
function apart<Point extends { at: string; account_id: string }>(points: Point[]): (Point | Gap)[] {
  return points.flatMap((point, nth) => {
    const before = points[nth - 1];
    return before && before.account_id !== point.account_id ? [{ at: before.at, equity: null, daily_limit: null, overall_limit: null }, point] : [point];
  });
}
interface Gap { at: string; equity: null; daily_limit: null; overall_limit: null }

const level = (found: Assessment, rule: string): string | null => found.headroom.find((each) => each.rule === rule)?.level ?? null;

function Conditions({ found }: { found: Assessment }) {
  return (
    <section className="panel" data-panel aria-label="To pass">
      <header><h2>To pass</h2><span className="label">what is missing breaks no rule</span></header>
      {goal(found) === null && <Empty>This stage has no target: it is traded until it is paid, or a rule is broken.</Empty>}
      <ul className="checklist">{found.conditions.filter(({ needed }) => !d.isZero(needed)).map((each: Condition) => (
        <li key={each.name} className={each.is_met ? "met" : ""}>
          <span aria-hidden="true">{each.is_met ? "☑" : "☐"}</span>
          <b>{conditionTitle(each.name)}</b><span>{each.name === "target" ? `${money(cents(each.reached))} of ${money(cents(each.needed))} ${found.currency}` : `${number(each.reached)} of ${number(each.needed)}`}</span><span className="label">{each.is_met ? "reached" : "not yet"}</span>
        </li>
      ))}</ul>
    </section>
  );
}

function Positions({ account }: { account: string }) {
  const asked = useAsked(account ? `margin ${account}` : "", () => ok(api.GET("/api/accounts/{account_id}/margin", { params: { path: { account_id: account } } })), EVERY_MS * 2);
  return (
    <section className="panel" data-panel aria-label="Open positions">
      <header><h2>Open positions</h2><span className="label mono">{account}</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {asked.data && <Table label="Open positions" rows={asked.data.positions} rowKey={(each) => each.symbol} empty={<Empty>Nothing is open.</Empty>} columns={[
        { key: "symbol", title: "Instrument", cell: (each) => <b>{each.symbol}</b> },
        { key: "qty", title: "Quantity", num: true, cell: (each) => <span><span className="dim">{each.side}</span> <Num value={each.qty} /></span> },
        { key: "entry", title: "Entry", num: true, cell: (each) => <Num value={each.entry_px} missing="none" /> },
        { key: "mark", title: "Mark", num: true, cell: (each) => <Num value={each.mark_px} /> },
        { key: "unrealized", title: "Unrealized", num: true, cell: (each) => <Num value={each.unrealized && cents(each.unrealized)} direction missing="no price" /> },
      ]} />}
    </section>
  );
}
