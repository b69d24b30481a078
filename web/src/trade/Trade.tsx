/** The Trade screen: watchlist, chart over blotter, ladder, ticket; on a phone four tabs and a sheet. */
import "./trade.css";
import { lazy, memo, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import * as d from "../kit/decimal";
import { number, parts, rounded } from "../kit/format";
import { QualityBadge } from "../kit/QualityBadge";
import { prefs } from "../kit/prefs";
import { Empty, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { useMedia } from "../kit/media";
import { isOver } from "../live/account";
import { accountStore, isLive, marketStore, useConnection } from "../live/stores";
import { chordOf, chordsOf, isTyping, keysOf, provide } from "../shell/keys";
import { useLayout } from "../shell/layouts";
import { openSymbol } from "../shell/routes";
import type { Command, ScreenProps } from "../shell/screens";
import { accountId, instruments, useAccountId, useInstruments } from "../shell/session";
import { act, type Act, ARMED_KEYS, type ArmedKey, countdown } from "./armed";
import { arm, arming, disarm, guard, used, useArmed } from "./arming";
import { Blotter, tabOf } from "./Blotter";
import { Column } from "./Column";
import { type Columns, isAway, mended, shown, type Side, STANDARD, stepped as placed, template, TITLES, turned } from "./columns";
import { cancel, heard } from "./desk";
import { draft, draftOf, presets } from "./drafts";
import { type Instrument, throttled, touchOf, unitsOf, useAge, useInstrument } from "./ground";
import { Ladder } from "./Ladder";
import { askingAll, CancelAll, selected } from "./Orders";
import { Phone } from "./Phone";
import { askingFlat, Flatten, Settling, useHeld, useMark } from "./Positions";
import { gain, isSettled } from "./pnl";
import { Ticket, ticketDoor } from "./Ticket";
import { stepped, workingPx } from "./ticket";
import { plain } from "./units";
import { neighbour, Watchlist } from "./Watchlist";

const Chart = lazy(() => import("./Chart"));

export default function Trade({ route }: ScreenProps) {
  const account = useAccountId();
  const all = useInstruments();
  const symbol = route.parts[0] ?? all[0]?.symbol ?? "";
  const instrument = useInstrument(symbol);
  const isPhone = useMedia("(max-width: 599px)");
  const isNarrow = useMedia("(max-width: 1199px)");
  const tab = tabOf(route.query.tab);
  const [isDepth, setDepth] = useState(false);
  const isSmall = useMedia("(max-width: 899px)");
  const [layout, keep] = useLayout("trade", { split: 56, columns: STANDARD });
  const columns = useMemo(() => mended(layout.columns), [layout.columns]);
  const keepColumns = useCallback((next: Columns) => keep({ columns: next }), [keep]);
  const drawn = shown(columns, (side) => !(side === "ladder" && isNarrow) && !(side === "watchlist" && isSmall));
  usePlaces(columns, keepColumns);
  useKeys(symbol);
  useSpeech(account);
  const spoken = useStore(heard);

  if (!all.length) return <Loading waitsFor="Reading instruments" />;
  if (!instrument) {
    return (
      <div className="trade none">
        <Watchlist symbol="" />
        <Empty action={{ label: `Show ${all[0]!.symbol}`, act: () => openSymbol(all[0]!.symbol) }}>There is no instrument {symbol} in this house.</Empty>
      </div>
    );
  }
  const dialogs = (
    <>
      <CancelAll />
      <Flatten />
      <p className="unseen" role="status">{spoken}</p>
    </>
  );
  if (isPhone) return <div className="trade phone"><Phone instrument={instrument} account={account} view={route.query.view} />{dialogs}</div>;
  const ladder = <Ladder key={symbol} instrument={instrument} account={account} />;
  const chart = <Suspense fallback={<div className="panel chart"><Loading waitsFor="Reading the chart" /></div>}><Chart instrument={instrument} account={account} /></Suspense>;
  const middle = (
    <div key="middle" className="middle" data-column="middle" style={{ "--split": `${layout.split}fr`, "--rest": `${100 - layout.split}fr` } as React.CSSProperties}>
      <Glance instrument={instrument} account={account} />
      {isNarrow && (
        <div className="tabs" role="tablist" aria-label="Chart or ladder">
          <button type="button" role="tab" aria-selected={!isDepth} onClick={() => setDepth(false)}>Chart</button>
          <button type="button" role="tab" aria-selected={isDepth} onClick={() => setDepth(true)}>Ladder</button>
        </div>
      )}
      {isNarrow && isDepth ? ladder : chart}
      <Splitter share={layout.split} onChange={(split) => keep({ split })} />
      <Blotter instrument={instrument} account={account} tab={tab} />
    </div>
  );
  const bodies: Record<Side, () => React.ReactNode> = {
    watchlist: () => <Watchlist symbol={symbol} />,
    ladder: () => ladder,
    ticket: () => (
      <section className="panel ticket-panel" data-panel="ticket" aria-label={`Ticket for ${symbol}`}>
        <header><h2>Ticket</h2><span className="end"><Armed /></span></header>
        <div className="body"><Ticket key={symbol} instrument={instrument} account={account} /></div>
      </section>
    ),
  };
  return (
    <div className="trade" style={{ gridTemplateColumns: template(columns, drawn, isNarrow) }}>
      {drawn.map((each) => (each === "middle" ? middle : <Column key={each} side={each} columns={columns} drawn={drawn} keep={keepColumns}>{bodies[each]()}</Column>))}
      {dialogs}
    </div>
  );
}

/** The same by name: whatever the hand does, the palette does. */
function usePlaces(columns: Columns, keep: (columns: Columns) => void): void {
  const commands = useMemo(
    () =>
      (Object.keys(TITLES) as Side[]).flatMap((side): Command[] => [
        { title: `${isAway(columns, side) ? "Show" : "Put away"} the ${TITLES[side]}`, words: "panel column hide close layout", run: () => keep(turned(columns, side)) },
        { title: `Move the ${TITLES[side]} to the left`, words: "panel column layout", run: () => keep(placed(columns, side, -1)) },
        { title: `Move the ${TITLES[side]} to the right`, words: "panel column layout", run: () => keep(placed(columns, side, 1)) },
      ]),
    [columns, keep],
  );
  useEffect(() => provide("Panels", commands), [commands]);
}

/** Between chart and blotter: dragged, or moved by arrow keys; kept with the layout. */
function Splitter({ share, onChange }: { share: number; onChange: (share: number) => void }) {
  const moved = (to: number): void => onChange(Math.round(Math.min(Math.max(to, 20), 80)));
  return (
    <div
      className="splitter"
      role="separator"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label="Height of the chart"
      aria-valuenow={share}
      aria-valuemin={20}
      aria-valuemax={80}
      onDoubleClick={() => onChange(56)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const [above, below] = [event.currentTarget.previousElementSibling!.getBoundingClientRect(), event.currentTarget.nextElementSibling!.getBoundingClientRect()];
        moved(((event.clientY - above.top) / (below.bottom - above.top)) * 100);
      }}
      onKeyDown={(event) => {
        const step = { ArrowUp: -2, ArrowDown: 2 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        moved(share + step);
      }}
    />
  );
}

/** Whether keys trade, said by a chip with its countdown. */
export function Armed() {
  const now = useArmed();
  const connection = useConnection();
  const [, setBeat] = useState(0);
  useEffect(() => {
    if (!now.on) return undefined;
    const timer = setInterval(() => setBeat((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, [now.on]);
  if (!now.on) {
    return <button type="button" className="chip" disabled={!isLive(connection)} onClick={arm} title={now.why ? `Keys were disarmed: ${now.why}` : "Trading keys work while armed"}>Arm keys <kbd>Shift A</kbd></button>;
  }
  return <button type="button" className="chip armed" aria-pressed="true" onClick={() => disarm()} title="Trading keys are on; Esc turns them off">ARMED <span aria-hidden="true">{countdown(now.until, Date.now())}</span></button>;
}

/** Last, spread and quality; my position and what it has gained. */
export const Glance = memo(function Glance({ instrument, account }: { instrument: Instrument; account: string }) {
  const units = unitsOf(instrument);
  const { symbol } = instrument;
  const last = useRef<HTMLSpanElement>(null);
  const held = useHeld(account).find((line) => line.symbol === symbol);
  const { px, quality } = useMark(symbol);
  const old = useAge(symbol, quality !== "" && quality !== "ok");
  const { flash } = useStore(prefs);
  useEffect(() => {
    let before: bigint | null = null;
    const write = (): void => {
      const price = marketStore.price(symbol);
      const text = price?.last?.price ?? price?.mid?.price;
      const ticks = text ? units.ticks(text) : null;
      const at = last.current;
      if (!at || ticks === null || ticks === before) return;
      const shown = parts(units.px(ticks));
      at.children[0]!.textContent = before === null || ticks > before ? "▲" : "▼";
      at.children[1]!.textContent = shown.head;
      at.children[2]!.textContent = shown.zeros;
      if (before !== null) at.dataset.way = ticks > before ? "up" : "down";
      if (before !== null && flash) {
        at.classList.remove("flash-up", "flash-down");
        void at.offsetWidth;
        at.classList.add(ticks > before ? "flash-up" : "flash-down");
      }
      before = ticks;
    };
    const slow = throttled(write, 334); // Three flashes a second are the most.
    write();
    const stop = marketStore.prices.subscribe(symbol, slow.call);
    return () => {
      slow.stop();
      stop();
    };
  }, [symbol, units, flash]);
  const net = held ? gain(held, px).net : null;
  const shown = net === null ? null : d.rescale(net, 2);
  const state = instrument.trading_state;
  return (
    <header className="glance">
      <h1>{symbol}</h1>
      <span className="last" ref={last} aria-label={`Last price of ${symbol}`} role="img"><i aria-hidden="true" /><b /><span className="zeros" /></span>
      <QualityBadge quality={quality} age={old} />
      {state !== "active" && <span className="chip warn">{state.toUpperCase()}</span>}
      <dl>
        <div><dt>Mark</dt><dd>{number(px, { decimals: units.pxDecimals })}</dd></div>
        <div><dt>Position {instrument.base}</dt><dd>{held ? number(plain(held.qty), { decimals: 0 }) : "0"}</dd></div>
        <div><dt>Traded here</dt><dd>{held ? number(plain(held.traded_qty), { signed: true }) : "0"}</dd></div>
        <div><dt>Net P&amp;L {instrument.quote}</dt><dd className={shown === null || d.sign(shown) === 0 ? undefined : d.sign(shown) > 0 ? "gain" : "loss"}>{shown === null ? "–" : rounded(shown, 2, { signed: true })}</dd></div>
        {held && !isSettled(held) && <div><dt>of it</dt><dd><Settling line={held} px={px} /></dd></div>}
        <div><dt>Fee maker / taker</dt><dd>{instrument.maker_fee_ppm / 100} / {instrument.taker_fee_ppm / 100} bp</dd></div>
      </dl>
    </header>
  );
});

// --- Keys ---------------------------------------------------------------------------------------

function perform(what: Act, symbol: string): void {
  const found = instruments.get().find((each) => each.symbol === symbol);
  if (!found) return;
  const units = unitsOf(found);
  const now = draftOf(symbol);
  const touch = touchOf(symbol);
  switch (what.do) {
    case "side":
      return draft(symbol, { side: what.side });
    case "type":
      return draft(symbol, { ordType: what.type });
    case "tick": {
      const field = now.ordType === "stop" ? "stopPx" : "price";
      return draft(symbol, { [field]: stepped(now[field], BigInt(what.by), units, now.side === "buy" ? touch.bid : touch.ask) });
    }
    case "preset": {
      const px = workingPx(now, { units, ...touch, max: null, now: 0 }) ?? (touch.ask === null ? null : units.ticks(touch.ask));
      const lots = presets(px, (each) => (px === null ? 0 : Number(units.notional(px, each))))[what.nth - 1];
      if (lots !== undefined) draft(symbol, { unit: "base", qty: plain(units.qty(lots)) });
      return;
    }
    case "send":
      return ticketDoor.current?.send();
    case "cancel": {
      const id = selected.get();
      const order = id ? accountStore(accountId.get()).orders.get(id) : undefined;
      if (order && !isOver(order.ord_status)) void cancel(order.order_id);
      return;
    }
    case "cancel_all":
      return askingAll.set({ account: accountId.get(), symbol });
    case "flatten":
      return askingFlat.set({ account: accountId.get(), symbol });
  }
}

const mine = (key: ArmedKey): string => chordsOf(keysOf({ title: key.title, keys: key.keys, run: () => undefined }))[0] ?? "";

/** Trading keys are taken here, before the shell's; they do nothing until they are armed. */
function useKeys(symbol: string): void {
  useEffect(() => guard(), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!arming.get().on || !prefs.get().keys || document.querySelector("dialog[open]")) return;
      if (event.key === "Escape" && !isTyping(event.target)) {
        disarm();
        return;
      }
      const what = act({ chord: chordOf(event), repeat: event.repeat, composing: event.isComposing, typing: isTyping(event.target) }, mine);
      if (!what) return;
      event.preventDefault();
      event.stopPropagation();
      used();
      perform(what, symbol);
    };
    addEventListener("keydown", onKey, true);
    return () => removeEventListener("keydown", onKey, true);
  }, [symbol]);
  const now = useArmed();
  const commands = useMemo<Command[]>(() => {
    const off = (): string => (arming.get().on ? "" : "arm first, Shift A");
    const next = (step: 1 | -1) => (): void => {
      const to = neighbour(instruments.get(), symbol, step);
      if (to) openSymbol(to);
    };
    return [
      { title: now.on ? "Disarm trading keys" : "Arm trading keys", keys: "Shift+A", run: () => (arming.get().on ? disarm() : arm()) },
      { title: "Previous instrument", keys: "[", run: next(-1) },
      { title: "Next instrument", keys: "]", run: next(1) },
      { title: `Cancel all orders of ${symbol}`, danger: true, run: () => askingAll.set({ account: accountId.get(), symbol }) },
      { title: "Cancel all orders of this account", danger: true, run: () => askingAll.set({ account: accountId.get(), symbol: null }) },
      { title: `Flatten ${symbol}`, danger: true, run: () => askingFlat.set({ account: accountId.get(), symbol }) },
      ...ARMED_KEYS.map((key): Command => ({ title: key.title, keys: key.keys, unless: off, run: () => perform(key.act, symbol) })),
    ];
  }, [symbol, now.on]);
  useEffect(() => provide("Trade", commands), [commands]);
}

/** Fills and refusals for who listens: one sentence a second at most. */
function useSpeech(account: string): void {
  useEffect(() => {
    if (!account) return undefined;
    let fills = 0;
    let text = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = (): void => {
      timer = undefined;
      heard.set(fills > 1 ? `${fills} fills; the last: ${text}` : text);
      fills = 0;
    };
    const stop = accountStore(account).onEvents((events) => {
      for (const event of events) {
        if (event.channel === "executions") {
          fills += 1;
          text = `${event.side === "buy" ? "Bought" : "Sold"} ${number(event.last_qty)} ${event.symbol} at ${number(event.last_px)}`;
        } else if (event.channel === "orders" && event.ord_status === "canceled") text = `${event.order_id} is canceled`;
        else continue;
        timer ??= setTimeout(say, 1_000);
      }
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [account]);
}
