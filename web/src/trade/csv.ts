/** CSV as RFC 4180 has it: what is shown, or everything. Numbers are exact, with a hyphen for minus. */

export interface Column<T> {
  title: string;
  of: (row: T) => string | number | null | undefined;
}

export function csv<T>(columns: readonly Column<T>[], rows: Iterable<T>): string {
  const lines = [columns.map((each) => cell(each.title)).join(",")];
  for (const row of rows) lines.push(columns.map((each) => cell(each.of(row))).join(","));
  return lines.join("\r\n") + "\r\n";
}

const NUMBER = /^-?\d+(\.\d+)?$/;

/** A text that a spreadsheet would run as a formula is quoted from it by an apostrophe. */
export function cell(value: string | number | null | undefined): string {
  let text = value === null || value === undefined ? "" : String(value).replace(/\u2212/g, "-");
  if (/^[=+\-@\t\r]/.test(text) && !NUMBER.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** Hands a file to the browser. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
