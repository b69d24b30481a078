/** One column beside the chart: moved by its header, widened by its edge, put away by its menu; keys do the same. */
import { type PointerEvent, type ReactNode, useRef, useState } from "react";
import { type Column as Name, type Columns, edgeOf, leastOf, moved, resized, type Side, stepped, TITLES, turned, WIDEST, widthOf } from "./columns";

const SLACK_PX = 8; // a press that moves less is a click
const STEP_PX = 16;

interface Props {
  side: Side;
  columns: Columns;
  drawn: readonly Name[];
  keep: (columns: Columns) => void;
  children: ReactNode;
}

export function Column({ side, columns, drawn, keep, children }: Props) {
  const at = useRef<HTMLDivElement>(null);
  const pressed = useRef<{ x: number; over: Name } | null>(null);
  const [isMoving, setMoving] = useState(false);
  const edge = edgeOf(drawn, side);
  const end = (): void => {
    pressed.current = null;
    setMoving(false);
    mark(null);
  };
  const down = (event: PointerEvent<HTMLDivElement>): void => {
    const on = event.target as HTMLElement;
    if (event.button || !on.closest("header") || on.closest("button, select, input, label, a")) return;
    pressed.current = { x: event.clientX, over: side };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent<HTMLDivElement>): void => {
    const begun = pressed.current;
    if (!begun || (!isMoving && Math.abs(event.clientX - begun.x) < SLACK_PX)) return;
    setMoving(true);
    begun.over = under(event.clientX) ?? begun.over;
    mark(begun.over === side ? null : begun.over);
  };
  const up = (): void => {
    const begun = pressed.current;
    if (begun && isMoving) keep(moved(columns, side, begun.over));
    end();
  };
  const menu = `column-${side}`;
  return (
    <div ref={at} className="column" data-column={side} data-moving={isMoving || undefined} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={end} onKeyDown={(event) => event.key === "Escape" && isMoving && end()}>
      {children}
      <button type="button" className="column-more" popoverTarget={menu} aria-label={`Place of the ${TITLES[side]}`}>⋮</button>
      <div id={menu} popover="auto" className="menu-list">
        <button type="button" popoverTarget={menu} disabled={drawn[0] === side} onClick={() => keep(stepped(columns, side, -1))}>Move to the left</button>
        <button type="button" popoverTarget={menu} disabled={drawn.at(-1) === side} onClick={() => keep(stepped(columns, side, 1))}>Move to the right</button>
        <button type="button" popoverTarget={menu} onClick={() => keep(turned(columns, side))}>Put away</button>
      </div>
      <div
        className={`edge ${edge}`}
        role="separator"
        tabIndex={0}
        aria-orientation="vertical"
        aria-label={`Width of the ${TITLES[side]}`}
        aria-valuenow={widthOf(columns, side)}
        aria-valuemin={leastOf(side)}
        aria-valuemax={WIDEST}
        onPointerDown={(event) => {
          event.stopPropagation();
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
          const box = at.current!.getBoundingClientRect();
          keep(resized(columns, side, edge === "end" ? event.clientX - box.left : box.right - event.clientX));
        }}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -STEP_PX, ArrowRight: STEP_PX }[event.key];
          if (!step) return;
          event.preventDefault();
          event.stopPropagation();
          keep(resized(columns, side, widthOf(columns, side) + (edge === "end" ? step : -step)));
        }}
      />
    </div>
  );
}

const places = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".trade > [data-column]")];

function under(x: number): Name | null {
  const found = places().find((each) => {
    const box = each.getBoundingClientRect();
    return x >= box.left && x < box.right;
  });
  return (found?.dataset.column as Name | undefined) ?? null;
}

/** Where it would stand, if the hand let go now. */
function mark(name: Name | null): void {
  for (const each of places()) each.toggleAttribute("data-drop", each.dataset.column === name);
}
