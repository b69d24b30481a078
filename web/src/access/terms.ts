/** What a key may do, from where and until when, in few words; and what somebody typed of it. Pure. */

/** "orders read, write · market read"; `all` is what its user may: then it says so. */
export function brief(scopes: readonly string[], all: readonly string[] = []): string {
  if (!scopes.length) return "nothing";
  if (all.length > 0 && all.every((each) => scopes.includes(each))) return all.length === scopes.length ? "all that you may" : "more than you may";
  const areas = new Map<string, string[]>();
  for (const scope of scopes) {
    const [area = "", way = ""] = scope.split(":");
    areas.set(area, [...(areas.get(area) ?? []), way]);
  }
  return [...areas].map(([area, ways]) => `${area} ${ways.sort().join(", ")}`).join(" · ");
}

export type State = "in use" | "not used yet" | "ends soon" | "ended" | "revoked";
interface Lived {
  expires_at: number | null;
  revoked_at?: number | null;
  last_used_at?: number | null;
}
const SOON_MS = 7 * 86_400_000;

export function stateOf(key: Lived, now: number): State {
  if (key.revoked_at != null && key.revoked_at / 1e6 <= now) return "revoked";
  const left = key.expires_at === null ? Infinity : key.expires_at / 1e6 - now;
  if (left <= 0) return "ended";
  if (left < SOON_MS) return "ends soon";
  return key.last_used_at ? "in use" : "not used yet";
}
export const isOver = (state: State): boolean => state === "ended" || state === "revoked";

/** Parted by blanks, commas or lines. */
export const listed = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];

const octet = (text: string): boolean => /^\d{1,3}$/.test(text) && Number(text) < 256;

/** Why it is no network; "" where it is one. The house has the last word. */
export function wrongNetwork(text: string): string {
  const [host = "", length, ...rest] = text.split("/");
  if (rest.length) return `${text} has more than one /`;
  const is4 = host.split(".").length === 4 && host.split(".").every(octet);
  const is6 = host.includes(":") && /^[0-9a-f:.]+$/i.test(host) && (host.match(/::/g)?.length ?? 0) < 2;
  if (!is4 && !is6) return `${text} is no address or network, as 203.0.113.0/24 is`;
  if (length === undefined) return "";
  return /^\d{1,3}$/.test(length) && Number(length) <= (is4 ? 32 : 128) ? "" : `${text} must end with /0 to /${is4 ? 32 : 128}`;
}

/** Days from now as nanoseconds since 1970; null: never. */
export const inDays = (days: number | null, now: number): number | null => (days === null ? null : (now + days * 86_400_000) * 1e6);

/** What somebody would gain and lose, where roles give scopes as `by` says. */
export function difference(before: readonly string[], roles: readonly string[], by: Readonly<Record<string, readonly string[]>>): { gains: string[]; loses: string[] } {
  const after = new Set(roles.flatMap((role) => by[role] ?? []));
  return { gains: [...after].filter((each) => !before.includes(each)).sort(), loses: before.filter((each) => !after.has(each)).sort() };
}

/** "2026-11-22T14:30", as a field has it, in UTC: nanoseconds since 1970; 0 for none. */
export function instant(text: string): number {
  const found = text ? Date.parse(`${text}Z`) : 0;
  return Number.isFinite(found) ? found * 1e6 : 0;
}
