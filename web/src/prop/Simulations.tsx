/** Simulations that are kept: asked for, followed, found again by id, drawn, and taken along. */
import { useEffect, useMemo, useState } from "react";
import { at, Outcome, useDoing } from "../access/parts";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address, go, setQuery } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import { csv, save } from "../trade/csv";
import { Bootstrap } from "./Bootstrap";
import { Fan } from "./Fan";
import type { PageProps } from "./Prop";
import { type Bar, bars, costs, exported, type Found, judged, type Kind, kindTitle, KINDS, points, reach, share, type Shown, STATES, subject, thresholds } from "./simulations";
import { kind as traderKind, probability, type Tier, type Trader } from "./tiers";

const EVERY_MS = 1_000;
const PATHS: Record<Kind, number> = { sensitivity: 5_000, tier_odds: 20_000, projection: 2_000, validation: 1_000 };

export default function Simulations({ route }: PageProps) {
  const id = route.parts[1] ?? "";
  const [every, setEvery] = useState(0);
  const asked = useAsked("simulations", () => ok(api.GET("/api/simulations", { params: { query: {} } })), every);
  const items = asked.data?.items ?? [];
  const isRunning = items.some(({ state }) => state === "running");
  useEffect(() => setEvery(isRunning ? EVERY_MS : 0), [isRunning]);
  const tiers = useAsked("tiers all", () => ok(api.GET("/api/tiers", { params: { query: { state: "all" } } })));
  return (
    <>
      <Asking key={`${route.query.kind} ${route.query.tier} ${route.query.version}`} query={route.query} tiers={tiers.data?.items ?? []} onDone={asked.again} />
      {id && <Viewer key={id} id={id} tiers={tiers.data?.items ?? []} limits={route.query.limits ?? ""} onEnd={asked.again} />}
      <section className="panel" data-panel aria-label="Simulations">
        <header><h2>Simulations</h2><span className="label lead">Each is named by what it was made of: asked again it is the same one, and not walked again.</span></header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading rows={5} waitsFor="Reading simulations" />}
        {asked.data && <Table<Shown> label="Simulations" rows={items} rowKey={(each) => each.simulation_id} selected={id || undefined} onOpen={(each) => go(address("prop", ["simulations", each.simulation_id]))} empty={<Empty>Nothing was simulated yet.</Empty>} columns={[
          { key: "kind", title: "Simulation", cell: (each) => <a href={address("prop", ["simulations", each.simulation_id])}>{kindTitle(each.kind)}</a> },
          { key: "of", title: "Of", cell: (each) => <span className="mono">{subject(each)}</span> },
          { key: "state", title: "State", cell: (each) => (each.state === "running" ? <progress value={each.done} max={each.total} aria-label="Done" /> : <span className="chip">{STATES[each.state]}</span>) },
          { key: "paths", title: "Paths", num: true, cell: (each) => number(String(each.paths)) },
          { key: "seed", title: "Seed", num: true, cell: (each) => each.seed },
          { key: "asked", title: "Asked for", num: true, cell: (each) => <>{at(each.asked_at)}<small>{each.asked_by}</small></> },
          { key: "id", title: "Id", cell: (each) => <span className="mono" title={each.simulation_id}>{each.simulation_id.slice(0, 12)}</span> },
        ]} />}
      </section>
    </>
  );
}

function Asking({ query, tiers, onDone }: { query: Readonly<Record<string, string>>; tiers: readonly Tier[]; onDone: () => void }) {
  const account = useAccountId();
  const named = KINDS.find(([each]) => each === query.kind)?.[0];
  const [kind, setKind] = useState<Kind>(named ?? "sensitivity");
  const [tier, setTier] = useState(query.tier ? `${query.tier} ${query.version ?? "1"}` : "");
  const [trader, setTrader] = useState("skilled");
  const [trials, setTrials] = useState("1");
  const [seed, setSeed] = useState("1");
  const [files, setFiles] = useState<Schemas["JournalText"][]>([]);
  const { isBusy, problem, run } = useDoing();
  const chosen = tier || (tiers[0] ? `${tiers[0].tier} ${tiers[0].version}` : "");
  const ofTier = kind === "sensitivity" || kind === "tier_odds";
  const names = files.length ? files.map(({ name }) => `journal:${name}`) : [`account:${account}`];
  const isRight = /^\d{1,9}$/.test(seed) && /^[1-9]\d{0,5}$/.test(trials) && (ofTier ? chosen !== "" && trader.trim() !== "" : files.length > 0 || account !== "");
  const begin = (): void => void run(async () => {
    const [name = "", version = "1"] = chosen.split(" ");
    const own = { seed: Number(seed) };
    const made = await ok(api.POST("/api/simulations", { body: {
      kind, journals: ofTier ? [] : files,
      odds: ofTier ? { ...own, tier: name, version: Number(version), traders: trader.split(/\s+/).filter(Boolean), paths: PATHS[kind], days: 60, funded_days: 180, sales: 100, sales_a_day: 10, crowd: 0.5, capital: null } : null,
      projection: kind === "projection" ? { ...own, journal: names[0] ?? "", days: 250, paths: PATHS[kind], block: 5 } : null,
      validation: kind === "validation" ? { ...own, journal: names[0] ?? "", against: names.slice(1), trials: Number(trials), block: 5, bootstraps: PATHS[kind] } : null,
    } }));
    onDone();
    go(address("prop", ["simulations", made.item.simulation_id]));
  });
  const take = async (found: FileList | null): Promise<void> => setFiles(await Promise.all([...(found ?? [])].slice(0, 5).map(async (each, nth) => ({ name: `${nth + 1}-${each.name.replace(/[^A-Za-z0-9._-]/g, "-")}`.slice(0, 64), text: await each.text() }))));
  return (
    <section className="panel asking" data-panel aria-label="Ask for a simulation">
      <header><h2>Ask for a simulation</h2></header>
      <form className="filters" data-filter onSubmit={(event) => { event.preventDefault(); if (isRight) begin(); }}>
        <Select<Kind> label="What" value={kind} onChange={setKind} choices={KINDS} />
        {ofTier && <Select label="Tier" value={chosen} onChange={setTier} choices={tiers.map((each) => [`${each.tier} ${each.version}`, `${each.tier}, version ${each.version}`] as const)} />}
        {ofTier && <Field label="Trader" value={trader} spellCheck={false} onChange={(event) => setTrader(event.target.value)} />}
        {!ofTier && <div className="field"><label className="label" htmlFor="days-of">{files.length ? "Days of the first file" : `Days of ${account || "a file"}, or a file`}</label><input id="days-of" type="file" multiple={kind === "validation"} accept=".csv,text/csv" onChange={(event) => void take(event.target.files)} /></div>}
        {kind === "validation" && <Field label="Strategies tried in all" value={trials} inputMode="numeric" onChange={(event) => setTrials(event.target.value.trim())} />}
        <Field label="Seed" value={seed} inputMode="numeric" onChange={(event) => setSeed(event.target.value.trim())} />
        <button type="submit" className="button main" disabled={isBusy || !isRight || !may("tiers:write")}>Simulate</button>
      </form>
      <Outcome problem={problem} />
    </section>
  );
}

function Viewer({ id, tiers, limits, onEnd }: { id: string; tiers: readonly Tier[]; limits: string; onEnd: () => void }) {
  const [every, setEvery] = useState(EVERY_MS);
  const asked = useAsked(`simulation ${id}`, () => ok(api.GET("/api/simulations/{simulation_id}", { params: { path: { simulation_id: id } } })), every);
  const { isBusy, problem, run } = useDoing();
  const found = asked.data;
  const state = found?.item.state;
  useEffect(() => {
    if (state && state !== "running") {
      setEvery(0);
      onEnd();
    }
  }, [state]);
  const isDone = state === "done";
  const keep = (): void => {
    if (!found) return;
    const { titles, rows } = exported(found);
    save(`${found.item.kind}-${id}.csv`, csv(titles.map((title, nth) => ({ title, of: (row: (string | number)[]) => row[nth] })), rows));
  };
  const keepAll = (): void => void (found && save(`${found.item.kind}-${id}.json`, JSON.stringify({ ...found, inputs: JSON.parse(found.inputs), result: JSON.parse(found.result) }, null, 2)));
  const stop = (): void => void run(() => ok(api.DELETE("/api/simulations/{simulation_id}", { params: { path: { simulation_id: id } } }))).then(asked.again);
  useEffect(() => provide("Simulation", [
    { title: "CSV of the simulation", keys: "e", unless: () => (isDone ? "" : "nothing was found yet"), run: keep },
    { title: "JSON of the simulation", unless: () => (isDone ? "" : "nothing was found yet"), run: keepAll },
  ]), [found]);
  if (asked.problem) return <ErrorPanel problem={asked.problem} retry={asked.again} />;
  if (!found) return <Loading rows={8} waitsFor="Reading the simulation" />;
  const { item } = found;
  return (
    <section className="panel simulation" data-panel aria-label={kindTitle(item.kind)}>
      <header>
        <h2>{kindTitle(item.kind)}: {subject(item)}</h2>
        <span className="label lead">Seed {item.seed}, {number(String(item.paths))} {item.kind === "validation" ? "bootstraps" : "paths"}, law {item.law}; result <span className="mono" title={item.result_sha256}>{item.result_sha256.slice(0, 16) || "none yet"}</span></span>
        <div className="end">
          {state === "running"
            ? <button type="button" className="button" disabled={isBusy} onClick={stop}>Stop it</button>
            : <><button type="button" className="button quiet" disabled={!isDone} onClick={keep}>CSV <kbd>e</kbd></button><button type="button" className="button quiet" disabled={!isDone} onClick={keepAll}>JSON</button></>}
        </div>
      </header>
      <Outcome problem={problem} />
      {state === "running" && <p className="state running" role="status"><progress value={item.done} max={item.total} aria-label="Done" /> {number(String(item.done))} of {number(String(item.total))}</p>}
      {state !== "running" && state !== "done" && <p className="pad" role="alert">It was {state}{item.error ? `: ${item.error}` : state === "interrupted" ? ": the house stopped meanwhile. Ask for it again." : "."}</p>}
      {found.traders.map((each) => (item.kind === "sensitivity" ? <Effects key={each.trader} trader={each} paths={item.paths} /> : null))}
      {item.kind === "tier_odds" && isDone && <Odds traders={found.traders} />}
      {found.projection && <Projected found={found} tiers={tiers} limits={limits} />}
      {found.validation && <><Bootstrap found={found.validation} />{judged(found.validation).map((each) => <p key={each} className="pad">{each}</p>)}<p className="pad label">Days are drawn in stretches with replacement (stationary bootstrap), so that what hangs together from day to day stays so. It knows these {found.validation.days} days and no others; ratios leave costs out that the days do not have in them.</p></>}
    </section>
  );
}

function Effects({ trader, paths }: { trader: Trader; paths: number }) {
  const rows = useMemo(() => bars(trader, paths), [trader, paths]);
  const most = reach(rows);
  return (
    <>
      <p className="pad"><b className="kind">{traderKind(trader)}</b> passes {probability(trader.pass_probability, trader.pass_se)}. {costs(rows)}</p>
      <Table<Bar> label={`What each rule does to the pass rate of ${trader.trader}`} rows={rows} rowKey={(each) => `${each.name} ${each.change}`} columns={[
        { key: "rule", title: "Rule", cell: (each) => each.name },
        { key: "change", title: "Were it", cell: (each) => each.change },
        { key: "bar", title: "Pass rate, fewer | more", cell: (each) => <Whisker bar={each} most={most} /> },
        { key: "moved", title: "Of 100 tries", num: true, cell: (each) => `${points(each.moved)} ± ${(each.error * 100).toFixed(1)}`, sort: (each) => each.moved },
        { key: "pass", title: "Would pass", num: true, cell: (each) => share(each.pass), sort: (each) => each.pass },
        { key: "paid", title: "Paid a try", num: true, cell: (each) => number(each.paid.toFixed(2), { signed: true }), sort: (each) => each.paid },
        { key: "firm", title: "Firm’s part of a sale", num: true, cell: (each) => number(each.firm.toFixed(2), { signed: true }), sort: (each) => each.firm },
      ]} />
      <p className="pad label">Each change is walked with the same dice, and the error is two standard errors of the difference: only tries that end otherwise count. Rules are changed one at a time: two changes together may do more or less than both. Traders here do not trade otherwise because a rule is another.</p>
    </>
  );
}

/** A bar from the middle, with its error over it: more passes to the right. */
function Whisker({ bar, most }: { bar: Bar; most: number }) {
  const x = (part: number): number => 100 + (Math.min(Math.max(part / most, -1), 1)) * 98;
  const [from, to] = bar.moved < 0 ? [x(bar.moved), 100] : [100, x(bar.moved)];
  return (
    <svg className="whisker" viewBox="0 0 200 16" preserveAspectRatio="none" aria-hidden="true">
      <rect x={from} y={4} width={Math.max(to - from, 0.5)} height={8} />
      <path className="axis" d="M100 0V16" />
      <path d={`M${x(bar.moved - bar.error)} 8H${x(bar.moved + bar.error)}`} />
    </svg>
  );
}

function Odds({ traders }: { traders: readonly Trader[] }) {
  return (
    <Table<Trader> label="Simulated odds" rows={traders} rowKey={(each) => each.trader} columns={[
      { key: "trader", title: "Trader", cell: (each) => <><b>{traderKind(each)}</b><small>{each.title}</small></> },
      { key: "pass", title: "Passes, or is paid once", num: true, cell: (each) => probability(each.pass_probability, each.pass_se) },
      { key: "ruin", title: "Breaks a limit before", num: true, cell: (each) => probability(each.ruin_probability, each.ruin_se) },
      { key: "firm", title: "Firm’s part of a sale", num: true, cell: (each) => `${number(each.firm_profit_mean.toFixed(2), { signed: true })} ± ${number(each.firm_profit_se.toFixed(2))}` },
    ]} />
  );
}

function Projected({ found, tiers, limits }: { found: Found; tiers: readonly Tier[]; limits: string }) {
  const { projection } = found;
  const tier = tiers.find((each) => `${each.tier} ${each.version}` === limits);
  const lines = useMemo(() => thresholds(tier), [tier]);
  if (!projection) return null;
  return (
    <>
      <div className="filters"><Select label="Limits of" value={limits} onChange={(each) => setQuery({ limits: each || null })} choices={[["", "no tier"], ...tiers.map((each) => [`${each.tier} ${each.version}`, `${each.tier}, version ${each.version}`] as const)]} /></div>
      <Fan found={projection} lines={lines} />
      <p className="pad">After {projection.days} days the mean is {share(projection.mean)} ± {(200 * projection.mean_se).toFixed(2)}, and {probability(projection.loss_probability, Math.sqrt((projection.loss_probability * (1 - projection.loss_probability)) / projection.paths))} of the paths end with a loss. {projection.falls.map((each) => `${probability(each.probability, each.se)} fall ${share(each.fall, 0)} or more from their highest`).join("; ")}.</p>
      <p className="pad label">Parts of the account, added up and not compounded. Days are drawn from those that were traded, in stretches of {projection.block} on average: it knows no day that was not among them, and nobody trades otherwise near a limit. Limits are drawn over it, and end no path.</p>
    </>
  );
}
