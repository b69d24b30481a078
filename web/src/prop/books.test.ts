import { expect, it } from "vitest";
import { type Day, differences, isDay, moved } from "./books";

const line = (kind: string, amount: string) => ({ kind, reference: `re-${amount}`, name: "pu_1", amount, currency: "USD", at: "1" });
const day = (some: Partial<Day>): Day => ({ day: "2026-11-21", provider: "sandbox", is_right: false, compared: 0, missing_here: [], missing_there: [], differ: [], ...some });

it("says what differs first, then the largest of what is missing, each with what to do", () => {
  const found = differences(day({
    missing_here: [line("sale", "5.00"), line("payout", "-900.00")],
    missing_there: [line("refund", "-40.00")],
    differ: [{ kind: "sale", reference: "re-1", name: "pu_2", ours: "349.00", ours_currency: "USD", theirs: "349.01", theirs_currency: "USD" }],
  }));
  expect(found.map(({ what, ours, theirs }) => [what, ours, theirs])).toEqual([["differs", "349.00", "349.01"], ["not heard of here", null, "-900.00"], ["not at the provider", "-40.00", null], ["not heard of here", null, "5.00"]]);
  expect(found.every(({ next }) => next.length > 20)).toBe(true);
});

it("says nothing of a day that is right", () => expect(differences(day({ is_right: true, compared: 7 }))).toEqual([]));

it.each([["2026-03-01", -1, "2026-02-28"], ["2024-02-28", 1, "2024-02-29"], ["2026-12-31", 1, "2027-01-01"]])("%s by %i is %s", (from, by, to) => expect(moved(from, by)).toBe(to));
it("knows what is a day", () => expect(["2026-11-21", "2026-13-01", "", "yesterday"].map(isDay)).toEqual([true, false, false, false]));
