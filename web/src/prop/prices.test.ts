import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Coupon, couponChanges, couponForm, couponWrong, field, isPercent, life, nanoseconds } from "./prices";

const SPRING: Coupon = { coupon: "SPRING", percent: "12.5000", amount: "", currency: "", uses: 3, uses_max: 10, uses_each_max: 1, begins_at: "", ends_at: "1800000000000000000", products: ["two-step-100k"] };

describe("moments", () => {
  it("come back from a field as they were, to the minute", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 70_000_000 }), (minutes) => {
      const ns = String(BigInt(minutes) * 60_000_000_000n);
      expect(nanoseconds(field(ns))).toBe(ns);
      expect(BigInt(Number(ns))).toBe(BigInt(ns)); // as a number in JSON
    }));
  });
  it("are none where none is written", () => {
    expect([field(""), field("0"), nanoseconds(""), nanoseconds("soon")]).toEqual(["", "", "0", "0"]);
  });
});

describe("a coupon", () => {
  it("that nobody touched changes nothing", () => expect(couponChanges(SPRING, couponForm(SPRING, "USD"))).toEqual([]));
  it("says what becomes other, and of a new one everything", () => {
    expect(couponChanges(SPRING, { ...couponForm(SPRING, "USD"), off: "20", uses: "0" })).toEqual([
      { name: "Takes off", now: "12.5\u202f%", then: "20\u202f%" },
      { name: "Used in all", now: "10 times", then: "any number of times" },
    ]);
    expect(couponChanges(null, couponForm(SPRING, "USD")).every(({ now }) => now === null)).toBe(true);
  });
  it.each([
    [{ off: "0" }, "off"], [{ off: "100.1" }, "off"], [{ by: "amount" as const, off: "1.2345" }, "off"], [{ coupon: "A B" }, "coupon"], [{ uses: "-1" }, "uses"],
    [{ begins: "2026-02-02T00:00", ends: "2026-02-02T00:00" }, "ends"],
  ])("%o is refused at its field", (other, name) => expect(Object.keys(couponWrong({ ...couponForm(SPRING, "USD"), ...other }))).toEqual([name]));
  it("works until it is used up or over", () => {
    expect(life(SPRING, 1n)).toBe("works");
    expect(life({ ...SPRING, uses: 10 }, 1n)).toBe("used up");
    expect(life(SPRING, 1_800_000_000_000_000_000n)).toBe("over");
    expect(life({ ...SPRING, begins_at: "2" }, 1n)).toBe("to come");
  });
});

it("a tax may be nothing, a coupon may not", () => {
  expect([isPercent("0", "0"), isPercent("0"), isPercent("19.5"), isPercent("101"), isPercent("1.23456")]).toEqual([true, false, true, false, false]);
});
