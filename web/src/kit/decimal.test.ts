import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as d from "./decimal";

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 12 }))
  .map(([units, scale]): d.Decimal => ({ units, scale }));
const roundings = fc.constantFrom<d.Rounding>("down", "up", "half-even", "floor", "ceiling");

describe("laws", () => {
  test("what is said can be read, and says the same", () => {
    fc.assert(fc.property(decimals, (a) => d.text(d.of(d.text(a))) === d.text(a)));
  });

  test("sums: order does not matter, and subtraction takes back", () => {
    fc.assert(
      fc.property(decimals, decimals, decimals, (a, b, c) => {
        expect(d.compare(d.add(d.add(a, b), c), d.add(a, d.add(b, c)))).toBe(0);
        expect(d.compare(d.sub(d.add(a, b), b), a)).toBe(0);
        expect(d.compare(d.sum([a, b, c]), d.sum([c, b, a]))).toBe(0);
      }),
    );
  });

  test("a product is spread over a sum", () => {
    fc.assert(
      fc.property(decimals, decimals, decimals, (a, b, c) => {
        expect(d.compare(d.mul(a, d.add(b, c)), d.add(d.mul(a, b), d.mul(a, c)))).toBe(0);
      }),
    );
  });

  test("rounding goes where it says, by less than one of the last digit", () => {
    fc.assert(
      fc.property(decimals, fc.integer({ min: 0, max: 8 }), roundings, (a, scale, rounding) => {
        const found = d.rescale(a, scale, rounding);
        const one = { units: 1n, scale };
        expect(d.compare(d.abs(d.sub(found, a)), one)).toBe(-1);
        if (rounding === "floor") expect(d.compare(found, a)).not.toBe(1);
        if (rounding === "ceiling") expect(d.compare(found, a)).not.toBe(-1);
        if (rounding === "down") expect(d.compare(d.abs(found), d.abs(a))).not.toBe(1);
        if (rounding === "up") expect(d.compare(d.abs(found), d.abs(a))).not.toBe(-1);
        if (rounding === "half-even") {
          expect(d.compare(d.mul("2", d.abs(d.sub(found, a))), one)).not.toBe(1);
        }
      }),
    );
  });

  test("a quotient times the divisor is the dividend but for the last digit", () => {
    fc.assert(
      fc.property(decimals, decimals, fc.integer({ min: 0, max: 20 }), (a, b, scale) => {
        fc.pre(b.units !== 0n);
        const found = d.div(a, b, scale, "half-even");
        const off = d.abs(d.sub(d.mul(found, b), a));
        expect(d.compare(d.mul("2", off), d.mul(d.abs(b), { units: 1n, scale }))).not.toBe(1);
      }),
    );
  });

  test("steps: a multiple of the step, never above what was asked for when rounding down", () => {
    fc.assert(
      fc.property(decimals, fc.bigInt({ min: 1n, max: 10n ** 9n }), (a, units) => {
        const step = { units, scale: 8 };
        const found = d.toStep(d.abs(a), step);
        expect(d.isMultiple(found, step)).toBe(true);
        expect(d.compare(found, d.abs(a))).not.toBe(1);
      }),
    );
  });
});

test.each([
  ["1", "1"],
  ["-0.50", "-0.50"],
  [".5", "0.5"],
  ["00012.", "12"],
  ["+3.10", "3.10"],
  ["12345678901234567890.123456789", "12345678901234567890.123456789"],
])("%s is read as %s", (given, said) => {
  expect(d.text(d.of(given))).toBe(said);
});

test.each(["", ".", "-", "1e5", "1,000", "0x10", "NaN", "1.2.3", "１"])("%s is no decimal", (given) => {
  expect(d.parse(given)).toBeNull();
  expect(() => d.of(given)).toThrow(RangeError);
});

test.each([
  ["0.125", 2, "half-even", "0.12"],
  ["0.135", 2, "half-even", "0.14"],
  ["-0.125", 2, "half-even", "-0.12"],
  ["-0.121", 2, "floor", "-0.13"],
  ["-0.129", 2, "ceiling", "-0.12"],
  ["0.121", 2, "up", "0.13"],
] as const)("%s to %i digits, %s: %s", (given, scale, rounding, said) => {
  expect(d.text(d.rescale(given, scale, rounding))).toBe(said);
});

test("0.1 + 0.2 is 0.3", () => {
  expect(d.text(d.add("0.1", "0.2"))).toBe("0.3");
});
