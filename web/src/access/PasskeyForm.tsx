/** Signing in with a passkey alone: the device knows who it is, and asks for a finger, a face or a PIN. */
import { useState } from "react";
import { Problem } from "../client/problem";
import { signIn } from "../shell/session";
import { canPasskey, signInWith, whyNot } from "./credentials";

export function PasskeyFields() {
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const go = async (): Promise<void> => {
    setBusy(true);
    setSaid("");
    try {
      const problem = await signIn(await signInWith());
      if (problem) setSaid(problem.message);
    } catch (error) {
      setSaid(error instanceof Problem ? (error.status === 401 ? "This passkey is not taken: the house does not know it, or it was removed." : error.message) : whyNot(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" className="button main" disabled={isBusy || !canPasskey()} onClick={() => void go()}>{isBusy ? "The device asks you" : "Sign in with a passkey"}</button>
      {said && <p className="state wrong" role="alert">{said}</p>}
      <p className="label">{canPasskey() ? "The device that has it asks for your finger, your face or its PIN; the house never sees them. Make one under Access, You, once you are signed in." : "This browser knows no passkeys, or the page did not come over a safe connection."}</p>
    </>
  );
}
