"""The law of `rules.py` for what nearly always happens, without its generators: a message of the
application in its place, and one that is said while nothing is in its way. Hot.

Either gives None where anything is unusual, and has changed nothing then: the law itself decides.
"""

from collections.abc import Sequence

from fondaco.domain.fix.message import parse
from fondaco.domain.fix.model import Frame, Garbled
from fondaco.domain.fix.session.model import ADMIN, SECOND_NS, Deliver, Field, Write
from fondaco.domain.fix.session.rules import Law
from fondaco.kernel.errors import Invalid


def deliver(law: Law, frame: Frame, now: int) -> Deliver | None:
    """What `law.received` would ask for, where that is only to deliver."""
    if not law.is_up or law._queue or law._asked or law._receives.limit or frame.garbled:
        return None
    try:
        message = parse(frame.raw)
        if (
            message.msg_type in ADMIN
            or message.get(8) != law._begin_string
            or message.integer(34) != law.next_in
            or not _is_timely(law, message.timestamp(52), now)
            or not _is_ours(law, message.get(49), message.get(56))
            or law._check(message) is not None
        ):
            return None
    except (Garbled, Invalid):
        return None
    law._last_received, law._tests = now, 0
    seq_num, law.next_in = law.next_in, law.next_in + 1
    return Deliver(message, seq_num)


def say(
    law: Law, msg_type: str, body: Sequence[Field], now: int, header: Sequence[Field], mark: int
) -> Write | None:
    """What `law.send` would ask for, where that is only to write."""
    if not law.is_up or law._sends.limit or law._waiting or not law._hours.is_open(now):
        return None
    return law._write(msg_type, body, now, header=header, mark=mark)


def _is_timely(law: Law, sent_at: int | None, now: int) -> bool:
    limit = law.terms.max_latency_s
    return sent_at is not None and (
        not limit or abs(now // SECOND_NS - sent_at // SECOND_NS) <= limit
    )


def _is_ours(law: Law, sender: bytes | None, target: bytes | None) -> bool:
    return not law.terms.check_comp_id or (sender == law._theirs and target == law._ours)
