import { type ReactNode, useEffect, useId, useRef } from "react";

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  /** Buttons; the one that acts comes last. */
  footer?: ReactNode;
  wide?: boolean;
  className?: string;
}

/** The browser's own dialog: it keeps focus inside, closes with Esc, and gives focus back. */
export function Dialog({ title, open, onClose, children, footer, wide, className }: DialogProps) {
  const at = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = at.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      const before = document.activeElement;
      dialog.showModal();
      return () => {
        dialog.close();
        if (before instanceof HTMLElement && before.isConnected) before.focus();
      };
    }
    return undefined;
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={at}
      className={`dialog ${wide ? "wide" : ""} ${className ?? ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === at.current && onClose()}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="button quiet" aria-label={`Esc, close: ${title}`} onClick={onClose}>Esc</button>
      </header>
      <div className="body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </dialog>
  );
}
