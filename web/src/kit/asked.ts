/** What is asked of the house again and again: the last answer stays in view while the next one is on its way. */
import { useCallback, useEffect, useRef, useState } from "react";
import { noAnswer, Problem } from "../client/problem";

export interface Asked<T> {
  /** The last answer to this question; null before the first. */
  data: T | null;
  /** Why the last one failed; null where it did not. */
  problem: Problem | null;
  /** When `data` came, in milliseconds since 1970; 0 before. */
  at: number;
  again: () => void;
}

interface Held<T> {
  key: string;
  data: T | null;
  problem: Problem | null;
  at: number;
}

/**
 * Asks when `key` changes, when `again` is called, and every `everyMs` while the page is in view. `key` "" asks
 * nothing. An answer to an earlier question is thrown away.
 */
export function useAsked<T>(key: string, ask: () => Promise<T>, everyMs = 0): Asked<T> {
  const [held, setHeld] = useState<Held<T>>({ key, data: null, problem: null, at: 0 });
  const [round, setRound] = useState(0);
  const question = useRef(ask);
  question.current = ask;
  const again = useCallback(() => setRound((count) => count + 1), []);

  useEffect(() => {
    if (!key) return undefined;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = (): void => {
      if (isOver || !everyMs) return;
      timer = setTimeout(() => (document.hidden ? next() : void run()), everyMs);
    };
    const run = async (): Promise<void> => {
      try {
        const data = await question.current();
        if (!isOver) setHeld({ key, data, problem: null, at: Date.now() });
      } catch (error) {
        const problem = error instanceof Problem ? error : noAnswer(error, false);
        if (!isOver) setHeld((before) => ({ ...(before.key === key ? before : { data: null, at: 0 }), key, problem }));
      }
      next();
    };
    void run();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key, everyMs, round]);

  return held.key === key ? { ...held, again } : { data: null, problem: null, at: 0, again };
}
