/** Lines by time with uPlot: a gap is a gap, latency stands on a log axis, and the cursor is shared. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { time } from "../kit/format";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { alone } from "./sentence";

export interface Line {
  label: string;
  /** Name of the token that it is drawn in. */
  token: string;
  dash?: number[];
  width?: number;
}

interface ChartProps {
  /** Seconds since 1970, then the lines. */
  columns: readonly (readonly (number | null)[])[];
  lines: readonly Line[];
  log?: boolean;
  /** Counts of a step of time: level from its beginning to its end, since nobody knows what was between. */
  stepped?: boolean;
  height: number;
  format: (value: number) => string;
  /** One sentence that says what is drawn. */
  summary: string;
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Chart({ columns, lines, log, stepped, height, format, summary }: ChartProps) {
  const at = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { theme, direction, zone, density } = useStore(prefs);
  const said = useRef(format);
  said.current = format;
  const latest = useRef(columns);
  latest.current = columns;
  const shape = lines.map((line) => line.label).join();

  useEffect(() => {
    const place = at.current;
    if (!place) return undefined;
    const font = "11px 'Inter Variable', system-ui, sans-serif";
    const axis: uPlot.Axis = { stroke: token("--ink2"), font, grid: { stroke: token("--rule"), width: 1 }, ticks: { show: false } };
    const made = new uPlot(
      {
        width: place.clientWidth,
        height,
        legend: { show: false },
        cursor: { sync: { key: "house" }, drag: { x: false, y: false }, points: { size: 6 } },
        scales: { x: { time: true }, y: log ? { distr: 3 } : { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
        series: [
          {},
          ...lines.map((line): uPlot.Series => ({
            label: line.label,
            stroke: token(line.token),
            width: line.width ?? 1.5,
            dash: line.dash,
            spanGaps: false,
            paths: stepped ? uPlot.paths.stepped?.({ align: 1, alignGaps: 1 }) : undefined,
            points: { show: !stepped, size: 4, filter: (u, nth) => (stepped ? null : alone(Array.from(u.data[nth] ?? []))) },
          })),
        ],
        axes: [
          { ...axis, space: 80, size: 24, values: (_, splits) => splits.map((each) => time(each * 1_000, "s", zone)) },
          { ...axis, side: 1, size: 64, space: 28, ...(log ? { grid: { ...axis.grid, filter: decades } } : {}), values: (_, splits) => splits.map((each) => (each === null ? "" : said.current(each))) },
        ],
      },
      latest.current as uPlot.AlignedData,
      place,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height }));
    watch.observe(place);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
    // Colours and zone are read when it is made.
  }, [shape, log, stepped, height, theme, direction, zone, density]);

  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns]);

  return <div className="plot" ref={at} role="img" aria-label={summary} style={{ minHeight: height }} />;
}

/** Of a log axis only the powers of ten are drawn across. */
const decades: uPlot.Axis.Filter = (_, splits) => splits.map((each) => (Number.isInteger(Math.log10(each)) ? each : null));
