/** House: one sentence, what is not well, then how it does; and the switch that stops it. */
import { useEffect, useMemo } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { age, dayTime, lasted, number, zoneName } from "../kit/format";
import { useMedia } from "../kit/media";
import { QualityBadge } from "../kit/QualityBadge";
import { Segmented } from "../kit/Segmented";
import { ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { When } from "../kit/Num";
import { clockOffset } from "../live/stores";
import { useSecond } from "../shell/Connection";
import { provide } from "../shell/keys";
import { setQuery } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { may } from "../shell/session";
import { Chart, type Line } from "./Chart";
import { Limits } from "./Limits";
import { bytes, edges, evenly, sentence, troubles, verified } from "./sentence";
import { Stop } from "./Stop";
import "./house.css";

type HouseReply = Schemas["HouseReply"];
const EVERY_MS = 2_000;
const RANGES: readonly (readonly [string, string, number])[] = [["300", "5 min", 5], ["900", "15 min", 10]];

export default function House({ route }: ScreenProps) {
  const tab = route.query.tab === "limits" ? "limits" : "health";
  const seconds = RANGES.find(([value]) => value === route.query.t)?.[0] ?? "300";
  useEffect(() => provide("House screen", [
    { title: "Limits", keys: "l", run: () => setQuery({ tab: tab === "limits" ? null : "limits" }) },
    { title: "Time range of the charts", keys: "t", run: () => setQuery({ t: seconds === "300" ? "900" : null }) },
    { title: "Verify the journal now", words: "merkle proof check", run: () => void ok(api.POST("/api/journal/verify")) },
  ]), [tab, seconds]);
  const asked = useAsked("house", () => ok(api.GET("/api/house")), EVERY_MS);
  if (!asked.data) return asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={12} waitsFor="Asking the house how it is" />;
  return (
    <div className="house-screen">
      <Top house={asked.data} silent={asked.problem !== null} at={asked.at} tab={tab} />
      {tab === "limits" ? <Limits /> : <Health house={asked.data} seconds={seconds} again={asked.again} />}
    </div>
  );
}

function Top({ house, silent, at, tab }: { house: HouseReply; silent: boolean; at: number; tab: string }) {
  const now = useSecond();
  const bad = troubles(house);
  const since = age(now - at);
  return (
    <header className="top">
      <div className="says">
        <h1 className={silent || bad.some(({ tone }) => tone === "critical") ? "ill" : ""}>
          {silent ? `The house does not answer. What follows is of ${since ?? "over an hour"} ago.` : sentence(house, now + clockOffset.get())}
        </h1>
        <Segmented label="Part of this screen" value={tab} choices={[{ value: "health", label: "Health" }, { value: "limits", label: <>Limits <kbd>l</kbd></> }]} onChange={(value) => setQuery({ tab: value === "limits" ? value : null })} />
      </div>
      {bad.length > 0 && (
        <ul className="troubles" aria-label="What is not well">
          {bad.map(({ tone, what, detail }) => (
            <li key={what + detail}><span className={`chip ${tone}`}>{tone === "critical" ? "✕ critical" : "! look"}</span><b>{what}</b><span>{detail}</span></li>
          ))}
        </ul>
      )}
    </header>
  );
}

function Health({ house, seconds, again }: { house: HouseReply; seconds: string; again: () => void }) {
  return (
    <div className="columns">
      <div className="main">
        <Speed house={house} seconds={seconds} />
        <Feeds house={house} />
      </div>
      <div className="side">
        <Stop house={house} />
        <Verification found={house.verification} again={again} />
        <Facts house={house} />
      </div>
    </div>
  );
}

const LATENCY: readonly Line[] = [
  { label: "p50", token: "--line1" },
  { label: "p99", token: "--line2", dash: [6, 3] },
  { label: "p99.9", token: "--line4", dash: [2, 3] },
];
const FLOW: readonly Line[] = [
  { label: "orders", token: "--line1" },
  { label: "refused", token: "--line2", dash: [6, 3] },
  { label: "entries", token: "--line3", dash: [2, 3] },
];

function Speed({ house, seconds }: { house: HouseReply; seconds: string }) {
  const step = RANGES.find(([value]) => value === seconds)?.[2] ?? 5;
  const asked = useAsked(`latency ${seconds}`, () => ok(api.GET("/api/house/latency", { params: { query: { seconds: Number(seconds), step_s: step } } })), EVERY_MS * 2);
  const found = asked.data;
  const [latency, flow] = useMemo(() => {
    if (!found) return [[[], [], [], []], [[], [], [], []]];
    const per = (counts: readonly number[]): number[] => counts.map((count) => count / step);
    return [
      evenly(found.at_ms, step * 1_000, [found.p50_ms, found.p99_ms, found.p999_ms]),
      edges(evenly(found.at_ms, step * 1_000, [per(found.orders), per(found.refused), per(found.entries)]), step),
    ];
  }, [found, step]);
  const [ten, minute] = house.windows;
  const isQuiet = found !== null && !found.orders.some(Boolean);
  return (
    <section className="panel" data-panel aria-label="Speed">
      <header>
        <h2>Orders, from the request read to its answer behind the commit</h2>
        <div className="end">
          <Segmented label="Time range" value={seconds} choices={RANGES.map(([value, label]) => ({ value, label }))} onChange={(value) => setQuery({ t: value === "300" ? null : value })} />
        </div>
      </header>
      <div className="numbers">
        <Figure name="p50" line="solid" value={milli(minute?.p50_ms)} />
        <Figure name="p99" line="dashed" value={milli(minute?.p99_ms)} />
        <Figure name="p99.9" line="dotted" value={milli(minute?.p999_ms)} />
        <span className="dim">of the last minute, at most 16 % too high</span>
        <Figure name="orders/s" value={ten ? number(ten.per_s.toFixed(1)) : "–"} />
        <Figure name="entries/s" value={number(house.entries_per_s.toFixed(1))} />
        <Figure name="a commit" value={milli(house.commit_mean_ms)} />
      </div>
      {isQuiet ? (
        <p className="state">No order came in this time. Percentiles need orders: where none came there is a gap, not a zero.</p>
      ) : (
        <Chart columns={latency} lines={LATENCY} log height={200} format={(value) => `${value < 1 ? value : Math.round(value * 10) / 10} ms`} summary={`Latency percentiles of orders over ${seconds} seconds, on a log axis; p99 of the last minute is ${milli(minute?.p99_ms)}.`} />
      )}
      <div className="numbers small"><Key lines={FLOW} /><span className="dim">each second</span></div>
      <Chart columns={flow} lines={FLOW} stepped height={104} format={(value) => String(value)} summary={`Orders, refusals and journal entries a second; ${house.entries_per_s} entries a second lately.`} />
    </section>
  );
}

const milli = (value: number | null | undefined): string => (value === null || value === undefined ? "–" : lasted(value * 1e6));

function Figure({ name, value, line }: { name: string; value: string; line?: string }) {
  return <span className="figure">{line && <i className={`key ${line} ${name === "p50" ? "one" : name === "p99" ? "two" : "four"}`} />}<span className="label">{name}</span> <b>{value}</b></span>;
}

function Key({ lines }: { lines: readonly Line[] }) {
  const looks = ["one solid", "two dashed", "three dotted"];
  return <>{lines.map((line, nth) => <span key={line.label} className="figure"><i className={`key ${looks[nth]}`} /><span className="label">{line.label}</span></span>)}</>;
}

type Feed = Schemas["FeedLine"];
const count = (name: keyof Feed & string, title: string): Column<Feed> => ({
  key: name,
  title,
  num: true,
  sort: (feed) => Number(feed[name]),
  cell: (feed) => (feed[name] ? number(String(feed[name])) : <span className="dim">0</span>),
});
/** What a phone has room for; the counts that are not zero follow in words. */
const FEEDS_NARROW: readonly Column<Feed>[] = [
  { key: "symbol", title: "Instrument", cell: (feed) => <><b>{feed.symbol}</b><span className="under label">{feed.source}</span></>, sort: (feed) => feed.symbol },
  { key: "quality", title: "Book", cell: (feed) => <>{feed.quality === "ok" ? <span className="dim">ok</span> : <QualityBadge quality={feed.quality} />}<span className="under label">{counted(feed)}</span></>, sort: (feed) => feed.quality },
  { key: "age", title: "Last of messages", num: true, cell: (feed) => (feed.messages ? <>{age(feed.age_ms) ?? "> 1 h"}<span className="under label">{number(String(feed.messages))}</span></> : <span className="dim">none yet</span>), sort: (feed) => feed.age_ms },
];
const FEEDS: readonly Column<Feed>[] = [
  { key: "symbol", title: "Instrument", cell: (feed) => <b>{feed.symbol}</b>, sort: (feed) => feed.symbol },
  { key: "quality", title: "Book", cell: (feed) => (feed.quality === "ok" ? <span className="dim">ok</span> : <QualityBadge quality={feed.quality} />), sort: (feed) => feed.quality },
  { key: "age", title: "Last message", num: true, cell: (feed) => (feed.messages ? (age(feed.age_ms) ?? "> 1 h") : <span className="dim">none yet</span>), sort: (feed) => feed.age_ms },
  count("messages", "Messages"),
  count("gaps", "Gaps"),
  count("crossed", "Crossed"),
  count("stale", "Silences"),
  count("recoveries", "Recoveries"),
  count("malformed", "Malformed"),
  { key: "source", title: "Source", cell: (feed) => feed.source, sort: (feed) => feed.source },
];

/** "2 gaps, 1 silence": only what there is of it. */
function counted(feed: Feed): string {
  const found: [number, string][] = [[feed.gaps, "gaps"], [feed.crossed, "crossed"], [feed.stale, "silences"], [feed.recoveries, "recoveries"], [feed.malformed, "malformed"]];
  return found.filter(([count]) => count).map(([count, word]) => `${number(String(count))} ${word}`).join(", ");
}

function Feeds({ house }: { house: HouseReply }) {
  const columns = useMedia("(max-width: 599px)") ? FEEDS_NARROW : FEEDS;
  return (
    <section className="panel" data-panel aria-label="Feeds">
      <header><h2>Feeds</h2><span className="label">counted since the house began, {dayTime(house.started_at)} {zoneName()}</span></header>
      <div className="scroll"><Table label="Feeds" columns={columns} rows={house.feeds} rowKey={(feed) => feed.symbol} empty="No feed: start the house with --feed." /></div>
    </section>
  );
}

function Verification({ found, again }: { found: Schemas["VerificationReply"]; again: () => void }) {
  const now = useSecond();
  const { last } = found;
  const begin = (): void => void ok(api.POST("/api/journal/verify")).then(again, again);
  return (
    <section className="panel" data-panel aria-label="Verification">
      <header>
        <h2>Journal verification</h2>
        <div className="end"><button type="button" className="button quiet" onClick={begin} disabled={found.running || !may("house:read")}>{found.running ? "Verifying" : "Verify now"}</button></div>
      </header>
      {found.running && <progress value={found.entries || undefined} max={found.total || undefined} aria-label="Entries verified" />}
      <div className={last?.wrong.length ? "state wrong" : "body facts"}>
        {last?.wrong.length ? last.wrong.map((each) => <p key={each} className="said">{each}</p>) : <p>{verified(found, now + clockOffset.get())}</p>}
        {last && (
          <dl>
            <dt>Entries</dt><dd>{number(String(last.entries))}, every byte</dd>
            <dt>Roots that fit</dt><dd>{number(String(last.roots))} published</dd>
            <dt>Root</dt><dd className="mono cut" title={last.root}>{last.root}</dd>
            <dt>Took</dt><dd>{lasted(last.took_ms * 1e6)}, ended <When at={Number(last.at)} precision="s" /></dd>
          </dl>
        )}
      </div>
    </section>
  );
}

function Facts({ house }: { house: HouseReply }) {
  return (
    <section className="panel" data-panel aria-label="Machine">
      <header><h2>Followers, disk, memory</h2></header>
      <dl className="facts body">
        {house.followers.map((each) => (
          <Fact key={each.name} name={each.name}>{each.behind ? `${number(String(each.behind))} entries behind` : "at the journal's end"}</Fact>
        ))}
        <Fact name="journal">position {number(String(house.position))}, {number(String(house.commits))} commits</Fact>
        <Fact name="standing checks">{house.checks.at ? (house.checks.holds ? "hold" : house.checks.failing.join(", ")) : "not made yet"}{house.checks.at && <span className="dim"> as of {number(String(house.checks.position))}</span>}</Fact>
        <Fact name="disk">{bytes(house.disk_free)} free of {bytes(house.disk_total)}</Fact>
        <Fact name="data">{house.disks.filter((each) => each.bytes).map((each) => `${each.name} ${bytes(each.bytes)}`).join(", ")}</Fact>
        <Fact name="memory">{bytes(house.memory_bytes)}, at most {bytes(house.memory_peak_bytes)}</Fact>
        <Fact name="in memory">{number(String(house.owners))} streams, {number(String(house.accounts))} accounts, {house.websockets} sockets</Fact>
        <Fact name="kernels">{house.kernels.filter((each) => each.state === "compiled").length} of {house.kernels.length} compiled</Fact>
        <Fact name="version">{house.version}, Python {house.python}, {house.machine}</Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}
