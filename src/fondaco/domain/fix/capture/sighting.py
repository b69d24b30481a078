# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""A message as it went over the wire, whatever is wrong with it. Hot.

An engine reads what is right and refuses the rest; a sensor also says how the rest is written.
One pass finds the few fields that statistics need; all fields are split when one is asked for.
"""

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
_KNOWN_MAX = 4096
_TYPES = {bytes([code]): chr(code) for code in range(33, 127)}
_PARTIES: dict[bytes, bytes] = {}  # one object a CompID, so that looking it up again costs nothing


@cython.final
@cython.cclass
class Sighting:
    """A message as it went over the wire: its bytes, when and where, and the fields of its head.

    `at` is nanoseconds since 1970 by the capture's clock, when its last byte came; `offset` is
    the place in the file of the packet (or log line) that holds its first byte. `garbled` says
    what is wrong with its frame, or is None. `seq` is -1 where MsgSeqNum is absent or no number.
    `longest` is the length of its longest value; bit n of `twice` says that tag n (below 64) stands
    more than once; `is_odd` that a field is oddly written, or a routing field stands in the body.
    """

    raw = cython.declare(bytes, visibility="readonly")
    at = cython.declare(cython.longlong, visibility="readonly")
    offset = cython.declare(cython.longlong, visibility="readonly")
    half = cython.declare(object, visibility="readonly")
    garbled = cython.declare(object, visibility="readonly")
    msg_type = cython.declare(str, visibility="readonly")
    seq = cython.declare(cython.longlong, visibility="readonly")
    sender = cython.declare(bytes, visibility="readonly")
    target = cython.declare(bytes, visibility="readonly")
    cl_ord_id = cython.declare(object, visibility="readonly")
    poss_dup = cython.declare(cython.bint, visibility="readonly")
    odd_bytes = cython.declare(cython.longlong, visibility="readonly")
    longest = cython.declare(cython.longlong, visibility="readonly")
    twice = cython.declare(cython.ulonglong, visibility="readonly")
    is_odd = cython.declare(cython.bint, visibility="readonly")
    _sent = cython.declare(cython.Py_ssize_t)
    _fields = cython.declare(object)
    _tags = cython.declare(object)
    _oddities = cython.declare(object)

    def __init__(
        self,
        raw: bytes,
        at: cython.longlong,
        offset: cython.longlong,
        half: object,
        garbled: object,
    ) -> None:
        self.raw = raw
        self.at = at
        self.offset = offset
        self.half = half
        self.garbled = garbled
        self.msg_type = ""
        self.seq = -1
        self.sender = b""
        self.target = b""
        self.cl_ord_id = None
        self.poss_dup = False
        self.odd_bytes = 0
        self.longest = 0
        self.twice = 0
        self.is_odd = False
        self._sent = 0
        self._fields = None
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

    def get(self, tag: int) -> bytes | None:
        """The first value of a tag, or None."""
        if self._fields is not None:
            return self._fields.get(tag)
        return self._find(tag)

    @property
    def sent(self) -> int:
        """SendingTime (52) in nanoseconds since 1970; 0 where there is none."""
        return self._timestamp()

    @property
    def sent_to_second(self) -> bool:
        """Whether SendingTime has no fraction."""
        raw: bytes = self.raw
        return bool(self._sent) and raw[self._sent + 17 : self._sent + 18] == b"\x01"

    @property
    def content(self) -> int:
        """A hash of what the message says, apart from how it was sent: FNV-1a over all fields but
        8, 9, 10, 34, 43, 52, 97, 122 and 369."""
        return self._content()

    def forget(self) -> None:
        """Let go of the fields that were split, which take more room than the message."""
        self._fields = self._tags = self._oddities = None

    @cython.cfunc
    def _locate(self) -> None:  # noqa: C901 - one pass over the message
        """Find the fields that statistics need. The first of each counts, as in the head."""
        raw: bytes = self.raw
        text: cython.p_const_uchar = raw
        i: cython.Py_ssize_t = 0
        n: cython.Py_ssize_t = len(raw)
        start: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        tag: cython.longlong
        skip: cython.longlong = -1
        odd: cython.longlong = 0
        byte: cython.uchar
        one: cython.ulonglong = 1
        known: cython.ulonglong = 0
        number: cython.longlong = 0
        in_body: cython.bint = False
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
            if i >= n or byte != 61 or i == start or (number == 3) != (tag == 35):
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
            if stop - start > self.longest:
                self.longest = stop - start
            elif stop == start:
                self.is_odd = True
            if tag < 64:
                if known & (one << tag):
                    self.twice |= one << tag
                known |= one << tag
                if in_body and tag in (34, 49, 56):
                    self.is_odd = True
                elif tag in (11, 37, 38, 44, 54, 55, 58):
                    in_body = True
            elif tag == 98 or tag == 112:
                in_body = True
            if tag > 90:
                if _says_length(tag):
                    skip = _whole(raw, start, stop)
            else:
                self._keep(raw, tag, start, stop)
        self.odd_bytes = odd

    @cython.cfunc
    def _keep(  # noqa: C901 - by tag
        self, raw: bytes, tag: cython.longlong, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
    ) -> None:
        """What of a field is wanted of every message; the first of each tag counts."""
        if tag == 35:
            if not self.msg_type:
                self.msg_type = _type_of(raw[start:stop])
        elif tag == 34:
            if self.seq < 0:
                self.seq = _whole(raw, start, stop)
        elif tag == 49:
            if not self.sender:
                self.sender = _party(raw[start:stop])
        elif tag == 56:
            if not self.target:
                self.target = _party(raw[start:stop])
        elif tag == 52:
            if self._sent == 0 and stop - start >= 17:
                self._sent = start
        elif tag == 11:
            if self.cl_ord_id is None:
                self.cl_ord_id = raw[start:stop]
        elif tag == 43 and stop - start == 1 and raw[start : start + 1] == b"Y":
            self.poss_dup = True

    @cython.cfunc
    def _find(self, wanted: cython.longlong) -> object:
        raw: bytes = self.raw
        text: cython.p_const_uchar = raw
        i: cython.Py_ssize_t = 0
        n: cython.Py_ssize_t = len(raw)
        start: cython.Py_ssize_t
        tag: cython.longlong
        skip: cython.longlong = -1
        while i < n:
            tag = 0
            start = i
            while i < n and 48 <= text[i] <= 57 and i - start <= 8:
                tag = tag * 10 + (text[i] - 48)
                i += 1
            if i >= n or text[i] != 61 or i == start:
                tag = -1
            i += 1
            start = i
            if 0 <= skip < n - i and text[i + skip] == 1:
                i += skip
            else:
                while i < n and text[i] != 1:
                    i += 1
            if tag == wanted:
                return raw[start:i]
            skip = _whole(raw, start, i) if tag >= 90 and _says_length(tag) else -1
            i += 1
        return None

    @cython.cfunc
    def _content(self) -> cython.ulonglong:
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

    @cython.cfunc
    def _timestamp(self) -> cython.longlong:
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

    @cython.cfunc
    def _split(self) -> None:
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
            tags.append(tag)
            if tag not in fields:
                fields[tag] = raw[i:stop]
            skip = _whole(raw, i, stop) if _says_length(tag) else -1
            i = stop + 1
        self._fields = fields
        self._tags = tags
        self._oddities = odd


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
def _whole(data: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.longlong:
    """A number of at most nine digits, or -1."""
    value: cython.longlong = 0
    byte: cython.uchar
    text: cython.p_const_uchar = data
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
