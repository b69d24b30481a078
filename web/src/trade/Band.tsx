/** REDUCING and HALTED, of the account, the instrument or the house: what, since when, by whom and why. */
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, zoneName } from "../kit/format";
import { useKey } from "../kit/store";
import { limitsStore } from "../live/refresh";
import { useAccount } from "../live/stores";
import { type Instrument, useAge } from "./ground";
import { useMark } from "./Positions";

type Line = Schemas["StateLine"];
/** What the house takes no opening order on; a book that is closed says it by itself. */
const DOUBTFUL: ReadonlySet<string> = new Set(["stale", "gapped", "crossed", "recovering", "unconfirmed"]);
const AGAIN_MS = 5_000; // the state is heard of before its entry is in the views

export interface Held {
  state: "halted" | "reducing";
  who: string;
  /** What it is called where it is written. */
  scopes: readonly string[];
  name: string;
}

/** The strictest; of several that are as strict the widest. */
export function strictest(states: readonly (readonly [Held["who"], Held["scopes"], Held["name"], string | undefined])[]): Held | null {
  for (const wanted of ["halted", "reducing"] as const) {
    const found = states.find(([, , , state]) => state === wanted);
    if (found) return { state: wanted, who: found[0], scopes: found[1], name: found[2] };
  }
  return null;
}

/** The one that is meant: a kill goes before what was set of the house by hand. */
export function lineOf(lines: readonly Line[], held: Held): Line | undefined {
  const meant = lines.filter((line) => line.state === held.state && line.name === held.name && held.scopes.includes(line.scope));
  return meant.sort((a, b) => held.scopes.indexOf(a.scope) - held.scopes.indexOf(b.scope))[0];
}

export function Band({ account, instrument }: { account: string; instrument: Instrument }) {
  const shown = useAccount(account);
  const limits = useKey(limitsStore, account);
  const held = strictest([
    ["The house", ["kill", "house"], "", limits?.house_state],
    [instrument.symbol, ["instrument"], instrument.symbol, limits?.instrument_states?.[instrument.symbol] ?? instrument.trading_state],
    [`Account ${account}`, ["account"], account, shown?.trading_state],
  ]);
  const key = held ? `${account} ${held.who} ${held.state}` : "";
  const asked = useAsked(key, () => ok(api.GET("/api/risk/restrictions", { params: { query: { account_id: account } } })), AGAIN_MS);
  const { quality } = useMark(instrument.symbol);
  const isDoubtful = DOUBTFUL.has(quality);
  const old = useAge(instrument.symbol, isDoubtful);
  if (!held && isDoubtful) return <div className="band doubtful" role="status"><p><b>{quality.toUpperCase()}</b><span aria-hidden="true"> {old}</span>: only orders that reduce</p></div>;
  if (!held) return null;
  const line = asked.data ? lineOf(asked.data.items, held) : undefined;
  return (
    <div className={`band ${held.state}`} role="status">
      <p><b>{held.state === "halted" ? "HALTED" : "REDUCING"}</b> {held.who}: {held.state === "halted" ? "nothing new; what works may be canceled" : "only orders that make a position smaller"}</p>
      {line && <p>Since {dayTime(Date.parse(line.at), "s")} {zoneName()}{line.by ? ` by ${line.by}` : ""}: {line.reason || "no reason was given"}</p>}
    </div>
  );
}
