/** What waits for a second person before a version is on sale, and what became of it. */
import { at } from "../access/parts";
import { api, ok, type Schemas } from "../client/api";
import { useAsked } from "../kit/asked";
import { address } from "../shell/routes";
import { may, useAccountId } from "../shell/session";

type Approval = Schemas["ApprovalShown"];
const EVERY_MS = 5_000;
const FEW = 3;
const LOOKS: Record<Approval["state"], { shape: string; word: string }> = {
  waiting: { shape: "sending", word: "waits for a second person" }, approved: { shape: "working", word: "agreed, being done" }, executed: { shape: "filled", word: "agreed and done" },
  rejected: { shape: "refused", word: "not agreed" }, expired: { shape: "over", word: "nobody agreed in time" }, failed: { shape: "unknown", word: "? agreed, not done" },
};

export function Agreed({ tier }: { tier: string }) {
  const account = useAccountId();
  const asked = useAsked(may("approvals:read") ? `agreed ${tier}` : "", () => ok(api.GET("/api/approvals", { params: { query: { state: "all" } } })), EVERY_MS);
  const found = (asked.data?.items ?? []).filter((each) => each.operation === "tiers.publish" && each.request["tier"] === tier).sort((a, b) => Number(BigInt(b.asked_at) - BigInt(a.asked_at)));
  if (!found.length) return null;
  return (
    <ul className="agreed" aria-label="Publication by two people">{found.slice(0, FEW).map((each) => (
      <li key={each.approval_id}>
        <b>Publish version {String(each.request["version"])}</b>
        <span className={`status ${LOOKS[each.state].shape}`}><span>{LOOKS[each.state].word}</span></span>
        <span className="label">asked by {each.asked_by} at {at(each.asked_at)}{each.decided_by && `, decided by ${each.decided_by} at ${at(each.decided_at)}${each.how === "alone" ? ", alone in this house" : ""}`}{each.reason && `: ${each.reason}`}{each.error && `; ${each.error}`}{each.state === "waiting" && `, until ${at(each.expires_at)}`}</span>
        {each.state === "waiting" && <a href={address("access", ["approvals"], { account })}>{each.may_decide ? "Decide it" : "See what waits"}</a>}
      </li>
    ))}</ul>
  );
}
