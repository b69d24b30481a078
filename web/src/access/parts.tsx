/** What the pages of Access share: asking for a change, what waits for a second person, and secrets that are shown once. */
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { noAnswer, Problem } from "../client/problem";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { dayTime } from "../kit/format";
import { ErrorPanel } from "../kit/states";
import { address } from "../shell/routes";
import { useAccountId } from "../shell/session";

/** Nanoseconds since 1970, as text or as a number that lost its last digits. */
export const at = (nanoseconds: string | number): string => dayTime(BigInt(nanoseconds), "s");
export const words = (operation: string): string => operation.split(".").pop()!.replaceAll("_", " ");
/** With its room, where nothing else says of what it is: "webhooks: create". */
export const named = (operation: string): string => operation.replace(".", ": ").replaceAll("_", " ");
export const isHeld = (problem: Problem | null): boolean => problem?.code === "needs_second";

/** Not done, and no fault: somebody else must agree first. */
export function Waits({ problem }: { problem: Problem }) {
  const account = useAccountId();
  const [id, ...rest] = problem.message.split(": ");
  return (
    <div className="state waits" role="status">
      <p className="said"><span className="chip info">waits for a second person</span> <span className="mono">{id}</span></p>
      <p>{rest.join(": ")}</p>
      <p><a href={address("access", ["approvals"], { account })}>See it among what waits</a></p>
    </div>
  );
}

export function Outcome({ problem, retry }: { problem: Problem | null; retry?: () => void }) {
  if (!problem) return null;
  return isHeld(problem) ? <Waits problem={problem} /> : <ErrorPanel problem={problem} retry={retry} />;
}

export interface Doing {
  isBusy: boolean;
  problem: Problem | null;
  /** Whether it went well. */
  run: (ask: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useDoing(): Doing {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async (ask: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await ask();
      return true;
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run, clear: () => setProblem(null) };
}

interface AskProps {
  title: string;
  /** What the button says, as a sentence. */
  act: string;
  danger?: boolean;
  wide?: boolean;
  /** Nothing can be sent before. */
  ready?: boolean;
  /** Where a reason is kept with it. */
  reasoned?: boolean;
  said?: string;
  send: (reason: string) => Promise<unknown>;
  onDone: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** A change, asked for in a dialog: what it is, why, and what became of it. */
export function Ask({ title, act, danger, wide, ready = true, reasoned = true, said = "Kept in the journal, with your name.", send, onDone, onClose, children }: AskProps) {
  const id = useId();
  const [reason, setReason] = useState("");
  const { isBusy, problem, run } = useDoing();
  const isOver = isHeld(problem);
  const isReady = ready && !isBusy && !isOver && (!reasoned || reason.trim().length >= 3);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isReady && (await run(() => send(reason.trim())))) {
      onDone();
      onClose();
    }
  };
  const close = (): void => {
    if (isOver) onDone();
    onClose();
  };
  return (
    <Dialog title={title} open wide={wide} onClose={close} footer={isOver ? <button type="button" className="button main" onClick={close}>Close</button> : <>
      <button type="button" className="button quiet" onClick={close}>Leave it</button>
      <button type="submit" form={id} className={danger ? "button danger" : "button main"} disabled={!isReady}>{isBusy ? "Asking" : act}</button>
    </>}>
      <form id={id} className="ask" onSubmit={(event) => void submit(event)}>
        {!isOver && children}
        {!isOver && reasoned && <Field label="Reason" value={reason} maxLength={200} autoComplete="off" onChange={(event) => setReason(event.target.value)} said={said} />}
        <Outcome problem={problem} />
      </form>
    </Dialog>
  );
}

/** A secret that is never shown again: it does not go before somebody says that they have it. */
export function Once({ title, secret, name, children, onClose }: { title: string; secret: string; name: string; children?: ReactNode; onClose: () => void }) {
  const [said, setSaid] = useState("");
  const copy = (): void => void navigator.clipboard.writeText(secret).then(() => setSaid("Copied."), () => setSaid("The browser let nothing be copied: mark it and press Ctrl+C."));
  return (
    <Dialog title={title} open wide onClose={() => setSaid("It is shown this once. Say that you have kept it.")} footer={<button type="button" className="button main" onClick={onClose}>I have kept it</button>}>
      <div className="ask">
        <p>{name} is shown this once. The house keeps only what it takes to know it again.</p>
        <output className="secret mono" aria-label={name}>{secret}</output>
        <div className="row"><button type="button" className="button" autoFocus onClick={copy}>Copy</button><span className="label" role="status">{said}</span></div>
        {children}
      </div>
    </Dialog>
  );
}

/** Codes that sign in once each, in place of a code or a passkey. */
export function Codes({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  return (
    <Once title="Recovery codes" name="This list" secret={codes.join("\n")} onClose={onClose}>
      <p>Each of them signs you in once, where your device is lost. Write them down, or keep them where your passwords are not.</p>
    </Once>
  );
}

/** Some of a few, all in view. */
export function Picks({ label, all, chosen, onChange, said, disabled }: { label: string; all: readonly string[]; chosen: readonly string[]; onChange: (chosen: string[]) => void; said?: ReactNode; disabled?: readonly string[] }) {
  return (
    <fieldset className="picks">
      <legend className="label">{label}</legend>
      <div>{all.map((each) => (
        <label key={each} className="check">
          <input type="checkbox" checked={chosen.includes(each)} disabled={disabled?.includes(each)} onChange={(event) => onChange(event.target.checked ? [...chosen, each] : chosen.filter((other) => other !== each))} />
          {each}
        </label>
      ))}</div>
      {said && <p className="label">{said}</p>}
    </fieldset>
  );
}
