"""What can be told of a session's connection at this moment, beside its numbers."""

import msgspec

from fondaco.domain.fix.session.rules import Law


class Contact(msgspec.Struct, frozen=True):
    """Instants are UTC nanoseconds, 0 where this connection has had no message yet."""

    heard_at: int = 0
    said_at: int = 0
    missing: tuple[int, int] | None = None  # first and last number that were asked for again
    waiting: int = 0  # messages that came behind that gap
    unanswered: int = 0  # TestRequests in a row


def contact(law: Law) -> Contact:
    """Nothing, where there is no connection."""
    if not law.is_connected:
        return Contact()
    return Contact(
        heard_at=law._last_received,
        said_at=law._last_sent,
        missing=(law.next_in, law._asked[1]) if law._asked else None,
        waiting=len(law._queue),
        unanswered=law._tests,
    )
