# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore,arg-type"
"""Whether a message is surely what its dictionary allows: one pass over the bytes. Hot.

Nearly every message is right. A plan says so at once, or says that it does not know: then
`validation.py` looks at everything in its order. So there is one place that knows reasons, and this
one is only fast. Cython's pure-Python mode, like `message.py`.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence

import msgspec

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
HEADER, BODY, TRAILER = 0, 1, 2
# How a value is looked at.
TEXT, INTEGER, UNSIGNED, NUMBER, ONE, YES_NO, MOMENT, BY_FORM, UNSURE = range(9)
# Enumerated by a byte each; by longer values; by bytes with a space between every two.
_ANY, _ONE_OF, _AMONG, _SOME_OF = range(4)


class Slot(msgspec.Struct, frozen=True):
    """What a plan knows of a tag: its part of the message, and what its value must be like."""

    tag: int
    part: int
    kind: int
    required: bool
    form: Callable[[bytes], object] | None
    values: Mapping[str, str]
    several: bool


@cython.final
@cython.cclass
class Plan:
    """The tags of one message type, in a table that is looked up by their last bits."""

    _mask: cython.longlong
    _needed: cython.longlong  # required tags
    _turn: cython.longlong  # of the message that is looked at; a tag of this turn was there before
    _tags: cython.longlong[::1]
    _turns: cython.longlong[::1]
    _parts: cython.uchar[::1]
    _kinds: cython.uchar[::1]
    _musts: cython.uchar[::1]
    _limits: cython.uchar[::1]
    _bits: cython.uchar[::1]  # 32 bytes a place: which single bytes are enumerated
    _forms: list  # type: ignore[type-arg]
    _values: list  # type: ignore[type-arg]

    def __init__(self, slots: Sequence[Slot]) -> None:
        size = 16
        while size < 2 * len(slots):
            size *= 2
        self._mask = size - 1
        self._turn = 0
        self._needed = 0
        self._tags = array("q", [-1]) * size
        self._turns = array("q", [0]) * size
        self._parts = bytearray(size)
        self._kinds = bytearray(size)
        self._musts = bytearray(size)
        self._limits = bytearray(size)
        self._bits = bytearray(32 * size)
        self._forms = [None] * size
        self._values = [None] * size
        for slot in slots:
            self._take(slot)

    @cython.cfunc
    def _take(self, slot: object) -> None:
        place: cython.Py_ssize_t = self._place(slot.tag)  # type: ignore[attr-defined]
        each: str
        self._tags[place] = slot.tag  # type: ignore[attr-defined]
        self._parts[place] = slot.part  # type: ignore[attr-defined]
        self._kinds[place] = slot.kind  # type: ignore[attr-defined]
        self._musts[place] = slot.required  # type: ignore[attr-defined]
        self._needed += 1 if slot.required else 0  # type: ignore[attr-defined]
        self._forms[place] = slot.form  # type: ignore[attr-defined]
        values = slot.values  # type: ignore[attr-defined]
        if values and all(len(each) == 1 for each in values):
            self._limits[place] = _SOME_OF if slot.several else _ONE_OF  # type: ignore[attr-defined]
            for each in values:
                self._allow(place, ord(each))
        elif values and slot.several:  # type: ignore[attr-defined]
            self._kinds[place] = UNSURE
        elif values:
            self._limits[place] = _AMONG
            self._values[place] = frozenset(each.encode("latin-1") for each in values)

    @cython.cfunc
    def _allow(self, place: cython.Py_ssize_t, code: cython.longlong) -> None:
        if code < 256:
            at: cython.Py_ssize_t = 32 * place + (code >> 3)
            self._bits[at] = self._bits[at] | (1 << (code & 7))

    @cython.cfunc
    @cython.inline
    def _place(self, tag: cython.longlong) -> cython.Py_ssize_t:
        """Where a tag is, or the free place where it would be."""
        place: cython.Py_ssize_t = tag & self._mask
        while self._tags[place] != tag and self._tags[place] != -1:
            place = (place + 1) & self._mask
        return place

    def surely_fine(self, raw: bytes) -> bool:
        """Whether a message that `parse` accepted has nothing wrong. False: look more closely."""
        n: cython.Py_ssize_t = len(raw)
        i: cython.Py_ssize_t = 0
        start: cython.Py_ssize_t
        place: cython.Py_ssize_t
        tag: cython.longlong
        part: cython.uchar
        reached: cython.uchar = 0
        met: cython.longlong = 0  # required tags that were there
        self._turn += 1
        while i < n:
            tag = 0
            while i < n and raw[i] != 61:
                if not 48 <= raw[i] <= 57 or tag > 1 << 32:
                    return False
                tag = 10 * tag + (raw[i] - 48)
                i += 1
            i += 1
            start = i
            while i < n and raw[i] != 1:
                i += 1
            if i >= n or i == start:
                return False
            place = self._place(tag)
            if self._tags[place] != tag or self._turns[place] == self._turn:
                return False
            self._turns[place] = self._turn
            part = self._parts[place]
            if part < reached:
                return False
            reached = part
            met += self._musts[place]
            if not self._fits(raw, start, i, place):
                return False
            i += 1
        return met == self._needed

    @cython.cfunc
    def _fits(
        self, raw: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t, place: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether a value has the form of its type and is one of those that are enumerated."""
        kind: cython.uchar = self._kinds[place]
        limit: cython.uchar = self._limits[place]
        byte: cython.uchar = raw[i]
        if kind == UNSURE:
            return False
        if kind == BY_FORM:
            if self._forms[place](raw[i:stop]) is None:
                return False
        elif kind != TEXT and not _has_form(raw, i, stop, kind):
            return False
        if limit == _ONE_OF:
            return i + 1 == stop and self._allowed(place, byte)
        if limit == _SOME_OF:
            return self._each_allowed(raw, i, stop, place)
        if limit == _AMONG:
            return raw[i:stop] in self._values[place]
        return True

    @cython.cfunc
    @cython.inline
    def _allowed(self, place: cython.Py_ssize_t, byte: cython.uchar) -> cython.bint:
        return (self._bits[32 * place + (byte >> 3)] >> (byte & 7)) & 1 == 1

    @cython.cfunc
    def _each_allowed(
        self, raw: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t, place: cython.Py_ssize_t
    ) -> cython.bint:
        if (stop - i) % 2 == 0:
            return False
        while i < stop:
            if not self._allowed(place, raw[i]) or (i + 1 < stop and raw[i + 1] != 32):
                return False
            i += 2
        return True


@cython.cfunc
def _has_form(
    raw: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t, kind: cython.uchar
) -> cython.bint:
    byte: cython.uchar = raw[i]
    if kind == ONE:
        return i + 1 == stop
    if kind == YES_NO:
        return i + 1 == stop and (byte == 89 or byte == 78)
    if kind == MOMENT:
        return _is_moment(raw, i, stop)
    if byte == 45 and kind != UNSIGNED:
        i += 1
    return _is_number(raw, i, stop, 1 if kind == NUMBER else 0)


@cython.cfunc
def _is_number(
    raw: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t, points: cython.Py_ssize_t
) -> cython.bint:
    """Digits with up to `points` points; so many that they fit 64 bits where there is none."""
    digits: cython.Py_ssize_t = 0
    bounded: cython.bint = points == 0
    byte: cython.uchar
    while i < stop:
        byte = raw[i]
        i += 1
        if 48 <= byte <= 57:
            digits += 1
        elif byte == 46 and points > 0:
            points -= 1
        else:
            return False
    return digits > 0 and not (bounded and digits > 18)


@cython.cfunc
def _is_moment(raw: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.bint:
    """YYYYMMDD-HH:MM:SS with or without a fraction of up to 12 digits."""
    size: cython.Py_ssize_t = stop - i
    if size < 17 or size == 18 or size > 30:
        return False
    if raw[i + 8] != 45 or raw[i + 11] != 58 or raw[i + 14] != 58:
        return False
    if size > 17 and (raw[i + 17] != 46 or not _is_number(raw, i + 18, stop, 0)):
        return False
    return (
        _within(raw, i, 0, 99)
        and _within(raw, i + 2, 0, 99)
        and _within(raw, i + 4, 1, 12)
        and _within(raw, i + 6, 1, 31)
        and _within(raw, i + 9, 0, 23)
        and _within(raw, i + 12, 0, 59)
        and _within(raw, i + 15, 0, 60)
    )


@cython.cfunc
@cython.inline
def _within(
    raw: bytes, i: cython.Py_ssize_t, low: cython.longlong, high: cython.longlong
) -> cython.bint:
    """Whether two digits are between two numbers."""
    tens: cython.uchar = raw[i]
    ones: cython.uchar = raw[i + 1]
    if not (48 <= tens <= 57 and 48 <= ones <= 57):
        return False
    return low <= 10 * (tens - 48) + (ones - 48) <= high
