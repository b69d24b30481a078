/** Each way of each notice, and what came of it. What was said is not kept here: its entry says it. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { number } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { at, Outcome, useDoing } from "../access/parts";
import { address, setQuery } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import type { PageProps } from "./Notices";

type Line = Schemas["LogLine"];
type State = "" | Line["state"];
type Way = "" | "inbox" | "email" | "push" | "pager";
const STATES: readonly (readonly [State, string])[] = [["", "All"], ["waiting", "Waiting"], ["delivered", "Delivered"], ["kept", "Kept"], ["refused", "Refused"], ["given_up", "Given up"], ["withheld", "Withheld"]];
const WAYS: readonly (readonly [Way, string])[] = [["", "Every way"], ["inbox", "Inbox"], ["email", "Mail"], ["push", "Push"], ["pager", "Pager"]];
const BAD = new Set<State>(["refused", "given_up"]);

export default function Deliveries({ route }: PageProps) {
  const account = useAccountId();
  const { state = "", way = "", everybody = "" } = route.query;
  const isAll = everybody === "yes" && may("house:read");
  const query = { ...(state ? { state: state as Line["state"] } : {}), ...(way ? { way: way as Exclude<Way, ""> } : {}), ...(isAll ? { everybody: true } : {}), limit: 100 };
  const key = `sent ${JSON.stringify(query)}`;
  const asked = useAsked(key, () => ok(api.GET("/api/notifications/deliveries", { params: { query } })), 10_000);
  const [older, setOlder] = useState<{ of: string; lines: readonly Line[]; next: number }>({ of: "", lines: [], next: 0 });
  const { isBusy, problem, run } = useDoing();
  const more = older.of === key ? older.lines : [];
  const first = asked.data?.items ?? [];
  const lines = [...first, ...more.filter((each) => !first.some((other) => other.number === each.number))];
  const next = more.length ? older.next : (asked.data?.next ?? 0);
  const read = (): void => void run(async () => {
    const found = await ok(api.GET("/api/notifications/deliveries", { params: { query: { ...query, before: next } } }));
    setOlder({ of: key, lines: [...more, ...found.items], next: found.next });
  });
  const whose: Column<Line>[] = isAll ? [{ key: "user", title: "To", cell: (each) => each.user || "the pager" }] : [];
  return (
    <section className="panel" data-panel aria-label="Deliveries">
      <header><h2>Deliveries</h2><span className="label lead">Newest first. Failed ones are tried again for about nine hours.</span></header>
      <div className="filters">
        <Segmented<Way> label="Way" value={way as Way} onChange={(value) => setQuery({ way: value || null })} choices={WAYS.map(([value, label]) => ({ value, label }))} />
        <Segmented<State> label="State" value={state as State} onChange={(value) => setQuery({ state: value || null })} choices={STATES.map(([value, label]) => ({ value, label }))} />
        <label className="check" title={may("house:read") ? undefined : "Needs scope house:read"}><input type="checkbox" checked={isAll} disabled={!may("house:read")} onChange={(event) => setQuery({ everybody: event.target.checked ? "yes" : null })} />Everybody’s</label>
      </div>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={8} waitsFor="Reading what was sent" />}
      {asked.data && <Table<Line> label="Deliveries" rows={lines} rowKey={(each) => String(each.number)} rowClass={(each) => (BAD.has(each.state) ? "denied" : undefined)} empty={<Empty>{state || way ? "Nothing like that was sent." : "Nothing was sent yet."}</Empty>} columns={[
        { key: "at", title: "Queued", cell: (each) => at(each.queued_at) },
        ...whose,
        { key: "kind", title: "Notice", cell: (each) => <span className="wraps">{each.kind.replace(".", ": ").replaceAll("_", " ")}<small className="mono">{each.notice_id}</small></span> },
        { key: "way", title: "Way", cell: (each) => WAYS.find(([way]) => way === each.way)?.[1] ?? each.way },
        { key: "state", title: "State", cell: (each) => <><span className={BAD.has(each.state) ? "chip critical" : each.state === "delivered" ? "chip plain" : "chip"}>{each.state.replace("_", " ")}</span>{each.next_at && <small>next at {at(each.next_at)}</small>}</> },
        { key: "attempts", title: "Tries", num: true, cell: (each) => each.attempts || <span className="dim">0</span> },
        { key: "detail", title: "Outcome", cell: (each) => <span className="wraps">{each.detail || <span className="dim">–</span>}</span> },
        { key: "position", title: "Position", num: true, cell: (each) => (each.position > 0 ? <a href={address("journal", [], { account, entry: String(each.position) })}>{number(String(each.position))}</a> : <span className="dim">–</span>) },
      ]} />}
      {next > 0 && <div className="row pad"><button type="button" className="button" disabled={isBusy} onClick={read}>Older</button></div>}
    </section>
  );
}
