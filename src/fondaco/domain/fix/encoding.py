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
    value: bytes
    tag: cython.longlong
    before: cython.longlong = 0  # the tag before, and what it said
    said: bytes = b""
    body: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t
    at: cython.Py_ssize_t
    i: cython.Py_ssize_t
    for tag, value in fields:
        if body == 0 and tag != 35:
            raise Invalid(f"a message begins with MsgType (35), not {tag}")
        if not 0 < tag <= LONGEST or tag == 8 or tag == 9 or tag == 10:
            raise Invalid(f"{tag} is not a tag for the fields of a message")
        if _is_data(tag):
            if before != _LENGTH_OF[tag] or said != b"%d" % len(value):
                raise Invalid(
                    f"raw data in {tag} follows its length {_LENGTH_OF[tag]}={len(value)}"
                )
        elif b"\x01" in value:
            raise Invalid(f"field {tag} holds the delimiter SOH, which only raw data may")
        body += _width(tag) + len(value) + 2
        before = tag
        said = value
    if body == 0:
        raise Invalid("a message has at least MsgType (35)")
    size = len(begin) + 3 + 3 + _width(body) + body + 7
    out: bytearray = bytearray(size)
    at = _write(out, _write_tag(out, 0, 8), begin)
    at = _write(out, _write_tag(out, at, 9), b"%d" % body)
    for tag, value in fields:
        at = _write(out, _write_tag(out, at, tag), value)
    total: cython.uint = 0
    for i in range(at):
        total += out[i]
    _write(out, _write_tag(out, at, 10), b"%03d" % (total & 255))
    return bytes(out)


@cython.cfunc
@cython.inline
def _is_data(tag: cython.longlong) -> cython.bint:
    if tag < 65_536:
        return (_MARKS[tag >> 3] >> (tag & 7)) & 1 != 0
    return tag in _LENGTH_OF


@cython.cfunc
def _width(number: cython.longlong) -> cython.Py_ssize_t:
    width: cython.Py_ssize_t = 1
    while number >= 10:
        number //= 10
        width += 1
    return width


@cython.cfunc
def _write_tag(out: bytearray, at: cython.Py_ssize_t, tag: cython.longlong) -> cython.Py_ssize_t:
    """Write `tag=` at `at`; gives where its value begins."""
    end: cython.Py_ssize_t = at + _width(tag)
    i: cython.Py_ssize_t = end
    while i > at:
        i -= 1
        out[i] = 48 + tag % 10
        tag //= 10
    out[end] = 61
    return end + 1


@cython.cfunc
def _write(out: bytearray, at: cython.Py_ssize_t, value: bytes) -> cython.Py_ssize_t:
    """Write a value and its SOH; gives where the next field begins."""
    i: cython.Py_ssize_t
    n: cython.Py_ssize_t = len(value)
    for i in range(n):
        out[at + i] = value[i]
    out[at + n] = 1
    return at + n + 1
