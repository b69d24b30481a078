/** You: where you are signed in, what you are known by, and what you have agreed to. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { useSession } from "../shell/session";
import { Ask, at, Outcome, useDoing } from "./parts";
import { Chain } from "./Chain";
import { Passkeys } from "./Passkeys";
import { SecondFactor } from "./SecondFactor";
import { brief } from "./terms";

type Device = Schemas["SignedInShown"];
const WITH: Record<string, string> = { totp: "password and code", recovery: "password and recovery code", passkey: "passkey", "": "password" };

export default function You() {
  const who = useSession();
  const isPerson = who?.caller.includes("/~") ?? false;
  return (
    <>
      {isPerson ? <Devices /> : (
        <section className="panel" data-panel aria-label="You">
          <header><h2>You are {who?.user}</h2></header>
          {who?.behind ? <Empty>You act as {who.user}, and are {who.behind}. What {who.user} keeps to themselves is not shown.</Empty> : <Empty>You are here with an API key, as <span className="mono">{who?.caller}</span>. Who signs in with a password or a passkey sees their devices here, and what they are known by.</Empty>}
        </section>
      )}
      {!who?.behind && <Grants />}
    </>
  );
}

function Devices() {
  const who = useSession();
  const asked = useAsked("sessions", () => ok(api.GET("/api/users/sessions")), 15_000);
  const { problem, run } = useDoing();
  const [isPassword, setPassword] = useState(false);
  const found = asked.data;
  const others = found?.items.filter((each) => !each.is_this).length ?? 0;
  const end = (device: Device): void => void run(() => ok(api.DELETE("/api/users/sessions/{session_id}", { params: { path: { session_id: device.session_id } } }))).then(asked.again);
  return (
    <>
      <section className="panel" data-panel aria-label="Where you are signed in">
        <header>
          <h2>{who?.user} is signed in here</h2>
          <span className="label lead">A session ends after 30 minutes unused, and after 24 hours in any case.</span>
          <div className="end">
            <button type="button" className="button" onClick={() => setPassword(true)}>Change password</button>
            <button type="button" className="button danger" disabled={!others} onClick={() => void run(() => ok(api.POST("/api/users/sessions/end-others", {}))).then(asked.again)}>End all others</button>
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        <Outcome problem={problem} />
        {!found && !asked.problem && <Loading rows={2} waitsFor="Reading your sessions" />}
        {found && <Table<Device> label="Sessions" rows={found.items} rowKey={(each) => each.session_id} empty={<Empty>No session is open.</Empty>} columns={[
          { key: "device", title: "Device", cell: (each) => <><b>{each.device || "A device that did not say what it is"}</b>{each.is_this && <> <span className="chip">this one</span></>}</> },
          { key: "address", title: "From", cell: (each) => <span className="mono">{each.address}</span> },
          { key: "with", title: "Signed in with", cell: (each) => WITH[each.second_factor] ?? each.second_factor },
          { key: "since", title: "Signed in", num: true, sort: (each) => BigInt(each.created_at), cell: (each) => at(each.created_at) },
          { key: "used", title: "Last used", num: true, sort: (each) => BigInt(each.last_used_at), cell: (each) => at(each.last_used_at) },
          { key: "ends", title: "Ends at the latest", num: true, cell: (each) => at(each.ends_at) },
          { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => !each.is_this && <span className="acts"><button type="button" className="button" aria-label={`End the session on ${each.device || each.session_id}`} onClick={() => end(each)}>End</button></span> },
        ]} />}
      </section>
      {found && <SecondFactor has={found.second_factor} left={found.recovery_codes_left} again={asked.again} />}
      <Passkeys again={asked.again} />
      <Chain />
      {isPassword && <Password onClose={() => setPassword(false)} onDone={asked.again} />}
    </>
  );
}

function Password({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [isShown, setShown] = useState(false);
  return (
    <Ask title="Change your password" act="Change it; your other sessions end" reasoned={false} ready={Boolean(old && next && old !== next)} onClose={onClose} onDone={onDone}
      send={() => ok(api.PUT("/api/users/password", { body: { old, new: next } }))}>
      <Field label="Your password now" type="password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} />
      <Field label="New password" type={isShown ? "text" : "password"} autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} said="Length is what counts: some plain words are better than a short riddle."
        end={<button type="button" className="link" aria-pressed={isShown} onClick={() => setShown(!isShown)}>{isShown ? "Hide" : "Show"}</button>} />
    </Ask>
  );
}

/** What applications may do in one's name. */
function Grants() {
  const asked = useAsked("grants", () => ok(api.GET("/api/users/grants")), 30_000);
  const [ending, setEnding] = useState<Schemas["GrantShown"] | null>(null);
  return (
    <section className="panel" data-panel aria-label="What you have agreed to">
      <header><h2>What you have agreed to</h2><span className="label lead">Applications that act in your name, as far as you said.</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={2} waitsFor="Reading what you agreed to" />}
      {asked.data && <Table<Schemas["GrantShown"]> label="Agreed to" rows={asked.data.items} rowKey={(each) => each.grant_id} empty={<Empty>No application acts in your name.</Empty>} columns={[
        { key: "name", title: "Application", cell: (each) => <><b>{each.client_name}</b><small className="mono">{each.client_id}</small></> },
        { key: "may", title: "May", cell: (each) => <span className="wraps">{brief(each.scopes)}</span> },
        { key: "since", title: "Agreed", num: true, cell: (each) => at(each.created_at) },
        { key: "ends", title: "Ends", num: true, cell: (each) => at(each.ends_at) },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button danger" onClick={() => setEnding(each)}>Agree no more</button></span> },
      ]} />}
      {ending && (
        <Ask title={`${ending.client_name} in your name`} act="Agree no more; its tokens end at once" danger reasoned={false} onClose={() => setEnding(null)} onDone={asked.again}
          send={() => ok(api.DELETE("/api/users/grants/{grant_id}", { params: { path: { grant_id: ending.grant_id } } }))}>
          <p>It may {brief(ending.scopes)}. It can ask you again.</p>
        </Ask>
      )}
    </section>
  );
}
