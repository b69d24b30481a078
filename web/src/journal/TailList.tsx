/** Rows of the tail, as many as are in view. It follows while scrolled to the end; above it waits and counts. */
import { type KeyboardEvent, memo, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { number } from "../kit/format";
import { When } from "../kit/Num";
import { prefs } from "../kit/prefs";
import { Empty, Loading } from "../kit/states";
import { useStore } from "../kit/store";
import { provide } from "../shell/keys";
import type { Entry, Follower, Tail } from "./tail";

const AWAY_PX = 80;
const SPARE = 8;

interface TailListProps {
  follower: Follower;
  tail: Tail;
  chosen: number | null;
  onChoose: (position: number) => void;
  said: string;
}

export function TailList({ follower, tail, chosen, onChoose, said }: TailListProps) {
  const { density } = useStore(prefs);
  const at = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [paused, setPaused] = useState(false);
  const row = useRowHeight(at, density);
  const { entries } = tail;
  const first = entries[0]?.position;
  const before = useRef<{ first: number | undefined; count: number }>({ first: undefined, count: 0 });

  const isReading = paused;
  useEffect(() => follower.look(isReading), [follower, isReading]);

  // New rows at the end: the reader is taken along, or nothing moves. Older ones in front move what is above.
  useLayoutEffect(() => {
    const box = at.current;
    if (!box) return;
    const was = before.current;
    if (was.first !== undefined && first !== undefined && first < was.first) {
      const added = entries.findIndex((entry) => entry.position === was.first);
      if (isReading && added > 0) box.scrollTop += added * row;
    }
    if (!isReading) box.scrollTop = box.scrollHeight;
    before.current = { first, count: entries.length };
  }, [entries, first, isReading, row]);

  useEffect(() => {
    const box = at.current;
    if (!box) return undefined;
    const watch = new ResizeObserver(() => setHeight(box.clientHeight));
    watch.observe(box);
    return () => watch.disconnect();
  }, []);

  const scrolled = useCallback(() => {
    const box = at.current;
    if (!box) return;
    setTop(box.scrollTop);
    const away = box.scrollHeight - box.clientHeight - box.scrollTop;
    if (away > AWAY_PX) setPaused(true);
    else if (away <= 2) setPaused(false);
    if (box.scrollTop < 400) void follower.older();
  }, [follower]);
  const toEnd = useCallback(() => {
    setPaused(false);
    const box = at.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, []);
  useEffect(() => provide("Tail", [
    { title: paused ? "Follow the tail" : "Pause the tail", keys: "Space", run: () => (paused ? toEnd() : setPaused(true)) },
    { title: "Next entry", keys: "j", run: () => step(1) },
    { title: "Entry before", keys: "k", run: () => step(-1) },
  ]));
  const step = (by: number): void => {
    const nth = entries.findIndex((entry) => entry.position === chosen);
    const next = nth < 0 ? entries.at(-1) : entries[Math.max(0, Math.min(entries.length - 1, nth + by))];
    if (!next) return;
    setPaused(true);
    onChoose(next.position);
    const box = at.current;
    const where = entries.indexOf(next) * row;
    if (box && (where < box.scrollTop || where > box.scrollTop + box.clientHeight - row)) box.scrollTop = where - box.clientHeight / 2;
  };
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  };

  const from = Math.max(0, Math.floor(top / row) - SPARE);
  const to = Math.min(entries.length, Math.ceil((top + height) / row) + SPARE);
  return (
    <div className="rows-box">
      <div className="row-head label" aria-hidden="true"><span className="num">Position</span><span>Recorded</span><span>Kind</span><span>Stream</span><span>Caused by</span></div>
      <div className="rows scroll" ref={at} onScroll={scrolled} onKeyDown={key} tabIndex={0} role="listbox" aria-label="Entries, oldest first" aria-activedescendant={chosen !== null && entries.slice(from, to).some((each) => each.position === chosen) ? `entry-${chosen}` : undefined}>
        <div style={{ blockSize: entries.length * row }}>
          <div style={{ transform: `translateY(${from * row}px)` }}>
            {entries.slice(from, to).map((entry) => <Row key={entry.position} entry={entry} on={entry.position === chosen} onChoose={onChoose} />)}
          </div>
        </div>
        {!entries.length && (tail.busy ? <Loading rows={8} waitsFor="Looking through the journal" /> : <Empty>{said ? `Nothing in the journal's newest part fits "${said}". ${tail.previous > 1 ? `Looked from position ${number(String(tail.previous))} on.` : "All of it was looked through."}` : "Nothing is written yet."}</Empty>)}
      </div>
      {paused && <button type="button" className="fresh button main" onClick={toEnd}>{tail.fresh ? `${number(String(tail.fresh))} new ↓` : "Follow ↓"}</button>}
      {tail.problem && <p className="late label" role="status">Not live: {tail.problem.message}</p>}
    </div>
  );
}

function useRowHeight(at: React.RefObject<HTMLDivElement | null>, density: string): number {
  const [row, setRow] = useState(24);
  useLayoutEffect(() => {
    const found = at.current ? Number.parseInt(getComputedStyle(at.current).getPropertyValue("--row"), 10) : 24;
    setRow(found || 24);
  }, [at, density]);
  return row;
}

const Row = memo(function Row({ entry, on, onChoose }: { entry: Entry; on: boolean; onChoose: (position: number) => void }) {
  const [room, ...kind] = entry.kind.replace(/\.v\d+$/, "").split(".");
  return (
    <div className="entry" role="option" id={`entry-${entry.position}`} aria-selected={on} onClick={() => onChoose(entry.position)}>
      <span className="num">{number(String(entry.position))}</span>
      <span><When at={entry.at} /></span>
      <span><span className="dim">{room}</span> {kind.join(" ").replace(/_/g, " ")}</span>
      <span className="mono">{entry.stream}</span>
      <span className="mono dim">{entry.caused_by.replace(/#[0-9a-f]+$/, "")}</span>
    </div>
  );
});
