/** Who is known here, what each may, and what every role gives. Roles are changed by two people. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may, useAccountId, useSession } from "../shell/session";
import type { PageProps } from "./Access";
import { ROLES } from "./Machines";
import { Field } from "../kit/Field";
import { Ask, at, Picks } from "./parts";
import { StandingChip } from "./Standing";
import { Person } from "./Person";
import { brief, difference } from "./terms";

type User = Schemas["UserShown"];
const HOURS = 72;
type Gives = Schemas["PolicyReply"]["roles"];

export default function People({ route }: PageProps) {
  const user = route.parts[1];
  return user ? <Person key={user} user={user} /> : <All />;
}

function All() {
  const who = useSession();
  const account = useAccountId();
  const asked = useAsked("users", () => ok(api.GET("/api/users")), 15_000);
  const machines = useAsked(may("keys:write") ? "machines" : "", () => ok(api.GET("/api/service-accounts")));
  const policy = useAsked("roles", () => ok(api.GET("/api/policy")));
  const [text, setText] = useState("");
  const [changing, setChanging] = useState<User | null>(null);
  const [isInviting, setInviting] = useState(false);
  const [invited, setInvited] = useState<Schemas["InvitedReply"] | null>(null);
  const owner = (user: string): string => machines.data?.items.find((each) => each.user === user)?.owner ?? "";
  const shown = (asked.data?.items ?? []).filter((each) => `${each.user} ${each.roles.join(" ")}`.includes(text.trim().toLowerCase()));
  const mayChange = may("house:write");
  return (
    <>
      <section className="panel" data-panel aria-label="People">
        <header>
          <h2>People</h2>
          <span className="label lead">Who is invited chooses their own password, by a link that only they are sent. Without a role somebody may sign in, and do nothing.</span>
          <div className="end"><button type="button" className="button main" disabled={!mayChange} title={mayChange ? undefined : "Needs scope house:write"} onClick={() => setInviting(true)}>Invite</button><input type="search" data-filter className="filter" placeholder="Name or role" aria-label="Filter people" value={text} onChange={(event) => setText(event.target.value)} /></div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading waitsFor="Reading who is known here" />}
        {invited && <p className="state" role="status"><span className="said">A link is on its way to {invited.user}, good until {at(invited.until)}.{invited.approval_id && <> Their roles wait for a second person: <a href={address("access", ["approvals"], { account })}>{invited.approval_id}</a>.</>}</span></p>}
        {asked.data && <Table<User> label="People" rows={shown} rowKey={(each) => each.user} empty={<Empty>Nobody {text ? `like “${text}”` : "yet"}.</Empty>} columns={[
          { key: "user", title: "Name", sort: (each) => each.user, cell: (each) => <><a href={address("access", ["people", each.user], { account })}><b>{each.user}</b></a>{each.user === who?.user && <> <span className="chip">you</span></>}{owner(each.user) && <small>a machine of {owner(each.user)}</small>}</> },
          { key: "state", title: "State", sort: (each) => each.state ?? "", cell: (each) => <StandingChip user={each} /> },
          { key: "roles", title: "Roles", sort: (each) => each.roles.length, cell: (each) => <span className="wraps">{each.roles.join(", ") || <span className="dim">none</span>}</span> },
          { key: "may", title: "May", cell: (each) => <span className="wraps">{brief(each.scopes)}</span> },
          { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts">
            <button type="button" className="button" aria-label={`Change roles of ${each.user}`} disabled={!mayChange} title={mayChange ? undefined : "Needs scope house:write"} onClick={() => setChanging(each)}>Change roles</button>
            <a className="button" aria-label={`Look after ${each.user}`} href={address("access", ["people", each.user], { account })}>Look after</a>
          </span> },
        ]} />}
      </section>
      <section className="panel" data-panel aria-label="What roles give">
        <header><h2>What roles give</h2><span className="label lead">The whole of it. A firm’s own policies only take away from this. Who trades sets no limits, who sets limits does not trade, who runs the house does neither.</span></header>
        {policy.problem && <ErrorPanel problem={policy.problem} retry={policy.again} />}
        {!policy.data && !policy.problem && <Loading waitsFor="Reading what roles give" />}
        {policy.data && <Matrix gives={policy.data.roles} />}
      </section>
      {isInviting && <Invite gives={policy.data?.roles ?? {}} onInvited={setInvited} onDone={asked.again} onClose={() => setInviting(false)} />}
      {changing && <Roles user={changing} gives={policy.data?.roles ?? {}} onDone={asked.again} onClose={() => setChanging(null)} />}
    </>
  );
}

function Invite({ gives, onInvited, onDone, onClose }: { gives: Gives; onInvited: (reply: Schemas["InvitedReply"]) => void; onDone: () => void; onClose: () => void }) {
  const [user, setUser] = useState("");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<readonly string[]>([]);
  const isNamed = /^[a-z0-9][a-z0-9._-]{0,63}$/.test(user);
  const gains = difference([], roles, gives).gains;
  return (
    <Ask title="Invite somebody" act="Send the link" ready={isNamed && /^[^@\s]+@[^@\s]+$/.test(email)} reasoned={roles.length > 0} said="Why they are given roles: kept in the journal, and names nobody." onDone={onDone} onClose={onClose}
      send={async (reason) => onInvited(await ok(api.POST("/api/users/invitations", { body: { user, email: email.trim(), name: name.trim(), roles: roles as (typeof ROLES)[number][], reason, hours: HOURS } })))}>
      <Field label="User" value={user} autoComplete="off" spellCheck={false} onChange={(event) => setUser(event.target.value)} wrong={user && !isNamed ? "a–z, 0–9, dot, dash and underscore." : null} said="The journal keeps this name for ever: nothing that says who they are." />
      <Field label="E-mail" type="email" value={email} autoComplete="off" onChange={(event) => setEmail(event.target.value)} said="The link goes there, and nowhere else. Kept encrypted." />
      <Field label="Name" value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      <Picks label="Roles" all={ROLES} chosen={roles} onChange={setRoles} said={roles.length ? `They would ${brief(gains) || "do nothing"}. Somebody else must agree; the link goes at once.` : "None: they may sign in, and do nothing."} />
    </Ask>
  );
}

function Matrix({ gives }: { gives: Gives }) {
  const roles = Object.keys(gives);
  const scopes = [...new Set(Object.values(gives).flat())].sort();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Roles and scopes">
      <table className="table matrix" aria-label="What roles give">
        <thead><tr><th scope="col">Scope</th>{roles.map((role) => <th key={role} scope="col">{role}</th>)}</tr></thead>
        <tbody>{scopes.map((scope) => (
          <tr key={scope}><th scope="row" className="mono">{scope}</th>{roles.map((role) => <td key={role}>{gives[role]?.includes(scope) ? <><span aria-hidden="true">●</span><span className="unseen">yes</span></> : <span className="unseen">no</span>}</td>)}</tr>
        ))}</tbody>
      </table>
    </div>
  );
}

function Roles({ user, gives, onDone, onClose }: { user: User; gives: Gives; onDone: () => void; onClose: () => void }) {
  const [roles, setRoles] = useState<readonly string[]>(user.roles);
  const { gains, loses } = difference(user.scopes, roles, gives);
  const isSame = [...roles].sort().join() === [...user.roles].sort().join();
  return (
    <Ask title={`Roles of ${user.user}`} act="Ask for it" danger={!roles.length} ready={!isSame} onDone={onDone} onClose={onClose}
      send={(reason) => ok(api.PUT("/api/users/{user}/roles", { params: { path: { user: user.user } }, body: { roles: roles as (typeof ROLES)[number][], reason } }))}>
      <Picks label="Roles" all={ROLES} chosen={roles} onChange={setRoles} said={roles.length ? undefined : "Without a role they may sign in, and do nothing: so somebody is shut out."} />
      <dl className="change">
        <dt>Gains</dt><dd>{gains.length ? brief(gains) : "nothing"}</dd>
        <dt>Loses</dt><dd>{loses.length ? brief(loses) : "nothing"}</dd>
      </dl>
      <p className="label">Somebody else must agree. It holds from then on, also for sessions and keys that are in use.</p>
    </Ask>
  );
}
