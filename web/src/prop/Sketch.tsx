/** The limits of a stage, drawn as levels under a week of somebody's equity. */
import { money } from "../kit/format";
import { type Limits, type Point, sketch, spread } from "./sketch";

const HEIGHT = 152;
const GAP = 28;

interface Level {
  word: string;
  at: number;
  look: string;
}

export function Sketch({ limits, label }: { limits: Limits; label: string }) {
  const found = sketch(limits);
  const y = (at: number): number => ((found.high - at) / (found.high - found.low)) * HEIGHT;
  const x = (time: number): number => (time / found.days) * 100;
  const line = (points: readonly Point[]): string => points.map(([time, at], nth) => `${nth ? "L" : "M"}${x(time).toFixed(2)} ${y(at).toFixed(2)}`).join("");
  const today = found.daily[1];
  const floor = found.overall.at(-1)?.[1];
  const levels: Level[] = [
    ...(limits.target ? [{ word: "target", at: limits.size + limits.target, look: "target" }] : []),
    { word: "begins", at: limits.size, look: "begins" },
    ...(today ? [{ word: "day’s limit", at: (found.daily.at(-1) as { at: number }).at, look: "daily" }] : []),
    ...(floor !== undefined ? [{ word: "ends here", at: floor, look: "overall" }] : []),
  ];
  const places = spread(levels.map(({ at }) => y(at)), GAP, HEIGHT);
  return (
    <figure className="sketch" role="img" aria-label={`${label}. ${levels.map(({ word, at }) => `${word} ${money(at.toFixed(2))}`).join(", ")}.`}>
      <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {Array.from({ length: found.days - 1 }, (_, day) => <path key={day} className="reset" d={`M${x(day + 1)} 0V${HEIGHT}`} />)}
        {floor !== undefined && <path className="over" d={`${line(found.overall)}L100 ${HEIGHT}L0 ${HEIGHT}Z`} />}
        <path className="begins" d={`M0 ${y(limits.size)}H100`} />
        {limits.target > 0 && <path className="target" d={`M0 ${y(limits.size + limits.target)}H100`} />}
        {found.daily.map((day) => <path key={day.from} className="daily" d={`M${x(day.from)} ${y(day.at)}H${x(day.until)}`} />)}
        {floor !== undefined && <path className="overall" d={line(found.overall)} />}
        <path className="equity" d={line(found.equity)} />
      </svg>
      <ul aria-hidden="true">{levels.map((level, nth) => (
        <li key={level.word} className={level.look} style={{ top: places[nth] }}><b>{money(level.at.toFixed(2), { decimals: 0 })}</b><span>{level.word}</span></li>
      ))}</ul>
    </figure>
  );
}
