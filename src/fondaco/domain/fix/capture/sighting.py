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
        if self._fields is None:
            self._split()
        return self._fields.get(tag)

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
        while i < n:
            tag = 0
            start = i
            while i < n:
                byte = text[i]
                if byte < 48 or byte > 57 or i - start > 8:
                    break
                tag = tag * 10 + (byte - 48)
                i += 1
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
            if tag > 90:
                if _says_length(tag):
                    skip = _whole(raw, start, stop)
            elif tag == 35:
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
            elif tag == 11:
                if self.cl_ord_id is None:
                    self.cl_ord_id = raw[start:stop]
            elif tag == 43 and stop - start == 1 and text[start] == 89:
                self.poss_dup = True
        self.odd_bytes = odd

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
