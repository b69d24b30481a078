import { memo } from "react";
import { MISSING, number, rounded } from "../kit/format";
import * as d from "../kit/decimal";
import type { Answer } from "./asking";
import type { Wrong } from "./ticket";
import { type Cost, type Verdict } from "./verdict";
import { plain, type Units } from "./units";

const RULE: Record<string, string> = {
  exceeds_order_qty: "Order quantity", exceeds_order_notional: "Order notional", outside_collar: "Price collar",
  exceeds_position_limit: "Position limit", exceeds_concentration: "Concentration", exceeds_class_concentration: "Class concentration",
  exceeds_issuer_concentration: "Issuer concentration", exceeds_venue_concentration: "Venue concentration",
  exceeds_trade_risk: "Risk of a trade", exceeds_open_positions: "Open positions", exceeds_open_lots: "Open lots", exceeds_leverage: "Leverage", instrument_not_allowed: "Instruments",
  exceeds_daily_loss: "Daily loss", exceeds_order_rate: "Order rate", exceeds_notional_rate: "Notional rate",
  exceeds_buying_power: "Buying power", exceeds_position: "What is held", exceeds_margin: "Margin",
  market_quality: "Market quality", reducing_only: "Only reducing", would_not_reduce: "Would not reduce",
  trading_halted: "Trading halted", restricted: "Restricted", market_closed: "Market closed", no_mark: "No price",
  unsupported_order: "Not a possible order", duplicate_window: "The same again, too soon",
};
export const ruleWord = (reason: string): string => RULE[reason] ?? reason.replaceAll("_", " ");

/** What the house would say: under the fields, above the button, always in its place. */
export const VerdictLine = memo(function VerdictLine({ verdict, wrong, units, max, onTake }: {
  verdict: Verdict<Answer>;
  wrong: Wrong | null;
  units: Units;
  max: string | null;
  onTake: (largest: string) => void;
}) {
  const largest = max === null ? null : `${number(plain(max))} ${units.listed.base}`;
  if (wrong) return <p className="verdict dim">{wrong.text}{largest && wrong.field === "qty" ? `; up to ${largest} passes` : ""}</p>;
  if (verdict.at === "failed") return <p className="verdict warn" role="status">Not checked: {verdict.text}</p>;
  if (verdict.at === "none") return <p className="verdict dim">{MISSING}</p>;
  const found = verdict.at === "said" ? verdict.found : verdict.last;
  const dim = verdict.at === "asking" ? " asking" : "";
  if (!found || found.isProbe) return <p className={`verdict dim${dim}`}>Checking</p>;
  if (found.accepted) {
    return <p className={`verdict passes${dim}`}>Passes{largest ? <span className="dim">; up to {largest} would</span> : null}</p>;
  }
  const [reason] = found.reasons;
  const passes = found.order_qty_max !== null && !d.isZero(found.order_qty_max) ? found.order_qty_max : null;
  return (
    <div className={`verdict refused${dim}`}>
      <p><b>{ruleWord(reason?.reason ?? "refused")}</b> <span className="dim">{reason?.reason}</span></p>
      {reason?.limit ? (
        <dl>
          <div><dt>Value</dt><dd>{amount(reason.value, reason.unit)}</dd></div>
          <div><dt>Limit</dt><dd>{amount(reason.limit, reason.unit)}</dd></div>
          <div><dt>Over by</dt><dd>{amount(reason.distance, reason.unit)}</dd></div>
        </dl>
      ) : (
        <p>{reason?.text}</p>
      )}
      {passes && (
        <button type="button" className="button take" onClick={() => onTake(passes)}>
          Take {number(plain(passes))} {units.listed.base}, the largest that passes
        </button>
      )}
    </div>
  );
});

function amount(value: string | undefined, unit: string | undefined): string {
  if (value === undefined) return MISSING;
  return `${d.parse(value) ? number(plain(value)) : value} ${unit ?? ""}`.trim();
}

/** Notional, fee, slippage, what is set aside; on margin where the account would stand. */
export const CostLines = memo(function CostLines({ cost, isOld, quoteDecimals }: { cost: Cost | null; isOld: boolean; quoteDecimals: number }) {
  const money = (text: string | null | undefined): string => (text === null || text === undefined ? MISSING : rounded(text, quoteDecimals));
  const ccy = cost?.currency ?? "";
  const fine = (text: string): string => (d.sign(text) !== 0 && d.compare(d.abs(text), "0.005") < 0 ? number(plain(text)) : rounded(text, quoteDecimals));
  const margin = cost?.margin;
  return (
    <dl className={`cost ${isOld ? "asking" : ""}`} aria-label="Cost preview">
      <div><dt>Notional</dt><dd>{money(cost?.notional)} <i>{ccy}</i></dd></div>
      <div><dt>Fee</dt><dd>{cost ? fine(cost.fee) : MISSING} <i>{ccy}</i></dd></div>
      <div>
        <dt>Slippage</dt>
        <dd>
          {cost?.slippage ? <>{fine(cost.slippage)} <i>{ccy}</i> <span className="dim">{number(cost.slippage_bps, { decimals: 2 })} bp</span></>
            : <span className="dim">{cost ? "nothing at once" : MISSING}</span>}
        </dd>
      </div>
      {cost && !d.isZero(cost.unfilled_qty) && <div className="warn-line"><dt>Not displayed</dt><dd>{number(plain(cost.unfilled_qty))} would end unfilled</dd></div>}
      <div><dt>Set aside</dt><dd>{cost ? fine(cost.hold) : MISSING} <i>{cost?.hold_asset}</i></dd></div>
      {margin && (
        <>
          <div><dt>Margin after</dt><dd>{rounded(margin.initial, 2)} <i>{margin.currency}</i></dd></div>
          <div><dt>Free margin after</dt><dd className={d.sign(margin.available) < 0 ? "loss" : undefined}>{rounded(margin.available, 2)} <i>{margin.currency}</i></dd></div>
          <div>
            <dt>Liquidation</dt>
            <dd>{margin.liquidation_px ? <>{number(margin.liquidation_px)} <span className="dim">{((margin.liquidation_bps ?? 0) / 100).toFixed(2)} % away</span></> : <span className="dim">at no price</span>}</dd>
          </div>
        </>
      )}
    </dl>
  );
});
