/** What was decided, by which rules: every denial, every privileged act, a sample of the rest. */
import { useState } from "react";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { dayTime } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { type Route, setQuery } from "../shell/routes";
import { type Decided, decided } from "./decided";
import { named, Outcome, useDoing } from "./parts";
import { Code } from "./Policies";
import { saveFrom } from "./saving";

type Which = "" | "allowed" | "denied";
const LIMIT = 200;

export function Decisions({ route }: { route: Route }) {
  const { outcome = "", caller = "", operation = "" } = route.query;
  const query = { outcome: outcome as Which, caller: caller.trim(), operation: operation.trim(), limit: LIMIT };
  const asked = useAsked(`decisions ${JSON.stringify(query)}`, () => ok(api.GET("/api/policy/decisions", { params: { query } })), 10_000);
  const [open, setOpen] = useState("");
  const { problem, run } = useDoing();
  const rows = (asked.data?.items ?? []).map(decided);
  const shown = rows.find((each) => each.id === open);
  return (
    <>
      <div className="filters">
        <Segmented<Which> label="Outcome" value={outcome as Which} onChange={(value) => setQuery({ outcome: value || null })} choices={[{ value: "", label: "All" }, { value: "denied", label: "Denied" }, { value: "allowed", label: "Allowed" }]} />
        <input type="search" data-filter className="filter" placeholder="Person or key" aria-label="Who" value={caller} onChange={(event) => setQuery({ caller: event.target.value || null })} />
        <input type="search" className="filter" placeholder="Operation" aria-label="Operation" value={operation} onChange={(event) => setQuery({ operation: event.target.value || null })} />
        <button type="button" className="button" onClick={() => void run(() => saveFrom("/api/policy/decisions/export?limit=50000", "decisions.jsonl"))}>JSON lines, as OPA has them</button>
      </div>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={10} waitsFor="Reading what was decided" />}
      {asked.data && <Table<Decided> label="Decisions" rows={rows} rowKey={(each) => each.id} onOpen={(each) => setOpen(each.id)} rowClass={(each) => (each.allow ? undefined : "denied")} empty={<Empty>{outcome || caller || operation ? "Nothing like that was decided." : "Nothing was decided yet."}</Empty>} columns={[
        { key: "at", title: "When", cell: (each) => dayTime(each.at, "ms") },
        { key: "outcome", title: "Outcome", cell: (each) => (each.allow ? <span className="chip plain">allowed</span> : <span className="chip critical">denied</span>) },
        { key: "who", title: "Who", cell: (each) => <span className="wraps who">{each.caller}</span> },
        { key: "what", title: "What", cell: (each) => <span className="wraps">{named(each.operation)}{each.about && <> · {each.about}</>}{each.reasons.length > 0 && <small>{each.reasons.join("; ")}</small>}</span> },
        { key: "scope", title: "Scope", cell: (each) => <span className="mono">{each.scope || <span className="dim">none</span>}</span> },
        { key: "door", title: "Door", cell: (each) => [each.door, each.address].filter(Boolean).join(", ") },
        { key: "rules", title: "Rules", cell: (each) => <span className="mono" title={each.revision}>{each.revision.slice(0, 8)}</span> },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button" aria-label={`Input of ${each.id}`} onClick={() => setOpen(each.id)}>Input</button></span> },
      ]} />}
      {asked.data && rows.length === LIMIT && <p className="label state">The newest {LIMIT}; the file has more.</p>}
      {shown && <Dialog title={`Decision ${shown.id}`} open wide onClose={() => setOpen("")}><div className="access-screen as-it-was"><Code text={JSON.stringify(shown.raw, null, 2)} label="The decision as it was asked and answered" /></div></Dialog>}
    </>
  );
}
