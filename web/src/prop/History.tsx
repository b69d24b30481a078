/** Every assessment of one's own, the newest first. */
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { go } from "../shell/routes";
import { useSession } from "../shell/session";
import { Lines } from "./Lines";

const EVERY_MS = 5_000;

export default function History() {
  const user = useSession()?.caller.split("/")[0] ?? "";
  const asked = useAsked("assessments of mine", () => ok(api.GET("/api/assessments", { params: { query: {} } })), EVERY_MS);
  const items = (asked.data?.items ?? []).filter((each) => each.user === user);
  return (
    <section className="panel" data-panel aria-label="Assessment history">
      <header><h2>Your assessments</h2><span className="label lead">The newest first. One that has ended stays as it was.</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading rows={6} waitsFor="Reading your assessments" />}
      {asked.data && <Lines items={items} empty={<Empty action={{ label: "See what is sold", act: () => go("#/prop/shop") }}>You have had no assessment yet.</Empty>} />}
    </section>
  );
}
