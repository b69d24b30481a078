/** Whether somebody can come in; and shutting them out, signing them out, or helping them who lost a device. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { number } from "../kit/format";
import { ErrorPanel, Loading } from "../kit/states";
import { address } from "../shell/routes";
import { may, useAccountId, useSession } from "../shell/session";
import { Left } from "./Left";
import { Ask, at } from "./parts";

type User = Schemas["UserShown"];
const STATES = { active: "can sign in", invited: "invited", locked: "locked", no_password: "keys alone" } as const;
const CLASSES = { active: "chip plain", invited: "chip info", locked: "chip critical", no_password: "chip plain" } as const;
type What = "" | "lock" | "unlock" | "out" | "factor" | "withdraw";

export function StandingChip({ user }: { user: User }) {
  const state = user.state ?? "active";
  return <span className={CLASSES[state]}>{STATES[state]}</span>;
}

export function Standing({ user: name }: { user: string }) {
  const who = useSession();
  const account = useAccountId();
  const asked = useAsked("users", () => ok(api.GET("/api/users")), 15_000);
  const [doing, setDoing] = useState<What>("");
  const user = asked.data?.items.find((each) => each.user === name);
  const isOwn = who?.user === name;
  const mayDo = may("house:write");
  const why = mayDo ? undefined : "Needs scope house:write";
  const props = { onDone: asked.again, onClose: () => setDoing("") };
  const path = { user: name };
  return (
    <section className="panel" data-panel aria-label="Standing">
      <header>
        <a href={address("access", ["people"], { account })}>People</a>
        <h2>{name}</h2>
        {user && <StandingChip user={user} />}
        {user && <div className="end">
          {user.state === "invited" && <button type="button" className="button" disabled={!mayDo} title={why} onClick={() => setDoing("withdraw")}>Withdraw the invitation</button>}
          <button type="button" className="button" disabled={!mayDo || !user.second_factor} title={why ?? (user.second_factor ? undefined : "They have none")} onClick={() => setDoing("factor")}>Reset second factor</button>
          <button type="button" className="button" disabled={!mayDo} title={why} onClick={() => setDoing("out")}>Sign out everywhere</button>
          {user.state === "locked"
            ? <button type="button" className="button main" disabled={!mayDo} title={why} onClick={() => setDoing("unlock")}>Let in again</button>
            : <button type="button" className="button danger" disabled={!mayDo || isOwn} title={why ?? (isOwn ? "Nobody locks themselves out" : undefined)} onClick={() => setDoing("lock")}>Lock out</button>}
        </div>}
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={2} waitsFor="Reading how they stand" />}
      {user && <Facts user={user} />}
      {doing === "lock" && (
        <Ask title={`Lock ${name} out`} act="Lock out, at once" danger wide said="Kept in the journal: it must not say who the person is." {...props} send={(reason) => ok(api.POST("/api/users/{user}/lock", { params: { path }, body: { reason } }))}>
          <p>Every door refuses {name} from now on. {sessions(user)} end for good, and so does what applications were given. Keys are refused until {name} is let in again.</p>
          <Left user={name} />
          <p className="label">Service accounts go on: look at them as well.</p>
        </Ask>
      )}
      {doing === "unlock" && (
        <Ask title={`Let ${name} in again`} act="Let in" said="Kept in the journal: it must not say who the person is." {...props} send={(reason) => ok(api.POST("/api/users/{user}/unlock", { params: { path }, body: { reason } }))}>
          <p>{name} was locked by {user?.locked_by} at {user?.locked_at && at(user.locked_at)}: {user?.lock_reason}. Keys are good again; {name} signs in anew.</p>
        </Ask>
      )}
      {doing === "out" && (
        <Ask title={`Sign ${name} out everywhere`} act="Sign out" danger reasoned={false} {...props} send={() => ok(api.POST("/api/users/{user}/end-sessions", { params: { path } }))}>
          <p>{sessions(user)} end{isOwn && ", this one with them"}, and so does what applications were given. Keys go on, and {name} may sign in again.</p>
        </Ask>
      )}
      {doing === "factor" && (
        <Ask title={`Reset the second factor of ${name}`} act="Ask for it" danger said="Kept in the journal: it must not say who the person is." {...props} send={(reason) => ok(api.POST("/api/users/{user}/second-factor/reset", { params: { path }, body: { reason } }))}>
          <p>Authenticator, recovery codes and passkeys go; every session ends. A password alone signs {name} in then.</p>
          <p className="label">Be sure that it is {name} who asks. Somebody else must agree, who is not {name} either.</p>
        </Ask>
      )}
      {doing === "withdraw" && (
        <Ask title={`Withdraw the invitation of ${name}`} act="Withdraw" danger reasoned={false} {...props} send={() => ok(api.DELETE("/api/users/{user}/invitation", { params: { path } }))}>
          <p>The link is good no more, and their address is forgotten. The name {name} is given to nobody else.</p>
        </Ask>
      )}
    </section>
  );
}

const sessions = (user: User | undefined): string => (user?.sessions === 1 ? "One session" : `${number(String(user?.sessions ?? 0))} sessions`);

function Facts({ user }: { user: User }) {
  const facts = [
    ["Roles", user.roles.join(", ") || "none"],
    ["Signed in", user.sessions ? `${sessions(user)}`.toLowerCase() : "nowhere"],
    ["Keys that are good", user.keys ? number(String(user.keys)) : "none"],
    ["Second factor", user.second_factor ? "yes" : "no"],
    ["Last seen", user.last_used_at && at(user.last_used_at)],
    ["Link good until", user.invited_until && at(user.invited_until)],
    ["Locked", user.locked_at && `by ${user.locked_by ?? ""} at ${at(user.locked_at)}: ${user.lock_reason ?? ""}`],
    ["Machine", user.is_machine && "yes"],
  ].filter(([, value]) => value);
  return <dl className="facts-of">{facts.map(([name, value]) => <div key={String(name)}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}
