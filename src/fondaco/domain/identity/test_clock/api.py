"""What is asked about the time of a sandbox."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.identity.test_clock.model import PRICES_MAX
from fondaco.kernel.errors import Refused
from fondaco.kernel.operation import Do, Operation, Stamp

TimeText = Annotated[
    str,
    Meta(
        max_length=40,
        description="2027-03-01T12:00:00Z, or nanoseconds since 1970",
        examples=["2027-03-01T00:00:00Z"],
    ),
]
SpanText = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,9}(s|m|h|d|w)$",
        description="seconds, minutes, hours, days of 24 hours, or weeks",
        examples=["1d"],
    ),
]
PxText = Annotated[str, Meta(max_length=40, examples=["48000.00"])]


class ClockRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PriceAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at` "": as soon as the advance begins."""

    symbol: Annotated[str, Meta(max_length=40, examples=["BTC-USD"])]
    bid: PxText
    ask: PxText
    at: TimeText = ""


class AdvanceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `to` and `by`; neither: time stays, and `prices` are quoted from now on."""

    to: TimeText | None = None
    by: SpanText | None = None
    prices: Annotated[list[PriceAsk], Meta(max_length=PRICES_MAX)] = []


class TimerLine(msgspec.Struct, frozen=True):
    """What is due next, and whose it is."""

    at: str
    what: str
    stream: str


class ClockReply(msgspec.Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since 1970, as text. `state` is "live" in a house whose time is
    everybody's; `advancing_to` is "0" unless it moves; `progress` is 0 to 1."""

    is_sandbox: bool
    state: Literal["live", "ready", "advancing", "failed"]
    now: str
    wall_now: str
    advancing_from: str
    advancing_to: str
    progress: float
    stops: int
    failed_at: str
    failed_timer: str
    error: str
    next: list[TimerLine]


class TestClocks(Protocol):
    """What the door is given to answer from."""

    def show(self, stamp: Stamp) -> ClockReply: ...

    async def advance(self, ask: AdvanceRequest, stamp: Stamp) -> ClockReply: ...

    async def cancel(self, stamp: Stamp) -> ClockReply: ...


async def _show(_: ClockRequest, stamp: Stamp, on: TestClocks) -> ClockReply:
    return on.show(stamp)


async def _advance(ask: AdvanceRequest, stamp: Stamp, on: TestClocks) -> ClockReply:
    return await on.advance(ask, stamp)


async def _cancel(_: ClockRequest, stamp: Stamp, on: TestClocks) -> ClockReply:
    return await on.cancel(stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="test_clock.show",
        summary="What time it is in a sandbox, whether it moves, and what is due next.",
        method="GET",
        path="/test-clock",
        request=ClockRequest,
        reply=ClockReply,
        scope=Scope.MARKET_READ,
        source="test_clock",
        answer=_show,
    ),
    Do(
        name="test_clock.advance",
        summary="Move a sandbox's time on: whatever is due until then happens at its time.",
        method="POST",
        path="/test-clock/advance",
        request=AdvanceRequest,
        reply=ClockReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        source="test_clock",
        answer=_advance,
        example={"by": "1d"},
    ),
    Do(
        name="test_clock.cancel",
        summary="Let a sandbox's time stand where it is.",
        method="DELETE",
        path="/test-clock/advance",
        request=ClockRequest,
        reply=ClockReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        source="test_clock",
        answer=_cancel,
    ),
)
