/** The columns of the Trade screen: in which order they stand, how wide they are, which are put away. */

export type Side = "watchlist" | "ladder" | "ticket";
export type Column = Side | "middle";
export const TITLES: Record<Side, string> = { watchlist: "watchlist", ladder: "ladder", ticket: "ticket" };
export const FIRST: readonly Column[] = ["watchlist", "middle", "ladder", "ticket"];
const WIDTHS: Record<Side, { usual: number; least: number }> = {
  watchlist: { usual: 176, least: 132 }, ladder: { usual: 264, least: 220 }, ticket: { usual: 280, least: 256 },
};
export const WIDEST = 520;

export interface Columns {
  order: readonly Column[];
  widths: Partial<Record<Side, number>>;
  away: readonly Side[];
}
export const STANDARD: Columns = { order: FIRST, widths: {}, away: [] };

const isSide = (text: unknown): text is Side => text === "watchlist" || text === "ladder" || text === "ticket";

/** Of an older layout, or one that was edited by hand: each column once, widths within bounds. */
export function mended(found: Partial<Columns>): Columns {
  const named = (Array.isArray(found.order) ? found.order : []).filter((each, nth, all): each is Column => FIRST.includes(each) && all.indexOf(each) === nth);
  const order = named.length === FIRST.length ? named : FIRST;
  const widths: Partial<Record<Side, number>> = {};
  for (const [name, px] of Object.entries(found.widths ?? {})) if (isSide(name) && Number.isFinite(px)) widths[name] = within(name, px);
  return { order, widths, away: (Array.isArray(found.away) ? found.away : []).filter(isSide) };
}

const within = (side: Side, px: number): number => Math.round(Math.min(Math.max(px, WIDTHS[side].least), WIDEST));
export const widthOf = (columns: Columns, side: Side): number => columns.widths[side] ?? WIDTHS[side].usual;
export const leastOf = (side: Side): number => WIDTHS[side].least;

export const resized = (columns: Columns, side: Side, px: number): Columns => ({ ...columns, widths: { ...columns.widths, [side]: within(side, px) } });

/** Puts `column` where `target` stands; those between move up. */
export function moved(columns: Columns, column: Column, target: Column): Columns {
  if (column === target) return columns;
  const rest = columns.order.filter((each) => each !== column);
  const from = columns.order.indexOf(column);
  const to = columns.order.indexOf(target);
  rest.splice(rest.indexOf(target) + (from < to ? 1 : 0), 0, column);
  return { ...columns, order: rest };
}

/** One place to the left or right, past what is put away; the same where it stands at the end. */
export function stepped(columns: Columns, column: Column, by: 1 | -1): Columns {
  const seen = columns.order.filter((each) => each === column || !isAway(columns, each));
  const target = seen[seen.indexOf(column) + by];
  return target ? moved(columns, column, target) : columns;
}

export const isAway = (columns: Columns, column: Column): boolean => isSide(column) && columns.away.includes(column);
export const turned = (columns: Columns, side: Side): Columns => ({
  ...columns, away: isAway(columns, side) ? columns.away.filter((each) => each !== side) : [...columns.away, side],
});

/** What is drawn, from left to right; `room` says what a narrow window has no column for. */
export const shown = (columns: Columns, room: (side: Side) => boolean): Column[] =>
  columns.order.filter((each) => each === "middle" || (!isAway(columns, each) && room(each)));

/** Of CSS. A narrow window gives no column more than it needs. */
export const template = (columns: Columns, drawn: readonly Column[], isNarrow: boolean): string =>
  drawn.map((each) => (each === "middle" ? "minmax(0, 1fr)" : `${isNarrow ? Math.min(widthOf(columns, each), WIDTHS[each].usual) : widthOf(columns, each)}px`)).join(" ");

/** Which edge is dragged: the one towards the chart. */
export const edgeOf = (drawn: readonly Column[], side: Side): "start" | "end" => (drawn.indexOf(side) < drawn.indexOf("middle") ? "end" : "start");
