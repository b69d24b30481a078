import { useRef } from "react";
import { Dialog } from "../kit/Dialog";

/** The browser gives a dialog's focus to what has the attribute, which React's own `autoFocus` does not set. */
export const first = (at: HTMLElement | null): void => at?.setAttribute("autofocus", "");

import type { Asked, Side } from "./ticket";

export interface Asking {
  asked: Asked;
  lines: string[];
  why: string[];
}

/** Reads the order back. Enter sends it; Esc returns with the draft as it is. */
export function Confirm({ asking, side, onYes, onNo }: { asking: Asking; side: Side; onYes: () => void; onNo: () => void }) {
  const isSent = useRef(false);
  const yes = (): void => {
    if (isSent.current) return; // Enter on a button is heard twice.
    isSent.current = true;
    onYes();
  };
  return (
    <Dialog
      title={side === "buy" ? "Send this buy order?" : "Send this sell order?"}
      open
      onClose={onNo}
      className={`confirm ${side}`}
      footer={
        <>
          <button type="button" className="button" onClick={onNo}>Back <kbd>Esc</kbd></button>
          <button type="button" className={`button ${side}`} ref={first} onClick={yes}>{side === "buy" ? "Buy" : "Sell"} <kbd>Enter</kbd></button>
        </>
      }
    >
      <div className="order-read">{asking.lines.map((line) => <p key={line}>{line}</p>)}</div>
      {asking.why.length > 0 && <ul className="why">{asking.why.map((each) => <li key={each}>{each}</li>)}</ul>}
    </Dialog>
  );
}
