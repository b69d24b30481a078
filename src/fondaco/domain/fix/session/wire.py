"""How the messages of a session are made: header and body in the order of their tags.

BeginString, BodyLength and MsgType first, then the other header fields by tag, then the body, then
CheckSum: an order that every engine accepts, and the one of the public acceptance scripts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from fondaco.domain.fix.encoding import encode, seal
from fondaco.domain.fix.message import Message
from fondaco.domain.fix.model import Rejection
from fondaco.domain.fix.session.model import (
    BUSINESS_TEXTS,
    HEADER,
    SECOND_NS,
    Field,
    SessionId,
    Terms,
    Unsupported,
)

_FRAME: Final = frozenset({8, 9, 10, 35})
_RENEWED: Final = frozenset({43, 52, 122, 369})
_OURS: Final = frozenset({34, 43, 49, 50, 52, 56, 57, 122, 369})
_ROUTING: Final = HEADER - _FRAME - _OURS
# Whoever sent it on is whom the refusal goes back to.
_REVERSED: Final = {115: 128, 116: 129, 144: 145, 128: 115, 129: 116, 145: 144}
_REVERSED_IN_40: Final = {115: 128, 116: 129, 128: 115, 129: 116}  # it has no LocationIDs


@lru_cache(maxsize=64)
def _second(at_s: int) -> bytes:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y%m%d-%H:%M:%S").encode()


def utc_timestamp(at: int, places: int) -> bytes:
    """UTCTimestamp of an instant in nanoseconds, cut to `places` digits of a second."""
    second, rest = divmod(at, SECOND_NS)
    if not places:
        return _second(second)
    if places == 3:
        return b"%b.%03d" % (_second(second), rest // 1_000_000)
    return (b"%b.%09d" % (_second(second), rest))[: 18 + places]


def number(value: int) -> bytes:
    return b"%d" % value


class Writer:
    """Makes messages under the terms of a session."""

    __slots__ = ("_after", "_before", "_begin_string", "_last_processed", "_places", "_quick")

    def __init__(self, terms: Terms) -> None:
        of: SessionId = terms.id
        named = {
            49: of.sender_comp_id,
            50: of.sender_sub_id,
            56: of.target_comp_id,
            57: of.target_sub_id,
        }
        always = [(tag, text.encode()) for tag, text in named.items() if text]
        self._before = [each for each in always if each[0] < 52]  # SendingTime stands between
        self._after = [each for each in always if each[0] > 52]
        self._begin_string = of.begin_string
        self._places = terms.places
        self._last_processed = terms.last_processed
        # The bytes between MsgSeqNum's and SendingTime's values, and behind SendingTime.
        between = b"".join(b"\x01%d=%b" % each for each in self._before) + b"\x0152="
        after = b"".join(b"\x01%d=%b" % each for each in self._after) + b"\x01"
        is_plain = not any(b"\x01" in each[1] for each in always)
        self._quick = (of.begin_string.encode(), between, after) if is_plain else None

    def make(
        self,
        msg_type: str,
        body: Sequence[Field],
        *,
        seq_num: int,
        now: int,
        next_in: int,
        header: Iterable[Field] = (),
        gap: bool = False,
    ) -> bytes:
        """`body` in its final order; `header` has what is not of every message. A `gap` fill takes
        the place of messages that were sent before."""
        time = utc_timestamp(now, self._places)
        head = [
            (35, msg_type.encode()),
            (34, b"%d" % seq_num),
            *self._before,
            (52, time),
            *self._after,
        ]
        if not header and not gap and not self._last_processed:
            head += body
            return encode(self._begin_string, head)
        del head[0]
        head += header
        if gap:
            head += [(43, b"Y"), (122, time)]
        if self._last_processed:
            head.append((369, number(next_in - 1)))
        head.sort(key=_tag)
        return encode(self._begin_string, [(35, msg_type.encode()), *head, *body])

    def make_all(
        self, msg_type: str, bodies: Iterable[bytes], *, seq_num: int, now: int
    ) -> list[bytes] | None:
        """What `make` gives for some messages in a row, of bodies that are bytes already. None
        where a header has more than the usual fields."""
        if self._quick is None or self._last_processed:
            return None
        begin, between, after = self._quick
        front = b"35=%b\x0134=" % msg_type.encode()
        middle = b"%b%b%b" % (between, utc_timestamp(now, self._places), after)
        return [
            seal(begin, b"%b%d%b%b" % (front, nth, middle, body))
            for nth, body in enumerate(bodies, seq_num)
        ]

    def again(self, message: Message, *, now: int, next_in: int) -> bytes:
        """The same message as when it was sent first, marked as a possible duplicate."""
        fields, first = message.fields(), message.timestamp(52)
        time = utc_timestamp(now, self._places)
        if first is not None and first > now:  # `now` is of a read that what was sent came after
            time = message.get(52) or time
        head = [each for each in fields if each[0] in HEADER and each[0] not in _FRAME | _RENEWED]
        head += [(43, b"Y"), (52, time), (122, message.get(52) or time)]
        if self._last_processed:
            head.append((369, number(next_in - 1)))
        head.sort(key=_tag)
        body = [each for each in fields if each[0] not in HEADER and each[0] != 10]
        return encode(self._begin_string, [(35, message.msg_type.encode()), *head, *body])


def _tag(field: Field) -> int:
    return field[0]


def echoed_header(fields: Iterable[Field]) -> list[Field]:
    """The header fields of a message that are neither the frame's nor the session's own."""
    return [each for each in fields if each[0] in _ROUTING]


def reversed_route(begin_string: str, message: Message) -> list[Field]:
    """Whom a refusal is to be delivered to: routing fields that have a value, the other way."""
    known = _REVERSED_IN_40 if begin_string == "FIX.4.0" else _REVERSED
    return [(known[tag], value) for tag, value in message.fields() if tag in known and value]


def reject_body(begin_string: str, message: Message, refusal: Rejection) -> list[Field]:
    """The body of a Reject(3). FIX 4.0 and 4.1 have no fields for the tag, the type and the reason,
    FIX 4.2 no reasons above 11."""
    text = refusal.text
    seq_num = message.get(34)
    body: list[Field] = [(45, seq_num)] if seq_num else []
    if is_before_fix42(begin_string):
        if refusal.ref_tag is not None:
            text = f"{text} ({refusal.ref_tag})"
        return [*body, (58, text.encode("latin-1", "replace"))]
    body.append((58, text.encode("latin-1", "replace")))
    if refusal.ref_tag is not None:
        body.append((371, number(refusal.ref_tag)))
    if message.msg_type:
        body.append((372, message.msg_type.encode("latin-1")))
    if begin_string != "FIX.4.2" or refusal.reason <= 11:
        body.append((373, number(refusal.reason)))
    return body


def business_reject(
    begin_string: str, message: Message, why: Unsupported
) -> tuple[str, list[Field]]:
    """MsgType and body of the application's no: BusinessMessageReject, before 4.2 Reject."""
    text = why.text or BUSINESS_TEXTS.get(why.reason, "")
    if why.ref_tag:
        text = f"{text} ({why.ref_tag})"
    seq_num = message.get(34) or b"0"
    if is_before_fix42(begin_string):
        known = "Unsupported message type" if why.reason == 3 and not why.text else text
        return "3", [(45, seq_num), (58, known.encode("latin-1", "replace"))]
    body = [
        (45, seq_num),
        (58, text.encode("latin-1", "replace")),
        (372, message.msg_type.encode("latin-1")),
        (379, why.ref_id.encode("latin-1", "replace")),
        (380, number(why.reason)),
        *why.more,
    ]
    return "j", [each for each in body if each[1]]


def is_before_fix42(begin_string: str) -> bool:
    return begin_string in ("FIX.4.0", "FIX.4.1")


def named(fields: Mapping[int, str]) -> list[Field]:
    """Those that have a value, by tag."""
    return [(tag, text.encode()) for tag, text in sorted(fields.items()) if text]


def logon_body(terms: Terms, heart_bt_int_s: int, next_in: int, *, reset: bool) -> list[Field]:
    """The body of our Logon(A)."""
    says = {98: "0", 108: str(heart_bt_int_s), 1137: terms.default_appl_ver_id}
    if reset:
        says[141] = "Y"
    if terms.next_expected:
        says[789] = str(next_in)
    if terms.role == "initiator":
        says |= {553: terms.username, 554: terms.password}
    return named(says)


def logon_refusal(terms: Terms, message: Message, next_out: int) -> str:
    """Why their Logon, though it follows the rules, cannot be agreed to; empty where it can."""
    beat, encryption, expected = message.integer(108), message.get(98), message.integer(789)
    if beat is not None and beat < 0:
        return f"HeartBtInt is {beat}, must be at least 0"
    if encryption not in (None, b"0"):
        return "EncryptMethod must be 0: use TLS"
    if terms.next_expected and expected is not None and expected > next_out:
        named = "Tag 789 (NextExpectedMsgSeqNum) is higher than expected"  # the words of others
        return f"{named}. Expected {next_out}, Received {expected}"
    return ""
