/** Prices as whole ticks and quantities as whole lots of one instrument: exact, as the house counts. */
import { decimalsOf, parse, text as written, trimmed } from "../kit/decimal";

export { typed } from "../kit/format";

/** "12.5" at 3 decimals is 12500n; null for what is no unsigned decimal, or has more decimals. */
export function scaled(text: string, decimals: number): bigint | null {
  const found = /^\d+(\.\d+)?$/.test(text) ? parse(trimmed(text)) : null;
  if (!found || found.scale > decimals) return null;
  return found.units * 10n ** BigInt(decimals - found.scale);
}

/** 12500n at 3 decimals is "12.500": all decimals are kept; a minus is a hyphen. */
export const unscaled = (units: bigint, scale: number): string => written({ units, scale });

/** "12.500" is "12.5": what is sent to the house and copied. */
export const plain = trimmed;

const SCALE = 18;

/** What is needed of an instrument, as GET /api/instruments names it. */
export interface Listed {
  symbol: string;
  base: string;
  quote: string;
  tick_size: string;
  lot_size: string;
}

export class Units {
  readonly pxDecimals: number;
  readonly qtyDecimals: number;
  private readonly tick: bigint; // in 10^-18
  private readonly lot: bigint;

  constructor(readonly listed: Listed) {
    this.pxDecimals = decimalsOf(listed.tick_size);
    this.qtyDecimals = decimalsOf(listed.lot_size);
    this.tick = scaled(listed.tick_size, SCALE) ?? 1n;
    this.lot = scaled(listed.lot_size, SCALE) ?? 1n;
  }

  /** Whole ticks; null off the tick, or for no number. */
  ticks(px: string): bigint | null {
    return whole(scaled(px, SCALE), this.tick);
  }

  lots(qty: string): bigint | null {
    return whole(scaled(qty, SCALE), this.lot);
  }

  px(ticks: bigint): string {
    return unscaled((ticks * this.tick) / 10n ** BigInt(SCALE - this.pxDecimals), this.pxDecimals);
  }

  qty(lots: bigint): string {
    return unscaled((lots * this.lot) / 10n ** BigInt(SCALE - this.qtyDecimals), this.qtyDecimals);
  }

  /** The tick at or below a price of any decimals: of what a chart says where the pointer is. */
  nearest(px: number): bigint {
    if (!Number.isFinite(px) || px <= 0) return 1n;
    const text = px.toFixed(Math.min(this.pxDecimals + 4, 20));
    const at = scaled(text, SCALE) ?? 0n;
    const ticks = (at + this.tick / 2n) / this.tick;
    return ticks > 0n ? ticks : 1n;
  }

  /** Lots that an amount of the quote asset pays for at a price, rounded down; before fees. */
  lotsFor(amount: string, ticks: bigint): bigint | null {
    const has = scaled(amount, SCALE);
    if (has === null || ticks <= 0n) return null;
    return (has * 10n ** BigInt(SCALE)) / (ticks * this.tick * this.lot);
  }

  /** What lots at a price are worth in the quote asset, exactly. */
  notional(ticks: bigint, lots: bigint): string {
    const units = ticks * this.tick * lots * this.lot;
    const decimals = this.pxDecimals + this.qtyDecimals;
    return unscaled(units / 10n ** BigInt(2 * SCALE - decimals), decimals);
  }
}

function whole(units: bigint | null, step: bigint): bigint | null {
  return units === null || units % step !== 0n ? null : units / step;
}
