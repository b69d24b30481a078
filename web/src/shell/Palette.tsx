/** Ctrl/⌘ K: go, find an order or a symbol, run an action. Each with its key. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "../kit/store";
import { accountStore } from "../live/stores";
import { commands, commandsChanged, keysOf } from "./keys";
import { openOrder, openSymbol } from "./routes";
import { accountId, useInstruments } from "./session";

export interface Found {
  key: string;
  kind: "symbol" | "order" | "action";
  title: string;
  note: string;
  keys: string;
  danger?: boolean;
  off?: string;
  run: () => void;
  words?: string;
}

const SHOWN_MAX = 12;
const RECENT = "fondaco.recent";

/** How well `found` answers `asked`; 0: not at all. Exact symbol first, then recent, then where words begin. */
export function rank(found: Pick<Found, "key" | "kind" | "title" | "words">, asked: string, recent: readonly string[]): number {
  const text = `${found.title} ${found.words ?? ""}`.toLowerCase();
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.every((word) => text.includes(word) || squeezed(text).includes(squeezed(word)))) return 0;
  let score = 1;
  if (found.kind === "symbol" && squeezed(found.title) === squeezed(asked)) score += 1000;
  const at = recent.indexOf(found.key);
  if (at >= 0) score += 100 - at;
  if (words[0] && text.startsWith(words[0])) score += 50;
  score += words.filter((word) => text.split(/[\s-]+/).some((each) => each.startsWith(word))).length * 10;
  return found.kind === "order" && !asked ? 0 : score;
}
const squeezed = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

function recentOnes(): string[] {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? "[]") as string[];
  } catch {
    return [];
  }
}
function remember(key: string): void {
  try {
    localStorage.setItem(RECENT, JSON.stringify([key, ...recentOnes().filter((each) => each !== key)].slice(0, 20)));
  } catch {
    // Nothing is remembered then.
  }
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const changed = useStore(commandsChanged);
  const listed = useInstruments();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const all = useMemo((): Found[] => {
    const symbols = listed.map((each): Found => ({ key: `s ${each.symbol}`, kind: "symbol", title: each.symbol, note: "symbol", keys: "", run: () => openSymbol(each.symbol) }));
    const orders = [...accountStore(accountId.get()).orders.values()].map((order): Found => ({
      key: `o ${order.order_id}`,
      kind: "order",
      title: `Order ${order.order_id}`,
      note: `${order.side} ${order.order_qty} ${order.symbol} · ${order.ord_status}`,
      words: `${order.cl_ord_id} ${order.symbol} ${order.side}`,
      keys: "",
      run: () => openOrder(order.order_id),
    }));
    const actions = commands().map((command): Found => ({
      key: `c ${command.title}`,
      kind: "action",
      title: command.title,
      note: command.of,
      keys: keysOf(command),
      danger: command.danger,
      off: command.unless?.(),
      words: command.words,
      run: command.run,
    }));
    return [...symbols, ...actions, ...orders];
    // `changed` counts the commands that come and go.
  }, [listed, changed]);

  const found = useMemo(() => {
    const recent = recentOnes();
    return all
      .map((each) => [rank(each, asked, recent), each] as const)
      .filter(([score]) => score > 0)
      .sort((a, b) => b[0] - a[0])
      .slice(0, SHOWN_MAX)
      .map(([, each]) => each);
  }, [all, asked]);
  const chosen = found[Math.min(at, found.length - 1)];

  const run = (each: Found | undefined): void => {
    if (!each || each.off) return;
    remember(each.key);
    dialog.current?.close();
    onClose();
    each.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((now) => Math.max(0, Math.min(found.length - 1, now + step)));
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };

  return (
    <dialog ref={dialog} className="dialog palette" aria-label="Command palette" onCancel={onClose} onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosen ? `palette-${found.indexOf(chosen)}` : undefined}
        aria-label="Go to, find, or do"
        placeholder="Go to, find an order or a symbol, run an action"
        value={asked}
        onChange={(event) => {
          setAsked(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        autoFocus
        spellCheck={false}
        autoComplete="off"
      />
      <ul id="palette-list" role="listbox" aria-label="Found">
        {found.map((each, nth) => (
          <li
            key={each.key}
            id={`palette-${nth}`}
            role="option"
            aria-selected={each === chosen}
            aria-disabled={each.off ? true : undefined}
            onPointerMove={() => setAt(nth)}
            onClick={() => run(each)}
          >
            <span>{each.title}{each.danger ? " …" : ""}</span>
            <span className="label">{each.off || each.note}</span>
            {each.keys && <kbd>{each.keys}</kbd>}
          </li>
        ))}
      </ul>
      {!found.length && <p className="state">Nothing by that name. Symbols, orders of this account and actions are searched.</p>}
    </dialog>
  );
}
