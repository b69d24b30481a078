/** Passkeys: a key on a device, which it uses for whoever shows it a finger, a face or a PIN. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { deviceName } from "./device";
import { Ask, at, Codes } from "./parts";
import { add, canPasskey, whyNot } from "./credentials";

type Passkey = Schemas["PasskeyShown"];

export function Passkeys({ again }: { again: () => void }) {
  const asked = useAsked("passkeys", () => ok(api.GET("/api/users/passkeys")));
  const [isNew, setNew] = useState(false);
  const [removing, setRemoving] = useState<Passkey | null>(null);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const done = (): void => {
    asked.again();
    again();
  };
  return (
    <section className="panel" data-panel aria-label="Passkeys">
      <header>
        <h2>Passkeys</h2>
        <span className="label lead">They sign you in alone: nothing to type, nothing that a false page could take.</span>
        <div className="end"><button type="button" className="button main" disabled={!canPasskey()} title={canPasskey() ? undefined : "This browser knows no passkeys"} onClick={() => setNew(true)}>Add a passkey</button></div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={1} waitsFor="Reading your passkeys" />}
      {asked.data && <Table<Passkey> label="Passkeys" rows={asked.data.items} rowKey={(each) => each.passkey_id} empty={<Empty>No passkey yet.</Empty>} columns={[
        { key: "name", title: "Passkey", cell: (each) => <b>{each.name}</b> },
        { key: "where", title: "Lies", cell: (each) => (each.is_copied ? "with your account there, on several devices" : "on one device alone") },
        { key: "made", title: "Made", num: true, cell: (each) => at(each.created_at) },
        { key: "used", title: "Last used", num: true, cell: (each) => (each.last_used_at ? at(each.last_used_at) : <span className="dim">never</span>) },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button danger" aria-label={`Remove ${each.name}`} onClick={() => setRemoving(each)}>Remove</button></span> },
      ]} />}
      {isNew && <Add onCodes={setCodes} onDone={done} onClose={() => setNew(false)} />}
      {removing && <Remove passkey={removing} onDone={done} onClose={() => setRemoving(null)} />}
      {codes.length > 0 && <Codes codes={codes} onClose={() => setCodes([])} />}
    </section>
  );
}

function Add({ onCodes, onDone, onClose }: { onCodes: (codes: readonly string[]) => void; onDone: () => void; onClose: () => void }) {
  const [password, setPassword] = useState("");
  const [name, setName] = useState(deviceName(navigator.userAgent));
  const send = async (): Promise<void> => {
    try {
      onCodes((await add(password, name.trim())).recovery_codes);
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem({ status: 0, code: "no_passkey", message: whyNot(error), retryable: true, reached_venue: "no" });
    }
  };
  return (
    <Ask title="Add a passkey" act="Make it on this device" reasoned={false} ready={Boolean(password)} send={send} onDone={onDone} onClose={onClose}>
      <Field label="Your password" type="password" autoComplete="current-password" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />
      <Field label="What you call it" value={name} maxLength={64} onChange={(event) => setName(event.target.value)} />
      <p className="label">Then the browser asks for your finger, your face or a PIN. Whoever has a passkey needs more than a password from then on.</p>
    </Ask>
  );
}

function Remove({ passkey, onDone, onClose }: { passkey: Passkey; onDone: () => void; onClose: () => void }) {
  const [password, setPassword] = useState("");
  return (
    <Ask title={`Remove ${passkey.name}`} act="Remove it" danger reasoned={false} ready={Boolean(password)} onDone={onDone} onClose={onClose} send={() => ok(api.POST("/api/users/passkeys/remove", { body: { passkey_id: passkey.passkey_id, password } }))}>
      <p>It signs nobody in any more. Its device may go on showing it until you delete it there.</p>
      <Field label="Your password" type="password" autoComplete="current-password" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />
    </Ask>
  );
}
