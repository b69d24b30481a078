/** What one was told, how one wants to be told of what, and what was sent by which way. */
import { type ComponentType, lazy, Suspense, useEffect } from "react";
import { Loading } from "../kit/states";
import { address, go, type Route } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { useAccountId, useSession } from "../shell/session";
import { leadsTo } from "./leads";
import "../access/access.css";
import "./notices.css";

export interface PageProps {
  route: Route;
}

const PAGES: readonly { part: string; title: string; body: ComponentType<PageProps> }[] = [
  { part: "inbox", title: "Inbox", body: lazy(() => import("./Inbox")) },
  { part: "ways", title: "How you hear", body: lazy(() => import("./Ways")) },
  { part: "deliveries", title: "Deliveries", body: lazy(() => import("./Deliveries")) },
];

export default function Notices({ route }: ScreenProps) {
  const account = useAccountId();
  const who = useSession();
  const { part, title, body: Body } = PAGES.find((each) => each.part === route.parts[0]) ?? (PAGES[0] as (typeof PAGES)[number]);
  const led = route.parts[0] === "to" ? (route.parts[1] ?? "") : "";
  useEffect(() => {
    // From a notice that the browser has shown.
    if (led) go(leadsTo({ leads_to: led }, account) || address("notices", [], { account }), true);
  }, [led, account]);
  return (
    <div className="access-screen notices-screen">
      <nav className="pages" aria-label="Pages of Notices">
        <section aria-label="Notices">
          <h2 className="label">Notices</h2>
          <ul>{PAGES.map((each) => <li key={each.part}><a href={address("notices", [each.part], { account })} aria-current={each.part === part ? "page" : undefined}>{each.title}</a></li>)}</ul>
        </section>
        <p className="label who">{who?.caller}</p>
      </nav>
      <div className="page" key={part}>
        <Suspense fallback={<Loading rows={8} waitsFor={`Loading ${title}`} />}><Body route={route} /></Suspense>
      </div>
    </div>
  );
}
