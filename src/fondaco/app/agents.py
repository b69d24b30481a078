"""The part of a house that looks after agents: what they propose, their budgets, and their end.

Their proposals are cases of the same desk as four eyes, in the same stream: one list, one way to
agree. What is agreed to is done as if the agent's key had asked any other door, so what needs a
second person besides still needs one.
"""

from typing import Any, Final

import msgspec

from fondaco.app.approvals import ApprovalsDesk, cause_of
from fondaco.app.say import say
from fondaco.domain.identity.approvals.agents import DECIMALS, left_of
from fondaco.domain.identity.approvals.agents_api import (
    AgentCall,
    AgentShown,
    AgentsReply,
    AllowRequest,
    moment_text,
)
from fondaco.domain.identity.approvals.events import (
    AgentAsked,
    AgentRefused,
    AllowAgent,
    ApprovalGranted,
    AskForAgent,
    StartAgent,
    StopAgent,
)
from fondaco.domain.identity.approvals.model import Agent, Case, id_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import BudgetShown, Caller
from fondaco.gateway.errors import problem_of
from fondaco.gateway.mcp.proposals import Asked, Proposed
from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound, Refused
from fondaco.kernel.event import Instant
from fondaco.kernel.money import format_scaled, parse_scaled
from fondaco.kernel.operation import Answered, Stamp

PREVIEW_BYTES_MAX: Final = 8_192  # of what the journal keeps
REQUEST_BYTES_MAX: Final = 65_536
CALLS_SHOWN: Final = 10
MINUTE_NS: Final = 60_000_000_000


class AgentsDesk:
    """Belongs to the loop's thread."""

    def __init__(self, approvals: ApprovalsDesk, directory: Directory) -> None:
        self._approvals, self._directory = approvals, directory

    # --- What agents ask --------------------------------------------------------------------------

    async def propose(self, stamp: Stamp, asked: Asked) -> Proposed:
        """Raises `Denied` for an agent that was stopped, `Refused` where too much waits."""
        text = msgspec.json.encode(asked.request)
        if len(text) > REQUEST_BYTES_MAX:
            raise Invalid(f"the request is {len(text)} bytes, at most {REQUEST_BYTES_MAX} may wait")
        preview = asked.preview if len(asked.preview) <= PREVIEW_BYTES_MAX else b""
        known = asked.notional is not None
        command = AskForAgent(
            cause_of("propose", stamp, asked.operation.encode() + text),
            stamp.at,
            asked.operation,
            text.decode(),
            asked.scope,
            asked.account_id,
            stamp.caller,
            asked.client,
            Instant(stamp.at + self._approvals.ttl_ns),
            parse_scaled(asked.notional or "0", DECIMALS, "notional") if known else -1,
            asked.currency,
            asked.symbol,
            asked.reduces,
            preview.decode(),
            asked.refusal,
        )
        try:
            entries = await self._approvals.submit(stamp.tenant, command)
        except Refused as error:
            if error.code != "already_waiting":
                raise
            return self._waiting(stamp, self._same(stamp.tenant, command), error.message)
        for entry in entries:
            match entry.event:
                case AgentRefused(code="would_be_refused"):
                    return self._said(stamp, "refuse", asked.refusal, "not_proposed")
                case AgentRefused(code=code, text=why):
                    raise Denied(why, code=code, position=entry.position)
        events = [entry.event for entry in entries]
        said = next(event for event in events if isinstance(event, AgentAsked))
        case = self._approvals.case(stamp.tenant, said.number)
        if not any(isinstance(event, ApprovalGranted) for event in events):
            return self._waiting(stamp, case, said.text)
        return await self._at_once(stamp, case, said.text)

    def _same(self, tenant: str, command: AskForAgent) -> Case:
        """What waits already."""
        own = (command.by, command.operation, command.request)
        cases = self._approvals.state(tenant).cases.values()
        return next(
            case
            for case in cases
            if case.state == "waiting" and (case.by, case.operation, case.request) == own
        )

    def _waiting(self, stamp: Stamp, case: Case, why: str) -> Proposed:
        return self._said(stamp, "ask", why, "waiting", case)

    async def _at_once(self, stamp: Stamp, case: Case, why: str) -> Proposed:
        result, error = await self._approvals.carry_out(stamp.tenant, case)
        state: Any = "failed" if error else "executed"
        if error is not None:
            result = problem_of(error, stamp.request_id, stamp.request_id, was_submitted=True)
        elif isinstance(result, Answered):
            result = result.reply
        return self._said(stamp, "auto", why, state, case, result)

    def _said(
        self,
        stamp: Stamp,
        verdict: Any,
        reason: str,
        state: Any,
        case: Case | None = None,
        result: Any = None,
    ) -> Proposed:
        agents = self._approvals.state(stamp.tenant).agents
        return Proposed(
            verdict=verdict,
            reason=reason,
            budget=_budget(agents.get(stamp.caller) or Agent(stamp.caller), stamp.at),
            state=state,
            approval_id=id_of(case.number) if case else "",
            expires_at=str(case.expires_at) if case else "",
            result=result,
        )

    # --- What people ask --------------------------------------------------------------------------

    async def agents(self, stamp: Stamp) -> AgentsReply:
        caller = await self._approvals.looking(stamp)
        state = self._approvals.state(stamp.tenant)
        found = [each for each in state.agents.values() if _may_see(caller, each.name)]
        found.sort(key=lambda agent: (-agent.last_at, agent.name))
        return AgentsReply([self._shown(caller, agent, stamp.at) for agent in found])

    async def allow(self, stamp: Stamp, ask: AllowRequest) -> AgentShown:
        caller = await self._deciding(stamp, ask.agent)
        if ask.mode == "auto":
            caller.require("orders:write")
            if not ask.currency:
                raise Invalid("currency is missing: say what order_max and day_max are of")
        command = AllowAgent(
            cause_of("allow", stamp, msgspec.json.encode(ask)),
            stamp.at,
            ask.agent,
            ask.mode,
            ask.currency,
            parse_scaled(ask.order_max, DECIMALS, "order_max"),
            parse_scaled(ask.day_max, DECIMALS, "day_max"),
            tuple(ask.symbols),
            Instant(stamp.at + ask.minutes * MINUTE_NS),
            caller.user,
            caller.name,
            ask.reason,
            self._approvals.alone(stamp.tenant),
        )
        return await self._done(stamp, caller, ask.agent, command)

    async def stop(self, stamp: Stamp, agent: str, reason: str) -> AgentShown:
        caller = await self._deciding(stamp, agent)
        said = f"{agent}/{reason}".encode()
        cause = cause_of("stop", stamp, said)
        command = StopAgent(cause, stamp.at, agent, caller.user, caller.name, reason)
        shown = await self._done(stamp, caller, agent, command)
        say(f"AGENT {agent} stopped by {caller.name}: {reason}")
        return shown

    async def start(self, stamp: Stamp, agent: str, reason: str) -> AgentShown:
        caller = await self._deciding(stamp, agent)
        cause = cause_of("start", stamp, f"{agent}/{reason}".encode())
        alone = self._approvals.alone(stamp.tenant)
        command = StartAgent(cause, stamp.at, agent, caller.user, caller.name, reason, alone)
        return await self._done(stamp, caller, agent, command)

    async def _deciding(self, stamp: Stamp, agent: str) -> Caller:
        """Who decides about this agent. One that is gone may still be stopped."""
        caller = await self._approvals.looking(stamp)
        if not _may_see(caller, agent):
            raise NotFound(f"there is no agent {agent}", code="unknown_agent")
        try:
            accounts = self._directory.still(stamp.tenant, agent).accounts
        except FondacoError:
            if agent in self._approvals.state(stamp.tenant).agents:
                return caller
            raise NotFound(f"there is no agent {agent}", code="unknown_agent") from None
        own = caller.accounts
        if own is not None and (accounts is None or not accounts <= own):
            raise Denied(f"{agent} uses accounts that you may not", code="forbidden")
        return caller

    async def _done(self, stamp: Stamp, caller: Caller, agent: str, command: Any) -> AgentShown:
        entries = await self._approvals.submit(stamp.tenant, command)
        found = self._approvals.state(stamp.tenant).agents[agent]
        shown = self._shown(caller, found, stamp.at)
        return msgspec.structs.replace(shown, position=entries[-1].position)

    def _shown(self, caller: Caller, agent: Agent, at: Instant) -> AgentShown:
        state = self._approvals.state(caller.tenant)
        own = [each for each in state.cases.values() if each.is_agents and each.by == agent.name]
        return AgentShown(
            agent=agent.name,
            client=agent.client,
            state="stopped" if agent.stopped_by else "running",
            stopped_by=agent.stopped_by,
            stopped_at=moment_text(agent.stopped_at) if agent.stopped_by else "",
            stopped_reason=agent.stopped_reason if agent.stopped_by else "",
            budget=_budget(agent, at),
            asked=agent.asked,
            refused=agent.refused,
            waiting=sum(each.state == "waiting" for each in own),
            last_at=moment_text(agent.last_at),
            calls=[
                AgentCall(
                    approval_id=id_of(each.number),
                    operation=each.operation,
                    state=each.state,
                    how=each.how,
                    asked_at=str(each.asked_at),
                )
                for each in own[: -CALLS_SHOWN - 1 : -1]
            ],
            may_decide=caller.may("approvals:write"),
        )


def _may_see(caller: Caller, agent: str) -> bool:
    """Their own, and those of the tenant for who looks after the house."""
    return agent.partition("/")[0] == caller.user or caller.may("house:read")


def _budget(agent: Agent, at: Instant) -> BudgetShown:
    if agent.mode != "auto" or at >= agent.until:
        return BudgetShown(mode="ask", set_by=agent.set_by)
    return BudgetShown(
        mode="auto",
        currency=agent.currency,
        order_max=format_scaled(agent.order_max, DECIMALS),
        day_max=format_scaled(agent.day_max, DECIMALS),
        day_left=format_scaled(left_of(agent, at), DECIMALS),
        symbols=list(agent.symbols),
        expires_at=str(agent.until),
        set_by=agent.set_by,
    )
