/** What waits for a second person. Nobody decides what they have asked themselves: the house says so, and so does the page. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { dayTime } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Ask, Once } from "./parts";
import { may } from "../shell/session";
import { sentence } from "./asked";
import { changesOf } from "./before";

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
  const [lent, setLent] = useState<Schemas["LentReply"] | null>(null);
  const [isBreaking, setBreaking] = useState<"" | "glass" | "lend">("");
  const items = asked.data?.items ?? [];
  const mayBreak = may("approvals:write") && may("house:read");
  const waiting = items.filter((each) => each.state === "waiting" || each.state === "approved");
  const closed = items.filter((each) => !waiting.includes(each));
  const reviewed = (asked.data?.glasses ?? []).filter((each) => each.verdict);
  const broken = (asked.data?.glasses ?? []).filter((each) => !each.verdict);
  return (
    <section className="panel" data-panel aria-label="Approvals">
      <header><h2>Waits for somebody to agree</h2>{asked.data && <span className="label lead">{asked.data.mode}</span>}<div className="end">
        <button type="button" className="button" disabled={!may("house:write")} title={may("house:write") ? undefined : "Needs scope house:write"} onClick={() => setBreaking("lend")}>Act for somebody</button>
        <button type="button" className="button danger" disabled={!mayBreak} title={mayBreak ? undefined : "Needs scopes approvals:write and house:read"} onClick={() => setBreaking("glass")}>Break the glass</button>
      </div></header>
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
      {reviewed.length > 0 && (
        <>
          <header><h2>Glass that was broken, and reviewed</h2></header>
          <ul className="cases">{reviewed.slice(0, FEW).map((each) => <Reviewed key={each.approval_id} glass={each} />)}</ul>
        </>
      )}
      {lent && (
        <Once title="You act in somebody’s name" secret={lent.token} name="This token" onClose={() => setLent(null)}>
          <p>Until {at(lent.until)}. Everything bears both names: <span className="mono">{lent.caller}</span>. They were told, and can end it; somebody else reviews it.</p>
        </Once>
      )}
      {isBreaking && <Break isLending={isBreaking === "lend"} onLent={setLent} onClose={() => setBreaking("")} onDone={asked.again} />}
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
      <Changes found={found} />
      <Preview said={found.preview as Said | null} />
      {found.may_decide ? (
        <div className="row"><button type="button" className="button main" onClick={() => onDecide("approve")}>Approve</button><button type="button" className="button" onClick={() => onDecide("reject")}>Reject</button></div>
      ) : <p className="label">{found.state === "approved" ? "It is agreed to, and being done." : `Somebody else decides it, who holds ${found.scope} and approvals:write.`}</p>}
    </li>
  );
}

/** How it is now, and how it would be; what is new is listed as it was asked. */
function Changes({ found }: { found: Case }) {
  const asked = useAsked(`change ${found.approval_id}`, async () => ({ rows: await changesOf(found) }));
  if (!asked.data && !asked.problem) return <Loading rows={1} waitsFor="Reading how it is now" />;
  const rows = asked.data?.rows;
  if (!rows) return <Request found={found} />;
  const reason = typeof found.request.reason === "string" ? found.request.reason : "";
  const about = ["user", "account_id", "session", "tenant", "tier", "case_id", "alg"].map((name) => found.request[name]).filter((each) => typeof each === "string").join(" · ");
  return (
    <div className="changes">
      <p>{about && <b className="mono">{about}</b>}{reason && <span className="label">{about && " · "}{reason}</span>}</p>
      {rows.length === 0 ? <p className="label">It is so already: nothing would change.</p> : (
        <div className="scroll" tabIndex={0} role="region" aria-label={`What ${found.approval_id} would change`}>
          <table className="diff" aria-label={`Now and then, ${found.approval_id}`}>
            <thead><tr><th scope="col">What</th><th scope="col">Now</th><th scope="col">Then</th></tr></thead>
            <tbody>{rows.map((each) => <tr key={each.name}><th scope="row">{each.name}</th><td>{each.now ? <del>{each.now}</del> : <span className="dim">–</span>}</td><td>{each.then ? <ins>{each.then}</ins> : <span className="dim">–</span>}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Reviewed({ glass }: { glass: Glass }) {
  return (
    <li>
      <div className="head"><b>{glass.broken_by}{glass.as_user && `, as ${glass.as_user}`}</b><span className="mono">{glass.approval_id}</span><span className={glass.verdict === "justified" ? "chip" : "chip critical"}>{glass.verdict === "justified" ? "it was right" : "it was not right"}</span><span className="label">{at(glass.broken_at)}: {glass.reason}. Reviewed by {glass.reviewed_by} at {at(glass.reviewed_at)}: {glass.review}</span></div>
      <p className="label">Used for {glass.used_for.join(", ") || "nothing"}.</p>
    </li>
  );
}

/** In an emergency, alone: heard by everybody, for some minutes, and somebody else says afterwards whether it was right. */
function Break({ isLending, onLent, onClose, onDone }: { isLending: boolean; onLent: (lent: Schemas["LentReply"]) => void; onClose: () => void; onDone: () => void }) {
  const [minutes, setMinutes] = useState("15");
  const [user, setUser] = useState("");
  const isCount = /^\d{1,4}$/.test(minutes) && Number(minutes) > 0;
  const send = async (reason: string): Promise<void> => {
    if (isLending) onLent(await ok(api.POST("/api/break-glass", { body: { user, reason, minutes: Number(minutes) } })));
    else await ok(api.POST("/api/approvals/break-glass", { body: { reason, minutes: Number(minutes) } }));
  };
  return (
    <Ask title={isLending ? "Act for somebody" : "Break the glass"} act={isLending ? "Act in their name" : "Break it"} danger ready={isCount && (!isLending || user !== "")} said="Why it cannot wait. Kept in the journal, with your name." send={send} onDone={onDone} onClose={onClose}>
      <p>{isLending
        ? "You look and trade as somebody else, who gets a message at once. You agree to nothing, and change nothing that others rely on."
        : "For some minutes you need no second person. Everybody is told, on every page of health; each use bears its number."} Somebody else must say afterwards whether it was right; until then you break no other.</p>
      {isLending && <Field label="User" value={user} autoComplete="off" spellCheck={false} onChange={(event) => setUser(event.target.value)} />}
      <Field label="Minutes" inputMode="numeric" value={minutes} onChange={(event) => setMinutes(event.target.value)} wrong={isCount ? null : "A number of minutes."} />
    </Ask>
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
