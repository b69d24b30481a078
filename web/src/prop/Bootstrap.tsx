/** How Sharpe ratios of bootstraps are spread, with what they are compared to across. */
import { MINUS } from "../kit/format";
import type { Validation } from "./simulations";

const WIDTH = 800, HEIGHT = 160;

export function Bootstrap({ found }: { found: Validation }) {
  const first = found.bins[0], last = found.bins.at(-1);
  if (!first || !last) return null;
  const marks = [
    { name: "0", at: 0, kind: "zero" }, { name: "of these days", at: found.sharpe, kind: "own" },
    ...(found.trials > 1 ? [{ name: `best of ${found.trials} without skill`, at: found.expected_max_sharpe, kind: "luck" }] : []),
  ];
  const low = Math.min(first.low, ...marks.map(({ at }) => at)), high = Math.max(last.high, ...marks.map(({ at }) => at));
  const air = (high - low || 1) * 0.02;
  const x = (ratio: number): number => ((ratio - low + air) / (high - low + 2 * air || 1)) * WIDTH;
  const most = Math.max(...found.bins.map(({ count }) => count), 1);
  const said = marks.map(({ name, at }) => `${name}: ${at.toFixed(3).replace("-", MINUS)}`).join("; ");
  return (
    <figure className="bootstrap">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Sharpe ratios of ${found.bootstraps} bootstraps, from ${first.low.toFixed(3)} to ${last.high.toFixed(3)}. ${said}`}>
        {found.bins.map((each) => <rect key={each.low} x={x(each.low)} width={Math.max(x(each.high) - x(each.low) - 1, 1)} y={HEIGHT - (each.count / most) * (HEIGHT - 8)} height={(each.count / most) * (HEIGHT - 8)} />)}
        {marks.map(({ name, at, kind }) => <path key={name} className={kind} d={`M${x(at)} 0V${HEIGHT}`} />)}
      </svg>
      <ul className="thresholds">{marks.map(({ name, at, kind }) => <li key={name} className={kind}>{at.toFixed(3).replace("-", MINUS)} <span className="label">{name}</span></li>)}</ul>
    </figure>
  );
}
