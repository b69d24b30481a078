/** Candles with volume, my fills, and working orders as lines that are dragged by their label. */
import { CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, type IChartApi, type ISeriesApi, LineStyle, type Time, type UTCTimestamp } from "lightweight-charts";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { api, ok } from "../client/api";
import { Problem } from "../client/problem";
import { number, time as timeText } from "../kit/format";
import { prefs } from "../kit/prefs";
import { QualityBadge, Watermark } from "../kit/QualityBadge";
import { ErrorPanel } from "../kit/states";
import { Store, useStore } from "../kit/store";
import { isOver } from "../live/account";
import type { Bar, Order } from "../live/messages";
import { houseNow, marketStore, useExecutions, useOrders } from "../live/stores";
import { useLayout } from "../shell/layouts";
import { useWelcome } from "../shell/session";
import { type Candle, candle, heardQuality, INTERVALS, isCandle, left, type Period, series as placed, traded } from "./bars";
import { cancel, intents, replace } from "./desk";
import { clOrdId } from "./life";
import { type Drag, dragged, type DragEvent, type Draggable, ghost, IDLE, spread, verdict } from "./drag";
import { type Instrument, throttled, touchOf, unitsOf } from "./ground";
import { litOrder } from "./lit";
import { Drawn, type Fill } from "./paint";
import { useJudgement } from "./replacing";
import { plain, type Units } from "./units";

interface Kept {
  interval: string;
  asTable: boolean;
}
const LABEL_PX = 20;
const SHOWN_BARS = 120;

/** The chart without React: what is on it, and where its prices are. */
class Canvas {
  readonly chart: IChartApi;
  readonly candles: ISeriesApi<"Candlestick">;
  readonly volume: ISeriesApi<"Histogram">;
  readonly drawn: Drawn;
  last: Candle | null = null;
  all: Candle[] = [];

  constructor(at: HTMLElement, onPaint: () => void) {
    this.chart = createChart(at, {
      autoSize: true,
      layout: { attributionLogo: false, background: { type: ColorType.Solid, color: "transparent" } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.24 } },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 6 },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { priceLineStyle: LineStyle.Dotted, borderVisible: true });
    this.volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.drawn = new Drawn(onPaint);
    this.candles.attachPrimitive(this.drawn);
  }

  dress(): void {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string): string => style.getPropertyValue(name).trim();
    const [bg, ink2, ink3, rule] = [of("--bg1"), of("--ink2"), of("--ink3"), of("--rule")];
    const [buy, sell] = [resolved("--buy"), resolved("--sell")];
    this.chart.applyOptions({
      layout: { textColor: ink2, fontFamily: style.getPropertyValue("--font"), fontSize: 11, background: { type: ColorType.Solid, color: "transparent" } },
      grid: { vertLines: { visible: false }, horzLines: { color: rule } },
      crosshair: { vertLine: { color: ink3, labelBackgroundColor: ink3 }, horzLine: { color: ink3, labelBackgroundColor: ink3 } },
    });
    // Up is hollow, down is filled: they differ in grey too.
    this.candles.applyOptions({ upColor: bg, borderUpColor: buy, wickUpColor: buy, downColor: sell, borderDownColor: sell, wickDownColor: sell, priceLineColor: ink3 });
    this.volume.applyOptions({ color: rule });
    this.drawn.colours = { buy, sell, ink: of("--ink"), edge: of("--edge") };
    this.drawn.update();
  }

  show(found: Candle[], step: number): void {
    const places = placed(found, step);
    this.all = found;
    this.last = found.at(-1) ?? null;
    this.candles.setData(places.map((place) => ({ ...place, time: place.time as UTCTimestamp })));
    this.volume.setData(places.map((place) => (isCandle(place) ? { time: place.time as UTCTimestamp, value: place.volume } : { time: place.time as UTCTimestamp })));
  }

  put(next: Candle): void {
    if (this.last && next.time < this.last.time) return;
    if (this.last && next.time === this.last.time) this.all[this.all.length - 1] = next;
    else this.all.push(next);
    this.last = next;
    this.candles.update({ ...next, time: next.time as UTCTimestamp });
    this.volume.update({ time: next.time as UTCTimestamp, value: next.volume });
  }
}

/** A token whose value is another token's is not told by getPropertyValue. */
function resolved(name: string): string {
  const at = document.createElement("i");
  at.style.color = `var(${name})`;
  document.body.append(at);
  const { color } = getComputedStyle(at);
  at.remove();
  return color;
}

const drags = new Store<Drag>(IDLE);
const drag = (event: DragEvent): void => drags.update((now) => dragged(now, event));

export default memo(function Chart({ instrument, account }: { instrument: Instrument; account: string }) {
  const units = unitsOf(instrument);
  const { symbol } = instrument;
  const [kept, keep] = useLayout<Kept>("chart", { interval: "1m", asTable: false });
  const step = INTERVALS.find((each) => each.value === kept.interval)?.seconds ?? 60;
  const at = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const canvas = useRef<Canvas | null>(null);
  const [ready, setReady] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [again, setAgain] = useState(0);
  const [quality, setQuality] = useState("");
  const [summary, setSummary] = useState("");
  const [isEmpty, setEmpty] = useState(false);
  const place = useRef<() => void>(() => undefined);
  const house = useWelcome();
  const looks = useStore(prefs);

  useEffect(() => {
    if (!at.current) return undefined;
    const made = new Canvas(at.current, () => place.current());
    canvas.current = made;
    made.dress();
    setReady((count) => count + 1);
    return () => {
      canvas.current = null;
      made.chart.remove();
    };
  }, []);

  useEffect(() => {
    const dress = (): void => canvas.current?.dress();
    dress();
    const system = matchMedia("(prefers-color-scheme: light)");
    system.addEventListener("change", dress);
    return () => system.removeEventListener("change", dress);
  }, [looks.theme, looks.direction, looks.swap, looks.ownUp, looks.ownDown, ready]);

  useEffect(() => {
    const made = canvas.current;
    if (!made) return;
    const minMove = Number(instrument.tick_size);
    made.candles.applyOptions({ priceFormat: { type: "custom", minMove, formatter: (px: number) => number(units.px(units.nearest(px))) } });
    made.chart.applyOptions({
      localization: { timeFormatter: (when: Time) => `${timeText(Number(when) * 1000, "s")}` },
      timeScale: { secondsVisible: step < 60, tickMarkFormatter: (when: Time) => timeText(Number(when) * 1000, step < 60 ? "s" : "min") },
    });
  }, [instrument, units, step, ready, looks.zone, looks.grouping]);

  // Bars first, then what is traded after them; once a minute all of it again.
  useEffect(() => {
    let isGone = false;
    let begun = false;
    let periods: readonly Period[] = [];
    const read = async (fit: boolean): Promise<void> => {
      try {
        const found = await ok(api.GET("/api/market-data/bars/{symbol}", { params: { path: { symbol }, query: { interval: kept.interval, limit: 500 } } }));
        const made = canvas.current;
        if (isGone || !made) return;
        made.show((found.items as Bar[]).map(candle), step);
        setEmpty(!made.all.length);
        if (fit) made.chart.timeScale().setVisibleLogicalRange({ from: made.all.length - Math.min(SHOWN_BARS, Math.max(made.all.length, 45)), to: made.all.length + 6 });
        setProblem(null);
        begun = true;
        place.current();
      } catch (error) {
        if (!isGone && error instanceof Problem) setProblem(error);
      }
    };
    canvas.current?.show([], step);
    void read(true);
    let seen = 0;
    const live = (): void => {
      const made = canvas.current;
      const tape = marketStore.trades(symbol);
      if (!made || !begun || !tape) return;
      let last: Candle | null = made.last;
      for (const trade of tape.items) {
        if (trade.at <= seen || (made.last && trade.at / 1e9 < made.last.time)) continue;
        const next = traded(last, trade, step);
        if (next) last = next;
      }
      seen = Math.max(seen, tape.items.at(-1)?.at ?? 0);
      if (last && last !== made.last) {
        made.put(last);
        setEmpty(false);
      }
    };
    seen = houseNow() * 1e6; // What was traded before is in the bars.
    const hear = (): void => {
      const found = marketStore.price(symbol)?.quality ?? "";
      const next = heardQuality(periods, found, Math.floor(houseNow() / 1000 / step) * step);
      if (next !== periods && canvas.current) {
        periods = next;
        canvas.current.drawn.periods = next;
        canvas.current.drawn.update();
      }
      setQuality(found);
    };
    const slow = throttled(hear, 500);
    hear();
    const timer = setInterval(() => document.visibilityState === "visible" && void read(false), 60_000);
    const spoken = setInterval(() => setSummary(sentence(canvas.current, instrument, units, kept.interval)), 5_000);
    const stops = [marketStore.tapes.subscribe(symbol, live), marketStore.prices.subscribe(symbol, slow.call)];
    return () => {
      isGone = true;
      slow.stop();
      clearInterval(timer);
      clearInterval(spoken);
      for (const stop of stops) stop();
    };
  }, [symbol, kept.interval, step, instrument, units, ready, again]);

  return (
    <section className="panel chart" data-panel="chart" aria-label={`Chart of ${symbol}`}>
      <header>
        <div className="intervals" role="radiogroup" aria-label="Interval">
          {INTERVALS.map(({ value }) => (
            <label key={value}><input className="unseen" type="radio" name="interval" checked={kept.interval === value} onChange={() => keep({ interval: value })} />{value}</label>
          ))}
        </div>
        <Countdown step={step} />
        <QualityBadge quality={quality} />
        <span className="end"><button type="button" className="chip" aria-pressed={kept.asTable} onClick={() => keep({ asTable: !kept.asTable })}>Table</button></span>
      </header>
      <p className="unseen">{summary}</p>
      <div className="body draw" hidden={kept.asTable}>
        {house && <Watermark environment={house.environment} speed={house.speed} />}
        <div className="canvas" ref={at} aria-hidden="true" />
        <a className="attribution" href="https://www.tradingview.com/" target="_blank" rel="noopener noreferrer" title="TradingView Lightweight Charts™, Copyright TradingView, Inc.">Charts by TradingView</a>
        {isEmpty && !problem && <p className="state">Nothing was traded in {symbol} yet.</p>}
        {problem && <div className="over"><ErrorPanel problem={problem} retry={() => setAgain((count) => count + 1)} /></div>}
        <Lines layer={layer} canvas={canvas} ready={ready} place={place} instrument={instrument} account={account} units={units} />
        <Fills canvas={canvas} ready={ready} symbol={symbol} account={account} step={step} />
      </div>
      {kept.asTable && <BarTable bars={canvas.current?.all ?? []} units={units} />}
    </section>
  );
});

function Countdown({ step }: { step: number }) {
  const [, setNow] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setNow((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <span className="label dim" title="Until this candle is closed">{left(houseNow(), step)}</span>;
}

function sentence(canvas: Canvas | null, instrument: Instrument, units: Units, interval: string): string {
  const shown = canvas?.all.slice(-SHOWN_BARS) ?? [];
  const [first, last] = [shown[0], shown.at(-1)];
  if (!first || !last) return `${instrument.symbol}: nothing was traded yet.`;
  const px = (value: number): string => number(units.px(units.nearest(value)));
  const [high, low] = [Math.max(...shown.map((each) => each.high)), Math.min(...shown.map((each) => each.low))];
  return `${instrument.symbol}, ${shown.length} candles of ${interval}: from ${px(first.open)} to ${px(last.close)}, highest ${px(high)}, lowest ${px(low)}.`;
}

function BarTable({ bars, units }: { bars: readonly Candle[]; units: Units }) {
  const px = (value: number): string => number(units.px(units.nearest(value)));
  return (
    <div className="body">
      <table className="table" aria-label="Candles">
        <thead><tr><th scope="col">Begin</th>{["Open", "High", "Low", "Close", "Volume"].map((name) => <th key={name} scope="col" className="num">{name}</th>)}</tr></thead>
        <tbody>
          {bars.slice(-100).reverse().map((bar) => (
            <tr key={bar.time}><td>{timeText(bar.time * 1000, "s")}</td><td className="num">{px(bar.open)}</td><td className="num">{px(bar.high)}</td><td className="num">{px(bar.low)}</td><td className="num">{px(bar.close)}</td><td className="num">{bar.volume}</td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// --- Fills --------------------------------------------------------------------------------------

function Fills({ canvas, ready, symbol, account, step }: { canvas: { current: Canvas | null }; ready: number; symbol: string; account: string; step: number }) {
  const heard = useExecutions(account);
  const [before, setBefore] = useState<readonly Fill[]>([]);
  const lit = useStore(litOrder);
  useEffect(() => {
    let isGone = false;
    ok(api.GET("/api/executions", { params: { query: { account_id: account, symbol, limit: 200 } } })).then(
      (page) => !isGone && setBefore(page.items.map((each) => fillOf(each.order_id, each.side, each.last_px, Date.parse(each.at) / 1000, step))),
      () => undefined, // The chart is whole without them; the blotter says what failed.
    );
    return () => {
      isGone = true;
    };
  }, [account, symbol, step]);
  useEffect(() => {
    const drawn = canvas.current?.drawn;
    if (!drawn) return;
    const more = heard.filter((each) => each.symbol === symbol).map((each) => fillOf(each.order_id, each.side, each.last_px, each.at / 1e9, step));
    drawn.fills = [...before, ...more];
    drawn.lit = lit;
    drawn.update();
  }, [canvas, ready, heard, before, symbol, step, lit]);
  return null;
}

const fillOf = (id: string, side: string, px: string, at: number, step: number): Fill => ({ id, side: side as "buy" | "sell", price: Number(px), time: Math.floor(at / step) * step });

// --- Orders -------------------------------------------------------------------------------------

interface Line {
  key: string;
  order: Order;
  field: "price" | "stop_px";
  px: string;
}

function linesOf(orders: ReadonlyMap<string, Order>, symbol: string): Line[] {
  const found: Line[] = [];
  for (const order of orders.values()) {
    if (order.symbol !== symbol || isOver(order.ord_status)) continue;
    if (order.stop_px && order.at_venue === false) found.push({ key: `${order.order_id} stop_px`, order, field: "stop_px", px: order.stop_px });
    else if (order.price && order.ord_type !== "market") found.push({ key: `${order.order_id} price`, order, field: "price", px: order.price });
  }
  return found;
}

function Lines({ layer, canvas, ready, place, instrument, account, units }: {
  layer: React.RefObject<HTMLDivElement | null>;
  canvas: { current: Canvas | null };
  ready: number;
  place: { current: () => void };
  instrument: Instrument;
  account: string;
  units: Units;
}) {
  const orders = useOrders(account);
  const now = useStore(drags);
  const wishes = useStore(intents);
  const lines = useMemo(() => linesOf(orders, instrument.symbol), [orders, instrument.symbol]);
  const shade = ghost(now);
  const judged = useJudgement(now, units);

  useEffect(() => {
    place.current = () => {
      const made = canvas.current;
      const at = layer.current;
      if (!made || !at) return;
      const height = at.clientHeight;
      const y = (px: string | number): number | null => made.candles.priceToCoordinate(Number(px));
      const found = lines.map((line) => ({ id: line.key, y: y(line.px) })).filter((each): each is { id: string; y: number } => each.y !== null);
      const places = spread(found.map((each) => ({ id: each.id, y: each.y - LABEL_PX / 2 })), LABEL_PX, 0, height);
      for (const element of at.querySelectorAll<HTMLElement>("[data-line]")) {
        const key = element.dataset.line!;
        const here = element.dataset.px ? y(element.dataset.px) : null;
        const isIn = here !== null && here >= 0 && here <= height;
        element.hidden = here === null;
        const rule = element.firstElementChild as HTMLElement;
        rule.hidden = !isIn;
        rule.style.transform = `translateY(${Math.round(here ?? 0)}px)`;
        const label = element.lastElementChild as HTMLElement;
        label.style.transform = `translateY(${Math.round(places.get(key) ?? Math.min(Math.max((here ?? 0) - LABEL_PX / 2, 0), height - LABEL_PX))}px)`;
        label.dataset.out = isIn ? "" : here !== null && here < 0 ? "above" : "below";
      }
    };
    place.current();
  }, [lines, shade, canvas, layer, place, ready]);

  const ticksAt = (clientY: number): bigint => {
    const box = layer.current!.getBoundingClientRect();
    return units.nearest(canvas.current?.candles.coordinateToPrice(clientY - box.top) ?? 0);
  };
  const release = (): void => {
    drag({ is: "release", clOrdId: clOrdId() });
    const asked = drags.get();
    if (asked.at !== "asked") return;
    const { order, to, clOrdId: key } = asked;
    void replace(order.orderId, { [order.field]: plain(units.px(to)) }, key).then((isDone) => {
      if (isDone) drag({ is: "answered" });
      else {
        drag({ is: "refused", why: intents.get().get(key)?.refusal?.text ?? "not replaced" });
        setTimeout(() => drags.get().at === "refused" && drag({ is: "escape" }), 6_000);
      }
    });
  };
  useEffect(() => {
    if (now.at !== "moving" && now.at !== "pressed" && now.at !== "refused") return undefined;
    const key = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      drag({ is: "escape" });
    };
    addEventListener("keydown", key, true);
    return () => removeEventListener("keydown", key, true);
  }, [now.at]);

  // With Shift the line itself is dragged; without it the chart is panned, and no order moves.
  useEffect(() => {
    const box = layer.current?.parentElement;
    if (!box) return undefined;
    const down = (event: PointerEvent): void => {
      if (!event.shiftKey || event.button !== 0) return;
      const y = event.clientY - layer.current!.getBoundingClientRect().top;
      const at = lines.find((line) => Math.abs((canvas.current?.candles.priceToCoordinate(Number(line.px)) ?? Infinity) - y) <= 5);
      if (!at) return;
      event.preventDefault();
      event.stopPropagation();
      drag({ is: "press", order: { orderId: at.order.order_id, side: at.order.side as "buy" | "sell", field: at.field, from: units.ticks(at.px) ?? 0n }, y: event.clientY });
      const move = (next: PointerEvent): void => drag({ is: "move", y: next.clientY, ticks: ticksAt(next.clientY) });
      const up = (): void => {
        removeEventListener("pointermove", move, true);
        removeEventListener("pointerup", up, true);
        release();
      };
      addEventListener("pointermove", move, true);
      addEventListener("pointerup", up, true);
    };
    box.addEventListener("pointerdown", down, true);
    return () => box.removeEventListener("pointerdown", down, true);
  });

  const touch = touchOf(instrument.symbol);
  return (
    <div className="orders-layer" ref={layer}>
      {lines.map((line) => {
        const { order } = line;
        const own: Draggable = { orderId: order.order_id, side: order.side as "buy" | "sell", field: line.field, from: units.ticks(line.px) ?? 0n };
        const text = `${order.side === "buy" ? "Buy" : "Sell"} ${plain(order.leaves_qty)}${line.field === "stop_px" ? " stop" : ""}`;
        const isAsked = [...wishes.values()].some((one) => one.wish.kind === "cancel" && one.wish.orderId === order.order_id && one.stage !== "refused") || order.ord_status.startsWith("pending");
        return (
          <div key={line.key} data-line={line.key} data-px={line.px} className={`order-line ${order.side} ${isAsked ? "asked" : ""}`} hidden>
            <i className="rule" />
            <span className="tag">
              <button
                type="button"
                className="grip"
                aria-label={`${text} ${number(line.px, { decimals: units.pxDecimals })}. Arrow keys move it, Enter asks, Escape drops`}
                onPointerDown={(event) => {
                  if (event.button !== 0) return;
                  event.currentTarget.setPointerCapture(event.pointerId);
                  drag({ is: "press", order: own, y: event.clientY });
                }}
                onPointerMove={(event) => event.buttons && drag({ is: "move", y: event.clientY, ticks: ticksAt(event.clientY) })}
                onPointerUp={release}
                onPointerCancel={() => drag({ is: "escape" })}
                onPointerEnter={() => litOrder.set(order.order_id)}
                onPointerLeave={() => litOrder.set(null)}
                onKeyDown={(event) => {
                  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
                    event.preventDefault();
                    event.stopPropagation();
                    const by = (event.key === "ArrowUp" ? 1n : -1n) * (event.shiftKey ? 10n : 1n);
                    if (drags.get().at === "idle") drag({ is: "press", order: own, y: 0 });
                    drag({ is: "step", by });
                  } else if (event.key === "Enter" && drags.get().at === "moving") {
                    event.preventDefault();
                    release();
                  } else if (event.key === "Delete") void cancel(order.order_id);
                }}
              >
                {text} <b>{number(line.px, { decimals: units.pxDecimals })}</b>
              </button>
              <button type="button" className="drop" aria-label={`Cancel ${text} at ${line.px}`} disabled={isAsked} onClick={() => void cancel(order.order_id)}>×</button>
            </span>
          </div>
        );
      })}
      {shade && (
        <div data-line="ghost" data-px={units.px(shade.to)} className={`order-line ghost ${shade.order.side} ${now.at} ${judged.isRefused ? "barred" : ""}`}>
          <i className="rule" />
          <span className="tag" role="status">
            {number(units.px(shade.to))} <span>{now.at === "refused" ? now.why : now.at === "asked" ? "asking" : verdict(shade.order, shade.to, units, touch.bid, touch.ask)}</span>
            {now.at === "moving" && judged.text && <span className="judged-by" data-refused={judged.isRefused || undefined}>{judged.text}</span>}
          </span>
        </div>
      )}
    </div>
  );
}
