import { expect, it } from "vitest";
import { firmSaid, type Tier } from "./tiers";

const trader = (name: string, pass: number, firm: number) => ({ trader: name, pass_probability: pass, firm_profit_mean: firm });
const tier = (traders: unknown[], phases = 1): Tier => ({ currency: "USD", phases: Array(phases), odds: traders.length ? { traders } : null }) as unknown as Tier;

it("says that most fail, and who pays whom", () => {
  expect(firmSaid(tier([trader("novice", 0.01, 500), trader("fair", 0.066, 128.26), trader("skilled:risk=1%", 0.518, -11455.77)])))
    .toBe("Most fail: without an edge, 93 of 100 tries do not pass. A try earns the firm USD 128 with them, and costs the firm USD 11,456 with those who have an edge, on average.");
  expect(firmSaid(tier([trader("fair", 0.6, -3)], 0))).toBe("Without an edge, 60 of 100 tries are paid. A try costs the firm USD 3 with them, on average.");
});

it("says nothing of what was not simulated", () => expect([firmSaid(tier([])), firmSaid(tier([trader("gambler", 0.1, 1)]))]).toEqual(["", ""]));
