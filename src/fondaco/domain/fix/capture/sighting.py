# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""A message as it went over the wire, whatever is wrong with it. Hot.

An engine reads what is right and refuses the rest; a sensor also says how the rest is written.
One pass finds the few fields that statistics need; all fields are split when one is asked for.
"""

from typing import Any

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
_KNOWN_MAX = 4096
_LOW = cython.declare(cython.longlong, 64)  # tags below it have places of their own
_PLACES_MAX = cython.declare(cython.Py_ssize_t, 65_535)  # in a message, that are kept
_UNDEFINED = cython.declare(cython.longlong, 3_200)  # FIX defines none from here to 5000
_TAG_MAX = cython.declare(cython.longlong, 1_000_000_000)
_WANTED = cython.declare(cython.ulonglong, sum(1 << tag for tag in (8, 11, 34, 35, 43, 49, 52, 56)))
_ROUTING = cython.declare(cython.ulonglong, 1 << 34 | 1 << 49 | 1 << 56)
_BODY = cython.declare(cython.ulonglong, sum(1 << tag for tag in (11, 37, 38, 44, 54, 55, 58)))
_TYPES = {bytes([code]): chr(code) for code in range(33, 127)}
_PARTIES: dict[bytes, bytes] = {}  # one object a CompID, so that looking it up again costs nothing


@cython.no_gc
@cython.final
@cython.cclass
class Sighting:
    """A message as it went over the wire: its bytes, when and where, and the fields of its head.

    `at` is nanoseconds since 1970 by the capture's clock, when its last byte came; `offset` is
    the place in the file of the packet (or log line) that holds its first byte. `garbled` says
    what is wrong with its frame, or is None. `seq` is -1 where MsgSeqNum is absent or no number.
    `undefined` counts tags that neither FIX nor an agreement of two parties may use.
    `longest` is the length of its longest value; bit n of `twice` says that tag n (below 64) stands
    more than once; `is_odd` that a field is oddly written, or a routing field stands in the body.
    """

    def __init__(self, raw: bytes, at: int, offset: int, half: object, garbled: object) -> None:
        self.take(raw, at, offset, half, garbled)

    def take(
        self,
        raw: bytes,
        at: cython.longlong,
        offset: cython.longlong,
        half: object,
        garbled: object,
    ) -> None:
        """What __init__ does, without making objects of its numbers first."""
        self.raw = raw
        self.at = at
        self.offset = offset
        self.half: Any = half
        self.garbled: Any = garbled
        self.msg_type = ""
        self.seq = -1
        self.begin = b""
        self.sender = b""
        self.target = b""
        self.cl_ord_id: Any = None
        self.poss_dup = False
        self.odd_bytes = self.undefined = 0
        self.longest = 0
        self.twice = self.known = self.beyond = 0
        self.is_odd = False
        self._sent = 0
        self._fields: Any = None
        self._tags: Any = None
        self._oddities: Any = None
        if not cython.compiled:
            self._starts = [0] * 64
            self._stops = [0] * 64
        self._locate()

    @property
    def fields(self) -> dict[int, bytes]:
        """First value of every tag."""
        if self._fields is None:
            self._split()
        return self._fields

    @property
    def tags(self) -> list[int]:
        """Every tag, in wire order."""
        if self._fields is None:
            self._split()
        return self._tags

    @property
    def oddities(self) -> list[str]:
        """What is odd about how tags and values are written; empty for a well written message."""
        if self._fields is None:
            self._split()
        return self._oddities

    def get(self, tag: cython.longlong) -> Any:
        """The first value of a tag, or None."""
        text: cython.p_const_uchar = self.raw
        one: cython.ulonglong = 1
        if tag < _LOW:
            if tag < 0 or not self.known & (one << tag):
                return None
            if len(self.raw) <= _PLACES_MAX:
                return text[self._starts[tag] : self._stops[tag]]
        elif not self.beyond & (one << (tag & 63)):
            return None
        if self._fields is not None:
            return self._fields.get(tag)
        return self._find(tag)

    def differs(self, than: Any, tag: cython.longlong) -> cython.bint:
        """Whether both have that tag (below 64) with other bytes, or it cannot be told cheaply."""
        other: Sighting = than
        mine: cython.p_const_uchar = self.raw
        theirs: cython.p_const_uchar = other.raw
        bit: cython.ulonglong = 1
        i: cython.Py_ssize_t = self._starts[tag]
        k: cython.Py_ssize_t = other._starts[tag]
        n: cython.Py_ssize_t = self._stops[tag] - i
        bit <<= tag
        if not self.known & bit or not other.known & bit:
            return False
        if len(self.raw) > _PLACES_MAX or len(other.raw) > _PLACES_MAX:
            return True
        if other._stops[tag] - k != n:
            return True
        while n > 0:
            n -= 1
            if mine[i + n] != theirs[k + n]:
                return True
        return False

    def fields_from(self, least: cython.longlong) -> list[tuple[int, bytes]]:
        """The fields with tags from `least` on (at least 64), in wire order."""
        return self._from(least, _TAG_MAX)

    @property
    def sent(self) -> int:
        """SendingTime (52) in nanoseconds since 1970; 0 where there is none."""
        return self.stamp()

    def has_fraction(self) -> cython.bint:
        """Whether SendingTime says more than seconds."""
        text: cython.p_const_uchar = self.raw
        return self._sent and self._sent + 17 < len(self.raw) and text[self._sent + 17] != 1

    def content(self) -> cython.ulonglong:
        """A hash of what the message says, apart from how it was sent: FNV-1a over all fields but
        8, 9, 10, 34, 43, 52, 97, 122 and 369."""
        raw: bytes = self.raw
        text: cython.p_const_uchar = raw
        i: cython.Py_ssize_t = 0
        n: cython.Py_ssize_t = len(raw)
        start: cython.Py_ssize_t
        tag: cython.longlong
        value: cython.ulonglong = 0xCBF29CE484222325
        prime: cython.ulonglong = 0x100000001B3  # typed, or C would not know its size
        while i < n:
            tag = 0
            start = i
            while i < n and 48 <= text[i] <= 57 and i - start <= 8:
                tag = tag * 10 + (text[i] - 48)
                i += 1
            while i < n and text[i] != 1:
                i += 1
            i += 1
            if tag in (8, 9, 10, 34, 43, 52, 97, 122, 369):
                continue
            while start < i and start < n:
                value = (value ^ text[start]) * prime
                if not cython.compiled:  # in C it wraps around; a mask would make it an object
                    value &= 0xFFFFFFFFFFFFFFFF
                start += 1
        return value

    def forget(self) -> None:
        """Let go of the fields that were split, which take more room than the message."""
        self._fields = self._tags = self._oddities = None

    def _locate(self) -> None:  # noqa: C901 - one pass over the message
        """Find the fields that statistics need. The first of each counts, as in the head."""
        text: cython.p_const_uchar = self.raw
        i: cython.Py_ssize_t = 0
        n: cython.Py_ssize_t = len(self.raw)
        start: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        tag: cython.longlong
        skip: cython.longlong = -1
        odd: cython.longlong = 0
        byte: cython.uchar
        one: cython.ulonglong = 1
        number: cython.longlong = 0
        in_body: cython.bint = False
        bit: cython.ulonglong
        beyond: cython.ulonglong = 0
        while i < n:
            tag = 0
            start = i
            number += 1
            if text[i] == 48:
                self.is_odd = True
            while i < n:
                byte = text[i]
                if byte < 48 or byte > 57 or i - start > 8:
                    break
                tag = tag * 10 + (byte - 48)
                i += 1
            if i >= n or byte != 61 or i == start:  # no field: it ends at the next SOH
                self.is_odd = True
                tag = skip = -1
                i -= 1
            elif (number == 3) != (tag == 35):
                self.is_odd = True
            i += 1
            start = i
            if 0 <= skip < n - i and text[i + skip] == 1:
                i += skip
            else:
                while i < n:
                    byte = text[i]
                    if byte < 32 or byte > 126:
                        if byte == 1:
                            break
                        odd += 1
                    i += 1
            stop = i
            i += 1
            skip = -1
            self._weigh(tag, text[start] if stop > start else 0, stop - start)
            if tag >= 64:
                beyond |= one << (tag & 63)
                if tag == 98 or tag == 112:
                    in_body = True
                elif _says_length(tag):
                    skip = _whole(text, start, stop)
            elif tag >= 0:
                bit = one << tag
                self._low(tag, bit, start, stop)
                if in_body and bit & _ROUTING:
                    self.is_odd = True
                elif bit & _BODY:
                    in_body = True
        self.beyond = beyond
        self.odd_bytes = odd

    def _weigh(self, tag: cython.longlong, first: cython.uchar, length: cython.Py_ssize_t) -> None:
        """What a field's tag, its first byte and its length say, wherever it stands."""
        if tag >= _UNDEFINED and (tag < 5000 or tag >= 50_000):
            self.undefined += 1
        if length == 0 or (tag < 64 and first < 48 and first != 45 and _is_whole(tag)):
            self.is_odd = True
        if length > self.longest:
            self.longest = length

    def _low(
        self,
        tag: cython.longlong,
        bit: cython.ulonglong,
        start: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
    ) -> None:
        """A field with a tag below 64."""
        if self.known & bit:
            self.twice |= bit
            return
        self.known |= bit
        if stop <= _PLACES_MAX:
            self._starts[tag] = start
            self._stops[tag] = stop
        if bit & _WANTED:
            self._keep(tag, start, stop)

    def _keep(
        self, tag: cython.longlong, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
    ) -> None:
        """What of a field is wanted of every message."""
        text: cython.p_const_uchar = self.raw
        if tag == 35:
            self.msg_type = _type_of(text[start:stop])
        elif tag == 8:
            self.begin = _party(text[start:stop])
        elif tag == 34:
            self.seq = _whole(text, start, stop)
        elif tag == 49:
            self.sender = _party(text[start:stop])
        elif tag == 56:
            self.target = _party(text[start:stop])
        elif tag == 52:
            if stop - start >= 17:
                self._sent = start
        elif tag == 11:
            self.cl_ord_id = text[start:stop]
        elif tag == 43 and stop - start == 1 and text[start] == 89:
            self.poss_dup = True

    def _find(self, wanted: cython.longlong) -> object:
        found = self._from(wanted, wanted)
        return found[0][1] if found else None

    def _from(self, least: cython.longlong, most: cython.longlong) -> list[tuple[int, bytes]]:
        """Fields with tags from `least` to `most`; where that is one tag, the first of it."""
        text: cython.p_const_uchar = self.raw
        i: cython.Py_ssize_t = 0
        n: cython.Py_ssize_t = len(self.raw)
        start: cython.Py_ssize_t
        tag: cython.longlong
        skip: cython.longlong = -1
        found: list[tuple[int, bytes]] = []
        while i < n:
            tag = 0
            start = i
            while i < n and 48 <= text[i] <= 57 and i - start <= 8:
                tag = tag * 10 + (text[i] - 48)
                i += 1
            if i >= n or text[i] != 61 or i == start:
                tag = skip = -1
                i -= 1
            i += 1
            start = i
            if 0 <= skip < n - i and text[i + skip] == 1:
                i += skip
            else:
                while i < n and text[i] != 1:
                    i += 1
            if least <= tag <= most:
                found.append((tag, text[start:i]))
                if least == most:
                    break
            skip = _whole(text, start, i) if tag >= 90 and _says_length(tag) else -1
            i += 1
        return found

    def stamp(self) -> cython.longlong:
        """SendingTime, as `sent` has it."""
        raw: bytes = self.raw
        text: cython.p_const_uchar = raw
        i: cython.Py_ssize_t = self._sent
        n: cython.Py_ssize_t = len(raw)
        k: cython.Py_ssize_t
        year: cython.longlong
        month: cython.longlong
        days: cython.longlong
        part: cython.longlong
        scale: cython.longlong = 100_000_000
        if i == 0 or text[i + 8] != 45 or text[i + 11] != 58 or text[i + 14] != 58:
            return 0
        for k in (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 15, 16):
            if text[i + k] < 48 or text[i + k] > 57:
                return 0
        year = _pair(text, i) * 100 + _pair(text, i + 2)
        month = _pair(text, i + 4)
        # Days from the civil calendar: H. Hinnant, "chrono-compatible low-level date algorithms".
        if month <= 2:
            year -= 1
            month += 12
        days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5
        days += _pair(text, i + 6) - 1 - 719468
        part = days * 86_400 + _pair(text, i + 9) * 3600 + _pair(text, i + 12) * 60
        part = (part + _pair(text, i + 15)) * 1_000_000_000
        k = i + 17
        if k < n and text[k] == 46:
            k += 1
            while k < n and 48 <= text[k] <= 57 and scale > 0:
                part += (text[k] - 48) * scale
                scale //= 10
                k += 1
        return part

    def _split(self) -> None:  # noqa: C901 - each way to write a field badly
        raw: bytes = self.raw
        text: cython.p_const_uchar = raw
        i: cython.Py_ssize_t = 0
        n: cython.Py_ssize_t = len(raw)
        start: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        tag: cython.longlong
        skip: cython.Py_ssize_t = -1
        byte: cython.uchar
        fields: dict[int, bytes] = {}
        tags: list[int] = []
        odd: list[str] = []
        while i < n:
            start = i
            tag = 0
            byte = 0
            while i < n:
                byte = text[i]
                if byte < 48 or byte > 57 or i - start > 8:
                    break
                tag = tag * 10 + (byte - 48)
                i += 1
            if i >= n or byte != 61 or i == start:
                stop = raw.find(b"\x01", i)
                stop = n if stop < 0 else stop
                odd.append(_ill_written(raw[start:stop]))
                i = stop + 1
                skip = -1
                continue
            if text[start] == 48:
                odd.append(f"leading zero in tag {raw[start:i].decode('ascii')}")
            i += 1
            if 0 <= skip < n - i and text[i + skip] == 1:
                stop = i + skip
            else:
                stop = i
                while stop < n and text[stop] != 1:
                    stop += 1
            if stop == i:
                odd.append(f"empty value of tag {tag}")
            elif text[i] < 48 and text[i] != 45 and _is_whole(tag):
                odd.append(f"a number that begins with {text[i : i + 1]!r} in tag {tag}")
            tags.append(tag)
            if tag not in fields:
                fields[tag] = text[i:stop]
            skip = _whole(text, i, stop) if _says_length(tag) else -1
            i = stop + 1
        self._fields = fields
        self._tags = tags
        self._oddities = odd


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_whole(tag: cython.longlong) -> cython.bint:
    """Whether a tag below 64 has a number, which begins with a digit (or a minus)."""
    return tag in (6, 7, 9, 10, 14, 16, 31, 32, 34, 36, 38, 44, 53)


def _ill_written(field: bytes) -> str:
    text = field[:24].decode("latin-1")
    if b"=" not in field:
        return f"a field without '=': {text!r}"
    return f"a tag that is no number: {text!r}"


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _pair(text: cython.p_const_uchar, i: cython.Py_ssize_t) -> cython.longlong:
    return (text[i] - 48) * 10 + (text[i + 1] - 48)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _says_length(tag: cython.longlong) -> cython.bint:
    """Whether the next field is data of as many bytes, which may contain SOH."""
    if tag < 90:
        return False
    if 348 <= tag <= 364:
        return tag % 2 == 0
    return tag in (90, 93, 95, 212, 445, 618, 621, 1184, 1280, 1282, 1397, 1401, 1403, 1468, 1527)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _whole(
    text: cython.p_const_uchar, i: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.longlong:
    """A number of at most nine digits, or -1."""
    value: cython.longlong = 0
    byte: cython.uchar
    if i >= stop or stop - i > 9:
        return -1
    while i < stop:
        byte = text[i]
        if byte < 48 or byte > 57:
            return -1
        value = value * 10 + (byte - 48)
        i += 1
    return value


@cython.cfunc
def _type_of(value: bytes) -> str:
    known = _TYPES.get(value)
    return value.decode("latin-1") if known is None else known


@cython.cfunc
def _party(value: bytes) -> bytes:
    known = _PARTIES.get(value)
    if known is None:
        if len(_PARTIES) > _KNOWN_MAX:  # somebody tries names
            _PARTIES.clear()
        _PARTIES[value] = known = value
    return known
