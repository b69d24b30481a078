"""What may be asked about FIX messages over time: how many, how many refused, how slow."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.fix.looking import Moment
from fondaco.domain.fix.operating import HOUSE_READ, Name
from fondaco.kernel.operation import Look, Operation

WIDTH_MAX_S: Final = 86_400
Width = Annotated[int, Meta(ge=1, le=WIDTH_MAX_S, examples=[60])]


class SeriesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last hour by minutes, unless times and a width are given. `after` is included, `before`
    is not; at most 10,000 spans of time."""

    session: Name | None = None
    after: Moment | None = None
    before: Moment | None = None
    width_s: Width = 60


class SeriesPoint(msgspec.Struct, frozen=True):
    """A session in a span of time. Latencies are microseconds from a request (D, F, G) to the first
    answer (8, 9) of its ClOrdID, null where none was answered; quantiles by nearest rank."""

    at: str  # where it begins
    session: str
    received: int
    sent: int
    rejects: int
    answered: int
    p50_us: float | None
    p99_us: float | None
    max_us: float | None


class SeriesReply(msgspec.Struct, frozen=True):
    """Spans without messages are left out. `columns` messages were read from the columnar store;
    younger ones from the index."""

    after: str
    before: str
    width_s: int
    points: Sequence[SeriesPoint]
    columns: int


class Measuring(Protocol):
    """The part of a house that measures FIX messages."""

    def series(self, asked: SeriesRequest, at: int) -> SeriesReply:
        """Raises `Invalid` for too many spans."""
        ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Measuring: ...

    @property
    def at(self) -> int: ...


def _series(request: SeriesRequest, on: Reading) -> SeriesReply:
    return on.source.series(request, on.at)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="fix.series",
        summary="Messages, rejects and latencies of FIX sessions over time.",
        method="GET",
        path="/fix/series",
        request=SeriesRequest,
        reply=SeriesReply,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_series,
        example={"width_s": 60},
    ),
)
