/** An account as its own stream tells it at a position; and what is otherwise at another. */
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, number, zoneName } from "../kit/format";
import { Num } from "../kit/Num";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { StatusChip } from "../kit/StatusChip";
import { address, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { type AsOf, changes } from "./difference";

const read = (account_id: string, as_of: number): Promise<AsOf> => ok(api.GET("/api/accounts/{account_id}/as-of/{as_of}", { params: { path: { account_id, as_of } } }));

export function StatePanel({ at, vs, past }: { at: number; vs: number | null; past: boolean }) {
  const account = useAccountId();
  const asked = useAsked(account && at ? `as of ${account} ${at}` : "", () => read(account, at));
  const other = useAsked(account && vs !== null && vs !== at ? `as of ${account} ${vs}` : "", () => read(account, vs as number));
  if (!account) return <Empty>This key has no account to look at.</Empty>;
  if (!asked.data) return asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={6} waitsFor={`Replaying ${account} up to position ${number(String(at))}`} />;
  const found = asked.data;
  return (
    <div className="detail">
      <h2>{account} as of position {number(String(at))}</h2>
      <p className="label">
        {found.at && <>{dayTime(found.at, "ms")} {zoneName()}. </>}Its last entry before that is version {number(String(found.version))}, {dayTime(found.changed_at, "ms")}. Known at now. {past ? "" : "This moves with the journal. "}Prices are tape and not shown.
      </p>
      <div className="row">
        <button type="button" className="button" onClick={() => setQuery({ vs: vs === at ? null : String(at), tab: "state" })}>{vs === at ? "Not this one" : "Compare from here"} <kbd>d</kbd></button>
        {vs !== null && vs !== at && <button type="button" className="button quiet" onClick={() => setQuery({ vs: null })}>Stop comparing</button>}
        <button type="button" className="button quiet" onClick={() => void navigator.clipboard.writeText(`fondaco replay --until ${at} --stream account/${account}`)}>Copy replay command</button>
      </div>
      {vs === at && <p className="label" role="status">Marked. Move the slider to compare.</p>}
      {vs !== null && vs !== at && (other.data ? <Difference early={vs < at ? other.data : found} late={vs < at ? found : other.data} /> : other.problem ? <ErrorPanel problem={other.problem} /> : <Loading rows={3} waitsFor="Replaying the other position" />)}
      <State found={found} />
    </div>
  );
}

function Difference({ early, late }: { early: AsOf; late: AsOf }) {
  const lines = changes(early, late);
  return (
    <section aria-label="Difference">
      <h3 className="label">Otherwise between {number(String(early.position))} and {number(String(late.position))}</h3>
      {!lines.length ? <p>Nothing: cash, positions and orders are the same.</p> : (
        <div className="wide" tabIndex={0} role="region" aria-label="Table"><table className="checks">
          <thead><tr><th scope="col">What</th><th scope="col" className="num">{number(String(early.position))}</th><th scope="col" className="num">{number(String(late.position))}</th><th scope="col" className="num">Change</th></tr></thead>
          <tbody>{lines.map((line) => <tr key={line.what}><th scope="row">{line.what}</th><td className="num"><Cell value={line.before} /></td><td className="num"><Cell value={line.after} /></td><td className="num">{line.by !== null && <Num value={line.by} signed />}</td></tr>)}</tbody>
        </table></div>
      )}
    </section>
  );
}

function Cell({ value }: { value: string | null }) {
  if (value === null) return <span className="dim">not there</span>;
  return /^-?\d/.test(value) ? <Num value={value} /> : <>{value}</>;
}

function State({ found }: { found: AsOf }) {
  return (
    <>
      <h3 className="label">Balances</h3>
      <div className="wide" tabIndex={0} role="region" aria-label="Table"><table className="checks">
        <thead><tr><th scope="col">Asset</th><th scope="col" className="num">Balance</th><th scope="col" className="num">Held</th><th scope="col" className="num">Free</th></tr></thead>
        <tbody>{found.balances.map((each) => <tr key={each.asset}><th scope="row">{each.asset}</th><td className="num"><Num value={each.balance} /></td><td className="num"><Num value={each.held} /></td><td className="num"><Num value={each.free} /></td></tr>)}</tbody>
      </table></div>
      {found.positions.length > 0 && (
        <>
          <h3 className="label">Positions</h3>
          <div className="wide" tabIndex={0} role="region" aria-label="Table"><table className="checks">
            <thead><tr><th scope="col">Instrument</th><th scope="col" className="num">Quantity</th><th scope="col" className="num">Cost</th></tr></thead>
            <tbody>{found.positions.map((each) => <tr key={each.symbol}><th scope="row">{each.symbol}</th><td className="num"><Num value={each.qty} signed /></td><td className="num"><Num value={each.cost} /></td></tr>)}</tbody>
          </table></div>
        </>
      )}
      <h3 className="label">Working orders, {number(String(found.orders.length))} of {number(String(found.order_count))} ever</h3>
      {!found.orders.length ? <p className="dim">None worked then.</p> : (
        <div className="wide" tabIndex={0} role="region" aria-label="Table"><table className="checks">
          <thead><tr><th scope="col">Order</th><th scope="col">Side</th><th scope="col">Instrument</th><th scope="col" className="num">Left</th><th scope="col" className="num">Price</th><th scope="col">State</th></tr></thead>
          <tbody>{found.orders.map((each) => <tr key={each.order_id}><th scope="row"><a href={address("order", [each.order_id], { account: found.account_id })}>{each.order_id}</a></th><td>{each.side === "sell" ? "Sell" : "Buy"}</td><td>{each.symbol}</td><td className="num"><Num value={each.leaves_qty} /></td><td className="num"><Num value={each.price} /></td><td><StatusChip status={each.ord_status} /></td></tr>)}</tbody>
        </table></div>
      )}
      {found.trading_state !== "active" && <p><span className="chip warn">! {found.trading_state.toUpperCase()}</span> then.</p>}
    </>
  );
}
