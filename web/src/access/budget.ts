/** How much of a day's budget is used, exactly, and as a share for a bar. */
import { of, sub, text } from "../kit/decimal";

export interface Spent {
  amount: string;
  percent: number;
}

export function spent(dayMax: string, dayLeft: string): Spent {
  const used = sub(dayMax, dayLeft);
  const all = of(dayMax);
  const scale = 10n ** BigInt(used.scale > all.scale ? used.scale - all.scale : 0);
  const whole = all.units * scale;
  return { amount: text(used), percent: whole === 0n ? 100 : Number((used.units * 100n) / whole) };
}
