/** What is held and what it has gained: net of fees, at the mark, twice a second at most. */
import { memo, useEffect, useState } from "react";
import { Dialog } from "../kit/Dialog";
import * as d from "../kit/decimal";
import { MISSING, number, rounded } from "../kit/format";
import { Num } from "../kit/Num";
import { QualityBadge } from "../kit/QualityBadge";
import { Empty } from "../kit/states";
import { Store, useKey, useStore } from "../kit/store";
import { type Margin, marginStore } from "../live/refresh";
import { marketStore, useAccount, useBalances, usePositions } from "../live/stores";
import { openSymbol } from "../shell/routes";
import { may, useInstruments } from "../shell/session";
import { csv, save } from "./csv";
import { flatten } from "./desk";
import { throttled, unitsOf } from "./ground";
import { gain, isSettled, parts, type Traded } from "./pnl";
import { plain } from "./units";

const EVERY_MS = 500;

/** Asks whether to flatten: opened by F or a button. */
export const askingFlat = new Store<{ account: string; symbol: string } | null>(null);

/** The mark of an instrument, looked at twice a second. */
export function useMark(symbol: string): { px: string | null; quality: string } {
  const [mark, setMark] = useState<{ px: string | null; quality: string }>({ px: null, quality: "" });
  useEffect(() => {
    const look = (): void => {
      const found = marketStore.price(symbol);
      const px = found?.mark?.price ?? null;
      const quality = found?.quality ?? "";
      setMark((now) => (now.px === px && now.quality === quality ? now : { px, quality }));
    };
    const slow = throttled(look, EVERY_MS);
    look();
    const stop = marketStore.prices.subscribe(symbol, slow.call);
    return () => {
      slow.stop();
      stop();
    };
  }, [symbol]);
  return mark;
}

/** Lines of what was traded, and of what is held without having been traded here. */
export function useHeld(account: string): Traded[] {
  const traded = usePositions(account);
  const balances = useBalances(account);
  const shown = useAccount(account);
  const all = useInstruments();
  const lines: Traded[] = traded.map((line) => ({ ...line }));
  for (const balance of balances.values()) {
    if (!shown || balance.asset === shown.currency || d.isZero(balance.balance)) continue;
    const pairs = all.filter((each) => each.base === balance.asset);
    const home = pairs.find((each) => each.quote === shown.currency) ?? pairs[0];
    if (!home || lines.some((line) => pairs.some((each) => each.symbol === line.symbol))) continue;
    lines.push({ symbol: home.symbol, qty: balance.balance, traded_qty: "0", currency: home.quote, cost: "0", realized: "0", fees: "0", avg_px: null });
  }
  return lines.filter((line) => !d.isZero(line.qty) || !d.isZero(line.realized) || !d.isZero(line.fees)).sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}

export const Positions = memo(function Positions({ account }: { account: string }) {
  const lines = useHeld(account);
  const shown = useAccount(account);
  const margin = useKey(marginStore, account) ?? null;
  if (!shown) return null;
  const isMixed = new Set(lines.map((line) => line.currency)).size > 1;
  if (!lines.length) return <Empty>No positions in {account}. What is bought shows here with its profit and loss after fees.</Empty>;
  return (
    <>
      <div className="bar">
        <span className="label">Profit and loss after fees, at the mark, since the account was opened{lines.every(isSettled) ? "; all of it is settled" : ""}</span>
        <span className="end"><button type="button" className="chip" onClick={() => save(`positions-${account}.csv`, csv(CSV, lines))}>CSV</button></span>
      </div>
      <div className="scroll">
        <table className="table positions" aria-label="Positions">
          <thead>
            <tr>
              <th scope="col">Symbol</th><th scope="col" className="num">Held</th><th scope="col" className="num">Net P&amp;L</th><th scope="col" className="num">Unrealized</th><th scope="col" className="num">Realized</th>
              <th scope="col" className="num">Fees</th><th scope="col" className="num">Average</th><th scope="col" className="num">Mark</th>
              {margin && <th scope="col" className="num">Liquidation</th>}<th scope="col" className="act"><span className="unseen">Flatten</span></th>
            </tr>
          </thead>
          <tbody>{lines.map((line) => <Line key={line.symbol} line={line} account={account} margin={margin} isMixed={isMixed} />)}</tbody>
        </table>
      </div>
    </>
  );
});

const CSV = (["symbol", "qty", "traded_qty", "currency", "cost", "avg_px", "realized", "fees"] as const).map((name) => ({ title: name, of: (row: Traded) => row[name] }));

const Line = memo(function Line({ line, account, margin, isMixed }: { line: Traded; account: string; margin: Margin | null; isMixed: boolean }) {
  const { px, quality } = useMark(line.symbol);
  const all = useInstruments();
  const instrument = all.find((each) => each.symbol === line.symbol);
  const units = instrument && unitsOf(instrument);
  const found = gain(line, px);
  const shown = (amount: d.Decimal | null) =>
    amount === null ? <span className="dim" title="There is no price">{MISSING}</span> : <Num value={d.text(d.rescale(amount, 2))} direction />;
  const closes = margin?.positions.find((each) => each.symbol === line.symbol)?.liquidation_px ?? null;
  const row = (
    <tr className={quality && quality !== "ok" ? "stale-ground" : undefined}>
      <th scope="row"><button type="button" className="pick" onClick={() => openSymbol(line.symbol)}>{line.symbol}</button> <QualityBadge quality={quality} /></th>
      <td className="num" title={`${line.traded_qty} of it was traded here`}><Num value={line.qty} decimals={units?.qtyDecimals} /></td>
      <td className="num"><b>{shown(found.net)}</b>{isMixed && <span className="dim"> {line.currency}</span>}</td>
      <td className="num">{shown(found.unrealized)}</td>
      <td className="num">{shown(d.of(line.realized))}</td>
      <td className="num">{rounded(line.fees, 2)}</td>
      <td className="num">{line.avg_px ? rounded(line.avg_px, units?.pxDecimals ?? 2) : <span className="dim" title="Nothing was traded here">{MISSING}</span>}</td>
      <td className="num"><Num value={px} decimals={units?.pxDecimals} missing="There is no price" /></td>
      {margin && <td className="num"><Num value={closes} decimals={units?.pxDecimals} missing="At no price" /></td>}
      <td className="act"><button type="button" className="button" disabled={!may("orders:write") || d.isZero(line.qty)} onClick={() => askingFlat.set({ account, symbol: line.symbol })}>Flatten…</button></td>
    </tr>
  );
  if (isSettled(line)) return row;
  return <>{row}<tr className="parts-row"><td colSpan={margin ? 10 : 9}><Settling line={line} px={px} /></td></tr></>;
});

const WAITS: Record<string, string> = {
  matched: "no chain has confirmed it, and it may be taken back",
  confirmed: "it stands; what it brings in has not settled",
  settled: "it may leave the account",
};

/** Of the net gain what is matched, confirmed and settled: hatched, outlined, solid. */
export function Settling({ line, px }: { line: Traded; px: string | null }) {
  const found = parts(line, px);
  return (
    <span className="parts">
      {(["matched", "confirmed", "settled"] as const).map((state) => {
        const fills = line.waiting?.find((each) => each.state === state)?.fills ?? 0;
        if (state !== "settled" && !fills) return null;
        return (
          <span key={state} title={WAITS[state]}>
            <i className={state} aria-hidden="true" />{state} {found ? <Num value={d.text(d.rescale(found[state], 2))} direction /> : <span className="dim" title="There is no price">{MISSING}</span>}
            {fills > 0 && <span className="dim"> {fills} {fills === 1 ? "fill" : "fills"}</span>}
          </span>
        );
      })}
    </span>
  );
}

/** Says what would be sold before it is. */
export function Flatten() {
  const asking = useStore(askingFlat);
  const lines = useHeld(asking?.account ?? "");
  const [problem, setProblem] = useState("");
  useEffect(() => setProblem(""), [asking]);
  if (!asking) return null;
  const line = lines.find((each) => each.symbol === asking.symbol);
  const close = (): void => askingFlat.set(null);
  const isShort = line?.qty.startsWith("-");
  const word = isShort ? "Buy back" : "Sell";
  return (
    <Dialog
      title={`Flatten ${asking.symbol}?`}
      open
      onClose={close}
      footer={
        <>
          <button type="button" className="button" onClick={close}>Keep it <kbd>Esc</kbd></button>
          <button type="button" className="button danger" disabled={!line} onClick={() => void flatten(asking.account, asking.symbol).then((found) => (found ? setProblem(found.message) : close()))}>{word} {line ? number(plain(line.qty.replace("-", ""))) : ""} at market</button>
        </>
      }
    >
      {line ? (
        <p>Cancels what works in {asking.symbol}, then {isShort ? "buys back" : "sells"} <b>all {number(plain(line.qty.replace("-", "")))}</b> that account {asking.account} {isShort ? "is short" : "holds"}, not only what was traded here: reduce-only, at market.</p>
      ) : (
        <p>Account {asking.account} has no position in {asking.symbol}.</p>
      )}
      {problem && <p className="loss" role="alert">{problem}</p>}
    </Dialog>
  );
}
