/** Limits of the house or of one account: what holds, what is used, what would hold; tried before it is set. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import * as d from "../kit/decimal";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { number } from "../kit/format";
import { ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { setQuery, useRoute } from "../shell/routes";
import { accounts, may, useInstruments } from "../shell/session";
import { type Draft, drafted, fieldOf, isSame, meant, PER_SYMBOL, TERMS } from "./drafting";

type Change = Schemas["LimitChange"];
/** What is left out is off, which the house knows. */
type Whole = Schemas["LimitsBody"];
const HOUSE = "the house";
const TRY_MS = 250;
const UNITS = { money: "", count: "orders", bps: "bps", ms: "ms" } as const;

export function Limits() {
  const own = useStore(accounts);
  const of = useRoute().query.of ?? HOUSE;
  const account_id = of === HOUSE ? null : of;
  // Asked once: a form that is being filled in is never read again behind it.
  const asked = useAsked(`limits ${of}`, () => ok(api.POST("/api/risk/limits/preview", { body: { limits: null, account_id } })));
  return (
    <section className="panel limits" data-panel aria-label="Limits">
      <header>
        <h2>Limits of</h2>
        <Select label="Whose" value={of} choices={[[HOUSE, "the house, for all accounts without their own"], ...own.map((each) => [each.account_id, `account ${each.account_id}`] as const)]} onChange={(value) => setQuery({ of: value === HOUSE ? null : value })} />
        {asked.data && account_id && <span className="label">{asked.data.own ? "has limits of its own" : "follows the house"}</span>}
      </header>
      <div className="body">
        {asked.data ? <Form key={`${of} ${asked.at}`} account_id={account_id} now={asked.data} again={asked.again} /> : asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={12} waitsFor="Reading limits" />}
      </div>
    </section>
  );
}

function Form({ account_id, now, again }: { account_id: string | null; now: Schemas["PreviewLimitsReply"]; again: () => void }) {
  const listed = useInstruments();
  const begun = drafted(now.now);
  const [draft, setDraft] = useState<Draft>(begun);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [settled, setSettled] = useState(draft);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(draft), TRY_MS);
    return () => clearTimeout(timer);
  }, [draft]);
  const changed = !isSame(begun, draft);
  const found = meant(settled, now.now);
  const said = "limits" in found ? JSON.stringify(found.limits) : "";
  const tried = useAsked(said && `try ${account_id} ${said}`, () => ok(api.POST("/api/risk/limits/preview", { body: { limits: (found as { limits: Whole }).limits, account_id } })));
  const changes = tried.data?.changes ?? now.changes;
  const line = (name: string, about = ""): Change | undefined => changes.find((each) => each.name === name && (each.about ?? "") === about);
  const wrong = "field" in found ? found : null;
  const scope = account_id ? "limits:write" : "house:write";
  const classes = [...new Set([...listed.map((one) => one.asset_class), ...Object.keys(now.now.class_concentration_max_bps ?? {})])].sort();
  const exceeding = tried.data?.exceeding ?? [];

  const set = async (): Promise<void> => {
    const last = meant(draft, now.now);
    if (!("limits" in last)) return;
    setProblem(null);
    try {
      if (account_id) await ok(api.PUT("/api/accounts/{account_id}/limits", { params: { path: { account_id } }, body: { limits: last.limits as Whole, reason } }));
      else await ok(api.PUT("/api/risk/limits", { body: { limits: last.limits as Whole, reason } }));
      again();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
  };
  const row = (field: string, title: string, unit: string, says: string, change: Change | undefined): React.ReactNode => (
    <tr key={field} className={change?.exceeded ? "over" : undefined}>
      <th scope="row">{title} <span className="label">{says}</span></th>
      <td className="num">{change?.used ? number(change.used) : <span className="dim">–</span>}</td>
      <td className="use">{change?.used && change.after && <Bar used={change.used} limit={change.after} />}</td>
      <td className="num">{change?.before ? number(change.before) : <span className="dim">{begun[field] ? number(begun[field] as string) : "off"}</span>}</td>
      <td className="new">
        <span className="in"><input aria-label={`New ${title}`} inputMode="decimal" value={draft[field] ?? ""} placeholder="off" aria-invalid={wrong?.field === field || undefined} data-changed={(draft[field] ?? "") !== (begun[field] ?? "") || undefined} onChange={(event) => setDraft({ ...draft, [field]: event.target.value })} /></span>
      </td>
      <td className="label">{unit}</td>
      <td>{wrong?.field === field ? <span className="wrong">{wrong.wrong}</span> : change?.exceeded ? <span className="chip warn">! in use is above it</span> : null}</td>
    </tr>
  );
  return (
    <>
      <div className="scroll">
        <table className="table">
          <thead><tr><th scope="col">Limit</th><th scope="col" className="num">Used now</th><th scope="col" className="use"><span className="unseen">Share</span></th><th scope="col" className="num">In force</th><th scope="col">New</th><th scope="col">Unit</th><th scope="col"><span className="unseen">Says</span></th></tr></thead>
          <tbody>
            {TERMS.map((term) => row(term.name, term.title, term.kind === "money" ? (line(term.name)?.unit ?? "USD") : UNITS[term.kind], term.says, line(term.name)))}
            {classes.map((name) => row(fieldOf("class_concentration_max_bps", name), `In ${name}`, "bps", "of equity", line("class_concentration_max_bps", name)))}
            {PER_SYMBOL.flatMap((each) => listed.map((one) => row(fieldOf(each.name, one.symbol), `${each.title}, ${one.symbol}`, one.base, "", line(each.name, one.symbol))))}
          </tbody>
        </table>
      </div>
      <div className="limits-end">
        <p className="numbers-first" role="status">
          {!changed ? "Change a number to see what it would do. Nothing is set before the button." : tried.problem ? tried.problem.message : exceeding.length ? <><b>{exceeding.length} of {tried.data?.accounts} {tried.data?.accounts === 1 ? "account" : "accounts in memory"} would be over:</b> {exceeding.slice(0, 3).map((each) => `${each.account_id} (${each.exceeded.join(", ")})`).join("; ")}. There only orders that reduce would pass.</> : tried.data ? `Nothing in use is above it: ${tried.data.accounts} ${tried.data.accounts === 1 ? "account" : "accounts in memory"} looked at.` : "Trying."}
        </p>
        {problem && <ErrorPanel problem={problem} />}
        <div className="inline">
          <Field label="Reason, kept in the journal" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} autoComplete="off" />
          <button type="button" className="button" disabled={!changed} onClick={() => setDraft(begun)}>Take back</button>
          <button type="button" className="button main" disabled={!changed || !!wrong || reason.trim().length < 3 || !may(scope)} onClick={() => void set()}>{account_id ? `Set limits of ${account_id}` : "Set limits of the house"}</button>
        </div>
        {!may(scope) && <p className="label">Needs scope {scope}.</p>}
      </div>
    </>
  );
}

function Bar({ used, limit }: { used: string; limit: string }) {
  const share = d.sign(limit) > 0 ? Math.min(1, Math.max(0, d.toFloat(d.div(used, limit, 4)))) : 1;
  return <span className="bar" aria-hidden="true"><i style={{ inlineSize: `${share * 100}%` }} /></span>;
}
