/** What is drawn on the chart itself: fills as triangles, and hatched ground where the book was not well. */
import type { IChartApi, IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesApi, ISeriesPrimitive, SeriesAttachedParameter, Time, UTCTimestamp } from "lightweight-charts";
import type { Period } from "./bars";

export interface Fill {
  id: string;
  time: number; // seconds, the begin of its candle
  price: number;
  side: "buy" | "sell";
}

export interface Colours {
  buy: string;
  sell: string;
  ink: string;
  edge: string;
}

const SIZE = 6;

interface Target {
  useMediaCoordinateSpace(draw: (scope: { context: CanvasRenderingContext2D; mediaSize: { width: number; height: number } }) => void): void;
}

export class Drawn implements ISeriesPrimitive<Time> {
  fills: readonly Fill[] = [];
  periods: readonly Period[] = [];
  lit: string | null = null; // the order whose fills the pointer is over
  colours: Colours = { buy: "", sell: "", ink: "", edge: "" };
  private chart: IChartApi | null = null;
  private series: ISeriesApi<"Candlestick"> | null = null;
  private request: (() => void) | null = null;
  private readonly views: readonly IPrimitivePaneView[] = [
    { zOrder: () => "bottom", renderer: () => this.ground },
    { zOrder: () => "top", renderer: () => this.marks },
  ];

  /** `onPaint` is called whenever the chart has moved under what lies over it. */
  constructor(private readonly onPaint: () => void) {}

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.chart = chart as IChartApi;
    this.series = series as ISeriesApi<"Candlestick">;
    this.request = requestUpdate;
  }
  detached(): void {
    this.chart = this.series = this.request = null;
  }
  update(): void {
    this.request?.();
  }
  updateAllViews(): void {
    this.onPaint();
  }
  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  private readonly ground: IPrimitivePaneRenderer = {
    draw: (target: unknown) => {
      (target as Target).useMediaCoordinateSpace(({ context, mediaSize }) => {
        for (const period of this.periods) this.hatch(context, period, mediaSize);
      });
    },
  };

  private hatch(context: CanvasRenderingContext2D, period: Period, { width, height }: { width: number; height: number }): void {
    const scale = this.chart?.timeScale();
    const from = scale?.timeToCoordinate(period.from as UTCTimestamp);
    if (!scale || from === null || from === undefined) return;
    const to = period.to === null ? width : (scale.timeToCoordinate(period.to as UTCTimestamp) ?? width);
    context.save();
    context.beginPath();
    context.rect(from, 0, Math.max(to - from, 2), height);
    context.clip();
    context.strokeStyle = this.colours.edge;
    context.globalAlpha = 0.35;
    context.lineWidth = 1;
    context.beginPath();
    for (let x = from - height; x < to; x += 7) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.restore();
  }

  private readonly marks: IPrimitivePaneRenderer = {
    draw: (target: unknown) => {
      (target as Target).useMediaCoordinateSpace(({ context }) => {
        for (const fill of this.fills) this.triangle(context, fill);
      });
    },
  };

  private triangle(context: CanvasRenderingContext2D, fill: Fill): void {
    const x = this.chart?.timeScale().timeToCoordinate(fill.time as UTCTimestamp);
    const y = this.series?.priceToCoordinate(fill.price);
    if (x === null || x === undefined || y === null || y === undefined) return;
    const up = fill.side === "buy" ? 1 : -1;
    const size = fill.id === this.lit ? SIZE + 2 : SIZE;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - size, y + up * size * 1.6);
    context.lineTo(x + size, y + up * size * 1.6);
    context.closePath();
    context.fillStyle = fill.side === "buy" ? this.colours.buy : this.colours.sell;
    context.fill();
    context.strokeStyle = this.colours.ink;
    context.lineWidth = fill.id === this.lit ? 2 : 1;
    context.stroke();
  }
}
