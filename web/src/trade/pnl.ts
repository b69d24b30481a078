/** Positions and what they have gained: exact, and after fees. */
import { add, compare, div, type Decimal, isZero, mul, neg, of, sub, trimmed } from "../kit/decimal";

/** As GET /api/risk/positions tells it under `traded`. */
export interface Traded {
  symbol: string;
  qty: string;
  traded_qty: string;
  currency: string;
  cost: string;
  realized: string;
  fees: string;
  avg_px?: string | null;
}

export interface Gain {
  unrealized: Decimal | null; // null: there is no price
  net: Decimal | null; // realized and unrealized, less fees
  value: Decimal | null; // of all that is held
}

export function gain(line: Traded, mark: string | null): Gain {
  const fees = of(line.fees);
  if (mark === null) return { unrealized: null, net: null, value: null };
  const unrealized = sub(mul(line.traded_qty, mark), line.cost);
  return {
    unrealized,
    net: sub(add(line.realized, unrealized), fees),
    value: mul(line.qty, mark),
  };
}

/** After a fill, at average cost: as the house keeps it (a fill that reduces realizes). */
export function filled(line: Traded, side: "buy" | "sell", qty: string, px: string, fee: string): Traded {
  const signed = side === "buy" ? of(qty) : neg(qty);
  const before = of(line.traded_qty);
  const after = add(before, signed);
  const gross = mul(signed, px);
  let cost = of(line.cost);
  let realized = of(line.realized);
  const reduces = !isZero(before) && compare(before, 0n) !== compare(signed, 0n);
  if (!reduces) {
    cost = add(cost, gross);
  } else {
    const closes = compare(absolute(signed), absolute(before)) <= 0 ? signed : neg(before);
    const share = div(mul(cost, closes), before, 12); // minus what the closed part has cost
    realized = add(realized, sub(share, mul(closes, px)));
    cost = add(add(cost, share), sub(gross, mul(closes, px)));
  }
  const text = trimmed;
  return {
    ...line,
    qty: text(add(line.qty, signed)),
    traded_qty: text(after),
    cost: text(cost),
    realized: text(realized),
    fees: text(add(line.fees, fee)),
    avg_px: isZero(after) ? null : text(div(cost, after, 8)),
  };
}

const absolute = (amount: Decimal): Decimal => (amount.units < 0n ? neg(amount) : amount);
