/** What a funded trader is paid: asked for here, agreed to by a second person. */
import { useState } from "react";
import { Ask, at } from "../access/parts";
import { api, ok } from "../client/api";
import { Num } from "../kit/Num";
import { Empty } from "../kit/states";
import { Table } from "../kit/Table";
import { may } from "../shell/session";
import { type Assessment, cents, type PayoutLine, readable } from "./standing";

const STATES: Record<string, { shape: string; word: string }> = {
  asked: { shape: "sending", word: "waits for a second person" },
  agreed: { shape: "working", word: "being paid" },
  paid: { shape: "filled", word: "paid" },
  refused: { shape: "refused", word: "refused" },
  failed: { shape: "unknown", word: "? not paid" },
};

export function PayoutState({ state, reason }: { state: string; reason?: string }) {
  const { shape, word } = STATES[state] ?? { shape: "working", word: state };
  return <span className={`status ${shape}`} title={reason || undefined}><span>{word}</span></span>;
}

export function Payouts({ found, again }: { found: Assessment; again: () => void }) {
  const [isAsking, setAsking] = useState(false);
  if (found.state !== "funded" && found.payouts.length === 0) return null;
  const why = may("evaluation:ask") ? (found.may_ask_payout ? "" : readable(found.why_no_payout)) : "Needs scope evaluation:ask";
  return (
    <section className="panel" data-panel aria-label="Payouts">
      <header>
        <h2>Payouts</h2>{why && <span className="label">{why}</span>}
        <div className="end"><button type="button" className="button" disabled={Boolean(why)} title={why || undefined} onClick={() => setAsking(true)}>Ask for a payout</button></div>
      </header>
      <Table<PayoutLine> label="Payouts" rows={found.payouts} rowKey={(each) => String(each.number)} empty={<Empty>Nothing was paid yet.</Empty>} columns={[
        { key: "number", title: "No.", num: true, cell: (each) => each.number },
        { key: "state", title: "State", cell: (each) => <><PayoutState state={each.state} reason={each.reason} />{each.reason && <small>{each.reason}</small>}</> },
        { key: "profit", title: `Profit, ${found.currency}`, num: true, cell: (each) => <Num value={cents(each.profit)} /> },
        { key: "amount", title: `Yours, ${found.currency}`, num: true, cell: (each) => <Num value={cents(each.amount)} /> },
        { key: "asked", title: "Asked", num: true, cell: (each) => at(each.asked_at) },
      ]} />
      {isAsking && (
        <Ask title="Ask for a payout" act="Ask for it" reasoned={false} onClose={() => setAsking(false)} onDone={again} send={() => ok(api.POST("/api/assessments/{assessment_id}/payouts", { params: { path: { assessment_id: found.assessment_id } } }))}>
          <p>Your share of the profit is worked out from the account as it stands. Nothing may be open. Somebody of the firm must agree; then it is paid.</p>
        </Ask>
      )}
    </section>
  );
}
