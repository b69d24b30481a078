/** A tier as the house shows it, in the words and figures of a page. Pure. */
import * as d from "../kit/decimal";
import { money, number, percent, rounded } from "../kit/format";
import type { Basis, Follows, Limits } from "./sketch";
import type { Schemas } from "../client/api";

export type Tier = Schemas["TierShown"];
export type Stage = Tier["phases"][number];
export type Odds = NonNullable<Tier["odds"]>;
export type Trader = Odds["traders"][number];

/** "USD 100,000", with cents where there are any. */
export function sum(currency: string, amount: string): string {
  const exact = d.of(amount);
  const whole = d.rescale(exact, 0, "down");
  return `${currency} ${d.compare(whole, exact) === 0 ? number(d.text(whole)) : money(amount)}`;
}

/** "5 %", as much of it as there is. The house says percentages as text. */
export const part = (percentage: string): string => `${number(d.trimmed(percentage))}\u202f%`;

export const stages = (tier: Tier): Stage[] => (tier.funded ? [...tier.phases, tier.funded] : [...tier.phases]);

/** What the picture needs: floats, for drawing. */
export function limits(tier: Tier, stage: Stage): Limits {
  const float = (amount: string | null): number => (amount === null ? 0 : d.toFloat(amount));
  const { daily_loss: daily, overall_loss: overall } = stage;
  const size = float(tier.account);
  return {
    size,
    target: float(stage.target),
    daily: daily && { amount: daily.amount === null ? (size * float(daily.part)) / 100 : float(daily.amount), basis: daily.counted_from as Basis },
    overall: overall && { amount: float(overall.amount), follows: overall.follows as Follows, lock: overall.locks_at ? float(overall.locks_at) : null },
  };
}

/** "skilled" of "skilled:risk=1%". */
export const kind = (found: Trader): string => found.trader.split(":")[0] ?? found.trader;

/** How often it is bought, on average, until it is passed once: exact only where each try is like the first. Null where nobody passed. */
export function tries(trader: Trader): number | null {
  return trader.pass_probability > 0 ? 1 / trader.pass_probability : null;
}

/** What somebody of this kind pays in fees, on average, until they have passed. */
export function untilPassed(fee: string, trader: Trader): string | null {
  const count = tries(trader);
  return count === null ? null : d.text(d.rescale(d.mul(fee, count.toFixed(4)), 0));
}

/** "12.4 % ± 0.2": a probability and its standard error, to as many digits as that error lets one say. */
export function probability(value: number, error: number): string {
  const digits = error > 0 ? Math.min(2, Math.max(0, Math.ceil(-Math.log10(error * 100)))) : 2;
  return `${rounded((value * 100).toFixed(6), digits)}\u202f% ± ${rounded((error * 100).toFixed(6), Math.max(digits, 1))}`;
}
const of100 = (value: number): string => `${Math.round(value * 100)} of 100`;

/** How most fare, and what the firm has of it: said before anybody pays. "" where it was not simulated. */
export function firmSaid(tier: Tier): string {
  const [fair, skilled] = ["fair", "skilled"].map((name) => tier.odds?.traders.find((each) => kind(each) === name));
  if (!fair) return "";
  const act = tier.phases.length ? "pass" : "are paid";
  const ends = fair.pass_probability < 0.5 ? `Most fail: without an edge, ${of100(1 - fair.pass_probability)} tries do not ${act}.` : `Without an edge, ${of100(fair.pass_probability)} tries ${act}.`;
  const money = (mean: number): string => sum(tier.currency, Math.abs(mean).toFixed(0));
  const has = (found: Trader, who: string): string => `${found.firm_profit_mean >= 0 ? "earns the firm" : "costs the firm"} ${money(found.firm_profit_mean)} with ${who}`;
  return `${ends} A try ${has(fair, "them")}${skilled ? `, and ${has(skilled, "those who have an edge")}` : ""}, on average.`;
}

export const chance = (value: number): string => percent(value.toFixed(8));

/** What is different in the words that are shown: marked where two tiers are compared. */
export const differs = (values: readonly string[]): boolean => new Set(values).size > 1;

const BASES: Record<Basis, string> = { initial: "the account’s size", balance: "the day’s first balance", equity: "the day’s first equity", higher: "the day’s first balance or equity, the higher" };
const FOLLOWS: Record<Follows, string> = { static: "never moves", trailing: "follows the highest equity", end_of_day: "follows the highest close" };
const days = (count: number): string => `${count} ${count === 1 ? "day" : "days"}`;

export interface Fact {
  name: string;
  value: string;
  /** What it is counted from, and the like. */
  more?: string;
}

/** The rules of a stage as rows, in the same order for every tier: one that a tier has not is said to be none. */
export function facts(tier: Tier, stage: Stage): Fact[] {
  const { currency } = tier;
  const { daily_loss: daily, overall_loss: overall, news } = stage;
  const none = "none";
  const kept = (amount: string | null): string => (amount === null ? none : sum(currency, amount));
  return [
    { name: "Profit target", value: kept(stage.target) },
    { name: "Daily loss", value: daily ? (daily.amount === null ? part(daily.part ?? "0") : sum(currency, daily.amount)) : none, more: daily ? `under ${BASES[daily.counted_from as Basis]}` : undefined },
    { name: "Overall loss", value: overall ? sum(currency, overall.amount) : none, more: overall ? FOLLOWS[overall.follows as Follows] + (overall.locks_at ? `, until it is ${sum(currency, overall.locks_at)}` : "") : undefined },
    { name: "Time limit", value: stage.time_limit_days ? days(stage.time_limit_days) : none },
    { name: "Trading days, at least", value: stage.min_trading_days ? String(stage.min_trading_days) : none },
    { name: "Trades, at least", value: stage.min_trades ? String(stage.min_trades) : none },
    { name: "Without a trade, at most", value: stage.inactivity_days ? days(stage.inactivity_days) : none },
    { name: "Risk of a trade", value: kept(stage.max_risk_per_trade) },
    { name: "Open positions", value: stage.max_positions ? `at most ${stage.max_positions}` : none },
    { name: "Open lots", value: stage.max_lots === null ? none : `at most ${number(d.trimmed(stage.max_lots))}` },
    { name: "Best day’s share", value: stage.consistency === null ? none : `at most ${part(stage.consistency)}` },
    { name: "News", value: news ? `${news.before_minutes} min before, ${news.after_minutes} min after` : none, more: news ? `nothing is opened; ${news.importance === "high" ? "high importance" : `${news.importance} importance or more`}` : undefined },
    { name: "Weekend", value: stage.weekend === "flat" ? "nothing open" : "may be held" },
  ];
}

export function whole(tier: Tier): Fact[] {
  const { payout, currency } = tier;
  return [
    { name: "Account", value: sum(currency, tier.account), more: `leverage 1:${tier.leverage}` },
    { name: "Fee", value: d.isZero(tier.fee) ? "none" : sum(currency, tier.fee), more: payout?.refunds_fee ? "given back with the first payout" : d.isZero(tier.fee) ? undefined : "once, for each try" },
    { name: "Your share", value: payout ? part(payout.split) : "none", more: payout ? `first after ${days(payout.first_after_days)}, then every ${payout.every_days}` : "nothing is paid" },
    { name: "A day begins", value: `${tier.reset_at} ${tier.time_zone}` },
    { name: "Instruments", value: tier.instruments.length ? tier.instruments.join(", ") : "all" },
  ];
}
