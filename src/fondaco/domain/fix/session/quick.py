"""The law of `rules.py` for what nearly always happens, without its generators: a message of the
application in its place, and one that is said while nothing is in its way. Hot.

Either gives None where anything is unusual, and has changed nothing then: the law itself decides.
"""

from collections.abc import Sequence
from typing import Final

from fondaco.domain.fix.message import parse
from fondaco.domain.fix.model import Frame, Garbled
from fondaco.domain.fix.session.model import ADMIN, SECOND_NS, Deliver, Field, Write
from fondaco.domain.fix.session.rules import Law
from fondaco.kernel.errors import Invalid

_ASKED: Final = (35, 8, 34, 49, 56)
_ADMIN: Final = frozenset(each.encode() for each in ADMIN) | {None}


def deliver(law: Law, frame: Frame, now: int) -> Deliver | None:
    """What `law.received` would ask for, where that is only to deliver."""
    if not law.is_up or law._queue or law._asked or law._receives.limit or frame.garbled:
        return None
    try:
        message = parse(frame.raw)
        msg_type, begin_string, seq_num, sender, target = message.values(_ASKED)
        if (
            msg_type in _ADMIN
            or begin_string != law._begin_string
            or seq_num != b"%d" % law.next_in
            or not _is_timely(law, message.timestamp(52), now)
            or not _is_ours(law, sender, target)
            or law._check(message) is not None
        ):
            return None
    except (Garbled, Invalid):
        return None
    law._last_received, law._tests = now, 0
    number, law.next_in = law.next_in, law.next_in + 1
    return Deliver(message, number)


def say(
    law: Law, msg_type: str, body: Sequence[Field], now: int, header: Sequence[Field], mark: int
) -> Write | None:
    """What `law.send` would ask for, where that is only to write."""
    if not law.is_up or law._sends.limit or law._waiting or not law._hours.is_open(now):
        return None
    return law._write(msg_type, body, now, header=header, mark=mark)


def say_all(
    law: Law, msg_type: str, bodies: Sequence[tuple[bytes, int]], now: int
) -> list[Write] | None:
    """What `say` would give for each of some bodies, which are bytes already, and their marks."""
    if not law.is_up or law._sends.limit or law._waiting or not law._hours.is_open(now):
        return None
    first = law.next_out
    made = law._writer.make_all(msg_type, [body for body, _ in bodies], seq_num=first, now=now)
    if made is None:
        return None
    law.next_out, law._last_sent = first + len(made), now
    leaves, keep = law.is_connected, law._sent.keep
    writes = []
    for seq_num, (raw, (_, mark)) in enumerate(zip(made, bodies, strict=True), first):
        keep(seq_num, raw)
        writes.append(Write(raw, seq_num, leaves=leaves, mark=mark))
    return writes


def _is_timely(law: Law, sent_at: int | None, now: int) -> bool:
    limit = law.terms.max_latency_s
    return sent_at is not None and (
        not limit or abs(now // SECOND_NS - sent_at // SECOND_NS) <= limit
    )


def _is_ours(law: Law, sender: bytes | None, target: bytes | None) -> bool:
    return not law.terms.check_comp_id or (sender == law._theirs and target == law._ours)
