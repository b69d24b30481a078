/** More of an assessment that one has: each is a purchase, with its price before anything is paid. */
import { useEffect, useState } from "react";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { provide } from "../shell/keys";
import { may, useSession } from "../shell/session";
import { Buy } from "./Buy";
import { FURTHER, FURTHER_WORDS, type Further, isTimed, whyNot } from "./further";
import type { Assessment } from "./standing";

export function More({ found }: { found: Assessment }) {
  const user = useSession()?.caller.split("/")[0] ?? "";
  const isMine = found.user === user && may("purchases:write");
  const [buying, setBuying] = useState<Further | null>(null);
  const asked = useAsked(isMine ? `terms of ${found.fingerprint}` : "", () => ok(api.GET("/api/tiers/{tier}", { params: { path: { tier: found.tier }, query: { version: found.version } } })));
  const sold = useAsked(isMine ? "tiers" : "", () => ok(api.GET("/api/tiers", { params: { query: { state: "published" } } })));
  const others = (sold.data?.items ?? []).filter(({ tier, currency }) => tier !== found.tier && currency === found.currency && currency === sold.data?.account_currency);
  const timed = asked.data ? isTimed(asked.data.item) : false;
  const why = (what: Further): string => whyNot(what, found, timed, others.length);
  useEffect(() => (isMine ? provide("More", FURTHER.map((what) => ({ title: `${FURTHER_WORDS[what].act}: what it costs`, unless: () => why(what), run: () => setBuying(what) }))) : undefined), [isMine, found.state, found.frozen, timed, others.length]);
  if (!isMine) return null;
  return (
    <section className="panel" data-panel aria-label="More of it">
      <header><h2>More of it</h2><span className="label">Each is a purchase; its price is shown before anything is paid.</span></header>
      <ul className="more">{FURTHER.map((what) => (
        <li key={what}>
          <div><b>{FURTHER_WORDS[what].act}</b><p>{FURTHER_WORDS[what].says}</p></div>
          {why(what) ? <span className="label">{why(what)}</span> : <button type="button" className="button" onClick={() => setBuying(what)}>See the price</button>}
        </li>
      ))}</ul>
      {buying && <Buy tier={buying === "upgrade" ? "" : found.tier} tiers={buying === "upgrade" ? others : undefined} title={found.tier} purpose={buying} assessment={found.assessment_id} onClose={() => setBuying(null)} />}
    </section>
  );
}
