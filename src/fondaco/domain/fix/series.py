"""FIX messages over time: how many, how many refused, and how long answers took. Pure.

A latency is from the first message of a ClOrdID (D, F, G) to the first that answers it (8, 9) the
other way in the same session, both within the time asked; a quantile is the smallest latency that
so many of a hundred do not exceed (nearest rank).
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from fondaco.domain.fix.message import Message, loose
from fondaco.domain.fix.search.model import Asked, Direction
from fondaco.kernel.errors import Invalid

REQUESTS: Final = frozenset({"D", "F", "G"})
ANSWERS: Final = frozenset({"8", "9"})
REJECTS: Final = frozenset({"3", "9", "j", "Y"})
REPORT: Final = "8"
REJECTED: Final = "8"  # ExecType (150)
PLACES: Final = 12
DIGITS: Final = 38
_WHOLE: Final = Decimal(10) ** (DIGITS - PLACES)
_LONGEST: Final = 2**63 - 1


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message as columns keep it. `id` is its position on the tape; `at` nanoseconds since 1970;
    what it does not say, or not as a number of 26.12 digits, is None: `raw` has it."""

    id: int
    at: int
    session: str
    direction: Direction
    msg_type: str
    seq_num: int | None
    symbol: str | None
    side: str | None
    qty: Decimal | None
    price: Decimal | None
    cl_ord_id: str | None
    exec_type: str | None
    raw: bytes  # without secrets

    @property
    def is_reject(self) -> bool:
        return self.msg_type in REJECTS or (self.msg_type == REPORT and self.exec_type == REJECTED)


class Point(msgspec.Struct, frozen=True):
    """One session in one span of time that begins at `at`. Latencies are nanoseconds of requests
    that were made in it; -1 where none was answered."""

    at: int
    session: str
    received: int
    sent: int
    rejects: int
    answered: int
    p50: int
    p99: int
    longest: int


def row_of(id: int, asked: Asked) -> Row:
    """Columns of a message whose secrets are starred out already."""
    message = loose(asked.raw)
    return Row(
        id,
        asked.at,
        asked.session,
        asked.direction,
        message.text(35) or "",
        _whole(message, 34),
        message.text(55),
        message.text(54),
        _number(message, 38),
        _number(message, 44),
        message.text(11),
        message.text(150),
        asked.raw,
    )


def _whole(message: Message, tag: int) -> int | None:
    text = message.text(tag) or ""
    fits = text.isascii() and text.isdecimal() and len(text) < 20
    return int(text) if fits and int(text) <= _LONGEST else None


def _number(message: Message, tag: int) -> Decimal | None:
    try:
        found = message.decimal(tag)
    except Invalid:
        return None
    if found is None or abs(found) >= _WHOLE:
        return None
    exponent = found.as_tuple().exponent
    return found if isinstance(exponent, int) and exponent >= -PLACES else None


class _Count:
    __slots__ = ("latencies", "received", "rejects", "sent")

    def __init__(self) -> None:
        self.received = self.sent = self.rejects = 0
        self.latencies: list[int] = []


def series(rows: Iterable[Row], after: int, before: int, width: int) -> list[Point]:
    """Points in the order of time, then of the session's name. `rows` of a session are in the order
    of their ids; those outside the time are passed over."""
    counts: dict[tuple[int, str], _Count] = {}
    asked: dict[tuple[str, str, str], int] = {}
    answered: set[tuple[str, str, str]] = set()
    for row in rows:
        if not after <= row.at < before:
            continue
        count = counts.setdefault((_begin(row.at, after, width), row.session), _Count())
        if row.direction == "in":
            count.received += 1
        else:
            count.sent += 1
        count.rejects += row.is_reject
        if row.cl_ord_id is None:
            continue
        if row.msg_type in REQUESTS:
            asked.setdefault((row.session, row.direction, row.cl_ord_id), row.at)
        elif row.msg_type in ANSWERS:
            of = (row.session, "out" if row.direction == "in" else "in", row.cl_ord_id)
            if of in asked and of not in answered:
                answered.add(of)
                begin = _begin(asked[of], after, width)
                counts[begin, row.session].latencies.append(max(row.at - asked[of], 0))
    return list(_points(counts))


def _points(counts: dict[tuple[int, str], _Count]) -> Iterator[Point]:
    for (at, session), count in sorted(counts.items()):
        known = sorted(count.latencies)
        yield Point(
            at,
            session,
            count.received,
            count.sent,
            count.rejects,
            len(known),
            quantile(known, 50),
            quantile(known, 99),
            known[-1] if known else -1,
        )


def quantile(known: Sequence[int], percent: int) -> int:
    """Of sorted numbers, by nearest rank; -1 where there are none."""
    return known[(len(known) * percent + 99) // 100 - 1] if known else -1


def _begin(at: int, after: int, width: int) -> int:
    return after + (at - after) // width * width
