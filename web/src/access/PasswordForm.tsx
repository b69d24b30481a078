/** Signing in with a password, and a code where there is a second factor. The session's token lives in this tab, as a key does. */
import { type KeyboardEvent, useState } from "react";
import { api, ok } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { Field } from "../kit/Field";
import { signIn } from "../shell/session";
import { DEVICE, deviceName, keep, read } from "./device";

const TENANT = "fondaco.tenant";

export function PasswordFields() {
  const [tenant, setTenant] = useState(read(TENANT) || "demo");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const isReady = Boolean(tenant && user && password && (!needsCode || code)) && !isBusy;

  const go = async (): Promise<void> => {
    if (!isReady) return;
    setBusy(true);
    setSaid("");
    try {
      const device = read(`${DEVICE} ${tenant}/${user}`);
      const found = await ok(api.POST("/api/users/login", { body: { tenant, user, password, code: code.trim(), device, device_name: deviceName(navigator.userAgent), cookie: false } }));
      if (found.state === "code_needed") {
        setNeedsCode(true);
        return;
      }
      keep(`${DEVICE} ${tenant}/${user}`, found.device ?? "");
      keep(TENANT, tenant);
      const problem = await signIn(found.token ?? "");
      if (problem) setSaid(problem.status === 403 ? `You are ${user}, and have no role yet that may look at anything: somebody who runs the house gives one.` : problem.message);
    } catch (error) {
      const problem = error instanceof Problem ? error : noAnswer(error, false);
      setSaid(problem.status === 401 ? "User, password or code is wrong, or the address was never verified." : problem.message);
    } finally {
      setBusy(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    void go();
  };
  return (
    <>
      <Field label="Tenant" name="organization" autoComplete="organization" value={tenant} onChange={(event) => setTenant(event.target.value)} onKeyDown={onKeyDown} spellCheck={false} />
      <Field label="User" name="username" autoComplete="username" value={user} onChange={(event) => setUser(event.target.value)} onKeyDown={onKeyDown} spellCheck={false} />
      <Field label="Password" name="password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} onKeyDown={onKeyDown} wrong={said} />
      {needsCode && <Field label="Code" name="code" autoComplete="one-time-code" inputMode="numeric" autoFocus value={code} onChange={(event) => setCode(event.target.value)} onKeyDown={onKeyDown} said="Of your authenticator, or a recovery code." />}
      <button type="button" className="button main" disabled={!isReady} onClick={() => void go()}>{isBusy ? "Asking" : "Sign in"}</button>
      <p className="label">Whoever runs the house gives a first password: <code className="mono">fondaco user add</code>.</p>
    </>
  );
}
