/** Everybody's assessments, for who looks after them; and one that is given away. */
import { useEffect, useState } from "react";
import { Ask } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { provide } from "../shell/keys";
import { setQuery } from "../shell/routes";
import { may } from "../shell/session";
import { csv, save } from "../trade/csv";
import { Lines } from "./Lines";
import type { PageProps } from "./Prop";
import type { AssessmentLine } from "./standing";

const EVERY_MS = 3_000;
const STATES = ["purchased", "active", "funded", "passed", "failed", "abandoned", "expired"] as const;
type State = (typeof STATES)[number];

export default function Assessments({ route }: PageProps) {
  const state = STATES.find((each) => each === route.query.state);
  const [isGiving, setGiving] = useState(false);
  const [sought, setSought] = useState("");
  const asked = useAsked(`assessments ${state ?? ""}`, () => ok(api.GET("/api/assessments", { params: { query: { state, limit: 1_000 } } })), EVERY_MS);
  const all = asked.data?.items ?? [];
  const words = sought.toLowerCase();
  const items = all.filter((each) => [each.user, each.tier, each.assessment_id].some((text) => text.toLowerCase().includes(words)));
  const keep = (): void => save("assessments.csv", csv<AssessmentLine>([
    { title: "assessment_id", of: (each) => each.assessment_id }, { title: "user", of: (each) => each.user }, { title: "tier", of: (each) => each.tier }, { title: "version", of: (each) => each.version }, { title: "state", of: (each) => each.state }, { title: "stage", of: (each) => each.stage_name },
    { title: "size", of: (each) => each.size }, { title: "began_at", of: (each) => each.began_at }, { title: "ended_at", of: (each) => each.ended_at }, { title: "reason", of: (each) => each.reason }, { title: "frozen", of: (each) => each.frozen }, { title: "fingerprint", of: (each) => each.fingerprint },
  ], items));
  useEffect(() => provide("Assessments", [
    { title: "Give an assessment away", keys: "n", unless: () => (may("evaluation:write") ? "" : "Needs scope evaluation:write"), run: () => setGiving(true) },
    { title: "CSV of these assessments", keys: "e", unless: () => (items.length ? "" : "there is none"), run: keep },
  ]), [asked.data, words]);
  return (
    <section className="panel" data-panel aria-label="Assessments">
      <header>
        <h2>Assessments</h2>
        <span className="label">{items.length} of {all.length}</span>
        <div className="end">
          <input className="filter" data-filter aria-label="Trader, tier or number" placeholder="Trader, tier, number" value={sought} onChange={(event) => setSought(event.target.value)} />
          <Select<State | ""> label="State" value={state ?? ""} onChange={(each) => setQuery({ state: each || null })} choices={[["", "all"], ...STATES.map((each) => [each, each] as const)]} />
          <button type="button" className="button" disabled={!may("evaluation:write")} onClick={() => setGiving(true)}>Give one away <kbd>n</kbd></button>
          <button type="button" className="button quiet" disabled={!items.length} onClick={keep}>CSV <kbd>e</kbd></button>
        </div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={10} waitsFor="Reading assessments" />}
      {asked.data && <Lines isAll items={items} empty={<Empty>{all.length ? "None fits the filter." : "Nobody has an assessment yet."}</Empty>} />}
      {isGiving && <Give onClose={() => setGiving(false)} onDone={asked.again} />}
    </section>
  );
}

function Give({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const tiers = useAsked("tiers", () => ok(api.GET("/api/tiers", { params: { query: { state: "published" } } })));
  const names = (tiers.data?.items ?? []).map(({ tier, title }) => [tier, title] as const);
  const [chosen, setTier] = useState("");
  const [user, setUser] = useState("");
  const tier = chosen || names[0]?.[0] || "";
  return (
    <Ask title="Give an assessment away" act="Give it" ready={tier !== "" && user.trim() !== ""} said="Its reference: the same one gives the same assessment, and no second one." onClose={onClose} onDone={onDone} send={(reference) => ok(api.POST("/api/assessments", { body: { tier, user: user.trim(), reference } }))}>
      <p>Nobody pays for it; its rules are those of the tier that is on sale now.</p>
      <Select label="Tier" value={tier} onChange={setTier} choices={names} />
      <Field label="Trader" value={user} maxLength={64} autoComplete="off" onChange={(event) => setUser(event.target.value)} />
    </Ask>
  );
}
