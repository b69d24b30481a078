/** Orders that work, and for five seconds those that have just ended. Wishes are dashed and not counted. */
import { memo, useEffect, useMemo, useState } from "react";
import { Dialog } from "../kit/Dialog";
import { first } from "./Confirm";
import { Field } from "../kit/Field";
import * as d from "../kit/decimal";
import { ms, number } from "../kit/format";
import { Num, When } from "../kit/Num";
import { Empty } from "../kit/states";
import { StatusChip } from "../kit/StatusChip";
import { Store, useStore } from "../kit/store";
import { isOver } from "../live/account";
import type { Order } from "../live/messages";
import { houseNow, useOrders } from "../live/stores";
import { useLayout } from "../shell/layouts";
import { address } from "../shell/routes";
import { instrument as listed, may } from "../shell/session";
import { type Column as CsvColumn, csv, save } from "./csv";
import { cancel, cancelAll, intents, replace } from "./desk";
import { litOrder } from "./lit";
import { type Intent, ofOrder, WORD } from "./life";
import { unitsOf } from "./ground";
import { TYPE_WORD } from "./ticket";
import { plain, typed } from "./units";

export const FINISHED_MS = 5_000;
/** The order that keys act on. */
export const selected = new Store<string | null>(null);
/** Asks to cancel all of an instrument: opened by a key or a button, answered in the dialog. */
export const askingAll = new Store<{ account: string; symbol: string | null } | null>(null);

export const CSV: readonly CsvColumn<Order>[] = [
  { title: "order_id", of: (row) => row.order_id }, { title: "cl_ord_id", of: (row) => row.cl_ord_id }, { title: "account_id", of: (row) => row.account_id },
  { title: "symbol", of: (row) => row.symbol }, { title: "side", of: (row) => row.side }, { title: "ord_type", of: (row) => row.ord_type },
  { title: "time_in_force", of: (row) => row.time_in_force }, { title: "ord_status", of: (row) => row.ord_status }, { title: "order_qty", of: (row) => row.order_qty },
  { title: "cum_qty", of: (row) => row.cum_qty }, { title: "leaves_qty", of: (row) => row.leaves_qty }, { title: "price", of: (row) => row.price },
  { title: "stop_px", of: (row) => row.stop_px }, { title: "avg_px", of: (row) => row.avg_px }, { title: "fees", of: (row) => row.fees },
  { title: "created_at", of: (row) => row.created_at }, { title: "updated_at", of: (row) => row.updated_at }, { title: "reason", of: (row) => row.reason ?? row.text },
];

export const qtyDecimals = (symbol: string): number | undefined => of(symbol)?.qtyDecimals;
export const pxDecimals = (symbol: string): number | undefined => of(symbol)?.pxDecimals;
const of = (symbol: string) => {
  const found = listed(symbol);
  return found && unitsOf(found);
};

/** What is typed of an order: its limit, its stop, or that it takes the market. */
export function terms(order: Order): string {
  const word = TYPE_WORD[order.ord_type] ?? order.ord_type;
  const marks = [order.time_in_force?.toUpperCase(), order.post_only && "post-only", order.reduce_only && "reduce-only", order.display_qty && "iceberg", order.contingency?.toUpperCase()];
  return [word, ...marks.filter(Boolean)].join(" ");
}

export const filledShare = (order: Order): number => {
  const [cum, all] = [Number(order.cum_qty), Number(order.order_qty)];
  return all > 0 ? Math.min(cum / all, 1) : 0;
};

export const Orders = memo(function Orders({ account, symbol }: { account: string; symbol: string }) {
  const orders = useOrders(account);
  const wishes = useStore(intents);
  const chosen = useStore(selected);
  const [kept, keep] = useLayout<{ only: boolean }>("orders", { only: false });
  const [, setBeat] = useState(0);
  const [editing, setEditing] = useState<Order | null>(null);
  const may_ = may("orders:write");
  const now = houseNow();
  const shown = useMemo(
    () => [...orders.values()].filter((order) => (!isOver(order.ord_status) || now - ms(order.updated_at) < FINISHED_MS) && (!kept.only || order.symbol === symbol)).sort((a, b) => numberOf(b) - numberOf(a)),
    [orders, kept.only, symbol, Math.floor(now / 1000)],
  );
  const leaving = shown.some((order) => isOver(order.ord_status));
  useEffect(() => {
    if (!leaving) return undefined;
    const timer = setTimeout(() => setBeat((count) => count + 1), 1_000);
    return () => clearTimeout(timer);
  });
  const placing = [...wishes.values()].filter((one) => one.wish.kind === "place" && one.stage !== "refused");
  const working = shown.filter((order) => !isOver(order.ord_status));
  const hasStops = shown.some((order) => order.stop_px) || placing.some((one) => one.wish.kind === "place" && one.wish.asked.orders.some((order) => order.stop_px));
  return (
    <>
      <div className="bar">
        <button type="button" className="chip" aria-pressed={kept.only} onClick={() => keep({ only: !kept.only })}>{symbol || "This symbol"} only</button>
        <span className="end">
          <button type="button" className="chip" onClick={() => save(`orders-${account}.csv`, csv(CSV, shown))} disabled={!shown.length}>CSV</button>
          <button type="button" className="button danger" disabled={!working.length || !may_} onClick={() => askingAll.set({ account, symbol: kept.only ? symbol : null })}>Cancel {kept.only ? `all ${symbol}` : "all"}…</button>
        </span>
      </div>
      <div className="scroll">
        <table className="table orders" aria-label="Working orders">
          <thead>
            <tr>
              <th scope="col">Status</th><th scope="col">Side</th><th scope="col">Symbol</th><th scope="col">Type</th><th scope="col" className="num">Filled of quantity</th>
              <th scope="col" className="num">Limit</th>{hasStops && <th scope="col" className="num">Stop</th>}<th scope="col">Time</th><th scope="col">Order</th><th scope="col" className="act"><span className="unseen">Replace or cancel</span></th>
            </tr>
          </thead>
          <tbody>
            {placing.map((one) => <Wished key={one.key} intent={one} hasStops={hasStops} />)}
            {shown.map((order) => <Line key={order.order_id} order={order} intent={ofOrder(wishes, order.order_id)} isChosen={order.order_id === chosen} may={may_} hasStops={hasStops} onEdit={() => setEditing(order)} />)}
          </tbody>
        </table>
        {!shown.length && !placing.length && <Empty>No working orders. Arm with Shift A, then B buy · S sell.</Empty>}
      </div>
      {editing && <Replace order={editing} onClose={() => setEditing(null)} />}
    </>
  );
});

const numberOf = (order: Order): number => Number(order.order_id.slice(order.order_id.lastIndexOf(".") + 1));

/** Asked for, not answered: dashed, and in no count. */
function Wished({ intent, hasStops }: { intent: Intent; hasStops: boolean }) {
  if (intent.wish.kind !== "place") return null;
  return intent.wish.asked.orders.map((order) => (
    <tr key={order.cl_ord_id} className="wished">
      <td><span className={`status ${intent.stage === "sending" ? "sending" : "unknown"}`}><span>{WORD[intent.stage]}</span></span></td>
      <td className={order.side}>{order.side === "buy" ? "Buy" : "Sell"}</td><td>{order.symbol}</td><td>{TYPE_WORD[order.ord_type]} {order.time_in_force.toUpperCase()}</td>
      <td className="num"><Num value={order.order_qty ?? order.cash_order_qty} decimals={qtyDecimals(order.symbol)} /></td><td className="num"><Num value={order.price} decimals={pxDecimals(order.symbol)} missing="no limit" /></td>
      {hasStops && <td className="num"><Num value={order.stop_px} decimals={pxDecimals(order.symbol)} missing="no stop" /></td>}<td /><td className="mono">{order.cl_ord_id}</td><td />
    </tr>
  ));
}

const Line = memo(function Line({ order, intent, isChosen, may: may_, hasStops, onEdit }: { order: Order; intent: Intent | undefined; isChosen: boolean; may: boolean; hasStops: boolean; onEdit: () => void }) {
  const isDone = isOver(order.ord_status);
  const status = intent?.stage === "sending" || intent?.stage === "checking" ? "sending" : order.ord_status;
  const why = intent?.refusal?.text ?? order.reason ?? order.text ?? null;
  const [qty, px] = [qtyDecimals(order.symbol), pxDecimals(order.symbol)];
  return (
    <tr
      tabIndex={0}
      className={isDone ? "gone" : undefined}
      aria-selected={isChosen}
      onFocus={() => selected.set(order.order_id)}
      onPointerEnter={() => litOrder.set(order.order_id)}
      onPointerLeave={() => litOrder.set(null)}
      onKeyDown={(event) => {
        const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
        if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey) return;
        if (step && !event.shiftKey) {
          const next = step > 0 ? event.currentTarget.nextElementSibling : event.currentTarget.previousElementSibling;
          if (next instanceof HTMLElement) next.focus();
          event.preventDefault();
          event.stopPropagation();
        } else if (event.key === "Enter") location.hash = address("order", [order.order_id]);
        else if (event.key === "Delete" && !isDone) void cancel(order.order_id);
      }}
    >
      <td>
        <StatusChip status={status} filled={filledShare(order)} reason={why} />
        {intent?.stage === "refused" && <span className="why-not" role="alert"> {intent.refusal?.text}</span>}
      </td>
      <td className={order.side}>{order.side === "buy" ? "Buy" : "Sell"}</td>
      <td>{order.symbol}</td>
      <td>{terms(order)}</td>
      <td className="num filled-cell" title={`${order.cum_qty} of ${order.order_qty} filled`}>
        <i style={{ transform: `scaleX(${filledShare(order)})` }} />
        {d.isZero(order.cum_qty)
          ? <Num value={order.order_qty} decimals={qty} />
          : <><Num value={order.cum_qty} /> <span className="dim">of</span> <Num value={order.order_qty} /></>}
      </td>
      <td className="num"><Num value={order.ord_type === "market" ? null : order.price} decimals={px} missing="no limit" /></td>
      {hasStops && <td className="num"><Num value={order.stop_px} decimals={px} missing="no stop" /></td>}
      <td><When at={order.updated_at} /></td>
      <td><a className="mono" href={address("order", [order.order_id])} tabIndex={-1}>{order.order_id}</a></td>
      <td className="act">
        {!isDone && (
          <>
            <button type="button" className="button quiet" disabled={!may_ || !!intent} onClick={onEdit} aria-label={`Replace ${order.order_id}`}>Replace</button>
            <button type="button" className="button" disabled={!may_ || intent?.stage === "sending" || order.ord_status === "pending_cancel"} onClick={() => void cancel(order.order_id)} aria-label={`Cancel ${order.order_id}`}>Cancel</button>
          </>
        )}
      </td>
    </tr>
  );
});

/** New terms for a working order. The old ones stand until the venue has answered. */
export function Replace({ order, onClose }: { order: Order; onClose: () => void }) {
  const found = listed(order.symbol);
  const units = found && unitsOf(found);
  const stops = order.ord_type === "stop" || order.ord_type === "stop_limit" || order.ord_type === "trailing_stop";
  const [qty, setQty] = useState(plain(order.order_qty));
  const [px, setPx] = useState(order.price ? plain(order.price) : "");
  const [stop, setStop] = useState(order.stop_px ? plain(order.stop_px) : "");
  if (!units) return null;
  const read = (text: string, kind: "lots" | "ticks"): string | null => {
    const number_ = typed(text);
    const whole = number_ === null ? null : kind === "lots" ? units.lots(number_) : units.ticks(number_);
    if (whole === null || whole <= 0n) return null;
    return plain(kind === "lots" ? units.qty(whole) : units.px(whole));
  };
  const hasLimit = order.ord_type === "limit" || order.ord_type === "stop_limit";
  const hasStop = stops && order.at_venue === false && order.ord_type !== "trailing_stop";
  const next = { qty: read(qty, "lots"), px: hasLimit ? read(px, "ticks") : "", stop: hasStop ? read(stop, "ticks") : "" };
  const isGood = next.qty !== null && next.px !== null && next.stop !== null;
  const send = (): void => {
    if (!isGood) return;
    const change = {
      ...(next.qty !== plain(order.order_qty) && { order_qty: next.qty! }),
      ...(next.px && next.px !== plain(order.price ?? "0") && { price: next.px }),
      ...(next.stop && next.stop !== plain(order.stop_px ?? "0") && { stop_px: next.stop }),
    };
    onClose();
    if (Object.keys(change).length) void replace(order.order_id, change);
  };
  return (
    <Dialog
      title={`Replace ${order.order_id}`}
      open
      onClose={onClose}
      footer={<><button type="button" className="button" onClick={onClose}>Back <kbd>Esc</kbd></button><button type="submit" form="replace" className="button main" disabled={!isGood}>Replace <kbd>Enter</kbd></button></>}
    >
      <form id="replace" className="replace" onSubmit={(event) => { event.preventDefault(); send(); }}>
        <p className="dim">{order.side === "buy" ? "Buy" : "Sell"} {number(order.order_qty)} {order.symbol} {terms(order)}; {number(order.cum_qty)} of it filled. The old terms stand until the venue answers.</p>
        <Field label="Quantity" inputMode="decimal" autoFocus value={qty} unit={units.listed.base} onChange={(event) => setQty(event.target.value)} wrong={next.qty === null ? `A multiple of ${plain(units.listed.lot_size)}` : null} />
        {hasLimit && <Field label="Limit price" inputMode="decimal" value={px} unit={units.listed.quote} onChange={(event) => setPx(event.target.value)} wrong={next.px === null ? `A multiple of ${plain(units.listed.tick_size)}` : null} />}
        {hasStop && <Field label="Stop price" inputMode="decimal" value={stop} unit={units.listed.quote} onChange={(event) => setStop(event.target.value)} wrong={next.stop === null ? `A multiple of ${plain(units.listed.tick_size)}` : null} />}
      </form>
    </Dialog>
  );
}

/** Two steps for many: how many, which, and then the word. */
export function CancelAll() {
  const asking = useStore(askingAll);
  const orders = useOrders(asking?.account ?? "");
  if (!asking) return null;
  const meant = [...orders.values()].filter((order) => !isOver(order.ord_status) && (!asking.symbol || order.symbol === asking.symbol));
  const close = (): void => askingAll.set(null);
  const bySymbol = new Map<string, number>();
  for (const order of meant) bySymbol.set(order.symbol, (bySymbol.get(order.symbol) ?? 0) + 1);
  const count = `${meant.length} ${meant.length === 1 ? "order" : "orders"}`;
  return (
    <Dialog
      title={`Cancel ${count}?`}
      open
      onClose={close}
      footer={
        <>
          <button type="button" className="button" onClick={close}>Keep them <kbd>Esc</kbd></button>
          <button type="button" className="button danger" ref={first} disabled={!meant.length} onClick={() => { close(); void cancelAll(asking.account, asking.symbol, meant.length); }}>Cancel {count} <kbd>Enter</kbd></button>
        </>
      }
    >
      <p>{meant.length ? <>Of account {asking.account}: {[...bySymbol].map(([name, each]) => `${each} in ${name}`).join(", ")}. Positions stay. Each order works until its venue has answered.</> : "Nothing works any more."}</p>
    </Dialog>
  );
}
