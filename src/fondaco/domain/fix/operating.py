"""What operators may ask about FIX sessions, and do to them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import Conflict, NotFound
from fondaco.kernel.operation import Do, Look, Operation, Stamp

HOUSE_READ: Final = "house:read"  # identity.model.Scope, which stands on our floor
HOUSE_WRITE: Final = "house:write"
NUMBER_MAX: Final = 2**53 - 1  # what every reader of JSON can hold

Name = Annotated[str, Meta(min_length=1, max_length=256, examples=["FIX.4.4:HOUSE->BROKER"])]
Reason = Annotated[str, Meta(min_length=3, max_length=200, examples=["agreed by telephone"])]
Number = Annotated[int, Meta(ge=1, le=NUMBER_MAX)]


class SessionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class SessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session: Name


class OrderSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session: Name
    reason: Reason


class OrderNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session: Name
    next_out: Number
    next_in: Number
    reason: Reason


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is now. `state` is up, connecting, down, closed (outside its hours) or
    stopped (by an operator)."""

    session: str
    role: str
    state: str
    reason: str  # why it is not up
    next_out: int
    next_in: int
    heart_bt_int_s: int
    peer: str
    received: int  # messages, since this process started
    sent: int
    heard_at: str | None  # the last message of this connection, ISO 8601 in UTC
    said_at: str | None
    missing_from: int  # the gap that was asked for again; 0 where nothing is missing
    missing_to: int
    waiting: int  # messages behind that gap
    unanswered: int  # TestRequests in a row that nobody answered
    application: str
    connect: list[str]
    hours: str
    stopped_by: str


class SessionsReply(msgspec.Struct, frozen=True):
    items: list[SessionShown]


class Desk(Protocol):
    """The part of a house that runs FIX sessions."""

    def show(self) -> Sequence[SessionShown]: ...

    def one(self, session: str) -> SessionShown:
        """Raises `NotFound`."""
        ...

    async def stop(self, session: str, reason: str, by: Stamp) -> SessionShown: ...

    async def start(self, session: str, reason: str, by: Stamp) -> SessionShown: ...

    async def set_numbers(
        self, session: str, next_out: int, next_in: int, reason: str, by: Stamp
    ) -> SessionShown: ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Desk: ...


def _list(_: SessionsRequest, on: Reading) -> SessionsReply:
    return SessionsReply(list(on.source.show()))


def _one(request: SessionRequest, on: Reading) -> SessionShown:
    return on.source.one(request.session)


async def _stop(request: OrderSession, stamp: Stamp, desk: Desk) -> SessionShown:
    return await desk.stop(request.session, request.reason, stamp)


async def _start(request: OrderSession, stamp: Stamp, desk: Desk) -> SessionShown:
    return await desk.start(request.session, request.reason, stamp)


async def _set(request: OrderNumbers, stamp: Stamp, desk: Desk) -> SessionShown:
    return await desk.set_numbers(
        request.session, request.next_out, request.next_in, request.reason, stamp
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="fix.sessions",
        summary="FIX sessions, their state and their sequence numbers.",
        method="GET",
        path="/fix/sessions",
        request=SessionsRequest,
        reply=SessionsReply,
        scope=HOUSE_READ,
        source="fix",
        answer=_list,
        on_loop=True,
    ),
    Look(
        name="fix.session",
        summary="One FIX session as it is now.",
        method="GET",
        path="/fix/session",
        request=SessionRequest,
        reply=SessionShown,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix",
        answer=_one,
        on_loop=True,
    ),
    Do(
        name="fix.stop_session",
        summary="Log a FIX session out, and let nobody log on until it is started again.",
        method="POST",
        path="/fix/sessions/stop",
        request=OrderSession,
        reply=SessionShown,
        scope=HOUSE_WRITE,
        errors=(NotFound,),
        source="fix",
        answer=_stop,
    ),
    Do(
        name="fix.start_session",
        summary="Let a FIX session that was stopped log on again.",
        method="POST",
        path="/fix/sessions/start",
        request=OrderSession,
        reply=SessionShown,
        scope=HOUSE_WRITE,
        errors=(NotFound,),
        source="fix",
        answer=_start,
    ),
    Do(
        name="fix.set_sequence",
        needs_second=True,
        summary="Set the sequence numbers of a FIX session that is not logged on.",
        method="POST",
        path="/fix/sessions/sequence",
        request=OrderNumbers,
        reply=SessionShown,
        scope=HOUSE_WRITE,
        errors=(NotFound, Conflict),
        source="fix",
        answer=_set,
    ),
)
