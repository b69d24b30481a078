/** How one wants to hear of what: topics by ways, the browsers that get push, and when one wants to be left alone. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { Table } from "../kit/Table";
import { at, Outcome, Picks, useDoing } from "../access/parts";
import { accounts as all, may } from "../shell/session";
import { look } from "./bell";
import type { PageProps } from "./Notices";
import { isAble, leave, mine, type Standing, standing, tellHere } from "./push";
import { body, type Chosen, chosenOf, isUsual, kindWords, toggled, WAYS } from "./ways";

type Shown = Schemas["PreferencesShown"];

export default function Ways(_: PageProps) {
  const asked = useAsked("ways", () => ok(api.GET("/api/notifications/preferences")));
  return (
    <>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={8} waitsFor="Reading how you hear of things" />}
      {asked.data && <><Choose key={asked.at} shown={asked.data} again={asked.again} /><Browsers shown={asked.data} again={asked.again} /><Tests shown={asked.data} /></>}
    </>
  );
}

function Choose({ shown, again }: { shown: Shown; again: () => void }) {
  const [before] = useState(() => chosenOf(shown));
  const [chosen, setChosen] = useState<Chosen>(before);
  const listed = useStore(all);
  const { isBusy, problem, run } = useDoing();
  const isChanged = JSON.stringify(body(shown, chosen)) !== JSON.stringify(body(shown, before));
  const quiet = chosen.quiet;
  const save = (): void => void run(() => ok(api.PUT("/api/notifications/preferences", { body: body(shown, chosen) }))).then((isDone) => isDone && again());
  return (
    <section className="panel" data-panel aria-label="How you hear">
      <header>
        <h2>How you hear of what</h2>
        <span className="label lead">{shown.email ? `Mail goes to ${shown.email}${shown.mail === "folder" ? "; no mail server is configured, so it is kept in the house’s folder mail" : ""}.` : "No address of yours is known here, so nothing goes by mail."}</span>
        <div className="end">
          <button type="button" className="button quiet" disabled={!isChanged || isBusy} onClick={() => setChosen(before)}>Leave it</button>
          <button type="button" className="button main" disabled={!isChanged || isBusy} onClick={save}>{isBusy ? "Asking" : "Save"}</button>
        </div>
      </header>
      <Outcome problem={problem} />
      <table className="table matrix" aria-label="Topics and ways">
        <thead><tr><th scope="col">Topic</th>{WAYS.map(({ way, title }) => <th key={way} scope="col">{title}</th>)}<th scope="col"><span className="unseen">As usual</span></th></tr></thead>
        <tbody>{shown.topics.map((each) => (
          <tr key={each.topic}>
            <th scope="row"><span className="topic">{each.topic === "kyc" ? "KYC" : each.topic}</span><small>{each.kinds.map(kindWords).join(", ") || "nothing yet"}</small></th>
            {WAYS.map(({ way, title }) => <td key={way}><label className="tick"><input type="checkbox" aria-label={`${each.topic} by ${title}`} checked={chosen.ways[each.topic]?.includes(way) ?? false} onChange={() => setChosen(toggled(chosen, each.topic, way))} /></label></td>)}
            <td>{isUsual(each, chosen) ? <span className="label">usual</span> : <button type="button" className="link" onClick={() => setChosen({ ...chosen, ways: { ...chosen.ways, [each.topic]: each.usual } })}>As usual</button>}</td>
          </tr>
        ))}</tbody>
      </table>
      <div className="more">
        <fieldset className="picks">
          <legend className="label">Quiet hours</legend>
          <label className="check"><input type="checkbox" checked={quiet !== null} onChange={(event) => setChosen({ ...chosen, quiet: event.target.checked ? (before.quiet ?? { begins: "22:00", ends: "07:00", zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" }) : null })} />Hold what can wait</label>
          {quiet && <div className="quiet">
            <Field label="From" inputMode="numeric" maxLength={5} placeholder="22:00" value={quiet.begins} onChange={(event) => setChosen({ ...chosen, quiet: { ...quiet, begins: event.target.value } })} />
            <Field label="Until" inputMode="numeric" maxLength={5} placeholder="07:00" value={quiet.ends} onChange={(event) => setChosen({ ...chosen, quiet: { ...quiet, ends: event.target.value } })} />
            <Field label="By the clock of" value={quiet.zone} spellCheck={false} placeholder="Europe/Rome" onChange={(event) => setChosen({ ...chosen, quiet: { ...quiet, zone: event.target.value } })} />
          </div>}
          <p className="label">Security, margin, the kill switch and failing checks come at any hour.</p>
        </fieldset>
        <div>
          <label className="check"><input type="checkbox" checked={chosen.accounts === null} disabled={!listed.length} onChange={(event) => setChosen({ ...chosen, accounts: event.target.checked ? null : listed.slice(0, 1).map((each) => each.account_id) })} />Of every account that you may use</label>
          {chosen.accounts !== null && <Picks label="Of these accounts alone" all={[...new Set([...listed.map((each) => each.account_id), ...chosen.accounts])]} chosen={chosen.accounts} onChange={(some) => setChosen({ ...chosen, accounts: some })} said={chosen.accounts.length ? undefined : "Choose one at least, or all of them."} />}
        </div>
      </div>
    </section>
  );
}

const SAID: Record<Standing, string> = {
  unable: "This browser takes no push here: it needs https, or this machine itself.",
  denied: "You have told this browser not to show notices of this page. Its settings of this site change that.",
  off: "This browser is not told.",
  on: "This browser is told, even while this page is closed.",
};

function Browsers({ shown, again }: { shown: Shown; again: () => void }) {
  const [here, setHere] = useState<Standing | "">("");
  const { isBusy, problem, run } = useDoing();
  const known = shown.subscriptions;
  useEffect(() => {
    let isOver = false;
    standing(known).then((found) => { if (!isOver) setHere(found); }, () => { if (!isOver) setHere(isAble() ? "off" : "unable"); });
    return () => { isOver = true; };
  }, [known]);
  const act = (ask: () => Promise<void>): void => void run(ask).then(again);
  return (
    <section className="panel" data-panel aria-label="Browsers">
      <header>
        <h2>Browsers that are told by push</h2>
        <span className="label lead" role="status">{here && SAID[here]}</span>
        <div className="end"><button type="button" className="button" disabled={here !== "off" || isBusy} onClick={() => act(() => tellHere(shown.push_key))}>Tell this browser</button></div>
      </header>
      <Outcome problem={problem} />
      <Table label="Browsers" rows={known} rowKey={(each) => each.subscription_id} empty={<Empty>None. What is sent is sealed: whoever carries it cannot read it.</Empty>} columns={[
        { key: "host", title: "Carried by", cell: (each) => <>{each.host}{each.subscription_id === mine() && <> <span className="chip">this browser</span></>}<small className="mono">{each.subscription_id}</small></> },
        { key: "since", title: "Since", cell: (each) => at(each.created_at) },
        { key: "act", title: <span className="unseen">Actions</span>, cell: (each) => <span className="acts"><button type="button" className="button" disabled={isBusy} aria-label={`Tell ${each.subscription_id} no more`} onClick={() => act(() => leave(each.subscription_id))}>Tell it no more</button></span> },
      ]} />
    </section>
  );
}

function Tests({ shown }: { shown: Shown }) {
  const [said, setSaid] = useState("");
  const { isBusy, problem, run } = useDoing();
  const send = (way: "inbox" | "email" | "push" | "pager", title: string): void => void run(async () => {
    setSaid("");
    await ok(api.POST("/api/notifications/test", { body: { way } }));
    setSaid(`A test goes by ${title}; Deliveries says what came of it.`);
    if (way === "inbox") await look();
  });
  const needsPager = !shown.has_pager ? "This house has no pager" : may("house:write") ? undefined : "Needs scope house:write";
  return (
    <section className="panel" data-panel aria-label="Tests">
      <header><h2>Send yourself a test</h2><span className="label lead" role="status">{said}</span></header>
      <Outcome problem={problem} />
      <div className="row pad">
        {WAYS.map(({ way, title }) => {
          const why = way === "email" && !shown.email ? "No address of yours is known" : way === "push" && !shown.subscriptions.length ? "No browser of yours is told" : undefined;
          return <button key={way} type="button" className="button" disabled={isBusy || Boolean(why)} title={why} onClick={() => send(way, title.toLowerCase())}>{title}</button>;
        })}
        <button type="button" className="button" disabled={isBusy || Boolean(needsPager)} title={needsPager} onClick={() => send("pager", "pager")}>Pager</button>
      </div>
    </section>
  );
}
