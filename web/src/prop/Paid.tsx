/** Every payout that was ordered at the provider, with what became of it. */
import { useEffect } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Num } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address, setQuery } from "../shell/routes";
import { csv, save } from "../trade/csv";

type Paid = Schemas["fondaco.domain.payments.api.PayoutShown"];
const EVERY_MS = 10_000;
const MOST = 500;
const STATES = ["ordered", "paid", "failed"] as const;
type State = (typeof STATES)[number];
export const LOOKS: Record<string, { shape: string; word: string }> = { ordered: { shape: "sending", word: "on its way" }, paid: { shape: "filled", word: "paid" }, failed: { shape: "unknown", word: "? not paid" } };

export function PaidOut({ state }: { state: string | undefined }) {
  const chosen = STATES.find((each) => each === state) ?? null;
  const asked = useAsked(`paid out ${chosen ?? ""}`, () => ok(api.GET("/api/payouts", { params: { query: { state: chosen ?? undefined, limit: MOST } } })), EVERY_MS);
  const items = asked.data?.items ?? [];
  const keep = (): void => save("payouts.csv", csv<Paid>([
    { title: "payout_id", of: (each) => each.payout_id }, { title: "user", of: (each) => each.user }, { title: "assessment_id", of: (each) => each.assessment_id }, { title: "state", of: (each) => each.state },
    { title: "amount", of: (each) => each.amount }, { title: "currency", of: (each) => each.currency }, { title: "reference", of: (each) => each.reference }, { title: "reason", of: (each) => each.reason },
  ], items));
  useEffect(() => provide("Payouts", [{ title: "CSV of payouts", keys: "e", unless: () => (items.length ? "" : "there is none"), run: keep }]), [items]);
  return (
    <section className="panel" data-panel aria-label="Payouts at the provider">
      <header>
        <h2>At the provider</h2><span className="label lead">What was agreed to and ordered, the newest first{items.length === MOST ? `; the newest ${MOST}` : ""}.</span>
        <div className="end">
          <Segmented<State | ""> label="State" value={chosen ?? ""} onChange={(each) => setQuery({ state: each || null })} choices={[{ value: "", label: "All" }, { value: "ordered", label: "On their way" }, { value: "paid", label: "Paid" }, { value: "failed", label: "Not paid" }]} />
          <button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV <kbd>e</kbd></button>
        </div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={4} waitsFor="Reading payouts" />}
      {asked.data && <Table<Paid> label="Payouts at the provider" rows={items} rowKey={(each) => each.payout_id} empty={<Empty>{chosen ? "None of them." : "Nothing was paid out yet."}</Empty>} columns={[
        { key: "user", title: "Trader", cell: (each) => <>{each.user}<small><a className="mono" href={address("prop", ["now", each.assessment_id])}>{each.payout_id}</a></small></>, sort: (each) => each.user },
        { key: "state", title: "State", cell: (each) => <><span className={`status ${LOOKS[each.state]?.shape ?? "working"}`}><span>{LOOKS[each.state]?.word ?? each.state}</span></span>{each.reason && <small>{each.reason}</small>}</>, sort: (each) => each.state },
        { key: "amount", title: "Amount", num: true, cell: (each) => <span><Num value={each.amount} /> {each.currency}</span>, sort: (each) => Number(each.amount) },
        { key: "reference", title: "The provider’s number", cell: (each) => <span className="mono">{each.reference || <span className="dim">–</span>}</span> },
      ]} />}
    </section>
  );
}
