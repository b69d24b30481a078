/** Simulations as the house shows them, in the words and figures of a page. Pure. */
import * as d from "../kit/decimal";
import { MINUS, rounded } from "../kit/format";
import type { Schemas } from "../client/api";
import { conditionTitle, ruleTitle } from "./standing";
import type { Tier, Trader } from "./tiers";

export type Found = Schemas["SimulationFound"];
export type Shown = Schemas["SimulationShown"];
export type Kind = Shown["kind"];
export type Projection = NonNullable<Found["projection"]>;
export type Validation = NonNullable<Found["validation"]>;
export type Effect = Trader["effects"][number];

export const KINDS: readonly (readonly [Kind, string])[] = [
  ["sensitivity", "What each rule of a tier does"], ["tier_odds", "Odds of a tier"], ["projection", "What may come of days traded"], ["validation", "Whether they were luck"],
];
export const kindTitle = (kind: Kind): string => KINDS.find(([each]) => each === kind)?.[1] ?? kind;
export const STATES: Record<Shown["state"], string> = { running: "running", interrupted: "interrupted: ask for it again", done: "done", failed: "failed", canceled: "canceled" };
/** Of whom or what. */
export const subject = (found: Shown): string => (found.tier ? `${found.tier} version ${found.version}` : found.journal);

const OTHERS: Record<string, string> = {
  time_limit_days: "Time limit", inactivity_days: "Days without a trade", consistency_ppm: "Best day’s share", split: "Trader’s share", every_days: "Days between payouts", first_after_days: "Days before the first payout",
  minimum: "Smallest payout", refunds_fee: "Fee given back", scaling: "Scaling plan", target: "Profit target",
};
const title = (rule: string): string => OTHERS[rule] ?? (conditionTitle(rule) !== rule.replaceAll("_", " ") ? conditionTitle(rule) : ruleTitle(rule));

/** Percentage points with a sign: "+2.1 points". */
export const points = (part: number, digits = 1): string => `${part > 0 ? "+" : part < 0 ? MINUS : ""}${rounded(Math.abs(part * 100).toFixed(6), digits)}`;
export const share = (part: number, digits = 1): string => `${part < 0 ? MINUS : ""}${rounded(Math.abs(part * 100).toFixed(6), digits)}\u202f%`;

export interface Bar {
  name: string;
  change: string;
  /** Parts of all tries. */
  pass: number;
  moved: number;
  /** Two standard errors of the difference, of the same dice. */
  error: number;
  paid: number;
  firm: number;
}

/** What each rule does to the pass rate, the strongest first. */
export function bars(trader: Trader, paths: number): Bar[] {
  const variance = (part: number): number => (part * (1 - part)) / paths;
  return trader.effects.map((each) => ({
    name: title(each.rule), change: each.change.replace("-", MINUS), pass: each.pass_probability, moved: each.pass_change,
    // Odds of before it was worked out have none: then as if the dice were others, which is more.
    error: 2 * (each.pass_change_se ?? Math.sqrt(variance(trader.pass_probability) + variance(each.pass_probability))), paid: each.payout_change, firm: each.firm_profit_change,
  })).sort((one, other) => Math.abs(other.moved) - Math.abs(one.moved));
}

/** How far the drawing reaches to either side. */
export const reach = (found: readonly Bar[]): number => Math.max(0.001, ...found.map(({ moved, error }) => Math.abs(moved) + error));

/** Which rule costs how much, and what cannot be told from chance. */
export function costs(found: readonly Bar[]): string {
  if (!found.length) return "It has no rule that could be another.";
  const sure = found.filter(({ moved, error }) => Math.abs(moved) > error);
  const most = sure.find(({ moved }) => moved > 0);
  const still = found.filter(({ moved, error }) => moved === 0 && error === 0).length;
  const unsure = found.length - sure.length - still;
  const said = most
    ? `Most passes are lost to this: with “${most.name}: ${most.change}”, ${points(most.moved)} ± ${rounded((most.error * 100).toFixed(6), 1)} of 100 tries would pass that do not.`
    : "No looser rule lets more pass than chance may do.";
  return [said, unsure ? `${unsure} of ${found.length} changes cannot be told from chance: more paths would tell.` : "", still ? `${still} let the same tries pass.` : ""].filter(Boolean).join(" ");
}

export interface Threshold {
  name: string;
  /** A part of the account. */
  at: number;
  kind: "target" | "overall";
}

/** The limits of a tier's first stage as parts of its account, over a projection that begins at 0. */
export function thresholds(tier: Tier | undefined): Threshold[] {
  const stage = tier?.phases[0] ?? tier?.funded;
  if (!tier || !stage) return [];
  const part = (amount: string): number => d.toFloat(amount) / d.toFloat(tier.account);
  return [
    ...(stage.target ? [{ name: `target of ${stage.name}`, at: part(stage.target), kind: "target" as const }] : []),
    ...(stage.overall_loss ? [{ name: stage.overall_loss.follows === "static" ? "overall loss" : "overall loss, where it begins: it follows the equity up", at: -part(stage.overall_loss.amount), kind: "overall" as const }] : []),
  ];
}

/** What is under the pointer, in words. */
export function daySaid(found: Projection, nth: number): string {
  const point = found.fan[Math.min(Math.max(nth, 0), found.fan.length - 1)];
  if (!point) return "";
  const [low, lower, middle, higher, high] = point.quantiles as [number, number, number, number, number];
  return `Day ${point.day}: half of the paths are between ${share(lower)} and ${share(higher)}, 90 of 100 between ${share(low)} and ${share(high)}, the middle one at ${share(middle)}.`;
}

/** What a validation comes to, one sentence a measure, without a verdict that the numbers do not give. */
export function judged(found: Validation): string[] {
  const said = [
    `The Sharpe ratio of a day is ${found.sharpe.toFixed(3).replace("-", MINUS)}, ${found.sharpe_annual.toFixed(2).replace("-", MINUS)} a year of 252 days. 95 of 100 bootstraps are between ${found.sharpe_low.toFixed(3).replace("-", MINUS)} and ${found.sharpe_high.toFixed(3).replace("-", MINUS)}.`,
    `That the true ratio is above 0 has the probability ${share(found.probabilistic_sharpe)}.`,
    found.trials > 1
      ? `The best of ${found.trials} strategies without any skill would show ${found.expected_max_sharpe.toFixed(3)} by luck alone. That the true ratio is above that, the deflated Sharpe ratio, has the probability ${share(found.deflated_sharpe)}${found.deflated_sharpe < 0.95 ? ": too little to rule luck out" : ""}.`
      : "One strategy is said to have been tried. Were more, say how many: the best of many looks good by luck alone.",
  ];
  if (found.overfit_probability === null) said.push("The probability of overfitting (PBO) needs other strategies to choose among: none was given.");
  else said.push(`The probability of overfitting (PBO) is ${share(found.overfit_probability)}: in so many of all halves of the days, whichever strategy was best is in the worse half of them in the other days. ${found.overfit_probability >= 0.5 ? "Choosing the best of them says nothing of tomorrow." : "The less, the better choosing among them works."}`);
  return said;
}

/** Of what is drawn. */
export function exported(found: Found): { titles: string[]; rows: (string | number)[][] } {
  if (found.projection) {
    const { fan } = found.projection;
    return { titles: ["day", "q05", "q25", "q50", "q75", "q95"], rows: fan.map(({ day, quantiles }) => [day, ...quantiles]) };
  }
  if (found.validation) return { titles: ["low", "high", "bootstraps"], rows: found.validation.bins.map(({ low, high, count }) => [low, high, count]) };
  if (found.item.kind === "sensitivity") {
    return {
      titles: ["trader", "rule", "change", "pass_probability", "pass_change", "pass_change_se", "payout_change", "firm_profit_change"],
      rows: found.traders.flatMap((trader) => trader.effects.map((each) => [trader.trader, each.rule, each.change, each.pass_probability, each.pass_change, each.pass_change_se ?? "", each.payout_change, each.firm_profit_change])),
    };
  }
  return { titles: ["trader", "pass_probability", "pass_se", "ruin_probability", "ruin_se", "firm_profit_mean", "firm_profit_se"], rows: found.traders.map((each) => [each.trader, each.pass_probability, each.pass_se, each.ruin_probability, each.ruin_se, each.firm_profit_mean, each.firm_profit_se]) };
}
