/** Somebody comes by the link that they were sent, and chooses their own password. */
import { type FormEvent, useState } from "react";
import { api, ok } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { Field } from "../kit/Field";
import { Mark } from "../shell/icons";
import { signIn } from "../shell/session";
import { deviceName } from "./device";
import type { Invitation } from "./invitation";

const SHORTEST = 12;

export function Invited({ link, onLeave }: { link: Invitation; onLeave: () => void }) {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const [isIn, setIn] = useState(false);
  const { tenant, user, code } = link;
  const differ = again !== "" && again !== password;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy || differ || password.length < SHORTEST) return;
    setBusy(true);
    setSaid("");
    try {
      await ok(api.POST("/api/users/invitations/accept", { body: { tenant, user, code, password } }));
      history.replaceState(null, "", location.pathname); // A link is used once, and not kept in the history.
      setIn(true);
      const found = await ok(api.POST("/api/users/login", { body: { tenant, user, password, code: "", device: "", device_name: deviceName(navigator.userAgent), cookie: false } }));
      const problem = await signIn(found.token ?? "");
      if (problem && problem.status !== 403) setSaid(problem.message);
    } catch (error) {
      setSaid((error instanceof Problem ? error : noAnswer(error, true)).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <header><Mark size={40} /><h1>{isIn ? `Welcome, ${user}` : "You are invited"}</h1></header>
        {isIn ? <>
          <p>Your password is set. What you may do here, two others agree to: come back once somebody has told you so.</p>
          {said && <p className="state wrong">{said}</p>}
          <button type="button" className="button main" onClick={onLeave}>Sign in</button>
        </> : <>
          <p className="label">As <b>{user}</b> of <b>{tenant}</b>. Choose a password that nobody else knows: the link is good once.</p>
          <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
          <Field label="Password" name="password" type="password" autoComplete="new-password" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} wrong={said} said="Twelve characters or more: several words are easiest to remember." />
          <Field label="The same again" name="again" type="password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} wrong={differ ? "It is not the same." : null} />
          <button type="submit" className="button main" disabled={isBusy || password.length < SHORTEST || again !== password}>{isBusy ? "Asking" : "Set the password and sign in"}</button>
          <p className="label">You have a password already? <button type="button" className="link" onClick={onLeave}>Sign in</button></p>
        </>}
      </form>
    </main>
  );
}
