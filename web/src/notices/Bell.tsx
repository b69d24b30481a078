/** The bell of the header: how much is unread, and the latest of it, each leading to what it is about. */
import { type ToggleEvent, useEffect, useState } from "react";
import { dayTime } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { address } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { BELL, keepLooking, type Line, look, see, told } from "./bell";
import { leadsTo } from "./leads";
import "./bell.css";

const MOST = 99;

export function Bell() {
  const { items, unseen, problem, at } = useStore(told);
  const account = useAccountId();
  const [isOpen, setOpen] = useState(false);
  useEffect(keepLooking, []);
  const close = (): void => document.getElementById(BELL)?.hidePopover();
  const onToggle = (event: ToggleEvent<HTMLElement>): void => {
    const opens = event.newState === "open";
    setOpen(opens);
    const newest = told.get().items[0];
    if (opens) void look();
    else if (newest && !newest.is_seen) void see(newest.number);
  };
  return (
    <>
      <button type="button" className="button quiet bell" popoverTarget={BELL} aria-expanded={isOpen} aria-label={unseen ? `Notices, ${unseen} unread` : "Notices, none unread"} title="Notices (Shift+N)">
        <svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="square" aria-hidden="true"><path d="M5 14V9a5 5 0 0 1 10 0v5l1 1H4zM9 17h2" /></svg>
        {unseen > 0 && <span className="unread" aria-hidden="true">{unseen > MOST ? `${MOST}+` : unseen}</span>}
      </button>
      <section id={BELL} popover="auto" className="bell-list" aria-label="Latest notices" onToggle={onToggle}>
        <header><h2>Notices</h2><span className="label">{unseen ? `${unseen} unread` : "none unread"}</span><kbd>Shift+N</kbd></header>
        {problem && problem.status === 403 && <p className="state">{problem.message}</p>}
        {problem && problem.status !== 403 && <ErrorPanel problem={problem} retry={() => void look()} />}
        {!problem && !at && <Loading rows={3} waitsFor="Reading what you were told" />}
        {!problem && at > 0 && items.length === 0 && <Empty>You were told of nothing in the last 30 days.</Empty>}
        <ul>{items.map((each) => <Told key={each.number} line={each} account={account} onGo={close} />)}</ul>
        <footer>
          <a href={address("notices", [], { account })} onClick={close}>All notices</a>
          <a href={address("notices", ["ways"], { account })} onClick={close}>How you hear of them</a>
        </footer>
      </section>
    </>
  );
}

function Told({ line, account, onGo }: { line: Line; account: string; onGo: () => void }) {
  const there = leadsTo(line, account);
  const said = <><b>{line.subject}</b><small>{dayTime(BigInt(line.at), "s")} · {line.topic}{line.is_seen ? "" : " · unread"}</small></>;
  return <li className={line.is_seen ? "" : "new"}>{there ? <a href={there} onClick={onGo}>{said}</a> : <span>{said}</span>}</li>;
}
