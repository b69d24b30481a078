/** What one was told in the last 30 days, newest first. */
import { useState } from "react";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, number, zoneName } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { Outcome, useDoing } from "../access/parts";
import { address } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { type Line, see, told } from "./bell";
import { leadsTo } from "./leads";
import type { PageProps } from "./Notices";

const EVERY_MS = 30_000;

export default function Inbox(_: PageProps) {
  const account = useAccountId();
  const bell = useStore(told);
  const newest = bell.items[0]?.number ?? 0;
  const asked = useAsked(`inbox ${newest}`, () => ok(api.GET("/api/notifications", { params: { query: { limit: 50 } } })), EVERY_MS);
  const [older, setOlder] = useState<{ lines: readonly Line[]; next: number }>({ lines: [], next: 0 });
  const { isBusy, problem, run } = useDoing();
  const first = asked.data?.items ?? [];
  const lines = [...first, ...older.lines.filter((each) => !first.some((other) => other.number === each.number))];
  const next = older.lines.length ? older.next : (asked.data?.next ?? 0);
  const unseen = asked.data?.unseen ?? 0;
  const all = (): void => void run(() => see(first[0]?.number ?? 0)).then(asked.again);
  const more = (): void => void run(async () => {
    const found = await ok(api.GET("/api/notifications", { params: { query: { limit: 50, before: next } } }));
    setOlder({ lines: [...older.lines, ...found.items], next: found.next });
  });
  return (
    <section className="panel" data-panel aria-label="Inbox">
      <header>
        <h2>Inbox</h2>
        <span className="label lead">{asked.data ? `${number(String(unseen))} unread; kept for 30 days. Times are ${zoneName()}.` : ""}</span>
        <div className="end"><button type="button" className="button" disabled={!unseen || isBusy} onClick={all}>All read</button></div>
      </header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!asked.data && !asked.problem && <Loading rows={8} waitsFor="Reading what you were told" />}
      {asked.data && lines.length === 0 && <Empty>You were told of nothing. <a href={address("notices", ["ways"], { account })}>Choose of what you want to hear</a>, or send yourself a test there.</Empty>}
      <ul className="told">{lines.map((each) => <Told key={each.number} line={each} account={account} />)}</ul>
      {next > 0 && <div className="row pad"><button type="button" className="button" disabled={isBusy} onClick={more}>Older</button></div>}
    </section>
  );
}

function Told({ line, account }: { line: Line; account: string }) {
  const there = leadsTo(line, account);
  return (
    <li className={line.is_seen ? "" : "new"}>
      <p className="head"><b className="as-it-is">{there ? <a href={there}>{line.subject}</a> : line.subject}</b></p>
      <p className="text">{line.text}</p>
      <p className="label">{dayTime(BigInt(line.at), "s")} · {line.topic}{line.is_seen ? "" : " · unread"}{line.position > 0 && <> · <a href={address("journal", [], { account, entry: String(line.position) })}>entry {number(String(line.position))}</a></>}</p>
    </li>
  );
}
