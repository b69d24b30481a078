/** What it would cost, then the provider's own page: a card's number never comes here. */
import { useEffect, useState } from "react";
import { Outcome, useDoing } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Field, Select } from "../kit/Field";
import { money } from "../kit/format";
import { ErrorPanel, Loading } from "../kit/states";
import { FURTHER_WORDS } from "./further";
import { PURPOSES } from "./purchases";
import { sum, type Tier } from "./tiers";

interface BuyProps {
  tier: string;
  /** Where it is to be chosen among some. */
  tiers?: readonly Tier[];
  title: string;
  purpose?: "assessment" | "reset" | "extension" | "upgrade";
  assessment?: string;
  onClose: () => void;
}

const REST_MS = 400;
const isCode = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(text);

export function Buy({ tier: given, tiers, title, purpose = "assessment", assessment = "", onClose }: BuyProps) {
  const [chosen, setChosen] = useState(tiers?.[0]?.tier ?? "");
  const tier = tiers ? chosen : given;
  const [coupon, setCoupon] = useState("");
  const [country, setCountry] = useState("");
  const [terms, setTerms] = useState({ coupon: "", country: "" });
  useEffect(() => {
    const timer = setTimeout(() => setTerms({ coupon: isCode(coupon) ? coupon : "", country: /^[A-Z]{2}$/.test(country) ? country : "" }), REST_MS);
    return () => clearTimeout(timer);
  }, [coupon, country]);
  const ask = { tier, purpose, assessment_id: assessment, ...(terms.coupon && { coupon: terms.coupon }), ...(terms.country && { country: terms.country }) };
  const asked = useAsked(`offer ${JSON.stringify(ask)}`, () => ok(api.GET("/api/purchases/offer", { params: { query: ask } })));
  const { isBusy, problem, run } = useDoing();
  const offer = asked.data;
  const isRead = terms.coupon === coupon && terms.country === country;
  const buy = (): void => void run(async () => {
    const bought = await ok(api.POST("/api/purchases", { body: { ...ask, coupon: terms.coupon || null, country: terms.country || null, affiliate: null } }));
    if (bought.checkout_url) location.assign(bought.checkout_url);
    else location.hash = `#/prop/bought/${bought.purchase_id}`;
  });
  return (
    <Dialog title={purpose === "assessment" ? `Buy ${title}` : `${FURTHER_WORDS[purpose].act}: ${title}`} open onClose={onClose} footer={<>
      <button type="button" className="button quiet" onClick={onClose}>Leave it</button>
      <button type="button" className="button main" disabled={!offer || !isRead || isBusy || asked.problem !== null} onClick={buy}>{isBusy ? "Opening the provider’s page" : offer ? `Pay ${offer.currency} ${money(offer.total)} at the provider` : "Working out"}</button>
    </>}>
      <div className="ask">
        <p>You buy {PURPOSES[purpose]}. {purpose === "assessment" ? "Its rules stay as they are for you, whatever is sold later." : FURTHER_WORDS[purpose].says}</p>
        {tiers && <Select label="Tier" value={chosen} onChange={setChosen} choices={tiers.map((each) => [each.tier, `${each.title}, ${sum(each.currency, each.fee)}`] as const)} />}
        <div className="two">
          <Field label="Coupon" value={coupon} maxLength={32} autoComplete="off" onChange={(event) => setCoupon(event.target.value.trim().toUpperCase())} wrong={coupon && !isCode(coupon) ? "Letters, digits, - and _" : null} />
          <Field label="Country, for tax" value={country} maxLength={2} placeholder="DE" autoComplete="country" onChange={(event) => setCountry(event.target.value.trim().toUpperCase())} said="Two letters" />
        </div>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!offer && !asked.problem && <Loading rows={2} waitsFor="Working out the price" />}
        {offer && (
          <table className="costs" aria-label="What it costs">
            <tbody>{offer.lines.map((each, nth) => <tr key={nth}><th scope="row">{each.text}</th><td className="num">{money(each.amount)}</td></tr>)}</tbody>
            <tfoot><tr><th scope="row">To pay, {offer.currency}</th><td className="num"><b>{money(offer.total)}</b></td></tr></tfoot>
          </table>
        )}
        <p className="label">You pay on the provider’s page and come back here. This house never sees a card’s number.</p>
        <Outcome problem={problem} />
      </div>
    </Dialog>
  );
}
