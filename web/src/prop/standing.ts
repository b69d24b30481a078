/** An assessment as the house shows it, and its words. Pure. */
import type { Schemas } from "../client/api";
import * as d from "../kit/decimal";
import { dayTime, MINUS } from "../kit/format";
import type { AssessmentMessage } from "../live/messages";

export type Assessment = Schemas["AssessmentReply"];
export type AssessmentLine = Schemas["AssessmentLine"];
export type Condition = Schemas["ConditionLine"];
export type Violation = Schemas["ViolationLine"];
export type PayoutLine = Schemas["AssessmentPayoutLine"];

const RULES: Record<string, string> = {
  daily_loss: "Daily loss", overall_loss: "Overall loss", max_risk_per_trade: "Risk of a trade", max_positions: "Open positions", max_lots: "Open lots",
  leverage: "Leverage", instruments: "Instruments", news: "News", weekend: "Weekend",
};
const CONDITIONS: Record<string, string> = { target: "Profit target", min_trading_days: "Trading days", min_trades: "Trades", consistency: "Best day’s share, at most" };
const plain = (name: string): string => name.replaceAll("_", " ");

export const ruleTitle = (rule: string): string => RULES[rule] ?? plain(rule);
export const conditionTitle = (name: string): string => CONDITIONS[name] ?? plain(name);

/** A moment that has been: "0" is none. */
export const isAt = (moment: string): boolean => moment !== "" && moment !== "0";

/** The balance that passes; null where the stage has no target. */
export function goal(found: Assessment): number | null {
  const target = found.conditions.find(({ name }) => name === "target");
  return target && !d.isZero(target.needed) ? d.toFloat(d.add(found.size, target.needed)) : null;
}

/** In whole cents, to be read; what is finer is in the journal. */
export const cents = (amount: string, way: d.Rounding = "half-even"): string => d.text(d.rescale(amount, 2, way));

/** What was heard, over what was asked for. A message is of now; what is asked for less often keeps the rest. */
export function withHeard(found: Assessment, heard: AssessmentMessage | undefined): Assessment {
  if (!heard || heard.assessment_id !== found.assessment_id) return found;
  if (heard.account_id !== found.account_id || heard.state !== found.state) return found; // The whole of it is asked for anew.
  const { equity, balance, open_positions, day_from, resets_at, trades, days_traded, headroom, conditions, frozen } = heard;
  return { ...found, equity, balance, open_positions, day_from, resets_at, trades, days_traded, headroom, conditions, frozen };
}

/** A sentence of the house as people read it: its moments as times, its amounts without zeros that say nothing, and a capital first. */
export function readable(sentence: string): string {
  const said = sentence
    .replace(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b/g, (_, day: string, minute: string) => dayTime(`${day}T${minute}:00Z`, "min"))
    .replace(/(-?\d+\.\d{2})0+\b/g, "$1")
    .replaceAll(/(^|\s)-(?=\d)/g, `$1${MINUS}`);
  return said.charAt(0).toUpperCase() + said.slice(1);
}
