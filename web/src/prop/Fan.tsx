/** Where paths of days like those traded are, by day: bands, the middle, and the limits of a tier across. */
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { daySaid, type Projection, share, type Threshold } from "./simulations";

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const HEIGHT = 320;

function columns(found: Projection, lines: readonly Threshold[]): uPlot.AlignedData {
  const days = [0, ...found.fan.map(({ day }) => day)];
  const quantiles = [0, 1, 2, 3, 4].map((nth) => [0, ...found.fan.map((point) => point.quantiles[nth] ?? null)]);
  return [days, ...quantiles, ...lines.map(({ at }) => days.map(() => at))] as uPlot.AlignedData;
}

export function Fan({ found, lines }: { found: Projection; lines: readonly Threshold[] }) {
  const place = useRef<HTMLDivElement>(null);
  const [nth, setNth] = useState(found.fan.length - 1);
  const { theme, direction, density } = useStore(prefs);
  useEffect(() => {
    const at = place.current;
    if (!at) return undefined;
    const axis: uPlot.Axis = { stroke: token("--ink2"), font: "11px 'Inter Variable', system-ui, sans-serif", grid: { stroke: token("--rule"), width: 1 }, ticks: { show: false } };
    const edge = { stroke: token("--ink3"), width: 1, points: { show: false } };
    const line = token("--line1");
    const made = new uPlot({
      width: at.clientWidth, height: HEIGHT, legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: false } },
      series: [
        {}, { label: "5 of 100", ...edge }, { label: "25 of 100", ...edge }, { label: "Middle", stroke: token("--ink"), width: 2, points: { show: false } }, { label: "75 of 100", ...edge }, { label: "95 of 100", ...edge },
        ...lines.map(({ name, kind }): uPlot.Series => ({ label: name, stroke: token(kind === "target" ? "--line1" : "--critical-ink"), width: kind === "target" ? 1.5 : 2, dash: kind === "target" ? [8, 4] : undefined, points: { show: false } })),
      ],
      bands: [{ series: [5, 1], fill: `color-mix(in srgb, ${line} 14%, transparent)` }, { series: [4, 2], fill: `color-mix(in srgb, ${line} 22%, transparent)` }],
      axes: [
        { ...axis, size: 24, space: 64, values: (_, splits) => splits.map((each) => `day ${each}`) },
        { ...axis, side: 1, size: 64, space: 28, values: (_, splits) => splits.map((each) => share(each, 0)) },
      ],
      hooks: { setCursor: [(plot) => { const { idx } = plot.cursor; if (typeof idx === "number" && idx > 0) setNth(idx - 1); }] },
    }, columns(found, lines), at);
    const watch = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height: HEIGHT }));
    watch.observe(at);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [found, lines, theme, direction, density]);
  const end = found.fan.length - 1;
  return (
    <div className="fan">
      <div className="plot" ref={place} role="img" aria-label={`Fan of ${found.paths} paths over ${found.days} days. ${daySaid(found, end)} ${lines.map(({ name, at }) => `${name} at ${share(at)}`).join(", ")}`} style={{ minHeight: HEIGHT }} />
      <label className="day"><span className="label">Day</span><input type="range" min={0} max={end} value={nth} aria-valuetext={daySaid(found, nth)} onChange={(event) => setNth(Number(event.target.value))} /></label>
      <p className="pad said" aria-live="polite">{daySaid(found, nth)}</p>
      {lines.length > 0 && <ul className="pad thresholds">{lines.map(({ name, at, kind }) => <li key={name} className={kind}>{share(at)} <span className="label">{name}</span></li>)}</ul>}
    </div>
  );
}
