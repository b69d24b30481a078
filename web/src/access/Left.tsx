/** The orders that go on working when somebody can come in no more. Shutting somebody out cancels nothing. */
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { number } from "../kit/format";
import { Num } from "../kit/Num";
import { ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address } from "../shell/routes";
import { may } from "../shell/session";
import { leftBy, type LeftWorking, WORKING } from "./left";

const MOST = 1_000;
const EVERY_MS = 5_000;
type Order = Schemas["WorkingOrder"];

/** Who looks after people need not see orders: the house tells them which work, and nothing of prices. */
async function read(user: string): Promise<LeftWorking> {
  if (may("house:write")) return ok(api.GET("/api/users/{user}/left-working", { params: { path: { user } } }));
  const orders = ok(api.GET("/api/orders", { params: { query: { ord_status: WORKING, limit: MOST } } }));
  const assessments = may("evaluation:read") ? ok(api.GET("/api/assessments", { params: { query: { limit: MOST } } })) : { items: [] };
  const [working, all] = await Promise.all([orders, assessments]);
  const of = (isTheirs: boolean): Set<string> => new Set(all.items.filter((each) => (each.user === user) === isTheirs).map(({ account_id }) => account_id));
  return leftBy(working.items, of(true), of(false));
}

export function Left({ user }: { user: string }) {
  const mayRead = may("house:write") || may("orders:read");
  const asked = useAsked(mayRead ? `left by ${user}` : "", () => read(user), EVERY_MS);
  const found = asked.data;
  if (!mayRead) return <p className="label">Orders that work go on. To see them here takes the scope orders:read.</p>;
  return (
    <section className="left-open" aria-label="Orders that go on working">
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!found && !asked.problem && <Loading rows={2} waitsFor="Looking which orders work" />}
      {found && found.theirs.length > 0 && <>
        <p><span className="chip warn">△ {number(String(found.theirs.length))} {found.theirs.length === 1 ? "order goes" : "orders go"} on working</span> on accounts that are {user}’s alone. Cancel there what is not to be filled.</p>
        <Table<Order> label={`Working orders of ${user}`} rows={found.theirs} rowKey={(each) => each.order_id} columns={[
          { key: "account", title: "Account", cell: (each) => <a className="mono" href={address("trade", [], { account: each.account_id, symbol: each.symbol })}>{each.account_id}</a> },
          { key: "what", title: "Order", cell: (each) => <span><b>{each.side === "buy" ? "Buy" : "Sell"}</b> {each.symbol}, {each.ord_type.replaceAll("_", " ")}</span> },
          { key: "left", title: "Left", num: true, cell: (each) => <Num value={each.leaves_qty} /> },
        ]} />
      </>}
      {found && !found.theirs.length && <p>No order works on an account that is {user}’s alone.</p>}
      {found && found.shared > 0 && <p className="label">{found.shared >= MOST ? "At least " : ""}{number(String(found.shared))} {found.shared === 1 ? "order works" : "orders work"} on accounts that others trade on, too; whoever placed them, they go on.</p>}
    </section>
  );
}
