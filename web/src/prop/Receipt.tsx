/** What was bought, as it is kept by whoever paid: it is printed as it stands here. */
import { dayTime, money } from "../kit/format";
import { isSettled, type Purchase, purchaseState, PURPOSES } from "./purchases";

export function Receipt({ found }: { found: Purchase }) {
  const isPaid = isSettled(found) && found.state !== "expired";
  const { shape, word } = purchaseState(found.state);
  return (
    <article className="receipt" aria-label={isPaid ? "Receipt" : "What was ordered"}>
      <header><h2>{isPaid ? "Receipt" : "What was ordered"}</h2><span className={`status ${shape}`}><span>{word}</span></span></header>
      <dl>
        <dt>Number</dt><dd className="mono">{found.purchase_id}</dd>
        <dt>Begun</dt><dd>{dayTime(found.opened_at, "s", "UTC")} UTC</dd>
        {found.completed_at && <><dt>Paid</dt><dd>{dayTime(found.completed_at, "s", "UTC")} UTC, through {found.provider || "no provider: it cost nothing"}</dd></>}
        <dt>Buyer</dt><dd>{found.user}{found.country && `, taxed in ${found.country}`}</dd>
        <dt>For</dt><dd>{found.title}, {PURPOSES[found.purpose]}{found.assessment_id && <>: <span className="mono">{found.assessment_id}</span></>}</dd>
        <dt>Terms</dt><dd>version {found.version}, <span className="mono">{found.fingerprint}</span></dd>
        {found.coupon && <><dt>Coupon</dt><dd className="mono">{found.coupon}</dd></>}
      </dl>
      <table className="costs" aria-label="Lines of the receipt">
        <thead><tr><th scope="col">What</th><th scope="col" className="num">{found.currency}</th></tr></thead>
        <tbody>
          {found.lines.map((each, nth) => <tr key={nth}><th scope="row">{each.text}</th><td className="num">{money(each.amount)}</td></tr>)}
        </tbody>
        <tfoot>
          <tr><th scope="row">{isPaid ? "Paid" : "To pay"}, {found.currency}</th><td className="num"><b>{money(found.total)}</b></td></tr>
          {Number(found.tax) > 0 && <tr className="of"><th scope="row">of it tax</th><td className="num">{money(found.tax)}</td></tr>}
          {found.refunds.filter(({ state }) => state === "done").map((each) => <tr key={each.refund_id}><th scope="row">Given back: {each.reason}</th><td className="num">{money(`-${each.amount}`)}</td></tr>)}
        </tfoot>
      </table>
    </article>
  );
}
