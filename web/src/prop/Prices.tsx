/** What makes a price: coupons, who brings buyers, and the tax of each country. */
import { useEffect, useState } from "react";
import { Ask } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, money, number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { houseNow } from "../live/stores";
import { provide } from "../shell/keys";
import { may } from "../shell/session";
import { csv, save } from "../trade/csv";
import { AffiliateDialog, CouponDialog, TaxDialog } from "./Priced";
import { type Affiliate, type Coupon, discount, life, percentText, type TaxRate } from "./prices";

const LOOKS = { works: "", "to come": "info", "used up": "warn", over: "warn" } as const;
const ON_SALE = { params: { query: { state: "published" as const } } };
const needs = (): string | undefined => (may("payments:write") ? undefined : "Needs scope payments:write");

export default function Prices() {
  return <><Coupons /><Affiliates /><Taxes /></>;
}

type Open<T> = { found: T | null } | null;

function Coupons() {
  const asked = useAsked("coupons", () => ok(api.GET("/api/coupons")));
  const tiers = useAsked("tiers", () => ok(api.GET("/api/tiers", ON_SALE)));
  const [open, setOpen] = useState<Open<Coupon>>(null);
  const [gone, setGone] = useState<Coupon | null>(null);
  const items = asked.data?.items ?? [];
  const now = BigInt(Math.round(houseNow())) * 1_000_000n;
  const keep = (): void => save("coupons.csv", csv<Coupon>([
    { title: "coupon", of: (each) => each.coupon }, { title: "percent", of: (each) => each.percent }, { title: "amount", of: (each) => each.amount }, { title: "currency", of: (each) => each.currency },
    { title: "uses", of: (each) => each.uses }, { title: "uses_max", of: (each) => each.uses_max }, { title: "uses_each_max", of: (each) => each.uses_each_max },
    { title: "begins_at", of: (each) => each.begins_at }, { title: "ends_at", of: (each) => each.ends_at }, { title: "products", of: (each) => each.products.join(" ") },
  ], items));
  useEffect(() => provide("Coupons", [
    { title: "New coupon", keys: "n", unless: () => needs() ?? "", run: () => setOpen({ found: null }) },
    { title: "CSV of coupons", keys: "e", unless: () => (items.length ? "" : "there is none"), run: keep },
  ]), [items]);
  return (
    <section className="panel" data-panel aria-label="Coupons">
      <header>
        <h2>Coupons</h2><span className="label lead">A change holds for purchases from now on; who has bought has bought.</span>
        <div className="end">
          <button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV <kbd>e</kbd></button>
          <button type="button" className="button" disabled={Boolean(needs())} title={needs()} onClick={() => setOpen({ found: null })}>New coupon <kbd>n</kbd></button>
        </div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={3} waitsFor="Reading coupons" />}
      {asked.data && <Table<Coupon> label="Coupons" rows={items} rowKey={(each) => each.coupon} onOpen={(each) => !needs() && setOpen({ found: each })} empty={<Empty>There is no coupon: everybody pays the price as it is.</Empty>} columns={[
        { key: "coupon", title: "Coupon", cell: (each) => <b className="mono">{each.coupon}</b>, sort: (each) => each.coupon },
        { key: "life", title: "State", cell: (each) => <span className={`chip ${LOOKS[life(each, now)]}`}>{life(each, now)}</span> },
        { key: "off", title: "Takes off", num: true, cell: (each) => discount(each) },
        { key: "uses", title: "Used", num: true, cell: (each) => <>{number(String(each.uses))} of {each.uses_max ? number(String(each.uses_max)) : "any"}{each.uses_each_max > 0 && <small>{each.uses_each_max} a person</small>}</>, sort: (each) => each.uses },
        { key: "from", title: "From", num: true, cell: (each) => (each.begins_at ? dayTime(each.begins_at, "min") : <span className="dim">at once</span>) },
        { key: "until", title: "Until", num: true, cell: (each) => (each.ends_at ? dayTime(each.ends_at, "min") : <span className="dim">taken back</span>) },
        { key: "for", title: "For", cell: (each) => <span className="wraps">{each.products.join(", ") || "every tier"}</span> },
        { key: "acts", title: <span className="unseen">Actions</span>, cell: (each) => <Acts of={each.coupon} onChange={() => setOpen({ found: each })} end="Take back" onEnd={() => setGone(each)} /> },
      ]} />}
      {open && <CouponDialog found={open.found} all={items} tiers={tiers.data?.items ?? []} onClose={() => setOpen(null)} onDone={asked.again} />}
      {gone && (
        <Ask title={`Take ${gone.coupon} back`} act="Take it back" danger reasoned={false} onClose={() => setGone(null)} onDone={asked.again} send={() => ok(api.DELETE("/api/coupons/{coupon}", { params: { path: { coupon: gone.coupon } } }))}>
          <p>Nobody uses it from now on. It was used {gone.uses} {gone.uses === 1 ? "time" : "times"}; those purchases stay as they are, and a checkout that is open keeps its price.</p>
        </Ask>
      )}
    </section>
  );
}

function Acts({ of, onChange, end, onEnd }: { of: string; onChange: () => void; end?: string; onEnd?: () => void }) {
  const why = needs();
  return (
    <span className="acts">
      <button type="button" className="button" disabled={Boolean(why)} title={why} aria-label={`Change ${of}`} onClick={onChange}>Change</button>
      {end && <button type="button" className="button" disabled={Boolean(why)} title={why} aria-label={`${end} ${of}`} onClick={onEnd}>{end}</button>}
    </span>
  );
}

function Affiliates() {
  const asked = useAsked("affiliates", () => ok(api.GET("/api/affiliates")));
  const [open, setOpen] = useState<Open<Affiliate>>(null);
  const items = asked.data?.items ?? [];
  const keep = (): void => save("affiliates.csv", csv([
    { title: "affiliate", of: (each) => each.affiliate }, { title: "name", of: (each) => each.name }, { title: "percent", of: (each) => each.percent }, { title: "is_active", of: (each) => String(each.is_active) },
    { title: "currency", of: (each) => each.currency }, { title: "purchases", of: (each) => each.purchases }, { title: "paid", of: (each) => each.paid }, { title: "commission", of: (each) => each.commission },
  ], items.flatMap((each) => (each.earned.length ? each.earned.map((line) => ({ ...each, ...line })) : [{ ...each, currency: "", purchases: 0, paid: "", commission: "" }]))));
  useEffect(() => provide("Affiliates", [
    { title: "New affiliate", unless: () => needs() ?? "", run: () => setOpen({ found: null }) },
    { title: "CSV of affiliates", unless: () => (items.length ? "" : "there is none"), run: keep },
  ]), [items]);
  return (
    <section className="panel" data-panel aria-label="Affiliates">
      <header>
        <h2>Affiliates</h2><span className="label lead">Paid of what buyers have paid without tax, less what went back.</span>
        <div className="end">
          <button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV</button>
          <button type="button" className="button" disabled={Boolean(needs())} title={needs()} onClick={() => setOpen({ found: null })}>New affiliate</button>
        </div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={3} waitsFor="Reading affiliates" />}
      {asked.data && <Table<Affiliate> label="Affiliates" rows={items} rowKey={(each) => each.affiliate} onOpen={(each) => !needs() && setOpen({ found: each })} empty={<Empty>Nobody brings buyers for a part of the price.</Empty>} columns={[
        { key: "affiliate", title: "Affiliate", cell: (each) => <><b className="mono">{each.affiliate}</b><small>{each.name}</small></>, sort: (each) => each.affiliate },
        { key: "state", title: "State", cell: (each) => <span className={each.is_active ? "chip" : "chip warn"}>{each.is_active ? "earns" : "earns no more"}</span> },
        { key: "percent", title: "Commission", num: true, cell: (each) => percentText(each.percent) },
        { key: "purchases", title: "Purchases", num: true, cell: (each) => number(String(each.earned.reduce((sum, line) => sum + line.purchases, 0))) },
        { key: "paid", title: "Paid by buyers", num: true, cell: (each) => (each.earned.length ? each.earned.map((line) => <span key={line.currency} className="block">{money(line.paid)} {line.currency}</span>) : <span className="dim">–</span>) },
        { key: "earned", title: "Earned", num: true, cell: (each) => (each.earned.length ? each.earned.map((line) => <b key={line.currency} className="block">{money(line.commission)} {line.currency}</b>) : <span className="dim">–</span>) },
        { key: "acts", title: <span className="unseen">Actions</span>, cell: (each) => <Acts of={each.affiliate} onChange={() => setOpen({ found: each })} /> },
      ]} />}
      {open && <AffiliateDialog found={open.found} all={items} onClose={() => setOpen(null)} onDone={asked.again} />}
    </section>
  );
}

function Taxes() {
  const asked = useAsked("tax rates", () => ok(api.GET("/api/tax-rates")));
  const [open, setOpen] = useState<Open<TaxRate>>(null);
  const [gone, setGone] = useState<TaxRate | null>(null);
  const items = asked.data?.items ?? [];
  const keep = (): void => save("tax-rates.csv", csv<TaxRate>([{ title: "country", of: (each) => each.country }, { title: "name", of: (each) => each.name }, { title: "percent", of: (each) => each.percent }, { title: "is_included", of: (each) => String(each.is_included) }], items));
  useEffect(() => provide("Tax rates", [
    { title: "New tax rate", unless: () => needs() ?? "", run: () => setOpen({ found: null }) },
    { title: "CSV of tax rates", unless: () => (items.length ? "" : "there is none"), run: keep },
  ]), [items]);
  return (
    <section className="panel" data-panel aria-label="Tax rates">
      <header>
        <h2>Tax rates</h2><span className="label lead">By the country that a buyer says. A country that is not here is not taxed.</span>
        <div className="end">
          <button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV</button>
          <button type="button" className="button" disabled={Boolean(needs())} title={needs()} onClick={() => setOpen({ found: null })}>New tax rate</button>
        </div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={3} waitsFor="Reading tax rates" />}
      {asked.data && <Table<TaxRate> label="Tax rates" rows={items} rowKey={(each) => each.country} onOpen={(each) => !needs() && setOpen({ found: each })} empty={<Empty>No country is taxed.</Empty>} columns={[
        { key: "country", title: "Country", cell: (each) => <b className="mono">{each.country}</b>, sort: (each) => each.country },
        { key: "name", title: "Name on the receipt", cell: (each) => each.name },
        { key: "percent", title: "Rate", num: true, cell: (each) => percentText(each.percent), sort: (each) => Number(each.percent) },
        { key: "how", title: "Price", cell: (each) => (each.is_included ? "holds it already" : "it is added") },
        { key: "acts", title: <span className="unseen">Actions</span>, cell: (each) => <Acts of={each.country} onChange={() => setOpen({ found: each })} end="Take out" onEnd={() => setGone(each)} /> },
      ]} />}
      {open && <TaxDialog found={open.found} all={items} onClose={() => setOpen(null)} onDone={asked.again} />}
      {gone && (
        <Ask title={`Tax ${gone.country} no more`} act="Take it out" danger reasoned={false} onClose={() => setGone(null)} onDone={asked.again} send={() => ok(api.PUT("/api/tax-rates/{country}", { params: { path: { country: gone.country } }, body: { name: gone.name, percent: "0", is_included: gone.is_included } }))}>
          <p>Purchases from {gone.country} bear no {gone.name} from now on. What was sold keeps its tax.</p>
        </Ask>
      )}
    </section>
  );
}
