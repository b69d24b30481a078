/** Who is ahead, where one stands oneself, and the name by which one is seen there, if by any. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Num } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address, setQuery } from "../shell/routes";
import { may } from "../shell/session";
import { stateOf } from "./gauges";
import type { PageProps } from "./Prop";
import { inPercent, placesOf } from "./ranks";
import { cents } from "./standing";

type Line = Schemas["LeaderLine"];
type By = "return" | "payouts";
const EVERY_MS = 5_000;

export default function Ranks({ route }: PageProps) {
  const by: By = route.query.by === "payouts" ? "payouts" : "return";
  const tier = route.query.tier ?? "";
  const asked = useAsked(`ranks ${by} ${tier}`, () => ok(api.GET("/api/leaderboard", { params: { query: { by, limit: 200, ...(tier && { tier }) } } })), EVERY_MS);
  const found = asked.data;
  const shown = new Set(found?.items.map((each) => each.assessment_id));
  const further = (found?.you ?? []).filter((each) => !shown.has(each.assessment_id));
  return (
    <>
      <section className="panel" data-panel aria-label="Leaderboard">
        <header>
          <h2>Leaderboard</h2>
          <span className="label lead">{found ? `${found.ranked} ${found.ranked === 1 ? "assessment is" : "assessments are"} ranked; equals share a rank.` : ""}{tier && <> Of {tier} alone. <a href={address("prop", ["ranks"], { by })}>All tiers</a></>}</span>
          <div className="end"><Segmented<By> label="By" value={by} onChange={(each) => setQuery({ by: each === "return" ? null : each })} choices={[{ value: "return", label: "Return" }, { value: "payouts", label: "Paid out" }]} /></div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!found && !asked.problem && <Loading rows={8} waitsFor="Working out ranks" />}
        {found && <Lines by={by} label="Ranks" items={found.items} />}
        {further.length > 0 && <><h3 className="label">You, further down</h3><Lines by={by} label="Your ranks" items={further} /></>}
      </section>
      {may("evaluation:ask") && <PublicName onDone={asked.again} />}
    </>
  );
}

function Lines({ by, label, items }: { by: By; label: string; items: readonly Line[] }) {
  const places = placesOf(items.map(({ value }) => value));
  return (
    <Table<Line & { key: string }> label={label} rows={items.map((each, n) => ({ ...each, key: each.assessment_id ?? `${n}` }))} rowKey={(each) => each.key} empty={<Empty>Nobody is ranked yet: whoever begins an assessment is.</Empty>} columns={[
      { key: "rank", title: "Rank", num: true, width: "64px", cell: (each) => <b>{each.rank}</b> },
      { key: "name", title: "Trader", cell: (each) => <span>{each.name || <span className="dim">no name</span>}{each.is_you && <> <span className="chip">you</span></>}</span> },
      { key: "tier", title: "Tier", cell: (each) => <a href={address("prop", ["ranks"], { by, tier: each.tier })}>{each.tier}</a> },
      { key: "state", title: "State", cell: (each) => <span className={`status ${stateOf(each.state).shape}`}><span>{stateOf(each.state).word}</span></span> },
      { key: "value", title: by === "return" ? "Return, %" : "Paid out, USD", num: true, cell: (each) => (by === "return" ? <Num value={inPercent(each.value, places)} direction /> : <Num value={cents(each.value)} />) },
    ]} />
  );
}

function PublicName({ onDone }: { onDone: () => void }) {
  const asked = useAsked("public name", () => ok(api.GET("/api/leaderboard/profile")), 0);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const is = asked.data?.public_name ?? "";
  useEffect(() => setName(is), [is]);
  const change = async (send: () => Promise<unknown>) => {
    try {
      await send();
      setProblem(null);
      asked.again();
      onDone();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
  };
  const fits = /^[\p{L}\p{N}_][\p{L}\p{N}_ .'-]{1,38}[\p{L}\p{N}_]$/u.test(name);
  return (
    <section className="panel" data-panel aria-label="The name that others see">
      <header><h2>The name that others see</h2></header>
      <p className="pad">{is ? <>You are seen as <b>{is}</b>.</> : "You are seen by no name. Nobody but you can tell which line is yours."}</p>
      <form className="fields" onSubmit={(event) => { event.preventDefault(); void change(() => ok(api.PUT("/api/leaderboard/profile", { body: { public_name: name } }))); }}>
        <Field label="Public name" value={name} autoComplete="off" maxLength={40} onChange={(event) => setName(event.target.value)} said="3 to 40 letters and digits; need not be your own" wrong={problem ? problem.message : name === "" || fits ? null : "At least three letters or digits"} />
        <span className="row">
          <button type="submit" className="button main" disabled={!fits || name === is}>Be seen by it</button>
          {is && <button type="button" className="button" onClick={() => void change(() => ok(api.DELETE("/api/leaderboard/profile")))}>Be seen by no name</button>}
        </span>
      </form>
    </section>
  );
}
