/** A code that changes every half minute, of an authenticator on another device. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { Field } from "../kit/Field";
import { Ask, Codes } from "./parts";

type Step = "" | "password" | "remove";

export function SecondFactor({ has, left, again }: { has: boolean; left: number; again: () => void }) {
  const [step, setStep] = useState<Step>("");
  const [begun, setBegun] = useState<Schemas["EnrolReply"] | null>(null);
  const [codes, setCodes] = useState<readonly string[]>([]);
  return (
    <section className="panel" data-panel aria-label="Second factor">
      <header>
        <h2>Second factor</h2>
        <span className="label lead">{has ? `On: a password alone signs nobody in. ${left} recovery codes left.` : "Off: whoever knows your password is you."}</span>
        <div className="end">{has ? <button type="button" className="button" onClick={() => setStep("remove")}>Remove it</button> : <button type="button" className="button main" onClick={() => setStep("password")}>Set one up</button>}</div>
      </header>
      {has && left > 0 && left < 4 && <p className="state"><span><span className="chip warn">few recovery codes</span> Remove the factor and set it up again to get new ones.</span></p>}
      {step === "password" && <Begin onBegun={setBegun} onClose={() => setStep("")} />}
      {begun && <Confirm begun={begun} onCodes={setCodes} onDone={again} onClose={() => setBegun(null)} />}
      {step === "remove" && <Remove onDone={again} onClose={() => setStep("")} />}
      {codes.length > 0 && <Codes codes={codes} onClose={() => setCodes([])} />}
    </section>
  );
}

function Begin({ onBegun, onClose }: { onBegun: (begun: Schemas["EnrolReply"]) => void; onClose: () => void }) {
  const [password, setPassword] = useState("");
  return (
    <Ask title="Set up a second factor" act="Show the secret" reasoned={false} ready={Boolean(password)} onClose={onClose} onDone={() => undefined} send={async () => onBegun(await ok(api.POST("/api/users/totp", { body: { password } })))}>
      <p>You need an authenticator: an app on a phone, or a password manager that makes codes.</p>
      <Field label="Your password" type="password" autoComplete="current-password" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />
    </Ask>
  );
}

function Confirm({ begun, onCodes, onDone, onClose }: { begun: Schemas["EnrolReply"]; onCodes: (codes: readonly string[]) => void; onDone: () => void; onClose: () => void }) {
  const [code, setCode] = useState("");
  const digits = code.replace(/\s/g, "");
  return (
    <Ask title="Set up a second factor" act="Turn it on" reasoned={false} ready={/^\d{6}$/.test(digits)} onClose={onClose} onDone={onDone} send={async () => onCodes((await ok(api.POST("/api/users/totp/confirm", { body: { code: digits } }))).recovery_codes)}>
      <figure className="enrol">
        <img src={begun.picture} width={184} height={184} alt="The secret, for your authenticator to read" />
        <figcaption><p>Let the authenticator read it, or type the secret:</p><p className="mono secret-text">{begun.secret.replace(/(.{4})/g, "$1 ")}</p></figcaption>
      </figure>
      <Field label="Code that it shows" inputMode="numeric" autoComplete="one-time-code" autoFocus value={code} onChange={(event) => setCode(event.target.value)} said="Six digits. It proves that the secret was read." />
    </Ask>
  );
}

function Remove({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  return (
    <Ask title="Remove your second factor" act="Remove it" danger reasoned={false} ready={Boolean(password && code)} onClose={onClose} onDone={onDone} send={() => ok(api.POST("/api/users/totp/remove", { body: { password, code: code.trim() } }))}>
      <p>From then on your password alone signs you in, unless you have a passkey. It takes both to remove it.</p>
      <Field label="Your password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
      <Field label="Code" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.target.value)} said="Of your authenticator, or a recovery code." />
    </Ask>
  );
}
