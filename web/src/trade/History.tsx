/** Every order of the account: a grid with filter and sort, read page by page as it is scrolled to. Loaded when it is looked at. */
import {
  CellStyleModule, ClientSideRowModelApiModule, ClientSideRowModelModule, type ColDef, ColumnApiModule, createGrid, DateFilterModule, EventApiModule, type GridApi,
  type ICellRendererParams, ModuleRegistry, NumberFilterModule, QuickFilterModule, RenderApiModule, RowApiModule, TextFilterModule, themeQuartz,
} from "ag-grid-community";
import { useEffect, useRef, useState } from "react";
import { api, ok } from "../client/api";
import { Problem } from "../client/problem";
import { dayTime, number } from "../kit/format";
import { prefs } from "../kit/prefs";
import { ErrorPanel } from "../kit/states";
import { statusOf } from "../kit/StatusChip";
import { useStore } from "../kit/store";
import type { Order } from "../live/messages";
import { accountStore } from "../live/stores";
import { useLayout } from "../shell/layouts";
import { address } from "../shell/routes";
import { csv, save } from "./csv";
import { CSV, pxDecimals, qtyDecimals, terms } from "./Orders";

ModuleRegistry.registerModules([
  CellStyleModule, ClientSideRowModelApiModule, ClientSideRowModelModule, ColumnApiModule, DateFilterModule, EventApiModule, NumberFilterModule, QuickFilterModule,
  RenderApiModule, RowApiModule, TextFilterModule,
]);

const STATUSES: readonly [string, string][] = [
  ["all", ""], ["working", "pending_new,new,partially_filled,pending_cancel,pending_replace,suspended,unknown"], ["filled", "filled"], ["canceled", "canceled,expired"], ["refused", "rejected"],
];
const READ_MAX = 5_000; // orders at first; more on asking

const size = (value: string | null | undefined): number => (value ? Number(value) : NaN);
const bySize = (a: string | null, b: string | null): number => (size(a) || 0) - (size(b) || 0);
const px = (row: Order | undefined, value: string | null | undefined): string => number(value ?? null, { decimals: row && pxDecimals(row.symbol) });
const qty = (row: Order | undefined, value: string | null | undefined): string => number(value ?? null, { decimals: row && qtyDecimals(row.symbol) });

const num: ColDef<Order> = { cellClass: "num", headerClass: "num", comparator: bySize, filter: "agNumberColumnFilter", filterValueGetter: (p) => size(p.data?.[p.colDef.field as keyof Order] as string), width: 96 };
const text: ColDef<Order> = { filter: "agTextColumnFilter" };

const COLUMNS: ColDef<Order>[] = [
  { ...text, field: "ord_status", headerName: "Status", width: 100, cellRenderer: status },
  { ...text, field: "side", headerName: "Side", width: 58, valueFormatter: (p) => (p.value === "buy" ? "Buy" : "Sell"), cellClass: (p) => String(p.value) },
  { ...text, field: "symbol", headerName: "Symbol", width: 88 },
  { ...text, headerName: "Type", width: 108, valueGetter: (p) => (p.data ? terms(p.data) : "") },
  { ...num, field: "order_qty", headerName: "Quantity", valueFormatter: (p) => qty(p.data, p.value) },
  { ...num, field: "cum_qty", headerName: "Filled", valueFormatter: (p) => qty(p.data, p.value) },
  { ...num, field: "price", headerName: "Limit", valueFormatter: (p) => px(p.data, p.data?.ord_type === "market" ? null : p.value) },
  { ...num, field: "avg_px", headerName: "Average", valueFormatter: (p) => (p.value ? px(p.data, Number(p.value).toFixed(p.data ? (pxDecimals(p.data.symbol) ?? 2) : 2)) : "–") },
  { ...num, field: "fees", headerName: "Fees", valueFormatter: (p) => number(p.value ?? null) },
  { field: "created_at", headerName: "Placed", width: 176, sort: "desc", valueFormatter: (p) => dayTime(p.value as string, "ms"), filter: "agDateColumnFilter", filterValueGetter: (p) => new Date(p.data?.created_at ?? 0) },
  { ...text, headerName: "Why", flex: 1, minWidth: 120, valueGetter: (p) => p.data?.reason ?? p.data?.text ?? "" },
  { ...text, field: "order_id", headerName: "Order", width: 104, cellRenderer: link },
];

function status(p: ICellRendererParams<Order, string>): HTMLElement {
  const found = statusOf(p.value ?? "");
  const chip = document.createElement("span");
  chip.className = `status ${found.shape}`;
  const word = document.createElement("span");
  word.textContent = found.word;
  chip.append(word);
  return chip;
}

function link(p: ICellRendererParams<Order, string>): HTMLElement {
  const to = document.createElement("a");
  to.className = "mono";
  to.href = address("order", [p.value ?? ""]);
  to.textContent = p.value ?? "";
  return to;
}

const theme = themeQuartz.withParams({
  backgroundColor: "var(--bg1)", foregroundColor: "var(--ink)", headerBackgroundColor: "var(--bg1)", headerTextColor: "var(--ink2)", borderColor: "var(--rule)",
  rowHoverColor: "var(--bg2)", selectedRowBackgroundColor: "var(--bg3)", accentColor: "var(--accent)", oddRowBackgroundColor: "var(--bg1)", chromeBackgroundColor: "var(--bg1)",
  fontFamily: "inherit", fontSize: 12, headerFontSize: 11, headerFontWeight: 400, rowHeight: 24, headerHeight: 26, cellHorizontalPadding: 8, borderRadius: 3, wrapperBorderRadius: 0, wrapperBorder: false, spacing: 4, iconSize: 12,
});

interface Kept {
  columns: { colId: string; hide?: boolean | null; width?: number; sort?: "asc" | "desc" | null }[];
}

async function readPage(account: string, statuses: string, cursor: string): Promise<{ items: Order[]; next: string }> {
  const query = { account_id: account, limit: 1000, cursor, ...(statuses && { ord_status: statuses }) };
  const page = await ok(api.GET("/api/orders", { params: { query } }));
  return { items: page.items as Order[], next: page.next ?? "" };
}

export default function History({ account }: { account: string }) {
  const at = useRef<HTMLDivElement>(null);
  const grid = useRef<GridApi<Order> | null>(null);
  const [kept, keep] = useLayout<Kept>("history", { columns: [] });
  const [shown, setShown] = useState("all");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [count, setCount] = useState({ read: 0, in_view: 0 });
  const [next, setNext] = useState("");
  const { zone, grouping } = useStore(prefs);
  const statuses = STATUSES.find(([name]) => name === shown)?.[1] ?? "";

  useEffect(() => {
    if (!at.current) return undefined;
    const nonce = document.querySelector<HTMLElement>("style[nonce], script[nonce], link[nonce]")?.nonce;
    const made = createGrid<Order>(at.current, {
      theme,
      ...(nonce && { styleNonce: nonce }),
      columnDefs: COLUMNS,
      defaultColDef: { sortable: true, resizable: true, suppressHeaderMenuButton: true },
      rowData: [],
      getRowId: (p) => p.data.order_id,
      ensureDomOrder: true,
      suppressCellFocus: false,
      animateRows: false,
      overlayNoRowsTemplate: "<span class='dim'>No orders here.</span>",
      onRowDoubleClicked: (event) => event.data && (location.hash = address("order", [event.data.order_id])),
      onModelUpdated: (event) => setCount((now) => ({ ...now, in_view: event.api.getDisplayedRowCount() })),
    });
    if (kept.columns.length) made.applyColumnState({ state: kept.columns, applyOrder: true });
    const remember = (): void => keep({ columns: made.getColumnState().map(({ colId, hide, width, sort }) => ({ colId, hide: hide ?? false, ...(width ? { width } : {}), sort: sort ?? null })) });
    made.addEventListener("columnResized", (event) => event.finished && remember());
    made.addEventListener("columnMoved", (event) => event.finished && remember());
    made.addEventListener("sortChanged", remember);
    grid.current = made;
    return () => {
      grid.current = null;
      made.destroy();
    };
  }, []);

  useEffect(() => grid.current?.refreshCells({ force: true }), [zone, grouping]);

  useEffect(() => {
    let isGone = false;
    const read = async (): Promise<void> => {
      const rows: Order[] = [];
      let cursor = "";
      do {
        const page = await readPage(account, statuses, cursor);
        if (isGone) return;
        rows.push(...page.items);
        cursor = page.next;
      } while (cursor && rows.length < READ_MAX);
      grid.current?.setGridOption("rowData", rows);
      setCount((now) => ({ ...now, read: rows.length }));
      setNext(cursor);
      setProblem(null);
    };
    read().catch((error: unknown) => !isGone && error instanceof Problem && setProblem(error));
    // Own events come into the grid in the frame in which they are heard.
    const stop = accountStore(account).onEvents((events) => {
      const ids = new Set(events.map((event) => ("order_id" in event ? event.order_id : "")));
      queueMicrotask(() => {
        const made = grid.current;
        if (!made) return;
        const orders = [...ids].map((id) => accountStore(account).orders.get(id)).filter((order): order is Order => !!order && (!statuses || statuses.split(",").includes(order.ord_status)));
        const add = orders.filter((order) => !made.getRowNode(order.order_id));
        made.applyTransaction({ add, addIndex: 0, update: orders.filter((order) => made.getRowNode(order.order_id)) });
      });
    });
    return () => {
      isGone = true;
      stop();
    };
  }, [account, statuses]);

  const inView = (): Order[] => {
    const rows: Order[] = [];
    grid.current?.forEachNodeAfterFilterAndSort((node) => node.data && rows.push(node.data));
    return rows;
  };
  const everything = async (): Promise<void> => {
    const rows: Order[] = [];
    let cursor = "";
    try {
      do {
        const page = await readPage(account, "", cursor);
        rows.push(...page.items);
        cursor = page.next;
      } while (cursor);
      save(`orders-${account}-all.csv`, csv(CSV, rows));
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
    }
  };

  return (
    <>
      <div className="bar">
        <div className="chips" role="group" aria-label="Show">
          {STATUSES.map(([name]) => <button key={name} type="button" className="chip" aria-pressed={shown === name} onClick={() => setShown(name)}>{name[0]!.toUpperCase() + name.slice(1)}</button>)}
        </div>
        <input data-filter type="search" className="filter" placeholder="Filter" aria-label="Filter orders" onChange={(event) => grid.current?.setGridOption("quickFilterText", event.target.value)} />
        <span className="label" role="status">{count.in_view === count.read ? `${count.read}` : `${count.in_view} of ${count.read}`}{next ? ", older ones by CSV of all" : ""}</span>
        <span className="end">
          <button type="button" className="chip" onClick={() => save(`orders-${account}-shown.csv`, csv(CSV, inView()))}>CSV of these</button>
          <button type="button" className="chip" onClick={() => void everything()}>CSV of all</button>
        </span>
      </div>
      {problem && <ErrorPanel problem={problem} />}
      <div className="grid" ref={at} />
    </>
  );
}
