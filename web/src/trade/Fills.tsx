/** Executions: those heard here at once, older ones as the views have them. */
import { memo, useCallback, useEffect, useMemo, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { Problem } from "../client/problem";
import { ms } from "../kit/format";
import { Num, When } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { useExecutions } from "../live/stores";
import { address } from "../shell/routes";
import { csv, save } from "./csv";
import { litOrder } from "./lit";
import { pxDecimals, qtyDecimals } from "./Orders";

type Line = Schemas["ExecutionLine"];
interface Fill {
  key: string;
  at: number;
  order_id: string;
  symbol: string;
  side: string;
  last_qty: string;
  last_px: string;
  fee: string;
  currency: string;
  liquidity: string;
}

const COLUMNS = (["at", "order_id", "symbol", "side", "last_qty", "last_px", "fee", "currency", "liquidity"] as const).map((name) => ({
  title: name, of: (row: Fill) => (name === "at" ? new Date(row.at).toISOString() : row[name]),
}));
const ofLine = (line: Line): Fill => ({ key: line.exec_id, at: ms(line.at), order_id: line.order_id, symbol: line.symbol, side: line.side, last_qty: line.last_qty, last_px: line.last_px, fee: line.fee, currency: line.currency, liquidity: line.liquidity });

export const Fills = memo(function Fills({ account }: { account: string }) {
  const heard = useExecutions(account);
  const lit = useStore(litOrder);
  const [before, setBefore] = useState<Fill[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [position, setPosition] = useState(0);
  const read = useCallback(() => {
    ok(api.GET("/api/executions", { params: { query: { account_id: account, limit: 200 } } })).then(
      (page) => {
        setProblem(null);
        setPosition(Math.max(0, ...page.items.map((line) => line.position)));
        setBefore(page.items.map(ofLine));
      },
      (error: unknown) => error instanceof Problem && setProblem(error),
    );
  }, [account]);
  useEffect(read, [read]);
  const shown = useMemo(() => {
    const now = heard.filter((each) => each.position > position).map((each, nth): Fill => ({ ...each, key: `${each.order_id}.${each.exec_number}.${nth}`, at: each.at / 1e6, currency: each.fee_asset }));
    return [...now.reverse(), ...(before ?? [])];
  }, [heard, before, position]);
  const everything = async (): Promise<void> => {
    const lines: Fill[] = [];
    let cursor = "";
    do {
      const page = await ok(api.GET("/api/executions", { params: { query: { account_id: account, limit: 1000, cursor } } }));
      lines.push(...page.items.map(ofLine));
      cursor = page.next ?? "";
    } while (cursor);
    save(`fills-${account}-all.csv`, csv(COLUMNS, lines));
  };
  if (problem) return <ErrorPanel problem={problem} retry={read} />;
  if (!before) return <Loading waitsFor="Reading executions" />;
  return (
    <>
      <div className="bar">
        <span className="label">The newest {shown.length}, newest first</span>
        <span className="end">
          <button type="button" className="chip" disabled={!shown.length} onClick={() => save(`fills-${account}.csv`, csv(COLUMNS, shown))}>CSV of these</button>
          <button type="button" className="chip" disabled={!shown.length} onClick={() => void everything()}>CSV of all</button>
        </span>
      </div>
      <div className="scroll">
        {shown.length ? (
          <table className="table" aria-label="Fills">
            <thead><tr><th scope="col">Time</th><th scope="col">Side</th><th scope="col">Symbol</th><th scope="col" className="num">Quantity</th><th scope="col" className="num">Price</th><th scope="col" className="num">Fee</th><th scope="col">Liquidity</th><th scope="col">Order</th></tr></thead>
            <tbody>
              {shown.map((fill) => (
                <tr key={fill.key} aria-selected={fill.order_id === lit} onPointerEnter={() => litOrder.set(fill.order_id)} onPointerLeave={() => litOrder.set(null)}>
                  <td><When at={fill.at} /></td>
                  <td className={fill.side}>{fill.side === "buy" ? "Buy" : "Sell"}</td>
                  <td>{fill.symbol}</td>
                  <td className="num"><Num value={fill.last_qty} decimals={qtyDecimals(fill.symbol)} /></td>
                  <td className="num"><Num value={fill.last_px} decimals={pxDecimals(fill.symbol)} /></td>
                  <td className="num"><Num value={fill.fee} decimals={2} /> <span className="dim">{fill.currency}</span></td>
                  <td>{fill.liquidity}</td>
                  <td><a className="mono" href={address("order", [fill.order_id])}>{fill.order_id}</a></td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : (
          <Empty>No fills yet in {account}.</Empty>
        )}
      </div>
    </>
  );
});
