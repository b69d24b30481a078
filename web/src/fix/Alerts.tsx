/** What was found in FIX traffic: why, how often, and the exact messages that prove it. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { dayTime, number, zoneName } from "../kit/format";
import { useMedia } from "../kit/media";
import { When } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address, go, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { CaseOf } from "./Case";
import type { ViewProps } from "./Fix";
import { named } from "./said";

type Alert = Schemas["AlertLine"];
type Severity = Alert["severity"];
const EVERY_MS = 3_000;
const LEAST: readonly { value: Severity; label: string }[] = [{ value: "low", label: "All" }, { value: "medium", label: "Medium +" }, { value: "high", label: "High +" }, { value: "critical", label: "Critical" }];
const RANK: Record<Severity, number> = { critical: 3, high: 2, medium: 1, low: 0 };
const LOOK: Record<Severity, [string, string]> = { critical: ["critical", "✕ critical"], high: ["warn", "! high"], medium: ["", "medium"], low: ["plain", "low"] };

export function Alerts({ route }: ViewProps) {
  const { session = "", capture = "" } = route.query;
  const least = LEAST.find(({ value }) => value === route.query.least)?.value ?? "low";
  const chosen = route.parts[1];
  const isNarrow = useMedia("(max-width: 599px)");
  const account = useAccountId();
  const query = { severity: least, limit: 200, ...(session ? { session } : {}), ...(capture ? { capture } : {}) };
  const asked = useAsked(`alerts ${JSON.stringify(query)}`, () => ok(api.GET("/api/fix/alerts", { params: { query } })), EVERY_MS);
  const choose = (id: string): void => go(address("fix", ["alerts", id], { ...route.query, account }), !isNarrow || route.parts.length > 1);
  useEffect(() => provide("FIX alerts", [
    { title: "Export alerts for a SIEM (ECS)", words: "elastic download", run: () => void download("ecs") },
    { title: "Export alerts for a SIEM (CEF)", words: "arcsight syslog download", run: () => void download("cef") },
    { title: "Export alerts for a SIEM (OCSF)", words: "download", run: () => void download("ocsf") },
  ]), []);
  if (!asked.data) return asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={10} waitsFor="Reading what was found" />;
  // Worst first, then what began last: how often something was found again moves nothing.
  const items = [...asked.data.items].sort((a, b) => RANK[b.severity] - RANK[a.severity] || b.first_at.localeCompare(a.first_at));
  const aside = chosen ? <AlertPanel key={chosen} id={chosen} /> : <aside className="panel" data-panel aria-label="Alert"><Empty>{items.length ? "Choose an alert: j and k move." : "Each alert stands here with its evidence."}</Empty></aside>;
  if (isNarrow && chosen) return <div className="sessions"><p className="back"><a href={address("fix", ["alerts"], { account })}>← All alerts</a></p>{aside}</div>;
  return (
    <div className="columns alerts">
      <section className="panel" data-panel aria-label="Alerts">
        <header>
          <Segmented label="At least" value={least} choices={LEAST} onChange={(value) => setQuery({ least: value === "low" ? null : value })} />
          {session && <button type="button" className="chip" aria-pressed onClick={() => setQuery({ session: null })}>{session} ✕</button>}
          {capture && <button type="button" className="chip" aria-pressed onClick={() => setQuery({ capture: null })}>capture {capture} ✕</button>}
          <Export />
        </header>
        <div className="scroll list">
          <Table
            label="Alerts"
            columns={isNarrow ? NARROW : WIDE}
            rows={items}
            rowKey={({ id }) => id}
            selected={chosen ?? null}
            onSelect={choose}
            empty={least !== "low" || session || capture ? "Nothing of this was found." : "Nothing was found. Every message of every session is watched as it passes."}
          />
          {asked.data.next && <p className="state label">The newest {number(String(items.length))} are shown. Choose a session, or a higher severity.</p>}
        </div>
      </section>
      {!isNarrow && aside}
    </div>
  );
}

const SEVERITY: Column<Alert> = { key: "severity", title: "Severity", cell: ({ severity }) => <span className={`chip ${LOOK[severity][0]}`}>{LOOK[severity][1]}</span>, sort: ({ severity }) => -RANK[severity] };
const WIDE: readonly Column<Alert>[] = [
  SEVERITY,
  { key: "at", title: "Last", cell: ({ at }) => <When at={at} precision="s" />, sort: ({ at }) => at },
  { key: "title", title: "What", cell: ({ title, pattern }) => <><b>{title}</b> <span className="label mono">{pattern}</span></>, sort: ({ title }) => title },
  { key: "subject", title: "Whom", cell: ({ subject, session }) => <span title={session}>{subject || named(session).theirs}</span>, sort: ({ subject }) => subject },
  { key: "count", title: "Times", num: true, cell: ({ count }) => number(String(count)), sort: ({ count }) => count },
];
const NARROW: readonly Column<Alert>[] = [
  { ...SEVERITY, cell: ({ severity, at }) => <><span className={`chip ${LOOK[severity][0]}`}>{LOOK[severity][1]}</span><span className="under label"><When at={at} precision="s" /></span></> },
  { key: "title", title: "What", cell: ({ title, subject, session, count }) => <span className="wrap"><b>{title}</b><span className="under label">{subject || named(session).theirs}{count > 1 && `, ${number(String(count))} times`}</span></span> },
];

function Export() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const save = (form: Form): void => {
    setProblem(null);
    download(form).catch((error: unknown) => setProblem(error instanceof Problem ? error : noAnswer(error, false)));
  };
  return (
    <div className="end">
      {problem && <span className="bad" role="alert">{problem.message}</span>}
      <span className="label">Export</span>
      {FORMS.map((form) => <button key={form} type="button" className="button quiet" onClick={() => save(form)}>{form.toUpperCase()}</button>)}
    </div>
  );
}

/** What proves the alert, for somebody outside: a capture for Wireshark, and all of it as JSON. */
function Evidence({ alert }: { alert: string }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [digest, setDigest] = useState("");
  const fetched = async (form: "pcap" | "json"): Promise<void> => {
    setProblem(null);
    const found = await ok(api.GET("/api/fix/alerts/{alert_id}/evidence", { params: { path: { alert_id: alert } } }));
    const packets = Uint8Array.from(atob(found.content), (each) => each.charCodeAt(0));
    save(form === "pcap" ? packets : JSON.stringify(found, null, 2), form === "pcap" ? found.name : `${alert}.json`);
    setDigest(found.sha256);
  };
  const ask = (form: "pcap" | "json"): void => void fetched(form).catch((error: unknown) => setProblem(error instanceof Problem ? error : noAnswer(error, false)));
  return (
    <div className="row">
      <button type="button" className="button quiet" onClick={() => ask("pcap")}>Download pcap</button>
      <button type="button" className="button quiet" onClick={() => ask("json")}>Download JSON</button>
      {digest && <span className="label mono" title="SHA-256 of the pcap">{digest}</span>}
      {problem && <span className="bad" role="alert">{problem.message}</span>}
    </div>
  );
}

type Form = "ecs" | "cef" | "ocsf";
const FORMS: readonly Form[] = ["ecs", "cef", "ocsf"];

async function download(form: Form): Promise<void> {
  const text = await ok(api.GET("/api/fix/alerts/export", { params: { query: { form, limit: 10_000 } }, parseAs: "text" }));
  save(String(text), `fix-alerts.${form === "cef" ? "cef" : "ndjson"}`);
}

function save(content: BlobPart, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

function AlertPanel({ id }: { id: string }) {
  const asked = useAsked(`alert ${id}`, () => ok(api.GET("/api/fix/alerts/{alert_id}", { params: { path: { alert_id: id } } })), EVERY_MS * 2);
  const account = useAccountId();
  const found = asked.data;
  if (!found) return <aside className="panel" data-panel aria-label="Alert">{asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={6} waitsFor="Reading the evidence" />}</aside>;
  const [look, word] = LOOK[found.severity];
  return (
    <aside className="panel alert" data-panel aria-label="Alert">
      <header><span className={`chip ${look}`}>{word}</span><h2>{found.title}</h2><span className="label mono end">{found.pattern}</span></header>
      <div className="body scroll" tabIndex={0}>
        <p className="reason">{found.reason}</p>
        <p className="label">{found.says}</p>
        <dl className="facts">
          <dt>Whom</dt><dd>{found.subject}</dd>
          {found.session && <><dt>Session</dt><dd>{found.capture ? <span className="mono">{found.session}</span> : <a className="mono" href={address("fix", ["sessions", found.session], { account })}>{found.session}</a>}</dd></>}
          <dt>First</dt><dd>{dayTime(found.first_at, "us")} {zoneName()}</dd>
          <dt>Last</dt><dd>{dayTime(found.at, "us")}{found.count > 1 && `, ${number(String(found.count))} times`}</dd>
          <dt>ATT&amp;CK</dt><dd>{found.attack.length ? found.attack.join(", ") : <span className="dim">no technique fits</span>}</dd>
          {found.capture && <><dt>From</dt><dd>capture {found.capture}</dd></>}
        </dl>
        <CaseOf alert={found.id} />
        <h3 className="label">Evidence, {number(String(found.evidence.length))} {found.evidence.length === 1 ? "message" : "messages"}</h3>
        <Evidence alert={found.id} />
        <ol className="evidence">
          {found.evidence.map((each, nth) => (
            <li key={nth}>
              <p>
                <When at={each.at} precision="us" /> <b className="mono">{each.msg_type}</b> {each.sender}{each.seq_num >= 0 && <> number {number(String(each.seq_num))}</>}
                {each.message && <a href={address("fix", ["messages"], { account, id: each.message, capture: found.capture })}>Open</a>}
              </p>
              <p className="mono wire">{each.text}</p>
              <p className="label mono" title="SHA-256 of the exact bytes">{each.sha256}</p>
            </li>
          ))}
        </ol>
      </div>
    </aside>
  );
}
