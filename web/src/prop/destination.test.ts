import { expect, it } from "vitest";
import { masked, mayChange } from "./destination";

it("hides all but the end, and everything of what is short", () => {
  expect(masked("acct_1A2b3C4d5E6f7G")).toBe("••••••••6f7G");
  for (const short of ["1234", "12345678"]) expect(masked(short)).not.toMatch(/\d/);
});

it("refuses cards, what is there already, and what is no account at Stripe", () => {
  expect(mayChange("4242 4242 4242 4242", "", "sandbox")).toContain("card");
  expect(mayChange(" acct_1A2b3C4d ", "acct_1A2b3C4d", "stripe")).toContain("already");
  expect(mayChange("tim", "", "stripe")).toContain("acct_");
  expect(mayChange("acct_1A2b3C4d5E6f7G", "acct_1A2b3C4d", "stripe")).toBe("");
  expect(mayChange("wherever", "", "sandbox")).toBe("");
});
