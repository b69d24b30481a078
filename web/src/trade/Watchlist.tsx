/** Instruments with live prices: written in place, at most five times a second each. */
import { memo, useEffect, useRef, useState } from "react";
import { parts } from "../kit/format";
import { QualityBadge, Watermark } from "../kit/QualityBadge";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { marketStore } from "../live/stores";
import { useLayout } from "../shell/layouts";
import { openSymbol } from "../shell/routes";
import { useInstruments, useWelcome } from "../shell/session";
import { type Instrument, throttled, unitsOf } from "./ground";

const EVERY_MS = 200;
const FLASHES_MS = 334; // three a second

interface Kept {
  hidden: string[];
}

export const Watchlist = memo(function Watchlist({ symbol }: { symbol: string }) {
  const all = useInstruments();
  const house = useWelcome();
  const [kept, keep] = useLayout<Kept>("watchlist", { hidden: [] });
  const [filter, setFilter] = useState("");
  const shown = all.filter((each) => !kept.hidden.includes(each.symbol) || filter).filter((each) => each.symbol.toLowerCase().includes(filter.trim().toLowerCase()));
  return (
    <section className="panel watchlist" data-panel="watchlist" aria-label="Watchlist">
      <header>
        <h2>Watch</h2>
        <span className="end">
          <input data-filter type="search" className="filter" placeholder="Symbol" aria-label="Find a symbol" value={filter} onChange={(event) => setFilter(event.target.value)} />
        </span>
      </header>
      <div className="body">
        {house && <Watermark environment={house.environment} speed={house.speed} />}
        <table className="table" aria-label="Watchlist">
          <thead><tr><th scope="col">Symbol</th><th scope="col" className="num">Last</th></tr></thead>
          <tbody>
            {shown.map((each) => (
              <Line key={each.symbol} instrument={each} selected={each.symbol === symbol} onShow={kept.hidden.includes(each.symbol) ? () => keep({ hidden: kept.hidden.filter((one) => one !== each.symbol) }) : null} />
            ))}
          </tbody>
        </table>
        {!shown.length && <p className="state">{filter ? `No symbol here contains ${filter}.` : "Nothing is watched. Type a symbol above."}</p>}
        {kept.hidden.length > 0 && !filter && <button type="button" className="link more" onClick={() => keep({ hidden: [] })}>{kept.hidden.length} more</button>}
      </div>
    </section>
  );
});

const Line = memo(function Line({ instrument, selected, onShow }: { instrument: Instrument; selected: boolean; onShow: (() => void) | null }) {
  const units = unitsOf(instrument);
  const { symbol } = instrument;
  const last = useRef<HTMLTableCellElement>(null);
  const [quality, setQuality] = useState("");
  const { flash } = useStore(prefs);
  useEffect(() => {
    let before = "";
    let flashedAt = 0;
    const write = (): void => {
      const price = marketStore.price(symbol);
      const text = price?.last?.price ?? price?.mid?.price ?? null;
      const cell = last.current;
      if (cell && text !== null && text !== before) {
        const [was, is] = [before ? units.ticks(before) : null, units.ticks(text)];
        const shown = parts(units.px(is ?? 0n));
        cell.firstChild!.textContent = is === null ? text : shown.head;
        cell.children[1]!.textContent = is === null ? "" : shown.zeros;
        if (was !== null && is !== null && was !== is) {
          cell.dataset.way = is > was ? "up" : "down";
          const now = performance.now();
          if (flash && now - flashedAt > FLASHES_MS) {
            flashedAt = now;
            cell.classList.remove("flash-up", "flash-down");
            void cell.offsetWidth; // So that the same flash begins anew.
            cell.classList.add(is > was ? "flash-up" : "flash-down");
          }
        }
        before = text;
      }
      setQuality(price?.quality ?? "");
    };
    const slow = throttled(write, EVERY_MS);
    write();
    const stop = marketStore.prices.subscribe(symbol, slow.call);
    return () => {
      slow.stop();
      stop();
    };
  }, [symbol, units, flash]);
  const state = instrument.trading_state;
  return (
    <tr aria-selected={selected} className={quality && quality !== "ok" ? "stale-ground" : undefined}>
      <th scope="row">
        <button type="button" className="pick" onClick={() => (onShow?.(), openSymbol(symbol))} aria-current={selected ? "true" : undefined}>{symbol}</button>
        <QualityBadge quality={quality} />
        {state !== "active" && <span className="chip warn">{state.toUpperCase()}</span>}
        {instrument.restricted && <span className="chip warn">RESTRICTED</span>}
      </th>
      <td className="num last" ref={last}><span>–</span><span className="zeros" /></td>
    </tr>
  );
});

/** The symbol before or after, as the watchlist has them. */
export function neighbour(all: readonly Instrument[], symbol: string, step: 1 | -1): string | null {
  if (!all.length) return null;
  const at = all.findIndex((each) => each.symbol === symbol);
  return all[(at + step + all.length) % all.length]?.symbol ?? null;
}
