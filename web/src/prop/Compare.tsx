/** Two tiers, row by row; what differs is marked with a sign. */
import { number } from "../kit/format";
import { Sketch } from "./Sketch";
import { type Fact, differs, facts, limits, probability, stages, type Tier, type Trader, whole } from "./tiers";

interface Row {
  name: string;
  cells: readonly (Fact | undefined)[];
}

function lined(all: readonly (readonly Fact[])[]): Row[] {
  return (all[0] ?? []).map(({ name }, nth) => ({ name, cells: all.map((each) => each[nth]) })).filter(({ cells }) => cells.some((each) => each && each.value !== "none" && each.value !== "–"));
}

/** What becomes of the money of one try, on average. */
function aTry(tier: Tier, found: Trader): string {
  const firm = `${number(found.firm_profit_mean.toFixed(0), { signed: true })} ± ${number(found.firm_profit_se.toFixed(0))} for the firm`;
  return `a try: ${tier.payout ? `${number(found.payout_mean.toFixed(0))} paid, ` : ""}${firm}, ${tier.currency}`;
}

export function Compare({ tiers }: { tiers: readonly Tier[] }) {
  const most = Math.max(...tiers.map((each) => stages(each).length));
  const groups: { title: string; rows: Row[]; nth: number | null }[] = [{ title: "The account", rows: lined(tiers.map(whole)), nth: null }];
  for (let nth = 0; nth < most; nth++) {
    const of = tiers.map((each) => stages(each)[nth]);
    const widest = tiers.map((each, at) => (of[at] ? facts(each, of[at]) : null));
    const names = widest.find((each) => each !== null) ?? [];
    groups.push({ title: `Stage ${nth + 1}`, nth, rows: lined(widest.map((each) => each ?? names.map(({ name }) => ({ name, value: "–" })))) });
  }
  const traders = tiers[0]?.odds?.traders ?? [];
  return (
    <div className="scroll compared">
      <table className="table" aria-label="Two tiers compared">
        <thead><tr><th scope="col">Rule</th>{tiers.map((each) => <th key={each.tier} scope="col">{each.title}</th>)}</tr></thead>
        {groups.map(({ title, rows, nth }) => (
          <tbody key={title}>
            <tr className="group"><th scope="rowgroup">{title}</th>{tiers.map((each) => {
              const stage = nth === null ? undefined : stages(each)[nth];
              return <td key={each.tier}>{stage ? <><b>{stage.name}</b><Sketch limits={limits(each, stage)} label={`${each.title}, ${stage.name}`} /></> : nth === null ? "" : <span className="dim">has no such stage</span>}</td>;
            })}</tr>
            {rows.map(({ name, cells }) => {
              const other = differs(cells.map((each) => `${each?.value} ${each?.more ?? ""}`));
              return <tr key={name} className={other ? "other" : undefined}><th scope="row">{other && <abbr title="differs">≠</abbr>} {name}</th>{cells.map((each, at) => <td key={tiers[at]?.tier}>{each?.value}{each?.more && <small>{each.more}</small>}</td>)}</tr>;
            })}
          </tbody>
        ))}
        {traders.length > 0 && (
          <tbody>
            <tr className="group"><th scope="rowgroup">Who passes, simulated</th>{tiers.map((each) => <td key={each.tier}>{each.odds ? `${number(String(each.odds.paths))} paths, seed ${each.odds.seed}` : <span className="dim">not simulated</span>}</td>)}</tr>
            {traders.map(({ trader, title }) => <tr key={trader}><th scope="row"><span className="kind">{trader.split(":")[0]}</span><small>{title}</small></th>{tiers.map((each) => {
              const found = each.odds?.traders.find((other) => other.trader === trader);
              return <td key={each.tier}>{found ? <>{probability(found.pass_probability, found.pass_se)}<small>{aTry(each, found)}</small></> : "–"}</td>;
            })}</tr>)}
          </tbody>
        )}
      </table>
    </div>
  );
}
