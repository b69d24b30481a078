/** The bar in which one asks: the house's query language, completed by tag name and by number. */
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { Problem } from "../client/problem";
import { type Completion, completed, completions } from "./wire";

const REST_MS = 300;

export function Query({ said, problem, onAsk }: { said: string; problem: Problem | null; onAsk: (text: string) => void }) {
  const id = useId();
  const at = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(said);
  const [offered, setOffered] = useState<readonly Completion[]>([]);
  const [on, setOn] = useState(0);
  const ask = useRef(onAsk);
  ask.current = onAsk;
  useEffect(() => setText(said), [said]);
  useEffect(() => {
    if (text.trim() === said) return undefined;
    const timer = setTimeout(() => ask.current(text.trim()), REST_MS);
    return () => clearTimeout(timer);
  }, [text, said]);

  const typed = (next: string, cursor: number): void => {
    setText(next);
    setOffered(completions(next, cursor));
    setOn(0);
  };
  const take = (by: Completion): void => {
    const found = completed(text, at.current?.selectionStart ?? text.length, by);
    setText(found.text);
    setOffered([]);
    requestAnimationFrame(() => {
      at.current?.focus();
      at.current?.setSelectionRange(found.cursor, found.cursor);
    });
  };
  const key = (event: KeyboardEvent): void => {
    const chosen = offered[on];
    if (event.key === "Escape" && offered.length) setOffered([]);
    else if (event.key === "Enter") {
      setOffered([]);
      ask.current(text.trim());
    } else if (event.key === "Tab" && chosen && !event.shiftKey) take(chosen);
    else if (event.key === "ArrowDown" && offered.length) setOn((on + 1) % offered.length);
    else if (event.key === "ArrowUp" && offered.length) setOn((on + offered.length - 1) % offered.length);
    else return;
    if (event.key !== "Enter") event.preventDefault();
  };
  const wrong = problem?.status === 422 || problem?.status === 400 ? problem : null;
  const place = Number(wrong?.details.at ?? 0);
  return (
    <div className="query">
      <label className="unseen" htmlFor={id}>Search messages</label>
      <input
        ref={at}
        id={id}
        className="mono"
        type="search"
        data-filter
        role="combobox"
        aria-expanded={offered.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={offered.length ? `${id}-${on}` : undefined}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={wrong ? `${id}-wrong` : undefined}
        value={text}
        placeholder={'35=D AND Symbol=EUR* AND 58:~"limit"'}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => typed(event.target.value, event.target.selectionStart ?? event.target.value.length)}
        onKeyDown={key}
        onBlur={() => setOffered([])}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Fields" hidden={!offered.length}>
        {offered.map((each, nth) => (
          <li key={each.name} id={`${id}-${nth}`} role="option" aria-selected={nth === on} onPointerDown={(event) => { event.preventDefault(); take(each); }}>
            <span>{each.name}</span><span className="label">{each.tag || ""}</span>{nth === on && <kbd>Tab</kbd>}
          </li>
        ))}
      </ul>
      {wrong && (
        <p id={`${id}-wrong`} className="wrong" role="alert">
          {place > 0 && text.length >= place - 1 && <code className="mono" aria-hidden="true">{text.slice(Math.max(0, place - 13), place - 1)}<u>{text.slice(place - 1, place + 11) || " "}</u></code>}
          {wrong.message.replace(/^query, /, "")}
        </p>
      )}
    </div>
  );
}
