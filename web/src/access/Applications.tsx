/** Applications that ask for access in somebody's name (OAuth), and the keys that tokens are signed with. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { may, useSession } from "../shell/session";
import { Ask, at, Once, Picks } from "./parts";
import { brief, listed } from "./terms";

type Client = Schemas["Client"];
type Kind = "web" | "public" | "machine";
type Alg = Schemas["RotateSigningKey"]["alg"];

export default function Applications() {
  const asked = useAsked("clients", () => ok(api.GET("/api/oauth-clients")), 30_000);
  const [doing, setDoing] = useState<"" | "new" | "rotate">("");
  const [removing, setRemoving] = useState<Client | null>(null);
  const [made, setMade] = useState<Schemas["RegisteredClient"] | null>(null);
  const mayDo = may("house:write");
  const why = mayDo ? undefined : "Needs scope house:write";
  return (
    <>
      <section className="panel" data-panel aria-label="Applications">
        <header>
          <h2>Applications</h2>
          <span className="label lead">They ask a person for access at <span className="mono">/oauth/authorize</span>, or come in their own name. What you have agreed to yourself stands under You.</span>
          <div className="end">
            <button type="button" className="button" disabled={!mayDo} title={why} onClick={() => setDoing("rotate")}>Rotate signing key</button>
            <button type="button" className="button main" disabled={!mayDo} title={why} onClick={() => setDoing("new")}>Register one</button>
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading waitsFor="Reading applications" />}
        {asked.data && <Table<Client> label="Applications" rows={asked.data.items} rowKey={(each) => each.client_id} empty={<Empty>No application is registered.</Empty>} columns={[
          { key: "name", title: "Application", sort: (each) => each.name, cell: (each) => <><b>{each.name}</b><small className="mono">{each.client_id}</small></> },
          { key: "kind", title: "Comes", cell: (each) => (each.machine ? `in its own name, as ${each.machine}` : each.is_public ? "for a person, with no secret" : "for a person") },
          { key: "may", title: "May ask for", cell: (each) => <span className="wraps">{brief(each.scopes)}</span> },
          { key: "back", title: "Goes back to", cell: (each) => <span className="wraps mono">{each.redirect_uris.map((uri) => <span key={uri} className="block">{uri}</span>)}{!each.redirect_uris.length && <span className="dim">–</span>}</span> },
          { key: "made", title: "Registered", num: true, cell: (each) => at(each.created_at) },
          { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button danger" disabled={!mayDo} title={why} aria-label={`Remove ${each.name}`} onClick={() => setRemoving(each)}>Remove</button></span> },
        ]} />}
      </section>
      {doing === "new" && <Register onMade={(found) => { setMade(found); asked.again(); }} onClose={() => setDoing("")} />}
      {doing === "rotate" && <Rotate onClose={() => setDoing("")} />}
      {removing && (
        <Ask title={`Remove ${removing.name}`} act="Remove it; its tokens end at once" danger reasoned={false} onClose={() => setRemoving(null)} onDone={asked.again}
          send={() => ok(api.DELETE("/api/oauth-clients/{client_id}", { params: { path: { client_id: removing.client_id } } }))}>
          <p>Whoever agreed to it has agreed to nothing any more. It cannot be taken back; it can be registered again, under another id.</p>
        </Ask>
      )}
      {made && (made.client_secret
        ? <Once title={made.client.name} name="Its secret" secret={made.client_secret} onClose={() => setMade(null)}><p className="label">Its id is <span className="mono">{made.client.client_id}</span>, which is no secret.</p></Once>
        : <Once title={made.client.name} name="Its id" secret={made.client.client_id} onClose={() => setMade(null)}><p className="label">It has no secret: it proves itself with PKCE.</p></Once>)}
    </>
  );
}

function wrongBack(uri: string): string {
  try {
    const { protocol, hostname, hash } = new URL(uri);
    if (hash) return `${uri} must have no #`;
    return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname) ? "" : `${uri} must begin with https://`;
  } catch {
    return `${uri} is no whole address, as https://app.example.com/back is`;
  }
}

function Register({ onMade, onClose }: { onMade: (made: Schemas["RegisteredClient"]) => void; onClose: () => void }) {
  const who = useSession();
  const machines = useAsked(may("keys:write") ? "machines" : "", () => ok(api.GET("/api/service-accounts")));
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Kind>("web");
  const [machine, setMachine] = useState("");
  const [scopes, setScopes] = useState<readonly string[]>([]);
  const [back, setBack] = useState("");
  const uris = listed(back);
  const wrong = uris.map(wrongBack).find(Boolean) ?? "";
  const known = machines.data?.items.map((each) => each.user) ?? [];
  const isReady = Boolean(name.trim() && scopes.length && !wrong && (kind === "machine" ? machine : uris.length));
  return (
    <Ask title="Register an application" act="Register it" wide reasoned={false} ready={isReady} onClose={onClose} onDone={() => undefined}
      send={async () => onMade(await ok(api.POST("/api/oauth-clients", { body: { name: name.trim(), scopes: scopes as Schemas["RegisterClient"]["scopes"], redirect_uris: kind === "machine" ? [] : uris, machine: kind === "machine" ? machine : null, is_public: kind === "public" } })))}>
      <Field label="Name" value={name} maxLength={100} autoFocus onChange={(event) => setName(event.target.value)} said="People read it where they are asked to agree." />
      <div className="field"><span className="label">It runs</span><Segmented<Kind> label="It runs" value={kind} onChange={setKind} choices={[{ value: "web", label: "On a server" }, { value: "public", label: "In a browser or on a phone" }, { value: "machine", label: "By itself" }]} />
        <span className="said">{kind === "web" ? "It keeps a secret, and acts for whoever agrees." : kind === "public" ? "It can keep no secret, and acts for whoever agrees." : "Nobody is asked: it acts as a service account (client credentials)."}</span></div>
      {kind === "machine"
        ? <Select label="As" value={machine} onChange={setMachine} choices={[["", "Choose a service account"], ...known.map((each) => [each, each] as const)]} said={known.length ? undefined : "There is none: Keys has the way to one."} />
        : <Field label="Goes back to" value={back} className="mono" spellCheck={false} placeholder="https://app.example.com/back" onChange={(event) => setBack(event.target.value)} wrong={wrong} said="Whole addresses, parted by blanks; to no other is anybody sent." />}
      <Picks label="It may ask for" all={who?.scopes ?? []} chosen={scopes} onChange={setScopes} />
    </Ask>
  );
}

function Rotate({ onClose }: { onClose: () => void }) {
  const [alg, setAlg] = useState<Alg>("EdDSA");
  return (
    <Ask title="Rotate the signing key" act="Ask for it" onClose={onClose} onDone={() => undefined} send={(reason) => ok(api.POST("/api/oauth-keys/rotate", { body: { alg, reason } }))}>
      <p>New tokens are signed with a new key; the old one verifies for another day, as <span className="mono">/.well-known/jwks.json</span> says. Somebody else must agree.</p>
      <div className="field"><span className="label">Algorithm</span><Segmented<Alg> label="Algorithm" value={alg} onChange={setAlg} choices={(["EdDSA", "ES256", "RS256"] as const).map((value) => ({ value, label: value }))} /></div>
    </Ask>
  );
}
