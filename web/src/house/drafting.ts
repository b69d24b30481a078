/** Limits as a form: text in every field, "" where a limit is off. */
import type { Schemas } from "../client/api";
import { typed } from "../kit/format";

export type Limits = Partial<Schemas["LimitsBody"]>;

export interface Term {
  name: keyof Limits & string;
  title: string;
  kind: "money" | "count" | "bps" | "ms";
  says: string;
}

export const TERMS: readonly Term[] = [
  { name: "order_notional_max", title: "Notional of an order", kind: "money", says: "largest single order" },
  { name: "daily_loss_max", title: "Daily loss", kind: "money", says: "then only orders that reduce" },
  { name: "notional_max", title: "Notional in the window", kind: "money", says: "all orders of a window together" },
  { name: "orders_max", title: "Orders in the window", kind: "count", says: "how often orders may come" },
  { name: "rate_window_ms", title: "Rate window", kind: "ms", says: "of the two above" },
  { name: "collar_bps", title: "Price collar", kind: "bps", says: "a limit's distance from the mark" },
  { name: "market_protection_bps", title: "Market protection", kind: "bps", says: "how far a market order goes" },
  { name: "concentration_max_bps", title: "In one instrument", kind: "bps", says: "of equity" },
  { name: "issuer_concentration_max_bps", title: "With one issuer", kind: "bps", says: "of equity" },
  { name: "venue_concentration_max_bps", title: "At one venue", kind: "bps", says: "of equity" },
  { name: "duplicate_window_ms", title: "Duplicate window", kind: "ms", says: "the same order again, too soon" },
];
export const PER_SYMBOL = [
  { name: "order_qty_max", title: "Size of an order" },
  { name: "position_max", title: "Position" },
] as const;
/** What is so when nothing is said; every other limit is then off. */
const USUAL: Partial<Record<string, string>> = { rate_window_ms: "1000", market_protection_bps: "500" };

export type Draft = Record<string, string>;
export const fieldOf = (name: string, symbol: string): string => `${name} ${symbol}`;

export function drafted(limits: Limits): Draft {
  const draft: Draft = {};
  for (const { name } of TERMS) {
    const value = limits[name] as string | number | null | undefined;
    draft[name] = value === undefined || value === null ? (USUAL[name] ?? "") : value === 0 ? "" : String(value);
  }
  for (const { name } of PER_SYMBOL) for (const [symbol, value] of Object.entries(limits[name] ?? {})) draft[fieldOf(name, symbol)] = value;
  for (const [asset_class, value] of Object.entries(limits.class_concentration_max_bps ?? {})) draft[fieldOf("class_concentration_max_bps", asset_class)] = String(value);
  return draft;
}

const IN_FORM = new Set<string>([...TERMS, ...PER_SYMBOL].map(({ name }) => name as string)).add("class_concentration_max_bps");

/**
 * The limits that are meant, or the field that cannot be read and why. Setting them replaces all, so what is in
 * force and has no field here is said again.
 */
export function meant(draft: Draft, now: Limits): { limits: Limits } | { field: string; wrong: string } {
  const limits: Record<string, unknown> = Object.fromEntries(Object.entries(now).filter(([name]) => !IN_FORM.has(name)));
  for (const [field, text] of Object.entries(draft)) {
    if (!text.trim()) {
      if (USUAL[field]) limits[field] = 0;
      continue;
    }
    const value = typed(text);
    if (value === null || value.startsWith("-")) return { field, wrong: `"${text}" is no number that a limit can be` };
    const [name = "", about] = field.split(" ");
    const isCount = TERMS.find((term) => term.name === name)?.kind !== "money" && !PER_SYMBOL.some((each) => each.name === name);
    if (isCount && !/^\d+$/.test(value)) return { field, wrong: `"${text}" must be a whole number` };
    const said = isCount ? Number(value) : value;
    if (about === undefined) limits[name] = said;
    else limits[name] = { ...(limits[name] as object | undefined), [about]: said };
  }
  return { limits: limits as Limits };
}

export const isSame = (a: Draft, b: Draft): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => (a[key] ?? "").trim() === (b[key] ?? "").trim());
