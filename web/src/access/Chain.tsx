/** The chain of a session: which links from the device to the audit hold, and the devices that are known. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { Ask, at, named, Outcome, useDoing } from "./parts";

type Known = Schemas["DeviceShown"];
type Link = Schemas["LinkShown"];

export function Chain() {
  const asked = useAsked("chain", () => ok(api.GET("/api/users/chain")), 15_000);
  const found = asked.data;
  const missing = found?.links.filter((each) => !each.holds).length ?? 0;
  return (
    <>
      <section className="panel" data-panel aria-label="Chain of this session">
        <header>
          <h2>Chain of this session</h2>
          {found && <span className="label lead">{found.is_whole ? "Every link holds." : `${missing} of ${found.links.length} links are missing.`} {found.is_required ? "A request that lacks one is refused." : "Nothing is refused for it here."}</span>}
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!found && !asked.problem && <Loading rows={3} waitsFor="Reading the chain" />}
        {found && <Table<Link> label="Links" rows={found.links} rowKey={(each) => each.link} empty={<Empty>There are no links.</Empty>} columns={[
          { key: "link", title: "Link", cell: (each) => <b>{named(each.link)}</b> },
          { key: "holds", title: "Holds", cell: (each) => <span className={each.holds ? "chip" : "chip warn"}>{each.holds ? "holds" : "missing"}</span> },
          { key: "value", title: "What the house sees", cell: (each) => <span className="wraps">{each.value}</span> },
          { key: "do", title: "What to do", cell: (each) => <span className="wraps">{each.do}</span> },
        ]} />}
      </section>
      <Devices again={asked.again} />
    </>
  );
}

function Devices({ again }: { again: () => void }) {
  const asked = useAsked("devices", () => ok(api.GET("/api/users/devices")), 30_000);
  const { problem, run } = useDoing();
  const [trusting, setTrusting] = useState<Known | null>(null);
  const all = (): void => { asked.again(); again(); };
  const forget = (device: Known): void => void run(() => ok(api.DELETE("/api/users/devices/{device_id}", { params: { path: { device_id: device.device_id } } }))).then(all);
  return (
    <section className="panel" data-panel aria-label="Your devices">
      <header><h2>Your devices</h2><span className="label lead">Whoever signs in makes a device known. Trusting it takes your second factor.</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={2} waitsFor="Reading your devices" />}
      {asked.data && <Table<Known> label="Devices" rows={asked.data.items} rowKey={(each) => each.device_id} empty={<Empty>You have signed in nowhere yet.</Empty>} columns={[
        { key: "name", title: "Device", cell: (each) => <><b>{each.name || "A device that did not say what it is"}</b>{each.is_this && <> <span className="chip">this one</span></>}</> },
        { key: "state", title: "Trust", cell: (each) => each.state === "trusted" ? `until ${at(each.trusted_until)}` : "known only" },
        { key: "since", title: "Known since", num: true, cell: (each) => at(each.known_since) },
        { key: "open", title: "Sessions", num: true, cell: (each) => each.sessions },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => (
          <span className="acts">
            {each.state === "known" && <button type="button" className="button" onClick={() => setTrusting(each)}>Trust</button>}
            <button type="button" className="button danger" onClick={() => forget(each)}>Forget</button>
          </span>
        ) },
      ]} />}
      {trusting && <Trust device={trusting} onClose={() => setTrusting(null)} onDone={all} />}
    </section>
  );
}

function Trust({ device, onClose, onDone }: { device: Known; onClose: () => void; onDone: () => void }) {
  const [code, setCode] = useState("");
  return (
    <Ask title={`Trust ${device.name || "this device"}`} act="Trust it for 90 days" reasoned={false} onClose={onClose} onDone={onDone}
      send={() => ok(api.POST("/api/users/devices/{device_id}/trust", { params: { path: { device_id: device.device_id } }, body: { code: code.trim(), days: 90 } }))}>
      <p>Sessions that begin on it may do what needs a trusted device.</p>
      <Field label="Code" inputMode="numeric" autoComplete="one-time-code" autoFocus value={code} onChange={(event) => setCode(event.target.value)} said="Of your authenticator, or a recovery code. None within five minutes of signing in with a passkey." />
    </Ask>
  );
}
