/** Every message: a list that answers a question, and below it one of them in words and in bytes. */
import { type KeyboardEvent, memo, useEffect, useRef, useState } from "react";
import { number } from "../kit/format";
import { useMedia } from "../kit/media";
import { When } from "../kit/Num";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { provide } from "../shell/keys";
import { current, setQuery } from "../shell/routes";
import { type Found, KEPT, type Line, type Question, useMessages } from "./feed";
import type { ViewProps } from "./Fix";
import { MessagePanel } from "./MessagePanel";
import { Query } from "./Query";
import { named } from "./said";

const WAYS = [{ value: "", label: "Both" }, { value: "in", label: "← In" }, { value: "out", label: "→ Out" }] as const;

export function Messages({ route, sessions }: ViewProps) {
  const { q = "", session = "", way = "", id, vs, capture = "" } = route.query;
  const isNarrow = useMedia("(max-width: 599px)");
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const isReading = paused || scrolled || id !== undefined;
  const question: Question = { query: q, session, way: way === "in" || way === "out" ? way : "", capture };
  const found = useMessages(question, isReading);
  const box = useRef<HTMLDivElement>(null);
  const follow = (): void => {
    setPaused(false);
    setQuery({ id: null });
    if (box.current) box.current.scrollTop = 0;
    found.show();
  };
  const items = found.items ?? [];
  const step = (by: number): void => {
    const nth = items.findIndex((line) => line.id === current().query.id);
    const next = items[nth < 0 ? 0 : Math.max(0, Math.min(items.length - 1, nth + by))];
    if (!next) return;
    setQuery({ id: next.id });
    document.getElementById(`message-${next.id}`)?.scrollIntoView({ block: "nearest" });
  };
  useEffect(() => provide("FIX messages", [
    { title: isReading ? "Follow new messages" : "Pause the messages", keys: "Space", run: () => (isReading ? follow() : setPaused(true)) },
    { title: "Newest message", keys: "Shift+G", run: follow },
    { title: "Next message", keys: "j", run: () => step(1) },
    { title: "Message before", keys: "k", run: () => step(-1) },
    { title: "Only what came in", keys: "←", run: () => setQuery({ way: way === "in" ? null : "in" }) },
    { title: "Only what went out", keys: "→", run: () => setQuery({ way: way === "out" ? null : "out" }) },
    { title: "Close the message", keys: "Esc", unless: () => (id ? "" : "none is open"), run: () => setQuery({ id: null, vs: null }) },
  ]));
  const list = (
    <section className="panel messages" data-panel aria-label="Messages">
      <header>
        <Query said={q} problem={found.problem} onAsk={(text) => setQuery({ q: text || null, id: null })} />
        <Segmented label="Direction" value={question.way} choices={WAYS} onChange={(value) => setQuery({ way: value || null })} />
        <label className="unseen" htmlFor="of-session">Session</label>
        <select id="of-session" className="pick" value={session} onChange={(event) => setQuery({ session: event.target.value || null, id: null })}>
          <option value="">All sessions</option>
          {[...new Set([...sessions.map((each) => each.session), ...(session ? [session] : [])])].map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
        {capture && <button type="button" className="chip" aria-pressed onClick={() => setQuery({ capture: null, id: null })} title="Back to the house's own messages">capture {capture} ✕</button>}
      </header>
      <Rows found={found} chosen={id ?? null} onScroll={setScrolled} at={box} onStep={step} isAsked={!!(q || session || way)} />
      {isReading && !capture && <button type="button" className={`fresh button ${found.fresh.length ? "main" : ""}`} onClick={follow}>{found.fresh.length ? `${number(String(found.fresh.length))} new ↑` : "Follow ↑"} <kbd>Space</kbd></button>}
    </section>
  );
  if (isNarrow && id) return <MessagePanel id={id} vs={vs} bytes={route.query.raw === "bytes"} />;
  return <div className={`explorer ${id ? "open" : ""}`}>{list}{id && <MessagePanel id={id} vs={vs} bytes={route.query.raw === "bytes"} />}</div>;
}

interface RowsProps {
  found: Found & { older: () => void; again: () => void };
  chosen: string | null;
  onScroll: (away: boolean) => void;
  at: React.RefObject<HTMLDivElement | null>;
  onStep: (by: number) => void;
  isAsked: boolean;
}

function Rows({ found, chosen, onScroll, at, onStep, isAsked }: RowsProps) {
  const { items, problem } = found;
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    onStep(by);
  };
  const moved = (): void => {
    const box = at.current;
    if (!box) return;
    onScroll(box.scrollTop > 24);
    if (box.scrollHeight - box.clientHeight - box.scrollTop < 400) found.older();
  };
  const isWrong = problem?.status === 422 || problem?.status === 400;
  return (
    <>
      <div className="heads label" aria-hidden="true"><span>Time</span><span /><span>Session</span><span className="num">Seq</span><span>Type</span><span>What it says</span></div>
      <div className="lines-of scroll" ref={at} onScroll={moved} onKeyDown={key} tabIndex={0} role="listbox" aria-label="Messages, newest first" aria-activedescendant={chosen ? `message-${chosen}` : undefined}>
        {problem && !isWrong && <ErrorPanel problem={problem} retry={found.again} />}
        {items?.map((line) => <Row key={line.id} line={line} on={line.id === chosen} />)}
        {!items && !problem && <Loading rows={10} waitsFor="Looking through the messages" />}
        {items && !items.length && !isWrong && (isAsked
          ? <Empty action={{ label: "Ask for everything", act: () => setQuery({ q: null, session: null, way: null }) }}>No message answers this{found.examined ? ` among ${number(String(found.examined))}` : ""}.</Empty>
          : <Empty>No message has passed yet. Each one is kept here from the first Logon on.</Empty>)}
        {found.busy && <p className="state" role="status">Reading older ones</p>}
        {items && items.length > 0 && !found.busy && <End found={found} />}
      </div>
    </>
  );
}

function End({ found }: { found: Found & { older: () => void } }) {
  const { items, next, archived, complete } = found;
  if ((items?.length ?? 0) >= KEPT) return <p className="state">{number(String(KEPT))} are shown. Ask for a time, such as time&lt;2026-11-20T08:00, to see what is older.</p>;
  if (next) return <p className="state"><button type="button" className="button" onClick={found.older}>{complete ? "Older" : "Look further back"}</button></p>;
  return <p className="state label">{archived ? `That is all in the index. ${number(String(archived.messages))} from before ${archived.until} are in ${archived.folder}: fondaco fix search reads them.` : "That is all there is."}</p>;
}

const Row = memo(function Row({ line, on }: { line: Line; on: boolean }) {
  return (
    <div id={`message-${line.id}`} className={`message ${line.garbled ? "garbled" : ""}`} role="option" aria-selected={on} onClick={() => setQuery({ id: line.id })}>
      <span className="mono"><When at={line.at} precision="us" /></span>
      <span className="way" title={line.direction === "in" ? "received" : "sent"}><span aria-hidden="true">{line.direction === "in" ? "←" : "→"}</span><span className="unseen">{line.direction === "in" ? "received" : "sent"}</span></span>
      <span title={line.session}>{named(line.session).theirs || line.session}</span>
      <span className="num mono">{line.seq_num < 0 ? "–" : line.seq_num}</span>
      <span>{line.name || "unknown type"} <span className="dim mono">{line.msg_type}</span></span>
      <span>{line.garbled ? <><b className="bad">garbled</b> {line.garbled}</> : line.summary}</span>
    </div>
  );
});
