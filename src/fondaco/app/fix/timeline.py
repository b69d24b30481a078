"""A session over time: how many messages there were, and what was remarkable."""

from typing import Any, Final

from fondaco.domain.fix.looking import Bucket, SessionMark, TimelineReply, TimelineRequest
from fondaco.domain.fix.search.telling import summary
from fondaco.domain.fix.store import messages as kept
from fondaco.domain.surveillance import store as alerts
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.instants import instant_of, moment

DAY_NS: Final = 86_400_000_000_000
MARKS_MAX: Final = 500
_KINDS: Final = {
    "A": "logon",
    "5": "logout",
    "3": "reject",
    "j": "reject",
    "9": "reject",
    "2": "resend",
    "4": "reset",
}


def timeline(conn: Any, records: Any, asked: TimelineRequest, at: int) -> TimelineReply:
    """Buckets of equal width, empty ones left out, and at most 500 marks, the newest. Raises
    `NotFound` where no end is named and no message of the session could be it."""
    before = _end(conn, asked.session) if asked.before is None else instant_of(asked.before)
    after = before - DAY_NS if asked.after is None else instant_of(asked.after)
    if after >= before:
        raise Invalid("after is not before before: name an earlier time, or a later end")
    width = -(-(before - after) // asked.buckets)
    buckets = [
        Bucket(moment(after + number * width), received, sent)
        for number, received, sent in kept.beats(conn, asked.session, after, before, width)
    ]
    found = kept.of_types(conn, asked.session, after, before, tuple(_KINDS), MARKS_MAX)
    marks = [_of_message(each) for each in found]
    marks += [
        SessionMark(
            moment(each.first_at), "alert", f"{each.title}: {each.reason}", None, each.alert
        )
        for each in alerts.page(
            records,
            below=2**62,
            limit=MARKS_MAX,
            session=asked.session,
            after=after,
            before=before,
        )
    ]
    marks.sort(key=lambda mark: mark.at)
    return TimelineReply(
        asked.session, moment(after), moment(before), -(-width // 1_000_000), buckets, marks
    )


def _end(conn: Any, session: str) -> int:
    last = kept.last_at(conn, session)
    if last is None:
        raise NotFound(f"there is no message of a session {session[:100]!r}")
    return last + 1


def _of_message(found: kept.Kept) -> SessionMark:
    kind: Any = _KINDS[found.msg_type]
    way = "received" if found.direction == "in" else "sent"
    text = f"{way} {summary(found.raw)}".rstrip()
    return SessionMark(moment(found.at), kind, text, kept.name_of(found.id), None)
