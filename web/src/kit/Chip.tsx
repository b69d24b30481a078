import type { ButtonHTMLAttributes, ReactNode } from "react";

type Tone = "warn" | "critical" | "info" | "plain";

/** A small fact in a frame. With `onClick` it is a button. */
export function Chip({ tone, children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return <span className={`chip ${tone ?? ""}`} title={title}>{children}</span>;
}

/** A filter that is on or off. */
export function ToggleChip({ on, children, ...rest }: { on: boolean; children: ReactNode } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className="chip" aria-pressed={on} {...rest}>{children}</button>;
}
