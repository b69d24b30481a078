/** Whom the house tells of what happened: where it calls, what was delivered, and what was not. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import type { PageProps } from "./Access";
import { Ask, at, Once } from "./parts";
import { listed } from "./terms";
import { Webhook } from "./Webhook";

export type Hook = Schemas["WebhookShown"];

export default function Webhooks({ route }: PageProps) {
  const chosen = route.parts[1];
  return chosen ? <Webhook key={chosen} id={chosen} route={route} /> : <All />;
}

export function HookState({ of: hook }: { of: Hook }) {
  if (hook.state === "disabled") return <span className="chip critical">disabled</span>;
  if (hook.state === "paused") return <span className="chip">paused</span>;
  return hook.failing_since && hook.failing_since !== "0" ? <span className="chip warn">failing since {at(hook.failing_since)}</span> : <span className="chip plain">active</span>;
}

function All() {
  const account = useAccountId();
  const asked = useAsked("webhooks", () => ok(api.GET("/api/webhooks")), 5_000);
  const [isNew, setNew] = useState(false);
  const [made, setMade] = useState<Schemas["CreatedWebhook"] | null>(null);
  const mayDo = may("webhooks:write");
  const count = (key: "waiting" | "delivered" | "given_up" | "withheld", title: string): Column<Hook> => ({ key, title, num: true, sort: (each) => each[key], cell: (each) => (each[key] ? number(String(each[key])) : <span className="dim">0</span>) });
  return (
    <section className="panel" data-panel aria-label="Webhooks">
      <header>
        <h2>Webhooks</h2>
        <span className="label lead">The house calls these addresses, signed (Standard Webhooks), again until they answer, in order for each account.</span>
        <div className="end"><button type="button" className="button main" disabled={!mayDo} title={mayDo ? undefined : "Needs scope webhooks:write"} onClick={() => setNew(true)}>New webhook</button></div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading waitsFor="Reading webhooks" />}
      {asked.data && <Table<Hook> label="Webhooks" rows={asked.data.items} rowKey={(each) => each.webhook_id} empty={<Empty>Nobody is called. In a demo, <code className="mono">fondaco webhook listen</code> is a receiver.</Empty>} columns={[
        { key: "url", title: "Calls", cell: (each) => <><a className="wraps" href={address("access", ["webhooks", each.webhook_id], { account })}>{each.url}</a><small>{each.description || each.webhook_id}, of {each.owner}</small></> },
        { key: "events", title: "With", cell: (each) => <span className="wraps mono">{each.events.join(" ")}{each.accounts && <small>accounts {each.accounts.join(", ")}</small>}</span> },
        { key: "state", title: "State", cell: (each) => <><HookState of={each} />{each.reason && <small className="wraps">{each.reason}</small>}</> },
        count("waiting", "Waiting"), count("delivered", "Delivered"), count("given_up", "Given up"), count("withheld", "Withheld"),
      ]} />}
      {isNew && <New onMade={(found) => { setMade(found); asked.again(); }} onClose={() => setNew(false)} />}
      {made && <Once title={made.webhook.url} name="Its signing secret" secret={made.secret} onClose={() => setMade(null)}><p className="label">The receiver checks <span className="mono">webhook-signature</span> with it.</p></Once>}
    </section>
  );
}

function New({ onMade, onClose }: { onMade: (made: Schemas["CreatedWebhook"]) => void; onClose: () => void }) {
  const types = useAsked("event types", () => ok(api.GET("/api/webhooks/event-types")));
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState("order.*");
  const [limited, setLimited] = useState("");
  const [description, setDescription] = useState("");
  const wanted = listed(events);
  const all = types.data?.items.map((each) => each.type) ?? [];
  const fits = (pattern: string): string[] => all.filter((type) => (pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern));
  const unknown = types.data ? wanted.find((each) => !fits(each).length) : undefined;
  const heard = new Set(wanted.flatMap(fits)).size;
  return (
    <Ask title="New webhook" act="Make it" wide reasoned={false} ready={Boolean(url.trim() && wanted.length && !unknown)} onClose={onClose} onDone={() => undefined}
      send={async () => onMade(await ok(api.POST("/api/webhooks", { body: { url: url.trim(), events: wanted, accounts: listed(limited).length ? listed(limited) : null, description: description.trim() } })))}>
      <Field label="Calls" value={url} className="mono" spellCheck={false} autoFocus placeholder="https://receiver.example.com/fondaco" onChange={(event) => setUrl(event.target.value)} said="A public address over https; in a demo also this machine." />
      <Field label="With" value={events} className="mono" spellCheck={false} onChange={(event) => setEvents(event.target.value)} wrong={unknown ? `No event is called ${unknown}.` : null} said={types.data ? `${heard} of ${all.length} kinds of event.` : "Kinds of events, parted by blanks; order.* are all of orders."} />
      {types.data && <details className="kinds"><summary>All kinds</summary><dl>{types.data.items.map((each) => <div key={each.type}><dt className="mono">{each.type}</dt><dd>{each.summary}</dd></div>)}</dl></details>}
      <div className="two">
        <Field label="Of accounts" value={limited} className="mono" spellCheck={false} onChange={(event) => setLimited(event.target.value)} said="None: all that you may see." />
        <Field label="What for" value={description} maxLength={100} onChange={(event) => setDescription(event.target.value)} />
      </div>
    </Ask>
  );
}
