/** The verdict of one draft, live: what the house would say, cost and largest size included. */
import { useEffect, useMemo, useRef, useState } from "react";
import { api, ok } from "../client/api";
import { listBody, orderBody } from "./desk";
import { accountStore, connectionStore, houseNow, isLive } from "../live/stores";
import { type Touch, unitsOf, useTouch, type Instrument } from "./ground";
import { type Around, asked, type Asked, type Draft, isWrong, type Wrong } from "./ticket";
import { type Judged, Questions, type Verdict } from "./verdict";

interface Question {
  asked: Asked;
  /** Of one lot, because the size is not there yet: it tells what passes, and nothing of the draft. */
  isProbe: boolean;
}
export interface Answer extends Judged {
  isProbe: boolean;
}

async function ask({ asked: found, isProbe }: Question): Promise<Answer> {
  if (!found.contingency) {
    const said = await ok(api.POST("/api/risk/validate", { body: orderBody(found.orders[0]!) }));
    return { ...said, isProbe } as Answer;
  }
  const said = await ok(api.POST("/api/risk/validate/bulk", { body: listBody(found) }));
  const items = said.items as Judged[];
  const first = items[0]!;
  const reasons = items.flatMap((item) => item.reasons).filter((each) => each.reason !== "list_refused");
  const max = items.map((item) => item.order_qty_max).find((each) => each !== null) ?? null;
  return { accepted: said.accepted, reasons, order_qty_max: max, cost: first.cost, isProbe };
}

const AGAIN_MS = 2_000;
const PROBE_NAME = (leg: number): string => `verdict.${leg}`;

export interface Asking {
  verdict: Verdict<Answer>;
  /** What would be sent now, but for its ids; or the field that is wrong. */
  ready: Asked | Wrong;
  around: Around;
  touch: Touch;
  /** The largest quantity that passes, as it was said last. */
  max: string | null;
}

export function useVerdict(draft: Draft, instrument: Instrument, account: string, isOn: boolean): Asking {
  const units = unitsOf(instrument);
  const touch = useTouch(instrument.symbol);
  const [, setCount] = useState(0);
  const [max, setMax] = useState<string | null>(null);
  const questions = useMemo(() => new Questions<Question, Answer>(ask, () => setCount((count) => count + 1)), []);
  const mine = useMemo(() => ({ ...draft, account, symbol: instrument.symbol }), [draft, account, instrument.symbol]);
  // A price that moves is no new draft: what is sized by it is asked again with the next look.
  const byTouch = draft.ordType === "market" || draft.ordType === "trailing_stop";
  const [bid, askPx] = byTouch && draft.unit === "quote" ? [touch.bid, touch.ask] : [null, null];
  // A share is of what passed when it was typed: what passes moves with every price.
  const isShare = draft.unit === "percent";
  const share = useRef<string | null>(null);
  const max_ = useMemo(() => (share.current = isShare ? max : null), [isShare, draft.qty, draft.side, draft.price, instrument.symbol, account, max === null]);

  const { ready, around } = useMemo(() => {
    const found: Around = { units, bid: touch.bid, ask: touch.ask, max: max_ ?? max, now: houseNow() };
    return { ready: asked(mine, found, PROBE_NAME), around: found };
  }, [mine, units, bid, askPx, max_]);

  const last = useRef("null");
  useEffect(() => {
    let next: Question | null = null;
    if (isOn && account && !isWrong(ready)) next = { asked: ready, isProbe: false };
    else if (isOn && account && isWrong(ready) && ready.field === "qty") {
      const probe = asked({ ...mine, unit: "base", qty: instrument.lot_size, iceberg: false }, around, PROBE_NAME);
      if (!isWrong(probe)) next = { asked: probe, isProbe: true };
    }
    const text = JSON.stringify(next);
    if (text === last.current) return; // The same words need no other answer.
    last.current = text;
    questions.about(next);
  }, [questions, ready, around, mine, instrument, account, isOn]);

  useEffect(() => {
    if (!isOn || !account) return undefined;
    const again = (): void => {
      if (document.visibilityState === "visible" && isLive(connectionStore.get())) questions.again();
    };
    const timer = setInterval(again, AGAIN_MS);
    const stop = accountStore(account).onEvents(again);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [questions, account, isOn]);

  const said = questions.verdict.at === "said" ? questions.verdict.found : null;
  const found = said?.cost?.qty_max ?? null;
  useEffect(() => {
    if (found !== null) setMax(found);
  }, [found]);
  useEffect(() => setMax(null), [instrument.symbol, account, draft.side]);

  return { verdict: questions.verdict, ready, around: { ...around, bid: touch.bid, ask: touch.ask, max: max_ ?? max }, touch, max };
}
