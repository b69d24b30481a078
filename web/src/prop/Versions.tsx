/** Versions of a tier: simulated with progress, put on sale by two people, and taken off it. */
import { useEffect, useState } from "react";
import { Ask, at, Outcome, useDoing } from "../access/parts";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { number } from "../kit/format";
import { Empty } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may } from "../shell/session";
import { Agreed } from "./Agreed";
import { Replay } from "./Replay";
import { kind, probability } from "./tiers";

export type Version = Schemas["TierVersionShown"];
type Change = "publish" | "retire";
const WORDS: Record<Version["state"], string> = { draft: "draft", waiting: "published, not sold yet", published: "on sale", past: "sold before", retired: "retired" };
const EVERY_MS = 1_000;
const PATHS = 20_000;
const MOST_PATHS = 200_000;

export const stateWord = (state: Version["state"]): string => WORDS[state];

export function Versions({ tier, versions, onDone }: { tier: string; versions: readonly Version[]; onDone: () => void }) {
  const [changing, setChanging] = useState<{ what: Change; version: Version } | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const version = versions.find((each) => each.version === chosen) ?? versions[0];
  const mayDo = may("tiers:write");
  return (
    <>
      <section className="panel" data-panel aria-label="Versions">
        <header><h2>Versions of {tier}</h2></header>
        <Table<Version> label="Versions" rows={versions} rowKey={(each) => String(each.version)} selected={String(version?.version)} onSelect={(_, each) => setChosen(each.version)} empty={<Empty>No version.</Empty>} columns={[
          { key: "version", title: "Version", num: true, cell: (each) => each.version },
          { key: "state", title: "State", cell: (each) => <span className="chip">{WORDS[each.state]}</span> },
          { key: "simulated", title: "Simulated", cell: (each) => (each.simulated ? "yes" : <span className="dim">not yet</span>) },
          { key: "wrong", title: "Contradicts itself", cell: (each) => each.contradictions.join(", ") || <span className="dim">no</span> },
          { key: "from", title: "Sold from", num: true, cell: (each) => (each.effective_from && each.effective_from !== "0" ? at(each.effective_from) : <span className="dim">–</span>) },
          { key: "defined", title: "Defined", num: true, cell: (each) => <>{at(each.defined_at)}<small>{each.defined_by}</small></> },
          { key: "terms", title: "Terms", cell: (each) => <span className="mono" title={each.fingerprint}>{each.fingerprint.slice(0, 16)}</span> },
          { key: "acts", title: "", cell: (each) => (
            <span className="acts">
              <a href={address("prop", ["simulations"], { kind: "sensitivity", tier, version: String(each.version) })}>What each rule does</a>
              {each.state === "draft" && <button type="button" className="button" disabled={!mayDo || !each.simulated || each.contradictions.length > 0} title={each.simulated ? undefined : "First simulate it"} onClick={() => setChanging({ what: "publish", version: each })}>Publish</button>}
              {(each.state === "published" || each.state === "waiting") && <button type="button" className="button" disabled={!mayDo} onClick={() => setChanging({ what: "retire", version: each })}>Retire</button>}
            </span>
          ) },
        ]} />
        <Agreed tier={tier} />
      </section>
      {version && <Simulation key={version.version} tier={tier} version={version} onDone={onDone} />}
      {version && <Replay key={`replay ${version.version}`} tier={tier} version={version} />}
      {changing && <Changing tier={tier} {...changing} onDone={onDone} onClose={() => setChanging(null)} />}
    </>
  );
}

function Changing({ tier, what, version, onDone, onClose }: { tier: string; what: Change; version: Version; onDone: () => void; onClose: () => void }) {
  const path = { tier, version: version.version };
  const send = (note: string): Promise<unknown> => (what === "publish"
    ? ok(api.POST("/api/tiers/{tier}/versions/{version}/publish", { params: { path }, body: { note, effective_from: 0 } }))
    : ok(api.POST("/api/tiers/{tier}/versions/{version}/retire", { params: { path }, body: { note, ends_at: 0 } })));
  return (
    <Ask title={`${what === "publish" ? "Publish" : "Retire"} version ${version.version} of ${tier}`} act={what === "publish" ? "Put it on sale" : "Sell it no more"} danger={what === "retire"} send={send} onDone={onDone} onClose={onClose}>
      <p>{what === "publish" ? "Somebody else must agree. Then it is sold with the odds that are attached to it, though not before the day that its text says." : "It is sold no more from now on. Whoever has bought it keeps it as it is."}</p>
    </Ask>
  );
}

function Simulation({ tier, version, onDone }: { tier: string; version: Version; onDone: () => void }) {
  const [paths, setPaths] = useState(String(PATHS));
  const [seed, setSeed] = useState("1");
  const path = { tier, version: version.version };
  const asked = useAsked(`simulation ${tier} ${version.version}`, () => ok(api.GET("/api/tiers/{tier}/versions/{version}/simulation", { params: { path } })), EVERY_MS);
  const { isBusy, problem, run } = useDoing();
  const found = asked.data;
  const isRunning = found?.state === "running";
  const isNew = found?.state === "attached" && !version.simulated;
  useEffect(() => {
    if (isNew) onDone();
  }, [isNew]);
  const isRight = /^\d+$/.test(paths) && Number(paths) >= 100 && Number(paths) <= MOST_PATHS && /^\d{1,9}$/.test(seed);
  const again = (): void => {
    asked.again();
    onDone();
  };
  const begin = (): void => void run(() => ok(api.POST("/api/tiers/{tier}/versions/{version}/simulate", { params: { path }, body: { traders: [], paths: Number(paths), seed: Number(seed), days: 60, funded_days: 180, sales: 100 } }))).then(again);
  const stop = (): void => void run(() => ok(api.DELETE("/api/tiers/{tier}/versions/{version}/simulation", { params: { path } }))).then(again);
  return (
    <section className="panel" data-panel aria-label="Simulation">
      <header><h2>Simulation of version {version.version}</h2><span className="label lead">Nothing is published without one. The same seed gives the same odds.</span></header>
      <Outcome problem={problem ?? asked.problem} retry={asked.again} />
      {version.state === "draft" && (
        <div className="filters">
          <Field label="Paths of each trader" value={paths} inputMode="numeric" onChange={(event) => setPaths(event.target.value.trim())} wrong={isRight ? null : `100 to ${number(String(MOST_PATHS))}`} />
          <Field label="Seed" value={seed} inputMode="numeric" onChange={(event) => setSeed(event.target.value.trim())} />
          {isRunning
            ? <button type="button" className="button" disabled={isBusy} onClick={stop}>Stop it</button>
            : <button type="button" className="button main" disabled={isBusy || !isRight || !may("tiers:write")} onClick={begin}>Simulate</button>}
        </div>
      )}
      {isRunning && <p className="state running" role="status"><progress value={found.done} max={found.total} aria-label="Paths walked" /> {number(String(found.done))} of {number(String(found.total))} paths</p>}
      {found?.error && <p className="state wrong" role="alert">{found.error}</p>}
      {found?.odds ? (
        <Table<Schemas["OddsOfTrader"]> label="Simulated odds" rows={found.odds.traders} rowKey={(each) => each.trader} columns={[
          { key: "trader", title: "Trader", cell: (each) => <><b>{kind(each)}</b><small>{each.title}</small></> },
          { key: "pass", title: "Passes, or is paid once", num: true, cell: (each) => probability(each.pass_probability, each.pass_se) },
          { key: "ruin", title: "Breaks a limit before", num: true, cell: (each) => probability(each.ruin_probability, each.ruin_se) },
          { key: "days", title: "Median days", num: true, cell: (each) => (each.median_days === null ? <span className="dim">–</span> : Math.round(each.median_days)) },
          { key: "paid", title: "Paid a try", num: true, cell: (each) => number(each.payout_mean.toFixed(2)) },
          { key: "firm", title: "Firm’s part of a sale", num: true, cell: (each) => `${number(each.firm_profit_mean.toFixed(2), { signed: true })} ± ${number(each.firm_profit_se.toFixed(2))}` },
          { key: "firmruin", title: `Firm loses over ${number(found.odds?.capital ?? "")} in ${found.odds?.sales ?? 0} sales`, num: true, cell: (each) => (each.firm_ruin_probability === null ? <span className="dim">too few paths</span> : `${number((each.firm_ruin_probability * 100).toFixed(1))}\u202f%`) },
        ]} />
      ) : found && !isRunning && <Empty>It was not simulated yet.</Empty>}
    </section>
  );
}
