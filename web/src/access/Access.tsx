/** Who may do what: a list of pages at the side, on a phone above, and one of them. Each is read when it is opened. */
import { type ComponentType, lazy, Suspense, useEffect, useRef } from "react";
import { Loading, NoRight } from "../kit/states";
import { address, type Route } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { may, useAccountId, useSession } from "../shell/session";
import "./access.css";

export interface PageProps {
  route: Route;
}

interface Page {
  part: string;
  title: string;
  /** Without it there is nothing to see. */
  scope: string;
  of: "yours" | "house";
  body: ComponentType<PageProps>;
}

const PAGES: readonly Page[] = [
  { part: "approvals", title: "Approvals", scope: "approvals:read", of: "yours", body: lazy(() => import("./Inbox")) },
  { part: "you", title: "You", scope: "", of: "yours", body: lazy(() => import("./You")) },
  { part: "papers", title: "Who you are", scope: "", of: "yours", body: lazy(() => import("./Papers")) },
  { part: "my-data", title: "My data", scope: "", of: "yours", body: lazy(() => import("./MyData")) },
  { part: "keys", title: "Keys", scope: "keys:write", of: "yours", body: lazy(() => import("./Keys")) },
  { part: "agents", title: "Agents", scope: "approvals:read", of: "yours", body: lazy(() => import("./Agents")) },
  { part: "people", title: "People", scope: "house:read", of: "house", body: lazy(() => import("./People")) },
  { part: "policies", title: "Policies", scope: "house:read", of: "house", body: lazy(() => import("./Policies")) },
  { part: "audit", title: "Audit", scope: "journal:read", of: "house", body: lazy(() => import("./Audit")) },
  { part: "applications", title: "Applications", scope: "house:read", of: "house", body: lazy(() => import("./Applications")) },
  { part: "kyc", title: "KYC", scope: "kyc:read", of: "house", body: lazy(() => import("./Kyc")) },
  { part: "webhooks", title: "Webhooks", scope: "webhooks:read", of: "house", body: lazy(() => import("./Webhooks")) },
];
const GROUPS = ([["yours", "Yours"], ["house", "The house's"]] as const).filter(([of]) => PAGES.some((each) => each.of === of));

export default function Access({ route }: ScreenProps) {
  const account = useAccountId();
  const who = useSession();
  const list = useRef<HTMLElement>(null);
  const first = PAGES.find((each) => may(each.scope) || !each.scope) as Page;
  const page = PAGES.find((each) => each.part === route.parts[0]) ?? first;
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [page]);
  return (
    <div className="access-screen">
      <nav className="pages" aria-label="Pages of Access" ref={list}>
        {GROUPS.map(([of, title]) => (
          <section key={of} aria-label={title}>
            <h2 className="label">{title}</h2>
            <ul>{PAGES.filter((each) => each.of === of).map((each) => (
              <li key={each.part}><a href={address("access", [each.part], { account })} aria-current={each === page ? "page" : undefined} data-shut={each.scope && !may(each.scope) ? "yes" : undefined}>{each.title}</a></li>
            ))}</ul>
          </section>
        ))}
        <p className="label who">{who?.caller}<br />{who?.roles.join(", ") || "no role"}</p>
      </nav>
      <div className="page" key={page.part}>
        {page.scope && !may(page.scope) ? <NoRight scope={page.scope} /> : <Suspense fallback={<Loading rows={8} waitsFor={`Loading ${page.title}`} />}><page.body route={route} /></Suspense>}
      </div>
    </div>
  );
}
