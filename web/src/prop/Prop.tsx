/** The prop firm: what it sells, what became of it, and what the firm itself looks at. A list of pages at the side, and one of them. */
import { type ComponentType, lazy, Suspense, useEffect, useRef } from "react";
import { Loading, NoRight } from "../kit/states";
import { address, type Route } from "../shell/routes";
import type { ScreenProps } from "../shell/screens";
import { may, useAccountId } from "../shell/session";
import "../access/access.css";
import "./prop.css";

export interface PageProps {
  route: Route;
}

interface Page {
  part: string;
  title: string;
  /** Without it there is nothing to see. */
  scope: string;
  of: "yours" | "firm";
  /** One comes to it from elsewhere. */
  isHidden?: boolean;
  body: ComponentType<PageProps>;
}

const PAGES: readonly Page[] = [
  { part: "now", title: "Evaluation", scope: "evaluation:read", of: "yours", body: lazy(() => import("./Evaluation")) },
  { part: "shop", title: "Shop", scope: "tiers:read", of: "yours", body: lazy(() => import("./Shop")) },
  { part: "purchases", title: "Purchases", scope: "purchases:read", of: "yours", body: lazy(() => import("./Purchases")) },
  { part: "bought", title: "Purchase", scope: "purchases:read", of: "yours", isHidden: true, body: lazy(() => import("./Bought")) },
  { part: "history", title: "History", scope: "evaluation:read", of: "yours", body: lazy(() => import("./History")) },
  { part: "ranks", title: "Leaderboard", scope: "evaluation:read", of: "yours", body: lazy(() => import("./Ranks")) },
  { part: "certificates", title: "Certificates", scope: "evaluation:read", of: "yours", body: lazy(() => import("./Certificates")) },
  { part: "paid", title: "Where you are paid", scope: "purchases:read", of: "yours", body: lazy(() => import("./Destination")) },
  { part: "reports", title: "Reports", scope: "reports:read", of: "yours", body: lazy(() => import("./Reports")) },
  { part: "tiers", title: "Tiers", scope: "tiers:write", of: "firm", body: lazy(() => import("./Tiers")) },
  { part: "simulations", title: "Simulations", scope: "tiers:write", of: "firm", body: lazy(() => import("./Simulations")) },
  { part: "assessments", title: "Assessments", scope: "evaluation:write", of: "firm", body: lazy(() => import("./Assessments")) },
  { part: "payouts", title: "Payouts", scope: "evaluation:write", of: "firm", body: lazy(() => import("./Waiting")) },
  { part: "disputes", title: "Disputes", scope: "payments:read", of: "firm", body: lazy(() => import("./Disputes")) },
  { part: "prices", title: "Prices", scope: "payments:read", of: "firm", body: lazy(() => import("./Prices")) },
  { part: "books", title: "Books", scope: "payments:read", of: "firm", body: lazy(() => import("./Books")) },
  { part: "risk", title: "Risk book", scope: "evaluation:write", of: "firm", body: lazy(() => import("./RiskBook")) },
  { part: "clock", title: "Test clock", scope: "house:write", of: "firm", body: lazy(() => import("./Clock")) },
];
const GROUPS = ([["yours", "Yours"], ["firm", "The firm’s"]] as const).filter(([of]) => PAGES.some((each) => each.of === of));

export default function Prop({ route }: ScreenProps) {
  const account = useAccountId();
  const list = useRef<HTMLElement>(null);
  const page = PAGES.find((each) => each.part === route.parts[0]) ?? (PAGES.find((each) => may(each.scope)) ?? PAGES[0]) as Page;
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [page]);
  return (
    <div className="access-screen prop-screen">
      <nav className="pages" aria-label="Pages of the prop firm" ref={list}>
        {GROUPS.map(([of, title]) => (
          <section key={of} aria-label={title}>
            <h2 className="label">{title}</h2>
            <ul>{PAGES.filter((each) => each.of === of && !each.isHidden).map((each) => (
              <li key={each.part}><a href={address("prop", [each.part], { account })} aria-current={each === page ? "page" : undefined} data-shut={may(each.scope) ? undefined : "yes"}>{each.title}</a></li>
            ))}</ul>
          </section>
        ))}
      </nav>
      <div className="page" key={page.part}>
        {may(page.scope) ? <Suspense fallback={<Loading rows={8} waitsFor={`Loading ${page.title}`} />}><page.body route={route} /></Suspense> : <NoRight scope={page.scope} />}
      </div>
    </div>
  );
}
