"""A recorded market, as if it happened now.

A recording is a file, or a folder of files per instrument that follow one another by name: lines
of a receive time in nanoseconds and a message of the combined stream, or a REST snapshot. A folder
may also be a tape of this house. At its end it starts again from the snapshot, and books recover.

The clocks of a recording need not agree: a message may have been received before it happened. The
normaliser counts that and takes the time of receipt.
"""

import asyncio
import gzip
import heapq
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from fondaco.domain.market.binance import Binance
from fondaco.domain.market.connection import HOUSE, LISTINGS, REPLAY, Notice, Wire, notice
from fondaco.domain.market.feeds.captured import Recorded, received
from fondaco.domain.market.intake import Arrival, Clock, Emit
from fondaco.domain.market.listings import Listing, assets_of, listed
from fondaco.domain.market.wires import exchange as exchange_named
from fondaco.domain.reference.model import Instrument
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.money import Asset
from fondaco.ports.tape import Tape

BATCH: Final = 128
SPEED_MAX: Final = 10_000.0
_NAME: Final = re.compile(rb'"s":"([A-Z0-9]{2,20})"')
_LINES_LOOKED_AT: Final = 200
_PAUSE_S: Final = 1.0  # between the end and the next beginning


class Session(Protocol):
    """What can be played: one exchange's messages."""

    @property
    def exchange(self) -> str: ...

    @property
    def wire(self) -> Wire: ...

    @property
    def listings(self) -> tuple[Listing, ...]: ...

    def read(self) -> Iterator[Recorded]:
        """Everything, in the order in which it was received."""
        ...


class Recording:
    """Files of lines, grouped by the instrument that is named in their messages."""

    exchange = "binance"
    wire: Wire = Binance

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise Invalid(f"replay:{path} is not there; name a file or a folder of recordings")
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        self._files: dict[str, list[Path]] = {}
        for file in files:
            name = _instrument_of(file) if file.is_file() else None
            if name is not None:
                self._files.setdefault(name, []).append(file)
        if not self._files:
            raise Invalid(f"replay:{path} holds no lines of a receive time and a spot message")
        self.listings = listed(self._files)

    def read(self) -> Iterator[Recorded]:
        """Everything, in the order in which it was received."""
        return heapq.merge(*(self._read(name) for name in self._files), key=received)

    def _read(self, name: str) -> Iterator[Recorded]:
        stream, snapshot = self.exchange, f"{self.exchange}.{name}"
        for file in self._files[name]:
            for at, raw in _lines(file):
                source = snapshot if raw.startswith(b'{"lastUpdateId"') else stream
                yield Recorded(at, source, raw)


class TapeRecording:
    """What one exchange said, on a tape that this house wrote."""

    def __init__(self, tape: Tape, listings: tuple[Listing, ...], exchange: str) -> None:
        self._tape = tape
        self.listings = listings
        self.exchange = exchange
        known = exchange_named(exchange)
        self.wire: Wire = known.wire if known else Binance

    def read(self) -> Iterator[Recorded]:
        for frame in self._tape.read():
            source = frame.source.removeprefix(f"{REPLAY}.")
            exchange, _, part = source.partition(".")
            if exchange == self.exchange and part != LISTINGS:
                yield Recorded(frame.at, source, frame.raw)


def tape_recordings(tape: Tape) -> list[TapeRecording]:
    """What `tape` holds of markets, by exchange: instruments are those that were listed on it, or
    of which there is a snapshot."""
    names: dict[str, list[str]] = {}
    lists: dict[str, tuple[Listing, ...]] = {}
    for source in tape.sources():
        exchange, _, part = source.removeprefix(f"{REPLAY}.").partition(".")
        if part == LISTINGS:
            frame = next(each for each in tape.read() if each.source == source)
            lists[exchange] = msgspec.json.decode(frame.raw, type=tuple[Listing, ...])
        elif part and part != HOUSE:
            names.setdefault(exchange, []).append(part)
    found = {exchange: listed(each) for exchange, each in names.items() if exchange not in lists}
    if not found and not lists:
        raise Invalid("this tape holds no snapshot of any book")
    return [TapeRecording(tape, each, name) for name, each in (lists | found).items()]


class ReplayFeed:
    def __init__(self, recording: Session, *, speed: float = 1.0) -> None:
        if not 0 < speed <= SPEED_MAX:
            raise Invalid(f"speed is {speed}, must be above 0 and at most {SPEED_MAX:.0f}")
        self._recording, self._speed = recording, speed
        self._notice = msgspec.json.Decoder(Notice).decode
        self.label = f"{REPLAY}:{recording.exchange}"
        self.listings, self.wire = recording.listings, recording.wire
        self.loops = 0

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(each.instrument for each in self.listings)

    def assets(self) -> tuple[Asset, ...]:
        return assets_of(self.listings)

    def once(self, start: Instant) -> Iterator[Arrival]:
        """The recording from its beginning, each message at the time it is due from `start` on."""
        house = f"{REPLAY}.{self._recording.exchange}.{HOUSE}"
        yield Arrival(house, start, notice("reset", reason=f"replay {self.loops + 1}"))
        if exchange_named(self._recording.exchange):
            lists = f"{REPLAY}.{self._recording.exchange}.{LISTINGS}"
            yield Arrival(lists, start, msgspec.json.encode(self.listings))
        origin = -1
        for at, source, raw in self._recording.read():
            if origin < 0:
                origin = at
                clock = Notice("clock", origin=origin, start=start, speed=self._speed)
                yield Arrival(house, start, msgspec.json.encode(clock))
            due = Instant(start + int((at - origin) / self._speed))
            if source.endswith(f".{HOUSE}"):
                raw = self._retold(raw, origin, start)
            yield Arrival(f"{REPLAY}.{source}", due, raw)

    async def run(self, clock: Clock, emit: Emit) -> None:
        """Over and over. A loop that comes late hands over what is due, stamped when it is."""
        while True:
            batch: list[Arrival] = []
            now = clock()
            for arrival in self.once(now):
                if arrival.at > now or len(batch) == BATCH:
                    if batch:
                        emit(batch)
                        batch = []
                    await asyncio.sleep(max(arrival.at - clock(), 0) / 1e9)
                    now = clock()
                batch.append(arrival._replace(at=now))
            emit(batch)
            self.loops += 1
            await asyncio.sleep(_PAUSE_S)

    def _retold(self, raw: bytes, origin: int, start: Instant) -> bytes:
        """A recorded notice; where it moved the clock, both moves become one."""
        told = self._notice(raw)
        if told.notice != "clock":
            return raw
        moved = start + int((told.start - origin) / self._speed)
        return msgspec.json.encode(
            Notice("clock", origin=told.origin, start=moved, speed=told.speed * self._speed)
        )


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Raises `Invalid` for a line that is not one; what is torn at the end is left out."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines, suppress(EOFError):
        for number, line in enumerate(lines, 1):
            at, _, raw = line.rstrip(b"\r\n").partition(b" ")
            if not at.isdigit() or not raw.startswith(b"{"):
                raise Invalid(f"{file}, line {number}: not a receive time and a message")
            if line.endswith(b"\n"):
                yield int(at), raw


def _instrument_of(file: Path) -> str | None:
    """The instrument that the first messages of a recording name; None for any other file."""
    try:
        for count, (_, raw) in enumerate(_lines(file)):
            found = _NAME.search(raw)
            if found:
                return found[1].decode()
            if count == _LINES_LOOKED_AT:
                break
    except (Invalid, OSError):
        return None
    return None
