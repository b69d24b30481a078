/** The forms of a coupon, an affiliate and a tax rate: each says what it would change before it does. */
import { useState } from "react";
import { Ask, Picks } from "../access/parts";
import { api, ok } from "../client/api";
import { Field } from "../kit/Field";
import * as d from "../kit/decimal";
import { Segmented } from "../kit/Segmented";
import { Effect } from "./Effect";
import { type Affiliate, changed, type Coupon, type CouponForm, couponChanges, couponForm, couponWrong, isCode, isCountry, isPercent, nanoseconds, percentText, type TaxRate } from "./prices";
import type { Tier } from "./tiers";

interface Open<T> {
  found: T | null;
  all: readonly T[];
  onClose: () => void;
  onDone: () => void;
}
/** Only what somebody has written is told to be wrong. */
const said = (text: string, wrong: string | undefined): string | null => (text && wrong ? wrong : null);

export function CouponDialog({ found, all, tiers, onClose, onDone }: Open<Coupon> & { tiers: readonly Tier[] }) {
  const currencies = [...new Set(tiers.map(({ currency }) => currency))];
  const [form, setForm] = useState<CouponForm>(() => couponForm(found, currencies[0] ?? "USD"));
  const set = (some: Partial<CouponForm>): void => setForm((before) => ({ ...before, ...some }));
  const known = found ?? all.find(({ coupon }) => coupon === form.coupon) ?? null;
  const wrong = couponWrong(form);
  const isRight = Object.keys(wrong).length === 0;
  const rows = isRight ? couponChanges(known, form) : [];
  const send = (): Promise<unknown> => {
    const off = form.by === "percent" ? { percent: form.off, amount: null, currency: null } : { percent: null, amount: form.off, currency: form.currency };
    // A moment that nobody touched stays as exact as it was.
    const kept = (was: string | undefined, written: string): number => Number(was && couponForm(known, "")[was === known?.begins_at ? "begins" : "ends"] === written ? was : nanoseconds(written));
    return ok(api.PUT("/api/coupons/{coupon}", { params: { path: { coupon: form.coupon } }, body: { ...off, uses_max: Number(form.uses), uses_each_max: Number(form.each), begins_at: kept(known?.begins_at, form.begins), ends_at: kept(known?.ends_at, form.ends), products: [...form.products] } }));
  };
  return (
    <Ask title={found ? `Change ${found.coupon}` : "New coupon"} act={known ? "Change it" : "Make it"} wide reasoned={false} ready={isRight && rows.length > 0} send={send} onDone={onDone} onClose={onClose}>
      {!found && <Field label="Coupon" value={form.coupon} maxLength={32} autoComplete="off" autoFocus onChange={(event) => set({ coupon: event.target.value.trim().toUpperCase() })} said={known ? "There is one of this name: this changes it" : "What a buyer types"} wrong={said(form.coupon, wrong.coupon)} />}
      <div className="two">
        <Segmented<"percent" | "amount"> label="Takes off" value={form.by} onChange={(by) => set({ by, off: "" })} choices={[{ value: "percent", label: "A part" }, { value: "amount", label: "An amount" }]} />
        <Field label="Takes off" value={form.off} inputMode="decimal" autoComplete="off" onChange={(event) => set({ off: event.target.value.trim() })} unit={form.by === "percent" ? "%" : form.currency} wrong={said(form.off, wrong.off)} />
        <Field label="Uses in all" value={form.uses} inputMode="numeric" onChange={(event) => set({ uses: event.target.value.trim() })} said="0: any number" wrong={said(form.uses, wrong.uses)} />
        <Field label="Uses of one person" value={form.each} inputMode="numeric" onChange={(event) => set({ each: event.target.value.trim() })} said="0: any number" wrong={said(form.each, wrong.each)} />
        <Field label="From, UTC" type="datetime-local" value={form.begins} onChange={(event) => set({ begins: event.target.value })} said="Empty: at once" />
        <Field label="Until, UTC" type="datetime-local" value={form.ends} onChange={(event) => set({ ends: event.target.value })} said="Empty: until it is taken back" wrong={said(form.ends, wrong.ends)} />
      </div>
      <Picks label="For" all={[...new Set([...tiers.map(({ tier }) => tier), ...form.products])]} chosen={form.products} onChange={(products) => set({ products })} said={form.products.length ? undefined : "None marked: for every tier."} />
      {isRight && <Effect rows={rows} label="What would change" />}
    </Ask>
  );
}

export function AffiliateDialog({ found, all, onClose, onDone }: Open<Affiliate>) {
  const [code, setCode] = useState(found?.affiliate ?? "");
  const [name, setName] = useState(found?.name ?? "");
  const [percent, setPercent] = useState(found ? d.trimmed(found.percent) : "");
  const [isActive, setActive] = useState(found?.is_active ?? true);
  const known = found ?? all.find(({ affiliate }) => affiliate === code) ?? null;
  const isRight = isCode(code) && name.trim() !== "" && isPercent(percent, "0");
  const word = (each: boolean): string => (each ? "yes" : "no");
  const rows = isRight ? changed([
    { name: "Name", now: known && known.name, then: name.trim() },
    { name: "Commission", now: known && percentText(known.percent), then: percentText(percent) },
    { name: "Earns", now: known && word(known.is_active), then: word(isActive) },
  ]) : [];
  return (
    <Ask title={found ? `Change ${found.affiliate}` : "New affiliate"} act={known ? "Change it" : "Add them"} reasoned={false} ready={isRight && rows.length > 0} onDone={onDone} onClose={onClose}
      send={() => ok(api.PUT("/api/affiliates/{affiliate}", { params: { path: { affiliate: code } }, body: { name: name.trim(), percent, is_active: isActive } }))}>
      {!found && <Field label="Affiliate" value={code} maxLength={32} autoComplete="off" autoFocus onChange={(event) => setCode(event.target.value.trim())} said={known ? "There is one of this name: this changes it" : "What stands in a link to the shop"} wrong={code && !isCode(code) ? "Letters, digits, - and _; at most 32" : null} />}
      <div className="two">
        <Field label="Name" value={name} maxLength={100} autoComplete="off" onChange={(event) => setName(event.target.value)} />
        <Field label="Commission" value={percent} inputMode="decimal" unit="%" onChange={(event) => setPercent(event.target.value.trim())} wrong={percent && !isPercent(percent, "0") ? "0 to 100" : null} />
      </div>
      <label className="check"><input type="checkbox" checked={isActive} onChange={(event) => setActive(event.target.checked)} />earns on what is bought from now on</label>
      {isRight && <Effect rows={rows} label="What would change" />}
    </Ask>
  );
}

export function TaxDialog({ found, all, onClose, onDone }: Open<TaxRate>) {
  const [country, setCountry] = useState(found?.country ?? "");
  const [name, setName] = useState(found?.name ?? "VAT");
  const [percent, setPercent] = useState(found ? d.trimmed(found.percent) : "");
  const [isIncluded, setIncluded] = useState(found?.is_included ?? false);
  const known = found ?? all.find((each) => each.country === country) ?? null;
  const isRight = isCountry(country) && name.trim() !== "" && isPercent(percent);
  const how = (each: boolean): string => (each ? "holds it already" : "it is added");
  const rows = isRight ? changed([
    { name: "Name on the receipt", now: known && known.name, then: name.trim() },
    { name: "Rate", now: known && percentText(known.percent), then: percentText(percent) },
    { name: "Price", now: known && how(known.is_included), then: how(isIncluded) },
  ]) : [];
  return (
    <Ask title={found ? `Tax of ${found.country}` : "New tax rate"} act={known ? "Change it" : "Tax it"} reasoned={false} ready={isRight && rows.length > 0} onDone={onDone} onClose={onClose}
      send={() => ok(api.PUT("/api/tax-rates/{country}", { params: { path: { country } }, body: { name: name.trim(), percent, is_included: isIncluded } }))}>
      <div className="two">
        {!found && <Field label="Country" value={country} maxLength={2} placeholder="DE" autoComplete="off" autoFocus onChange={(event) => setCountry(event.target.value.trim().toUpperCase())} said={known ? "It has a rate: this changes it" : "Two letters"} />}
        <Field label="Name on the receipt" value={name} maxLength={100} autoComplete="off" onChange={(event) => setName(event.target.value)} />
        <Field label="Rate" value={percent} inputMode="decimal" unit="%" onChange={(event) => setPercent(event.target.value.trim())} wrong={percent && !isPercent(percent) ? "Above 0, at most 100" : null} />
      </div>
      <label className="check"><input type="checkbox" checked={isIncluded} onChange={(event) => setIncluded(event.target.checked)} />prices hold it already</label>
      {isRight && <Effect rows={rows} label="What would change" />}
    </Ask>
  );
}
