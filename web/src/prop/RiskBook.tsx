/** What all traders hold together: on funded accounts the firm pays what they win, so that is its own risk. */
import { useEffect } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import * as d from "../kit/decimal";
import { Num } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { csv, save } from "../trade/csv";
import { cents } from "./standing";

type Exposure = Schemas["Exposure"];
const EVERY_MS = 3_000;

export default function RiskBook() {
  const asked = useAsked("risk book", () => ok(api.GET("/api/assessments/risk-book")), EVERY_MS);
  const currency = useAsked("tiers", () => ok(api.GET("/api/tiers", { params: { query: { state: "published" } } })));
  const book = asked.data;
  const unit = currency.data?.account_currency ? `, ${currency.data.account_currency}` : "";
  const keep = (): void => save("risk-book.csv", csv<Exposure>([
    { title: "symbol", of: (each) => each.symbol }, { title: "is_funded", of: (each) => String(each.is_funded) }, { title: "assessments", of: (each) => each.assessments }, { title: "long_qty", of: (each) => each.long_qty }, { title: "short_qty", of: (each) => each.short_qty },
    { title: "net_qty", of: (each) => each.net_qty }, { title: "net_notional", of: (each) => each.net_notional }, { title: "currency", of: (each) => each.currency },
  ], book?.items ?? []));
  useEffect(() => provide("Risk book", [{ title: "CSV of the risk book", keys: "e", unless: () => (book?.items.length ? "" : "nobody holds anything"), run: keep }]), [book]);
  return (
    <div className={asked.problem && book ? "evaluation dimmed" : "evaluation"}>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!book && !asked.problem && <Loading rows={8} waitsFor="Adding up what traders hold" />}
      {book && (
        <>
          <header className="top">
            <div className="says"><h1>Risk book</h1><span className="label">All that traders hold, at the marks of now. {book.near > 0 ? `${book.near} ${book.near === 1 ? "assessment has" : "assessments have"} used four fifths of a limit.` : "Nobody is near a limit."}</span></div>
            <dl className="figures">
              <div><dt>Owed to funded traders{unit}</dt><dd><Num value={cents(book.owed_funded, "down")} /></dd></div>
              <div><dt>Profit on funded accounts{unit}</dt><dd><Num value={cents(book.profit_funded)} direction /></dd></div>
              <div><dt>Funded of all that trade</dt><dd>{book.funded} of {book.assessments}</dd></div>
            </dl>
            <div className="row"><button type="button" className="button quiet" disabled={!book.items.length} onClick={keep}>CSV <kbd>e</kbd></button></div>
          </header>
          <Book title="Funded: what the firm pays" items={book.items.filter((each) => each.is_funded)} empty="Funded traders hold nothing." isHedged />
          <Book title="Before that: nothing is paid for it" items={book.items.filter((each) => !each.is_funded)} empty="Nobody else holds anything." />
        </>
      )}
    </div>
  );
}

function Book({ title, items, empty, isHedged }: { title: string; items: readonly Exposure[]; empty: string; isHedged?: boolean }) {
  return (
    <section className="panel" data-panel aria-label={title}>
      <header><h2>{title}</h2></header>
      <Table<Exposure> label={title} rows={items} rowKey={(each) => `${each.symbol} ${each.currency}`} empty={<Empty>{empty}</Empty>} columns={[
        { key: "symbol", title: "Instrument", cell: (each) => <b>{each.symbol}</b>, sort: (each) => each.symbol },
        { key: "count", title: "Assessments", num: true, cell: (each) => each.assessments },
        { key: "long", title: "Long", num: true, cell: (each) => <Num value={each.long_qty} /> },
        { key: "short", title: "Short", num: true, cell: (each) => <Num value={each.short_qty} /> },
        { key: "net", title: "Net", num: true, cell: (each) => <Num value={each.net_qty} signed /> },
        { key: "notional", title: "Net at its mark", num: true, cell: (each) => <span><Num value={cents(each.net_notional)} signed /> {each.currency}</span>, sort: (each) => Number(each.net_notional) },
        ...(isHedged ? [{ key: "hedge", title: "The firm is flat if it would", cell: (each: Exposure) => <Hedge net={each.net_qty} /> }] : []),
      ]} />
    </section>
  );
}

/** Traders who are long are paid what the price gains: the firm is short by them, and buys. */
function Hedge({ net }: { net: string }) {
  const way = d.sign(net);
  if (!way) return <span className="dim">nothing to do</span>;
  return <span>{way > 0 ? "buy" : "sell"} <Num value={d.text(d.abs(net))} /></span>;
}
