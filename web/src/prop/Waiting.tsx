/** Payouts that somebody asked for: one of the firm agrees, never the one who asked. */
import { useState } from "react";
import { Ask, at } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Num } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may } from "../shell/session";
import { PaidOut } from "./Paid";
import { PayoutState } from "./Payouts";
import type { PageProps } from "./Prop";
import { type Assessment, cents, type PayoutLine } from "./standing";

const EVERY_MS = 10_000;
type Line = PayoutLine & { of: Assessment };
const MOST = 50;

export default function Waiting({ route }: PageProps) {
  const asked = useAsked("payouts", read, EVERY_MS);
  const [deciding, setDeciding] = useState<{ line: Line; agrees: boolean } | null>(null);
  const lines = asked.data ?? [];
  const waiting = lines.filter(({ state }) => state === "asked");
  const others = lines.filter(({ state }) => state === "refused");
  const mayDecide = may("evaluation:write");
  return (
    <>
      <section className="panel" data-panel aria-label="Payouts that wait">
        <header><h2>Wait for somebody to agree</h2><span className="label">{waiting.length}</span></header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading rows={4} waitsFor="Reading payouts" />}
        {asked.data && <Payments lines={waiting} empty="No payout waits." acts={(line) => (
          <span className="acts">
            <button type="button" className="button" disabled={!mayDecide} onClick={() => setDeciding({ line, agrees: true })}>Agree</button>
            <button type="button" className="button" disabled={!mayDecide} onClick={() => setDeciding({ line, agrees: false })}>Refuse</button>
          </span>
        )} />}
      </section>
      {others.length > 0 && <section className="panel" data-panel aria-label="Payouts refused"><header><h2>Refused</h2></header><Payments lines={others} empty="" /></section>}
      <PaidOut state={route.query.state} />
      {deciding && (
        <Ask title={`${deciding.agrees ? "Agree to" : "Refuse"} payout ${deciding.line.number} of ${deciding.line.of.user}`} act={deciding.agrees ? `Pay ${deciding.line.amount} ${deciding.line.currency}` : "Refuse it"} danger={!deciding.agrees} onClose={() => setDeciding(null)} onDone={asked.again}
          send={(reason) => ok(api.POST("/api/assessments/{assessment_id}/payouts/{number}", { params: { path: { assessment_id: deciding.line.of.assessment_id, number: deciding.line.number } }, body: { agrees: deciding.agrees, reason } }))}>
          <p>{deciding.line.of.user} made {deciding.line.profit} {deciding.line.currency} on {deciding.line.of.tier}, and is owed {deciding.line.amount} of it. {deciding.agrees ? "Then it is paid, and the account begins anew." : "Nothing is paid; the account stays as it is."}</p>
        </Ask>
      )}
    </>
  );
}

/** Those of funded accounts: nobody else is paid. */
async function read(): Promise<Line[]> {
  const { items } = await ok(api.GET("/api/assessments", { params: { query: { state: "funded", limit: MOST } } }));
  const all = await Promise.all(items.map(({ assessment_id }) => ok(api.GET("/api/assessments/{assessment_id}", { params: { path: { assessment_id } } }))));
  return all.flatMap((of) => of.payouts.map((each) => ({ ...each, of })));
}

function Payments({ lines, empty, acts }: { lines: readonly Line[]; empty: string; acts?: (line: Line) => React.ReactNode }) {
  return (
    <Table<Line> label="Payouts" rows={lines} rowKey={(each) => `${each.of.assessment_id} ${each.number}`} empty={<Empty>{empty}</Empty>} columns={[
      { key: "who", title: "Trader", cell: (each) => <>{each.of.user}<small><a href={address("prop", ["now", each.of.assessment_id])}>{each.of.tier}, payout {each.number}</a></small></> },
      { key: "state", title: "State", cell: (each) => <><PayoutState state={each.state} reason={each.reason} />{each.reason && <small>{each.reason}</small>}</> },
      { key: "profit", title: "Profit", num: true, cell: (each) => <Num value={cents(each.profit)} /> },
      { key: "amount", title: "Trader’s part", num: true, cell: (each) => <span><Num value={cents(each.amount)} /> {each.currency}</span> },
      { key: "asked", title: "Asked", num: true, cell: (each) => <>{at(each.asked_at)}<small>{each.asked_by}</small></> },
      { key: "decided", title: "Decided by", cell: (each) => each.decided_by || <span className="dim">–</span> },
      ...(acts ? [{ key: "acts", title: "", cell: acts }] : []),
    ]} />
  );
}
