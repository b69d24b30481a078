/** Positions and what they have gained: exact, and after fees. */
import { add, type Decimal, mul, of, sub } from "../kit/decimal";

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
