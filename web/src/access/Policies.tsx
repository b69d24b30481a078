/** The rules of who may do what: those in force, what they decided, and others that one would rather have. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading, NoRight } from "../kit/states";
import { Table } from "../kit/Table";
import { setQuery } from "../shell/routes";
import { may } from "../shell/session";
import type { PageProps } from "./Access";
import { Decisions } from "./Decisions";
import { Draft } from "./Draft";
import { Ask, at } from "./parts";

export type Policy = Schemas["PolicyReply"];
type View = "rules" | "decisions" | "draft";

export default function Policies({ route }: PageProps) {
  const view = (["rules", "decisions", "draft"] as const).find((each) => each === route.query.view) ?? "rules";
  const asked = useAsked("policy", () => ok(api.GET("/api/policy")), 15_000);
  const policy = asked.data;
  return (
    <>
      <section className="panel" data-panel aria-label="Policies">
        <header>
          <h2>Policies</h2>
          {policy && <span className="label lead">In force: {policy.version ? `version ${policy.version} of your own, with the house’s` : "the house’s alone"}, revision <span className="mono" title={policy.revision}>{policy.revision.slice(0, 16)}</span>. What no rule allows is denied.</span>}
          <div className="end"><Segmented<View> label="View" value={view} onChange={(each) => setQuery({ view: each === "rules" ? null : each })} choices={[{ value: "rules", label: "Rules" }, { value: "decisions", label: "Decisions" }, { value: "draft", label: "What if" }]} /></div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!policy && !asked.problem && <Loading rows={10} waitsFor="Reading the rules" />}
        {policy && view === "rules" && <Rules policy={policy} />}
        {policy && view === "draft" && <Draft policy={policy} onDone={asked.again} />}
        {view === "decisions" && (may("journal:read") ? <Decisions route={route} /> : <NoRight scope="journal:read" />)}
      </section>
      {policy && view === "rules" && <Versions policy={policy} onDone={asked.again} />}
    </>
  );
}

function Rules({ policy }: { policy: Policy }) {
  const files: [string, string][] = [...Object.entries(policy.modules).map(([name, text]): [string, string] => [name, text]), ...Object.entries(policy.house).map(([name, text]): [string, string] => [`house/${name}`, text])];
  const hasOwn = policy.data && JSON.stringify(policy.data) !== "{}";
  if (hasOwn) files.push(["data.json", JSON.stringify(policy.data, null, 2)]);
  const [chosen, setChosen] = useState(files[0]?.[0] ?? "");
  const shown = files.find(([name]) => name === chosen) ?? files[0];
  return (
    <>
      <div className="filters">
        <div className="files" role="group" aria-label="Files">{files.map(([name]) => <button key={name} type="button" className="chip mono" aria-pressed={name === shown?.[0]} onClick={() => setChosen(name)}>{name}</button>)}</div>
        {!Object.keys(policy.modules).length && <span className="label">You have no rules of your own: What if shows how to write some.</span>}
      </div>
      {shown && <Code text={shown[1]} label={shown[0]} />}
    </>
  );
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className="code mono scroll" tabIndex={0} role="region" aria-label={label}>
      <ol>{text.replace(/\n$/, "").split("\n").map((line, nth) => <li key={nth}><code>{line || " "}</code></li>)}</ol>
    </div>
  );
}

function Versions({ policy, onDone }: { policy: Policy; onDone: () => void }) {
  const [back, setBack] = useState<number | null>(null);
  const mayDo = may("house:write");
  return (
    <section className="panel" data-panel aria-label="Versions">
      <header>
        <h2>Versions</h2>
        <div className="end">{policy.version > 0 && <button type="button" className="button danger" disabled={!mayDo} title={mayDo ? undefined : "Needs scope house:write"} onClick={() => setBack(0)}>Back to the house’s alone</button>}</div>
      </header>
      <Table<Schemas["VersionShown"]> label="Versions" rows={policy.versions} rowKey={(each) => String(each.version)} empty={<Empty>Nobody has published any rules.</Empty>} columns={[
        { key: "version", title: "Version", num: true, cell: (each) => each.version },
        { key: "state", title: "State", cell: (each) => <span className={each.state === "in_force" ? "chip" : "chip plain"}>{each.state === "in_force" ? "in force" : each.state === "waiting" ? `waits until ${at(each.effective_at)}` : each.state}</span> },
        { key: "note", title: "Note", cell: (each) => <span className="wraps">{each.note}{each.like > 0 && <small>like version {each.like}</small>}</span> },
        { key: "by", title: "Published by", cell: (each) => each.published_by },
        { key: "at", title: "Published", num: true, cell: (each) => at(each.published_at) },
        { key: "revision", title: "Revision", cell: (each) => <span className="mono" title={each.revision}>{each.revision.slice(0, 16)}</span> },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => each.state === "past" && <span className="acts"><button type="button" className="button" disabled={!mayDo} title={mayDo ? undefined : "Needs scope house:write"} onClick={() => setBack(each.version)}>Back to this</button></span> },
      ]} />
      {back !== null && (
        <Ask title={back ? `Back to version ${back}` : "Back to the house’s rules alone"} act="Ask for it" said="Stands beside the version." onDone={onDone} onClose={() => setBack(null)} send={(note) => ok(api.POST("/api/policy/rollback", { body: { version: back, note } }))}>
          <p>It becomes a new version that says the same, so that nothing is lost. Somebody else must agree.</p>
        </Ask>
      )}
    </section>
  );
}
