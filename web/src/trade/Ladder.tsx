/**
 * The depth ladder: a fixed axis of prices, what is displayed, and my orders as chips. Rows are a fixed pool and
 * are written in place, once per frame; React renders the frame around them.
 */
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { number, parts, short } from "../kit/format";
import { prefs } from "../kit/prefs";
import { QualityBadge, Watermark } from "../kit/QualityBadge";
import { useStore } from "../kit/store";
import { isOver } from "../live/account";
import type { Order } from "../live/messages";
import { marketStore, useOrders } from "../live/stores";
import { useLayout } from "../shell/layouts";
import { useWelcome } from "../shell/session";
import { useArmed } from "./arming";
import { type Asking, Confirm } from "./Confirm";
import { cancel, intents, names, place, replace } from "./desk";
import { draftOf, drafts } from "./drafts";
import { type Instrument, unitsOf, useTouch } from "./ground";
import { centreOf, deepest, groupFor, groupings, type Own, Press, queueAhead, Recentre, type Row, rows, sides } from "./ladder";
import { type Intents, pending } from "./life";
import { useClosed, whyUnusual } from "./Ticket";
import { asked, type Asked, clicked, isWrong, sentences, type Side, sizeOf } from "./ticket";
import { mustAsk } from "./unusual";
import { plain, type Units } from "./units";

const ROW_PX = 20;
const show = (text: string, decimals: number): string => number(text, { decimals });

interface Kept {
  group: number; // ticks in a row; 0: as the book needs
  oneClick: boolean;
}

export const Ladder = memo(function Ladder({ instrument, account }: { instrument: Instrument; account: string }) {
  const units = unitsOf(instrument);
  const [kept, keep] = useLayout<Kept>("ladder", { group: 0, oneClick: false });
  const body = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const [count, setCount] = useState(31);
  const [info, setInfo] = useState({ group: 1, centre: 0, quality: "", note: "" });
  const [asking, setAsking] = useState<{ ask: Asking; side: Side } | null>(null);
  const closed = useClosed(instrument, account);
  const house = useWelcome();
  const armed = useArmed();
  const { confirm } = useStore(prefs);
  const orders = useOrders(account);
  const wishes = useStore(intents);
  const own = useMemo(() => ownOf(orders, wishes, instrument.symbol), [orders, wishes, instrument.symbol]);
  const painter = useMemo(() => new Painter(units), [units]);

  useLayoutEffect(() => {
    const at = body.current;
    if (!at) return undefined;
    const measure = (): void => {
      const fit = Math.max(9, Math.floor(at.clientHeight / ROW_PX));
      const found = fit % 2 ? fit : fit - 1;
      at.style.setProperty("--step", `${Math.floor((at.clientHeight / found) * 100) / 100}px`);
      setCount(found);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(at);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    painter.own = own;
    painter.paint();
  }, [painter, own]);

  useEffect(() => {
    if (!table.current) return undefined;
    painter.begin(table.current, instrument.symbol, count, kept.group, (next) => setInfo((now) => (same(now, next) ? now : next)));
    const stop = marketStore.books.subscribe(instrument.symbol, () => painter.paint());
    const stopPrice = marketStore.prices.subscribe(instrument.symbol, () => painter.isEmpty && painter.paint());
    const timer = setInterval(() => painter.look(), 500);
    return () => {
      stop();
      stopPrice();
      clearInterval(timer);
      painter.end();
    };
  }, [painter, instrument.symbol, count, kept.group]);

  const click = useCallback(
    (px: number, side: Side) => {
      if (closed.why) return;
      const draft = { ...clicked(draftOf(instrument.symbol), side, units.px(BigInt(px))), account };
      const touch = { units, bid: null, ask: null, max: null, now: Date.now() };
      const order = asked(draft, touch, names());
      if (isWrong(order)) {
        setInfo((now) => ({ ...now, note: draft.unit === "percent" ? "Clicks need a quantity, not a share" : order.field === "qty" ? "Set a quantity in the ticket first" : order.text }));
        return;
      }
      const size = sizeOf(draft, touch);
      const why = isWrong(size) ? [] : whyUnusual(order, size.lots, instrument, account);
      if (!kept.oneClick || mustAsk(confirm, why, armed.on)) setAsking({ ask: { asked: order, lines: sentences(order, units, show), why }, side });
      else void place(order);
    },
    [closed.why, instrument, account, units, kept.oneClick, confirm, armed.on],
  );
  const handlers = useHands(painter, click, units);

  const offered = groupings(info.centre || 1);
  return (
    <section className="panel ladder" data-panel="ladder" aria-label={`Depth ladder of ${instrument.symbol}`}>
      <header>
        <h2>Ladder</h2>
        <span className="end">
          <label className="label">
            <span className="unseen">Ticks in a row</span>
            <select value={kept.group} onChange={(event) => keep({ group: Number(event.target.value) })} aria-label="Price grouping">
              <option value={0}>auto {units.px(BigInt(info.group))}</option>
              {offered.map((group) => <option key={group} value={group}>{plain(units.px(BigInt(group)))}</option>)}
            </select>
          </label>
          <button type="button" className="chip" onClick={() => painter.recentre()} title="Space or middle click">Centre</button>
        </span>
      </header>
      <Strip instrument={instrument} account={account} units={units} oneClick={kept.oneClick} onToggle={() => keep({ oneClick: !kept.oneClick })} closed={closed.why} note={info.note} quality={info.quality} />
      <div className={`body rows ${info.quality && info.quality !== "ok" ? "stale-ground" : ""}`} ref={body} {...handlers} tabIndex={-1}>
        {house && <Watermark environment={house.environment} speed={house.speed} />}
        <table ref={table} aria-label={`Bids and asks of ${instrument.symbol}`}>
          <thead className="unseen"><tr><th scope="col">Bid size</th><th scope="col">Price</th><th scope="col">Ask size</th></tr></thead>
          <tbody>
            {Array.from({ length: count }, (_, row) => (
              <tr key={row} data-row={row}>
                <td className="bid" data-side="buy"><i className="bar" /><span className="own-chips" /><span className="qty"><b /><i className="zeros" /></span></td>
                <th scope="row" className="px"><b /><i className="zeros" /></th>
                <td className="ask" data-side="sell"><i className="bar" /><span className="qty"><b /><i className="zeros" /></span><span className="own-chips" /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Foot instrument={instrument} units={units} sum={(at) => void (painter.sum = at)} />
      {asking && <Confirm asking={asking.ask} side={asking.side} onNo={() => setAsking(null)} onYes={() => { const order: Asked = asking.ask.asked; setAsking(null); void place(order); }} />}
    </section>
  );
});

const same = <T extends object>(a: T, b: T): boolean => (Object.keys(a) as (keyof T)[]).every((key) => a[key] === b[key]);

/** Says what a click does before it is made. */
function Strip({ instrument, account, units, oneClick, onToggle, closed, note, quality }: { instrument: Instrument; account: string; units: Units; oneClick: boolean; onToggle: () => void; closed: string | null; note: string; quality: string }) {
  const all = useStore(drafts);
  const found = all[instrument.symbol] ?? draftOf(instrument.symbol);
  const size = sizeOf({ ...found, ordType: "limit", price: found.price || "1" }, { units, bid: null, ask: null, max: null, now: 0 });
  const qty = isWrong(size) ? "no quantity" : found.unit === "quote" ? `${found.qty} ${instrument.quote}` : `${plain(units.qty(size.lots))} ${instrument.base}`;
  return (
    <div className={`strip-click ${oneClick ? "one" : ""}`}>
      <button type="button" className="chip" aria-pressed={oneClick} onClick={onToggle} title="What a click in a size column does">{oneClick ? "1-CLICK" : "CONFIRM"}</button>
      <QualityBadge quality={quality} />
      <span className="nowrap">{closed ?? `${qty} · ${account}`}</span>
      {note && <span className="said" role="status">{note}</span>}
    </div>
  );
}

function Foot({ instrument, units, sum }: { instrument: Instrument; units: Units; sum: (at: HTMLElement | null) => void }) {
  const { bid, ask, quality } = useTouch(instrument.symbol);
  const [b, a] = [bid === null ? null : units.ticks(bid), ask === null ? null : units.ticks(ask)];
  const spread = b === null || a === null ? null : a - b;
  const bps = spread === null || b === null || a === null ? null : (Number(spread) * 20_000) / Number(a + b);
  return (
    <footer className="foot label">
      <span>{spread === null ? (bid === null && ask === null ? (quality ? "The book is empty" : "No book yet") : `No ${bid === null ? "bid" : "ask"}`) : <>Spread {units.px(spread)} <span className="dim">{bps!.toFixed(2)} bp</span></>}</span>
      <span className="sum" ref={sum} />
    </footer>
  );
}

/** Working orders with a limit here, and those that I have asked for. */
function ownOf(orders: ReadonlyMap<string, Order>, wishes: Intents, symbol: string): Own[] {
  const found: Own[] = [];
  for (const order of orders.values()) {
    if (order.symbol !== symbol || isOver(order.ord_status) || !order.price || order.at_venue === false || order.ord_type === "market") continue;
    found.push({ id: order.order_id, side: order.side as Side, price: order.price, leaves: order.leaves_qty, wish: false, ahead: null });
  }
  for (const one of pending(wishes)) {
    if (one.wish.kind === "place") {
      for (const order of one.wish.asked.orders) {
        if (order.symbol === symbol && order.price && order.ord_type === "limit") found.push({ id: order.cl_ord_id, side: order.side, price: order.price, leaves: order.order_qty ?? "", wish: true, ahead: null });
      }
    } else if (one.wish.kind === "replace" && one.wish.price) {
      const order = orders.get(one.wish.orderId);
      if (order?.symbol === symbol) found.push({ id: one.wish.clOrdId, side: order.side as Side, price: one.wish.price, leaves: order.leaves_qty, wish: true, ahead: null });
    }
  }
  return found;
}

interface Info {
  group: number;
  centre: number;
  quality: string;
  note: string;
}

interface Cell {
  bid: number;
  ask: number;
  px: number;
  bidBar: number;
  askBar: number;
  own: string;
  touch: string;
}

/** Writes rows in place; what has not changed is not touched. */
class Painter {
  own: Own[] = [];
  press = new Press();
  inside = false;
  drag: { id: string; side: Side; from: number; to: number } | null = null;
  made: Row[] = [];
  sum: HTMLElement | null = null;
  private hovered = -1;
  private symbol = "";
  private centre = 0;
  private group = 1;
  private isAuto = true;
  private isGuess = false; // the axis is of a mark: the first touch moves it
  private trs: HTMLTableRowElement[] = [];
  private cells: Cell[] = [];
  private readonly axis = new Recentre();
  private readonly ahead = new Map<string, bigint>(); // lots displayed when an order of mine was first seen
  private tell: ((info: Info) => void) | null = null;

  constructor(private readonly units: Units) {}

  begin(table: HTMLTableElement, symbol: string, count: number, group: number, tell: (info: Info) => void): void {
    if (symbol !== this.symbol) this.centre = 0;
    this.symbol = symbol;
    this.tell = tell;
    this.isAuto = group === 0;
    if (group) this.group = group;
    this.trs = [...table.tBodies[0]!.rows].slice(0, count);
    this.cells = this.trs.map(() => ({ bid: -1, ask: -1, px: -1, bidBar: -1, askBar: -1, own: "\0", touch: "\0" }));
    if (this.centre) this.centre = Math.round(this.centre / this.group) * this.group;
    this.paint();
  }

  end(): void {
    this.tell = null;
    this.trs = [];
  }

  /** The row under the pointer: what is displayed up to it is said in the foot. */
  hover(row: number): void {
    this.hovered = row;
    this.sum?.replaceChildren(row < 0 ? "" : this.sumAt(row));
  }

  /** Without an axis: no price was seen. */
  get isEmpty(): boolean {
    return this.centre === 0;
  }

  recentre(): void {
    this.centre = 0;
    this.paint();
  }

  scroll(by: number): void {
    if (!this.centre || this.press.active) return;
    const half = Math.floor(this.trs.length / 2) * this.group;
    this.centre = Math.max(this.centre + by * this.group, half + this.group);
    this.paint();
  }

  /** Now and then: whether the axis may follow the touch. */
  look(): void {
    const inView = this.made.some((row) => row.touch !== null);
    const isIdle = !this.inside && !this.press.active && !this.drag;
    const book = marketStore.book(this.symbol);
    const hasTouch = !!book && !book.catching && book.bids.length + book.asks.length > 0;
    if (this.axis.look(inView || !hasTouch, !isIdle, performance.now())) this.recentre();
  }

  paint(): void {
    if (!this.trs.length) return;
    const book = marketStore.book(this.symbol);
    const shown = book && !book.catching ? book : null;
    const found = sides(this.units, shown?.bids ?? [], shown?.asks ?? []);
    const hasTouch = found.bids.length + found.asks.length > 0;
    if (!this.centre || (this.isGuess && hasTouch)) {
      this.isGuess = !hasTouch;
      if (this.isAuto) this.group = groupFor(found, this.trs.length, centreOf(found, 1, 1));
      this.centre = centreOf(found, this.group, 0) || this.marked();
      if (!this.centre) return; // No price has been seen yet: the axis waits for one.
      this.centre = Math.max(this.centre, Math.ceil(this.trs.length / 2) * this.group);
    }
    const own = this.drag ? [...this.own.filter((each) => each.id !== "drag"), this.ghost()] : this.own;
    this.made = rows(found, own, this.units, this.centre, this.group, this.trs.length);
    const most = deepest(this.made);
    this.made.forEach((row, nth) => this.write(row, nth, most));
    if (this.hovered >= 0) this.hover(this.hovered);
    this.tell?.({ group: this.group, centre: this.centre, quality: book?.catching ? "recovering" : (book?.quality ?? ""), note: "" });
  }

  /** Of an empty book: its mark, so that there is an axis all the same. */
  private marked(): number {
    const px = marketStore.price(this.symbol)?.mark?.price;
    const ticks = px ? this.units.ticks(px) : null;
    return ticks === null ? 0 : Math.round(Number(ticks) / this.group) * this.group;
  }

  private ghost(): Own {
    const { side, to, id } = this.drag!;
    const order = this.own.find((each) => each.id === id);
    return { id: "drag", side, price: this.units.px(BigInt(to)), leaves: order?.leaves ?? "", wish: true, ahead: null };
  }

  private write(row: Row, nth: number, most: number): void {
    const tr = this.trs[nth]!;
    const cell = this.cells[nth]!;
    const [bid, px, ask] = [tr.cells[0]!, tr.cells[1]!, tr.cells[2]!];
    if (cell.px !== row.px) {
      cell.px = row.px;
      figure(px, row.px > 0 ? this.units.px(BigInt(row.px)) : "");
    }
    if (cell.bid !== row.bid) {
      cell.bid = row.bid;
      figure(bid.lastElementChild!, row.bid ? this.units.qty(BigInt(row.bid)) : "");
    }
    if (cell.ask !== row.ask) {
      cell.ask = row.ask;
      figure(ask.children[1]!, row.ask ? this.units.qty(BigInt(row.ask)) : "");
    }
    const [bidBar, askBar] = [Math.round((row.bid / most) * 200) / 200, Math.round((row.ask / most) * 200) / 200];
    if (cell.bidBar !== bidBar) {
      cell.bidBar = bidBar;
      (bid.firstElementChild as HTMLElement).style.transform = `scaleX(${bidBar})`;
    }
    if (cell.askBar !== askBar) {
      cell.askBar = askBar;
      (ask.firstElementChild as HTMLElement).style.transform = `scaleX(${askBar})`;
    }
    const touch = row.touch ?? "";
    if (cell.touch !== touch) {
      cell.touch = touch;
      tr.dataset.touch = touch;
    }
    const own = row.own.map((each) => `${each.id}|${each.leaves}|${each.wish}|${this.queue(each, row)}`).join(" ");
    if (cell.own !== own) {
      cell.own = own;
      tr.classList.toggle("mine", row.own.length > 0);
      chips(bid.children[1]!, row.own.filter((each) => each.side === "buy"), (each) => this.queue(each, row));
      chips(ask.children[2]!, row.own.filter((each) => each.side === "sell"), (each) => this.queue(each, row));
    }
  }

  /** What stood before it when it came, or less if the level is smaller now. An estimate. */
  /** Displayed from the touch to a row, for the foot. */
  sumAt(row: number): string {
    const found = this.made[row];
    const [lots, side] = found?.bidSum ? [found.bidSum, "bid"] : found?.askSum ? [found.askSum, "offered"] : [0, ""];
    if (!lots) return "";
    return `${number(plain(this.units.qty(BigInt(lots))))} ${this.units.listed.base} ${side} to here, about ${short(this.units.notional(BigInt(found!.px), BigInt(lots)))} ${this.units.listed.quote}`;
  }

  private queue(own: Own, row: Row): string {
    if (own.wish || this.group !== 1) return "";
    const level = BigInt(own.side === "buy" ? row.bid : row.ask);
    const before = this.ahead.get(own.id);
    if (before === undefined) {
      this.ahead.set(own.id, level);
      if (this.ahead.size > 500) this.ahead.delete(this.ahead.keys().next().value!);
    }
    const ahead = queueAhead(before === undefined || level < before ? level : before, 0n);
    return plain(this.units.qty(ahead));
  }
}

function figure(at: Element, text: string): void {
  const [head, zeros] = [at.children[0]!, at.children[1]!];
  if (!text) {
    head.textContent = "";
    zeros.textContent = "";
    return;
  }
  const found = parts(text);
  head.textContent = found.head;
  zeros.textContent = found.zeros;
}

function chips(at: Element, own: readonly Own[], queue: (own: Own) => string): void {
  at.replaceChildren(
    ...own.map((each) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = each.wish ? "own-chip wish" : "own-chip";
      chip.dataset.order = each.wish ? "" : each.id;
      chip.dataset.own = each.side;
      chip.textContent = plain(each.leaves || "0");
      const ahead = queue(each);
      chip.title = each.wish ? "asked for, not answered" : `${each.id}: drag to another price, Delete cancels${ahead ? `. About ${ahead} displayed before it` : ""}`;
      if (ahead) {
        const place = document.createElement("i");
        place.textContent = ` ~${ahead}`;
        chip.append(place);
      }
      chip.setAttribute("aria-label", `My ${each.side} ${each.leaves} at ${each.price}${each.wish ? ", asked for" : ""}`);
      return chip;
    }),
  );
}

/** Presses, drags, wheels and keys over the rows. */
function useHands(painter: Painter, click: (px: number, side: Side) => void, units: Units) {
  return useMemo(() => {
    const rowAt = (target: EventTarget | null): { row: number; px: number; side: Side } | null => {
      const at = target instanceof Element ? target : null;
      const tr = at?.closest<HTMLTableRowElement>("tr[data-row]");
      const side = at?.closest<HTMLElement>("td[data-side]")?.dataset.side as Side | undefined;
      if (!tr || !side) return null;
      const row = Number(tr.dataset.row);
      const px = painter.made[row]?.px ?? 0;
      return px > 0 ? { row, px, side } : null;
    };
    const chipAt = (target: EventTarget | null): { id: string; side: Side } | null => {
      const chip = target instanceof Element ? target.closest<HTMLElement>(".own-chip") : null;
      return chip?.dataset.order ? { id: chip.dataset.order, side: chip.dataset.own as Side } : null;
    };
    const under = (event: React.PointerEvent): { row: number; px: number } | null => {
      const tr = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>("tr[data-row]");
      const row = tr ? Number(tr.dataset.row) : -1;
      const px = painter.made[row]?.px ?? 0;
      return px > 0 ? { row, px } : null;
    };
    return {
      onPointerEnter: () => void (painter.inside = true),
      onPointerLeave: () => {
        painter.inside = false;
        painter.hover(-1);
        painter.press.drop();
      },
      onPointerDown: (event: React.PointerEvent<HTMLDivElement>) => {
        if (event.button === 1) {
          event.preventDefault();
          painter.recentre();
          return;
        }
        if (event.button !== 0) return;
        const chip = chipAt(event.target);
        const at = rowAt(event.target);
        if (chip && at) {
          const px = Number(units.ticks(painter.own.find((each) => each.id === chip.id)?.price ?? "") ?? 0n);
          painter.drag = { ...chip, from: px, to: px };
          event.currentTarget.setPointerCapture(event.pointerId);
        } else if (at && !(event.target instanceof Element && event.target.closest(".own-chip"))) painter.press.down(at.row, at.px, at.side);
      },
      onPointerMove: (event: React.PointerEvent<HTMLDivElement>) => {
        if (!painter.drag) painter.hover(Number((event.target as Element).closest<HTMLElement>("tr[data-row]")?.dataset.row ?? -1));
        const at = painter.drag && under(event);
        if (!painter.drag || !at || at.px === painter.drag.to) return;
        painter.drag = { ...painter.drag, to: at.px };
        painter.paint();
      },
      onPointerUp: (event: React.PointerEvent<HTMLDivElement>) => {
        if (painter.drag) {
          const { id, from, to } = painter.drag;
          painter.drag = null;
          painter.paint();
          const fromRow = painter.made.find((row) => row.own.some((each) => each.id === id))?.px;
          if (to !== from && to !== fromRow) void replace(id, { price: plain(units.px(BigInt(to))) });
          return;
        }
        const at = rowAt(event.target);
        const found = at && painter.press.up(at.row, at.px, at.side);
        painter.press.drop();
        if (found) click(found.px, found.side);
      },
      onContextMenu: (event: React.MouseEvent) => {
        const chip = chipAt(event.target);
        if (!chip) return;
        event.preventDefault();
        void cancel(chip.id);
      },
      onWheel: (event: React.WheelEvent) => painter.scroll(event.deltaY < 0 ? 3 : -3),
      onKeyDown: (event: React.KeyboardEvent) => {
        const chip = chipAt(event.target);
        if (event.key === "Escape" && painter.drag) {
          painter.drag = null;
          painter.paint();
        } else if (event.key === "Delete" && chip) void cancel(chip.id);
        else if (event.key === " " && !chip) {
          event.preventDefault();
          painter.recentre();
        }
      },
      onFocus: () => void (painter.inside = true),
      onBlur: () => void (painter.inside = false),
    };
  }, [painter, click, units]);
}
