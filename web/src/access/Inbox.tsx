/** What waits for a second person. Nobody decides what they have asked themselves: the house says so, and so does the page. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { dayTime } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { sentence } from "./asked";

type Case = Schemas["ApprovalShown"];
type Glass = Schemas["GlassShown"];
const EVERY_MS = 5_000;
const FEW = 5;
const HOW: Record<string, string> = { second: "a second person", glass: "broken glass", alone: "the same person: this is a demo", budget: "the budget that they have set" };

interface Deciding {
  what: "approve" | "reject" | "review";
  id: string;
  title: string;
}

export default function Inbox() {
  const asked = useAsked("approvals", () => ok(api.GET("/api/approvals", { params: { query: { state: "all" } } })), EVERY_MS);
  const [deciding, setDeciding] = useState<Deciding | null>(null);
  const [isAll, setAll] = useState(false);
  const items = asked.data?.items ?? [];
  const waiting = items.filter((each) => each.state === "waiting" || each.state === "approved");
  const closed = items.filter((each) => !waiting.includes(each));
  const broken = (asked.data?.glasses ?? []).filter((each) => !each.verdict);
  return (
    <section className="panel" data-panel aria-label="Approvals">
      <header><h2>Waits for somebody to agree</h2>{asked.data && <span className="label">{asked.data.mode}</span>}</header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading waitsFor="Waiting for what is to be approved" />}
      {broken.map((glass) => <BrokenGlass key={glass.approval_id} glass={glass} onReview={() => setDeciding({ what: "review", id: glass.approval_id, title: `Review ${glass.approval_id}` })} />)}
      {asked.data && waiting.length === 0 && <Empty>Nothing waits.</Empty>}
      <ul className="cases">{waiting.map((each) => <Waiting key={each.approval_id} found={each} onDecide={(what) => setDeciding({ what, id: each.approval_id, title: `${what === "approve" ? "Approve" : "Reject"} ${each.approval_id}` })} />)}</ul>
      {closed.length > 0 && (
        <>
          <header><h2>Decided</h2>{closed.length > FEW && <button type="button" className="link" aria-expanded={isAll} onClick={() => setAll(!isAll)}>{isAll ? "Show fewer" : `Show all ${closed.length}`}</button>}</header>
          <ul className="cases">{(isAll ? closed : closed.slice(0, FEW)).map((each) => <Decided key={each.approval_id} found={each} />)}</ul>
        </>
      )}
      {deciding && <Decide {...deciding} onClose={() => setDeciding(null)} onDone={asked.again} />}
    </section>
  );
}

const words = (operation: string): string => operation.split(".").pop()!.replaceAll("_", " ");
const at = (nanoseconds: string): string => dayTime(BigInt(nanoseconds), "s");

/** What an agent's program calls itself is its own word. */
const who = (found: Case): string => (found.is_agents ? `the agent ${found.asked_by}${found.client && ` (${found.client}, as it says)`}` : found.asked_by);

interface Said {
  accepted?: boolean;
  reasons?: { text: string }[];
  cost?: { currency: string; notional: string; fee: string; hold: string; hold_asset: string } | null;
}

/** What rules said when it was asked. */
function Preview({ said }: { said: Said | null }) {
  if (said?.accepted === undefined) return null;
  const cost = said.cost && `${said.cost.notional} ${said.cost.currency}, fee ${said.cost.fee}, holds ${said.cost.hold} ${said.cost.hold_asset}`;
  return <p className="label">{said.accepted ? "When it was asked, every rule let it pass" : `When it was asked, it would have been refused: ${said.reasons?.map((each) => each.text).join("; ")}`}{cost && `: ${cost}`}.</p>;
}

function Request({ found }: { found: Case }) {
  return (
    <dl className="request">
      {Object.entries(found.request).filter(([, value]) => value !== null && value !== false && value !== "" && JSON.stringify(value) !== "{}").map(([name, value]) => (
        <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd className="mono">{typeof value === "object" ? <Body value={value as Record<string, unknown>} /> : String(value)}</dd></div>
      ))}
    </dl>
  );
}

/** Only what was asked to be something. */
function Body({ value }: { value: Record<string, unknown> }) {
  if (Array.isArray(value)) return <>{value.map((each) => (typeof each === "object" ? JSON.stringify(each) : String(each))).join(", ") || "none"}</>;
  const said = Object.entries(value).filter(([, each]) => each !== null && each !== 0 && each !== "" && JSON.stringify(each) !== "{}");
  return <>{said.map(([name, each]) => `${name} ${typeof each === "object" ? JSON.stringify(each) : String(each)}`).join(", ") || "nothing"}</>;
}

function Waiting({ found, onDecide }: { found: Case; onDecide: (what: "approve" | "reject") => void }) {
  return (
    <li>
      <div className="head"><b>{sentence(found.operation, found.request) || words(found.operation)}</b><span className="mono">{found.approval_id}</span><span className="label">asked by {who(found)} at {at(found.asked_at)}, until {at(found.expires_at)}</span></div>
      <Request found={found} />
      <Preview said={found.preview as Said | null} />
      {found.may_decide ? (
        <div className="row"><button type="button" className="button main" onClick={() => onDecide("approve")}>Approve</button><button type="button" className="button" onClick={() => onDecide("reject")}>Reject</button></div>
      ) : <p className="label">{found.state === "approved" ? "It is agreed to, and being done." : `Somebody else decides it, who holds ${found.scope} and approvals:write.`}</p>}
    </li>
  );
}

function Decided({ found }: { found: Case }) {
  return (
    <li>
      <div className="head"><b>{sentence(found.operation, found.request) || words(found.operation)}</b><span className="mono">{found.approval_id}</span><span className="chip">{found.state}</span><span className="label">asked by {who(found)} at {at(found.asked_at)}{found.decided_by && `, decided by ${found.decided_by} at ${at(found.decided_at)}`}{found.how && ` (${HOW[found.how]})`}</span></div>
      <Request found={found} />
      {(found.reason || found.error) && <p className="label">{found.reason} {found.error}</p>}
    </li>
  );
}

function BrokenGlass({ glass, onReview }: { glass: Glass; onReview: () => void }) {
  return (
    <div className="state wrong" role="alert">
      <p className="said">Glass broken by {glass.broken_by} at {at(glass.broken_at)}: {glass.reason}</p>
      <p>{glass.is_open ? `Until ${at(glass.until)} they need no second person.` : "Its time is over; somebody else must say whether it was right."} Used for {glass.used_for.join(", ") || "nothing"}.</p>
      {glass.may_review && <div className="row"><button type="button" className="button" onClick={onReview}>Review</button></div>}
    </div>
  );
}

function Decide({ what, id, title, onClose, onDone }: Deciding & { onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const path = { approval_id: id };
  const send = async (verdict: "justified" | "not_justified"): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      if (what === "approve") await ok(api.POST("/api/approvals/{approval_id}/approve", { params: { path }, body: { reason } }));
      else if (what === "reject") await ok(api.POST("/api/approvals/{approval_id}/reject", { params: { path }, body: { reason } }));
      else await ok(api.POST("/api/approvals/{approval_id}/review", { params: { path }, body: { reason, verdict } }));
      onDone();
      onClose();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
      setBusy(false);
    }
  };
  const isReady = reason.trim().length >= 3 && !isBusy;
  return (
    <Dialog title={title} open onClose={onClose} footer={<>
      <button type="button" className="button quiet" onClick={onClose}>Leave it</button>
      {what === "review" && <button type="button" className="button" disabled={!isReady} onClick={() => void send("not_justified")}>It was not right</button>}
      <button type="button" className="button main" disabled={!isReady} onClick={() => void send("justified")}>{what === "approve" ? "Approve; it is done at once" : what === "reject" ? "Reject" : "It was right"}</button>
    </>}>
      <Field label="Reason" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} said="Kept in the journal, with your name." />
      {problem && <ErrorPanel problem={problem} />}
    </Dialog>
  );
}
