/** Whom somebody must look at before they may go on: the queue, and one case. What reviewers do is chosen, never written. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { number } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address, setQuery } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import type { PageProps } from "./Access";
import { Case } from "./Case";
import { at, Outcome, useDoing } from "./parts";

export type CaseLine = Schemas["CaseShown"]["case"];
type Which = "in_review" | "documents_needed" | "approved" | "refused" | "expired" | "all";
const STATES: readonly (readonly [Which, string])[] = [["in_review", "In review"], ["documents_needed", "Documents needed"], ["approved", "Approved"], ["refused", "Refused"], ["expired", "Expired"], ["all", "All"]];
export const plain = (code: string): string => code.replaceAll("_", " ");

export default function Kyc({ route }: PageProps) {
  const chosen = route.parts[1];
  return chosen ? <Case key={chosen} id={chosen} /> : <Queue state={(route.query.state ?? "in_review") as Which} />;
}

function Queue({ state }: { state: Which }) {
  const account = useAccountId();
  const asked = useAsked(`cases ${state}`, () => ok(api.GET("/api/kyc/cases", { params: { query: { state, limit: 200 } } })), 15_000);
  const items = (asked.data as { items: CaseLine[] } | null)?.items ?? [];
  return (
    <>
      <section className="panel" data-panel aria-label="Cases">
        <header><h2>Know your customer</h2><span className="label lead">Opening a case is noted in the journal: it shows who somebody is.</span></header>
        <div className="filters"><Segmented<Which> label="State" value={state} onChange={(value) => setQuery({ state: value === "in_review" ? null : value })} choices={STATES.map(([value, label]) => ({ value, label }))} /></div>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading waitsFor="Reading the queue" />}
        {asked.data && <Table<CaseLine> label="Cases" rows={items} rowKey={(each) => each.case_id} empty={<Empty>{state === "in_review" ? "Nobody waits for a look." : "Nobody."}</Empty>} columns={[
          { key: "case", title: "Case", cell: (each) => <><a href={address("access", ["kyc", each.case_id], { account })}><b>{each.user}</b></a><small className="mono">{each.case_id}</small></> },
          { key: "state", title: "State", cell: (each) => <span className={each.state === "in_review" ? "chip" : "chip plain"}>{plain(each.state)}</span> },
          { key: "why", title: "Because of", cell: (each) => <span className="wraps">{each.codes.map(plain).join(", ") || <span className="dim">nothing</span>}{each.needed.length > 0 && <small>needs {each.needed.map(plain).join(", ")}</small>}</span> },
          { key: "hits", title: "Open hits", num: true, sort: (each) => each.open_hits, cell: (each) => (each.hits ? `${each.open_hits} of ${each.hits}` : <span className="dim">none</span>) },
          { key: "documents", title: "Documents", num: true, cell: (each) => number(String(each.documents)) },
          { key: "since", title: "Submitted", num: true, sort: (each) => BigInt(each.submitted_at || 0), cell: (each) => (each.submitted_at && each.submitted_at !== "0" ? at(each.submitted_at) : <span className="dim">–</span>) },
          { key: "until", title: "Good until", num: true, cell: (each) => (each.until && each.until !== "0" ? at(each.until) : <span className="dim">–</span>) },
          { key: "by", title: "Decided by", cell: (each) => each.decided_by || <span className="dim">–</span> },
        ]} />}
      </section>
      <Lists />
    </>
  );
}

function Lists() {
  const asked = useAsked("kyc lists", () => ok(api.GET("/api/kyc/lists")));
  const [said, setSaid] = useState("");
  const { problem, run, isBusy } = useDoing();
  const mayDo = may("kyc:write");
  const screen = (): void => void run(async () => {
    const found = await ok(api.POST("/api/kyc/rescreen", {}));
    setSaid(`${number(String(found.screened))} people were screened; ${number(String(found.reopened))} cases are open again.`);
    asked.again();
  });
  return (
    <section className="panel" data-panel aria-label="Lists">
      <header>
        <h2>Lists</h2><span className="label lead" role="status">{said || "Names are compared with these: sanctions, and people in public office."}</span>
        <div className="end"><button type="button" className="button" disabled={!mayDo || isBusy} title={mayDo ? undefined : "Needs scope kyc:write"} onClick={screen}>{isBusy ? "Screening" : "Screen everybody again"}</button></div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={2} waitsFor="Reading lists" />}
      {asked.data && <Table<Schemas["ListLine"]> label="Lists" rows={asked.data.items} rowKey={(each) => each.name} empty={<Empty>No list is loaded: nobody is screened.</Empty>} columns={[
        { key: "name", title: "List", cell: (each) => <b>{each.name}</b> },
        { key: "form", title: "Form", cell: (each) => each.form },
        { key: "entries", title: "Entries", num: true, cell: (each) => number(String(each.entries)) },
        { key: "names", title: "Names", num: true, cell: (each) => number(String(each.names)) },
        { key: "left", title: "Left out", num: true, cell: (each) => number(String(each.left_out)) },
        { key: "digest", title: "SHA-256", cell: (each) => <span className="mono" title={each.digest}>{each.digest.slice(0, 16)}</span> },
      ]} />}
    </section>
  );
}
