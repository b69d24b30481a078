"""A session on the tape: both directions byte for byte, and how far what came is done.

A frame of the tape begins with a byte that says what it is:

| | |
|---|---|
| `R` | received, as it came, but for passwords |
| `S` | sent for the first time, behind the application's mark (8 bytes) |
| `A` | sent again, or a gap fill: numbers do not move |
| `D` | everything below this number that came is done (8 bytes) |
| `N` | numbers were set: JSON of `Set` |
| `C` | a connection was made: JSON of `Ends` |
| `X` | it ended |

From these a session knows its numbers after any death of its process: what it sends next follows
the last `S`, what it expects is the last `D`. What was received and not done is asked for again.
After a death of the machine frames may be missing that were sent: then it goes on at a distance,
and the other side sees a gap, which is filled, rather than a number twice.
"""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from re import compile as compile_
from re import sub
from struct import Struct
from typing import Final, Protocol

import msgspec

from fondaco.domain.fix.api import Garbled, Numbers, SessionId, Write, parse
from fondaco.gateway.fix.ends import Ends
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.tape import Tape

REMEMBERED: Final = 4_096  # messages that are sent again from memory; older ones from the tape
SKIPPED: Final = 10_000  # numbers, after a death of the machine
_NUMBER: Final = Struct("<Q")
_SECRET: Final = compile_(rb"(\x01(?:554|925|96)=)([^\x01]+)")
RECEIVED, SENT, AGAIN, DONE, NUMBERS = b"R", b"S", b"A", b"D", b"N"
CONNECTED, ENDED = b"C", b"X"


class FlushedTape(Tape, Protocol):
    @property
    def trouble(self) -> str:
        """What the disk said last; empty when it is well."""
        ...

    def flush(self) -> None:
        """Hand everything to the operating system."""
        ...


class Set(msgspec.Struct, frozen=True):
    """Numbers were set. `orders` counts those of an operator that were carried out; `boot` names
    the run of the machine, for whoever finds the tape after its death."""

    next_out: int
    next_in: int
    began: int
    orders: int
    reason: str
    boot: str = ""
    mark: int = 0  # the highest that was sent before


def without_secrets(raw: bytes) -> bytes:
    """A Logon without its passwords (554, 925) and raw data (96), each as long as it was; anything
    else as it is."""
    if b"\x0135=A\x01" not in raw[:64] or not _SECRET.search(raw):
        return raw
    hidden = _SECRET.sub(lambda found: found[1] + b"*" * len(found[2]), raw)
    trailer = hidden.rfind(b"\x0110=") + 1
    return hidden[:trailer] + b"10=%03d\x01" % (sum(hidden[:trailer]) % 256)


def source_of(name: SessionId) -> str:
    """The tape's name for a session: readable, and never another's."""
    readable = sub("[^A-Za-z0-9.-]+", "_", str(name))[:46].strip("_.-")
    return f"{readable}.{sha256(msgspec.json.encode(name)).hexdigest()[:8]}"


class Kept:
    """What the tape knows of one session: it keeps, and is asked what was sent.

    Reading happens once, when the session is opened, and where a very old message is asked for.
    """

    def __init__(
        self, tape: FlushedTape, name: SessionId, *, boot: str = "", after: int = 0
    ) -> None:
        """`boot` names this run of the machine; `after` is the position of an `N`, from which on
        the tape is read: what is older is not sent again. 0 reads all of it, and so does a position
        at which there is none."""
        self._tape, self.source, self._boot = tape, source_of(name), boot
        self.numbers = Numbers()
        self.mark = self.orders = 0
        self.set_at = 0  # position of the last `N` with which numbers began anew
        self._known = array("Q")  # numbers of what was sent since, ascending
        self._places = array("Q")  # their positions on the tape
        self._recent: OrderedDict[int, bytes] = OrderedDict()
        self._was_boot = ""
        self.is_sure = True  # whether what was sent is all here: the machine has not died since
        self.on_set: Callable[[int], None] = lambda _: None  # told when that moves
        self._recover(after)

    def opened(self, at: int) -> None:
        """In this run of the machine."""
        if self._boot != self._was_boot:
            self.renumbered(self.numbers, "a new run of the machine", at)
            self.flush()

    # --- Keeper ---------------------------------------------------------------------------------

    def received(self, raws: Sequence[bytes], at: int) -> None:
        frames = [RECEIVED + without_secrets(raw) for raw in raws]
        self._tape.append_all(self.source, Instant(at), frames)

    def sent(self, write: Write, at: int) -> None:
        if not write.is_new:
            self._append(AGAIN + write.raw, at)
            return
        self.mark = max(self.mark, write.mark)
        raw = without_secrets(write.raw)
        place = self._append(SENT + _NUMBER.pack(self.mark) + raw, at)
        self._known.append(write.seq_num)
        self._places.append(place)

    def sent_all(self, writes: Sequence[Write], at: int) -> None:
        frames = []
        for write in writes:
            if write.mark > self.mark:
                self.mark = write.mark
            frames.append(SENT + _NUMBER.pack(self.mark) + without_secrets(write.raw))
        last = self._tape.append_all(self.source, Instant(at), frames)
        self._known.extend([write.seq_num for write in writes])
        self._places.extend(range(last - len(writes) + 1, last + 1))

    def done(self, next_in: int, at: int) -> None:
        self._append(DONE + _NUMBER.pack(next_in), at)

    def renumbered(self, numbers: Numbers, reason: str, at: int) -> None:
        told = Set(
            numbers.next_out,
            numbers.next_in,
            numbers.began,
            self.orders,
            reason,
            self._boot,
            self.mark,
        )
        place = self._append(NUMBERS + msgspec.json.encode(told), at)
        if not self._known:  # nothing from before is ever sent again
            self.flush()
            self.set_at = place
            self.on_set(place)

    def connected(self, ends: Ends, at: int) -> None:
        self._append(CONNECTED + msgspec.json.encode(ends), at)

    def disconnected(self, at: int) -> None:
        self._append(ENDED, at)

    def flush(self) -> None:
        self._tape.flush()
        if self._tape.trouble:
            raise Unavailable(f"the tape of FIX sessions cannot be written: {self._tape.trouble}")

    # --- What was sent --------------------------------------------------------------------------

    def keep(self, seq_num: int, raw: bytes) -> None:
        recent = self._recent
        recent[seq_num] = raw
        if len(recent) > REMEMBERED:
            recent.popitem(last=False)

    def between(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        recent = self._recent
        oldest = next(iter(recent), last + 1)
        if first < oldest:
            yield from self._from_tape(first, min(last, oldest - 1))
        for seq_num in range(max(first, oldest), last + 1):
            raw = recent.get(seq_num)
            if raw is not None:
                yield seq_num, raw

    def clear(self) -> None:
        """Numbers begin anew; the tape keeps what was."""
        self._recent.clear()
        self._known, self._places = array("Q"), array("Q")

    def _from_tape(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        begin = bisect_left(self._known, first)
        end = bisect_left(self._known, last + 1)
        if begin == end:
            return
        wanted = dict(zip(self._places[begin:end], self._known[begin:end], strict=True))
        left = len(wanted)
        for frame in self._tape.read(self._places[begin] - 1, sources={self.source}):
            seq_num = wanted.get(frame.position)
            if seq_num is not None:
                yield seq_num, frame.raw[1 + _NUMBER.size :]
                left -= 1
                if not left:
                    return

    # --- Recovery -------------------------------------------------------------------------------

    def _append(self, raw: bytes, at: int) -> int:
        return self._tape.append(self.source, Instant(at), raw)

    def _recover(self, after: int) -> None:
        first = next(iter(self._tape.read(after - 1, 1, {self.source})), None) if after else None
        if first is None or first.position != after or first.raw[:1] != NUMBERS:
            after = 0
        next_out = next_in = 1
        began, has_any = 0, False
        for frame in self._tape.read(max(after - 1, 0), sources={self.source}):
            has_any = True
            kind, rest = frame.raw[:1], frame.raw[1:]
            if kind == SENT:
                raw = rest[_NUMBER.size :]
                self.mark = max(self.mark, _NUMBER.unpack_from(rest)[0])
                next_out = self._remember(raw, frame.position, next_out)
            elif kind == DONE:
                next_in = _NUMBER.unpack(rest)[0]
            elif kind == NUMBERS:
                told = msgspec.json.decode(rest, type=Set)
                if told.next_out < next_out:
                    self.clear()
                next_out, next_in, began = told.next_out, told.next_in, told.began
                self.orders, self._was_boot = told.orders, told.boot
                if not self._known:
                    self.set_at = frame.position
                self.mark = max(self.mark, told.mark)
        if has_any and self._was_boot and self._boot and self._was_boot != self._boot:
            next_out += SKIPPED
            self.is_sure = False
        self.numbers = Numbers(next_out, next_in, began)

    def _remember(self, raw: bytes, place: int, next_out: int) -> int:
        try:
            seq_num = parse(raw).integer(34) or next_out
        except Garbled:  # not what we wrote; the tape says so when it is verified
            return next_out
        self._known.append(seq_num)
        self._places.append(place)
        self.keep(seq_num, raw)
        return max(seq_num + 1, next_out)
