/** What programs come with: which keys there are, what each may, and the way to make, follow up and end one. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { number } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { may, useSession } from "../shell/session";
import { Machines } from "./Machines";
import { NewKey } from "./NewKey";
import { at, Ask, Once } from "./parts";
import { brief, isOver, listed, stateOf, wrongNetwork } from "./terms";

export type Key = Schemas["Key"];
type Which = "good" | "over" | "all";
type What = { what: "new"; user: string } | { what: "rotate" | "revoke"; key: Key };

export default function Keys() {
  const who = useSession();
  const asked = useAsked("keys", () => ok(api.GET("/api/keys")), 15_000);
  const machines = useAsked("machines", () => ok(api.GET("/api/service-accounts")));
  const [which, setWhich] = useState<Which>("good");
  const [text, setText] = useState("");
  const [doing, setDoing] = useState<What | null>(null);
  const [made, setMade] = useState<Schemas["CreatedKey"] | null>(null);
  const items = asked.data?.items ?? [];
  const now = Date.now();
  const good = items.filter((key) => !isOver(stateOf(key, now)));
  const among = which === "all" ? items : which === "good" ? good : items.filter((key) => !good.includes(key));
  const shown = among.filter((key) => `${key.user}/${key.name} ${key.key_id}`.includes(text.trim().toLowerCase())).sort((a, b) => b.created_at - a.created_at);
  const owned = (machines.data?.items ?? []).filter((each) => each.owner === who?.user).map((each) => each.user);
  const isMine = (key: Key): boolean => key.user === who?.user || owned.includes(key.user);

  return (
    <>
      <section className="panel" data-panel aria-label="Keys">
        <header>
          <h2>Keys</h2>
          <span className="label lead">What a program comes with. It may do less than you, never more.</span>
          <div className="end">
            <input type="search" data-filter className="filter" placeholder="Name or id" aria-label="Filter keys" value={text} onChange={(event) => setText(event.target.value)} />
            <Segmented<Which> label="Which keys" value={which} onChange={setWhich} choices={[{ value: "good", label: `Good ${asked.data ? good.length : ""}` }, { value: "over", label: "Over" }, { value: "all", label: "All" }]} />
            <button type="button" className="button main" onClick={() => setDoing({ what: "new", user: "" })}>New key</button>
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading waitsFor="Reading keys" />}
        {asked.data && <Table<Key> label="Keys" columns={columns(now, who?.scopes ?? [], items, isMine, setDoing)} rows={shown} rowKey={(key) => key.key_id} rowClass={(key) => (isOver(stateOf(key, now)) ? "gone" : undefined)}
          empty={<Empty action={items.length ? undefined : { label: "New key", act: () => setDoing({ what: "new", user: "" }) }}>{items.length ? `No key ${text ? `like “${text}” ` : ""}${which === "good" ? "that is good" : which === "over" ? "is over" : ""}; ${number(String(items.length))} in all.` : "No key yet. A program needs one to come in."}</Empty>} />}
      </section>
      <Machines asked={machines} keys={items} onKey={(user) => setDoing({ what: "new", user })} />
      {doing?.what === "new" && <NewKey user={doing.user} owned={owned} onMade={(key) => { setMade(key); setDoing(null); asked.again(); }} onClose={() => setDoing(null)} />}
      {doing?.what === "rotate" && <Rotate old={doing.key} onMade={(key) => { setMade(key); asked.again(); }} onClose={() => setDoing(null)} />}
      {doing?.what === "revoke" && (
        <Ask title={`Revoke ${doing.key.user}/${doing.key.name}`} act="Revoke it; it is refused from now on" danger reasoned={false} onClose={() => setDoing(null)} onDone={asked.again}
          send={() => ok(api.DELETE("/api/keys/{key_id}", { params: { path: { key_id: doing.key.key_id } } }))}>
          <p>Whatever still comes with <span className="mono">{doing.key.key_id}</span> is refused at once, at every door. It cannot be taken back.</p>
          <p className="label">{doing.key.last_used_at ? `Last used ${at(doing.key.last_used_at)}` : "It was never used"}. It may {brief(doing.key.scopes)}.</p>
        </Ask>
      )}
      {made && (
        <Once title={`Key ${made.key.user}/${made.key.name}`} name={made.key.signing === "hmac-sha256" ? "Its secret" : "Its token"} secret={made.token || made.key.key_id} onClose={() => setMade(null)}>
          {made.key.signing ? <p className="label">It signs requests (RFC 9421) as <span className="mono">{made.key.key_id}</span>, and is sent with none.</p> : <pre className="mono sample">curl -H "Authorization: Bearer {made.token.slice(0, 6)}…" {location.origin}/api/session</pre>}
        </Once>
      )}
    </>
  );
}

function columns(now: number, mine: readonly string[], all: readonly Key[], isMine: (key: Key) => boolean, act: (what: What) => void): Column<Key>[] {
  return [
    { key: "name", title: "Key", sort: (key) => `${key.user}/${key.name}`, cell: (key) => <><b>{key.user}/{key.name}</b><small className="mono dim">{key.key_id}</small></> },
    { key: "may", title: "May", cell: (key) => <span className="wraps">{brief(key.scopes, mine)}{key.accounts && <small>accounts {key.accounts.join(", ") || "none"}</small>}</span> },
    { key: "from", title: "From", cell: (key) => <span className="mono">{key.networks?.length ? key.networks.map((each) => <span key={each} className="block">{each}</span>) : <span className="dim">anywhere</span>}</span> },
    { key: "how", title: "Sent as", cell: (key) => key.signing || "token" },
    { key: "state", title: "State", cell: (key) => <State of={key} all={all} now={now} /> },
    { key: "used", title: "Last used", num: true, sort: (key) => key.last_used_at ?? 0, cell: (key) => (key.last_used_at ? at(key.last_used_at) : <span className="dim">never</span>) },
    { key: "ends", title: "Ends", num: true, sort: (key) => key.expires_at ?? Infinity, cell: (key) => (key.expires_at === null ? <span className="dim">never</span> : at(key.expires_at)) },
    { key: "act", title: <span className="unseen">Actions</span>, cell: (key) => !isOver(stateOf(key, now)) && (
      <span className="acts">
        {isMine(key) && <button type="button" className="button" aria-label={`Rotate ${key.user}/${key.name}`} onClick={() => act({ what: "rotate", key })}>Rotate</button>}
        <button type="button" className="button danger" aria-label={`Revoke ${key.user}/${key.name}`} onClick={() => act({ what: "revoke", key })}>Revoke</button>
      </span>
    ) },
  ];
}

function State({ of: key, all, now }: { of: Key; all: readonly Key[]; now: number }) {
  const state = stateOf(key, now);
  const next = all.find((each) => each.replaces === key.key_id);
  return <><span className={state === "ends soon" && !next ? "chip warn" : "chip plain"}>{state}</span>{next && <small>replaced by {next.name}</small>}</>;
}

const GRACE = [["0", "At once"], ["3600", "1 h"], ["86400", "24 h"], ["604800", "7 days"]] as const;
type Grace = (typeof GRACE)[number][0];

function Rotate({ old, onMade, onClose }: { old: Key; onMade: (key: Schemas["CreatedKey"]) => void; onClose: () => void }) {
  const [grace, setGrace] = useState<Grace>("86400");
  const [networks, setNetworks] = useState((old.networks ?? []).join(" "));
  const [publicKey, setPublicKey] = useState("");
  const wrong = listed(networks).map(wrongNetwork).find(Boolean) ?? "";
  const isPair = old.signing === "ed25519";
  return (
    <Ask title={`Rotate ${old.user}/${old.name}`} act="Make the new one" reasoned={false} ready={!wrong && (!isPair || publicKey.trim().length >= 43)} onClose={onClose} onDone={() => undefined}
      send={async () => onMade(await ok(api.POST("/api/keys/{key_id}/rotate", { params: { path: { key_id: old.key_id } }, body: { grace_s: Number(grace), networks: listed(networks), public_key: publicKey.trim() } })))}>
      <p>A new key that may do the same takes its place.</p>
      <div className="field"><span className="label">The old one is good for</span><Segmented<Grace> label="The old one is good for" value={grace} onChange={setGrace} choices={GRACE.map(([value, label]) => ({ value, label }))} /></div>
      <Field label="Networks" value={networks} className="mono" spellCheck={false} onChange={(event) => setNetworks(event.target.value)} wrong={wrong} said="From where it may be used; none: from anywhere." />
      {isPair && <Field label="Public key of the new pair" value={publicKey} className="mono" spellCheck={false} onChange={(event) => setPublicKey(event.target.value)} said="32 bytes as base64url." />}
      {grace === "0" && may("keys:write") && <p className="label">What still comes with the old one is refused at once.</p>}
    </Ask>
  );
}
