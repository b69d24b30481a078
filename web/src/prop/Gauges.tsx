/** What is left of each rule. The state is a shape and a word; what is kept says nothing. */
import { Num } from "../kit/Num";
import { type Gauge, MARKS, WORDS } from "./gauges";

export function Gauges({ gauges, currency }: { gauges: readonly Gauge[]; currency: string }) {
  return <ul className="gauges" aria-label="What is left of each rule">{gauges.map((each) => <One key={each.rule} found={each} currency={currency} />)}</ul>;
}

function One({ found, currency }: { found: Gauge; currency: string }) {
  const { glyph, word, tone } = WORDS[found.mood];
  return (
    <li className={found.mood} data-rule={found.rule}>
      <div className="top"><b>{found.title}</b><span className="label">counted from <Num value={found.base} decimals={2} /></span>{found.mood !== "well" && <span className={`chip ${tone}`}>{glyph} {word}</span>}</div>
      <div className="track" role="meter" aria-label={found.title} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(found.used * 100)} aria-valuetext={`${found.leftPercent} % left, ${word}`}>
        <i className="used" style={{ width: `${found.used * 100}%` }} />
        {MARKS.map((mark) => <i key={mark} className="mark" style={{ insetInlineStart: `${mark * 100}%` }} />)}
      </div>
      <dl>
        <div><dt>left</dt><dd><b><Num value={found.left} decimals={2} /></b> {currency}</dd></div>
        <div><dt>of what may be lost</dt><dd>{found.leftPercent}{"\u202f"}%</dd></div>
        <div><dt>ends at</dt><dd><Num value={found.level} decimals={2} /></dd></div>
      </dl>
    </li>
  );
}
