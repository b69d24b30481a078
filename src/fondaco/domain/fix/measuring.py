"""What may be asked about FIX messages over time: how many, how many refused, how slow."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.fix.looking import Moment
from fondaco.domain.fix.operating import HOUSE_READ, Name
from fondaco.kernel.operation import Look, Operation

WIDTH_MAX_S: Final = 86_400
Day = Annotated[str, Meta(pattern="^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$", examples=["2026-11-22"])]
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


class ReportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    day: Day  # UTC


class PartLine(msgspec.Struct, frozen=True, kw_only=True):
    """A session on that day, or a counterparty with all of its sessions (then `session` is "" and
    its latencies are null: quantiles do not add up)."""

    counterparty: str
    session: str
    received: int
    sent: int
    rejects: int
    answered: int
    p50_us: float | None
    p99_us: float | None
    max_us: float | None
    alerts: int


class ReasonLine(msgspec.Struct, frozen=True):
    """Why messages were refused, and how often."""

    name: str  # "Reject", "ExecutionReport"
    text: str
    count: int


class FoundLine(msgspec.Struct, frozen=True):
    alert: str
    at: str
    pattern: str
    title: str
    severity: str
    session: str
    subject: str
    count: int


class HourLine(msgspec.Struct, frozen=True):
    at: str
    messages: int
    rejects: int


class ReportReply(msgspec.Struct, frozen=True, kw_only=True):
    """A day of FIX sessions (UTC). `reasons` are the 20 that came most often, `alerts` the 500 that
    are worst; `by_severity` counts all."""

    day: str
    messages: int
    rejects: int
    sessions: Sequence[PartLine]
    counterparties: Sequence[PartLine]
    hours: Sequence[HourLine]
    reasons: Sequence[ReasonLine]
    by_severity: dict[str, int]
    alerts: Sequence[FoundLine]


class Measuring(Protocol):
    """The part of a house that measures FIX messages."""

    def series(self, asked: SeriesRequest, at: int) -> SeriesReply:
        """Raises `Invalid` for too many spans."""
        ...

    def report(self, day: str) -> ReportReply:
        """Raises `Invalid` for what is no day."""
        ...

    def report_page(self, day: str) -> str: ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Measuring: ...

    @property
    def at(self) -> int: ...


def _series(request: SeriesRequest, on: Reading) -> SeriesReply:
    return on.source.series(request, on.at)


def _report(request: ReportRequest, on: Reading) -> ReportReply:
    return on.source.report(request.day)


def _page(request: ReportRequest, on: Reading) -> str:
    return on.source.report_page(request.day)


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
    Look(
        name="fix.report",
        summary="A day of FIX sessions: messages, rejects, latencies, alerts and top reasons.",
        method="GET",
        path="/fix/reports/{day}",
        request=ReportRequest,
        reply=ReportReply,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_report,
    ),
    Look(
        name="fix.report_page",
        summary="The same as a page that needs nothing else.",
        method="GET",
        path="/fix/reports/{day}/page",
        request=ReportRequest,
        reply=str,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_page,
        media_type="text/html",
    ),
)
