/** Certificates: of one's own, made, shown and taken back; of everybody's for who may revoke one. */
import { useEffect, useState } from "react";
import { Ask, Outcome, useDoing } from "../access/parts";
import { saveText64 } from "../access/saving";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Field, Select } from "../kit/Field";
import { dayTime } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { type Column, Table } from "../kit/Table";
import { provide } from "../shell/keys";
import { address, setQuery } from "../shell/routes";
import { may, useSession } from "../shell/session";
import { type Certificate, type Choice, choices, holds, standsAs, TITLES } from "./certificates";
import type { PageProps } from "./Prop";

type Of = "me" | "everybody";
type What = "withdraw" | "revoke";
const EVERY_MS = 10_000;

export default function Certificates({ route }: PageProps) {
  const mayRevoke = may("evaluation:write");
  const of: Of = mayRevoke && route.query.of === "everybody" ? "everybody" : "me";
  const asked = useAsked(`certificates ${of}`, () => ok(api.GET("/api/certificates", { params: { query: { of } } })), EVERY_MS);
  const [isMaking, setMaking] = useState(false);
  const [doing, setDoing] = useState<{ what: What; found: Certificate } | null>(null);
  const [said, setSaid] = useState("");
  const { problem, run, isBusy } = useDoing();
  const why = may("evaluation:ask") ? "" : "Needs scope evaluation:ask";
  useEffect(() => provide("Certificates", [{ title: "Make a certificate", keys: "n", unless: () => why, run: () => setMaking(true) }]), [why]);
  const pdf = (found: Certificate): void => void run(async () => {
    const file = await ok(api.GET("/api/certificates/{certificate_id}/document", { params: { path: { certificate_id: found.certificate_id } } }));
    saveText64(file.pdf, file.file_name, "application/pdf");
  });
  const share = (found: Certificate, is_public: boolean): void => void run(async () => {
    await ok(api.PUT("/api/certificates/{certificate_id}", { params: { path: { certificate_id: found.certificate_id } }, body: { is_public } }));
    setSaid(is_public ? "Whoever has its link sees it now." : "Nobody else sees it any more.");
    asked.again();
  });
  const copy = (found: Certificate): void => void navigator.clipboard.writeText(new URL(found.url, location.href).href).then(() => setSaid("The link is copied."), () => setSaid("The browser let nothing be copied: open the page and copy its address."));
  const acts: Column<Certificate> = of === "me"
    ? { key: "acts", title: "", cell: (each) => (
      <span className="acts">
        <button type="button" className="button" disabled={isBusy || !holds(each)} title={holds(each) ? undefined : `It is ${standsAs(each.standing).word}: no copies are given`} onClick={() => pdf(each)}>PDF</button>
        {each.is_public && <button type="button" className="button" onClick={() => copy(each)}>Copy link</button>}
        <button type="button" className="button" disabled={isBusy || Boolean(why)} title={why || undefined} onClick={() => share(each, !each.is_public)}>{each.is_public ? "Show to nobody" : "Let it be seen"}</button>
        <button type="button" className="button danger" disabled={Boolean(why)} title={why || undefined} onClick={() => setDoing({ what: "withdraw", found: each })}>Take back</button>
      </span>) }
    : { key: "acts", title: "", cell: (each) => each.standing !== "revoked" && <span className="acts"><button type="button" className="button danger" onClick={() => setDoing({ what: "revoke", found: each })}>Revoke</button></span> };
  const whose: Column<Certificate>[] = of === "everybody" ? [{ key: "user", title: "Trader", cell: (each) => each.user, sort: (each) => each.user }] : [];
  return (
    <section className="panel" data-panel aria-label="Certificates">
      <header>
        <h2>Certificates</h2><span className="label lead">What it says never changes; whether it holds is told with it.</span>
        <div className="end">
          {mayRevoke && <Segmented<Of> label="Whose" value={of} onChange={(each) => setQuery({ of: each === "me" ? null : each })} choices={[{ value: "me", label: "Yours" }, { value: "everybody", label: "Everybody’s" }]} />}
          {of === "me" && <button type="button" className="button main" disabled={Boolean(why)} title={why || undefined} onClick={() => setMaking(true)}>Make one <kbd>n</kbd></button>}
        </div>
      </header>
      <Outcome problem={problem} />
      <p className="unseen" role="status">{said}</p>
      {said && <p className="state" aria-hidden="true">{said}</p>}
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={4} waitsFor="Reading certificates" />}
      {asked.data && <Table<Certificate> label="Certificates" rows={asked.data.items} rowKey={(each) => each.certificate_id} empty={<Empty>{of === "me" ? "You have no certificate. One may be made of an assessment that was passed, is funded, or was paid." : "Nobody has a certificate."}</Empty>} columns={[
        { key: "what", title: "What", cell: (each) => <><b>{TITLES[each.kind]}</b><small><a href={address("prop", ["now", each.assessment_id])}>{each.tier}, version {each.tier_version}</a></small></> },
        ...whose,
        { key: "standing", title: "Stands", cell: (each) => <><span className={`status ${standsAs(each.standing).shape}`}><span>{standsAs(each.standing).word}</span></span>{each.why && <small>{each.why}</small>}</> },
        { key: "name", title: "Name on it", cell: (each) => <span className="wraps who">{each.name || <span className="dim" title="Its owner shows it to nobody">–</span>}</span> },
        { key: "seen", title: "Seen by", cell: (each) => (each.is_public ? <><span>whoever has the link</span><small><a href={each.url} target="_blank" rel="noreferrer">its page</a></small></> : <span className="dim">{of === "me" ? "you alone" : "its owner alone"}</span>) },
        { key: "happened", title: "Happened", num: true, cell: (each) => dayTime(each.happened_at) },
        acts,
      ]} />}
      {isMaking && <Make there={asked.data?.items ?? []} onClose={() => setMaking(false)} onDone={asked.again} />}
      {doing?.what === "withdraw" && (
        <Ask title="Take the certificate back" act="Take it back for good" danger reasoned={false} onClose={() => setDoing(null)} onDone={asked.again} send={() => ok(api.DELETE("/api/certificates/{certificate_id}", { params: { path: { certificate_id: doing.found.certificate_id } } }))}>
          <p>What it says is deleted. Whoever has its link reads that you took it back, and nothing else. Another one may be made.</p>
          <p className="label">To have it seen by nobody, and keep it, press Show to nobody instead.</p>
        </Ask>
      )}
      {doing?.what === "revoke" && (
        <Ask title={`Revoke a certificate of ${doing.found.user}`} act="Revoke it for good" danger said="Shown to whoever has the link, for good." onClose={() => setDoing(null)} onDone={asked.again} send={(reason) => ok(api.POST("/api/certificates/{certificate_id}/revoke", { params: { path: { certificate_id: doing.found.certificate_id } }, body: { reason } }))}>
          <p>“{TITLES[doing.found.kind]}” of {doing.found.tier} holds no more: no copies are given, and its page says that it was revoked, and why. {doing.found.user} may have another one made.</p>
        </Ask>
      )}
    </section>
  );
}

type ShownAs = "nobody" | "public_name" | "name";

function Make({ there, onClose, onDone }: { there: readonly Certificate[]; onClose: () => void; onDone: () => void }) {
  const user = useSession()?.caller.split("/")[0] ?? "";
  const mine = useAsked("assessments of mine", () => ok(api.GET("/api/assessments", { params: { query: { limit: 1_000 } } })));
  const paid = useAsked("paid to me", () => ok(api.GET("/api/assessments/payouts", { params: { query: { state: "paid", limit: 500 } } })));
  const seen = useAsked("public name", () => ok(api.GET("/api/leaderboard/profile")));
  const all: Choice[] = choices((mine.data?.items ?? []).filter((each) => each.user === user), (paid.data?.items ?? []).filter((each) => each.user === user), there);
  const [chosen, setChosen] = useState(0);
  const [shownAs, setShownAs] = useState<ShownAs>("nobody");
  const [name, setName] = useState("");
  const [isPublic, setPublic] = useState(false);
  const choice = all[chosen];
  const publicName = seen.data?.public_name ?? "";
  const isRead = Boolean(mine.data && paid.data);
  const isReady = choice !== undefined && (shownAs !== "name" || name.trim().length > 1) && (shownAs !== "public_name" || Boolean(publicName));
  const send = (): Promise<unknown> => {
    const { assessment_id, kind, number } = choice as Choice;
    return ok(api.POST("/api/certificates", { body: { assessment_id, kind, number, shown_as: shownAs, name: shownAs === "name" ? name.trim() : "", is_public: isPublic } }));
  };
  return (
    <Ask title="Make a certificate" act="Make it" reasoned={false} ready={isReady} onClose={onClose} onDone={onDone} send={send}>
      {!isRead && !mine.problem && <Loading rows={2} waitsFor="Looking what it may be made of" />}
      {mine.problem && <ErrorPanel problem={mine.problem} retry={mine.again} />}
      {isRead && !all.length && <Empty>There is nothing that one could be made of, or there is one of everything.</Empty>}
      {isRead && all.length > 0 && <>
        <Select<string> label="Of" value={String(chosen)} onChange={(each) => setChosen(Number(each))} choices={all.map((each, nth) => [String(nth), each.title] as const)} />
        <Select<ShownAs> label="Name on it" value={shownAs} onChange={setShownAs} choices={[["nobody", "none"], ["public_name", publicName ? `your public name, ${publicName}` : "your public name: you have none"], ["name", "a name that you write"]]} said={shownAs === "public_name" && !publicName ? "Choose one under Leaderboard first." : undefined} />
        {shownAs === "name" && <Field label="Name" value={name} maxLength={60} autoComplete="name" onChange={(event) => setName(event.target.value)} said="It stands on the certificate as you write it." />}
        <label className="check"><input type="checkbox" checked={isPublic} onChange={(event) => setPublic(event.target.checked)} /> Whoever has its link may see it</label>
      </>}
    </Ask>
  );
}
