/** On a phone: four tabs at the bottom, and the ticket as a sheet whose close and send never leave the screen. */
import { memo, useEffect, useRef, useState } from "react";
import { money, number } from "../kit/format";
import * as d from "../kit/decimal";
import { Num } from "../kit/Num";
import { QualityBadge, Ribbon } from "../kit/QualityBadge";
import { Empty } from "../kit/states";
import { StatusChip } from "../kit/StatusChip";
import { useKey, useStore } from "../kit/store";
import { isOver } from "../live/account";
import { limitsStore } from "../live/refresh";
import { useAccount, useBalances, useOrders } from "../live/stores";
import { address, setQuery } from "../shell/routes";
import { may, useWelcome } from "../shell/session";
import { cancel, intents } from "./desk";
import type { Instrument } from "./ground";
import { ofOrder, WORD } from "./life";
import { askingAll, filledShare, pxDecimals, terms } from "./Orders";
import { gain, isSettled, type Traded } from "./pnl";
import { askingFlat, Settling, useHeld, useMark } from "./Positions";
import { Ticket } from "./Ticket";
import { Glance } from "./Trade";
import { plain } from "./units";
import { Watchlist } from "./Watchlist";

type View = "positions" | "orders" | "watch" | "account";
const VIEWS: readonly [View, string][] = [["positions", "Positions"], ["orders", "Orders"], ["watch", "Watch"], ["account", "Account"]];

export const Phone = memo(function Phone({ instrument, account, view }: { instrument: Instrument; account: string; view: string | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const now = VIEWS.find(([each]) => each === view)?.[0] ?? "watch";
  const sheet = useRef<HTMLDialogElement>(null);
  const house = useWelcome();
  useEffect(() => {
    if (isOpen) sheet.current?.showModal();
    else sheet.current?.close();
  }, [isOpen]);
  return (
    <>
      <Glance instrument={instrument} account={account} />
      <div className="view" role="tabpanel" id="phone-view" aria-labelledby={`phone-${now}`}>
        {now === "positions" && <Held account={account} />}
        {now === "orders" && <Working account={account} />}
        {now === "watch" && <Watchlist symbol={instrument.symbol} />}
        {now === "account" && <Money account={account} />}
      </div>
      <button type="button" className="button main trade-open" onClick={() => setOpen(true)}>Trade {instrument.symbol}</button>
      <div className="bottom" role="tablist" aria-label="Trade">
        {VIEWS.map(([each, title]) => <button key={each} id={`phone-${each}`} type="button" role="tab" aria-selected={now === each} aria-controls="phone-view" onClick={() => setQuery({ view: each })}>{title}</button>)}
      </div>
      <dialog ref={sheet} className="sheet" aria-label={`Ticket for ${instrument.symbol}`} onCancel={(event) => { event.preventDefault(); setOpen(false); }}>
        <header><h2>{instrument.symbol}</h2>{house && <Ribbon environment={house.environment} speed={house.speed} />}<button type="button" className="button" onClick={() => setOpen(false)}>Close</button></header>
        {isOpen && <Ticket instrument={instrument} account={account} alwaysAsk onSent={() => setOpen(false)} />}
      </dialog>
    </>
  );
});

function Held({ account }: { account: string }) {
  const lines = useHeld(account);
  if (!lines.length) return <Empty>No positions in {account}.</Empty>;
  return <ul className="cards">{lines.map((line) => <Position key={line.symbol} line={line} account={account} />)}</ul>;
}

function Position({ line, account }: { line: Traded; account: string }) {
  const { px, quality } = useMark(line.symbol);
  const found = gain(line, px);
  return (
    <li>
      <span className="name">{line.symbol} <QualityBadge quality={quality} /></span>
      <span className="num"><Num value={found.net && d.text(d.rescale(found.net, 2))} direction missing="There is no price" /> <span className="dim">{line.currency}</span></span>
      <span className="dim">{number(plain(line.qty))} held, {number(plain(line.traded_qty), { signed: true })} traded here{!isSettled(line) && <><br /><Settling line={line} px={px} /></>}</span>
      <button type="button" className="button" disabled={!may("orders:write")} onClick={() => askingFlat.set({ account, symbol: line.symbol })}>Flatten…</button>
    </li>
  );
}

function Working({ account }: { account: string }) {
  const orders = useOrders(account);
  const wishes = useStore(intents);
  const working = [...orders.values()].filter((order) => !isOver(order.ord_status)).reverse();
  const placing = [...wishes.values()].filter((one) => one.wish.kind === "place" && one.stage !== "refused");
  return (
    <>
      {!working.length && !placing.length && <Empty>No working orders. Press Trade below.</Empty>}
      <ul className="cards">
        {placing.map((one) => one.wish.kind === "place" && (
          <li key={one.key} className="wished"><span className="name">{one.wish.asked.orders[0]?.side === "buy" ? "Buy" : "Sell"} {one.wish.asked.orders[0]?.order_qty} {one.wish.asked.orders[0]?.symbol}</span><span className="status sending"><span>{WORD[one.stage]}</span></span></li>
        ))}
        {working.map((order) => {
          const intent = ofOrder(wishes, order.order_id);
          return (
            <li key={order.order_id}>
              <a className="name" href={address("order", [order.order_id])}><span className={order.side}>{order.side === "buy" ? "Buy" : "Sell"}</span> {number(order.order_qty)} {order.symbol}</a>
              <StatusChip status={intent?.stage === "sending" ? "sending" : order.ord_status} filled={filledShare(order)} />
              <span className="dim">{terms(order)} {order.price ? number(order.price, { decimals: pxDecimals(order.symbol) }) : order.stop_px ? number(order.stop_px, { decimals: pxDecimals(order.symbol) }) : ""}; {number(order.cum_qty)} filled{intent?.refusal ? `; ${intent.refusal.text}` : ""}</span>
              <button type="button" className="button" disabled={!may("orders:write") || intent?.stage === "sending"} onClick={() => void cancel(order.order_id)}>Cancel</button>
            </li>
          );
        })}
      </ul>
      {working.length > 0 && <button type="button" className="button danger wide" disabled={!may("orders:write")} onClick={() => askingAll.set({ account, symbol: null })}>Cancel all…</button>}
    </>
  );
}

function Money({ account }: { account: string }) {
  const shown = useAccount(account);
  const balances = useBalances(account);
  const limits = useKey(limitsStore, account);
  if (!shown) return null;
  return (
    <>
      <dl className="facts">
        <div><dt>Equity {shown.currency}</dt><dd>{money(shown.equity)}</dd></div>
        <div><dt>Type</dt><dd>{shown.account_type}</dd></div>
        <div><dt>Trading</dt><dd>{shown.trading_state}</dd></div>
        {limits?.usage.filter((line) => line.used).map((line) => <div key={`${line.name} ${line.about ?? ""}`}><dt>{line.name.replaceAll("_", " ")} {line.about}</dt><dd>{number(line.used)} of {number(line.limit)} {line.unit}</dd></div>)}
      </dl>
      <table className="table" aria-label="Balances">
        <thead><tr><th scope="col">Asset</th><th scope="col" className="num">Balance</th><th scope="col" className="num">Free</th></tr></thead>
        <tbody>{[...balances.values()].map((line) => <tr key={line.asset}><th scope="row">{line.asset}</th><td className="num"><Num value={plain(line.balance)} /></td><td className="num"><Num value={plain(line.free)} /></td></tr>)}</tbody>
      </table>
    </>
  );
}
