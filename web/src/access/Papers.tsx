/** Who you are to the house: your profile, your documents, and what risk suits you. Yours alone. */
import { type FormEvent, useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { number } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { useSession } from "../shell/session";
import { plain } from "./Kyc";
import { at, Outcome, useDoing } from "./parts";
import { PIECE, pieces } from "./pieces";

type Person = Schemas["Person"];
type Standing = Schemas["StandingShown"];
const KINDS = ["identity", "address", "selfie", "source_of_funds", "other"] as const;
const TYPES = ["application/pdf", "image/jpeg", "image/png"] as const;
const MOST = 8_000_000;
const SAYS: Readonly<Record<Standing["state"], string>> = {
  none: "Complete your profile and have it looked at; documents are asked for then.",
  submitted: "It is being compared with lists.",
  documents_needed: "Upload what is asked for below.",
  in_review: "Somebody looks at it. You need do nothing.",
  approved: "The house knows who you are.",
  refused: "It was refused. Mend what was wrong, and have it looked at again.",
  expired: "It was approved, and that has run out: have it looked at again.",
};
const FIELDS: readonly (readonly [keyof Person, string, string?])[] = [
  ["given_name", "Given name"], ["family_name", "Family name"], ["other_names", "Other names"], ["birth_date", "Born on", "date"], ["nationality", "Nationality (two letters)"], ["residence", "Lives in (two letters)"],
  ["street", "Street and number"], ["postal_code", "Postal code"], ["city", "City"], ["phone", "Telephone", "tel"],
];

export default function Papers() {
  const who = useSession();
  const isPerson = who?.caller.includes("/~") || who?.caller === "demo";
  const path = { user: who?.user ?? "" };
  const standing = useAsked(isPerson ? `standing ${path.user}` : "", () => ok(api.GET("/api/users/{user}/kyc", { params: { path } })), 15_000);
  if (!isPerson) {
    return (
      <section className="panel" data-panel aria-label="Who you are">
        <header><h2>Who you are</h2></header>
        <Empty>You are here with a key. Your papers are shown to you alone: sign in with a password or a passkey.</Empty>
      </section>
    );
  }
  return (
    <>
      <How user={path.user} found={standing.data} problem={standing.problem} again={standing.again} />
      <Profile user={path.user} missing={standing.data?.missing ?? []} onDone={standing.again} />
      <Documents user={path.user} found={standing.data} onDone={standing.again} />
      <Risk user={path.user} />
    </>
  );
}

function How({ user, found, problem, again }: { user: string; found: Standing | null; problem: Parameters<typeof ErrorPanel>[0]["problem"] | null; again: () => void }) {
  const doing = useDoing();
  const mayBegin = found && ["none", "expired", "refused"].includes(found.state);
  return (
    <section className="panel" data-panel aria-label="Who you are">
      <header>
        <h2>Who you are</h2>
        {found && <span className="chip">{found.state === "none" ? "not asked yet" : plain(found.state)}</span>}
        {found && <span className="label lead">{found.is_required ? "The house asks for it before you trade." : "The house does not ask for it before you trade."}</span>}
        {mayBegin && <div className="end"><button type="button" className="button main" disabled={doing.isBusy || found.missing.length > 0} title={found.missing.length ? "Your profile lacks something: see below" : undefined} onClick={() => void doing.run(() => ok(api.POST("/api/users/{user}/kyc", { params: { path: { user } } }))).then(again)}>Have it looked at</button></div>}
      </header>
      {problem && <ErrorPanel problem={problem} retry={again} />}
      <Outcome problem={doing.problem} />
      {!found && !problem && <Loading rows={1} waitsFor="Reading how it stands" />}
      {found && <p className="pad">{SAYS[found.state]}{found.until && found.until !== "0" && ` It holds until ${at(found.until)}.`}{found.missing.length > 0 && ` Your profile lacks: ${found.missing.map(plain).join(", ")}.`}{found.needed.length > 0 && ` Documents that are asked for: ${found.needed.map(plain).join(", ")}.`}</p>}
    </section>
  );
}

function Profile({ user, missing, onDone }: { user: string; missing: readonly string[]; onDone: () => void }) {
  const asked = useAsked(`profile ${user}`, () => ok(api.GET("/api/users/{user}/profile", { params: { path: { user } } })));
  const [typed, setTyped] = useState<Partial<Person>>({});
  const { isBusy, problem, run } = useDoing();
  const found = asked.data;
  const value = (name: keyof Person): string => typed[name] ?? found?.person[name] ?? "";
  const isSame = FIELDS.every(([name]) => value(name) === (found?.person[name] ?? ""));
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!found || isSame || isBusy) return;
    const person = { ...found.person, ...typed };
    if (await run(() => ok(api.PUT("/api/users/{user}/profile", { params: { path: { user } }, body: { person, version: found.version } })))) {
      setTyped({});
      asked.again();
      onDone();
    }
  };
  return (
    <section className="panel" data-panel aria-label="Profile">
      <header><h2>Profile</h2><span className="label lead">Kept under a key of your own; reviewers see it, and each look is noted.</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      <Outcome problem={problem} />
      {!found && !asked.problem && <Loading rows={3} waitsFor="Reading your profile" />}
      {found && (
        <form className="fields" onSubmit={(event) => void save(event)}>
          {FIELDS.map(([name, label, type]) => <Field key={name} label={label} type={type ?? "text"} autoComplete="off" value={value(name)} onChange={(event) => setTyped({ ...typed, [name]: event.target.value })} said={missing.includes(name) && !value(name) ? "Asked for" : undefined} />)}
          <div className="row"><button type="submit" className="button main" disabled={isSame || isBusy}>{isBusy ? "Saving" : "Save"}</button>{!isSame && <button type="button" className="button quiet" onClick={() => setTyped({})}>Leave it as it was</button>}</div>
        </form>
      )}
    </section>
  );
}

function Documents({ user, found, onDone }: { user: string; found: Standing | null; onDone: () => void }) {
  const [kind, setKind] = useState<(typeof KINDS)[number]>("identity");
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState(0);
  const { isBusy, problem, run } = useDoing();
  const isType = file !== null && (TYPES as readonly string[]).includes(file.type);
  const wrong = file && !isType ? "A PDF, JPEG or PNG." : file && file.size > MOST ? `At most ${number(String(MOST))} bytes.` : null;
  const mayAdd = found !== null && ["submitted", "documents_needed", "in_review"].includes(found.state);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!file || wrong || isBusy) return;
    const isOver = await run(async () => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      for await (const piece of pieces(bytes)) {
        setSent(piece.offset);
        await ok(api.POST("/api/users/{user}/kyc/documents", { params: { path: { user } }, body: { kind, media_type: file.type as (typeof TYPES)[number], ...(bytes.length > PIECE ? piece : { content: piece.content, size: 0, offset: 0, sha256: "" }), expires_on: "" } }));
      }
    });
    setSent(0);
    if (isOver) setFile(null);
    onDone();
  };
  return (
    <section className="panel" data-panel aria-label="Documents">
      <header><h2>Documents</h2><span className="label lead">{mayAdd ? "PDF, JPEG or PNG. Sealed as they arrive." : "They can be added once it is looked at."}</span></header>
      <Outcome problem={problem} />
      {mayAdd && (
        <form className="fields" onSubmit={(event) => void send(event)}>
          <Select label="What it is" value={kind} choices={KINDS.map((each) => [each, plain(each)] as const)} onChange={(value) => setKind(value)} />
          <Field key={file ? "chosen" : "none"} label="File" type="file" accept={TYPES.join(",")} onChange={(event) => setFile(event.target.files?.[0] ?? null)} wrong={wrong} />
          <div className="row"><button type="submit" className="button main" disabled={!file || Boolean(wrong) || isBusy}>{isBusy ? `Sending${file && file.size > PIECE ? `, ${Math.floor((sent * 100) / file.size)} %` : ""}` : "Send it"}</button></div>
        </form>
      )}
      {found && <Table<Schemas["DocumentShown"]> label="Documents" rows={found.documents} rowKey={(each) => each.document_id} empty={<Empty>You have uploaded nothing.</Empty>} columns={[
        { key: "kind", title: "Document", cell: (each) => <b>{plain(each.kind)}</b> },
        { key: "type", title: "Type", cell: (each) => <span className="mono">{each.media_type}</span> },
        { key: "size", title: "Bytes", num: true, cell: (each) => number(String(each.size)) },
        { key: "at", title: "Uploaded", num: true, cell: (each) => at(each.added_at) },
      ]} />}
    </section>
  );
}

function Risk({ user }: { user: string }) {
  const path = { user };
  const asked = useAsked(`risk ${user}`, () => ok(api.GET("/api/users/{user}/risk-assessment", { params: { path } })));
  const list = useAsked("questionnaire", () => ok(api.GET("/api/risk-assessment/questionnaire")));
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const { isBusy, problem, run } = useDoing();
  const found = asked.data;
  useEffect(() => {
    if (found) setAnswers(Object.fromEntries(found.explained.map((each) => [each.question, each.choice])));
  }, [found]);
  const questions = list.data?.questions ?? [];
  const isWhole = questions.length > 0 && questions.every((each) => answers[each.question]);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isWhole && !isBusy && (await run(() => ok(api.POST("/api/users/{user}/risk-assessment", { params: { path }, body: { answers } }))))) asked.again();
  };
  return (
    <section className="panel" data-panel aria-label="What risk suits you">
      <header>
        <h2>What risk suits you</h2>
        {found && found.state !== "none" && <span className="chip">{found.state === "answer_again" ? "to be answered again" : plain(found.profile)}</span>}
        {found?.text && <span className="label lead">{found.text} {found.score} of {found.score_max} points.</span>}
      </header>
      {(asked.problem ?? list.problem) && <ErrorPanel problem={(asked.problem ?? list.problem)!} retry={() => { asked.again(); list.again(); }} />}
      <Outcome problem={problem} />
      {(!found || !list.data) && !asked.problem && !list.problem && <Loading rows={4} waitsFor="Reading the questions" />}
      {found && questions.length > 0 && (
        <form className="questions" onSubmit={(event) => void send(event)}>
          {questions.map((each) => {
            const said = found.explained.find((other) => other.question === each.question);
            return (
              <fieldset key={each.question} className="picks one">
                <legend>{each.text}</legend>
                <div>{each.choices.map((choice) => <label key={choice.choice} className="check"><input type="radio" name={each.question} checked={answers[each.question] === choice.choice} onChange={() => setAnswers({ ...answers, [each.question]: choice.choice })} />{choice.text}</label>)}</div>
                {said && said.choice === answers[each.question] && <p className="label">{said.points} of {said.points_max} points. {said.text}</p>}
              </fieldset>
            );
          })}
          {found.caps.length > 0 && <p className="label">Held down by: {found.caps.map(plain).join(", ")}.</p>}
          <div className="row"><button type="submit" className="button main" disabled={!isWhole || isBusy}>{isBusy ? "Scoring" : found.state === "none" ? "Answer" : "Answer again"}</button></div>
        </form>
      )}
    </section>
  );
}
