/** Reports of an account: made, read here as they were made, and kept as PDF and CSV. */
import { useEffect, useRef, useState } from "react";
import { Ask, Outcome, useDoing } from "../access/parts";
import { saveFrom } from "../access/saving";
import { api, ok, type Schemas, token } from "../client/api";
import { foreign } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Select } from "../kit/Field";
import { dayTime, number, zoneName } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address, go } from "../shell/routes";
import { accounts, may, useAccountId } from "../shell/session";
import type { PageProps } from "./Prop";

type Report = Schemas["ReportsReply"]["items"][number];
type Kind = Report["kind"];
const KINDS: readonly (readonly [Kind, string])[] = [
  ["assessment_summary", "Assessment summary"], ["trade_history", "Trade history"], ["performance_metrics", "Performance"], ["risk_analysis", "Risk analysis"], ["compliance", "Compliance"],
];
const titleOf = (kind: Kind): string => KINDS.find(([each]) => each === kind)?.[1] ?? kind;

export default function Reports({ route }: PageProps) {
  const account = useAccountId();
  const id = route.parts[1] ?? "";
  const asked = useAsked("reports", () => ok(api.GET("/api/reports", { params: { query: {} } })));
  const [isMaking, setMaking] = useState(false);
  const { problem, run } = useDoing();
  const items = asked.data?.items ?? [];
  const chosen = items.find(({ report_id }) => report_id === id);
  const no = !may("reports:write") ? "Needs scope reports:write" : account ? "" : "there is no account";
  useEffect(() => provide("Reports", [{ title: "Make a report", keys: "n", unless: () => no, run: () => setMaking(true) }]), [no]);
  const keep = (found: Report, form: "pdf" | "html"): void => void run(() => saveFrom(`/api/reports/${found.report_id}/${form}`, `${found.kind}-${found.account_id}.${form}`));
  return (
    <>
      <section className="panel" data-panel aria-label="Reports">
        <header>
          <h2>Reports</h2><span className="label lead">A report never changes: its hashes stand in the journal.</span>
          <div className="end"><button type="button" className="button" disabled={Boolean(no)} title={no || undefined} onClick={() => setMaking(true)}>Make one <kbd>n</kbd></button></div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        <Outcome problem={problem} />
        {!asked.data && !asked.problem && <Loading rows={5} waitsFor="Reading reports" />}
        {asked.data && <Table<Report> label="Reports" rows={items} rowKey={(each) => each.report_id} selected={id || undefined} onOpen={(each) => go(address("prop", ["reports", each.report_id]))} empty={<Empty>No report was made yet.</Empty>} columns={[
          { key: "kind", title: "Report", cell: (each) => <a href={address("prop", ["reports", each.report_id])}>{titleOf(each.kind)}</a> },
          { key: "account", title: "Account", cell: (each) => <span className="mono">{each.account_id}</span> },
          { key: "made", title: "Made", num: true, cell: (each) => <>{dayTime(each.made_at)}<small>{each.made_by}</small></> },
          { key: "position", title: "As of entry", num: true, cell: (each) => number(String(each.position)) },
          { key: "sha", title: "SHA-256", cell: (each) => <span className="mono" title={each.sha256}>{each.sha256.slice(0, 16)}</span> },
          { key: "acts", title: "", cell: (each) => <span className="acts">{each.pdf_url && <button type="button" className="button" onClick={() => keep(each, "pdf")}>PDF</button>}<button type="button" className="button" onClick={() => keep(each, "html")}>HTML</button></span> },
        ]} />}
      </section>
      {chosen && <Viewer key={chosen.report_id} found={chosen} />}
      {isMaking && <Make account={account} onDone={asked.again} onClose={() => setMaking(false)} />}
    </>
  );
}

const ZONES = [...new Set(["UTC", zoneName(), Intl.DateTimeFormat().resolvedOptions().timeZone])];

function Make({ account: chosen, onDone, onClose }: { account: string; onDone: () => void; onClose: () => void }) {
  const [kind, setKind] = useState<Kind>("performance_metrics");
  const [account, setAccount] = useState(chosen);
  const [zone, setZone] = useState(zoneName());
  const all = useStore(accounts);
  const send = async (): Promise<void> => {
    const made = await ok(api.POST("/api/reports", { body: { kind, account_id: account, currency: null, time_zone: zone, min_position: 0 } }));
    go(address("prop", ["reports", made.report_id]));
  };
  return (
    <Ask title="Make a report" act="Make it" reasoned={false} send={send} onDone={onDone} onClose={onClose}>
      <Select<Kind> label="Kind" value={kind} onChange={setKind} choices={KINDS} />
      <Select label="Account" value={account} onChange={setAccount} choices={all.map((each) => [each.account_id, each.account_id] as const)} />
      {ZONES.length > 1 && <Select label="Time zone" value={zone} onChange={setZone} choices={ZONES.map((each) => [each, each] as const)} said="In which its days begin, and its times are told." />}
      <p className="label">Of the account as it is now. Asked again while nothing has happened, it is the same report.</p>
    </Ask>
  );
}

async function read(report_id: string): Promise<string> {
  const answer = await fetch(`/api/reports/${report_id}/html`, { headers: { authorization: `Bearer ${token.get()}` } });
  if (!answer.ok) throw foreign(answer.status, "");
  return answer.text();
}

const STYLE = /<style>([\s\S]*?)<\/style>/;
// The report's own colours give way to those of the page, so that it is dark or light with it.
const COLOURS = ":host{display:block;--ground:var(--bg1);--soft:var(--ink2);--grid:var(--rule);--card:var(--bg2);--none:var(--bg3);--good:var(--gain);--bad:var(--loss);--line:var(--line1)}";

/** In a tree of its own: neither its style nor the page's reaches over, and nothing in it runs. */
function Viewer({ found }: { found: Report }) {
  const place = useRef<HTMLDivElement>(null);
  const asked = useAsked(`report ${found.report_id}`, () => read(found.report_id));
  useEffect(() => {
    const host = place.current;
    if (!host || !asked.data) return;
    const style = STYLE.exec(asked.data)?.[1] ?? "";
    const document = new DOMParser().parseFromString(asked.data.replace(STYLE, ""), "text/html");
    const own = new CSSStyleSheet();
    own.replaceSync(style.replaceAll(":root", ":host").replaceAll("body{", ":host{"));
    const ours = new CSSStyleSheet();
    ours.replaceSync(COLOURS);
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [own, ours];
    for (const each of document.querySelectorAll("script, iframe, object, link, style")) each.remove();
    root.replaceChildren(...document.body.childNodes);
  }, [asked.data]);
  return (
    <section className="panel" data-panel aria-label={`${titleOf(found.kind)} of ${found.account_id}`}>
      <header><h2>{titleOf(found.kind)}</h2><span className="label mono">{found.report_id}</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={12} waitsFor="Reading the report" />}
      <div className="report" ref={place} />
    </section>
  );
}
