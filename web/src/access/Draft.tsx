/** Other rules than those in force: what is wrong with them, who would lose what by them, and the way to have them. */
import { type KeyboardEvent, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { number } from "../kit/format";
import { Empty } from "../kit/states";
import { Table } from "../kit/Table";
import { may } from "../shell/session";
import { Ask, named, Outcome, useDoing } from "./parts";
import type { Policy } from "./Policies";

const OWN = `package own

import rego.v1

deny contains {"code": "forbidden", "text": "nobody makes keys from elsewhere"} if {
	input.action.scope == "keys:write"
	input.environment.address == "public"
}
`;
const TEST = `package own_test

import rego.v1

asked := {"subject": {"caller": "ada/k", "user": "ada", "roles": ["trader"]}, "action": {"operation": "identity.create_key", "scope": "keys:write", "in_key": true}, "resource": {}, "environment": {"address": "public"}}

test_elsewhere if not data.fondaco.authz.decision.allow with input as asked
`;
const KEPT = "fondaco.policy-draft";

/** A draft outlives the page: nobody writes it twice. */
function begun(policy: Policy): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    if (typeof kept === "object" && kept !== null) return kept as Record<string, string>;
  } catch {
    // Storage is off, or holds what we did not write.
  }
  return inForce(policy);
}
const inForce = (policy: Policy): Record<string, string> => (Object.keys(policy.modules).length ? policy.modules : { "own.rego": OWN, "own_test.rego": TEST });

type Check = Schemas["CheckReply"];
type WhatIf = Schemas["WhatIfReply"];

export function Draft({ policy, onDone }: { policy: Policy; onDone: () => void }) {
  const [modules, setModules] = useState(() => begun(policy));
  const [file, setFile] = useState(() => Object.keys(modules)[0] ?? "own.rego");
  const [said, setSaid] = useState<{ of: string; check: Check; effect: WhatIf | null } | null>(null);
  const [isAsking, setAsking] = useState(false);
  const { isBusy, problem, run, clear } = useDoing();
  const data = (policy.data ?? {}) as Record<string, unknown>;
  const key = JSON.stringify(modules);
  const isOld = said !== null && said.of !== key;
  const keep = (next: Record<string, string>): void => {
    setModules(next);
    clear();
    try {
      localStorage.setItem(KEPT, JSON.stringify(next));
    } catch {
      // It is kept for as long as the page is open.
    }
  };
  const ask = (): void => void run(async () => {
    const check = await ok(api.POST("/api/policy/check", { body: { modules, data } }));
    setSaid({ of: key, check, effect: null });
    setSaid({ of: key, check, effect: await ok(api.POST("/api/policy/what-if", { body: { modules, data, since: 0, limit: 10_000 } })) });
  });
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isBusy) ask();
  };
  const mayAsk = may("house:write");
  const passes = said !== null && !isOld && !said.check.wrong;
  return (
    <div className="draft">
      <div className="write">
        <div className="files" role="group" aria-label="Files of the draft">{Object.keys(modules).map((name) => <button key={name} type="button" className="chip mono" aria-pressed={name === file} onClick={() => setFile(name)}>{name}</button>)}</div>
        <textarea className="mono" aria-label={file} spellCheck={false} rows={22} value={modules[file] ?? ""} onKeyDown={onKey} onChange={(event) => keep({ ...modules, [file]: event.target.value })} />
        <div className="row">
          <button type="button" className="button main" disabled={isBusy} onClick={ask}>{isBusy ? "Asking the log" : "What if"} <kbd>Ctrl Enter</kbd></button>
          <button type="button" className="button" disabled={!passes || !mayAsk} title={mayAsk ? (passes ? undefined : "First ask what if") : "Needs scope house:write"} onClick={() => setAsking(true)}>Propose</button>
          <button type="button" className="button quiet" onClick={() => { keep(inForce(policy)); setFile(Object.keys(inForce(policy))[0] ?? "own.rego"); setSaid(null); }}>Begin anew</button>
        </div>
        <p className="label">A package <span className="mono">own</span> takes away from what the house’s rules allow, and adds nothing; <span className="mono">own_test</span> has the tests that must pass before anything is published. Nothing is changed by asking what if.</p>
      </div>
      <div className="effect" aria-live="polite">
        <Outcome problem={problem} />
        {!said && !problem && <Empty>What if answers here: what is wrong with it, and who would have been denied, or allowed, what was asked of the house lately.</Empty>}
        {said && <div className={isOld ? "old" : ""}>{isOld && <p className="state label">The draft was changed since: ask again.</p>}<Checked check={said.check} />{said.effect && <Effect effect={said.effect} />}</div>}
      </div>
      {isAsking && (
        <Ask title="Propose these rules" act="Ask for it" said="Stands beside the version." onClose={() => setAsking(false)} onDone={onDone} send={(note) => ok(api.PUT("/api/policy", { body: { modules, data, note, effective_at: 0 } }))}>
          <p>Somebody else must agree; then they hold at once, at every door, also for sessions that are open.</p>
          <p className="label">{said?.effect?.changes.length ? `By what was asked lately, ${said.effect.changes.length} ${said.effect.changes.length === 1 ? "thing" : "things"} would have gone another way.` : "By what was asked lately, nothing would have gone another way."}</p>
        </Ask>
      )}
    </div>
  );
}

function Checked({ check }: { check: Check }) {
  const failed = check.tests.filter((each) => each.passed === false);
  return (
    <div className={check.wrong ? "state wrong" : "state"}>
      <p className="said">{check.wrong ? `It could not be published: ${check.wrong}` : `It could be published: ${check.tests.length} ${check.tests.length === 1 ? "test passes" : "tests pass"}, ${check.coverage_percent} % of its rules are held by one.`}</p>
      {failed.length > 0 && <ul>{failed.map((each) => <li key={String(each.name)} className="mono">{String(each.name)}</li>)}</ul>}
      {check.findings.length > 0 && <ul className="mono">{check.findings.map((each) => <li key={each}>{each}</li>)}</ul>}
      {check.uncovered.length > 0 && <p className="label">No test would notice without: <span className="mono">{check.uncovered.join(", ")}</span></p>}
    </div>
  );
}

type Change = WhatIf["changes"][number];

function Effect({ effect }: { effect: WhatIf }) {
  const people = new Set(effect.changes.map((each) => each.caller.split("/")[0]));
  return (
    <>
      <p className="state"><span className="said">{effect.changes.length ? `${people.size} ${people.size === 1 ? "person" : "people"} would have been answered otherwise` : "Nobody would have been answered otherwise"}, in {number(String(effect.decisions))} decisions since {effect.since ? effect.since.slice(0, 19).replace("T", " ") : "–"} UTC.</span></p>
      {effect.changes.length > 0 && <Table<Change> label="Who would lose or gain what" rows={effect.changes} rowKey={(each) => `${each.effect} ${each.caller} ${each.operation}`} columns={[
        { key: "effect", title: "Effect", cell: (each) => <span className={each.effect === "loses" ? "chip warn" : "chip"}>{each.effect}</span> },
        { key: "who", title: "Who", cell: (each) => each.caller },
        { key: "what", title: "What", cell: (each) => <span className="wraps">{named(each.operation)}<small>{each.reasons.join("; ")}</small></span> },
        { key: "count", title: "Asked", num: true, sort: (each) => each.count, cell: (each) => `${number(String(each.count))}×` },
      ]} />}
    </>
  );
}
