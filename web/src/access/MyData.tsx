/** What the house keeps of you: to take with you, and to have destroyed. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { useAccountId, useSession } from "../shell/session";
import { Left } from "./Left";
import { Ask, at, Outcome, useDoing } from "./parts";
import { saveFrom } from "./saving";

const FATES = { destroyed: "is destroyed", unreadable: "stays, read by nobody", kept: "is kept" } as const;

export default function MyData() {
  const who = useSession();
  const account = useAccountId();
  const isPerson = who?.caller.includes("/~") || who?.caller === "demo";
  const asked = useAsked(isPerson ? "my deletion" : "", () => ok(api.GET("/api/users/my-data/deletion")));
  const { isBusy, problem, run } = useDoing();
  const [isAsking, setAsking] = useState(false);
  if (!isPerson) {
    return (
      <section className="panel" data-panel aria-label="My data">
        <header><h2>My data</h2></header>
        <Empty>You are here with a key, as <span className="mono">{who?.caller}</span>. What is kept of a person is shown to them alone: sign in with a password or a passkey.</Empty>
      </section>
    );
  }
  const found = asked.data;
  const gone = found?.plan.places.filter((each) => each.fate !== "kept").reduce((sum, each) => sum + each.count, 0) ?? 0;
  return (
    <>
      <section className="panel" data-panel aria-label="My data">
        <header>
          <h2>What is kept of {who?.user}</h2>
          <span className="label lead">One file with everything: what you told the house, what it wrote down of you, and what you did here.</span>
          <div className="end"><button type="button" className="button main" disabled={isBusy} onClick={() => void run(() => saveFrom("/api/users/my-data", `${who?.user ?? "my"}-data.json`))}>{isBusy ? "Gathering" : "Save it as JSON"}</button></div>
        </header>
        <Outcome problem={problem} />
      </section>
      <section className="panel" data-panel aria-label="To be forgotten">
        <header>
          <h2>To be forgotten</h2>
          <span className="label lead">First, what would happen. Nothing of it happens before you ask, and somebody else agrees.</span>
          {found && <div className="end"><button type="button" className="button danger" disabled={found.blockers.length > 0 || Boolean(found.approval_id) || found.plan.state === "held"} title={found.blockers.length ? "Something is in the way: see below" : undefined} onClick={() => setAsking(true)}>Ask to be forgotten</button></div>}
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!found && !asked.problem && <Loading waitsFor="Looking where something lies of you" />}
        {found?.approval_id && <p className="state waits" role="status"><span className="said">You have asked: it waits for a second person as <a href={address("access", ["approvals"], { account })}>{found.approval_id}</a>.</span></p>}
        {found && found.blockers.length > 0 && (
          <div className="state wrong" role="status">
            <p className="said">Not yet: this is open, and nobody else would look after it.</p>
            <ul>{found.blockers.map((each) => <li key={each.what}>{each.what}</li>)}</ul>
            <p><button type="button" className="button" onClick={asked.again}>Look again</button></p>
          </div>
        )}
        {found && <Table<Schemas["Place"]> label="What would go and what stays" rows={found.plan.places} rowKey={(each) => `${each.where} ${each.what}`} empty={<Empty>Nothing.</Empty>} columns={[
          { key: "where", title: "Where", cell: (each) => each.where },
          { key: "what", title: "What", cell: (each) => <span className="wraps">{each.what}</span> },
          { key: "count", title: "Count", num: true, cell: (each) => number(String(each.count)) },
          { key: "fate", title: "It would", cell: (each) => <span className={each.fate === "kept" ? "" : "chip"}>{FATES[each.fate]}</span> },
          { key: "why", title: "Why", cell: (each) => (each.why || each.until) && <span className="wraps">{each.why}{each.until && <small>until {at(each.until)}</small>}</span> },
        ]} />}
      </section>
      {isAsking && who && <Forget user={who.user} gone={gone} onDone={asked.again} onClose={() => setAsking(false)} />}
    </>
  );
}

function Forget({ user, gone, onDone, onClose }: { user: string; gone: number; onDone: () => void; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  return (
    <Ask title="Ask to be forgotten" act="Ask for it" danger wide reasoned={false} ready={typed === user} onDone={onDone} onClose={onClose}
      send={() => ok(api.POST("/api/users/my-data/deletion", { body: { user: typed } }))}>
      <p>{number(String(gone))} things go, and nothing brings them back: your key is destroyed, in backups as well, and you are signed out. Save your data first. What you did as a trader stays, under a name that says nothing.</p>
      <Left user={user} />
      <Field label={`Type ${user} to say that you mean it`} value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
    </Ask>
  );
}
