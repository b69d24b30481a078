/** What a text changes of another: signs before the lines, so that no colour is needed. */
import { useMemo } from "react";
import { diff, near } from "./diff";

const SIGNS = { same: " ", gone: "−", new: "+" } as const;
const WORDS = { same: "", gone: "gone: ", new: "new: " } as const;

export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => diff(before, after), [before, after]);
  const [gone, come] = [lines.filter(({ kind }) => kind === "gone").length, lines.filter(({ kind }) => kind === "new").length];
  if (!gone && !come) return <p className="label pad">Nothing: the texts are the same.</p>;
  return (
    <>
      <p className="label pad">{come} {come === 1 ? "line comes" : "lines come"}, {gone} {gone === 1 ? "goes" : "go"}.</p>
      <div className="scroll" tabIndex={0} role="region" aria-label={label}>
        <ol className="texts mono">{near(lines).map((line, nth) => (line
          ? <li key={nth} className={line.kind}><span aria-hidden="true">{line.after || ""}</span><i aria-hidden="true">{SIGNS[line.kind]}</i><code><span className="unseen">{WORDS[line.kind]}</span>{line.text || " "}</code></li>
          : <li key={nth} className="left" aria-label="what stays the same"><span /><i /><code>⋯</code></li>))}</ol>
      </div>
    </>
  );
}
