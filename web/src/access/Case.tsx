/** One case: who says to be whom, what lists say of such a name, what was uploaded, and what may be done. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Select } from "../kit/Field";
import { number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import { plain } from "./Kyc";
import { Ask, at, Outcome, Picks, useDoing } from "./parts";

type Shown = Schemas["CaseShown"];
type Hit = Shown["hits"][number];
type Document = Shown["documents"][number];
const BASES = ["birth_date", "nationality", "documents", "other_person"] as const;
const REFUSALS = ["documents_unreadable", "documents_do_not_match", "listed", "risk_too_high", "not_accepted"] as const;
const KINDS = ["identity", "address", "selfie", "source_of_funds", "other"] as const;
const AGAIN = ["new_facts", "complaint", "mistake", "periodic"] as const;
type What = "" | "approve" | "refuse" | "documents" | "reopen";
const named = <T extends string>(codes: readonly T[]): (readonly [T, string])[] => codes.map((each) => [each, plain(each)]);

export function Case({ id }: { id: string }) {
  const account = useAccountId();
  const path = { case_id: id };
  // Each reading is noted in the journal: it is asked for once, and after what was done.
  const asked = useAsked(`case ${id}`, () => ok(api.GET("/api/kyc/cases/{case_id}", { params: { path } })));
  const [doing, setDoing] = useState<What>("");
  const [hit, setHit] = useState<Hit | null>(null);
  const found = asked.data;
  const open = found?.hits.filter((each) => !each.cleared_by).length ?? 0;
  const isOver = found?.case.state === "approved" || found?.case.state === "refused";
  const isIn = isOver || found?.case.state === "in_review";
  const mayDo = may("kyc:write") && (isOver || Boolean(found?.may_decide));
  const why = mayDo ? undefined : !may("kyc:write") ? "Needs scope kyc:write" : isIn ? "Nobody decides about themselves" : `It is ${plain(found?.case.state ?? "")}`;
  const props = { id, onDone: asked.again, onClose: () => setDoing("") };
  return (
    <>
      <section className="panel" data-panel aria-label="Case">
        <header>
          <a href={address("access", ["kyc"], { account })}>Know your customer</a>
          <h2>{found?.case.user ?? id}</h2>
          {found && <span className="chip">{plain(found.case.state)}</span>}
          {found && <div className="end">
            {isOver ? <button type="button" className="button" disabled={!mayDo} title={why} onClick={() => setDoing("reopen")}>Open again</button> : <>
              <button type="button" className="button" disabled={!mayDo} title={why} onClick={() => setDoing("documents")}>Ask for documents</button>
              <button type="button" className="button danger" disabled={!mayDo} title={why} onClick={() => setDoing("refuse")}>Refuse</button>
              <button type="button" className="button main" disabled={!mayDo || open > 0} title={why ?? (open ? "Hits are open" : undefined)} onClick={() => setDoing("approve")}>Approve</button>
            </>}
          </div>}
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!found && !asked.problem && <Loading waitsFor="Reading the case" />}
        {found && <Who found={found} />}
      </section>
      {found && <Hits hits={found.hits} mayDo={mayDo} onClear={setHit} />}
      {found && <Documents id={id} documents={found.documents} />}
      {doing === "approve" && <Decide decision="approve" title="Approve" {...props} />}
      {doing === "refuse" && <Decide decision="refuse" title="Refuse" {...props} />}
      {doing === "documents" && <AskFor {...props} />}
      {doing === "reopen" && <Reopen {...props} />}
      {hit && <Clear id={id} hit={hit} onDone={asked.again} onClose={() => setHit(null)} />}
    </>
  );
}

function Who({ found: { person, age, email, case: line } }: { found: Shown }) {
  const facts = [
    ["Name", [person.given_name, person.other_names, person.family_name].filter(Boolean).join(" ")], ["Born", `${person.birth_date}${age ? `, ${age} years old` : ""}`], ["Nationality", person.nationality],
    ["Lives in", person.residence], ["Address", [person.street, [person.postal_code, person.city].filter(Boolean).join(" ")].filter(Boolean).join(", ")], ["Telephone", person.phone], ["E-mail", email],
    ["In review because of", line.codes.map(plain).join(", ")], ["Refused because of", plain(line.refusal)], ["Decided by", line.decided_by],
  ].filter(([, value]) => value);
  return <dl className="facts-of">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

function Hits({ hits, mayDo, onClear }: { hits: readonly Hit[]; mayDo: boolean; onClear: (hit: Hit) => void }) {
  return (
    <section className="panel" data-panel aria-label="Hits">
      <header><h2>Hits</h2><span className="label lead">Somebody on a list has a like name. That is no finding: two people must say that it is another person.</span></header>
      <Table<Hit> label="Hits" rows={hits} rowKey={(each) => each.hit_id} empty={<Empty>No list has a like name.</Empty>} columns={[
        { key: "name", title: "Name on the list", cell: (each) => <><b>{each.name}</b><small className="mono">{each.entry_id}</small></> },
        { key: "list", title: "List", cell: (each) => <>{each.list_name}<small>{plain(each.topic)}</small></> },
        { key: "score", title: "Likeness", num: true, sort: (each) => each.score, cell: (each) => number(String(each.score)) },
        { key: "why", title: "Because", cell: (each) => <span className="wraps">{each.why.map(plain).join("; ")}</span> },
        { key: "state", title: "State", cell: (each) => (each.cleared_by ? <span className="wraps">cleared by {each.cleared_by}<small>{plain(each.basis)}</small></span> : <span className="chip warn">open</span>) },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => !each.cleared_by && <span className="acts"><button type="button" className="button" disabled={!mayDo} aria-label={`Another person than ${each.name}`} onClick={() => onClear(each)}>Another person</button></span> },
      ]} />
    </section>
  );
}

function Documents({ id, documents }: { id: string; documents: readonly Document[] }) {
  const [shown, setShown] = useState<Schemas["DocumentReply"] | null>(null);
  const { problem, run, isBusy } = useDoing();
  const read = (document: Document): void => void run(async () => setShown(await ok(api.GET("/api/kyc/cases/{case_id}/documents/{document_id}", { params: { path: { case_id: id, document_id: document.document_id } } }))));
  const url = shown ? `data:${shown.media_type};base64,${shown.content}` : "";
  return (
    <section className="panel" data-panel aria-label="Documents">
      <header><h2>Documents</h2></header>
      <Outcome problem={problem} />
      <Table<Document> label="Documents" rows={documents} rowKey={(each) => each.document_id} empty={<Empty>Nothing was uploaded.</Empty>} columns={[
        { key: "kind", title: "Document", cell: (each) => <b>{plain(each.kind)}</b> },
        { key: "type", title: "Type", cell: (each) => <span className="mono">{each.media_type}</span> },
        { key: "size", title: "Bytes", num: true, cell: (each) => number(String(each.size)) },
        { key: "ends", title: "Expires", num: true, cell: (each) => each.expires_on || <span className="dim">–</span> },
        { key: "at", title: "Uploaded", num: true, cell: (each) => at(each.added_at) },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button" disabled={isBusy} aria-label={`Look at it: ${plain(each.kind)}`} onClick={() => read(each)}>Look at it</button></span> },
      ]} />
      {shown && (
        <Dialog title={plain(shown.kind)} open wide onClose={() => setShown(null)}>
          {shown.media_type.startsWith("image/") ? <img className="document" src={url} alt={`${plain(shown.kind)}, as it was uploaded`} /> : <p>A PDF is not shown in the page, where it could run. <a href={url} download={`${shown.document_id}.pdf`}>Save it</a></p>}
        </Dialog>
      )}
    </section>
  );
}

interface Acting {
  id: string;
  onDone: () => void;
  onClose: () => void;
}

function Decide({ decision, title, id, ...rest }: Acting & { decision: "approve" | "refuse"; title: string }) {
  const [code, setCode] = useState<(typeof REFUSALS)[number]>("documents_unreadable");
  return (
    <Ask title={title} act={decision === "approve" ? "Approve; they may go on" : "Refuse; they may not go on"} danger={decision === "refuse"} reasoned={false} {...rest}
      send={() => ok(api.POST("/api/kyc/cases/{case_id}/decide", { params: { path: { case_id: id } }, body: { decision, reason: decision === "refuse" ? code : "" } }))}>
      {decision === "refuse" ? <Select label="Because of" value={code} onChange={setCode} choices={named(REFUSALS)} said="They are told so in these words; nothing is written freely, for it would stay." /> : <p>They may trade from now on, until it is due again.</p>}
    </Ask>
  );
}

function AskFor({ id, ...rest }: Acting) {
  const [kinds, setKinds] = useState<readonly string[]>([]);
  return (
    <Ask title="Ask for documents" act="Ask for them" reasoned={false} ready={kinds.length > 0} {...rest} send={() => ok(api.POST("/api/kyc/cases/{case_id}/ask-documents", { params: { path: { case_id: id } }, body: { kinds: kinds as (typeof KINDS)[number][] } }))}>
      <Picks label="Of" all={KINDS} chosen={kinds} onChange={setKinds} />
    </Ask>
  );
}

function Reopen({ id, ...rest }: Acting) {
  const [code, setCode] = useState<(typeof AGAIN)[number]>("new_facts");
  return (
    <Ask title="Open the case again" act="Open it" reasoned={false} {...rest} send={() => ok(api.POST("/api/kyc/cases/{case_id}/reopen", { params: { path: { case_id: id } }, body: { reason: code } }))}>
      <Select label="Because of" value={code} onChange={setCode} choices={named(AGAIN)} />
    </Ask>
  );
}

function Clear({ id, hit, ...rest }: Acting & { hit: Hit }) {
  const [basis, setBasis] = useState<(typeof BASES)[number]>("birth_date");
  return (
    <Ask title={`${hit.name} is another person`} act="Ask for it" reasoned={false} {...rest} send={() => ok(api.POST("/api/kyc/cases/{case_id}/hits/{hit_id}/clear", { params: { path: { case_id: id, hit_id: hit.hit_id } }, body: { basis } }))}>
      <p>Somebody else must agree.</p>
      <Select label="It is told by" value={basis} onChange={setBasis} choices={named(BASES)} />
    </Ask>
  );
}
