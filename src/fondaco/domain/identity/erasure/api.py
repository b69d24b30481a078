"""What may be asked about forgetting a person. Two people must agree to it, and to a legal hold."""

import asyncio
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.erasure.model import ErasurePlan
from fondaco.domain.identity.model import NameText, Scope
from fondaco.kernel.errors import Conflict, NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Do, Operation, Stamp

Reason = Annotated[str, Meta(min_length=3, max_length=200)]


class ErasurePlanRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: NameText


class EraseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` stays in the journal: it must not say who the person is."""

    user: NameText
    reason: Reason


class HoldRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`until` is nanoseconds since 1970, UTC. `reason` is kept with the records."""

    user: NameText
    reason: Reason
    until: Annotated[int, Meta(ge=0, le=2**63 - 1)]


class HoldReply(msgspec.Struct, frozen=True):
    user: str
    is_held: bool


class Forgetting(Protocol):
    """What the door is given to answer from."""

    def plan(self, tenant: str, user: str) -> ErasurePlan: ...

    def erase(self, tenant: str, user: str, by: str) -> ErasurePlan: ...

    def hold(self, tenant: str, user: str, reason: str, until: Instant, by: str) -> None: ...

    def lift(self, tenant: str, user: str, by: str) -> None: ...


async def _plan(ask: ErasurePlanRequest, stamp: Stamp, on: Forgetting) -> ErasurePlan:
    return await asyncio.to_thread(on.plan, stamp.tenant, ask.user)


async def _erase(ask: EraseRequest, stamp: Stamp, on: Forgetting) -> ErasurePlan:
    return await asyncio.to_thread(on.erase, stamp.tenant, ask.user, stamp.caller)


async def _hold(ask: HoldRequest, stamp: Stamp, on: Forgetting) -> HoldReply:
    until = Instant(ask.until)
    await asyncio.to_thread(on.hold, stamp.tenant, ask.user, ask.reason, until, stamp.caller)
    return HoldReply(ask.user, True)


async def _lift(ask: EraseRequest, stamp: Stamp, on: Forgetting) -> HoldReply:
    await asyncio.to_thread(on.lift, stamp.tenant, ask.user, stamp.caller)
    return HoldReply(ask.user, False)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="identity.erasure_plan",
        summary="What lies where of a person, what would go, and what must stay until when.",
        method="GET",
        path="/users/{user}/erasure",
        request=ErasurePlanRequest,
        reply=ErasurePlan,
        scope=Scope.HOUSE_READ,
        errors=(NotFound,),
        source="erasure",
        answer=_plan,
    ),
    Do(
        name="identity.erase_person",
        summary="Forget a person: destroy their key, and what is kept of them.",
        method="POST",
        path="/users/{user}/erasure",
        request=EraseRequest,
        reply=ErasurePlan,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound, Conflict, Unavailable),
        needs_second=True,
        source="erasure",
        answer=_erase,
        own=lambda ask: ask.user,
        example={"reason": "asked for it, case 7"},
    ),
    Do(
        name="identity.hold_person",
        summary="Have nothing of a person destroyed until a day: a legal hold.",
        method="PUT",
        path="/users/{user}/hold",
        request=HoldRequest,
        reply=HoldReply,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound,),
        needs_second=True,
        source="erasure",
        answer=_hold,
        example={"reason": "litigation 12/26", "until": 1_900_000_000_000_000_000},
    ),
    Do(
        name="identity.lift_hold",
        summary="End a legal hold on a person.",
        method="POST",
        path="/users/{user}/hold/lift",
        request=EraseRequest,
        reply=HoldReply,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound,),
        needs_second=True,
        source="erasure",
        answer=_lift,
        example={"reason": "litigation 12/26 has ended"},
    ),
)
