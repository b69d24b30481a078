"""What the normalisers of all exchanges have in common: a connection, a keeper per book. Pure.

Frames come as the feeds wrote them to the tape. `EXCHANGE` is what the connection said,
`EXCHANGE.NAME` the answer to a question about the instrument NAME, `EXCHANGE.house` what the feed
itself had to say (`Notice`), `EXCHANGE.listings` what it took from the exchange's list; whatever
was recorded before has `replay.` in front.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import Any, Final, Literal, Protocol

import msgspec

from fondaco.domain.market.board import Board, LiveBook, Pulse
from fondaco.domain.market.listings import Listing
from fondaco.kernel.event import Instant

HOUSE: Final = "house"  # the last part of the source of a `Notice`
LISTINGS: Final = "listings"  # the last part of the source of what a feed lists
REPLAY: Final = "replay"  # the first part of the source of whatever was recorded before
MS: Final = 1_000_000


class Notice(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a feed knows and the exchange did not say; on the tape, so that a replay knows it too.

    `reset`: the connection is new, nothing that came before goes on. `fetching`: a snapshot of
    `name` was asked for. `clock`: event times that follow belong to a recording; one at `origin`
    is now `start`, and time runs `speed` times as fast.
    """

    notice: Literal["reset", "fetching", "clock"]
    name: str = ""
    reason: str = ""
    origin: int = 0
    start: int = 0
    speed: float = 1.0


def notice(
    what: Literal["reset", "fetching", "clock"],
    *,
    name: str = "",
    reason: str = "",
    origin: int = 0,
    start: int = 0,
    speed: float = 1.0,
) -> bytes:
    """The bytes of a `Notice`."""
    return msgspec.json.encode(Notice(what, name, reason, origin, start, speed))


class Normaliser(Protocol):
    """Frames in, the board moves. The same frames always give the same board."""

    @property
    def unknown(self) -> int:
        """Messages of instruments that are not listed, or of no known kind."""
        ...

    @property
    def malformed(self) -> int:
        """Messages that are no JSON of a known shape."""
        ...

    def take(self, source: str, at: Instant, position: int, raw: bytes) -> None:
        """One frame, which stands on the tape at `position`."""
        ...

    @property
    def wants(self) -> Collection[str]:
        """Names of instruments that need a snapshot, which nobody is fetching yet."""
        ...


class Wire(Protocol):
    """What makes the normaliser of one exchange's messages: its class."""

    def __call__(self, board: Board, listings: Iterable[Listing], /) -> Normaliser: ...


class Keeper:
    """Keeps one instrument's book: what is the same by every exchange's rules."""

    def __init__(self, board: Board, listing: Listing) -> None:
        self._board = board
        self.name = listing.name
        self.book: LiveBook = board.book(listing.symbol)
        self.wants_snapshot = True

    def reset(self, at: Instant) -> None:
        """Nothing that came before goes on: wait for a snapshot."""
        self._forget()
        condition = self.book.condition
        self.book.tallies.recoveries += condition.synced or condition.hole
        condition.synced = condition.hole = condition.silent = False
        self._board.condition_changed(self.book, at)

    def fetching(self, at: Instant) -> None:
        """Somebody asked the exchange for a snapshot."""
        self.wants_snapshot = False
        condition = self.book.condition
        if condition.hole:
            condition.hole = False
            self.book.tallies.recoveries += 1
            self._board.condition_changed(self.book, at)

    def no_snapshot(self) -> None:
        """What came in its place was something else. A book that goes on does not need it."""
        self.book.tallies.malformed += 1
        self.wants_snapshot = not self.book.condition.synced

    def malformed(self, at: Instant) -> None:
        """A message about this instrument made no sense: something is missing now."""
        self.book.tallies.malformed += 1
        self.hole(at)

    def hole(self, at: Instant) -> None:
        """Something is missing: the book is GAPPED until a snapshot starts it again."""
        condition = self.book.condition
        self._forget()
        if condition.synced or not condition.hole:
            self.book.tallies.gaps += 1
        condition.synced, condition.hole = False, True
        self._board.condition_changed(self.book, at)

    def started(self) -> None:
        """A snapshot is in the book."""
        condition = self.book.condition
        condition.synced, condition.hole = True, False
        self.wants_snapshot = False

    def _forget(self) -> None:
        self.wants_snapshot = True


class Connection(ABC):
    """Frames of one feed, told apart. `hear` is what each exchange reads in its own way."""

    def __init__(self, keepers: dict[str, Any]) -> None:
        self._keepers = keepers  # by the exchange's own name
        self._notice = msgspec.json.Decoder(Notice).decode
        self._sources: dict[str, tuple[str, str]] = {}  # tape source: label, last part
        self._clock: Notice | None = None
        self._pulse = Pulse()
        self.unknown = 0
        self.malformed = 0

    def take(self, source: str, at: Instant, position: int, raw: bytes) -> None:
        label, part = self._sources.get(source) or self._source(source)
        if part == HOUSE:
            self._told(raw, at)
        elif part != LISTINGS:
            self.hear(label, part, at, position, raw)

    def share_pulse(self) -> None:
        """Of an exchange whose one connection says every change: a book of which it says nothing
        is as good as the connection is alive."""
        for keeper in self._keepers.values():
            keeper.book.pulse = self._pulse

    def pulse(self, at: Instant) -> None:
        """Something was heard."""
        self._pulse.at = at

    @abstractmethod
    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        """One message. `label` is the source as people read it; `part` its last part."""

    @property
    def wants(self) -> Collection[str]:
        return [name for name, keeper in self._keepers.items() if keeper.wants_snapshot]

    def happened(self, book: LiveBook, event_at: int, at: Instant) -> Instant:
        """The exchange's time, in ns; never after receipt, whatever the two clocks say."""
        clock = self._clock
        if clock is not None:
            event_at = clock.start + int((event_at - clock.origin) / clock.speed)
        latency = at - event_at
        tallies = book.tallies
        if latency < 0:
            tallies.latency_negative += 1
            tallies.latency_last_ns = 0
            return at
        tallies.latency_last_ns = latency
        if latency > tallies.latency_max_ns:
            tallies.latency_max_ns = latency
        return Instant(event_at)

    def senseless(self, part: str, at: Instant) -> None:
        """Nobody knows whose message it was: every book of this feed may miss it."""
        self.malformed += 1
        named = self._keepers.get(part)
        if named is not None:
            named.no_snapshot()
            return
        for keeper in self._keepers.values():
            keeper.malformed(at)

    def _told(self, raw: bytes, at: Instant) -> None:
        told = self._notice(raw)
        named = self._keepers.get(told.name)
        if told.notice == "clock":
            self._clock = told
        elif told.notice == "reset":
            for keeper in self._keepers.values() if named is None else [named]:
                keeper.reset(at)
        elif named is not None:
            named.fetching(at)

    def _source(self, source: str) -> tuple[str, str]:
        replayed = source.startswith(f"{REPLAY}.")
        name, _, part = source.removeprefix(f"{REPLAY}.").partition(".")
        label = f"{REPLAY}:{name}" if replayed else name
        self._sources[source] = found = label, part
        return found
