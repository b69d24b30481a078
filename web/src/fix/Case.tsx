/** The case that an alert was gathered in: who has it, what was done about it, and what it was in the end. */
import { type ReactNode, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Field, Select } from "../kit/Field";
import { number } from "../kit/format";
import { When } from "../kit/Num";
import { ErrorPanel } from "../kit/states";
import { useAsOf } from "../shell/past";
import { address } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import { type Outcome, OUTCOMES, outcomeOf, said } from "./cases";

type Shown = Schemas["CaseReply"];
type What = "assign" | "comment" | "close" | "reopen";
const EVERY_MS = 6_000;

export function CaseOf({ alert }: { alert: string }) {
  const [asking, setAsking] = useState<What | null>(null);
  const found = useAsked(`case of ${alert}`, () => newest(alert), EVERY_MS);
  const account = useAccountId();
  const past = useAsOf();
  const shown = found.data?.shown;
  if (!shown) return found.problem ? <ErrorPanel problem={found.problem} retry={found.again} /> : null;
  const never = past ? "The past is only read." : may("house:write") ? "" : "Needs scope house:write.";
  const isOpen = shown.state === "open";
  const done = (): void => {
    setAsking(null);
    found.again();
  };
  return (
    <section className="case" aria-label="Case">
      <h3 className="label">Case <span className="mono">{shown.case_id}</span></h3>
      <p><span className={`chip ${isOpen ? "warn" : "plain"}`}>{isOpen ? "! open" : "closed"}</span> {isOpen ? <>{shown.assignee ? `with ${shown.assignee}` : "nobody has it"}</> : <b>{outcomeOf(shown.outcome)}</b>}, {number(String(shown.count))} {shown.count === 1 ? "alert" : "alerts"} of {shown.subject}</p>
      <div className="row">
        {isOpen && <button type="button" className="button" disabled={!!never} onClick={() => setAsking("assign")}>Assign…</button>}
        <button type="button" className="button" disabled={!!never} onClick={() => setAsking("comment")}>Comment…</button>
        <button type="button" className="button" disabled={!!never} onClick={() => setAsking(isOpen ? "close" : "reopen")}>{isOpen ? "Close…" : "Reopen…"}</button>
        {never && <span className="label">{never}</span>}
      </div>
      <ol className="notes">
        {shown.notes.map((each, nth) => <li key={nth}><When at={each.at} precision="s" /> {said(each)}</li>)}
      </ol>
      {shown.alerts.length > 1 && (
        <ul className="notes" aria-label="Alerts of this case">
          {shown.alerts.map((each) => <li key={each.alert}><When at={each.at} precision="s" /> {each.alert === alert ? <b>{each.title}</b> : <a href={address("fix", ["alerts", each.alert], { account })}>{each.title}</a>} <span className="label">{each.severity}</span></li>)}
        </ul>
      )}
      {asking && !never && <Ask what={asking} shown={shown} onClose={() => setAsking(null)} onDone={done} />}
    </section>
  );
}

async function newest(alert: string): Promise<{ shown: Shown | null }> {
  const { items } = await ok(api.GET("/api/fix/cases", { params: { query: { alert, limit: 1 } } }));
  const [line] = items;
  return { shown: line ? await ok(api.GET("/api/fix/cases/{case_id}", { params: { path: { case_id: line.case_id } } })) : null };
}

const WORDS: Record<What, readonly [title: string, label: string, button: string]> = {
  assign: ["Assign", "To whom", "Assign it"],
  comment: ["Write to", "What is to be kept in the journal", "Write it"],
  close: ["Close", "Why, kept in the journal", "Close it"],
  reopen: ["Reopen", "Why, kept in the journal", "Open it again"],
};

function Ask({ what, shown, onClose, onDone }: { what: What; shown: Shown; onClose: () => void; onDone: () => void }): ReactNode {
  const [text, setText] = useState(what === "assign" ? shown.assignee : "");
  const [outcome, setOutcome] = useState<Outcome>("true_positive");
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [title, label, button] = WORDS[what];
  const send = async (): Promise<void> => {
    setSending(true);
    setProblem(null);
    try {
      await post(what, shown.case_id, text.trim(), outcome);
      onDone();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
      setSending(false);
    }
  };
  return (
    <Dialog
      title={`${title} ${shown.case_id}`}
      open
      onClose={onClose}
      footer={<>
        <button type="button" className="button quiet" onClick={onClose}>Leave it</button>
        <button type="button" className="button main" disabled={isSending || (what !== "assign" && text.trim().length < 3)} onClick={() => void send()}>{isSending ? "Sending" : button}</button>
      </>}
    >
      {what === "close" && <Select label="What it was" value={outcome} choices={OUTCOMES} onChange={setOutcome} />}
      <Field label={label} value={text} maxLength={what === "assign" ? 100 : 2_000} autoComplete="off" onChange={(event) => setText(event.target.value)} said={what === "assign" ? "empty: nobody" : undefined} />
      {problem && <ErrorPanel problem={problem} />}
    </Dialog>
  );
}

function post(what: What, case_id: string, text: string, outcome: Outcome): Promise<Shown> {
  const params = { path: { case_id } };
  switch (what) {
    case "assign": return ok(api.POST("/api/fix/cases/{case_id}/assign", { params, body: { to: text } }));
    case "comment": return ok(api.POST("/api/fix/cases/{case_id}/comments", { params, body: { text } }));
    case "close": return ok(api.POST("/api/fix/cases/{case_id}/close", { params, body: { outcome, reason: text } }));
    case "reopen": return ok(api.POST("/api/fix/cases/{case_id}/reopen", { params, body: { reason: text } }));
  }
}
