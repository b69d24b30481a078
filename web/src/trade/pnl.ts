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
  waiting?: readonly Waiting[];
}

/** Fills that have not settled, together: "matched" may be taken back, "confirmed" stands. */
export interface Waiting {
  state: string;
  traded_qty: string;
  cash: string;
  fills: number;
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

export interface Parts {
  matched: Decimal;
  confirmed: Decimal;
  settled: Decimal;
}

/** The net gain by how far the fills that it came from have got; the three add up to it. */
export function parts(line: Traded, mark: string | null): Parts | null {
  const { net } = gain(line, mark);
  if (net === null || mark === null) return null;
  const of_ = (state: string): Decimal =>
    (line.waiting ?? []).filter((each) => each.state === state).reduce((sum, each) => add(sum, add(each.cash, mul(each.traded_qty, mark))), of("0"));
  const [matched, confirmed] = [of_("matched"), of_("confirmed")];
  return { matched, confirmed, settled: sub(net, add(matched, confirmed)) };
}

/** Nothing that was traded here waits for anybody any more. */
export const isSettled = (line: Traded): boolean => !line.waiting?.length;
