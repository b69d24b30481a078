/** The states that every panel shares: nothing there, reading, failed, cut off, no right. Designed once. */
import { type ReactNode, useEffect, useState } from "react";
import { Problem } from "../client/problem";

interface Doing {
  label: string;
  act: () => void;
  keys?: string;
}

function Action({ doing }: { doing: Doing }) {
  return <button type="button" className="button" onClick={doing.act}>{doing.label}{doing.keys && <kbd>{doing.keys}</kbd>}</button>;
}

/** One line and one action, under the panel's own header and columns. */
export function Empty({ children, action }: { children: ReactNode; action?: Doing }) {
  return <div className="state"><p>{children}</p>{action && <Action doing={action} />}</div>;
}

/** Nothing for the first 150 ms, then still bars where digits come; after 3 s it says what it waits for. */
export function Loading({ rows = 4, waitsFor }: { rows?: number; waitsFor: string }) {
  const [since, setSince] = useState<0 | 1 | 2>(0);
  useEffect(() => {
    const first = setTimeout(() => setSince(1), 150);
    const second = setTimeout(() => setSince(2), 3_000);
    return () => {
      clearTimeout(first);
      clearTimeout(second);
    };
  }, []);
  return (
    <div aria-busy="true">
      <div className="bars" style={{ visibility: since ? "visible" : "hidden" }} aria-hidden="true">
        {Array.from({ length: rows }, (_, row) => <i key={row} />)}
      </div>
      <p className="state" role="status">{since === 2 ? waitsFor : <span className="unseen">{waitsFor}</span>}</p>
    </div>
  );
}

const REACHED = {
  no: "No. Nothing was sent to the venue.",
  yes: "Yes, the venue has it.",
  unknown: "Not known yet; it is being asked.",
} as const;

/** In the panel that failed. Says whether it reached the venue, whether to retry, and what is true now. */
export function ErrorPanel({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const state = Object.entries(problem.state).map(([name, value]) => `${name} ${String(value)}`).join(", ");
  return (
    <div className="state wrong" role="alert">
      <p className="said">{problem.message}</p>
      <dl>
        <dt>Reached the venue</dt>
        <dd>{REACHED[problem.reached_venue]}</dd>
        <dt>Try again</dt>
        <dd>{problem.retryable ? "Yes, the same request may pass later." : "No, the same request will fail again."}</dd>
        {state && <><dt>True now</dt><dd>{state}</dd></>}
        {problem.request_id && <><dt>Request</dt><dd className="mono">{problem.request_id}</dd></>}
      </dl>
      <div className="row">
        {retry && <button type="button" className="button" onClick={retry}>Retry</button>}
        {problem.request_id && (
          <button type="button" className="button quiet" onClick={() => void navigator.clipboard.writeText(problem.request_id)}>Copy request id</button>
        )}
      </div>
    </div>
  );
}

/** A refusal: rule, value, limit, distance, and the largest that passes as one click. */
export function Refusal({ problem, onTake }: { problem: Problem; onTake?: (largest: string) => void }) {
  const { rule, value, limit, distance, largest } = problem;
  return (
    <div className="state wrong" role="alert">
      <p className="said">{problem.message}</p>
      <dl>
        {rule && <><dt>Rule</dt><dd>{rule}</dd></>}
        {value && <><dt>Value</dt><dd>{value}</dd></>}
        {limit && <><dt>Limit</dt><dd>{limit}</dd></>}
        {distance && <><dt>Over by</dt><dd>{distance}</dd></>}
      </dl>
      {largest && onTake && <button type="button" className="button" onClick={() => onTake(largest)}>Take {largest}, which passes</button>}
    </div>
  );
}

/** Visible but disabled, with the missing right and who grants it. */
export function NoRight({ scope }: { scope: string }) {
  return <div className="state"><p>Needs scope <code className="mono">{scope}</code>. An administrator of your tenant grants it with a new key.</p></div>;
}
