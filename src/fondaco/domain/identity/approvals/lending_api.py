"""To ask in somebody else's name: only by breaking glass, for minutes, and reviewed afterwards.

Whoever does looks and trades as the other does. They change nothing that others rely on, make no
key, agree to nothing, and see nothing of the other's own: sessions, factors, grants.
"""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.approvals.api import ApprovalId, GlassShown, Reason
from fondaco.domain.identity.model import NameText, Scope
from fondaco.kernel.errors import Denied, Invalid, NotFound, Refused
from fondaco.kernel.operation import Do, Operation, Stamp


class LendRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For `minutes` from now on, of which the house allows a setting's, ask as `user`."""

    user: NameText
    reason: Reason
    minutes: Annotated[int, Meta(ge=1, le=1_440)] = 15


class LentReply(msgspec.Struct, frozen=True):
    """`token` is a bearer token in the other's name, good until `until` (nanoseconds since 1970,
    UTC). `caller` is what the journal calls whoever uses it: ada/!grace.1b4d3e60."""

    approval_id: str
    token: str
    caller: str
    scopes: list[str]
    until: str


class EndLentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    approval_id: ApprovalId


class Lending(Protocol):
    async def lend(self, stamp: Stamp, user: str, reason: str, minutes: int) -> LentReply: ...

    async def end(self, stamp: Stamp, approval_id: str) -> GlassShown: ...


async def _lend(ask: LendRequest, stamp: Stamp, desk: Lending) -> LentReply:
    return await desk.lend(stamp, ask.user, ask.reason, ask.minutes)


async def _end(ask: EndLentRequest, stamp: Stamp, desk: Lending) -> GlassShown:
    return await desk.end(stamp, ask.approval_id)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="identity.break_glass",
        summary="In an emergency: ask in somebody else's name for some minutes; it is reviewed.",
        method="POST",
        path="/break-glass",
        request=LendRequest,
        reply=LentReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Invalid, NotFound, Refused),
        status=201,
        secret=True,
        source="lending",
        answer=_lend,
        example={"user": "ada"},
    ),
    Do(
        name="identity.end_break_glass",
        summary="End it before its time: whoever asks so, in whose name, or who runs the house.",
        method="POST",
        path="/break-glass/end",
        request=EndLentRequest,
        reply=GlassShown,
        scope="",
        errors=(NotFound, Denied),
        source="lending",
        answer=_end,
    ),
)
