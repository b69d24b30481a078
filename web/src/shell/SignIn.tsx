import { type FormEvent, useState } from "react";
import { signedOut } from "../client/api";
import { type Invitation, invitation } from "../access/invitation";
import { Invited } from "../access/Invited";
import { PasskeyFields } from "../access/PasskeyForm";
import { PasswordFields } from "../access/PasswordForm";
import { Providers } from "../access/Providers";
import { Field } from "../kit/Field";
import { Ribbon } from "../kit/QualityBadge";
import { Segmented } from "../kit/Segmented";
import { useStore } from "../kit/store";
import { Mark } from "./icons";
import { signIn, start, trouble, useWelcome } from "./session";

type Way = "passkey" | "password" | "key";

/** Which house, and whether it serves, before anything is typed; then a passkey, a password and a code, or a key. */
export function SignIn() {
  const [link, setLink] = useState<Invitation | null>(() => invitation(location.hash));
  return link ? <Invited link={link} onLeave={() => { history.replaceState(null, "", location.pathname); setLink(null); }} /> : <Ways />;
}

function Ways() {
  const house = useWelcome();
  const wrong = useStore(trouble);
  const ended = useStore(signedOut);
  const [key, setKey] = useState("");
  const [isShown, setShown] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const [way, setWay] = useState<Way>("key");

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (way !== "key" || !key.trim() || isBusy) return;
    setBusy(true);
    setSaid("");
    const problem = await signIn(key);
    setBusy(false);
    if (problem) setSaid(problem.status === 401 ? "This key is not taken: it is unknown, revoked or expired." : problem.message);
  };

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <header>
          <Mark size={40} />
          <h1>{house?.name ?? "Fondaco"}</h1>
          {house && <Ribbon environment={house.environment} speed={house.speed} />}
        </header>
        <p className="label" role="status">
          {wrong ? `The house does not answer: ${wrong.message}` : house ? `Version ${house.version} · feed ${house.feed || "none"} · serving` : "Asking the house …"}
          {wrong && <> <button type="button" className="link" onClick={() => void start()}>Ask again</button></>}
        </p>
        {ended && !said && <p className="state wrong">Signed out: {ended}</p>}
        <Providers />
        <Segmented<Way> label="Sign in with" value={way} onChange={setWay} choices={[{ value: "passkey", label: "Passkey" }, { value: "password", label: "Password" }, { value: "key", label: "Key" }]} />
        {way === "passkey" ? <PasskeyFields /> : way === "password" ? <PasswordFields /> : <>
        <input type="text" name="username" autoComplete="username" value="api-key" readOnly hidden />
        <Field
          label="API key"
          name="password"
          type={isShown ? "text" : "password"}
          autoComplete="current-password"
          value={key}
          onChange={(event) => setKey(event.target.value)}
          wrong={said}
          said="It stays in this tab and goes with it."
          spellCheck={false}
          end={<button type="button" className="link" aria-pressed={isShown} onClick={() => setShown(!isShown)}>{isShown ? "Hide" : "Show"}</button>}
        />
        <button type="submit" className="button main" disabled={!key.trim() || isBusy}>{isBusy ? "Asking" : "Sign in"}</button>
        <p className="label">No key? Whoever runs the house makes one: <code className="mono">fondaco key create</code>. {house?.token ? <button type="button" className="link" onClick={() => void signIn(house.token)}>Use the demo key</button> : null}</p>
        </>}
      </form>
    </main>
  );
}
