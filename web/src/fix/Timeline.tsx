/** A session over time: what came above the line, what went below it, and what was remarkable on it. */
import { useMemo } from "react";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { dayTime, number, time, zoneName } from "../kit/format";
import { When } from "../kit/Num";
import { prefs } from "../kit/prefs";
import { Segmented } from "../kit/Segmented";
import { ErrorPanel, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { houseNow } from "../live/stores";
import { address, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { beats, type Mark, MARKS, placed } from "./beats";

const EVERY_MS = 5_000;
const BUCKETS = 120;
const SPANS = [{ value: "900", label: "15 min" }, { value: "3600", label: "1 h" }, { value: "86400", label: "1 day" }, { value: "604800", label: "7 days" }] as const;
const HEIGHT = 40;
const LISTED = 200;

export function Timeline({ session, span }: { session: string; span: string | undefined }) {
  const seconds = SPANS.find(({ value }) => value === span)?.value ?? "3600";
  useStore(prefs);
  const account = useAccountId();
  const asked = useAsked(`timeline ${session} ${seconds}`, () => {
    const before = houseNow();
    const iso = (at: number): string => new Date(at).toISOString();
    return ok(api.GET("/api/fix/timeline", { params: { query: { session, after: iso(before - Number(seconds) * 1_000), before: iso(before), buckets: BUCKETS } } }));
  }, EVERY_MS);
  const found = asked.data;
  const drawn = useMemo(() => (found ? beats(found, BUCKETS, HEIGHT) : null), [found]);
  const marks = useMemo(() => (found ? placed(found) : []), [found]);
  return (
    <section className="panel timeline" data-panel aria-label="Timeline">
      <header>
        <h2>Timeline</h2>
        {drawn && <span className="label">at most {number(String(drawn.most))} messages in {drawn.wide}, one way</span>}
        <div className="end"><Segmented label="Time shown" value={seconds} choices={SPANS} onChange={(value) => setQuery({ span: value === "3600" ? null : value })} /></div>
      </header>
      {!found || !drawn ? (asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={4} waitsFor="Counting messages" />) : (
        <div className="body scroll" tabIndex={0}>
          <div className="beats" role="img" aria-label={`${number(String(drawn.received))} received and ${number(String(drawn.sent))} sent between ${dayTime(found.after)} and ${dayTime(found.before)}, ${marks.length} marks.`}>
            <span className="label">in {number(String(drawn.received))}</span>
            <svg viewBox={`0 0 ${BUCKETS} ${HEIGHT * 2}`} preserveAspectRatio="none" aria-hidden="true"><path className="in" d={drawn.above} /><path className="out" d={drawn.below} /></svg>
            {marks.map(({ mark, share }, nth) => <i key={nth} className={`on-line ${mark.kind}`} style={{ insetInlineStart: `${share * 100}%` }} title={`${time(mark.at)} ${MARKS[mark.kind].word}: ${mark.text}`} />)}
            <span className="label">out {number(String(drawn.sent))}</span>
          </div>
          <div className="scale label" aria-hidden="true"><span>{dayTime(found.after)}</span><span>{dayTime(found.before)} {zoneName()}</span></div>
          <ol className="marks" aria-label="What was remarkable, newest first">
            {[...found.marks].reverse().slice(0, LISTED).map((mark, nth) => <Line key={nth} mark={mark} account={account} />)}
            {!found.marks.length && <li className="dim">No logon, gap, reject or alert in this time.</li>}
          </ol>
        </div>
      )}
    </section>
  );
}

function Line({ mark, account }: { mark: Mark; account: string }) {
  const { glyph, word } = MARKS[mark.kind];
  const to = mark.alert ? address("fix", ["alerts", mark.alert], { account }) : mark.message ? address("fix", ["messages"], { account, id: mark.message }) : null;
  return (
    <li className={mark.kind}>
      <When at={mark.at} />
      <span className="kind"><span aria-hidden="true">{glyph}</span> {word}</span>
      <span>{mark.text}</span>
      {to && <a href={to}>{mark.alert ? "Evidence" : "Message"}</a>}
    </li>
  );
}
