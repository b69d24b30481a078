/** Where one is paid: an account at the payment provider, said here by its owner and seen by them alone. */
import { useEffect, useState } from "react";
import { Ask, at } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { Num } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address } from "../shell/routes";
import { may } from "../shell/session";
import { LOOKS } from "./Paid";
import { masked, mayChange } from "./destination";

const EVERY_MS = 10_000;

export default function Destination() {
  const asked = useAsked("destination", () => ok(api.GET("/api/payouts/destination")));
  const [isShown, setShown] = useState(false);
  const [isChanging, setChanging] = useState(false);
  const found = asked.data;
  const has = Boolean(found?.destination);
  const no = may("purchases:write") ? "" : "Needs scope purchases:write";
  useEffect(() => provide("Where you are paid", [
    { title: has ? "Change where you are paid" : "Say where you are paid", keys: "n", unless: () => no, run: () => setChanging(true) },
    { title: isShown ? "Hide where you are paid" : "Show where you are paid", unless: () => (has ? "" : "you have said nothing yet"), run: () => setShown(!isShown) },
  ]), [has, no, isShown]);
  return (
    <>
      <section className="panel" data-panel aria-label="Where you are paid">
        <header>
          <h2>Where you are paid</h2><span className="label lead">You alone see it; it is kept sealed under your own key, and forgotten with you.</span>
          <div className="end"><button type="button" className="button main" disabled={!found || Boolean(no)} title={no || undefined} onClick={() => setChanging(true)}>{has ? "Change it" : "Say where"} <kbd>n</kbd></button></div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!found && !asked.problem && <Loading rows={3} waitsFor="Asking where you are paid" />}
        {found && !has && <Empty>You have not said where you are paid: a payout cannot reach you.</Empty>}
        {found && has && (
          <dl className="facts-of one">
            <div><dt>Account</dt><dd><span className="mono">{isShown ? found.destination : masked(found.destination)}</span> <button type="button" className="button quiet" aria-pressed={isShown} onClick={() => setShown(!isShown)}>{isShown ? "Hide" : "Show"}</button></dd></div>
            <div><dt>Provider</dt><dd>{found.provider}</dd></div>
            <div><dt>Said</dt><dd>{at(found.changed_at)}</dd></div>
          </dl>
        )}
      </section>
      <Mine />
      {isChanging && found && <Change provider={found.provider} before={found.destination} onClose={() => setChanging(false)} onDone={() => { setShown(false); asked.again(); }} />}
    </>
  );
}

function Change({ provider, before, onClose, onDone }: { provider: string; before: string; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState("");
  const wrong = text ? mayChange(text, before, provider) : "";
  return (
    <Ask title={before ? "Change where you are paid" : "Say where you are paid"} act={before ? "Be paid there from now on" : "Be paid there"} reasoned={false} ready={Boolean(text.trim()) && !wrong} onClose={onClose} onDone={onDone}
      send={() => ok(api.PUT("/api/payouts/destination", { body: { destination: text.trim() } }))}>
      <p>Payouts that are agreed to from now on go there, at once; one that has begun stays where it was begun to go. You are told of the change, so that nobody changes it behind your back.</p>
      <Field label="Your account at the provider" className="mono" value={text} maxLength={100} autoComplete="off" spellCheck={false} placeholder="acct_1A2b3C4d5E6f7G" onChange={(event) => setText(event.target.value)} said="At Stripe: your connected account. Never a card, and no bank account’s number: those the provider asks you for itself." wrong={wrong || null} />
    </Ask>
  );
}

/** What was ordered at the provider, to oneself. */
function Mine() {
  const asked = useAsked("paid to me at the provider", () => ok(api.GET("/api/payouts", { params: { query: { limit: 500 } } })), EVERY_MS);
  return (
    <section className="panel" data-panel aria-label="Payouts">
      <header><h2>Payouts</h2><span className="label lead">What was agreed to, the newest first.</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={3} waitsFor="Reading payouts" />}
      {asked.data && <Table label="Payouts" rows={asked.data.items} rowKey={(each) => each.payout_id} empty={<Empty>Nothing was paid out yet.</Empty>} columns={[
        { key: "what", title: "Of", cell: (each) => <a className="mono" href={address("prop", ["now", each.assessment_id])}>{each.assessment_id}</a> },
        { key: "state", title: "State", cell: (each) => <><span className={`status ${LOOKS[each.state]?.shape ?? "working"}`}><span>{LOOKS[each.state]?.word ?? each.state}</span></span>{each.reason && <small>{each.reason}</small>}</> },
        { key: "amount", title: "Amount", num: true, cell: (each) => <span><Num value={each.amount} /> {each.currency}</span>, sort: (each) => Number(each.amount) },
        { key: "reference", title: "The provider’s number", cell: (each) => <span className="mono">{each.reference || <span className="dim">–</span>}</span> },
      ]} />}
    </section>
  );
}
