/** The order ticket: a draft that reads back as one sentence, judged by the house while it is typed. */
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Field } from "../kit/Field";
import { age, number, rounded } from "../kit/format";
import * as d from "../kit/decimal";
import { prefs } from "../kit/prefs";
import { Segmented } from "../kit/Segmented";
import { useStore } from "../kit/store";
import { accountStore, isLive, marketStore, useAccount, useConnection } from "../live/stores";
import { useAsOf } from "../shell/past";
import { may } from "../shell/session";
import { useArmed } from "./arming";
import { useVerdict } from "./asking";
import { Band } from "./Band";
import { Confirm, type Asking as Ask } from "./Confirm";
import { heard, dismiss, intents, lastAccount, names, place, retry } from "./desk";
import { draft, draftOf, drafts, presets } from "./drafts";
import { type Instrument, unitsOf } from "./ground";
import { type Intent, locked, WORD } from "./life";
import { type Around, asked, type Asked, type Draft, isWrong, type OrdType, sentence, sentences, sizeOf, stepped, type Tif, tifsOf, TYPES, workingPx } from "./ticket";
import { mustAsk, reasons, takenSide } from "./unusual";
import { plain, typed, type Units } from "./units";
import { CostLines, ruleWord, VerdictLine } from "./Verdict";

const show = (text: string, decimals: number): string => number(text, { decimals });

/** What keys, ladder and phone ask of the ticket that is in view. */
export interface TicketDoor {
  send: () => void;
}
export const ticketDoor: { current: TicketDoor | null } = { current: null };

export const Ticket = memo(function Ticket({ instrument, account, alwaysAsk = false, onSent }: {
  instrument: Instrument;
  account: string;
  /** On the phone every order is asked about. */
  alwaysAsk?: boolean;
  /** The house has accepted an order. */
  onSent?: () => void;
}) {
  const units = unitsOf(instrument);
  const all = useStore(drafts);
  const found = all[instrument.symbol] ?? draftOf(instrument.symbol);
  const set = useCallback((change: Partial<Draft>) => draft(instrument.symbol, change), [instrument.symbol]);
  const closed = useClosed(instrument, account);
  const { verdict, ready, around, touch, max } = useVerdict(found, instrument, account, closed.why === null || closed.isOfMarket);
  const waiting = useStore(intents);
  const armed = useArmed();
  const setting = useStore(prefs);
  const [asking, setAsking] = useState<Ask | null>(null);
  const wrong = isWrong(ready) ? ready : null;
  const said = verdict.at === "said" && !verdict.found.isProbe ? verdict.found : null;
  const isLocked = locked(waiting);
  const mine = [...waiting.values()].filter((one) => one.wish.kind === "place" && one.wish.asked.orders[0]?.symbol === instrument.symbol);
  const text = wrong ? null : sentence(withAccount(ready as Asked, account).orders[0]!, units, show);
  const stop = closed.why ?? (isLocked ? "An order is on its way" : null);
  const marketClosed = found.ordType === "market" && oneSided(found, around) ? `No ${found.side === "buy" ? "ask" : "bid"} is displayed: market orders are closed` : null;
  const isReady = !stop && !wrong && !marketClosed && said?.accepted === true;

  const go = useCallback(
    (order: Asked) => {
      setAsking(null);
      void place(order).then(() => {
        const left = intents.get().get(order.orders[0]!.cl_ord_id);
        if (left) return; // Refused, or not known: the draft stays as it is.
        heard.set(`Accepted: ${sentence(order.orders[0]!, units, show)}`);
        if (prefs.get().clearQty) set({ qty: "" });
        onSent?.();
      });
    },
    [set, units, onSent],
  );

  const send = useCallback(() => {
    if (!isReady || locked(intents.get())) return;
    const order = asked({ ...found, account, symbol: instrument.symbol }, around, names());
    if (isWrong(order)) return;
    const why = whyAsk(order, found, around, instrument, account);
    if (alwaysAsk || mustAsk(setting.confirm, why, armed.on)) setAsking({ asked: order, lines: sentences(order, units, show), why });
    else go(order);
  }, [isReady, found, account, instrument, around, alwaysAsk, setting.confirm, armed.on, units, go]);

  useEffect(() => {
    const door = { send };
    ticketDoor.current = door;
    return () => {
      if (ticketDoor.current === door) ticketDoor.current = null;
    };
  }, [send]);

  const label = stop ?? marketClosed ?? (wrong ? wrong.text : verdict.at === "asking" ? "Checking" : verdict.at === "failed" ? "Not checked" : said && !said.accepted ? `Would be refused: ${ruleWord(said.reasons[0]?.reason ?? "")}` : text);
  return (
    <form
      className={`ticket ${found.side}`}
      aria-label="Order ticket"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Band account={account} instrument={instrument} />
      <Sides side={found.side} onChange={(side) => set({ side })} bid={touch.bid} ask={touch.ask} units={units} />
      <Types value={found.ordType} onChange={(ordType) => set({ ordType })} />
      <Size draft={found} set={set} around={around} units={units} max={max} wrong={wrong?.field === "qty" && found.qty ? wrong.text : null} />
      <Prices draft={found} set={set} around={around} units={units} wrong={wrong} />
      <Segmented<Tif>
        label="Time in force"
        value={found.tif}
        choices={(["gtc", "day", "gtd", "ioc", "fok"] as const).map((value) => ({ value, label: value.toUpperCase(), disabled: !tifsOf({ ...found, postOnly: false, iceberg: false, group: found.group === "oco" ? "none" : found.group }).includes(value) }))}
        onChange={(tif) => set({ tif })}
      />
      {found.tif === "gtd" && (
        <Field label="Ends (UTC)" type="datetime-local" value={found.expire.slice(0, 16)} onChange={(event) => set({ expire: event.target.value ? `${event.target.value}:00Z` : "" })} wrong={wrong?.field === "expire" ? wrong.text : null} />
      )}
      <Extras draft={found} set={set} units={units} wrong={wrong} />
      <div className="judged">
        <VerdictLine verdict={verdict} wrong={wrong} units={units} max={max} onTake={(qty) => set({ unit: "base", qty: plain(qty) })} />
        <CostLines cost={said?.cost ?? (verdict.at === "asking" && verdict.last && !verdict.last.isProbe ? verdict.last.cost : null)} isOld={verdict.at !== "said"} quoteDecimals={2} />
      </div>
      <button type="submit" className={`button send ${found.side}`} disabled={!isReady} aria-live="off">
        {label}
      </button>
      {mine.map((one) => <Answer key={one.key} intent={one} units={units} onTake={(qty) => { set({ unit: "base", qty: plain(qty) }); dismiss(one.key); }} />)}
      {asking && <Confirm asking={asking} side={found.side} onYes={() => go(asking.asked)} onNo={() => setAsking(null)} />}
    </form>
  );
});

const withAccount = (order: Asked, account: string): Asked => ({ ...order, orders: order.orders.map((each) => ({ ...each, account_id: account })) });

const oneSided = (found: Draft, around: Around): boolean => (found.side === "buy" ? around.ask : around.bid) === null;

/** What makes this order unusual, as the page sees it now. */
export function whyAsk(order: Asked, found: Draft, around: Around, instrument: Instrument, account: string): string[] {
  const size = sizeOf(found, around);
  if (isWrong(size)) return [];
  return whyUnusual(order, size.lots, instrument, account);
}

export function whyUnusual(order: Asked, lots: bigint, instrument: Instrument, account: string): string[] {
  const units = unitsOf(instrument);
  const first = order.orders[0]!;
  const book = marketStore.book(instrument.symbol);
  const levels = book && !book.catching ? book[takenSide(first.side)] : [];
  const displayed = levels.reduce((sum, [, qty]) => sum + (units.lots(qty) ?? 0n), 0n);
  const store = accountStore(account);
  const held = store.positions.get().find((line) => line.symbol === instrument.symbol);
  const usual = [...store.orders.values()].filter((each) => each.symbol === instrument.symbol).map((each) => units.lots(each.order_qty) ?? 0n).filter((each) => each > 0n);
  const { unusualBps, unusualTimes, unusualDepth } = prefs.get();
  const bid = book?.catching ? null : (book?.bids[0]?.[0] ?? null);
  const ask = book?.catching ? null : (book?.asks[0]?.[0] ?? null);
  return reasons(first, lots, { units, bid, ask, displayed, position: lotsOf(held?.traded_qty, units), usual, lastAccount: lastAccount.get() }, { throughBps: unusualBps, timesUsual: unusualTimes, depthPercent: unusualDepth });
}

function lotsOf(qty: string | undefined, units: Units): bigint {
  if (!qty) return 0n;
  const size = d.toStep(d.abs(qty), units.listed.lot_size, "down");
  const lots = units.lots(d.text(size)) ?? 0n;
  return qty.startsWith("-") ? -lots : lots;
}

/** Why no order may be sent now; `isOfMarket`: reducing ones still may, so the house is asked. */
export function useClosed(instrument: Instrument, account: string): { why: string | null; isOfMarket: boolean } {
  const connection = useConnection();
  const past = useAsOf();
  const shown = useAccount(account);
  if (past) return { why: "Reading the past: nothing is sent", isOfMarket: false };
  if (!account) return { why: "No account", isOfMarket: false };
  if (!may("orders:write")) return { why: "Needs scope orders:write", isOfMarket: false };
  if (connection.state === "catching") return { why: "Catching up: entry is closed", isOfMarket: false };
  if (!isLive(connection)) return { why: "No contact: entry is closed", isOfMarket: false };
  if (shown?.trading_state === "halted" || instrument.trading_state === "halted") return { why: "Trading is halted", isOfMarket: false };
  return { why: null, isOfMarket: true };
}

const Sides = memo(function Sides({ side, onChange, bid, ask, units }: { side: "buy" | "sell"; onChange: (side: "buy" | "sell") => void; bid: string | null; ask: string | null; units: Units }) {
  return (
    <div className="sides" role="radiogroup" aria-label="Side">
      {(["buy", "sell"] as const).map((each) => (
        <label key={each} className={each}>
          <input className="unseen" type="radio" name="side" checked={side === each} onChange={() => onChange(each)} />
          <b>{each === "buy" ? "Buy" : "Sell"}</b>
          <span>{number(each === "buy" ? ask : bid, { decimals: units.pxDecimals })}</span>
        </label>
      ))}
    </div>
  );
});

const Types = memo(function Types({ value, onChange }: { value: OrdType; onChange: (type: OrdType) => void }) {
  return (
    <div className="types" role="radiogroup" aria-label="Order type">
      {TYPES.map((type) => (
        <label key={type.value}>
          <input className="unseen" type="radio" name="type" checked={value === type.value} onChange={() => onChange(type.value)} />
          {type.word}
        </label>
      ))}
    </div>
  );
});

interface PartProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  units: Units;
}

function Size({ draft: found, set, around, units, max, wrong }: PartProps & { around: Around; max: string | null; wrong: string | null }) {
  const { base, quote } = units.listed;
  const size = sizeOf(found, around);
  const px = workingPx(found, around);
  const said = isWrong(size) ? null
    : found.unit === "base" ? (px === null ? null : `≈ ${rounded(units.notional(px, size.lots), 2)} ${quote}`)
    : size.cash !== null ? `${number(size.cash)} ${quote}, about ${number(units.qty(size.lots))} ${base}`
    : `= ${number(units.qty(size.lots))} ${base}${px === null ? "" : `, ${rounded(units.notional(px, size.lots), 2)} ${quote}`}`;
  const seen = useRef<bigint | null>(null); // without a market the sizes that are offered stay as they were
  const near = px ?? (around.ask === null ? seen.current : units.ticks(around.ask));
  seen.current = near;
  const offered = useMemo(() => presets(near, (lots) => (near === null ? 0 : Number(units.notional(near, lots)))), [near === null ? 0 : near.toString().length, units]);
  return (
    <div className="size">
      <Field
        label="Quantity"
        inputMode="decimal"
        autoComplete="off"
        data-ticket="qty"
        value={found.qty}
        onChange={(event) => set({ qty: event.target.value })}
        wrong={wrong}
        said={said ?? " "}
        unit={
          <select aria-label="Unit of quantity" value={found.unit} onChange={(event) => set({ unit: event.target.value as Draft["unit"], qty: "" })}>
            <option value="base">{base}</option>
            <option value="quote">{quote}</option>
            <option value="percent">% of max</option>
          </select>
        }
        end={max !== null && <button type="button" className="link" onClick={() => set({ unit: "base", qty: plain(max) })} title="The largest that passes every rule now">max {number(plain(max))}</button>}
      />
      <div className="presets" role="group" aria-label="Quantity presets">
        {found.unit === "percent"
          ? ["5", "10", "25", "50", "100"].map((each) => <button key={each} type="button" className="chip" onClick={() => set({ qty: each })}>{each} %</button>)
          : offered.map((lots, nth) => (
            <button key={nth} type="button" className="chip" title={`Key ${nth + 1} while armed`} onClick={() => set({ unit: "base", qty: plain(units.qty(lots)) })}>
              {plain(units.qty(lots))}
            </button>
          ))}
      </div>
    </div>
  );
}

function Price({ name, field, draft: found, set, units, touch, wrong }: PartProps & { name: string; field: "price" | "stopPx" | "trail" | "otherStop" | "target" | "guard"; touch: string | null; wrong: string | null }) {
  const value = found[field];
  const step = (by: bigint): void => set({ [field]: stepped(value, by, units, touch) });
  const understood = typed(value);
  const echo = understood !== null && understood !== value.trim() ? number(understood) : null;
  return (
    <div className="price">
      <Field
        label={name}
        inputMode="decimal"
        autoComplete="off"
        data-ticket={field}
        value={value}
        onChange={(event) => set({ [field]: event.target.value })}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          event.stopPropagation();
          step((event.key === "ArrowUp" ? 1n : -1n) * (event.shiftKey ? 10n : 1n));
        }}
        wrong={value.trim() ? wrong : null}
        said={echo}
        unit={units.listed.quote}
      />
      <span className="steps">
        <button type="button" className="button" aria-label={`${name}: one tick down`} onClick={() => step(-1n)}>−</button>
        <button type="button" className="button" aria-label={`${name}: one tick up`} onClick={() => step(1n)}>+</button>
      </span>
    </div>
  );
}

function Prices({ draft: found, set, around, units, wrong }: PartProps & { around: Around; wrong: { field: string; text: string } | null }) {
  const own = found.side === "buy" ? around.bid : around.ask;
  const of = (field: string): string | null => (wrong?.field === field ? wrong.text : null);
  const type = found.ordType;
  return (
    <>
      {(type === "stop" || type === "stop_limit") && <Price name="Stop price" field="stopPx" draft={found} set={set} units={units} touch={around.ask} wrong={of("stopPx")} />}
      {type === "trailing_stop" && <Price name="Trails by" field="trail" draft={found} set={set} units={units} touch={null} wrong={of("trail")} />}
      {(type === "limit" || type === "stop_limit") && (
        <div>
          <Price name="Limit price" field="price" draft={found} set={set} units={units} touch={own} wrong={of("price")} />
          <div className="presets" role="group" aria-label="Price from the touch">
            {([["Bid", around.bid], ["Ask", around.ask]] as const).map(([name, px]) => (
              <button key={name} type="button" className="chip" disabled={px === null} onClick={() => px !== null && set({ price: around.units.px(around.units.ticks(px) ?? 1n) })}>{name} {number(px, { decimals: units.pxDecimals })}</button>
            ))}
          </div>
        </div>
      )}
    </>
  );
}

function Extras({ draft: found, set, units, wrong }: PartProps & { wrong: { field: string; text: string } | null }) {
  const of = (field: string): string | null => (wrong?.field === field ? wrong.text : null);
  const isLimit = found.ordType === "limit";
  const chip = (word: string, on: boolean, change: Partial<Draft>, off: string | null = null) => (
    <button key={word} type="button" className="chip" aria-pressed={on} disabled={off !== null} title={off ?? undefined} onClick={() => set(change)}>{word}</button>
  );
  return (
    <div className="extras">
      <div className="choices" role="group" aria-label="Extras">
        {chip("Post-only", found.postOnly, found.postOnly ? { postOnly: false } : rests(found, { postOnly: true }), isLimit ? null : "For limit orders")}
        {chip("Reduce-only", found.reduceOnly, { reduceOnly: !found.reduceOnly }, found.group === "bracket" ? "A bracket opens a position" : null)}
        {chip("Iceberg", found.iceberg, found.iceberg ? { iceberg: false } : rests(found, { iceberg: true, group: "none" }), isLimit ? null : "For limit orders")}
        {chip("OCO", found.group === "oco", found.group === "oco" ? { group: "none" } : rests(found, { group: "oco" }), isLimit ? null : "For limit orders")}
        {chip("Bracket", found.group === "bracket", { group: found.group === "bracket" ? "none" : "bracket" })}
      </div>
      {found.iceberg && <Field label="Shown quantity" inputMode="decimal" autoComplete="off" value={found.display} unit={units.listed.base} onChange={(event) => set({ display: event.target.value })} wrong={found.display ? of("display") : null} />}
      {found.group === "oco" && <Price name="Or stop at" field="otherStop" draft={found} set={set} units={units} touch={null} wrong={of("otherStop")} />}
      {found.group === "bracket" && (
        <>
          <Price name="Take profit" field="target" draft={found} set={set} units={units} touch={null} wrong={of("target")} />
          <Price name="Stop loss" field="guard" draft={found} set={set} units={units} touch={null} wrong={of("guard")} />
        </>
      )}
    </div>
  );
}

/** What rests takes the place of a time in force that does not. */
const rests = (found: Draft, change: Partial<Draft>): Partial<Draft> =>
  found.tif === "ioc" || found.tif === "fok" ? { tif: "gtc", ...change } : change;

/** What became of a click that is not a plain yes. */
function Answer({ intent, units, onTake }: { intent: Intent; units: Units; onTake: (qty: string) => void }) {
  const order = intent.wish.kind === "place" ? intent.wish.asked.orders[0] : undefined;
  const text = order ? sentence(order, units, show) : "";
  const { refusal } = intent;
  if (intent.stage !== "refused") {
    const since = age(Date.now() - intent.since);
    return (
      <p className={`wish ${intent.stage}`} role="status">
        <span className={`status ${intent.stage === "sending" ? "sending" : "unknown"}`}><span>{WORD[intent.stage]}</span></span> {text}
        {intent.stage === "unknown" && <span className="dim"> The line was cut {since ? `${since} ago` : ""}; the account's stream will say.</span>}
      </p>
    );
  }
  return (
    <div className="wish refused" role="alert">
      <p><span className="status refused"><span>Refused</span></span> {text}</p>
      <p>{refusal?.code ? <b>{ruleWord(refusal.code)}: </b> : null}{refusal?.text}</p>
      {refusal?.limit && <p className="dim">value {number(refusal.value)} · limit {number(refusal.limit)} · over by {number(refusal.distance)} {refusal.unit}</p>}
      <div className="row">
        {refusal?.largest && !d.isZero(refusal.largest) && <button type="button" className="button" onClick={() => onTake(refusal.largest!)}>Take {number(plain(refusal.largest))}, which passes</button>}
        {refusal?.code === "never_came" && <button type="button" className="button" onClick={() => retry(intent.key)}>Send it again</button>}
        <button type="button" className="button quiet" onClick={() => dismiss(intent.key)}>Dismiss</button>
      </div>
    </div>
  );
}
