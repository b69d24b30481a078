import { memo } from "react";
import { MISSING, type Moment, type NumberStyle, type Precision, dayTime, parts, plain, time } from "./format";
import { prefs } from "./prefs";
import { useStore } from "./store";
import { sign } from "./decimal";

interface NumProps extends NumberStyle {
  value: string | null | undefined;
  /** Painted as gain or loss, with its sign. */
  direction?: boolean;
  /** Why there is none. */
  missing?: string;
}

/** A decimal, its ending zeros dimmed. Copying it gives the plain exact value. */
export const Num = memo(function Num({ value, direction, missing, ...style }: NumProps) {
  const { grouping } = useStore(prefs);
  if (value === null || value === undefined || value === "") return <span className="dim" title={missing}>{MISSING}</span>;
  const shown = parts(value, { grouping, ...style, signed: style.signed ?? direction });
  const way = direction ? sign(value) : 0;
  return (
    <span className={way > 0 ? "gain" : way < 0 ? "loss" : undefined} data-value={plain(value)}>
      {shown.sign}
      {shown.head}
      {shown.zeros && <span className={way ? undefined : "zeros"}>{shown.zeros}</span>}
    </span>
  );
});

/** A moment in the chosen zone; the whole of it on hover and for screen readers. */
export const When = memo(function When({ at, precision = "ms" }: { at: Moment; precision?: Precision }) {
  const { zone } = useStore(prefs);
  return (
    <time title={`${dayTime(at, "us", zone)} ${zone}`} dateTime={dayTime(at, "ms", "UTC").replace(" ", "T") + "Z"}>
      {time(at, precision, zone)}
    </time>
  );
});
