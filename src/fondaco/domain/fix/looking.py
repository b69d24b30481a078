"""What may be asked about FIX messages: search, one of them in words, a session's timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.fix.operating import HOUSE_READ, Name
from fondaco.domain.fix.search.asking import QUERY_MAX
from fondaco.domain.fix.shown import Shown
from fondaco.kernel.errors import NotFound
from fondaco.kernel.operation import Look, Operation

Moment = Annotated[datetime, Meta(tz=True)]
QueryText = Annotated[
    str, Meta(max_length=QUERY_MAX, examples=['35=D AND 55=EUR* AND 58:~"limit"'])
]
MessageName = Annotated[str, Meta(min_length=1, max_length=40, examples=["17"])]
CaptureName = Annotated[str, Meta(pattern="^[1-9][0-9]{0,5}$", examples=["1"])]
CursorText = Annotated[str, Meta(pattern="^[0-9]{0,19}$", examples=["4711"])]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Buckets = Annotated[int, Meta(ge=1, le=2_000)]


class MessagesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`after` is included, `before` is not; `cursor` is the `next` of the page before."""

    query: QueryText = ""
    session: Name | None = None
    direction: Literal["in", "out"] | None = None
    after: Moment | None = None
    before: Moment | None = None
    capture: CaptureName | None = None  # of an upload; else the house's own messages
    cursor: CursorText = ""
    limit: Limit = 100


class MessageRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message_id: MessageName


class TimelineRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last day of the session, unless times are given."""

    session: Name
    after: Moment | None = None
    before: Moment | None = None
    buckets: Buckets = 120


class MessageLine(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a list. `at` is when it was received or sent; `seq_num` is -1 where it has
    none."""

    id: str
    at: str
    session: str
    direction: Literal["in", "out"]
    msg_type: str
    name: str
    seq_num: int
    summary: str
    garbled: str | None  # why no session would take it


class MessageReply(MessageLine, frozen=True, kw_only=True):
    """One message in full. Passwords and signatures are starred out."""

    raw: str  # with | for SOH
    hex: str
    octets: int
    dictionary: str
    fields: tuple[Shown, ...]
    source: str  # "house", or the number of a capture


class Archived(msgspec.Struct, frozen=True):
    """Messages that are no longer in the index but in files: `fondaco fix search` reads them."""

    until: str
    messages: int
    folder: str


class MessagesReply(msgspec.Struct, frozen=True):
    """`next` goes into `cursor` for what is older; null: that was all. Not `complete`: so many
    messages were looked at that older ones are left to the next page."""

    items: Sequence[MessageLine]
    next: str | None
    complete: bool
    examined: int
    archived: Archived | None


class Bucket(msgspec.Struct, frozen=True):
    at: str  # where it begins
    received: int
    sent: int


class SessionMark(msgspec.Struct, frozen=True):
    """Something worth a line in a session's story."""

    at: str
    kind: Literal["logon", "logout", "reject", "resend", "reset", "alert"]
    text: str
    message: str | None
    alert: str | None


class TimelineReply(msgspec.Struct, frozen=True):
    session: str
    after: str
    before: str
    bucket_ms: int
    buckets: Sequence[Bucket]
    marks: Sequence[SessionMark]


class Messages(Protocol):
    """The part of a house that keeps messages for search."""

    def search(self, asked: MessagesRequest) -> MessagesReply:
        """Raises `Invalid` for a query that cannot be read."""
        ...

    def one(self, message_id: str) -> MessageReply:
        """Raises `NotFound`."""
        ...

    def timeline(self, asked: TimelineRequest, at: int) -> TimelineReply: ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Messages: ...

    @property
    def at(self) -> int: ...


def _search(request: MessagesRequest, on: Reading) -> MessagesReply:
    return on.source.search(request)


def _one(request: MessageRequest, on: Reading) -> MessageReply:
    return on.source.one(request.message_id)


def _timeline(request: TimelineRequest, on: Reading) -> TimelineReply:
    return on.source.timeline(request, on.at)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="fix.messages",
        summary="Search FIX messages by tag, value, session, time and text; the newest first.",
        method="GET",
        path="/fix/messages",
        request=MessagesRequest,
        reply=MessagesReply,
        scope=HOUSE_READ,
        source="fix_messages",
        answer=_search,
        example={"query": 'MsgType=D AND Symbol=EUR* AND 58:~"limit"', "limit": 50},
    ),
    Look(
        name="fix.message",
        summary="One FIX message, its fields in words and its bytes without secrets.",
        method="GET",
        path="/fix/messages/{message_id}",
        request=MessageRequest,
        reply=MessageReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_one,
    ),
    Look(
        name="fix.timeline",
        summary="How many messages a FIX session had over time, and what was remarkable.",
        method="GET",
        path="/fix/timeline",
        request=TimelineRequest,
        reply=TimelineReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_messages",
        answer=_timeline,
    ),
)
