/** Where the provider's page leads back to: it waits for the provider's own word, and goes on by itself. */
import { useEffect, useState } from "react";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, ms } from "../kit/format";
import { ErrorPanel, Loading } from "../kit/states";
import { houseNow } from "../live/stores";
import { provide } from "../shell/keys";
import { address, go } from "../shell/routes";
import type { PageProps } from "./Prop";
import { back, isSettled } from "./purchases";
import { Receipt } from "./Receipt";

const EVERY_MS = 1_000;
const REST_MS = 1_500;
const JUST_MS = 120_000;

export default function Bought({ route }: PageProps) {
  const id = route.parts[1] ?? "";
  const [isDone, setDone] = useState(false);
  const asked = useAsked(id && `purchase ${id} ${isDone}`, () => ok(api.GET("/api/purchases/{purchase_id}", { params: { path: { purchase_id: id } } })), isDone ? 0 : EVERY_MS);
  const found = asked.data;
  const isReceipt = route.query.receipt === "1";
  const isJust = found !== null && found.completed_at !== "" && houseNow() - ms(found.completed_at) < JUST_MS;
  const isPaid = found?.state === "completed";
  const assessment = isPaid ? found.assessment_id : null;
  useEffect(() => {
    if (found && isSettled(found) && (!isPaid || assessment)) setDone(true);
  }, [found, isPaid, assessment]);
  useEffect(() => {
    // Who looks an old one up wants to read it.
    if (!assessment || isReceipt || !isJust) return undefined;
    const timer = setTimeout(() => go(address("prop", ["now", assessment])), REST_MS);
    return () => clearTimeout(timer);
  }, [assessment, isReceipt, isJust]);
  useEffect(() => provide("Purchase", [{ title: "Print the receipt", keys: "r", unless: () => (found && isSettled(found) ? "" : "it is not paid"), run: () => window.print() }]), [found]);
  return (
    <section className="panel" data-panel aria-label="Purchase">
      <header><h2>Purchase</h2><span className="label mono">{id}</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!found && !asked.problem && <Loading rows={4} waitsFor="Asking for the purchase" />}
      {found && <Shown found={found} left={route.query.left === "1"} isJust={isJust && !isReceipt} />}
    </section>
  );
}

function Shown({ found, left, isJust }: { found: Parameters<typeof back>[0]; left: boolean; isJust: boolean }) {
  const { title, next } = back(found, left, isJust);
  return (
    <div className="bought">
      <div aria-live="polite"><h1>{title}</h1><p>{next}</p></div>
      <div className="row unprinted">
        {found.checkout_url && <a className="button" href={found.checkout_url}>{left ? "To the provider’s page" : "Not paid yet? To the provider’s page"}</a>}
        {found.state === "completed" && <a className="button main" href={address("prop", found.assessment_id ? ["now", found.assessment_id] : ["now"])}>To the assessment</a>}
        {found.state === "expired" && <a className="button" href={address("prop", ["shop"])}>To the shop</a>}
        {isSettled(found) && found.state !== "expired" && <button type="button" className="button" onClick={() => window.print()}>Print <kbd>r</kbd></button>}
      </div>
      <Receipt found={found} />
      {found.completed_at && <p className="label">The provider confirmed it at {dayTime(found.completed_at)}.</p>}
    </div>
  );
}
