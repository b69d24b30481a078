/** The one table: numbers right, text left, the unit in the title; j and k move, Enter opens. */
import { type KeyboardEvent, type ReactNode, useState } from "react";

export interface Column<Row> {
  key: string;
  title: ReactNode;
  /** Numbers stand right. */
  num?: boolean;
  cell: (row: Row) => ReactNode;
  /** What it is sorted by: text compares as text, bigint and number by size. */
  sort?: (row: Row) => string | number | bigint;
  width?: string;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  selected?: string | null;
  onSelect?: (key: string, row: Row) => void;
  onOpen?: (row: Row) => void;
  rowClass?: (row: Row) => string | undefined;
  empty?: ReactNode;
}

export function Table<Row>({ label, columns, rows, rowKey, selected, onSelect, onOpen, rowClass, empty }: TableProps<Row>) {
  const [by, setBy] = useState<{ key: string; down: boolean } | null>(null);
  const shown = sorted(rows, columns.find((column) => column.key === by?.key)?.sort, by?.down ?? false);

  const move = (event: KeyboardEvent<HTMLTableSectionElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target instanceof Element ? event.target.closest("tr") : null;
    if (!row) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
      if (next instanceof HTMLElement) next.focus();
      event.preventDefault();
    } else if (event.key === "Enter" && event.target === row) {
      const found = shown.find((each) => rowKey(each) === row.dataset.key);
      if (found) onOpen?.(found);
    }
  };

  return (
    <table className="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => {
            const on = by?.key === column.key;
            const way = on ? (by.down ? "descending" : "ascending") : undefined;
            return (
              <th key={column.key} scope="col" className={column.num ? "num" : undefined} aria-sort={way} style={{ width: column.width }}>
                {column.sort ? (
                  <button type="button" onClick={() => setBy(on && by.down ? null : { key: column.key, down: on })}>
                    {column.title}
                    {on ? (by.down ? " ↓" : " ↑") : ""}
                  </button>
                ) : (
                  column.title
                )}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody onKeyDown={move}>
        {shown.map((row) => {
          const key = rowKey(row);
          return (
            <tr
              key={key}
              data-key={key}
              tabIndex={onSelect || onOpen ? 0 : undefined}
              className={rowClass?.(row)}
              aria-selected={selected === undefined ? undefined : key === selected}
              onFocus={() => onSelect?.(key, row)}
              onDoubleClick={() => onOpen?.(row)}
            >
              {columns.map((column) => <td key={column.key} className={column.num ? "num" : undefined} data-name={typeof column.title === "string" ? column.title : undefined}>{column.cell(row)}</td>)}
            </tr>
          );
        })}
        {!rows.length && empty && <tr><td colSpan={columns.length}>{empty}</td></tr>}
      </tbody>
    </table>
  );
}

export function sorted<Row>(rows: readonly Row[], by: Column<Row>["sort"], down: boolean): readonly Row[] {
  if (!by) return rows;
  const way = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    return left < right ? -way : left > right ? way : 0;
  });
}
