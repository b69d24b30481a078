/** Our books beside the provider's, a day at a time: what is not the same first, and what to do about it. */
import { useEffect, useState } from "react";
import { Outcome, useDoing } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { money, number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { houseNow } from "../live/stores";
import { provide } from "../shell/keys";
import { address, setQuery } from "../shell/routes";
import { csv, save } from "../trade/csv";
import { type Day, type Difference, differences, isDay, kindWord, moved } from "./books";
import type { PageProps } from "./Prop";

const WEEK = 7;
const today = (): string => new Date(houseNow()).toISOString().slice(0, 10);
const compare = (day: string): Promise<Day> => ok(api.GET("/api/purchases/reconciliation", { params: { query: { day } } }));

export default function Books({ route }: PageProps) {
  const chosen = isDay(route.query.day ?? "") ? (route.query.day as string) : moved(today(), -1);
  const asked = useAsked(`books ${chosen}`, () => compare(chosen));
  const found = asked.data;
  const lines = found ? differences(found) : [];
  const isLast = chosen >= today();
  const turn = (by: number): void => setQuery({ day: moved(chosen, by) });
  const keep = (): void => save(`reconciliation-${chosen}.csv`, csv<Difference>([
    { title: "what", of: (each) => each.what }, { title: "kind", of: (each) => each.kind }, { title: "reference", of: (each) => each.reference }, { title: "name", of: (each) => each.name },
    { title: "ours", of: (each) => each.ours }, { title: "theirs", of: (each) => each.theirs }, { title: "currency", of: (each) => each.currency },
  ], lines));
  useEffect(() => provide("Books", [
    { title: "The day before", keys: "[", run: () => turn(-1) },
    { title: "The day after", keys: "]", unless: () => (isLast ? "it has not been yet" : ""), run: () => turn(1) },
    { title: "CSV of what differs", keys: "e", unless: () => (lines.length ? "" : "nothing differs"), run: keep },
  ]), [chosen, found]);
  return (
    <>
      <section className="panel" data-panel aria-label="Books beside the provider’s">
        <header>
          <h2>Books beside the provider’s</h2><span className="label lead">A day of the provider, UTC. The house compares each day by itself; this asks anew.</span>
          <div className="end">
            <button type="button" className="button" onClick={() => turn(-1)} aria-label="The day before">← <kbd>[</kbd></button>
            <input type="date" className="filter" aria-label="Day, UTC" value={chosen} max={today()} onChange={(event) => isDay(event.target.value) && setQuery({ day: event.target.value })} />
            <button type="button" className="button" disabled={isLast} onClick={() => turn(1)} aria-label="The day after">→ <kbd>]</kbd></button>
            <button type="button" className="button quiet" disabled={!lines.length} onClick={keep}>CSV <kbd>e</kbd></button>
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!found && !asked.problem && <Loading rows={5} waitsFor="Asking the provider" />}
        {found && (
          <>
            <p className="pad" role="status">
              {found.is_right ? <span className="chip">the same</span> : <span className="chip critical">✕ {lines.length} not the same</span>}{" "}
              {found.day}, {found.provider || "no provider"}: {found.compared ? `${number(String(found.compared))} ${found.compared === 1 ? "movement is" : "movements are"} the same on both sides.` : "no movement is on both sides."}
            </p>
            <Table<Difference> label="What is not the same" rows={lines} rowKey={(each) => each.key} rowClass={() => "denied"} empty={<Empty>{found.compared ? "Nothing differs." : "Nothing moved on this day, on either side."}</Empty>} columns={[
              { key: "what", title: "What", cell: (each) => <><span className="chip critical">✕ {each.what}</span><small>{kindWord(each.kind)}</small></> },
              { key: "ours", title: "Here", num: true, cell: (each) => (each.ours === null ? <span className="dim">nothing</span> : money(each.ours)) },
              { key: "theirs", title: "At the provider", num: true, cell: (each) => (each.theirs === null ? <span className="dim">nothing</span> : money(each.theirs)) },
              { key: "currency", title: "Currency", cell: (each) => each.currency },
              { key: "of", title: "Of", cell: (each) => <>{each.name.startsWith("pu_") ? <a className="mono" href={address("prop", ["bought", each.name])}>{each.name}</a> : <span className="mono">{each.name || "–"}</span>}<small className="mono">{each.reference}</small></> },
              { key: "next", title: "What to do", cell: (each) => <span className="wraps">{each.next}</span> },
            ]} />
          </>
        )}
      </section>
      <Week />
    </>
  );
}

/** Asked for only when somebody wants it: each day is a question to the provider. */
function Week() {
  const [days, setDays] = useState<readonly Day[] | null>(null);
  const { isBusy, problem, run } = useDoing();
  const ask = (): void => void run(async () => setDays(await Promise.all(Array.from({ length: WEEK }, (_, nth) => compare(moved(today(), -nth))))));
  return (
    <section className="panel" data-panel aria-label="The last days">
      <header><h2>The last {WEEK} days</h2><div className="end"><button type="button" className="button" disabled={isBusy} onClick={ask}>{isBusy ? "Asking the provider" : days ? "Compare again" : "Compare them"}</button></div></header>
      <Outcome problem={problem} retry={ask} />
      <Table<Day> label="The last days" rows={days ?? []} rowKey={(each) => each.day} onOpen={(each) => setQuery({ day: each.day })} empty={<Empty>Not compared yet: the provider is asked for each of them.</Empty>} columns={[
        { key: "day", title: "Day, UTC", cell: (each) => <button type="button" className="link" onClick={() => setQuery({ day: each.day })}>{each.day}</button> },
        { key: "state", title: "Books", cell: (each) => (each.is_right ? <span className="chip">the same</span> : <span className="chip critical">✕ {differences(each).length} not the same</span>) },
        { key: "compared", title: "The same", num: true, cell: (each) => number(String(each.compared)) },
        { key: "here", title: "Not heard of here", num: true, cell: (each) => each.missing_here.length || <span className="dim">–</span> },
        { key: "there", title: "Not at the provider", num: true, cell: (each) => each.missing_there.length || <span className="dim">–</span> },
        { key: "differ", title: "Differs", num: true, cell: (each) => each.differ.length || <span className="dim">–</span> },
      ]} />
    </section>
  );
}
