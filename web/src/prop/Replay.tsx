/** A version over what was traded: who would have passed or failed under it, before it is on sale. */
import { useState } from "react";
import { Outcome, useDoing } from "../access/parts";
import { api, ok, type Schemas } from "../client/api";
import { dayTime, number } from "../kit/format";
import { Empty, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may } from "../shell/session";
import { csv, save } from "../trade/csv";
import { stateOf } from "./gauges";
import { ruleTitle } from "./standing";
import type { Version } from "./Versions";

type Found = Schemas["ReplayTierReply"];
type Attempt = Found["changes"][number];
const NEWEST = 500;

function End({ state, rule }: { state: string; rule: string }) {
  const { shape, word } = stateOf(state);
  return <><span className={`status ${shape}`}><span>{state === "active" ? "goes on" : word}</span></span>{rule && <small>{ruleTitle(rule)}</small>}</>;
}

export function Replay({ tier, version }: { tier: string; version: Version }) {
  const [found, setFound] = useState<Found | null>(null);
  const { isBusy, problem, run } = useDoing();
  const begin = (): void => void run(async () => setFound(await ok(api.POST("/api/tiers/{tier}/versions/{version}/replay", { params: { path: { tier, version: version.version } }, body: { limit: NEWEST } }))));
  const keep = (): void => save(`replay-${tier}-${version.version}.csv`, csv<Attempt>([
    { title: "assessment_id", of: (each) => each.assessment_id }, { title: "account_id", of: (each) => each.account_id }, { title: "stage", of: (each) => each.stage }, { title: "was", of: (each) => each.was }, { title: "was_rule", of: (each) => each.was_rule },
    { title: "would", of: (each) => each.would }, { title: "rule", of: (each) => each.rule }, { title: "at", of: (each) => each.at },
  ], found?.changes ?? []));
  return (
    <section className="panel" data-panel aria-label="Over what was traded">
      <header>
        <h2>Version {version.version} over what was traded</h2><span className="label lead">Nothing is changed by it. Trades are taken as they were, though who knows another rule trades otherwise.</span>
        <div className="end">
          <button type="button" className="button quiet" disabled={!found?.changes.length} onClick={keep}>CSV</button>
          <button type="button" className="button" disabled={isBusy || !may("tiers:write")} onClick={begin}>{isBusy ? "Reading the journal" : found ? "Replay again" : `Replay the newest ${NEWEST}`}</button>
        </div>
      </header>
      <Outcome problem={problem} retry={begin} />
      {isBusy && !found && <Loading rows={3} waitsFor="Reading what was traded" />}
      {!found && !isBusy && !problem && <Empty>Not replayed yet.</Empty>}
      {found && (
        <>
          <dl className="counts">
            <div><dt>attempts compared, of {number(String(found.attempts))}</dt><dd>{number(String(found.compared))}</dd></div>
            <div><dt>end the same</dt><dd>{number(String(found.same))}</dd></div>
            <div><dt>would pass and have not</dt><dd>{number(String(found.would_pass))}</dd></div>
            <div><dt>would fail and have not</dt><dd>{number(String(found.would_fail))}</dd></div>
          </dl>
          {found.compared === 0 && <p className="label pad">{found.attempts ? "None is of its size and stages." : "Nothing was traded on an assessment yet."}</p>}
          {found.compared > 0 && <Table<Attempt> label="Who would end otherwise" rows={found.changes} rowKey={(each) => each.account_id} empty={<Empty>Nobody would have ended otherwise.</Empty>} columns={[
            { key: "of", title: "Assessment", cell: (each) => <a className="mono" href={address("prop", ["now", each.assessment_id])}>{each.account_id}</a> },
            { key: "stage", title: "Stage", num: true, cell: (each) => each.stage + 1 },
            { key: "was", title: "Was", cell: (each) => <End state={each.was} rule={each.was_rule} /> },
            { key: "would", title: "Would have been", cell: (each) => <End state={each.would} rule={each.rule} /> },
            { key: "at", title: "At", num: true, cell: (each) => (each.at && each.at !== "0" ? dayTime(each.at) : <span className="dim">–</span>) },
          ]} />}
        </>
      )}
    </section>
  );
}
