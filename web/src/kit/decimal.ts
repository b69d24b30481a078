/** Exact decimals over bigint. Text comes in and text goes out; no float is made on the way. */

export interface Decimal {
  readonly units: bigint;
  /** Digits after the point: the value is units / 10^scale. */
  readonly scale: number;
}

export type Rounding = "down" | "up" | "half-even" | "floor" | "ceiling";
export type Amount = Decimal | string | bigint;

const TEXT = /^([+-]?)(\d*)(?:\.(\d*))?$/;

/** What plain text says ("-0.50", "12"), or null where it says no number. No grouping, no exponent. */
export function parse(text: string): Decimal | null {
  const found = TEXT.exec(text.trim());
  if (!found) return null;
  const [, sign, whole = "", part = ""] = found;
  if (!whole && !part) return null;
  const units = BigInt(whole + part);
  return { units: sign === "-" ? -units : units, scale: part.length };
}

/** The same, for what must be a number. */
export function of(amount: Amount): Decimal {
  if (typeof amount === "bigint") return { units: amount, scale: 0 };
  if (typeof amount !== "string") return amount;
  const found = parse(amount);
  if (!found) throw new RangeError(`${JSON.stringify(amount.slice(0, 40))} is no decimal; write it like -12.50`);
  return found;
}

const POWERS: bigint[] = [1n];
export function power(exponent: number): bigint {
  for (let at = POWERS.length; at <= exponent; at++) POWERS.push((POWERS[at - 1] as bigint) * 10n);
  return POWERS[exponent] as bigint;
}

function aligned(a: Amount, b: Amount): [bigint, bigint, number] {
  const left = of(a);
  const right = of(b);
  const scale = Math.max(left.scale, right.scale);
  return [left.units * power(scale - left.scale), right.units * power(scale - right.scale), scale];
}

export function add(a: Amount, b: Amount): Decimal {
  const [left, right, scale] = aligned(a, b);
  return { units: left + right, scale };
}

export function sub(a: Amount, b: Amount): Decimal {
  const [left, right, scale] = aligned(a, b);
  return { units: left - right, scale };
}

export function mul(a: Amount, b: Amount): Decimal {
  const left = of(a);
  const right = of(b);
  return { units: left.units * right.units, scale: left.scale + right.scale };
}

export function neg(a: Amount): Decimal {
  const value = of(a);
  return { units: -value.units, scale: value.scale };
}

export function abs(a: Amount): Decimal {
  const value = of(a);
  return value.units < 0n ? neg(value) : value;
}

/** -1, 0 or 1. */
export function compare(a: Amount, b: Amount): -1 | 0 | 1 {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

export function sign(a: Amount): -1 | 0 | 1 {
  const { units } = of(a);
  return units < 0n ? -1 : units > 0n ? 1 : 0;
}

export const isZero = (a: Amount): boolean => sign(a) === 0;
export const min = (a: Amount, b: Amount): Decimal => of(compare(a, b) <= 0 ? a : b);
export const max = (a: Amount, b: Amount): Decimal => of(compare(a, b) >= 0 ? a : b);

/** units / divisor as a whole number, rounded. */
function divided(units: bigint, divisor: bigint, rounding: Rounding): bigint {
  if (divisor < 0n) return divided(-units, -divisor, rounding);
  const quotient = units / divisor;
  const rest = units % divisor;
  if (rest === 0n) return quotient;
  const away = units < 0n ? -1n : 1n;
  switch (rounding) {
    case "down":
      return quotient;
    case "up":
      return quotient + away;
    case "floor":
      return units < 0n ? quotient - 1n : quotient;
    case "ceiling":
      return units < 0n ? quotient : quotient + 1n;
    case "half-even": {
      const twice = (rest < 0n ? -rest : rest) * 2n;
      const up = twice > divisor || (twice === divisor && quotient % 2n !== 0n);
      return up ? quotient + away : quotient;
    }
  }
}

/** With exactly `scale` digits after the point. */
export function rescale(a: Amount, scale: number, rounding: Rounding = "half-even"): Decimal {
  const value = of(a);
  if (scale >= value.scale) return { units: value.units * power(scale - value.scale), scale };
  return { units: divided(value.units, power(value.scale - scale), rounding), scale };
}

/** a / b with `scale` digits after the point. Throws RangeError where b is zero. */
export function div(a: Amount, b: Amount, scale: number, rounding: Rounding = "half-even"): Decimal {
  const left = of(a);
  const right = of(b);
  if (right.units === 0n) throw new RangeError("nothing can be divided by zero");
  const shift = scale + right.scale - left.scale;
  const over = shift >= 0 ? left.units * power(shift) : left.units;
  const under = shift >= 0 ? right.units : right.units * power(-shift);
  return { units: divided(over, under, rounding), scale };
}

/** The multiple of `step` that is nearest in the direction asked for. */
export function toStep(a: Amount, step: Amount, rounding: Rounding = "down"): Decimal {
  const [value, size, scale] = aligned(a, step);
  if (size <= 0n) throw new RangeError("a step is above zero");
  return rescale({ units: divided(value, size, rounding) * size, scale }, of(step).scale, "down");
}

export function isMultiple(a: Amount, step: Amount): boolean {
  const [value, size] = aligned(a, step);
  return size !== 0n && value % size === 0n;
}

/** Plain text: a hyphen for minus, a point, nothing grouped, every digit of the scale. */
export function text(a: Amount): string {
  const { units, scale } = of(a);
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const part = scale ? `.${digits.slice(digits.length - scale)}` : "";
  return `${units < 0n ? "-" : ""}${whole}${part}`;
}

/** Without zeros at the end of the part after the point. */
export function trimmed(a: Amount): string {
  const said = text(a);
  return said.includes(".") ? said.replace(/\.?0+$/, "") : said;
}

/** Digits after the point of a tick or a lot as text: 2 for "0.01", 0 for "1". */
export function decimalsOf(step: string): number {
  return of(step).scale;
}

export function sum(amounts: Iterable<Amount>): Decimal {
  let total: Decimal = { units: 0n, scale: 0 };
  for (const each of amounts) total = add(total, each);
  return total;
}

/** For charts and widths only, where a float is good enough. */
export function toFloat(a: Amount): number {
  return Number(text(a));
}
