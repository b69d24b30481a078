import { go } from "../shell/routes";
import type { Screen } from "../shell/screens";

const to = (title: string, part: string, words: string) => ({ title, words, run: () => go(`#/prop/${part}`) });

export default {
  path: "prop",
  title: "Prop",
  letter: "e",
  order: 7,
  load: () => import("./Prop"),
  commands: [
    to("Evaluation: room left to every rule", "now", "dashboard gauge headroom daily loss"),
    to("Purchases and refunds", "purchases", "paid checkout"),
    to("Disputes: what banks took back, and until when to answer", "disputes", "chargeback evidence won lost"),
    to("Certificates: make, show, take back", "certificates", "passed funded proof link revoke"),
    to("Where you are paid: your account at the provider", "paid", "payout destination stripe bank"),
    to("History of assessments", "history", "passed failed"),
    to("Leaderboard: who is ahead", "ranks", "rank return payouts public name"),
    to("Reports: make, read, keep", "reports", "pdf html csv statistics"),
    to("Assessments of everybody", "assessments", "admin give away"),
    to("Risk book: what all traders hold", "risk", "exposure hedge firm"),
    to("Payouts: what waits, what was paid", "payouts", "pay agree refuse ordered failed"),
    to("Prices: coupons, affiliates, tax rates", "prices", "discount commission vat country"),
    to("Books beside the provider’s, by day", "books", "reconciliation differences stripe missing"),
    to("Shop: tiers, their rules and odds", "shop", "evaluation buy challenge compare"),
    to("Simulations: what was asked, and what was found", "simulations", "monte carlo odds kept seed"),
    to("Sensitivity: which rule of a tier costs how many passes", "simulations?kind=sensitivity", "simulation rules effect bars"),
    to("Projection: a fan of what may come of days traded", "simulations?kind=projection", "simulation percentile equity drawdown"),
    to("Validation: whether a journal was luck", "simulations?kind=validation", "simulation deflated sharpe pbo overfitting bootstrap"),
    to("Tiers: texts, what is wrong with one, versions", "tiers", "editor lint define publish"),
  ],
} satisfies Screen;
