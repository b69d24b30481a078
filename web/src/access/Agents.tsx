/** Programs that act with a key: what they may do without asking, what they asked last, and the way to stop them. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { useAsked } from "../kit/asked";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/Field";
import { dayTime } from "../kit/format";
import { Empty, ErrorPanel, Loading } from "../kit/states";
import { spent } from "./budget";

type Agent = Schemas["AgentShown"];
type What = "stop" | "start" | "budget" | "ask";
const EVERY_MS = 5_000;
const at = (nanoseconds: string): string => dayTime(BigInt(nanoseconds), "s");
const words = (operation: string): string => operation.split(".").pop()!.replaceAll("_", " ");

export default function Agents() {
  const asked = useAsked("agents", () => ok(api.GET("/api/agents")), EVERY_MS);
  const [doing, setDoing] = useState<{ what: What; agent: Agent } | null>(null);
  return (
    <section className="panel" data-panel aria-label="Agents">
      <header><h2>Agents</h2><span className="label">Programs that came with a key of yours. What they would change waits under Approvals, or is within the budget that you give them.</span></header>
      {asked.problem && <ErrorPanel problem={asked.problem} retry={asked.again} />}
      {!asked.data && !asked.problem && <Loading waitsFor="Waiting for agents" />}
      {asked.data?.items.length === 0 && <Empty>No agent has asked for anything yet. They connect to /mcp.</Empty>}
      <ul className="cases">{asked.data?.items.map((agent) => <One key={agent.agent} agent={agent} onDo={(what) => setDoing({ what, agent })} />)}</ul>
      {doing && <Doing {...doing} onClose={() => setDoing(null)} onDone={asked.again} />}
    </section>
  );
}

function One({ agent, onDo }: { agent: Agent; onDo: (what: What) => void }) {
  const isStopped = agent.state === "stopped";
  return (
    <li>
      <div className="head">
        <b className="as-it-is">{agent.agent}</b>
        <span className={isStopped ? "chip critical" : "chip"}>{isStopped ? "stopped" : agent.budget.mode === "auto" ? "within a budget" : "asks"}</span>
        <span className="label">{agent.client && `${agent.client}, as it says; `}asked {agent.asked}, waiting {agent.waiting}, refused before it was proposed {agent.refused}{agent.last_at && `; last at ${at(agent.last_at)}`}</span>
      </div>
      {isStopped && <p className="label">Stopped by {agent.stopped_by} at {at(agent.stopped_at)}: {agent.stopped_reason}</p>}
      {agent.budget.mode === "auto" && <Budget agent={agent} />}
      {agent.calls.length > 0 && (
        <ul className="calls">{agent.calls.slice(0, 5).map((call) => (
          <li key={call.approval_id}><span className="mono">{call.approval_id}</span> {words(call.operation)} <span className="label">{call.state}{call.how === "budget" && " by its budget"}, {at(call.asked_at)}</span></li>
        ))}</ul>
      )}
      {agent.may_decide && (
        <div className="row">
          {isStopped
            ? <button type="button" className="button" onClick={() => onDo("start")}>Start again</button>
            : <button type="button" className="button danger" onClick={() => onDo("stop")}>Stop</button>}
          <button type="button" className="button" onClick={() => onDo("budget")}>Set a budget</button>
          {agent.budget.mode === "auto" && <button type="button" className="button" onClick={() => onDo("ask")}>Take the budget back</button>}
        </div>
      )}
    </li>
  );
}

function Budget({ agent }: { agent: Agent }) {
  const { budget } = agent;
  const used = spent(budget.day_max, budget.day_left);
  return (
    <div className="budget">
      <meter min={0} max={100} value={used.percent} aria-label="Used of the day's budget" />
      <span>{used.amount} of {budget.day_max} {budget.currency} used today; {budget.order_max} an order{budget.symbols.length > 0 && `, in ${budget.symbols.join(", ")}`}; until {at(budget.expires_at)}, set by {budget.set_by}</span>
    </div>
  );
}

const TITLES: Record<What, string> = { stop: "Stop", start: "Start again", budget: "Budget of", ask: "Take back the budget of" };
const ACTS: Record<What, string> = { stop: "Stop it; what waits is refused", start: "Start it again", budget: "Set the budget", ask: "From now on it asks" };

function Doing({ what, agent, onClose, onDone }: { what: What; agent: Agent; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState("");
  const [orderMax, setOrderMax] = useState(agent.budget.order_max || "500");
  const [dayMax, setDayMax] = useState(agent.budget.day_max || "2000");
  const [currency, setCurrency] = useState(agent.budget.currency || "USD");
  const [symbols, setSymbols] = useState(agent.budget.symbols.join(" "));
  const [minutes, setMinutes] = useState("60");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    const order = { agent: agent.agent, reason };
    const nothing = { currency: "", order_max: "0", day_max: "0", symbols: [], minutes: 1 };
    try {
      if (what === "stop") await ok(api.POST("/api/agents/stop", { body: order }));
      else if (what === "start") await ok(api.POST("/api/agents/start", { body: order }));
      else if (what === "ask") await ok(api.PUT("/api/agents/budget", { body: { ...order, ...nothing, mode: "ask" } }));
      else await ok(api.PUT("/api/agents/budget", { body: { ...order, mode: "auto", currency, order_max: orderMax, day_max: dayMax, symbols: symbols.split(/[\s,]+/).filter(Boolean), minutes: Number(minutes) } }));
      onDone();
      onClose();
    } catch (error) {
      setProblem(error instanceof Problem ? error : noAnswer(error, true));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`${TITLES[what]} ${agent.agent}`} open onClose={onClose} footer={<>
      <button type="button" className="button quiet" onClick={onClose}>Leave it</button>
      <button type="button" className={what === "stop" ? "button danger" : "button main"} disabled={reason.trim().length < 3 || isBusy} onClick={() => void send()}>{ACTS[what]}</button>
    </>}>
      {what === "budget" && (
        <>
          <p className="label">The most that a text which this program reads and believes can cost you.</p>
          <Field label="One order at most" value={orderMax} inputMode="decimal" onChange={(event) => setOrderMax(event.target.value)} />
          <Field label="A day at most (UTC)" value={dayMax} inputMode="decimal" onChange={(event) => setDayMax(event.target.value)} />
          <Field label="Currency" value={currency} onChange={(event) => setCurrency(event.target.value.toUpperCase())} />
          <Field label="Instruments" value={symbols} onChange={(event) => setSymbols(event.target.value.toUpperCase())} said="Parted by blanks; none: all of them." />
          <Field label="For so many minutes" value={minutes} inputMode="numeric" onChange={(event) => setMinutes(event.target.value)} />
        </>
      )}
      <Field label="Reason" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} said="Kept in the journal, with your name." />
      {problem && <ErrorPanel problem={problem} />}
    </Dialog>
  );
}
