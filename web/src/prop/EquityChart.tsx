/** Equity with its limits as lines of steps, and each reset as a rule across. A gap is a gap. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dayTime, number, short, time } from "../kit/format";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";

export interface EquityColumns {
  /** Seconds since 1970. */
  at: readonly number[];
  equity: readonly (number | null)[];
  daily: readonly (number | null)[];
  overall: readonly (number | null)[];
  target: number | null;
  /** Seconds since 1970 of each reset. */
  resets: readonly number[];
}

interface EquityChartProps {
  columns: EquityColumns;
  height: number;
  summary: string;
}

const DAY_S = 86_400;
const SHORT_S = 900;
const FINE = 100; // Short forms of what lies nearer together would be the same.
const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const stepped = (): uPlot.Series.PathBuilder | undefined => uPlot.paths.stepped?.({ align: 1 });

function aligned({ at, equity, daily, overall, target }: EquityColumns): uPlot.AlignedData {
  return [[...at], [...equity], [...daily], [...overall], at.map(() => target)];
}

function across(resets: () => readonly number[]): uPlot.Plugin {
  return {
    hooks: {
      drawClear: (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = token("--edge");
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
        for (const reset of resets()) {
          const x = Math.round(plot.valToPos(reset, "x", true));
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  };
}

export function EquityChart({ columns, height, summary }: EquityChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(columns);
  latest.current = columns;
  const { theme, direction, zone, density } = useStore(prefs);

  useEffect(() => {
    const at = place.current;
    if (!at) return undefined;
    const axis: uPlot.Axis = { stroke: token("--ink2"), font: "11px 'Inter Variable', system-ui, sans-serif", grid: { stroke: token("--rule"), width: 1 }, ticks: { show: false } };
    const lasts = (): number => (latest.current.at.at(-1) ?? 0) - (latest.current.at[0] ?? 0);
    const said = (moment: number): string => (lasts() > 2 * DAY_S ? dayTime(moment * 1_000, "min", zone).slice(5, 16) : time(moment * 1_000, lasts() < SHORT_S ? "s" : "min", zone));
    const made = new uPlot({
      width: at.clientWidth, height, legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, low, high) => { const air = (high - low || Math.abs(high) * 0.01 || 1) * 0.06; return [low - air, high + air]; } } },
      series: [
        {},
        { label: "Equity", stroke: token("--ink"), width: 1.5, spanGaps: false, points: { show: false } },
        { label: "Day’s limit", stroke: token("--warn-line"), width: 1.5, dash: [3, 3], paths: stepped(), spanGaps: false, points: { show: false } },
        { label: "Overall limit", stroke: token("--critical-ink"), width: 2, paths: stepped(), spanGaps: false, points: { show: false } },
        { label: "Target", stroke: token("--line1"), width: 1.5, dash: [8, 4], points: { show: false } },
      ],
      axes: [
        { ...axis, space: 104, size: 24, values: (_, splits) => splits.map((each, nth) => (nth && said(each) === said(splits[nth - 1] as number) ? "" : said(each))) },
        { ...axis, side: 1, size: 72, space: 28, values: (_, splits, __, ___, step) => splits.map((each) => (step < FINE ? number(each.toFixed(step < 1 ? 2 : 0)) : short(String(each)))) },
      ],
      plugins: [across(() => latest.current.resets)],
    }, aligned(latest.current), at);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height }));
    watch.observe(at);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
    // Colours and zone are read when it is made.
  }, [height, theme, direction, zone, density]);

  useEffect(() => plot.current?.setData(aligned(columns)), [columns]);
  return <div className="plot" ref={place} role="img" aria-label={summary} style={{ minHeight: height }} />;
}
