/** The slider over positions: density behind, times as ticks; it loads on release, or after 150 ms of rest. */
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, ok } from "../client/api";
import { day, dayTime, number, time, zoneName } from "../kit/format";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { density, type Point, positionAt, shareOf, ticks, timeOf } from "./slider";

const REST_MS = 150;
const DAY_MS = 86_400_000;

interface SliderProps {
  points: readonly Point[];
  head: number;
  /** The position that is looked at; null: now. */
  at: number | null;
  vs: number | null;
  onRest: (position: number | null) => void;
}

export function Slider({ points, head, at, vs, onRest }: SliderProps) {
  const { zone } = useStore(prefs);
  const track = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const told = useRef<number | null>(null);
  /** Where the hand is: what is drawn may be a frame behind it. */
  const wanted = useRef<number | null>(null);
  const last = Math.max(head, points.at(-1)?.[0] ?? 1);
  const bars = useMemo(() => density(points), [points]);
  const marks = useMemo(() => ticks(points, matchMedia("(max-width: 599px)").matches ? 0.25 : 0.1), [points]);
  const shown = dragged ?? at ?? last;
  const shownAt = timeOf(shown, points);

  useEffect(() => () => clearTimeout(rest.current), []);
  const settle = useCallback((position: number) => {
    clearTimeout(rest.current);
    if (told.current === position) return;
    told.current = position;
    onRest(position >= last ? null : position);
  }, [last, onRest]);
  const move = (event: PointerEvent): void => {
    const box = track.current?.getBoundingClientRect();
    if (!box) return;
    const position = positionAt((event.clientX - box.left) / box.width, 1, last);
    wanted.current = position;
    setDragged(position);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => settle(position), REST_MS);
  };
  const down = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    told.current = at;
    move(event);
  };
  const up = (): void => {
    if (wanted.current !== null) settle(wanted.current);
    wanted.current = null;
    setDragged(null);
  };
  const key = (event: KeyboardEvent): void => {
    const step = { PageUp: 1_000, PageDown: -1_000, ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    onRest(Math.max(1, Math.min(last, (at ?? last) + step)));
  };
  const where = (position: number): string => `${shareOf(position, 1, last) * 100}%`;

  return (
    <div className="slide">
      <div
        className={`track ${at === null && dragged === null ? "now" : ""}`}
        ref={track}
        role="slider"
        tabIndex={0}
        aria-label="Position of the journal that is looked at"
        aria-valuemin={1}
        aria-valuemax={last}
        aria-valuenow={shown}
        aria-valuetext={at === null ? "now" : `position ${shown}${shownAt ? `, ${dayTime(shownAt, "s", zone)}` : ""}`}
        onPointerDown={down}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && move(event)}
        onPointerUp={up}
        onPointerCancel={() => { wanted.current = null; setDragged(null); }}
        onKeyDown={key}
      >
        <svg preserveAspectRatio="none" viewBox="0 0 1000 40" aria-hidden="true">
          {bars.map((bar) => {
            const [from, to] = [shareOf(bar.from, 1, last) * 1000, shareOf(bar.to, 1, last) * 1000];
            return <rect key={bar.from} x={from} width={Math.max(to - from, 0.5)} y={40 - bar.height * 40} height={bar.height * 40} />;
          })}
        </svg>
        {vs !== null && <i className="mark vs" style={{ insetInlineStart: where(vs) }} aria-hidden="true" />}
        <i className="mark" style={{ insetInlineStart: where(shown) }} aria-hidden="true" />
        {(dragged !== null || at !== null) && (
          <output className={shareOf(shown, 1, last) > 0.7 ? "left" : ""} style={{ insetInlineStart: where(shown) }}>
            {number(String(shown))}{shownAt !== null && <> · {dayTime(shownAt, "s", zone)}</>}
          </output>
        )}
      </div>
      <div className="ticks" aria-hidden="true">
        {marks.map((tick) => <span key={tick.at} style={{ insetInlineStart: where(tick.position) }}>{tick.step >= DAY_MS ? day(tick.at, zone) : time(tick.at, tick.step < 60_000 ? "s" : "min", zone)}</span>)}
      </div>
      <div className="under">
        <span className="label">1{points[0] && <> · {dayTime(points[0][1], "s", zone)}</>}</span>
        <Jump onRest={onRest} head={last} />
        <span className="label">high where entries came fast · {zoneName(zone)}</span>
        <button type="button" className="button" disabled={at === null} onClick={() => onRest(null)}>Now <kbd>n</kbd></button>
      </div>
    </div>
  );
}

/** A position, a time, or an order. */
function Jump({ onRest, head }: { onRest: (position: number) => void; head: number }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const jump = async (): Promise<void> => {
    const said = text.trim();
    setWrong("");
    if (!said) return;
    if (/^[\d,. ’']+$/.test(said) && !said.includes(":")) {
      const position = Number(said.replace(/\D/g, ""));
      if (position < 1 || position > head) setWrong(`positions go from 1 to ${head}`);
      else onRest(position);
      return;
    }
    const when = momentOf(said);
    try {
      if (when) {
        const found = await ok(api.GET("/api/journal/at", { params: { query: { time: when } } }));
        if (!found.position) setWrong("nothing was written by then");
        else onRest(found.position);
      } else {
        const found = await ok(api.GET("/api/why/{about}", { params: { path: { about: said } } }));
        const first = found.steps[0];
        if (first) onRest(first.position);
      }
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className="jump" onSubmit={(event) => { event.preventDefault(); void jump(); }}>
      <label className="unseen" htmlFor="journal-jump">Go to a position, a time or an order</label>
      <input id="journal-jump" value={text} onChange={(event) => setText(event.target.value)} placeholder="position, time (UTC) or order id" autoComplete="off" spellCheck={false} />
      <button type="submit" className="button">Go</button>
      {wrong && <span className="wrong" role="alert">{wrong}</span>}
    </form>
  );
}

/** "2026-11-20 16:00", "16:00:05" of today: times are UTC, as the hint says. */
function momentOf(said: string): string | null {
  const found = /^(?:(\d{4}-\d{2}-\d{2})[T ]?)?(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?Z?$/.exec(said);
  if (!found || (!found[1] && !found[2])) return null;
  const date = found[1] ?? new Date().toISOString().slice(0, 10);
  const clock = (found[2] ?? "00:00").padStart(5, "0");
  const moment = new Date(`${date}T${clock.length === 5 ? `${clock}:00` : clock}Z`);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}
