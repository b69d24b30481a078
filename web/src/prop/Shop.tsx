/** What is sold: the rules as pictures, the price, and the odds as large as the price. */
import { useEffect, useState } from "react";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { number } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { provide } from "../shell/keys";
import { setQuery } from "../shell/routes";
import { may } from "../shell/session";
import { Buy } from "./Buy";
import { Compare } from "./Compare";
import type { PageProps } from "./Prop";
import { Sketch } from "./Sketch";
import { chance, facts, firmSaid, kind, limits, part, probability, stages, sum, type Tier, type Trader, untilPassed } from "./tiers";

const TWO = 2;

export default function Shop({ route }: PageProps) {
  const asked = useAsked("tiers", () => ok(api.GET("/api/tiers", { params: { query: { state: "published" } } })));
  const tiers = asked.data?.items ?? [];
  const chosen = (route.query.compare ?? "").split(",").filter((name) => tiers.some(({ tier }) => tier === name));
  const isComparing = route.query.view === "compare" && chosen.length === TWO;
  const choose = (name: string): void => {
    const next = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen.slice(-1), name];
    setQuery({ compare: next.join(",") || null, view: null });
  };
  const toggle = (): void => setQuery({ view: isComparing ? null : "compare" });
  useEffect(() => provide("Shop", [
    { title: isComparing ? "Back to all tiers" : "Compare the two that are marked", keys: "c", unless: () => (chosen.length === TWO ? "" : "mark two tiers first"), run: toggle },
  ]), [isComparing, chosen.join()]);
  return (
    <section className="panel" data-panel aria-label="Shop">
      <header>
        <h2>Accounts that are sold</h2>
        <span className="label lead">Rules are drawn from the same terms that are enforced. Odds are simulated, and no promise.</span>
        <div className="end">
          <button type="button" className="button" disabled={chosen.length !== TWO} title={chosen.length === TWO ? undefined : "Mark two tiers first"} onClick={toggle}>{isComparing ? "All tiers" : "Compare"} <kbd>c</kbd></button>
        </div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={12} waitsFor="Reading tiers" />}
      {asked.data && tiers.length === 0 && <Empty>Nothing is sold today.</Empty>}
      {isComparing ? <Compare tiers={chosen.map((name) => tiers.find(({ tier }) => tier === name) as Tier)} /> : (
        <ul className="tiers">{tiers.map((tier) => <Card key={`${tier.tier} ${tier.version}`} tier={tier} accounts={asked.data?.account_currency ?? tier.currency} isMarked={chosen.includes(tier.tier)} onMark={() => choose(tier.tier)} />)}</ul>
      )}
    </section>
  );
}

function Card({ tier, accounts, isMarked, onMark }: { tier: Tier; accounts: string; isMarked: boolean; onMark: () => void }) {
  const all = stages(tier);
  const [nth, setNth] = useState("0");
  const [isBuying, setBuying] = useState(false);
  const stage = all[Number(nth)] ?? all[0];
  if (!stage) return null;
  const why = !may("purchases:write") ? "Needs scope purchases:write" : tier.currency === accounts ? "" : `In ${tier.currency}; accounts here are in ${accounts}`;
  return (
    <li className="tier" aria-labelledby={`tier-${tier.tier}`}>
      <div className="name">
        <h3 id={`tier-${tier.tier}`}>{tier.title}</h3>
        <label className="check"><input type="checkbox" checked={isMarked} onChange={onMark} />compare</label>
      </div>
      <Price tier={tier} />
      <div className="drawn">
        {all.length > 1 ? <Segmented label={`Stage of ${tier.title}`} value={nth} onChange={setNth} choices={all.map((each, at) => ({ value: String(at), label: each.name }))} /> : <p className="label">{stage.name}</p>}
        <Sketch limits={limits(tier, stage)} label={`${tier.title}, ${stage.name}: limits under an example of a week`} />
      </div>
      <Marks tier={tier} stage={stage} />
      <dl className="rules">{facts(tier, stage).filter(({ value }) => value !== "none").map(({ name, value, more }) => (
        <div key={name}><dt>{name}</dt><dd>{value}{more && <small>{more}</small>}</dd></div>
      ))}</dl>
      <OddsOf tier={tier} />
      <Words tier={tier} />
      <div className="buy"><button type="button" className="button main" disabled={why !== ""} title={why || undefined} onClick={() => setBuying(true)}>Buy for {sum(tier.currency, tier.fee)}</button>{why && <span className="label">{why}</span>}</div>
      {isBuying && <Buy tier={tier.tier} title={tier.title} onClose={() => setBuying(false)} />}
    </li>
  );
}

const WITH: Record<string, string> = { fair: "of those without an edge", skilled: "of those with an edge" };

/** As the house writes them, of the terms that are enforced. */
function Words({ tier }: { tier: Tier }) {
  const [isOpen, setOpen] = useState(false);
  const asked = useAsked(isOpen ? `tier ${tier.tier} ${tier.version}` : "", () => ok(api.GET("/api/tiers/{tier}", { params: { path: { tier: tier.tier }, query: { version: tier.version } } })));
  return (
    <details className="words" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Every rule in words</summary>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {isOpen && !asked.data && !asked.problem && <Loading rows={6} waitsFor="Reading the rules" />}
      {asked.data?.rules.map(({ heading, sentences }) => <section key={heading}><h4>{heading}</h4><ul>{sentences.map((each) => <li key={each}>{each}</li>)}</ul></section>)}
      <p className="label">Version {tier.version}, terms <span className="mono" title={tier.fingerprint}>{tier.fingerprint.slice(0, 16)}</span></p>
    </details>
  );
}

/** The price, and beside it in the same size what became of simulated people. */
function Price({ tier }: { tier: Tier }) {
  const shown = tier.odds?.traders.filter((each) => ["fair", "skilled"].includes(kind(each))) ?? [];
  return (
    <dl className="price">
      <div><dt>{tier.payout?.refunds_fee ? "once a try, back with the first payout" : "once a try"}</dt><dd>{sum(tier.currency, tier.fee)}</dd></div>
      {shown.map((each) => <div key={each.trader}><dt title={each.title}>{WITH[kind(each)] ?? kind(each)} {tier.phases.length ? "pass" : "are paid"}</dt><dd>{chance(each.pass_probability)}</dd></div>)}
    </dl>
  );
}

/** Time, days and share, as marks that can be counted. */
function Marks({ tier, stage }: { tier: Tier; stage: Tier["phases"][number] }) {
  const share = tier.payout ? Number(tier.payout.split) / 100 : 0;
  return (
    <dl className="marks">
      <div><dt>Time</dt><dd><svg viewBox="0 0 64 12" aria-hidden="true"><path d={stage.time_limit_days ? "M1 6H62M62 1V11M1 3V9" : "M1 6H62M57 2L62 6L57 10M1 3V9"} /></svg>{stage.time_limit_days ? `${stage.time_limit_days} days` : "no limit"}</dd></div>
      <div><dt>Days</dt><dd><svg viewBox="0 0 64 12" aria-hidden="true">{Array.from({ length: Math.min(stage.min_trading_days, 8) }, (_, day) => <rect key={day} x={day * 8} y="3" width="6" height="6" />)}</svg>{stage.min_trading_days ? `${stage.min_trading_days} at least` : "any"}</dd></div>
      <div><dt>Share</dt><dd>{tier.payout ? <><svg viewBox="0 0 64 12" aria-hidden="true"><rect className="frame" x=".5" y="2.5" width="63" height="7" /><rect x="0" y="2" width={64 * share} height="8" /></svg>{part(tier.payout.split)} yours</> : "nothing is paid"}</dd></div>
    </dl>
  );
}

function OddsOf({ tier }: { tier: Tier }) {
  const { odds } = tier;
  if (!odds) return <div className="odds"><p className="label">Nobody has simulated this version: its odds are not known.</p></div>;
  const said = firmSaid(tier);
  return (
    <div className="odds">
      {said && <p>{said}</p>}
      <table aria-label={`Simulated odds of ${tier.title}`}>
        <thead><tr><th scope="col">Trader, simulated</th><th scope="col" className="num">{tier.phases.length ? "Passes" : "Is paid once"}</th><th scope="col" className="num">Fees until then, {tier.currency}</th><th scope="col" className="num">Paid a try, {tier.currency}</th></tr></thead>
        <tbody>{odds.traders.map((each) => <Row key={each.trader} tier={tier} found={each} />)}</tbody>
      </table>
      <p className="label">{number(String(odds.paths))} paths each, seed {odds.seed}; ± is one standard error; fees and payments are means. Left out: which instruments may be traded, and how many positions at a time.</p>
    </div>
  );
}

/** Digits whose zeros at the end say nothing here: averages, in whole units. */
const about = (amount: string | null): string => (amount === null ? "–" : number(amount.split(".")[0] ?? amount));

function Row({ tier, found }: { tier: Tier; found: Trader }) {
  return (
    <tr>
      <th scope="row"><b>{kind(found)}</b><small>{found.title}</small><span className="share" aria-hidden="true"><i style={{ width: `${Math.min(found.pass_probability * 100, 100)}%` }} /></span></th>
      <td className="num" title={found.median_days === null ? undefined : `half of those who pass have within ${Math.round(found.median_days)} days`}>{probability(found.pass_probability, found.pass_se)}</td>
      <td className="num">{Number(tier.fee) > 0 ? about(untilPassed(tier.fee, found)) : "0"}</td>
      <td className="num">{tier.payout ? about(found.payout_mean.toFixed(0)) : "–"}</td>
    </tr>
  );
}
