# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore,arg-type"
"""Writing messages: BodyLength and CheckSum are worked out here and nowhere else. Hot.

Cython's pure-Python mode, like `message.py`.
"""

from collections.abc import Sequence

from fondaco.domain.fix.lengths import LENGTH_OF, marks
from fondaco.kernel.errors import Invalid

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
LONGEST = 2**31 - 1
_LENGTH_OF: dict = dict(LENGTH_OF)  # type: ignore[type-arg]
_MARKS: bytes = marks(LENGTH_OF)


def encode(begin_string: str, fields: Sequence[tuple[int, bytes]]) -> bytes:
    """A message of `fields`, which begin with (35, …), in the order that is given; 8, 9 and 10 are
    added.

    Raises `Invalid` for what no reader could take apart again: an empty tag, SOH in a text.
    """
    begin: bytes = begin_string.encode("latin-1")
    if type(fields) is not list and type(fields) is not tuple:
        fields = list(fields)  # it is walked over twice, and must be the same twice
    if b"\x01" in begin:
        raise Invalid("BeginString holds the delimiter SOH")
    value: bytes
    tag: cython.longlong
    body: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    for tag, value in fields:
        if tag <= 10 or tag > LONGEST:
            _refuse(tag)
        if body == 0 and tag != 35:
            raise Invalid(f"a message begins with MsgType (35), not {tag}")
        body += _width(tag) + len(value) + 2
    if body == 0:
        raise Invalid("a message has at least MsgType (35)")
    out: bytearray = bytearray(len(begin) + 6 + _width(body) + body + 7)
    text: cython.p_uchar = out
    at = _copy(text, _write_number(text, 0, 8, 61), begin)
    at = _write_number(text, _write_number(text, at, 9, 61), body, 1)
    before: cython.longlong = 0  # the tag before, and what it said
    said: bytes = b""
    for tag, value in fields:
        at = _write_number(text, at, tag, 61)
        stop = _copy(text, at, value)
        if stop < 0 or _is_data(tag):  # the delimiter may stand in raw data alone
            _check_data(tag, value, before, said)
            stop = at + len(value) + 1
        at = stop
        before = tag
        said = value
    _trail(text, at)
    return bytes(out)


@cython.cfunc
def _refuse(tag: cython.longlong) -> None:
    """8, 9 and 10 are written here; the other tags of one digit are nobody's to refuse."""
    if tag < 1 or tag > LONGEST or tag in (8, 9, 10):
        raise Invalid(f"{tag} is not a tag for the fields of a message")


def _check_data(tag: int, value: bytes, before: int, said: bytes) -> None:
    """Raw data stands behind its length; nothing else holds the delimiter."""
    if tag not in _LENGTH_OF:
        raise Invalid(f"field {tag} holds the delimiter SOH, which only raw data may")
    length = _LENGTH_OF[tag]
    if before != length or said != b"%d" % len(value):
        raise Invalid(f"raw data in {tag} follows its length {length}={len(value)}")


def seal(begin: bytes, body: bytes) -> bytes:
    """What `encode` gives for fields that are bytes already, from `35=` to the SOH before `10=`:
    8, 9 and 10 are added. They must be such as `encode` would write: nothing is looked at here."""
    size: cython.Py_ssize_t = len(body)
    front: cython.Py_ssize_t = len(begin) + 6 + _width(size)
    out: bytearray = bytearray(front + size + 7)
    text: cython.p_uchar = out
    at: cython.Py_ssize_t = _copy(text, _write_number(text, 0, 8, 61), begin)
    at = _write_number(text, _write_number(text, at, 9, 61), size, 1)
    i: cython.Py_ssize_t
    for i in range(size):
        text[at + i] = body[i]
    _trail(text, at + size)
    return bytes(out)


@cython.cfunc
@cython.inline
def _is_data(tag: cython.longlong) -> cython.bint:
    if tag < 65_536:
        return (_MARKS[tag >> 3] >> (tag & 7)) & 1 != 0
    return tag in _LENGTH_OF


@cython.cfunc
@cython.inline
def _width(number: cython.longlong) -> cython.Py_ssize_t:
    width: cython.Py_ssize_t = 1
    while number >= 10:
        number //= 10
        width += 1
    return width


@cython.cfunc
@cython.inline
def _write_number(
    text: cython.p_uchar, at: cython.Py_ssize_t, number: cython.longlong, end: cython.uchar
) -> cython.Py_ssize_t:
    """Write digits and what ends them; gives where it goes on."""
    stop: cython.Py_ssize_t = at + _width(number)
    i: cython.Py_ssize_t = stop
    while i > at:
        i -= 1
        text[i] = 48 + number % 10
        number //= 10
    text[stop] = end
    return stop + 1


@cython.cfunc
@cython.inline
def _copy(text: cython.p_uchar, at: cython.Py_ssize_t, value: bytes) -> cython.Py_ssize_t:
    """Write a value and its SOH; gives where the next field begins, or -1 where the value has one
    itself."""
    i: cython.Py_ssize_t
    n: cython.Py_ssize_t = len(value)
    ends: cython.Py_ssize_t = 0
    for i in range(n):
        text[at + i] = value[i]
        ends += value[i] == 1
    text[at + n] = 1
    return -1 if ends > 0 else at + n + 1


@cython.cfunc
def _trail(text: cython.p_uchar, at: cython.Py_ssize_t) -> None:
    """Write the checksum of what stands before `at`: three digits."""
    total: cython.uint = 0
    i: cython.Py_ssize_t
    for i in range(at):
        total += text[i]
    total &= 255
    at = _write_number(text, at, 10, 61)
    text[at] = 48 + total // 100
    text[at + 1] = 48 + total // 10 % 10
    text[at + 2] = 48 + total % 10
    text[at + 3] = 1
