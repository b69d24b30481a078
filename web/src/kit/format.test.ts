import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { text } from "./decimal";
import * as f from "./format";
import type { Grouping } from "./prefs";

const groupings: Grouping[] = ["en", "de", "fr", "ch", "plain"];
const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: 0, max: 9 }))
  .map(([units, scale]) => text({ units, scale }));

test("what is shown, typed again, is the same number, in every grouping", () => {
  fc.assert(
    fc.property(decimals, fc.constantFrom(...groupings), (value, grouping) => {
      const shown = f.number(value, { grouping });
      const ambiguous = /^[−+]?[1-9]\d{0,2}[.,]\d{3}$/.test(shown) && value.includes(".") && grouping === "plain";
      fc.pre(!ambiguous);
      expect(f.typed(shown, grouping)).toBe(value.replace(/^-(0(\.0*)?)$/, "$1"));
    }),
  );
});

test("no digit is cut and none is made up", () => {
  fc.assert(
    fc.property(decimals, fc.integer({ min: 0, max: 12 }), (value, count) => {
      const { sign, head, zeros } = f.parts(value, { grouping: "plain", decimals: count });
      const shown = sign.replace(f.MINUS, "-") + head + zeros;
      expect(Number(shown)).toBe(Number(value));
      expect((shown.split(".")[1] ?? "").length).toBe(Math.max(count, (value.split(".")[1] ?? "").length));
    }),
  );
});

test.each([
  ["61240.50", {}, "61,240.50"],
  ["-1234567.8", { decimals: 2 }, "−1,234,567.80"],
  ["12", { signed: true }, "+12"],
  ["0.00", { signed: true }, "0.00"],
  ["12345678901.23", { grouping: "de" }, "12.345.678.901,23"],
  ["0.00000123", {}, "0.00000123"],
] as const)("%s %o is shown as %s", (value, style, shown) => {
  expect(f.number(value, style)).toBe(shown);
});

test("zeros at the end are told apart, so that they can be dimmed", () => {
  expect(f.parts("0.500", { grouping: "en" })).toEqual({ sign: "", head: "0.5", zeros: "00" });
  expect(f.parts("61000.00", { grouping: "en" })).toEqual({ sign: "", head: "61,000", zeros: ".00" });
});

test("missing is a dash, never zero", () => {
  for (const nothing of [null, undefined, ""]) expect(f.number(nothing)).toBe("–");
});

test.each([
  ["1,234.56", "en", "1234.56"],
  ["1.234,56", "en", "1234.56"],
  ["1,234", "en", "1234"],
  ["1,234", "de", "1.234"],
  ["1.234", "de", "1234"],
  ["0.123", "de", "0.123"],
  ["1.234", "en", "1.234"],
  ["12,5", "en", "12.5"],
  ["1 234 567,8", "fr", "1234567.8"],
  ["1’234.5", "ch", "1234.5"],
  ["−3", "en", "-3"],
  ["1.2.3", "en", null],
  ["1e5", "en", null],
  ["", "en", null],
] as const)("%s typed with %s means %s", (given, grouping, meant) => {
  expect(f.typed(given, grouping)).toBe(meant);
});

test.each([
  ["0.1234", "12.34\u202f%"],
  ["0.0001", "1.0\u202fbp"],
  ["-0.00004", "−0.4\u202fbp"],
  ["0", "0.00\u202f%"],
])("%s is %s", (share, shown) => {
  expect(f.percent(share, { grouping: "en" })).toBe(shown);
});

describe("time", () => {
  const at = 1_795_183_331_123_456_000n; // 2026-11-20 … in nanoseconds

  test("nanoseconds, milliseconds and ISO text mean the same", () => {
    const iso = new Date(Number(at / 1_000_000n)).toISOString();
    expect(f.dayTime(at, "ms", "UTC")).toBe(iso.replace("T", " ").replace("Z", ""));
    expect(f.dayTime(iso, "ms", "UTC")).toBe(f.dayTime(at, "ms", "UTC"));
    expect(f.time(at, "us", "UTC").endsWith(".123456")).toBe(true);
  });

  test("the hour that comes twice says its offset", () => {
    const first = Date.UTC(2026, 9, 25, 0, 30); // 02:30 summer time in Zurich
    const second = Date.UTC(2026, 9, 25, 1, 30); // 02:30 again
    expect(f.time(first, "min", "Europe/Zurich")).toBe("02:30 GMT+2");
    expect(f.time(second, "min", "Europe/Zurich")).toBe("02:30 GMT+1");
    expect(f.time(Date.UTC(2026, 9, 25, 5, 30), "min", "Europe/Zurich")).toBe("06:30");
  });

  test("ages are told only under an hour", () => {
    expect(f.age(12_300)).toBe("12\u202fs");
    expect(f.age(240_000)).toBe("4\u202fmin");
    expect(f.age(3_600_000)).toBeNull();
  });
});
