/** Strokes on a 20-pixel field; a screen may bring its own. */
const PATHS: Record<string, string> = {
  trade: "M3 16V4M3 16h14M6 12l3-4 3 2 4-6",
  order: "M5 3h10v14H5zM8 7h4M8 10h4M8 13h2",
  journal: "M4 4h12M4 8h12M4 12h12M4 16h7",
  house: "M3 9l7-6 7 6v8H3zM8 17v-5h4v5",
  fix: "M3 6h14M3 10h9M3 14h12",
  access: "M7 9V6a3 3 0 0 1 6 0v3M4 9h12v8H4zM10 12v2",
  risk: "M10 3l8 14H2zM10 8v4M10 14v1",
  portfolio: "M10 3v7l5 5M17 10a7 7 0 1 1-7-7",
  prop: "M3 4h14M3 16h14M4 12l4-3 3 2 5-5",
  alerts: "M5 14V9a5 5 0 0 1 10 0v5l1 1H4zM9 17h2",
};
export function Icon({ name }: { name: string }) {
  const path = PATHS[name] ?? "M4 4h12v12H4z";
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="square" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** The mark: an arcade of the house over its book. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2.5">
      <path d="M5 27V13a5.5 5.5 0 0 1 11 0v14M16 27V13a5.5 5.5 0 0 1 11 0v14M2 27h28M2 4h28" />
    </svg>
  );
}
