/** FIX: one sentence, what is not well, and the views of it, each with an address of its own. */
import { type ComponentType, useEffect, useRef } from "react";
import { api, ok } from "../client/api";
import { type Asked, useAsked } from "../kit/asked";
import { age } from "../kit/format";
import { ErrorPanel, Loading } from "../kit/states";
import { clockOffset } from "../live/stores";
import { useSecond } from "../shell/Connection";
import { provide } from "../shell/keys";
import { address, go, type Route } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { useAccountId } from "../shell/session";
import { Alerts } from "./Alerts";
import { Captures } from "./Captures";
import { Messages } from "./Messages";
import { Rates, sentence, type Session, troubles } from "./said";
import { Sessions } from "./Sessions";
import "./fix.css";

const EVERY_MS = 2_000;

export interface ViewProps {
  route: Route;
  sessions: readonly Session[];
  rates: Rates;
  again: () => void;
}

interface View {
  path: string;
  title: string;
  body: ComponentType<ViewProps>;
}

const VIEWS: readonly View[] = [
  { path: "sessions", title: "Sessions", body: Sessions },
  { path: "messages", title: "Messages", body: Messages },
  { path: "alerts", title: "Alerts", body: Alerts },
  { path: "captures", title: "Captures", body: Captures },
];

export default function Fix({ route }: ScreenProps) {
  const view = VIEWS.find(({ path }) => path === route.parts[0]) ?? VIEWS[0];
  const asked = useAsked("fix sessions", () => ok(api.GET("/api/fix/sessions")), EVERY_MS);
  const rates = useRef(new Rates());
  const counted = useRef(0);
  if (asked.data && counted.current !== asked.at) {
    counted.current = asked.at;
    rates.current.add(asked.data.items, asked.at);
  }
  const account = useAccountId();
  useEffect(() => provide("FIX views", VIEWS.map((each, nth) => ({ title: `FIX: ${each.title}`, keys: String(nth + 1), run: () => go(address("fix", [each.path], { account })) }))), [account]);
  if (!asked.data) return asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={12} waitsFor="Asking for the FIX sessions" />;
  const Body = view?.body ?? Sessions;
  return (
    <div className="fix">
      <Top asked={asked} sessions={asked.data.items} now={view?.path ?? ""} />
      <Body route={route} sessions={asked.data.items} rates={rates.current} again={asked.again} />
    </div>
  );
}

function Top({ asked, sessions, now: shown }: { asked: Asked<unknown>; sessions: readonly Session[]; now: string }) {
  const now = useSecond();
  const account = useAccountId();
  const silent = asked.problem !== null;
  const bad = troubles(sessions, now + clockOffset.get());
  return (
    <header className="top">
      <div className="says">
        <h1 className={silent ? "ill" : ""}>{silent ? `The house does not answer. What follows is of ${age(now - asked.at) ?? "over an hour"} ago.` : sentence(sessions)}</h1>
        {VIEWS.length > 1 && (
          <nav className="views" aria-label="Views of FIX">
            {VIEWS.map((each, nth) => <a key={each.path} href={address("fix", [each.path], { account })} aria-current={each.path === shown ? "page" : undefined}>{each.title} <kbd>{nth + 1}</kbd></a>)}
          </nav>
        )}
      </div>
      {bad.length > 0 && !silent && shown !== "sessions" && <p className="label"><a href={address("fix", ["sessions"], { account })}>{bad.length} to look at</a></p>}
      {bad.length > 0 && !silent && shown === "sessions" && (
        <ul className="troubles" aria-label="What is not well">
          {bad.map(({ tone, session, what, detail }) => (
            <li key={session + what}><span className={`chip ${tone}`}>{tone === "critical" ? "✕ critical" : "! look"}</span><a className="mono" href={address("fix", ["sessions", session], { account })}>{session}</a><b>{what}</b><span>{detail}</span></li>
          ))}
        </ul>
      )}
    </header>
  );
}
