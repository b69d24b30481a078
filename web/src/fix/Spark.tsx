/** A small line of the last minutes, drawn as steps; the number beside it is the last of them. */
import { memo } from "react";

const WIDTH = 96;
const HEIGHT = 16;

export const Spark = memo(function Spark({ values }: { values: readonly number[] }) {
  const last = values.at(-1);
  if (last === undefined) return <span className="dim" title="Counted from two answers on.">–</span>;
  const top = Math.max(...values, 1);
  const step = WIDTH / 60;
  const path = values.map((value, nth) => `${nth ? "L" : "M"}${(WIDTH - (values.length - nth) * step).toFixed(1)} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}h${step.toFixed(1)}`).join("");
  return (
    <span className="spark">
      <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"><path d={path} /></svg>
      {last ? last.toFixed(last < 10 ? 1 : 0) : <span className="dim">0</span>}
    </span>
  );
});
