/** Payouts that somebody asked for: one of the firm agrees, never the one who asked. */
import { useState } from "react";
import { Ask, at } from "../access/parts";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { money } from "../kit/format";
import { Num } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may } from "../shell/session";
import { PaidOut } from "./Paid";
import { PayoutState } from "./Payouts";
import type { PageProps } from "./Prop";
import { cents } from "./standing";

const EVERY_MS = 5_000;
const MOST = 500;
type Line = Schemas["AskedPayoutLine"];
const listed = (state: "asked" | "refused" | "failed"): Promise<Line[]> => ok(api.GET("/api/assessments/payouts", { params: { query: { state, limit: MOST } } })).then(({ items }) => [...items]);

export default function Waiting({ route }: PageProps) {
  const asked = useAsked("payouts that wait", () => listed("asked"), EVERY_MS);
  const over = useAsked("payouts not paid", async () => [...(await listed("failed")), ...(await listed("refused"))], EVERY_MS * 2);
  const [deciding, setDeciding] = useState<{ line: Line; agrees: boolean } | null>(null);
  const waiting = [...(asked.data ?? [])].reverse(); // Who has waited longest comes first.
  const failed = (over.data ?? []).filter(({ state }) => state === "failed");
  const refused = (over.data ?? []).filter(({ state }) => state === "refused");
  const again = (): void => {
    asked.again();
    over.again();
  };
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
      {failed.length > 0 && (
        <section className="panel" data-panel aria-label="Payouts that failed">
          <header><h2>Not paid</h2><span className="label">The provider did not pay them; agreed to once more, each is tried again.</span></header>
          <Payments lines={failed} empty="" acts={(line) => <span className="acts"><button type="button" className="button" disabled={!mayDecide} onClick={() => setDeciding({ line, agrees: true })}>Try again</button></span>} />
        </section>
      )}
      {refused.length > 0 && <section className="panel" data-panel aria-label="Payouts refused"><header><h2>Refused</h2></header><Payments lines={refused} empty="" /></section>}
      <PaidOut state={route.query.state} />
      {deciding && (
        <Ask title={`${deciding.agrees ? "Agree to" : "Refuse"} payout ${deciding.line.number} of ${deciding.line.user}`} act={deciding.agrees ? `Pay ${deciding.line.currency} ${money(cents(deciding.line.amount))}` : "Refuse it"} danger={!deciding.agrees} onClose={() => setDeciding(null)} onDone={again}
          send={(reason) => ok(api.POST("/api/assessments/{assessment_id}/payouts/{number}", { params: { path: { assessment_id: deciding.line.assessment_id, number: deciding.line.number } }, body: { agrees: deciding.agrees, reason } }))}>
          <p>{deciding.line.user} made {deciding.line.currency} {money(cents(deciding.line.profit))} on {deciding.line.tier}, and is owed {money(cents(deciding.line.amount))} of it. {deciding.line.state === "failed" ? `It was not paid: ${deciding.line.reason}. It is tried again, to where ${deciding.line.user} is paid by now.` : deciding.agrees ? "Then it is paid, and the account begins anew." : "Nothing is paid; the account stays as it is."}</p>
        </Ask>
      )}
    </>
  );
}

function Payments({ lines, empty, acts }: { lines: readonly Line[]; empty: string; acts?: (line: Line) => React.ReactNode }) {
  return (
    <Table<Line> label="Payouts" rows={lines} rowKey={(each) => `${each.assessment_id} ${each.number}`} empty={<Empty>{empty}</Empty>} columns={[
      { key: "who", title: "Trader", cell: (each) => <>{each.user}<small><a href={address("prop", ["now", each.assessment_id])}>{each.tier}, payout {each.number}</a></small></>, sort: (each) => each.user },
      { key: "state", title: "State", cell: (each) => <><PayoutState state={each.state} reason={each.reason} />{each.reason && <small>{each.reason}</small>}</> },
      { key: "profit", title: "Profit", num: true, cell: (each) => <span><Num value={cents(each.profit)} /> {each.currency}</span>, sort: (each) => Number(each.profit) },
      { key: "amount", title: "Trader’s part", num: true, cell: (each) => <span><Num value={cents(each.amount)} /> {each.currency}</span>, sort: (each) => Number(each.amount) },
      { key: "asked", title: "Asked", num: true, cell: (each) => <>{at(each.asked_at)}<small>{each.asked_by}</small></>, sort: (each) => BigInt(each.asked_at) },
      ...(lines.some((each) => each.decided_by) ? [{ key: "decided", title: "Decided by", cell: (each: Line) => each.decided_by || <span className="dim">–</span> }] : []),
      ...(acts ? [{ key: "acts", title: "", cell: acts }] : []),
    ]} />
  );
}
