/** Working orders, positions, fills and history: one panel, four tabs, each with an address. */
import { lazy, memo, Suspense } from "react";
import { Loading } from "../kit/states";
import { isOver } from "../live/account";
import { useExecutions, useOrders } from "../live/stores";
import { setQuery } from "../shell/routes";
import { Fills } from "./Fills";
import type { Instrument } from "./ground";
import { Orders } from "./Orders";
import { Positions } from "./Positions";

const History = lazy(() => import("./History"));

export type Tab = "orders" | "positions" | "fills" | "history";
const TABS: readonly [Tab, string][] = [["orders", "Orders"], ["positions", "Positions"], ["fills", "Fills"], ["history", "History"]];
export const tabOf = (text: string | undefined): Tab => TABS.find(([tab]) => tab === text)?.[0] ?? "orders";

export const Blotter = memo(function Blotter({ instrument, account, tab }: { instrument: Instrument | undefined; account: string; tab: Tab }) {
  const orders = useOrders(account);
  const executions = useExecutions(account);
  const working = [...orders.values()].filter((order) => !isOver(order.ord_status)).length;
  const counts: Partial<Record<Tab, number>> = { orders: working, fills: executions.length };
  return (
    <section className="panel blotter" data-panel="blotter" aria-label="Blotter">
      <div className="tabs" role="tablist" aria-label="Blotter">
        {TABS.map(([each, title]) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`tab-${each}`}
            aria-selected={tab === each}
            aria-controls="blotter"
            tabIndex={tab === each ? 0 : -1}
            onClick={() => setQuery({ tab: each === "orders" ? null : each })}
            onKeyDown={(event) => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
              if (!step) return;
              const next = TABS[(TABS.findIndex(([one]) => one === each) + step + TABS.length) % TABS.length]![0];
              setQuery({ tab: next === "orders" ? null : next });
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {title}{counts[each] ? <span className="count">{counts[each]}</span> : null}
          </button>
        ))}
      </div>
      <div className="tab" role="tabpanel" id="blotter" aria-labelledby={`tab-${tab}`}>
        {tab === "orders" && <Orders account={account} symbol={instrument?.symbol ?? ""} />}
        {tab === "positions" && <Positions account={account} />}
        {tab === "fills" && <Fills account={account} />}
        {tab === "history" && <Suspense fallback={<Loading waitsFor="Reading the grid" />}><History account={account} /></Suspense>}
      </div>
    </section>
  );
});
