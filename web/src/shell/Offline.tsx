import { useEffect, useState } from "react";
import { dayTime, zoneName } from "../kit/format";
import { Num } from "../kit/Num";
import { Ribbon, type Environment } from "../kit/QualityBadge";
import { StatusChip } from "../kit/StatusChip";
import { type Column, Table } from "../kit/Table";
import type { Balance, Order } from "../live/messages";
import { isOver } from "../live/account";
import type { PositionLine } from "../live/stores";
import { Mark } from "./icons";
import { last, type Last } from "./last";
import { start } from "./session";

const balances: Column<Balance>[] = [
  { key: "asset", title: "Asset", cell: (row) => row.asset },
  { key: "balance", title: "Balance", num: true, cell: (row) => <Num value={row.balance} /> },
  { key: "held", title: "Held", num: true, cell: (row) => <Num value={row.held} /> },
];
const orders: Column<Order>[] = [
  { key: "status", title: "Status", cell: (row) => <StatusChip status={row.ord_status} /> },
  { key: "side", title: "Side", cell: (row) => row.side },
  { key: "symbol", title: "Symbol", cell: (row) => row.symbol },
  { key: "price", title: "Price", num: true, cell: (row) => <Num value={row.price} missing="no limit price" /> },
  { key: "leaves", title: "Leaves", num: true, cell: (row) => <Num value={row.leaves_qty} /> },
];
const positions: Column<PositionLine>[] = [
  { key: "symbol", title: "Symbol", cell: (row) => row.symbol },
  { key: "qty", title: "Quantity", num: true, cell: (row) => <Num value={row.qty} /> },
  { key: "avg", title: "Average price", num: true, cell: (row) => <Num value={row.avg_px} missing="nothing was traded here" /> },
];

/** The last state, hatched all over, with its time. Nothing here acts. */
export function Offline() {
  const [found, setFound] = useState<Last | null | undefined>(undefined);
  useEffect(() => {
    last().then((kept) => setFound(kept ?? null), () => setFound(null));
    const again = (): void => void start();
    addEventListener("online", again);
    const timer = setInterval(again, 10_000);
    return () => {
      removeEventListener("online", again);
      clearInterval(timer);
    };
  }, []);
  return (
    <main className="offline stale-ground">
      <header>
        <Mark />
        <h1>{found ? `Offline. State of ${dayTime(found.at)} ${zoneName()}, position ${found.position}` : "Offline, and nothing is kept here"}</h1>
        {found && <Ribbon environment={found.environment as Environment} />}
        {found && <span className="label">{found.tenant} · {found.account_id}</span>}
        <button type="button" className="button" onClick={() => void start()}>Ask the house again</button>
      </header>
      {found === null && <p className="state">Sign in once while the house can be reached: its last state is then kept on this machine until you sign out.</p>}
      {found && (
        <div className="columns">
          <section className="panel"><header><h2>Working orders</h2></header><div className="body"><Table label="Working orders, stale" columns={orders} rows={found.orders.filter((order) => !isOver(order.ord_status))} rowKey={(row) => row.order_id} empty={<p className="dim">None were working then.</p>} /></div></section>
          <section className="panel"><header><h2>Positions</h2></header><div className="body"><Table label="Positions, stale" columns={positions} rows={found.positions} rowKey={(row) => row.symbol} empty={<p className="dim">None were open then.</p>} /></div></section>
          <section className="panel"><header><h2>Balances</h2></header><div className="body"><Table label="Balances, stale" columns={balances} rows={found.balances} rowKey={(row) => row.asset} /></div></section>
        </div>
      )}
    </main>
  );
}
