import { describe, expect, it } from "vitest";
import { type Bar, bars, costs, daySaid, exported, type Found, judged, type Projection, reach, thresholds, type Validation } from "./simulations";
import type { Tier, Trader } from "./tiers";

const effect = (rule: string, change: string, pass: number, moved: number) => ({ rule, change, pass_probability: pass, pass_change: moved, payout_mean: 0, payout_change: 1, firm_profit_mean: 0, firm_profit_change: -1 });
const trader = { trader: "fair", title: "", pass_probability: 0.2, pass_se: 0.01, effects: [effect("target", "-25 %", 0.3, 0.1), effect("overall_loss", "-25 %", 0.05, -0.15), effect("news", "none", 0.201, 0.001)] } as unknown as Trader;

describe("what each rule does", () => {
  it("is said with the strongest first, and an error that falls with the paths", () => {
    const found = bars(trader, 400);
    expect(found.map(({ name }) => name)).toEqual(["Overall loss", "Profit target", "News"]);
    expect(found[1]?.error).toBeCloseTo(2 * Math.sqrt((0.2 * 0.8 + 0.3 * 0.7) / 400), 12);
    expect(bars(trader, 1_600)[1]?.error).toBeCloseTo((found[1] as Bar).error / 2, 12);
    expect(reach(found)).toBeGreaterThanOrEqual(0.15);
  });
  it("names the rule that costs most, and what cannot be told from chance", () => {
    const said = costs(bars(trader, 2_000));
    expect(said).toContain("“Profit target: −25 %”, +10.0");
    expect(said).toContain("1 of 3 changes cannot be told from chance");
    expect(costs(bars(trader, 10))).toContain("No looser rule");
    expect(costs([])).toContain("no rule");
    const paired = { ...trader, effects: [{ ...effect("target", "-25 %", 0.3, 0.1), pass_change_se: 0.002 }, { ...effect("split", "-10 %", 0.2, 0), pass_change_se: 0 }] } as unknown as Trader;
    expect(bars(paired, 100)[0]?.error).toBeCloseTo(0.004, 12);
    expect(costs(bars(paired, 100))).toContain("1 let the same tries pass.");
  });
});

const projection = { days: 20, fan: [{ day: 10, quantiles: [-0.1, -0.02, 0.01, 0.03, 0.08] }, { day: 20, quantiles: [-0.2, -0.04, 0.02, 0.06, 0.16] }] } as unknown as Projection;

describe("a fan", () => {
  it("says a day in words, and keeps to the days that there are", () => {
    expect(daySaid(projection, 0)).toContain("Day 10: half of the paths are between −2.0\u202f% and 3.0\u202f%");
    expect(daySaid(projection, 99)).toContain("Day 20");
    expect(daySaid({ ...projection, fan: [] }, 0)).toBe("");
  });
  it("has the limits of a tier as parts of its account", () => {
    const tier = { account: "50000", phases: [{ name: "One", target: "4000", overall_loss: { amount: "5000", follows: "trailing" } }], funded: null } as unknown as Tier;
    expect(thresholds(tier).map(({ at, kind }) => [at, kind])).toEqual([[0.08, "target"], [-0.1, "overall"]]);
    expect(thresholds(tier)[1]?.name).toContain("follows");
    expect(thresholds(undefined)).toEqual([]);
  });
  it("is exported as it is drawn", () => {
    const found = { projection, validation: null, traders: [], item: { kind: "projection" } } as unknown as Found;
    expect(exported(found).rows).toEqual([[10, -0.1, -0.02, 0.01, 0.03, 0.08], [20, -0.2, -0.04, 0.02, 0.06, 0.16]]);
  });
});

describe("whether it was luck", () => {
  const found = { sharpe: 0.1, sharpe_annual: 1.6, sharpe_low: -0.1, sharpe_high: 0.3, probabilistic_sharpe: 0.9, trials: 20, expected_max_sharpe: 0.24, deflated_sharpe: 0.1, overfit_probability: 0.7 } as unknown as Validation;
  it("is not ruled out where the deflated ratio is low, and choosing says nothing where most halves contradict it", () => {
    const said = judged(found).join(" ");
    expect(said).toContain("too little to rule luck out");
    expect(said).toContain("says nothing of tomorrow");
  });
  it("asks how many were tried, and says what is missing", () => {
    const said = judged({ ...found, trials: 1, overfit_probability: null }).join(" ");
    expect(said).toContain("say how many");
    expect(said).toContain("none was given");
    expect(judged({ ...found, deflated_sharpe: 0.99 }).join(" ")).not.toContain("too little");
  });
});
