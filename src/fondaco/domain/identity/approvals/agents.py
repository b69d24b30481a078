"""The law of agents: what they propose waits for a person, unless a budget covers it.

A budget, what was spent of it and what waits are one state, so that no two proposals can spend the
same money, and a stop and the end of what waited are one decision.
"""

from collections.abc import Iterator
from typing import Any, Final

from fondaco.domain.identity.approvals.events import (
    AgentAllowed,
    AgentAsked,
    AgentRefused,
    AgentStarted,
    AgentStopped,
    AllowAgent,
    ApprovalDenied,
    ApprovalEvent,
    ApprovalGranted,
    ApprovalRejected,
    AskForAgent,
    StartAgent,
    StopAgent,
)
from fondaco.domain.identity.approvals.model import (
    AGENT_WAITING_MAX,
    AGENTS_MAX,
    Agent,
    Approvals,
    Case,
    id_of,
)
from fondaco.kernel.event import Instant
from fondaco.kernel.money import format_scaled

DECIMALS: Final = 9
AGENT_PREFIX: Final = "agent/"  # no person is called so: a person agrees to what their own asks
DAY_NS: Final = 86_400_000_000_000


def decided(
    state: Approvals,
    command: AskForAgent | AllowAgent | StopAgent | StartAgent,
    gone: frozenset[int],
) -> Iterator[ApprovalEvent]:
    """`gone` have expired in this turn."""
    match command:
        case AskForAgent():
            yield from _asked(state, command, gone)
        case AllowAgent():
            yield _allowed(state, command)
        case StopAgent():
            yield from _stopped(state, command, gone)
        case StartAgent():
            yield _started(state, command)


def left_of(agent: Agent, at: Instant) -> int:
    """Of the day's budget, times 10^9."""
    spent = agent.spent if agent.day == at // DAY_NS else 0
    return max(agent.day_max - spent, 0)


def covers(agent: Agent, ask: AskForAgent) -> tuple[bool, str]:
    """Whether the budget does, and why, or why not."""
    if agent.mode != "auto":
        return False, "no budget is set for this agent: a person must agree"
    if ask.at >= agent.until:
        return False, f"the budget that {agent.set_by} set has expired: a person must agree"
    if ask.reduces:
        return True, f"it only takes orders back, which {agent.set_by} has allowed"
    if ask.notional < 0:
        return False, "what this costs is not known, so no budget covers it: a person must agree"
    if agent.symbols and ask.symbol not in agent.symbols:
        return False, f"the budget is for {', '.join(agent.symbols)} only: a person must agree"
    if ask.currency != agent.currency:
        return False, f"the budget is of {agent.currency}, this of {ask.currency}: a person must"
    left = left_of(agent, ask.at)
    for limit, what in ((agent.order_max, "one order may have"), (left, "is left of the day's")):
        if ask.notional > limit:
            text = f"this is {_money(ask.notional)}, more than {_money(limit)} {agent.currency}"
            return False, f"{text} that {what}: a person must agree"
    after = f"{_money(left - ask.notional)} of {_money(agent.day_max)} {agent.currency}"
    return True, f"within the budget that {agent.set_by} set: {after} are left of the day's"


def _asked(state: Approvals, ask: AskForAgent, gone: frozenset[int]) -> Iterator[ApprovalEvent]:
    agent = state.agents.get(ask.by) or Agent(ask.by)
    refused = _refusal(state, agent, ask)
    if refused is not None:
        yield AgentRefused(ask.operation, ask.request, ask.by, ask.client, ask.at, *refused)
        return
    own = [
        case
        for case in state.cases.values()
        if case.is_agents and case.by == ask.by and case.state == "waiting"
        and case.number not in gone
    ]  # fmt: skip
    for case in own:
        if (case.operation, case.request) == (ask.operation, ask.request):
            text = f"the same waits already as {id_of(case.number)}"
            yield ApprovalDenied(case.number, ask.by, ask.by, "already_waiting", text)
            return
    covered, text = covers(agent, ask)
    if len(own) >= AGENT_WAITING_MAX and not covered:
        text = f"{len(own)} of its proposals wait for a person, at most {AGENT_WAITING_MAX} may"
        yield ApprovalDenied(0, ask.by, ask.by, "too_many_waiting", text)
        return
    number, left = state.last + 1, left_of(agent, ask.at)
    yield AgentAsked(
        number, ask.operation, ask.request, ask.scope, ask.account, ask.by, ask.client, ask.at,
        ask.expires_at, ask.notional, ask.currency, ask.symbol, ask.preview, text,
        left - max(ask.notional, 0) if covered else left,
    )  # fmt: skip
    if covered:
        yield ApprovalGranted(
            number, "budget", agent.set_user, agent.set_by, text, ask.at, 0, ask.by
        )


def _refusal(state: Approvals, agent: Agent, ask: AskForAgent) -> tuple[str, str] | None:
    if agent.stopped_by:
        why = f"{ask.by} was stopped by {agent.stopped_by}: {agent.stopped_reason}"
        return "agent_stopped", f"{why}; a person must start it again"
    if ask.by not in state.agents and len(state.agents) >= AGENTS_MAX:
        return "too_many_agents", f"{AGENTS_MAX} agents were seen here: no more may ask"
    if ask.refusal:
        return "would_be_refused", ask.refusal
    return None


def _allowed(state: Approvals, command: AllowAgent) -> ApprovalEvent:
    if _is_own(state, command):
        return _own(command)
    return AgentAllowed(
        command.agent, command.mode, command.currency, command.order_max, command.day_max,
        command.symbols, command.until, command.user, command.by, command.reason, command.at,
    )  # fmt: skip


def _stopped(state: Approvals, command: StopAgent, gone: frozenset[int]) -> Iterator[ApprovalEvent]:
    """Anybody may take away, also the agent itself."""
    who = (command.user, command.by)
    yield AgentStopped(command.agent, *who, command.reason, command.at)
    for case in state.cases.values():
        waits = case.state == "waiting" and case.number not in gone
        if case.is_agents and case.by == command.agent and waits:
            reason = f"the agent was stopped: {command.reason}"
            yield ApprovalRejected(case.number, *who, reason, command.at)


def _started(state: Approvals, command: StartAgent) -> ApprovalEvent:
    if _is_own(state, command):
        return _own(command)
    return AgentStarted(command.agent, command.user, command.by, command.reason, command.at)


def _is_own(state: Approvals, command: AllowAgent | StartAgent) -> bool:
    """No agent says what it, or another one, may do."""
    is_agent = command.by == command.agent or command.by in state.agents
    return is_agent and not command.alone


def _own(command: AllowAgent | StartAgent) -> ApprovalDenied:
    text = f"{command.by} is an agent's key: a person must say what {command.agent} may do"
    return ApprovalDenied(0, command.user, command.by, "own_agent", text)


def _money(amount: int) -> str:
    return format_scaled(amount, DECIMALS)


# --- What has happened ----------------------------------------------------------------------------


def spend(state: Approvals, case: Case) -> None:
    agent, day = state.agents[case.by], case.asked_at // DAY_NS
    if agent.day != day:
        agent.day, agent.spent = day, 0
    agent.spent += max(case.notional, 0)


def give_back(state: Approvals, case: Case) -> None:
    """It was not done after all."""
    agent = state.agents[case.by]
    if agent.day == case.asked_at // DAY_NS:
        agent.spent -= max(case.notional, 0)


def _agent(state: Approvals, name: str) -> Agent:
    return state.agents.setdefault(name, Agent(name))


def on_asked(state: Approvals, event: AgentAsked) -> None:
    agent = _agent(state, event.by)
    agent.asked += 1
    agent.last_at, agent.client = event.asked_at, event.client
    state.last = event.number
    state.cases[event.number] = Case(
        event.number, event.operation, event.request, event.scope, event.account,
        AGENT_PREFIX + event.by, event.by, event.asked_at, event.expires_at,
        is_agents=True, client=event.client, notional=event.notional, preview=event.preview,
    )  # fmt: skip


def on_refused(state: Approvals, event: AgentRefused) -> None:
    if event.code == "too_many_agents":
        return
    agent = _agent(state, event.by)
    agent.refused += 1
    agent.last_at, agent.client = event.at, event.client


def on_allowed(state: Approvals, event: AgentAllowed) -> None:
    agent = _agent(state, event.agent)
    mode: Any = event.mode
    agent.mode, agent.currency, agent.symbols = mode, event.currency, event.symbols
    agent.order_max, agent.day_max, agent.until = event.order_max, event.day_max, event.until
    agent.set_user, agent.set_by = event.user, event.by


def on_stopped(state: Approvals, event: AgentStopped) -> None:
    agent = _agent(state, event.agent)
    agent.stopped_by, agent.stopped_at = event.by, event.at
    agent.stopped_reason = event.reason


def on_started(state: Approvals, event: AgentStarted) -> None:
    _agent(state, event.agent).stopped_by = ""
