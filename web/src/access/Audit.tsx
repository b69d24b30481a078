/** Who did what others rely on, and who was denied what: each line with the entry of the journal that proves it. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { number, zoneName } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { address, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import type { PageProps } from "./Access";
import { at, named, Outcome, useDoing } from "./parts";
import { saveFrom } from "./saving";
import { instant } from "./terms";

type Line = Schemas["AuditLine"];
type Kind = "" | "act" | "denial" | "approval" | "access" | "policy";
const KINDS: readonly (readonly [Kind, string])[] = [["", "All"], ["denial", "Denials"], ["act", "Acts"], ["approval", "Approvals"], ["access", "Access"], ["policy", "Policies"]];

export default function Audit({ route }: PageProps) {
  const { kind = "", caller = "", operation = "", since = "", until = "" } = route.query;
  const account = useAccountId();
  const [older, setOlder] = useState<{ of: string; lines: readonly Line[]; next: number | null }>({ of: "", lines: [], next: null });
  const query = { kind: kind as Kind, caller: caller.trim(), operation: operation.trim(), since: instant(since), until: instant(until) };
  const key = `audit ${JSON.stringify(query)}`;
  const asked = useAsked(key, () => ok(api.GET("/api/audit", { params: { query: { ...query, limit: 100 } } })), until ? 0 : 10_000);
  const { isBusy, problem, run, clear } = useDoing();
  useEffect(clear, [key]);
  const more = older.of === key ? older.lines : [];
  const first = asked.data?.items ?? [];
  // What came meanwhile pushes lines from the first page into what was read as older.
  const lines = [...first, ...more.filter((each) => !first.some((other) => other.position === each.position))];
  const next = more.length ? older.next : (asked.data?.next ?? null);
  const read = (): void => void run(async () => {
    const found = await ok(api.GET("/api/audit", { params: { query: { ...query, limit: 200, before: next ?? 0 } } }));
    setOlder({ of: key, lines: [...more, ...found.items], next: found.next });
  });
  const save = (form: "csv" | "jsonl"): void => void run(() => saveFrom(`/api/audit/export?${new URLSearchParams({ form, limit: "100000", kind, since: String(query.since), until: String(query.until) }).toString()}`, `audit.${form}`));
  const isFiltered = Boolean(kind || caller || operation || since || until);
  return (
    <section className="panel" data-panel aria-label="Audit">
      <header>
        <h2>Audit</h2>
        <span className="label lead">Acts that others rely on, denials, approvals; times in {zoneName()}. Nothing here can be changed: every line is an entry of the journal.</span>
        <div className="end">
          <button type="button" className="button" disabled={isBusy} onClick={() => save("csv")}>CSV</button>
          <button type="button" className="button" disabled={isBusy} onClick={() => save("jsonl")}>JSON lines</button>
        </div>
      </header>
      <div className="filters">
        <Segmented<Kind> label="Kind" value={kind as Kind} onChange={(value) => setQuery({ kind: value || null })} choices={KINDS.map(([value, label]) => ({ value, label }))} />
        <input type="search" data-filter className="filter" placeholder="Person or key" aria-label="Who" value={caller} onChange={(event) => setQuery({ caller: event.target.value || null })} />
        <input type="search" className="filter" placeholder="Operation" aria-label="Operation" value={operation} onChange={(event) => setQuery({ operation: event.target.value || null })} />
        <label className="from"><span className="label">From (UTC)</span><input type="datetime-local" className="filter" value={since} onChange={(event) => setQuery({ since: event.target.value || null })} /></label>
        <label className="from"><span className="label">To (UTC)</span><input type="datetime-local" className="filter" value={until} onChange={(event) => setQuery({ until: event.target.value || null })} /></label>
        {isFiltered && <button type="button" className="button quiet" onClick={() => setQuery({ kind: null, caller: null, operation: null, since: null, until: null })}>Clear</button>}
      </div>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={10} waitsFor="Reading the audit" />}
      {asked.data && <Table<Line> label="Audit" rows={lines} rowKey={(each) => `${each.position}`} rowClass={(each) => (each.kind === "denial" ? "denied" : undefined)} columns={columns(account)} empty={<Empty action={isFiltered ? { label: "Clear the filter", act: () => setQuery({ kind: null, caller: null, operation: null, since: null, until: null }) } : undefined}>{isFiltered ? "Nothing like that." : "Nobody has done anything yet that is audited."}</Empty>} />}
      {next !== null && lines.length > 0 && <div className="row pad"><button type="button" className="button" disabled={isBusy} onClick={read}>Older</button><span className="label">{number(String(lines.length))} shown</span></div>}
    </section>
  );
}

function columns(account: string): Column<Line>[] {
  return [
    { key: "at", title: "When", num: false, cell: (each) => at(each.at) },
    { key: "kind", title: "Kind", cell: (each) => (each.kind === "denial" ? <span className="chip critical">denied{each.count > 1 && ` ${each.count}×`}</span> : <span className="chip plain">{each.kind}</span>) },
    { key: "who", title: "Who", cell: (each) => <span className="wraps who">{each.caller || each.user}{each.caller && each.user && !each.caller.startsWith(each.user) && <small>{each.user}</small>}</span> },
    { key: "what", title: "What", cell: (each) => <span className="wraps">{each.operation ? named(each.operation) : each.code.replaceAll("_", " ")}{each.account_id && <> · account {each.account_id}</>}{(each.text || (each.operation && each.code)) && <small>{[each.operation ? each.code.replaceAll("_", " ") : "", each.text].filter(Boolean).join(": ")}</small>}</span> },
    { key: "door", title: "Door", cell: (each) => [each.door, each.address].filter(Boolean).join(", ") || <span className="dim">–</span> },
    { key: "rules", title: "Rules", cell: (each) => (each.policy ? <span className="mono" title={each.policy}>{each.policy.slice(0, 8)}</span> : <span className="dim">–</span>) },
    { key: "proof", title: "Proof", num: true, cell: (each) => <a href={address("journal", [], { account, entry: String(each.position) })} aria-label={`${number(String(each.position))}: the entry and its proof`}>{number(String(each.position))}</a> },
  ];
}
