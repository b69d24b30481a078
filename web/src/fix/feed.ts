/** Messages that answer a question, newest first: the head is asked again and again, what is older when it is wanted. */
import { useCallback, useEffect, useRef, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";

export type Line = Schemas["MessageLine"];
type Reply = Schemas["MessagesReply"];

export interface Question {
  query: string;
  session: string;
  way: "" | "in" | "out";
  capture: string;
}

export interface Found {
  /** Null before the first answer. */
  items: readonly Line[] | null;
  /** Newer ones that wait to be shown, since somebody is reading. */
  fresh: readonly Line[];
  next: string | null;
  /** False: older ones were not looked at yet. */
  complete: boolean;
  examined: number;
  archived: Reply["archived"] | null;
  problem: Problem | null;
  /** Older ones are being read. */
  busy: boolean;
}

const NOTHING: Found = { items: null, fresh: [], next: null, complete: true, examined: 0, archived: null, problem: null, busy: false };
const PAGE = 100;
const EVERY_MS = 2_000;
/** So many lines are kept in a page; who wants older ones asks for a time. */
export const KEPT = 2_000;

/** What stands above the first known line; all of it where nothing is known any more. */
export function newer(head: readonly Line[], known: readonly Line[]): readonly Line[] {
  const [first] = known;
  if (!first) return head;
  const at = head.findIndex(({ id }) => id === first.id);
  return at < 0 ? head : head.slice(0, at);
}

export function ask({ query, session, way, capture }: Question, cursor = ""): Promise<Reply> {
  return ok(api.GET("/api/fix/messages", { params: { query: { query, limit: PAGE, ...(session ? { session } : {}), ...(way ? { direction: way } : {}), ...(capture ? { capture } : {}), ...(cursor ? { cursor } : {}) } } }));
}

/** `isReading`: new ones are counted and not shown, so that nothing moves under the hand. */
export function useMessages(question: Question, isReading: boolean): Found & { older: () => void; show: () => void; again: () => void } {
  const key = JSON.stringify(question);
  const [held, setHeld] = useState<Found & { key: string }>({ ...NOTHING, key });
  const [round, setRound] = useState(0);
  const reading = useRef(isReading);
  reading.current = isReading;
  const asking = useRef(question);
  asking.current = question;

  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const update = (change: (was: Found) => Found): void => {
      if (!isOver) setHeld((was) => ({ ...change(was.key === key ? was : NOTHING), key }));
    };
    const head = async (): Promise<void> => {
      try {
        const found = await ask(asking.current);
        update((was) => merged(was, found, reading.current));
      } catch (error) {
        const problem = error instanceof Problem ? error : noAnswer(error, false);
        update((was) => ({ ...was, problem }));
        if (problem.status === 422 || problem.status === 404) return; // The same question fails again.
      }
      const next = (): void => {
        if (!isOver && !asking.current.capture) timer = setTimeout(() => (document.hidden ? next() : void head()), EVERY_MS);
      };
      next();
    };
    void head();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key, round]);

  const found: Found = held.key === key ? held : NOTHING;
  const cursor = useRef<string | null>(null);
  cursor.current = found.busy || (found.items?.length ?? 0) >= KEPT ? null : found.next;
  const older = useCallback(() => {
    const at = cursor.current;
    if (!at) return;
    cursor.current = null;
    setHeld((was) => (was.key === key ? { ...was, busy: true } : was));
    ask(asking.current, at).then(
      (more) => setHeld((was) => (was.key === key ? { ...was, busy: false, items: [...(was.items ?? []), ...more.items], next: more.next, complete: more.complete, examined: was.examined + more.examined, archived: more.archived ?? null } : was)),
      (error: unknown) => setHeld((was) => (was.key === key ? { ...was, busy: false, problem: error instanceof Problem ? error : noAnswer(error, false) } : was)),
    );
  }, [key]);
  const show = useCallback(() => setHeld((was) => (was.fresh.length ? { ...was, items: [...was.fresh, ...(was.items ?? [])].slice(0, KEPT), fresh: [] } : was)), []);
  const again = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => {
    if (!isReading) show();
  }, [isReading, show]);
  return { ...found, older, show, again };
}

function merged(was: Found, found: Reply, isReading: boolean): Found {
  const base = { ...was, problem: null, archived: found.archived ?? was.archived };
  if (!was.items) return { ...base, items: found.items, next: found.next, complete: found.complete, examined: found.examined };
  const more = newer(found.items, [...was.fresh, ...was.items]);
  if (!more.length) return base;
  if (more.length === found.items.length && found.next && was.items.length) {
    // So many came that the head no longer meets what is shown: begin anew, or say that there are many.
    return isReading ? { ...base, fresh: more } : { ...base, items: found.items, fresh: [], next: found.next, complete: found.complete, examined: found.examined };
  }
  return isReading ? { ...base, fresh: [...more, ...was.fresh] } : { ...base, items: [...more, ...was.items].slice(0, KEPT), fresh: [] };
}
