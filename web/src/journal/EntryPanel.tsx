/** One entry: its ids, both its times, what caused it, and what it says. */
import { useState } from "react";
import { dayTime, lasted, number, zoneName } from "../kit/format";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { address, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { Proof } from "../story/Proof";
import type { Entry } from "./tail";

export function EntryPanel({ entry, onStand }: { entry: Entry; onStand: (position: number) => void }) {
  const { zone } = useStore(prefs);
  const account = useAccountId();
  const [raw, setRaw] = useState(false);
  const [copied, setCopied] = useState("");
  const copy = (text: string, said: string): void => void navigator.clipboard.writeText(text).then(() => setCopied(said), () => setCopied("The browser let nothing be copied."));
  const order = orderOf(entry);
  const apart = BigInt(entry.at) - BigInt(entry.occurred_at);
  return (
    <div className="detail">
      <h2>{entry.kind.split(".").slice(1, -1).join(" ").replace(/_/g, " ")}</h2>
      <dl className="facts">
        <dt>Position</dt><dd>{number(String(entry.position))}</dd>
        <dt>Id</dt><dd className="mono">{entry.event_id}</dd>
        <dt>Kind</dt><dd className="mono">{entry.kind}</dd>
        <dt>Occurred</dt><dd>{dayTime(entry.occurred_at, "us", zone)} {zoneName(zone)}</dd>
        <dt>Recorded</dt><dd>{dayTime(entry.at, "us", zone)}{apart > 0n && <span className="dim"> {lasted(Number(apart))} later</span>}</dd>
        <dt>Caused by</dt><dd className="mono">{entry.caused_by}</dd>
        <dt>Began with</dt><dd><button type="button" className="link mono" onClick={() => setQuery({ q: `cause:${entry.correlation_id}` })} title="All that followed from it">{entry.correlation_id}</button></dd>
        <dt>Reference data</dt><dd>version {entry.refs_version}</dd>
      </dl>
      <div className="row">
        <button type="button" className="button" onClick={() => onStand(entry.position)}>Stand here</button>
        {order && <a className="button" href={address("order", [order], { account })}>Order {order}</a>}
        <button type="button" className="button quiet" onClick={() => copy(`fondaco replay --until ${entry.position}`, "Copied the command.")}>Copy replay command</button>
      </div>
      <p className="label" role="status">{copied}</p>
      <h3 className="label">What it says: prices in ticks, sizes in lots, money in ledger units</h3>
      {raw ? <pre className="raw mono" tabIndex={0} role="region" aria-label="The entry as it was written">{JSON.stringify(entry.event, null, 2)}</pre> : <Said event={entry.event} />}
      <div className="row"><button type="button" className="button quiet" aria-pressed={raw} onClick={() => setRaw(!raw)}>{raw ? "As a list" : "Raw"}</button></div>
      <Proof position={entry.position} copy={copy} />
    </div>
  );
}

/** "demo.57" where the entry is about one order. */
function orderOf(entry: Entry): string | null {
  const event = (entry.event ?? {}) as Record<string, unknown>;
  const stream = String(event.account_stream ?? entry.stream);
  if (!stream.startsWith("account/")) return null;
  const nth = (event.order as { number?: number } | undefined)?.number ?? event.number;
  return typeof nth === "number" && nth > 0 ? `${stream.slice(8)}.${nth}` : null;
}

/** Names and values; what is nested is set in, and what says nothing is left out. */
function Said({ event }: { event: unknown }) {
  const lines = flat(event, "");
  if (!lines.length) return <p className="dim">Nothing but that it happened.</p>;
  return <dl className="facts said">{lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="mono">{value}</dd></div>)}</dl>;
}

function flat(value: unknown, name: string): [string, string][] {
  if (value === null || value === undefined || value === "" || value === 0 || value === -1 || value === false) return [];
  if (Array.isArray(value)) return value.flatMap((item, nth) => flat(item, `${name} ${nth + 1}`.trim()));
  if (typeof value === "object") return Object.entries(value).flatMap(([key, item]) => flat(item, `${name} ${key.replace(/_/g, " ")}`.trim()));
  return [[name, String(value)]];
}
