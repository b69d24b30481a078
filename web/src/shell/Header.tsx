import { memo } from "react";
import { money, percent } from "../kit/format";
import * as d from "../kit/decimal";
import { Ribbon } from "../kit/QualityBadge";
import { useKey, useStore } from "../kit/store";
import { limitsStore, marginStore } from "../live/refresh";
import { useAccount, useBalances } from "../live/stores";
import { Bell } from "../notices/Bell";
import { Clock, ConnectionChip } from "./Connection";
import { address } from "./routes";
import { screens } from "./screens";
import { accounts, choose, signOut, useAccountId, useSession, useWelcome } from "./session";
import { Mark } from "./icons";

export const Header = memo(function Header({ onPalette, onSettings, onKeys }: { onPalette: () => void; onSettings: () => void; onKeys: () => void }) {
  const who = useSession();
  const house = useWelcome();
  const account = useAccountId();
  const listed = useStore(accounts);
  return (
    <header className="header">
      <span className="house"><Mark /><span className="unseen">Fondaco</span></span>
      <span className="tenant" title={who ? `${who.caller}: ${who.roles.join(", ")}` : undefined}>{who?.tenant}</span>
      <select className="account" aria-label="Account" value={account} onChange={(event) => choose(event.target.value)}>
        {listed.map((each) => <option key={each.account_id} value={each.account_id}>{each.account_id} · {each.name}</option>)}
        {!listed.length && <option value="">no account</option>}
      </select>
      {house && <Ribbon environment={house.environment} speed={house.speed} />}
      {account && <AccountStrip account={account} />}
      <span className="end">
        <button type="button" className="button quiet" onClick={onPalette} aria-label="Find Ctrl K: go, find or do">Find <kbd>Ctrl K</kbd></button>
        <Bell />
        <ConnectionChip />
        <Clock />
        <button type="button" className="button quiet menu" popoverTarget="more" aria-label="More">⋯</button>
        <div id="more" popover="auto" className="menu-list">
          {screens.map((each) => <a key={each.path} className="to-screen" href={address(each.path, [], { account })} onClick={(event) => event.currentTarget.closest<HTMLElement>("[popover]")?.hidePopover()}>{each.title}</a>)}
          <button type="button" onClick={onSettings}>Settings</button>
          <button type="button" onClick={onKeys}>Keys <kbd>?</kbd></button>
          <a href="/docs">Operations of this house</a>
          <button type="button" onClick={() => void signOut()}>Sign out</button>
        </div>
      </span>
    </header>
  );
});

/** Cash, buying power, margin use, daily loss used: of the account in view, each with its unit. */
function AccountStrip({ account }: { account: string }) {
  const shown = useAccount(account);
  const balances = useBalances(account);
  const limits = useKey(limitsStore, account);
  const margin = useKey(marginStore, account);
  if (!shown) return <span className="strip label" aria-busy="true">Reading {account}</span>;
  const cash = balances.get(shown.currency);
  const loss = limits?.usage.find((line) => line.name === "daily_loss_max");
  return (
    <dl className="strip">
      <div><dt>Cash {shown.currency}</dt><dd>{money(cash?.balance)}</dd></div>
      {shown.account_type === "margin" ? (
        <>
          <div><dt title="What new orders may use, those that work counted at their worst">Free margin</dt><dd>{money(margin?.available)}</dd></div>
          <div><dt title="Maintenance requirement over equity; at 100 % it is liquidated">Margin use</dt><dd>{margin && margin.used_bps !== null ? percent({ units: BigInt(margin.used_bps), scale: 4 }) : money(null)}</dd></div>
        </>
      ) : (
        <div><dt>Buying power</dt><dd>{money(cash?.free)}</dd></div>
      )}
      {shown.equity && <div><dt>Equity</dt><dd>{money(shown.equity)}</dd></div>}
      {loss && <div><dt>Daily loss used</dt><dd>{d.isZero(loss.limit) ? money(loss.used) : percent(d.div(loss.used, loss.limit, 6))}</dd></div>}
    </dl>
  );
}
