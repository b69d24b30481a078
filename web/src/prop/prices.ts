/** Coupons, affiliates and tax rates: what a form holds, what would change by it, and moments as one types them. Pure. */
import type { Schemas } from "../client/api";
import * as d from "../kit/decimal";
import { dayTime, money, number } from "../kit/format";

export type Coupon = Schemas["CouponShown"];
export type Affiliate = Schemas["AffiliateShown"];
export type TaxRate = Schemas["TaxRateShown"];

/** A row of what a change does: in words, as it is and as it would be; null where there is nothing yet. */
export interface Change {
  name: string;
  now: string | null;
  then: string;
}

export const isCode = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(text);
export const isCountry = (text: string): boolean => /^[A-Z]{2}$/.test(text);
/** More than nothing, at most a hundred, to four decimals. */
export const isPercent = (text: string, least: "0" | "above 0" = "above 0"): boolean =>
  /^\d{1,3}(\.\d{1,4})?$/.test(text) && d.compare(text, "100") <= 0 && (least === "0" || !d.isZero(text));
export const isAmount = (text: string): boolean => /^\d{1,9}(\.\d{1,3})?$/.test(text) && !d.isZero(text);
export const isCount = (text: string): boolean => /^\d{1,9}$/.test(text);

export const percentText = (text: string): string => `${number(d.trimmed(text))}\u202f%`;
export const discount = (found: Pick<Coupon, "percent" | "amount" | "currency">): string => (found.percent ? percentText(found.percent) : `${money(found.amount)} ${found.currency}`);
const oftenAs = (count: string): string => (Number(count) ? `${number(count)} times` : "any number of times");
const moment = (ns: string): string => (ns ? `${dayTime(ns, "min", "UTC")} UTC` : "");

/** "2026-11-22T10:30", UTC, as a field has it; "" for none. */
export const field = (ns: string): string => (ns && ns !== "0" ? new Date(Number(BigInt(ns) / 1_000_000n)).toISOString().slice(0, 16) : "");
/** Nanoseconds since 1970 of a field, as text; "0" for none. Whole minutes: a float holds them exactly. */
export const nanoseconds = (written: string): string => {
  const found = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(written) ? Date.parse(`${written}:00Z`) : Number.NaN;
  return Number.isNaN(found) ? "0" : String(BigInt(found) * 1_000_000n);
};

export interface CouponForm {
  coupon: string;
  by: "percent" | "amount";
  off: string;
  currency: string;
  uses: string;
  each: string;
  begins: string;
  ends: string;
  products: readonly string[];
}

export const couponForm = (found: Coupon | null, currency: string): CouponForm => ({
  coupon: found?.coupon ?? "",
  by: found?.amount ? "amount" : "percent",
  off: found ? d.trimmed(found.percent || found.amount) : "",
  currency: found?.currency || currency,
  uses: String(found?.uses_max ?? 0),
  each: String(found?.uses_each_max ?? 0),
  begins: field(found?.begins_at ?? ""),
  ends: field(found?.ends_at ?? ""),
  products: found?.products ?? [],
});

/** What is wrong with each field, by its name; nothing where all is right. */
export function couponWrong(form: CouponForm): Partial<Record<keyof CouponForm, string>> {
  const [begins, ends] = [BigInt(nanoseconds(form.begins)), BigInt(nanoseconds(form.ends))];
  return {
    ...(!isCode(form.coupon) && { coupon: "Letters, digits, - and _; at most 32" }),
    ...(form.by === "percent" && !isPercent(form.off) && { off: "Above 0, at most 100" }),
    ...(form.by === "amount" && !isAmount(form.off) && { off: "Above 0, such as 25 or 12.50" }),
    ...(!isCount(form.uses) && { uses: "A whole number; 0 is any" }),
    ...(!isCount(form.each) && { each: "A whole number; 0 is any" }),
    ...(ends > 0n && ends <= begins && { ends: "Must be after it begins" }),
  };
}

export function couponChanges(found: Coupon | null, form: CouponForm): Change[] {
  const before = found && couponForm(found, form.currency);
  const off = (each: CouponForm): string => discount({ percent: each.by === "percent" ? each.off : "", amount: each.off, currency: each.currency });
  const row = (name: string, of: (each: CouponForm) => string): Change => ({ name, now: before && of(before), then: of(form) });
  return changed([
    row("Takes off", off),
    row("Used in all", (each) => oftenAs(each.uses)),
    row("Used by one person", (each) => oftenAs(each.each)),
    row("From", (each) => moment(nanoseconds(each.begins).replace(/^0$/, "")) || "at once"),
    row("Until", (each) => moment(nanoseconds(each.ends).replace(/^0$/, "")) || "taken back"),
    row("For", (each) => (each.products.length ? each.products.join(", ") : "every tier")),
  ]);
}

/** What is new, or other than it was. */
export const changed = (rows: readonly Change[]): Change[] => rows.filter(({ now, then }) => now !== then);

export type Life = "works" | "to come" | "used up" | "over";

/** Whether somebody can use it now. */
export function life(found: Coupon, now: bigint): Life {
  if (found.ends_at && BigInt(found.ends_at) <= now) return "over";
  if (found.begins_at && BigInt(found.begins_at) > now) return "to come";
  return found.uses_max && found.uses >= found.uses_max ? "used up" : "works";
}
