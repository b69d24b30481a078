/** What was bought: by oneself, or by everybody for who looks after money; refunds, and what is disputed. */
import { useEffect, useState } from "react";
import { Ask, at } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { money } from "../kit/format";
import { Num } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address, go, setQuery } from "../shell/routes";
import { may } from "../shell/session";
import { csv, save } from "../trade/csv";
import type { PageProps } from "./Prop";
import { type Purchase, purchaseState, PURPOSES } from "./purchases";

const EVERY_MS = 5_000;
const VIEWS = ["all", "disputed", "refunded"] as const;
type View = (typeof VIEWS)[number];
const receipt = (found: Purchase): string => address("prop", ["bought", found.purchase_id], { receipt: "1" });
const shows = (view: View, found: Purchase): boolean =>
  view === "all" || (view === "disputed" ? found.dispute !== "" : found.refunds.length > 0);

export default function Purchases({ route }: PageProps) {
  const isAll = may("payments:write");
  const view = VIEWS.find((each) => each === route.query.view) ?? "all";
  const asked = useAsked("purchases", () => ok(api.GET("/api/purchases", { params: { query: { limit: 500 } } })), EVERY_MS);
  const [refunding, setRefunding] = useState<Purchase | null>(null);
  const items = (asked.data?.items ?? []).filter((each) => shows(view, each));
  const open = (asked.data?.items ?? []).filter(({ dispute }) => dispute === "open").length;
  const whose: Column<Purchase>[] = isAll ? [{ key: "user", title: "Trader", cell: (each) => each.user, sort: (each) => each.user }] : [];
  const acts: Column<Purchase>[] = isAll ? [{ key: "acts", title: "", cell: (each) => Number(each.refundable) > 0 && <span className="acts"><button type="button" className="button" onClick={() => setRefunding(each)}>Refund</button></span> }] : [];
  const keep = (): void => save("purchases.csv", csv<Purchase>([
    { title: "purchase_id", of: (each) => each.purchase_id }, { title: "user", of: (each) => each.user }, { title: "tier", of: (each) => each.tier }, { title: "version", of: (each) => each.version }, { title: "purpose", of: (each) => each.purpose }, { title: "assessment_id", of: (each) => each.assessment_id },
    { title: "state", of: (each) => each.state }, { title: "dispute", of: (each) => each.dispute }, { title: "total", of: (each) => each.total }, { title: "tax", of: (each) => each.tax }, { title: "refunded", of: (each) => each.refunded }, { title: "currency", of: (each) => each.currency },
    { title: "country", of: (each) => each.country }, { title: "coupon", of: (each) => each.coupon }, { title: "affiliate", of: (each) => each.affiliate }, { title: "opened_at", of: (each) => each.opened_at }, { title: "completed_at", of: (each) => each.completed_at },
  ], items));
  useEffect(() => provide("Purchases", [{ title: "CSV of these purchases", keys: "e", unless: () => (items.length ? "" : "there is none"), run: keep }]), [asked.data, view]);
  return (
    <section className="panel" data-panel aria-label="Purchases">
      <header>
        <h2>{isAll ? "Purchases" : "Your purchases"}</h2>
        {open > 0 && <Open count={open} isAll={isAll} />}
        <div className="end"><button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV <kbd>e</kbd></button><Segmented<View> label="Which" value={view} onChange={(each) => setQuery({ view: each === "all" ? null : each })} choices={[{ value: "all", label: "All" }, { value: "disputed", label: "Disputed" }, { value: "refunded", label: "Refunded" }]} /></div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={6} waitsFor="Reading purchases" />}
      {asked.data && <Table<Purchase> label="Purchases" rows={items} rowKey={(each) => each.purchase_id} onOpen={(each) => go(receipt(each))} empty={<Empty action={view === "all" ? { label: "See what is sold", act: () => go("#/prop/shop") } : undefined}>{view === "all" ? "Nothing was bought yet." : "None of them."}</Empty>} columns={[
        { key: "what", title: "What", cell: (each) => <><a href={receipt(each)}>{each.title}</a><small>{PURPOSES[each.purpose]}</small></> },
        ...whose,
        { key: "state", title: "State", cell: (each) => <State found={each} isAll={isAll} /> },
        { key: "total", title: "Total", num: true, cell: (each) => <span><Num value={each.total} /> {each.currency}</span>, sort: (each) => Number(each.total) },
        { key: "back", title: "Given back", num: true, cell: (each) => (Number(each.refunded) > 0 ? <Num value={each.refunded} /> : <span className="dim">–</span>) },
        { key: "opened", title: "Begun", num: true, cell: (each) => at(each.opened_at), sort: (each) => BigInt(each.opened_at || 0) },
        { key: "paid", title: "Paid", num: true, cell: (each) => (each.completed_at ? at(each.completed_at) : <span className="dim">–</span>) },
        { key: "id", title: "Number", cell: (each) => <span className="mono">{each.purchase_id}</span> },
        ...acts,
      ]} />}
      {refunding && <Refund found={refunding} onClose={() => setRefunding(null)} onDone={asked.again} />}
    </section>
  );
}

const DISPUTES: Record<string, string> = { open: "dispute open", won: "dispute won", lost: "dispute lost" };

function Open({ count, isAll }: { count: number; isAll: boolean }) {
  const said = <span className="chip warn">△ {count} {count === 1 ? "dispute is" : "disputes are"} open</span>;
  return isAll && may("payments:read") ? <a href={address("prop", ["disputes"])}>{said}</a> : said;
}

function State({ found, isAll }: { found: Purchase; isAll: boolean }) {
  const { shape, word } = purchaseState(found.state);
  return (
    <>
      <span className={`status ${shape}`}><span>{word}</span></span>
      {found.dispute && <small>{isAll && may("payments:read") ? <a href={address("prop", ["disputes"], { view: "all" })}>{DISPUTES[found.dispute]}</a> : DISPUTES[found.dispute]}</small>}
      {found.refunds.filter(({ state }) => state !== "done").map((each) => <small key={each.refund_id}>refund of {money(each.amount)} {each.state}: {each.reason}</small>)}
    </>
  );
}

function Refund({ found, onClose, onDone }: { found: Purchase; onClose: () => void; onDone: () => void }) {
  const [amount, setAmount] = useState("");
  const isAmount = amount === "" || /^\d+(\.\d{1,3})?$/.test(amount);
  return (
    <Ask title={`Refund ${found.title}`} act="Give it back" danger ready={isAmount} onClose={onClose} onDone={onDone}
      send={(reason) => ok(api.POST("/api/purchases/{purchase_id}/refund", { params: { path: { purchase_id: found.purchase_id } }, body: { reason, ...(amount && { amount }) } }))}>
      <p>{found.user} paid {found.currency} {money(found.total)}; {money(found.refundable)} of it can be given back. Somebody else must agree.</p>
      <Field label="Amount" value={amount} inputMode="decimal" autoComplete="off" onChange={(event) => setAmount(event.target.value.trim())} unit={found.currency} said={`Empty: all ${money(found.refundable)}`} wrong={isAmount ? null : "A number with a point, such as 12.50"} />
    </Ask>
  );
}
