/** What lies where of one person, what forgetting them would do, and a legal hold that keeps it. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { may } from "../shell/session";
import { Left } from "./Left";
import { Ask, at } from "./parts";
import { Standing } from "./Standing";
import { instant } from "./terms";

const STATES = {
  possible: "Nothing keeps what is kept of them from being destroyed",
  held: "Under a legal hold: nothing of them may be destroyed",
  done: "Forgotten: what was kept of them is destroyed, or can be read by nobody",
  unfinished: "Begun, and not finished: ask for it again",
} as const;
const FATES = { destroyed: "is destroyed", unreadable: "stays, read by nobody", kept: "is kept" } as const;

export function Person({ user }: { user: string }) {
  const asked = useAsked(`erasure ${user}`, () => ok(api.GET("/api/users/{user}/erasure", { params: { path: { user } } })));
  const [doing, setDoing] = useState<"" | "erase" | "hold" | "lift">("");
  const plan = asked.data;
  const mayDo = may("house:write");
  const gone = plan?.places.filter((each) => each.fate !== "kept").reduce((sum, each) => sum + each.count, 0) ?? 0;
  return (
    <>
      <Standing user={user} />
      <section className="panel" data-panel aria-label="What is kept">
        <header>
          <h2>What is kept of {user}</h2>
          <div className="end">
            {plan?.state === "held"
              ? <button type="button" className="button" disabled={!mayDo} onClick={() => setDoing("lift")}>Lift the hold</button>
              : <button type="button" className="button" disabled={!mayDo} onClick={() => setDoing("hold")}>Legal hold</button>}
            <button type="button" className="button danger" disabled={!mayDo || plan?.state === "held" || plan?.state === "done"} onClick={() => setDoing("erase")}>Forget {user}</button>
          </div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!plan && !asked.problem && <Loading waitsFor="Looking where something lies of them" />}
        {plan && (
          <>
            <p className={plan.state === "held" ? "state waits" : "state"}><span className="said">{STATES[plan.state]}.{plan.hold && ` ${plan.hold}`}{!mayDo && " To change it takes the scope house:write."}</span></p>
            <Table<Schemas["Place"]> label="What is kept" rows={plan.places} rowKey={(each) => `${each.where} ${each.what}`} empty={<Empty>Nothing.</Empty>} columns={[
              { key: "where", title: "Where", cell: (each) => each.where },
              { key: "what", title: "What", cell: (each) => <span className="wraps">{each.what}</span> },
              { key: "count", title: "Count", num: true, cell: (each) => number(String(each.count)) },
              { key: "fate", title: plan.state === "done" ? "It" : "It would", cell: (each) => <span className={each.fate === "kept" ? "" : "chip"}>{FATES[each.fate]}</span> },
              { key: "why", title: "Why", cell: (each) => (each.why || each.until) && <span className="wraps">{each.why}{each.until && <small>until {at(each.until)}</small>}</span> },
            ]} />
          </>
        )}
      </section>
      {doing === "erase" && (
        <Ask title={`Forget ${user}`} act="Ask for it" danger wide said="Stays in the journal: it must not say who the person is." onClose={() => setDoing("")} onDone={asked.again}
          send={(reason) => ok(api.POST("/api/users/{user}/erasure", { params: { path: { user } }, body: { reason } }))}>
          <p>{number(String(gone))} things go, and cannot be brought back: their key is destroyed, in backups as well. What they did as a trader stays, under a name that says nothing. Proofs go on holding.</p>
          <Left user={user} />
          <p className="label">Somebody else must agree.</p>
        </Ask>
      )}
      {doing === "hold" && <Hold user={user} onClose={() => setDoing("")} onDone={asked.again} />}
      {doing === "lift" && (
        <Ask title={`Lift the hold on ${user}`} act="Ask for it" onClose={() => setDoing("")} onDone={asked.again}
          send={(reason) => ok(api.POST("/api/users/{user}/hold/lift", { params: { path: { user } }, body: { reason } }))}>
          <p>From then on they may be forgotten. Somebody else must agree.</p>
        </Ask>
      )}
    </>
  );
}

function Hold({ user, onClose, onDone }: { user: string; onClose: () => void; onDone: () => void }) {
  const [until, setUntil] = useState("");
  const found = instant(until && `${until}T00:00`);
  return (
    <Ask title={`Legal hold on ${user}`} act="Ask for it" ready={found / 1e6 > Date.now()} said="Kept with the records: the case, and no names." onClose={onClose} onDone={onDone}
      send={(reason) => ok(api.PUT("/api/users/{user}/hold", { params: { path: { user } }, body: { reason, until: found } }))}>
      <p>Until that day nothing of them is destroyed, whoever asks. Somebody else must agree.</p>
      <Field label="Until (UTC)" type="date" value={until} onChange={(event) => setUntil(event.target.value)} wrong={until && found / 1e6 <= Date.now() ? "That day is past." : null} />
    </Ask>
  );
}
