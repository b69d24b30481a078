/** What the firm sells: versions and their texts, what is wrong with one, and what a trader would read. */
import { useEffect, useRef, useState } from "react";
import { Ask } from "../access/parts";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { number } from "../kit/format";
import { Select } from "../kit/Field";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { address, setQuery } from "../shell/routes";
import { may } from "../shell/session";
import { Diff } from "./Diff";
import { lineOf, lineSaid, span } from "./lines";
import type { PageProps } from "./Prop";
import { stateWord, Versions } from "./Versions";

type Defined = Schemas["DefinedReply"];
const REST_MS = 500;
const KEPT = "fondaco.tier-draft";
const BEGIN = `name = "mine"
title = "Mine, 10,000"
effective_from = 2026-01-01
account = "10000"
fee = "99"
time_zone = "Europe/Prague"
reset_at = "00:00"
leverage = 30

[[phases]]
name = "Challenge"
target = "8%"
min_trading_days = 3
daily_loss = { limit = "5%", from = "balance" }
overall_loss = { limit = "10%", follows = "static" }
`;

export default function Tiers({ route }: PageProps) {
  const asked = useAsked("tiers all", () => ok(api.GET("/api/tiers", { params: { query: { state: "all" } } })));
  const names = [...new Set((asked.data?.items ?? []).map(({ tier }) => tier))];
  const chosen = route.query.tier ?? "";
  const one = useAsked(chosen && `tier text ${chosen}`, () => ok(api.GET("/api/tiers/{tier}", { params: { path: { tier: chosen } } })));
  const again = (): void => {
    asked.again();
    one.again();
  };
  return (
    <>
      <section className="panel" data-panel aria-label="Tiers">
        <header>
          <h2>Tiers</h2>
          <span className="label lead">A version never changes, and stays for whoever bought it. Others are other versions, from another day.</span>
          <div className="end"><Select label="Text of" value={chosen} onChange={(tier) => setQuery({ tier: tier || null })} choices={[["", "your draft"], ...names.map((each) => [each, each] as const)]} /></div>
        </header>
        {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
        {!asked.data && !asked.problem && <Loading rows={10} waitsFor="Reading tiers" />}
        {one.problem && <ErrorPanel problem={one.problem} retry={one.again} />}
        {asked.data && (chosen ? one.data && <Editor key={one.data.item.fingerprint} begun={nextOf(one.data.text)} against={nextOf(one.data.text)} version={one.data.item.version} isSold={one.data.item.state === "published"} onDone={again} /> : <Editor key="draft" begun={kept()} isDraft against={null} onDone={again} />)}
      </section>
      {one.data && <Versions tier={chosen} versions={one.data.versions} onDone={again} />}
      {!chosen && asked.data && <AllTiers items={asked.data.items} />}
    </>
  );
}

/** A draft outlives the page: nobody writes it twice. */
function kept(): string {
  try {
    return localStorage.getItem(KEPT) ?? BEGIN;
  } catch {
    return BEGIN; // Storage is off.
  }
}

/** A version is changed as the text of the next one: its own number is left out, so that the house counts. */
const nextOf = (text: string): string => text.replace(/^version\s*=.*\n/m, "");

interface EditorProps {
  begun: string;
  isDraft?: boolean;
  /** The text that it is compared with, and of which version that is. */
  against: string | null;
  version?: number;
  isSold?: boolean;
  onDone: () => void;
}

function Editor({ begun, isDraft, against, version, isSold, onDone }: EditorProps) {
  const [text, setText] = useState(begun);
  const [tried, setTried] = useState(begun);
  const [isDefining, setDefining] = useState(false);
  const place = useRef<HTMLTextAreaElement>(null);
  const mayWrite = may("tiers:write");
  useEffect(() => {
    const timer = setTimeout(() => setTried(text), REST_MS);
    if (isDraft) {
      try {
        localStorage.setItem(KEPT, text);
      } catch {
        // It is kept for as long as the page is open.
      }
    }
    return () => clearTimeout(timer);
  }, [text, isDraft]);
  const asked = useAsked(mayWrite && tried.trim() ? `lint ${tried}` : "", () => ok(api.POST("/api/tiers", { body: { text: tried, dry_run: true } })));
  const isOld = tried !== text;
  const isAsKept = against !== null && text === against;
  const found = asked.data;
  const findings = [
    ...(found?.findings ?? []).map((each) => ({ ...each, line: lineOf(tried, each.where) })),
    ...(asked.problem ? [{ weight: "contradiction", code: asked.problem.code, where: "", text: asked.problem.message, line: lineSaid(asked.problem.message) }] : []),
  ];
  const mark = (line: number): void => {
    place.current?.focus();
    place.current?.setSelectionRange(...span(text, line));
  };
  return (
    <div className="draft">
      <div className="write">
        <Numbered text={text} findings={isOld ? [] : findings}>
          <textarea ref={place} className="mono" aria-label="Text of the tier" spellCheck={false} rows={Math.max(text.split("\n").length + 1, 18)} wrap="off" value={text} readOnly={!mayWrite} onChange={(event) => setText(event.target.value)} />
        </Numbered>
        <div className="row">
          <button type="button" className="button main" disabled={!found || isOld || asked.problem !== null || !mayWrite || isAsKept} title={!mayWrite ? "Needs scope tiers:write" : isAsKept ? "It is as it was kept: change it first" : undefined} onClick={() => setDefining(true)}>Keep as a version</button>
          {text !== begun && <button type="button" className="button quiet" onClick={() => setText(begun)}>Back to how it was</button>}
          <span className="label" role="status">{isOld ? "Reading it" : asked.problem ? "It cannot be read" : found ? (found.publishable ? "Nothing contradicts itself" : "It contradicts itself: it can be kept, not published") : ""}</span>
        </div>
      </div>
      <div className={isOld ? "effect old" : "effect"} aria-live="polite">
        {findings.length > 0 && <ul className="findings" aria-label="What is wrong with it">{findings.map((each, nth) => (
          <li key={nth} className={each.weight}>
            <span className={`chip ${each.weight === "contradiction" ? "critical" : "warn"}`}>{each.weight === "contradiction" ? "✕ contradiction" : "△ unusual"}</span>
            {each.line > 0 && <button type="button" className="link" onClick={() => mark(each.line)}>line {each.line}</button>}
            <span className="mono">{each.where}</span><p>{each.text}</p>
          </li>
        ))}</ul>}
        {found && !asked.problem && against !== null && text !== against && (
          <details className="against" open={!isDraft}>
            <summary>What it changes of version {version} {isSold ? "that is on sale" : ""}</summary>
            <Diff before={against} after={tried} label="What the text changes" />
          </details>
        )}
        {found && !asked.problem && <Preview found={found} />}
        {!found && !asked.problem && <Empty>{mayWrite ? "What a trader would read shows here." : "Who holds tiers:write may try and keep a text."}</Empty>}
      </div>
      {isDefining && found && (
        <Ask title={`Keep version ${found.version} of ${found.tier}`} act="Keep it" reasoned={false} onClose={() => setDefining(false)} onDone={onDone} send={() => ok(api.POST("/api/tiers", { body: { text, dry_run: false } }))}>
          <p>It is kept as it is, as a draft: nobody can buy it before it was simulated and published.</p>
        </Ask>
      )}
    </div>
  );
}

/** Numbers beside the lines, and a sign where something is wrong. */
function Numbered({ text, findings, children }: { text: string; findings: readonly { line: number; weight: string; text: string }[]; children: React.ReactNode }) {
  return (
    <div className="numbered">
      <ol className="mono" aria-hidden="true">{text.split("\n").map((_, nth) => {
        const here = findings.filter(({ line }) => line === nth + 1);
        const worst = here.some(({ weight }) => weight === "contradiction") ? "contradiction" : here.length ? "unusual" : "";
        return <li key={nth} className={worst} title={here.map(({ text: said }) => said).join("\n") || undefined}>{worst && (worst === "contradiction" ? "✕" : "△")} {nth + 1}</li>;
      })}</ol>
      {children}
    </div>
  );
}

function Preview({ found }: { found: Defined }) {
  return (
    <div className="preview">
      <h3>{found.title}</h3>
      <p className="label">What a trader would read, made of the terms; version {found.version}, terms <span className="mono" title={found.fingerprint}>{found.fingerprint.slice(0, 16)}</span></p>
      <ul>{found.wording.map((each, nth) => <li key={nth}>{each}</li>)}</ul>
    </div>
  );
}

function AllTiers({ items }: { items: readonly Schemas["TierShown"][] }) {
  return (
    <section className="panel" data-panel aria-label="All versions">
      <header><h2>All versions</h2></header>
      <Table<Schemas["TierShown"]> label="All versions" rows={items} rowKey={(each) => `${each.tier} ${each.version}`} onOpen={(each) => setQuery({ tier: each.tier })} empty={<Empty>Nothing was defined.</Empty>} columns={[
        { key: "tier", title: "Tier", cell: (each) => <a href={address("prop", ["tiers"], { tier: each.tier })}>{each.tier}</a> },
        { key: "version", title: "Version", num: true, cell: (each) => each.version },
        { key: "title", title: "Title", cell: (each) => each.title },
        { key: "state", title: "State", cell: (each) => <span className="chip">{stateWord(each.state)}</span> },
        { key: "account", title: "Account", num: true, cell: (each) => <span>{number(each.account)} {each.currency}</span> },
        { key: "fee", title: "Fee", num: true, cell: (each) => number(each.fee) },
        { key: "odds", title: "Simulated", num: true, cell: (each) => (each.odds ? `${number(String(each.odds.paths))} paths` : <span className="dim">not yet</span>) },
      ]} />
    </section>
  );
}
