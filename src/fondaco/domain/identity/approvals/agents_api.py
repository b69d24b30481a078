"""What may be asked about agents: who they are, what they may do without asking, and to stop them.

An agent is a key with which somebody came to the door for agents. What it proposes is decided as
every approval is: /approvals.
"""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.approvals.api import Reason
from fondaco.domain.identity.approvals.model import Mode
from fondaco.domain.identity.model import BudgetShown, Scope
from fondaco.kernel.errors import Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.money import DecimalText
from fondaco.kernel.operation import Do, Operation, Stamp

AgentName = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}(/[~@A-Za-z0-9._-]{1,130})?$", examples=["ada/agent"]),
]
SymbolText = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,39}$", examples=["BTC-USD"])]


class NoAgentFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class AgentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    agent: AgentName
    reason: Reason


class AllowRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`mode` "ask": a person agrees to everything. "auto": orders are placed without, of at most
    `order_max` each and `day_max` a UTC day, in `symbols` (empty: all), for so many `minutes`; what
    only takes orders back is, too. Amounts are of `currency`, in which instruments are quoted."""

    agent: AgentName
    mode: Mode
    reason: Reason
    currency: Annotated[str, Meta(pattern=r"^[A-Z0-9]{0,12}$", examples=["USD"])] = ""
    order_max: DecimalText = "0"
    day_max: DecimalText = "0"
    symbols: Annotated[list[SymbolText], Meta(max_length=100)] = []
    minutes: Annotated[int, Meta(ge=1, le=525_600)] = 480


class AgentCall(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an agent proposed."""

    approval_id: str
    operation: str
    state: str
    how: str
    asked_at: str


class AgentShown(msgspec.Struct, frozen=True, kw_only=True):
    """`client` is what its program calls itself: its own word. `asked` counts proposals, `refused`
    what was not even proposed. `calls` are the newest that are kept, newest first."""

    agent: str
    client: str
    state: Literal["running", "stopped"]
    stopped_by: str
    stopped_at: str
    stopped_reason: str
    budget: BudgetShown
    asked: int
    refused: int
    waiting: int
    last_at: str
    calls: list[AgentCall]
    may_decide: bool = False  # whether you may set its budget, stop and start it
    position: int = 0  # of the entry that this request has left


class AgentsReply(msgspec.Struct, frozen=True):
    items: list[AgentShown]


class Desk(Protocol):
    """The part of a house that looks after agents."""

    async def agents(self, stamp: Stamp) -> AgentsReply: ...

    async def allow(self, stamp: Stamp, ask: AllowRequest) -> AgentShown: ...

    async def stop(self, stamp: Stamp, agent: str, reason: str) -> AgentShown: ...

    async def start(self, stamp: Stamp, agent: str, reason: str) -> AgentShown: ...


def moment_text(at: Instant) -> str:
    return str(at) if at else ""


async def _list(_: NoAgentFields, stamp: Stamp, desk: Desk) -> AgentsReply:
    return await desk.agents(stamp)


async def _allow(ask: AllowRequest, stamp: Stamp, desk: Desk) -> AgentShown:
    return await desk.allow(stamp, ask)


async def _stop(ask: AgentOrder, stamp: Stamp, desk: Desk) -> AgentShown:
    return await desk.stop(stamp, ask.agent, ask.reason)


async def _start(ask: AgentOrder, stamp: Stamp, desk: Desk) -> AgentShown:
    return await desk.start(stamp, ask.agent, ask.reason)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="agents.overview",
        summary="Your agents, what they may do without asking, and what they asked last.",
        method="GET",
        path="/agents",
        request=NoAgentFields,
        reply=AgentsReply,
        scope=Scope.APPROVALS_READ,
        source="agents",
        answer=_list,
    ),
    Do(
        name="agents.allow",
        summary="Give an agent a budget within which it need not ask, or take it back.",
        method="PUT",
        path="/agents/budget",
        request=AllowRequest,
        reply=AgentShown,
        example={"agent": "demo", "mode": "auto", "currency": "USD", "order_max": "1000",
                 "day_max": "5000", "symbols": ["BTC-USD"], "minutes": 60},
        scope=Scope.APPROVALS_WRITE,
        errors=(NotFound, Denied, Invalid),
        source="agents",
        answer=_allow,
    ),
    Do(
        name="agents.stop",
        summary="Stop an agent at once: it asks nothing any more, and what waits is refused.",
        method="POST",
        path="/agents/stop",
        request=AgentOrder,
        reply=AgentShown,
        example={"agent": "demo"},
        scope=Scope.APPROVALS_WRITE,
        errors=(NotFound, Denied),
        source="agents",
        answer=_stop,
    ),
    Do(
        name="agents.start",
        summary="Let an agent that was stopped ask again.",
        method="POST",
        path="/agents/start",
        request=AgentOrder,
        reply=AgentShown,
        example={"agent": "demo"},
        scope=Scope.APPROVALS_WRITE,
        errors=(NotFound, Denied),
        source="agents",
        answer=_start,
    ),
)  # fmt: skip
