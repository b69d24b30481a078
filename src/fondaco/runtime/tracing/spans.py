"""Spans of what was written, made of entries and of what was noted beside them. Pure.

One turn, which is what a stream decided at once, is an anchor and its parts:

    request ──────────────────────────────────┐   what somebody outside asked, until they were told
      ├ decide      from its stamp until the law had decided
      ├ commit      until its group was durable
      ├ postings    while the step of the views that had it worked out postings
      └ views       until every view showed it; who fills them may know of it before we do
    deliver         from durable at one stream until it was heard at the next; its parts as above
    watch           what time or the market has set off, as a request

A trace is a chain of causes: whatever a request has led to, in the order in which it did. Names are
few, with the kind of the stream behind them: "decide account", "deliver venue".
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from fondaco.kernel.event import MESSAGE_MARK, REQUEST_MARK, CommandId, Entry, Event, StreamId
from fondaco.kernel.trace import request_span, step_span, trace_of
from fondaco.runtime.tracing.rows import Commit, Request, Shown

INTERNAL: Final = 1  # OTLP's SpanKind
SERVER: Final = 2
CONSUMER: Final = 5
Attribute = tuple[str, str | int]


class Posts(NamedTuple):
    """Which view works out postings, and of which kinds of events."""

    view: str
    kinds: frozenset[str]


class Span(msgspec.Struct, frozen=True, gc=False):
    trace_id: str
    span_id: str
    parent_id: str  # empty: a root
    name: str
    kind: int
    start: int  # ns since 1970 UTC
    end: int
    attributes: tuple[Attribute, ...] = ()


class Known(msgspec.Struct, frozen=True, gc=False):
    """What a turn passes on to those that it causes."""

    trace_id: str
    span_id: str  # of its anchor
    durable: int  # 0: not known


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What one command left on one stream."""

    stream: StreamId
    version: int  # of the first entry
    position: int
    caused_by: CommandId
    at: int
    kinds: tuple[str, ...]

    @property
    def is_request(self) -> bool:
        return REQUEST_MARK in self.caused_by

    @property
    def source(self) -> tuple[StreamId, int] | None:
        """The entry that has caused it; None: it began here."""
        source, mark, version = self.caused_by.rpartition(MESSAGE_MARK)
        if not mark or not version.isdecimal() or self.is_request:
            return None
        return StreamId(source), int(version)


def tag_of(kind: type[Event]) -> str:
    return str(kind.__struct_config__.tag)


def turns_of(entries: Sequence[Entry]) -> Iterator[Turn]:
    """Neighbors of one stream and one cause are what one command has left."""
    nth = 0
    while nth < len(entries):
        first = entries[nth]
        kinds = []
        while (
            nth < len(entries)
            and entries[nth].stream == first.stream
            and entries[nth].caused_by == first.caused_by
        ):
            kinds.append(tag_of(type(entries[nth].event)))
            nth += 1
        yield Turn(
            first.stream, first.version, first.position, first.caused_by, first.at, tuple(kinds)
        )


def known_of(
    turn: Turn, commit: Commit | None, cause: Known | None, request: Request | None
) -> Known:
    """`cause` is of the turn that has caused it, `request` what was noted of its stamp."""
    durable = commit.durable if commit else 0
    if cause is not None:
        return Known(cause.trace_id, step_span(turn.stream, turn.version, "deliver"), durable)
    if request is not None:
        return Known(request.trace_id, request_span(turn.at), durable)
    return Known(trace_of(turn.stream, turn.caused_by), request_span(turn.at), durable)


def spans_of(
    turn: Turn,
    known: Known,
    *,
    cause: Known | None = None,
    commit: Commit | None = None,
    shown: Shown | None = None,
    request: Request | None = None,
    posts: Posts | None = None,
) -> list[Span]:
    """What is not known yet, or was never noted, has no span."""
    kind = turn.stream.partition("/")[0]
    about: tuple[Attribute, ...] = (
        ("fondaco.stream", turn.stream),
        ("fondaco.version", turn.version),
        ("fondaco.position", turn.position),
        ("fondaco.events", " ".join(turn.kinds)),
    )
    decided = max(commit.decided(turn.position), turn.at) if commit else 0
    told = max(commit.told, decided) if commit else turn.at
    trace, anchor = known.trace_id, known.span_id
    spans: list[Span] = []

    def part(name: str, start: int, end: int, attributes: tuple[Attribute, ...] = ()) -> None:
        own = step_span(turn.stream, turn.version, name)
        end = max(end, start)
        spans.append(Span(trace, own, anchor, f"{name} {kind}", INTERNAL, start, end, attributes))

    if cause is not None:
        start = min(cause.durable or turn.at, turn.at)
        spans.append(
            Span(trace, anchor, cause.span_id, f"deliver {kind}", CONSUMER, start, turn.at, about)
        )
    elif request is None or not request.has_end:
        name, span_kind = ("request", SERVER) if turn.is_request else ("watch", INTERNAL)
        parent = request.parent_id if request else ""
        asked = (*about, ("fondaco.asked", turn.caused_by.rpartition(REQUEST_MARK)[0]))
        if request is not None:
            asked = (*asked, *_asked(request))
        own = asked if turn.is_request else about
        spans.append(Span(trace, anchor, parent, f"{name} {kind}", span_kind, turn.at, told, own))
    if commit is not None:
        part("decide", turn.at, decided, about)
        group: tuple[Attribute, ...] = (("fondaco.group", len(commit.firsts)),)
        part("commit", decided, commit.durable, group)
        if shown is not None:
            if posts is not None and not posts.kinds.isdisjoint(turn.kinds):
                before = shown.began
                for view, took in shown.parts.items():
                    if view == posts.view:
                        part("postings", before, before + took)
                    before += took
            part("views", min(commit.durable, shown.began), shown.ended)
    return spans


def span_of_request(request: Request) -> Span:
    """Of one that was noted to its end: several commands may hang on it, or none."""
    return Span(
        request.trace_id,
        request_span(request.at),
        request.parent_id,
        f"request {request.operation}",
        SERVER,
        request.at,
        max(request.ended, request.at),
        (*_asked(request), ("http.response.status_code", request.status)),
    )


def _asked(request: Request) -> tuple[Attribute, ...]:
    return (
        ("fondaco.operation", request.operation),
        ("fondaco.correlation_id", request.correlation_id),
    )
