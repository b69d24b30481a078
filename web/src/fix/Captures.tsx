/** Captures and logs that were uploaded: how far each is read, and what its audit says. */
import { type DragEvent, useEffect, useRef, useState } from "react";
import { api, ok } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { bytes } from "../house/sentence";
import { dayTime, lasted, number, zoneName } from "../kit/format";
import { useMedia } from "../kit/media";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { useAsOf } from "../shell/past";
import { address, go } from "../shell/routes";
import { may, useAccountId } from "../shell/session";
import type { ViewProps } from "./Fix";
import { type Capture, type Report, reportOf, upload } from "./uploading";

const EVERY_MS = 2_000;

export function Captures({ route }: ViewProps) {
  const chosen = route.parts[1];
  const isNarrow = useMedia("(max-width: 599px)");
  const account = useAccountId();
  const asked = useAsked("captures", () => ok(api.GET("/api/fix/captures")), EVERY_MS);
  const choose = (id: string): void => go(address("fix", ["captures", id], { account }), !isNarrow || route.parts.length > 1);
  if (!asked.data) return asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={8} waitsFor="Reading what was uploaded" />;
  const items = asked.data.items;
  const about = items.find(({ id }) => id === chosen);
  const aside = about ? <CapturePanel key={about.id} capture={about} /> : <aside className="panel" data-panel aria-label="Capture"><Empty>{items.length ? "Choose a capture: j and k move." : "The report of its audit stands here."}</Empty></aside>;
  if (isNarrow && about) return <div className="sessions"><p className="back"><a href={address("fix", ["captures"], { account })}>← All captures</a></p>{aside}</div>;
  return (
    <div className="columns captures">
      <section className="panel" data-panel aria-label="Captures">
        <Upload onDone={(capture) => { asked.again(); choose(capture.id); }} />
        <div className="scroll list">
          <Table label="Captures" columns={isNarrow ? NARROW : WIDE} rows={items} rowKey={({ id }) => id} selected={about?.id ?? null} onSelect={choose} empty="Nothing was uploaded yet." />
        </div>
      </section>
      {!isNarrow && aside}
    </div>
  );
}

/** A place to drop a file on, and the button that does the same. */
function Upload({ onDone }: { onDone: (capture: Capture) => void }) {
  const at = useRef<HTMLInputElement>(null);
  const past = useAsOf();
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState<{ name: string; share: number } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const never = past ? "The past is only read." : may("house:write") ? "" : "Needs scope house:write.";
  const take = async (file: File | undefined): Promise<void> => {
    if (!file || sent || never) return;
    setProblem(null);
    setSent({ name: file.name, share: 0 });
    try {
      onDone(await upload(file, (share) => setSent({ name: file.name, share })));
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
    setSent(null);
  };
  useEffect(() => provide("FIX captures", [{ title: "Upload a FIX capture or log", keys: "u", words: "pcap pcapng audit", unless: () => never, run: () => at.current?.click() }]), [never]);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <div className={`drop ${over ? "over" : ""}`} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <input ref={at} className="unseen" type="file" tabIndex={-1} aria-label="Capture or log" onChange={(event) => { void take(event.target.files?.[0]); event.target.value = ""; }} />
      {sent ? (
        <p role="status">Uploading <b>{sent.name}</b>, {Math.floor(sent.share * 100)} % <progress value={sent.share} max={1} aria-label="Uploaded" /></p>
      ) : (
        <>
          <button type="button" className="button" disabled={!!never} onClick={() => at.current?.click()}>Upload… <kbd>u</kbd></button>
          <p className="label">{never || "or drop a file here: pcap, pcapng or a log of messages, also gzipped. It is audited, searched, and kept apart from the house's own."}</p>
        </>
      )}
      {problem && <ErrorPanel problem={problem} />}
    </div>
  );
}

const state = ({ state: now, progress }: Capture): string => (now === "reading" ? `reading, ${Math.floor(progress * 100)} %` : now);
const WIDE: readonly Column<Capture>[] = [
  { key: "name", title: "File", cell: ({ name }) => <b>{name}</b>, sort: ({ name }) => name },
  { key: "state", title: "State", cell: (capture) => <span className={capture.state === "failed" ? "bad" : capture.state === "read" ? "dim" : undefined}>{state(capture)}</span>, sort: ({ state: now }) => now },
  { key: "size", title: "Size", num: true, cell: ({ octets }) => bytes(octets), sort: ({ octets }) => octets },
  { key: "messages", title: "Messages", num: true, cell: ({ messages }) => number(String(messages)), sort: ({ messages }) => messages },
  { key: "alerts", title: "Alerts", num: true, cell: ({ alerts }) => (alerts ? number(String(alerts)) : <span className="dim">0</span>), sort: ({ alerts }) => alerts },
  { key: "at", title: "Uploaded", cell: ({ at }) => dayTime(at), sort: ({ at }) => at },
  { key: "by", title: "By", cell: ({ by }) => by, sort: ({ by }) => by },
];
const NARROW: readonly Column<Capture>[] = [
  { key: "name", title: "File", cell: ({ name, at }) => <span className="wrap"><b>{name}</b><span className="under label">{dayTime(at)}</span></span> },
  { key: "state", title: "State", num: true, cell: (capture) => <>{state(capture)}<span className="under label">{number(String(capture.messages))} messages, {number(String(capture.alerts))} alerts</span></> },
];

function CapturePanel({ capture }: { capture: Capture }) {
  const isRead = capture.state === "read";
  const asked = useAsked(isRead ? `capture ${capture.id}` : "", () => ok(api.GET("/api/fix/captures/{capture_id}", { params: { path: { capture_id: capture.id } } })));
  const account = useAccountId();
  const report = asked.data ? reportOf(asked.data) : null;
  const [problem, setProblem] = useState<Problem | null>(null);
  const open = (): void => {
    setProblem(null);
    page(capture).catch((error: unknown) => setProblem(error instanceof Problem ? error : noAnswer(error, false)));
  };
  return (
    <aside className="panel alert" data-panel aria-label="Capture">
      <header><h2>{capture.name}</h2></header>
      <div className="body scroll" tabIndex={0}>
        {capture.state === "failed" && <p className="gap"><b>It could not be read.</b> {capture.trouble}</p>}
        {!isRead && capture.state !== "failed" && <p role="status">{capture.state === "waiting" ? "It waits for its turn." : `The house has read ${Math.floor(capture.progress * 100)} % of it.`} <progress value={capture.progress} max={1} aria-label="Read" /></p>}
        <dl className="facts">
          <dt>Size</dt><dd>{bytes(capture.octets)}</dd>
          <dt>Uploaded</dt><dd>{dayTime(capture.at)} {zoneName()} by {capture.by}</dd>
          <dt>SHA-256</dt><dd className="mono">{capture.sha256 || "known once all of it is here"}</dd>
        </dl>
        {isRead && (
          <div className="row">
            <a className="button" href={address("fix", ["messages"], { account, capture: capture.id })}>{number(String(capture.messages))} messages</a>
            <a className="button" href={address("fix", ["alerts"], { account, capture: capture.id })}>{number(String(capture.alerts))} alerts</a>
            <button type="button" className="button quiet" onClick={open}>Save the report</button>
          </div>
        )}
        {problem && <ErrorPanel problem={problem} />}
        {isRead && !report && (asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={4} waitsFor="Reading the report" />)}
        {report && <Told report={report} />}
      </div>
    </aside>
  );
}

/** The whole report, as the page by itself that `fondaco fix audit --html` writes. */
async function page(capture: Capture): Promise<void> {
  const text = await ok(api.GET("/api/fix/captures/{capture_id}/page", { params: { path: { capture_id: capture.id } }, parseAs: "text" }));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([String(text)], { type: "text/html" }));
  link.download = `${capture.name}.html`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

function Told({ report }: { report: Report }) {
  const lost = report.connections.reduce((sum, each) => sum + each.lost, 0);
  const unparsed = report.connections.reduce((sum, each) => sum + each.unparsed, 0);
  return (
    <>
      <p className="reason">{number(String(report.messages))} messages in {number(String(report.sessions.length))} {report.sessions.length === 1 ? "session" : "sessions"}{report.garbled > 0 && <>, <span className="bad">{number(String(report.garbled))} garbled</span></>}.</p>
      {(lost > 0 || unparsed > 0) && <p className="gap">{lost > 0 && <>{bytes(lost)} were lost on the way to the capture. </>}{unparsed > 0 && <>{bytes(unparsed)} are no FIX.</>}</p>}
      <h3 className="label">Sessions</h3>
      <div className="scroll" tabIndex={0} role="region" aria-label="Sessions of the capture">
        <table className="table">
          <thead><tr><th scope="col">Session</th><th scope="col" className="num">Messages</th><th scope="col" className="num">Rejects</th><th scope="col" className="num">Resends</th><th scope="col" className="num">p50</th><th scope="col" className="num">p99</th></tr></thead>
          <tbody>
            {report.sessions.map((each) => (
              <tr key={`${each.name} ${each.begin_string}`}>
                <td>{each.name} <span className="label">{each.begin_string}</span></td>
                <td className="num">{number(String(each.messages))}</td>
                <td className="num">{each.rejects || <span className="dim">0</span>}</td>
                <td className="num">{each.resend_requests || <span className="dim">0</span>}</td>
                <td className="num">{each.latency.count ? lasted(each.latency.p50) : <span className="dim">–</span>}</td>
                <td className="num">{each.latency.count ? lasted(each.latency.p99) : <span className="dim">–</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {report.sessions.some(({ latency }) => latency.count > 0) && <p className="label">Latency: from a request to what answers it.</p>}
    </>
  );
}
