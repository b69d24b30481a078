/** What this screen stands on: the instrument in view, its touch, and where the market is from. */
import { useEffect, useMemo, useState } from "react";
import type { Schemas } from "../client/api";
import { age } from "../kit/format";
import { useStore } from "../kit/store";
import { marketStore } from "../live/stores";
import { instruments } from "../shell/session";
import { Units } from "./units";

export type Instrument = Schemas["InstrumentReply"];

const known = new Map<string, Units>();
export function unitsOf(instrument: Instrument): Units {
  const key = `${instrument.symbol} ${instrument.tick_size} ${instrument.lot_size}`;
  let found = known.get(key);
  if (!found) known.set(key, (found = new Units(instrument)));
  return found;
}

export function useInstrument(symbol: string): Instrument | undefined {
  const all = useStore(instruments);
  return useMemo(() => all.find((each) => each.symbol === symbol), [all, symbol]);
}

export interface Touch {
  bid: string | null;
  ask: string | null;
  quality: string;
}
const NO_TOUCH: Touch = { bid: null, ask: null, quality: "" };

export function touchOf(symbol: string): Touch {
  const book = marketStore.book(symbol);
  if (!book || book.catching) return NO_TOUCH;
  return { bid: book.bids[0]?.[0] ?? null, ask: book.asks[0]?.[0] ?? null, quality: book.quality };
}

/** The touch, looked at no more often than `every` ms: for what a person reads, not for cells that tick. */
export function useTouch(symbol: string, every = 250): Touch {
  const [touch, setTouch] = useState(() => touchOf(symbol));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      timer = undefined;
      const next = touchOf(symbol);
      setTouch((now) => (now.bid === next.bid && now.ask === next.ask && now.quality === next.quality ? now : next));
    };
    look();
    const stop = marketStore.books.subscribe(symbol, () => {
      timer ??= setTimeout(look, every);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [symbol, every]);
  return touch;
}

/** Acts at most every `every` ms, with the newest; whoever is written in place needs no React. */
export function throttled(act: () => void, every: number): { call: () => void; stop: () => void } {
  let last = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = (): void => {
    timer = undefined;
    last = performance.now();
    act();
  };
  return {
    call: () => {
      if (timer !== undefined) return;
      const wait = last + every - performance.now();
      if (wait <= 0) run();
      else timer = setTimeout(run, wait);
    },
    stop: () => clearTimeout(timer),
  };
}

/** How old the mark of a book is that is not well, counting up; null while it is. */
export function useAge(symbol: string, isOn: boolean): string | null {
  const [, beat] = useState(0);
  useEffect(() => {
    if (!isOn) return undefined;
    const timer = setInterval(() => beat((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, [symbol, isOn]);
  const price = isOn ? marketStore.price(symbol) : undefined;
  if (!price?.mark || price.heardAt === undefined) return null;
  return age(price.mark.age_ms + Date.now() - price.heardAt);
}
