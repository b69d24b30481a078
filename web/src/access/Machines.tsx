/** Users who are machines: no password, keys that somebody else makes. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import type { Asked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { may, useSession } from "../shell/session";
import type { Key } from "./Keys";
import { Ask, Picks } from "./parts";
import { isOver, stateOf } from "./terms";

type Machine = Schemas["Machine"];
export const ROLES = ["trader", "risk", "compliance", "admin", "auditor", "partner", "agent", "analyst"] as const;

export function Machines({ asked, keys, onKey }: { asked: Asked<Schemas["Machines"]>; keys: readonly Key[]; onKey: (user: string) => void }) {
  const who = useSession();
  const [isNew, setNew] = useState(false);
  const good = (machine: Machine): Key[] => keys.filter((key) => key.user === machine.user && !isOver(stateOf(key, Date.now())));
  const mayAdd = may("house:write");
  return (
    <section className="panel" data-panel aria-label="Service accounts">
      <header>
        <h2>Service accounts</h2>
        <span className="label lead">Machines: no password, and keys that their owner makes.</span>
        <div className="end"><button type="button" className="button" disabled={!mayAdd} title={mayAdd ? undefined : "Needs scope house:write"} onClick={() => setNew(true)}>New service account</button></div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={2} waitsFor="Reading service accounts" />}
      {asked.data && <Table<Machine> label="Service accounts" rows={asked.data.items} rowKey={(each) => each.user} empty={<Empty>No service account. One is added by two people.</Empty>} columns={[
        { key: "user", title: "Machine", cell: (each) => <b>{each.user}</b> },
        { key: "owner", title: "Owner", cell: (each) => each.owner },
        { key: "roles", title: "Roles", cell: (each) => each.roles.join(", ") },
        { key: "keys", title: "Good keys", num: true, cell: (each) => good(each).length || <span className="dim">none</span> },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => each.owner === who?.user && <span className="acts"><button type="button" className="button" onClick={() => onKey(each.user)}>Make it a key</button></span> },
      ]} />}
      {isNew && <Add onClose={() => setNew(false)} onDone={asked.again} />}
    </section>
  );
}

function Add({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const who = useSession();
  const [user, setUser] = useState("");
  const [owner, setOwner] = useState("");
  const [roles, setRoles] = useState<readonly string[]>([]);
  return (
    <Ask title="New service account" act="Ask for it" ready={/^[a-z0-9][a-z0-9._-]{0,63}$/.test(user) && roles.length > 0} onClose={onClose} onDone={onDone}
      send={(reason) => ok(api.POST("/api/service-accounts", { body: { user, owner: owner || null, roles: roles as Schemas["CreateMachine"]["roles"], reason } }))}>
      <p className="label">Somebody else must agree. Then its owner makes its keys, which may do no more than its roles.</p>
      <div className="two">
        <Field label="Name" value={user} autoComplete="off" spellCheck={false} autoFocus placeholder="svc-rebalancer" onChange={(event) => setUser(event.target.value)} />
        <Field label="Owner" value={owner} autoComplete="off" spellCheck={false} placeholder={who?.user} onChange={(event) => setOwner(event.target.value)} said="Who makes its keys." />
      </div>
      <Picks label="Roles" all={ROLES} chosen={roles} onChange={setRoles} />
    </Ask>
  );
}
