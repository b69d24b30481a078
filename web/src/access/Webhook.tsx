/** One webhook: what it was sent, what it answered, and sending again. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { number } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address, go, type Route, setQuery } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import { Ask, at, Once, Outcome, useDoing } from "./parts";
import { instant } from "./terms";
import { HookState } from "./Webhooks";

type Line = Schemas["DeliveryLine"];
type Which = "" | Line["state"];
const STATES: readonly (readonly [Which, string])[] = [["", "All"], ["waiting", "Waiting"], ["delivered", "Delivered"], ["given_up", "Given up"], ["withheld", "Withheld"]];
type What = "" | "rotate" | "replay" | "remove";

export function Webhook({ id, route }: { id: string; route: Route }) {
  const account = useAccountId();
  const path = { webhook_id: id };
  const asked = useAsked(`webhook ${id}`, () => ok(api.GET("/api/webhooks/{webhook_id}", { params: { path } })), 5_000);
  const [doing, setDoing] = useState<What>("");
  const [secret, setSecret] = useState<Schemas["RotatedSecret"] | null>(null);
  const [said, setSaid] = useState("");
  const { problem, run, isBusy } = useDoing();
  const hook = asked.data;
  const isShut = !may("webhooks:write");
  const change = (state: "active" | "paused"): void => void run(() => ok(api.PATCH("/api/webhooks/{webhook_id}", { params: { path }, body: { state } }))).then(asked.again);
  const test = (): void => void run(async () => {
    const sent = await ok(api.POST("/api/webhooks/{webhook_id}/test", { params: { path } }));
    setSaid(`Sent ${sent.msg_id}; it stands below when it was tried.`);
  });
  return (
    <>
      <section className="panel" data-panel aria-label="Webhook">
        <header>
          <a href={address("access", ["webhooks"], { account })}>Webhooks</a>
          <h2 className="wraps">{hook?.url ?? id}</h2>
          {hook && <HookState of={hook} />}
          <div className="end">
            <button type="button" className="button" disabled={isShut || isBusy} onClick={test}>Send a test</button>
            {hook && (hook.state === "active" ? <button type="button" className="button" disabled={isShut || isBusy} onClick={() => change("paused")}>Pause</button> : <button type="button" className="button main" disabled={isShut || isBusy} onClick={() => change("active")}>Go on</button>)}
            <button type="button" className="button" disabled={isShut} onClick={() => setDoing("replay")}>Replay</button>
            <button type="button" className="button" disabled={isShut} onClick={() => setDoing("rotate")}>Rotate secret</button>
            <button type="button" className="button danger" disabled={isShut} onClick={() => setDoing("remove")}>Remove</button>
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        <Outcome problem={problem} />
        {hook && <p className="label state"><span role="status">{said || `${hook.events.join(" ")}${hook.accounts ? `, of ${hook.accounts.join(", ")}` : ""}; told up to position ${number(String(hook.position))}. ${hook.reason}`}</span></p>}
      </section>
      <Deliveries id={id} route={route} />
      {doing === "rotate" && (
        <Ask title="Rotate the secret" act="Make a new one" reasoned={false} onClose={() => setDoing("")} onDone={() => undefined} send={async () => setSecret(await ok(api.POST("/api/webhooks/{webhook_id}/rotate-secret", { params: { path }, body: { overlap_s: 86_400 } })))}>
          <p>For 24 hours every call is signed with both, so that the receiver can change over without missing one.</p>
        </Ask>
      )}
      {doing === "replay" && <Replay id={id} onClose={() => setDoing("")} onDone={asked.again} />}
      {doing === "remove" && (
        <Ask title="Remove this webhook" act="Remove it; nothing is sent any more" danger reasoned={false} onClose={() => setDoing("")} onDone={() => go(address("access", ["webhooks"], { account }))} send={() => ok(api.DELETE("/api/webhooks/{webhook_id}", { params: { path } }))}>
          <p>{hook?.waiting ? `${number(String(hook.waiting))} that wait are not sent.` : "Nothing waits."} Its log goes with it.</p>
        </Ask>
      )}
      {secret && <Once title="The new secret" name="It" secret={secret.secret} onClose={() => setSecret(null)}><p className="label">The old one is good until {at(secret.until)}.</p></Once>}
    </>
  );
}

function Deliveries({ id, route }: { id: string; route: Route }) {
  const account = useAccountId();
  const { state = "", resource = "" } = route.query;
  const path = { webhook_id: id };
  const query = { ...(state ? { state: state as Line["state"] } : {}), ...(resource.trim() ? { resource: resource.trim() } : {}), limit: 100 };
  const key = `deliveries ${id} ${JSON.stringify(query)}`;
  const asked = useAsked(key, () => ok(api.GET("/api/webhooks/{webhook_id}/deliveries", { params: { path, query } })), 5_000);
  const [older, setOlder] = useState<{ of: string; lines: readonly Line[]; next: number }>({ of: "", lines: [], next: 0 });
  const [open, setOpen] = useState(0);
  const { problem, run, isBusy } = useDoing();
  const more = older.of === key ? older.lines : [];
  const first = asked.data?.items ?? [];
  const lines = [...first, ...more.filter((each) => !first.some((other) => other.number === each.number))];
  const next = more.length ? older.next : (asked.data?.next ?? 0);
  const read = (): void => void run(async () => {
    const found = await ok(api.GET("/api/webhooks/{webhook_id}/deliveries", { params: { path, query: { ...query, before: next } } }));
    setOlder({ of: key, lines: [...more, ...found.items], next: found.next });
  });
  return (
    <section className="panel" data-panel aria-label="Deliveries">
      <header><h2>Log</h2><span className="label lead">Newest first. Bodies are not kept: the position says what was told.</span></header>
      <div className="filters">
        <Segmented<Which> label="State" value={state as Which} onChange={(value) => setQuery({ state: value || null })} choices={STATES.map(([value, label]) => ({ value, label }))} />
        <input type="search" data-filter className="filter" placeholder="account/demo" aria-label="Of what" value={resource} onChange={(event) => setQuery({ resource: event.target.value || null })} />
      </div>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={8} waitsFor="Reading what was sent" />}
      {asked.data && <Table<Line> label="Deliveries" rows={lines} rowKey={(each) => String(each.number)} rowClass={(each) => (each.state === "given_up" ? "denied" : undefined)} onOpen={(each) => setOpen(each.number)} empty={<Empty>{state || resource ? "Nothing like that was sent." : "Nothing was sent yet."}</Empty>} columns={[
        { key: "at", title: "Queued", cell: (each) => at(each.queued_at) },
        { key: "type", title: "Event", cell: (each) => <span className="wraps"><span className="mono">{each.type}</span>{each.is_replay && <> <span className="chip">again</span></>}<small>{each.resource}</small></span> },
        { key: "state", title: "State", cell: (each) => <><span className={each.state === "given_up" ? "chip critical" : each.state === "delivered" ? "chip plain" : "chip"}>{each.state.replace("_", " ")}</span>{each.state === "waiting" && each.next_at !== "0" && each.next_at && <small>next at {at(each.next_at)}</small>}</> },
        { key: "tries", title: "Tries", num: true, cell: (each) => each.attempts },
        { key: "said", title: "Last answer", cell: (each) => <span className="wraps">{each.last_status > 0 ? each.last_status : each.last_error ? "" : <span className="dim">–</span>} {each.last_error}</span> },
        { key: "position", title: "Position", num: true, cell: (each) => <a href={address("journal", [], { account, entry: String(each.position) })}>{number(String(each.position))}</a> },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button" aria-label={`Tries of ${each.msg_id}`} onClick={() => setOpen(each.number)}>Tries</button></span> },
      ]} />}
      {next > 0 && <div className="row pad"><button type="button" className="button" disabled={isBusy} onClick={read}>Older</button></div>}
      {open > 0 && <Tries id={id} number={open} onClose={() => setOpen(0)} />}
    </section>
  );
}

function Tries({ id, number: nth, onClose }: { id: string; number: number; onClose: () => void }) {
  const asked = useAsked(`tries ${id} ${nth}`, () => ok(api.GET("/api/webhooks/{webhook_id}/deliveries/{number}", { params: { path: { webhook_id: id, number: nth } } })), 5_000);
  return (
    <Dialog title={asked.data ? `${asked.data.type}, ${asked.data.msg_id}` : "Tries"} open wide onClose={onClose}>
      <div className="access-screen as-it-was">
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading rows={2} waitsFor="Reading its tries" />}
        {asked.data && <Table<Schemas["AttemptLine"]> label="Tries" rows={asked.data.tries} rowKey={(each) => String(each.nth)} empty={<Empty>It was not tried yet.</Empty>} columns={[
          { key: "nth", title: "Try", num: true, cell: (each) => each.nth },
          { key: "at", title: "At", cell: (each) => at(each.at) },
          { key: "answer", title: "Answer", cell: (each) => <span className="wraps">{each.status || ""} {each.error}</span> },
          { key: "took", title: "Took, ms", num: true, cell: (each) => number(String(each.latency_ms)) },
          { key: "bytes", title: "Bytes", num: true, cell: (each) => number(String(each.body_bytes)) },
          { key: "hash", title: "SHA-256 of the body", cell: (each) => <span className="mono" title={each.body_sha256}>{each.body_sha256.slice(0, 16)}</span> },
        ]} />}
      </div>
    </Dialog>
  );
}

/** First what it would be, then the same again. */
function Replay({ id, onClose, onDone }: { id: string; onClose: () => void; onDone: () => void }) {
  const path = { webhook_id: id };
  const [since, setSince] = useState("");
  const [plan, setPlan] = useState<Schemas["ReplayReply"] | null>(null);
  const send = async (): Promise<void> => {
    if (plan) await ok(api.POST("/api/webhooks/{webhook_id}/replay", { params: { path }, body: { after: plan.after, until: plan.until, dry_run: false } }));
    else setPlan(await ok(api.POST("/api/webhooks/{webhook_id}/replay", { params: { path }, body: { since: instant(since), until: 0, dry_run: true } })));
  };
  return plan ? (
    <Ask key="plan" title="Replay" act={`Send ${number(String(plan.count))} again`} reasoned={false} ready={plan.count > 0} send={send} onDone={onDone} onClose={onClose}>
      <p>{number(String(plan.count))} events after position {number(String(plan.after))}{!plan.is_whole && ", and more than that: the rest is for another time"}. Each comes with the id that it had, so that a receiver that keeps ids takes none twice.</p>
      <dl className="change">{Object.entries(plan.counts).map(([type, count]) => <div key={type} className="contents"><dt className="mono">{type}</dt><dd>{number(String(count))}</dd></div>)}</dl>
    </Ask>
  ) : (
    <Ask key="since" title="Replay" act="Say what it would be" reasoned={false} ready={instant(since) > 0} send={send} onDone={() => undefined} onClose={() => undefined}>
      <Field label="Since (UTC)" type="datetime-local" value={since} onChange={(event) => setSince(event.target.value)} said="Nothing is sent before you have seen how much it is." />
      <button type="button" className="link" onClick={onClose}>Leave it</button>
    </Ask>
  );
}
