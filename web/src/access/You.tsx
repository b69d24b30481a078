/** Where somebody is signed in, and their second factor. */
import { type FormEvent, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Field } from "../kit/Field";
import { dayTime } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { useSession } from "../shell/session";

export default function You() {
  const who = useSession();
  const asked = useAsked("sessions", () => ok(api.GET("/api/users/sessions")));
  const [problem, setProblem] = useState<Problem | null>(null);
  const act = async (doing: Promise<unknown>): Promise<void> => {
    setProblem(null);
    try {
      await doing;
      asked.again();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
  };
  const found = asked.data;
  const others = found?.items.filter((each) => !each.is_this).length ?? 0;
  return (
    <section className="panel" data-panel aria-label="You">
      <header><h2>You are {who?.user}</h2><span className="label">{who?.roles.join(", ") || "without a role"}, as {who?.caller}</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {problem && <ErrorPanel problem={problem} />}
      {!found && !asked.problem && <Loading waitsFor="Waiting for your sessions" />}
      {found && found.items.length === 0 && <Empty>You are here with an API key; nobody is signed in with a password.</Empty>}
      {found && found.items.length > 0 && (
        <>
          <ul className="cases">
            {found.items.map((each) => (
              <li key={each.session_id}>
                <div className="head"><b>{each.device || "A device that did not say what it is"}</b>{each.is_this && <span className="chip">this one</span>}<span className="label">{each.address}, signed in {dayTime(BigInt(each.created_at), "s")}, last used {dayTime(BigInt(each.last_used_at), "s")}{each.second_factor && `, with ${each.second_factor === "totp" ? "a code" : "a recovery code"}`}</span></div>
                {!each.is_this && <div className="row"><button type="button" className="button" onClick={() => void act(ok(api.DELETE("/api/users/sessions/{session_id}", { params: { path: { session_id: each.session_id } } })))}>End it</button></div>}
              </li>
            ))}
          </ul>
          {others > 0 && <div className="row pad"><button type="button" className="button" onClick={() => void act(ok(api.POST("/api/users/sessions/end-others", {})))}>End all others</button></div>}
          <SecondFactor has={found.second_factor} left={found.recovery_codes_left} again={asked.again} />
        </>
      )}
    </section>
  );
}

type Begun = Schemas["EnrolReply"];

/** The picture, the secret under it, one code to prove that it was read; then the recovery codes, once. */
function SecondFactor({ has, left, again }: { has: boolean; left: number; again: () => void }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [begun, setBegun] = useState<Begun | null>(null);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      if (has) await ok(api.POST("/api/users/totp/remove", { body: { password, code } }));
      else if (!begun) {
        setBegun(await ok(api.POST("/api/users/totp", { body: { password } })));
        setPassword("");
        return;
      } else {
        setCodes((await ok(api.POST("/api/users/totp/confirm", { body: { code } }))).recovery_codes);
        setBegun(null);
      }
      setCode("");
      setPassword("");
      again();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
    }
  };
  return (
    <form className="factor" onSubmit={(event) => void submit(event)}>
      <h3>Second factor</h3>
      <p className="label">{has ? `On, with ${left} recovery codes left. To remove it, give both.` : "Off. An authenticator on another device makes a code that changes every half minute."}</p>
      {codes.length > 0 && <div role="status"><p>Each of these signs you in once, in place of a code. Write them down: they are not shown again.</p><ul className="codes mono">{codes.map((each) => <li key={each}>{each}</li>)}</ul></div>}
      {begun && <figure><img src={begun.picture} width={180} height={180} alt="The secret, for your authenticator to read" /><figcaption className="mono">{begun.secret.replace(/(.{4})/g, "$1 ")}</figcaption></figure>}
      {!begun && <Field label="Your password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />}
      {(begun || has) && <Field label="Code" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.target.value)} />}
      <div className="row"><button type="submit" className="button" disabled={begun ? !code : !password || (has && !code)}>{has ? "Remove it" : begun ? "Confirm" : "Set one up"}</button></div>
      {problem && <ErrorPanel problem={problem} />}
    </form>
  );
}
