import { describe, expect, it } from "vitest";
import { back, isSettled, type Purchase, purchaseState } from "./purchases";

const bought = (state: string, assessment_id: string | null = null) => ({ state, assessment_id }) as unknown as Purchase;

describe("who comes back from paying", () => {
  it.each([
    ["awaiting_payment", false, "Paid, not confirmed"],
    ["awaiting_payment", true, "Not paid"],
    ["opened", false, "Paid, not confirmed"],
    ["pending", true, "Paid, not confirmed"],
    ["completed", true, "Paid"],
    ["expired", false, "Not paid in time"],
    ["charged_back", false, "charged back"],
  ])("%s, left %s, is told: %s", (state, left, title) => expect(back(bought(state), left).title).toBe(title));

  it("is told that the assessment is open once it is", () => {
    expect(back(bought("completed"), false).next).not.toBe(back(bought("completed", "asm-1"), false).next);
  });
});

it("asks again only while something may still come", () => {
  expect(["opened", "awaiting_payment", "pending", "completed", "expired", "refunded"].map((each) => isSettled(bought(each)))).toEqual([false, false, false, true, true, true]);
});

it("has a word of its own for every state", () => {
  const words = ["opened", "awaiting_payment", "pending", "completed", "partly_refunded", "refunded", "disputed", "charged_back", "expired"].map((each) => purchaseState(each).word);
  expect(new Set(words).size).toBe(words.length);
});
