import { describe, expect, it } from "vitest";
import { lineOf, lineSaid, span } from "./lines";

const TEXT = `name = "mine"
account = "10000"

[[phases]]
name = "First"
daily_loss = { limit = "5%", from = "balance" }

[[phases]]   # the second one
name = "Second"
target = "5%"
[phases.overall_loss]
limit = "10%"
locks_at = "account"

[funded]
payout.split = "80%"
[[scaling]]
profit = "10%"
`;

describe("where a finding is", () => {
  it.each([
    ["account", 2], ["phases[0]", 4], ["phases[0].daily_loss", 6], ["phases[0].daily_loss.from", 6], ["phases[0].overall_loss", 4],
    ["phases[1]", 8], ["phases[1].target", 10], ["phases[1].overall_loss.locks_at", 13], ["phases[1].overall_loss.follows", 11],
    ["funded", 15], ["funded.inactivity_days", 15], ["funded.payout.split", 16], ["scaling[0].profit", 18], ["scaling[1]", 0], ["effective_until", 0],
  ])("%s is in line %i", (where, line) => expect(lineOf(TEXT, where)).toBe(line));

  it("is what the reader of the text says, where it says a line", () => {
    expect(lineSaid("a tier's text is no TOML: Expected '=' (at line 3, column 5)")).toBe(3);
    expect(lineSaid("account is -1")).toBe(0);
  });

  it("is marked from its first letter to its last", () => {
    for (const line of [1, 2, 6]) expect(TEXT.slice(...span(TEXT, line))).toBe(TEXT.split("\n")[line - 1]);
  });
});
