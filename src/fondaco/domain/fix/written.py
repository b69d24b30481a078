"""Messages as people write them down: in logs and mails, with any delimiter, behind any prefix."""

import re
from collections.abc import Iterator
from typing import Final

from fondaco.domain.fix.model import SOH

# 8=FIX.4.4, then whatever parts fields here, then 9=. Vendors' own begin strings are read too.
_BEGIN: Final = re.compile(
    rb"8=(FIXT?\.[0-9]\.[0-9](?:SP[0-9])?|[A-Za-z][A-Za-z0-9.]{0,15}?)"
    rb"(\x01|<SOH>|\\x01|\\u0001|\^A|[|;^~\t, ]{1,3})(?=9=[0-9])"
)
_LAST: Final = rb"10=[0-9]{1,3}"


def messages_in(text: bytes) -> Iterator[bytes]:
    """Every message written in `text`, with SOH between its fields. Length and checksum are not
    looked at.

    A delimiter parts fields only before a tag and =, so that it may stand in a value.
    """
    at = 0
    while begin := _BEGIN.search(text, at):
        delimiter = begin[2]
        following = _BEGIN.search(text, begin.end())
        limit = following.start() if following else len(text)
        last = re.compile(re.escape(delimiter) + _LAST + b"(?![0-9])").search(
            text, begin.end(), limit
        )
        stop = _line_end(text, begin.end(), limit) if last is None else last.end()
        yield with_soh(text[begin.start() : stop], delimiter)
        at = max(stop, begin.end())


def with_soh(written: bytes, delimiter: bytes) -> bytes:
    """One message with SOH in the place of `delimiter`, and behind its last field."""
    if delimiter != SOH:
        written = re.sub(re.escape(delimiter) + rb"(?=[0-9]+=|\Z)", SOH, written)
    return written if written.endswith(SOH) else written + SOH


def _line_end(text: bytes, at: int, limit: int) -> int:
    """A message without a checksum ends with its line."""
    ends = [end for end in (text.find(b"\n", at, limit), text.find(b"\r", at, limit)) if end >= 0]
    return min(ends, default=limit)
