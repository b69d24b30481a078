# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore,arg-type"
"""The FIX kernel: a message whose fields are located once and converted when asked for. Hot.

Cython's pure-Python mode: compiled where there is a compiler, and run as it is where there is none.
One pass finds every field; a value becomes text, a number or a time only in the reader that is
called. Nothing here knows what a tag means, but where raw bytes stand: their length is in another
field, and they may hold the delimiter.
"""

from array import array
from decimal import Decimal

from fondaco.domain.fix import groups as _groups
from fondaco.domain.fix.lengths import ENCODINGS, LENGTH_OF, marks
from fondaco.domain.fix.model import Garbled
from fondaco.kernel.errors import Invalid

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
ROOM = 64  # fields that are located without asking for more memory
LONGEST = 2**31 - 1  # bytes of a message, and the highest tag
_LENGTH_OF: dict = dict(LENGTH_OF)  # type: ignore[type-arg]
_MARKS: bytes = marks(LENGTH_OF)


@cython.final
@cython.cclass
class Message:
    """One message, as it was received. Immutable.

    Readers give None where the field is absent, and raise `Invalid` where it does not have the form
    that was asked for. Where a tag occurs more than once they read the first; `group` has the rest.
    """

    raw = cython.declare(bytes, visibility="readonly")
    count = cython.declare(cython.Py_ssize_t, visibility="readonly")  # of fields
    _encoded = cython.declare(cython.bint)  # whether there is a data field
    _tags: cython.int[64]
    _starts: cython.int[64]
    _stops: cython.int[64]
    _more: cython.longlong[::1]  # tag, start, stop of those that did not find room

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"<Message {self.raw!r}>"

    def __reduce__(self) -> tuple:  # type: ignore[type-arg]
        return (loose, (self.raw,))

    @property
    def msg_type(self) -> str:
        """MsgType (35); empty where there is none."""
        at: cython.Py_ssize_t = self._find(35, 0, self.count)
        if at < 0:
            return ""
        return self.raw[self._start(at) : self._stop(at)].decode("latin-1")

    @property
    def begin_string(self) -> str:
        return self.text(8) or ""

    def get(self, tag: cython.longlong) -> bytes | None:
        """The bytes of a field."""
        at: cython.Py_ssize_t = self._find(tag, 0, self.count)
        return None if at < 0 else self.raw[self._start(at) : self._stop(at)]

    def text(self, tag: cython.longlong) -> str | None:
        """A field as text: Latin-1, and encoded fields as MessageEncoding (347) says."""
        at: cython.Py_ssize_t = self._find(tag, 0, self.count)
        return None if at < 0 else self.text_at(at)

    def integer(self, tag: cython.longlong) -> int | None:
        at: cython.Py_ssize_t = self._find(tag, 0, self.count)
        return None if at < 0 else self.scaled_at(at, 0, "a whole number")

    def decimal(self, tag: cython.longlong) -> Decimal | None:
        """A number exactly as it was written."""
        at: cython.Py_ssize_t = self._find(tag, 0, self.count)
        return None if at < 0 else self.decimal_at(at)

    def scaled(self, tag: cython.longlong, places: cython.Py_ssize_t) -> int | None:
        """A number as whole units of 10^-places; raises where it is finer."""
        at: cython.Py_ssize_t = self._find(tag, 0, self.count)
        return None if at < 0 else self.scaled_at(at, places, "a number")

    def timestamp(self, tag: cython.longlong) -> int | None:
        """UTCTimestamp as nanoseconds since 1970. Any precision; below 1 ns is cut off."""
        at: cython.Py_ssize_t = self._find(tag, 0, self.count)
        return None if at < 0 else self.timestamp_at(at)

    def values(self, tags: tuple) -> list:  # type: ignore[type-arg]
        """What `get` gives for each of some tags, in one call."""
        found: list = []  # type: ignore[type-arg]
        tag: cython.longlong
        at: cython.Py_ssize_t
        for tag in tags:
            at = self._find(tag, 0, self.count)
            found.append(None if at < 0 else self.raw[self._start(at) : self._stop(at)])
        return found

    def fields(self) -> list:  # type: ignore[type-arg]
        """Every field as (tag, bytes), in wire order."""
        found: list = []  # type: ignore[type-arg]
        at: cython.Py_ssize_t = 0
        while at < self.count:
            found.append((self._tag(at), self.raw[self._start(at) : self._stop(at)]))
            at += 1
        return found

    def tags(self) -> list:  # type: ignore[type-arg]
        """Every tag, in wire order."""
        found: list = []  # type: ignore[type-arg]
        at: cython.Py_ssize_t = 0
        while at < self.count:
            found.append(self._tag(at))
            at += 1
        return found

    def group(self, tag: int, of: "_groups.Of") -> list:  # type: ignore[type-arg]
        """The entries of the repeating group that `tag` counts, as dictionary `of` lays it out."""
        return _groups.entries_of(self, tag, of)

    # By place. What groups, validation and displays are made of.

    def find(
        self, tag: cython.longlong, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """The place of the first field `tag` from `start` up to, not including, `stop`; or -1."""
        return self._find(tag, max(start, 0), min(stop, self.count))

    def tag_at(self, at: cython.Py_ssize_t) -> int:
        self._check(at)
        return self._tag(at)

    def value_at(self, at: cython.Py_ssize_t) -> bytes:
        self._check(at)
        return self.raw[self._start(at) : self._stop(at)]

    def span_at(self, at: cython.Py_ssize_t) -> tuple:  # type: ignore[type-arg]
        """From which byte of `raw` to which a value goes."""
        self._check(at)
        return (self._start(at), self._stop(at))

    def text_at(self, at: cython.Py_ssize_t) -> str:
        self._check(at)
        start: cython.Py_ssize_t = self._start(at)
        stop: cython.Py_ssize_t = self._stop(at)
        if self._encoded and self._tag(at) in _LENGTH_OF:
            return self._decoded(self.raw[start:stop])
        return self.raw[start:stop].decode("latin-1")

    def decimal_at(self, at: cython.Py_ssize_t) -> Decimal:
        self._check(at)
        value = self.raw[self._start(at) : self._stop(at)]
        if not _is_decimal(value):
            raise self._wrong(at, "a number")
        return Decimal(value.decode("latin-1"))

    def scaled_at(  # noqa: C901 - one pass over the digits
        self, at: cython.Py_ssize_t, places: cython.Py_ssize_t, what: str
    ) -> int:
        """`what` says in an error what was asked for; a whole number has no point."""
        raw: bytes = self.raw
        i: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        value: cython.longlong = 0
        left: cython.Py_ssize_t = -1  # places still to fill; -1 before the point
        negative: cython.bint = False
        byte: cython.uchar
        self._check(at)
        i = self._start(at)
        stop = self._stop(at)
        if stop - i + places > 18 or places < 0:
            return self._scaled_long(at, places, what)
        if i < stop and raw[i] == 45:  # -
            negative = True
            i += 1
        if i == stop or (i + 1 == stop and raw[i] == 46):
            raise self._wrong(at, what)
        while i < stop:
            byte = raw[i]
            i += 1
            if 48 <= byte <= 57:
                if left == 0:
                    if byte != 48:
                        raise self._finer(at, places)
                    continue
                value = 10 * value + (byte - 48)
                if left > 0:
                    left -= 1
            elif byte == 46 and left < 0 and what != "a whole number":
                left = places
            else:
                raise self._wrong(at, what)
        if left < 0:
            left = places
        while left > 0:
            value *= 10
            left -= 1
        return -value if negative else value

    def timestamp_at(self, at: cython.Py_ssize_t) -> int:
        raw: bytes = self.raw
        i: cython.Py_ssize_t
        size: cython.Py_ssize_t
        n: cython.Py_ssize_t
        year: cython.longlong
        month: cython.longlong
        day: cython.longlong
        hour: cython.longlong
        minute: cython.longlong
        second: cython.longlong
        fraction: cython.longlong = 0
        byte: cython.uchar
        self._check(at)
        i = self._start(at)
        size = self._stop(at) - i
        if size < 17 or size == 18 or size > 30:
            raise self._wrong(at, "a UTC timestamp")
        year = 100 * _two(raw, i) + _two(raw, i + 2)
        month = _two(raw, i + 4)
        day = _two(raw, i + 6)
        hour = _two(raw, i + 9)
        minute = _two(raw, i + 12)
        second = _two(raw, i + 15)
        if (
            raw[i + 8] != 45
            or raw[i + 11] != 58
            or raw[i + 14] != 58
            or year < 1
            or not 1 <= month <= 12
            or not 1 <= day <= _days(year, month)
            or not 0 <= hour <= 23
            or not 0 <= minute <= 59
            or not 0 <= second <= 60  # a leap second is the first of the next minute
            or (size > 17 and raw[i + 17] != 46)
        ):
            raise self._wrong(at, "a UTC timestamp")
        for n in range(18, size):
            byte = raw[i + n]
            if not 48 <= byte <= 57:
                raise self._wrong(at, "a UTC timestamp")
            if n < 27:
                fraction = 10 * fraction + (byte - 48)
        n = size if size > 18 else 18
        while n < 27:
            fraction *= 10
            n += 1
        second += 60 * (minute + 60 * hour)
        if not 1678 <= year <= 2261:  # beyond 64 bits
            return (int(_day(year, month, day)) * 86_400 + second) * 10**9 + fraction
        return (_day(year, month, day) * 86_400 + second) * 1_000_000_000 + fraction

    @cython.cfunc
    @cython.inline
    def _tag(self, at: cython.Py_ssize_t) -> cython.longlong:
        return self._tags[at] if at < 64 else self._more[3 * (at - 64)]

    @cython.cfunc
    @cython.inline
    def _start(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        return self._starts[at] if at < 64 else self._more[3 * (at - 64) + 1]

    @cython.cfunc
    @cython.inline
    def _stop(self, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        return self._stops[at] if at < 64 else self._more[3 * (at - 64) + 2]

    @cython.cfunc
    def _check(self, at: cython.Py_ssize_t) -> None:
        if at < 0 or at >= self.count:
            raise IndexError(f"there is no field {at} of {self.count}")

    @cython.cfunc
    def _find(
        self, tag: cython.longlong, start: cython.Py_ssize_t, stop: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        at: cython.Py_ssize_t
        near: cython.Py_ssize_t = stop if stop < 64 else 64
        for at in range(start, near):
            if self._tags[at] == tag:
                return at
        for at in range(max(start, 64), stop):
            if self._more[3 * (at - 64)] == tag:
                return at
        return -1

    @cython.cfunc
    def _put(self, tag: cython.longlong, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> None:
        at: cython.Py_ssize_t = self.count
        if at < 64:
            self._tags[at] = tag
            self._starts[at] = start
            self._stops[at] = stop
        else:
            at = 3 * (at - 64)
            if at == 0 or at == len(self._more):
                self._more = _roomier(None if at == 0 else self._more)
            self._more[at] = tag
            self._more[at + 1] = start
            self._more[at + 2] = stop
        self.count += 1

    @cython.cfunc
    def _decoded(self, value: bytes) -> str:
        named = self.get(347)
        codec = ENCODINGS.get("" if named is None else named.decode("latin-1"), "latin-1")
        try:
            return value.decode(codec)
        except UnicodeDecodeError:
            return value.decode("latin-1")  # what it is not, it is not; the bytes stay readable

    @cython.cfunc
    def _scaled_long(self, at: cython.Py_ssize_t, places: cython.Py_ssize_t, what: str) -> object:
        """What may not fit 64 bits."""
        value = self.raw[self._start(at) : self._stop(at)]
        if places < 0:
            raise ValueError("places are not negative")
        if (what == "a whole number" and b"." in value) or not _is_decimal(value):
            raise self._wrong(at, what)
        whole, _, fraction = value.partition(b".")
        if fraction[places:].strip(b"0"):
            raise self._finer(at, places)
        return int(whole + fraction[:places].ljust(places, b"0"))

    @cython.cfunc
    def _wrong(self, at: cython.Py_ssize_t, what: str) -> object:
        value = self.raw[self._start(at) : self._stop(at)].decode("latin-1")
        tag = self._tag(at)
        return Invalid(f"field {tag} is {value!r}, which is not {what}", tag=tag, value=value)

    @cython.cfunc
    def _finer(self, at: cython.Py_ssize_t, places: cython.Py_ssize_t) -> object:
        value = self.raw[self._start(at) : self._stop(at)].decode("latin-1")
        tag = self._tag(at)
        said = f"field {tag} is {value!r}; it may have {places} places after the point"
        return Invalid(said, tag=tag, value=value)


def parse(raw: bytes, of: "_groups.Of | None" = None) -> Message:
    """The message that `raw` is, from 8= to the SOH behind 10=nnn.

    `of` says of a custom dictionary where it has raw data. Raises `Garbled` where length, checksum,
    the first three fields or the form of a field is wrong.
    """
    message: Message = _new(raw)
    wrong = _locate(message, _LENGTH_OF, _MARKS, True) if of is None else _located(message, of)
    if wrong is None:
        wrong = _unframed(message)
    if wrong is not None:
        raise Garbled(wrong, raw)
    return message


def loose(raw: bytes, of: "_groups.Of | None" = None) -> Message:
    """Whatever fields there are in `raw`, for showing what is wrong with it. Raises nothing.

    What has no tag is passed over, a last field without SOH counts, and where the length of raw
    data is wrong it ends with the next SOH.
    """
    message: Message = _new(raw)
    if of is None:
        _locate(message, _LENGTH_OF, _MARKS, False)
    else:
        _locate(message, dict(of.length_of), of.marks, False)
    return message


def what_is_wrong(message: Message) -> str | None:
    """Why `parse` would not take the message that `loose` found, or None."""
    try:
        parse(message.raw)
    except Garbled as garbled:
        return garbled.reason
    return None


@cython.cfunc
def _new(raw: bytes) -> Message:
    message: Message = Message.__new__(Message)
    if not cython.compiled:
        _make_room(message)
    message.raw = raw
    message.count = 0
    message._encoded = False
    return message


def _make_room(message: object) -> None:
    """What a compiled message has from the start."""
    for name in ("_tags", "_starts", "_stops"):
        setattr(message, name, [0] * ROOM)


def _located(message: Message, of: "_groups.Of") -> str | None:
    return _locate(message, dict(of.length_of), of.marks, True)


@cython.cfunc
def _locate(  # noqa: C901 - one pass over the bytes
    message: Message,
    length_of: dict,  # type: ignore[type-arg]
    bits: bytes,
    strict: cython.bint,
) -> object:
    """Find every field. Gives what is wrong, or None; unless `strict` it passes over that."""
    raw: bytes = message.raw
    n: cython.Py_ssize_t = len(raw)
    i: cython.Py_ssize_t = 0
    begin: cython.Py_ssize_t
    start: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    tag: cython.longlong
    negative: cython.bint
    byte: cython.uchar
    if n > LONGEST:
        return "a message of more than 2147483647 bytes"
    while i < n:
        tag = 0
        negative = raw[i] == 45
        if negative:
            i += 1
        begin = i
        byte = 0
        while i < n:
            byte = raw[i]
            if not 48 <= byte <= 57:
                break
            tag = 10 * tag + (byte - 48)
            i += 1
            if tag > LONGEST:
                break
        if byte != 61 or i in (n, begin) or tag > LONGEST or (i > begin + 1 and raw[begin] == 48):
            if strict:
                return "a field does not begin with a tag and ="
            while i < n and raw[i] != 1:
                i += 1
            i += 1
            continue
        i += 1
        start = i
        stop = -1
        if negative:
            tag = -tag
        elif _is_data(tag, length_of, bits):
            message._encoded = True
            stop = _data_stop(message, length_of[tag], start, n)
            if stop < 0 and strict:
                return f"raw data in field {tag} is not as long as its length says"
        if stop < 0:
            stop = start
            while stop < n and raw[stop] != 1:
                stop += 1
            if stop == n and strict:
                return "the last field does not end with SOH"
        message._put(tag, start, stop)
        i = stop + 1
    return None


@cython.cfunc
def _data_stop(
    message: Message, length_tag: cython.longlong, start: cython.Py_ssize_t, n: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where raw data ends that begins at `start`; -1 where its length is absent or wrong."""
    at: cython.Py_ssize_t = message.count - 1
    size: cython.longlong = 0
    i: cython.Py_ssize_t
    byte: cython.uchar
    while at >= 0 and message._tag(at) != length_tag:
        at -= 1
    if at < 0 or message._start(at) == message._stop(at):
        return -1
    for i in range(message._start(at), message._stop(at)):
        byte = message.raw[i]
        if not 48 <= byte <= 57:
            return -1
        size = 10 * size + (byte - 48)
        if size >= n - start:
            return -1
    return start + size if message.raw[start + size] == 1 else -1


@cython.cfunc
def _unframed(message: Message) -> object:  # noqa: C901 - a list of refusals
    """What is wrong with the first three fields, the length and the checksum, or None."""
    raw: bytes = message.raw
    last: cython.Py_ssize_t = message.count - 1
    body: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    said: cython.longlong = 0
    total: cython.uint = 0
    i: cython.Py_ssize_t
    byte: cython.uchar
    if last < 3 or message._tags[0] != 8 or message._tags[1] != 9 or message._tags[2] != 35:
        return "the first fields are not 8, 9 and 35"
    if message._tag(last) != 10 or message._stop(last) - message._start(last) != 3:
        return "the last field is not 10 with three digits"
    if not 1 <= message._stops[1] - message._starts[1] <= 10:
        return "the body length is not a number"
    for i in range(message._starts[1], message._stops[1]):
        byte = raw[i]
        if not 48 <= byte <= 57:
            return "the body length is not a number"
        said = 10 * said + (byte - 48)
    body = message._stops[1] + 1
    stop = message._stop(last - 1) + 1
    if said != stop - body:
        return f"the body length is said to be {said} and is {stop - body}"
    for i in range(stop):
        total += raw[i]
    total &= 255
    said = 0
    for i in range(message._start(last), message._stop(last)):
        byte = raw[i]
        if not 48 <= byte <= 57:
            return "the checksum is not three digits"
        said = 10 * said + (byte - 48)
    if said != total:
        return f"the checksum is said to be {said:03} and is {total:03}"
    return None


@cython.cfunc
@cython.inline
def _is_data(tag: cython.longlong, length_of: dict, bits: bytes) -> cython.bint:  # type: ignore[type-arg]
    if 0 <= tag < 65_536:
        return (bits[tag >> 3] >> (tag & 7)) & 1 != 0
    return tag in length_of


@cython.cfunc
def _is_decimal(value: bytes) -> cython.bint:
    """[-]digits[.digits], with a digit somewhere. No plus, exponent, or grouping."""
    i: cython.Py_ssize_t = 0
    n: cython.Py_ssize_t = len(value)
    digits: cython.Py_ssize_t = 0
    points: cython.Py_ssize_t = 0
    byte: cython.uchar
    if n > 0 and value[0] == 45:
        i = 1
    while i < n:
        byte = value[i]
        if 48 <= byte <= 57:
            digits += 1
        elif byte == 46:
            points += 1
        else:
            return False
        i += 1
    return digits > 0 and points <= 1


@cython.cfunc
@cython.inline
def _two(raw: bytes, i: cython.Py_ssize_t) -> cython.longlong:
    """Two digits; far below zero where they are none."""
    tens: cython.uchar = raw[i]
    ones: cython.uchar = raw[i + 1]
    if not (48 <= tens <= 57 and 48 <= ones <= 57):
        return -100_000
    return 10 * (cython.cast(cython.longlong, tens) - 48) + (ones - 48)


@cython.cfunc
def _days(year: cython.longlong, month: cython.longlong) -> cython.longlong:
    if month == 2:
        leap: cython.bint = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@cython.cfunc
def _day(year: cython.longlong, month: cython.longlong, day: cython.longlong) -> cython.longlong:
    """Days since 1970-01-01 in the Gregorian calendar, for years from 1 on."""
    if month <= 2:
        year -= 1
        month += 12
    leaps: cython.longlong = year // 4 - year // 100 + year // 400
    return 365 * year + leaps + (153 * (month - 3) + 2) // 5 + day - 719_469


@cython.cfunc
def _roomier(more: object) -> object:
    """Twice the room for fields beyond the first 64."""
    if more is None:
        return array("q", bytes(8 * 3 * ROOM))
    kept = bytes(memoryview(more).cast("B"))
    return array("q", kept + bytes(len(kept)))
