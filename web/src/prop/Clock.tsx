/** The time of a sandbox: where it stands, what is due next, and how to move it on. */
import { at, Outcome, useDoing } from "../access/parts";
import { api, ok } from "../client/api";
import { useAsked } from "../kit/asked";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { Table } from "../kit/Table";
import { may } from "../shell/session";
import { MOVING_MS, readClock, type Timer } from "../shell/clock";

const SPANS = [["1h", "+1 hour"], ["1d", "+1 day"], ["1w", "+1 week"], ["30d", "+30 days"]] as const;
const STILL_MS = 5_000;

export default function Clock() {
  const asked = useAsked("clock", readClock, STILL_MS);
  const wasMoving = asked.data?.state === "advancing";
  const moving = useAsked(wasMoving ? "clock moving" : "", readClock, MOVING_MS);
  const { isBusy, problem, run } = useDoing();
  const clock = (wasMoving ? moving.data : null) ?? asked.data;
  const isMoving = clock?.state === "advancing"; // by the newer of the two answers
  const move = (body: { by?: string; to?: string }): void => {
    void run(async () => {
      await ok(api.POST("/api/test-clock/advance", { body: { to: null, by: null, prices: [], ...body } }));
      asked.again();
    });
  };
  if (asked.problem) return <ErrorPanel problem={asked.problem} retry={asked.again} />;
  if (!clock) return <Loading rows={6} waitsFor="Reading the clock" />;
  if (!clock.is_sandbox) {
    return (
      <section className="panel" data-panel aria-label="Test clock">
        <header><h2>Test clock</h2></header>
        <Empty>The time of this house is everybody’s, and nobody moves it. A sandbox is a house of its own: <code>fondaco up --sandbox --demo --data DIRECTORY --port 8001</code></Empty>
      </section>
    );
  }
  const [next] = clock.next;
  const mayMove = may("house:write");
  return (
    <>
      <section className="panel" data-panel aria-label="Test clock">
        <header><h2>It is {at(clock.now)} here</h2><span className="label">{clock.state}</span></header>
        {clock.error && <p className="state" role="alert">It stands still since {clock.failed_timer} could not be done: {clock.error} Whoever moves it on tries that first.</p>}
        {isMoving
          ? <p className="state running" role="status"><progress value={clock.progress} max={1} aria-label="On its way" /> on its way to {at(clock.advancing_to)}</p>
          : <p className="acts">{SPANS.map(([by, title]) => <button key={by} type="button" className="button" disabled={isBusy || !mayMove} onClick={() => move({ by })}>{title}</button>)}
            <button type="button" className="button" disabled={isBusy || !mayMove || !next} onClick={() => next && move({ to: next.at })}>To what is due next</button></p>}
        <Outcome problem={problem} />
      </section>
      <section className="panel" data-panel aria-label="Due next">
        <header><h2>Due next</h2><span className="label">{clock.next.length}</span></header>
        <Table<Timer> label="Due next" rows={clock.next} rowKey={(each) => `${each.at} ${each.what} ${each.stream}`} empty={<Empty>Nothing is due.</Empty>} columns={[
          { key: "at", title: "When", cell: (each) => at(each.at) },
          { key: "what", title: "What", cell: (each) => each.what },
          { key: "stream", title: "Whose", cell: (each) => each.stream || "everybody’s" },
        ]} />
      </section>
    </>
  );
}
