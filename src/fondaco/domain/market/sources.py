"""Several sources of one market: each keeps books of its own, and one of them is shown.

Every source has a board that nobody trades on. What the house reads is the main board: its book of
an instrument shares the levels of the source that is shown (`takeover` says which that is), so a
change of source costs nothing but the change, and it is told: as a `Switch`, by the source of book
and mark, and by the quality. Trades and bars are those of the source that is shown. The
consolidated book reads all of them.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from fondaco.domain.market.board import Board, LiveBook
from fondaco.domain.market.connection import Normaliser, Wire
from fondaco.domain.market.listings import Listing
from fondaco.domain.market.model import Quality, Switch, Trade
from fondaco.domain.market.takeover import MS, Doubt, Manners, Standing, chosen, jump_bps
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Instant

VERSIONS: Final = 1 << 40  # levels of different sources never carry the same version


class Part(NamedTuple):
    """One source: the first parts of its frames' sources, what it lists, and who reads it."""

    name: str
    listings: tuple[Listing, ...]
    wire: Wire


class Line:
    """One instrument: the books that there are of it, in the order of their sources."""

    __slots__ = ("books", "doubt", "places", "shown", "standings", "switch", "target")

    def __init__(self, target: LiveBook) -> None:
        self.target = target  # on the main board
        target.is_shared = True
        self.books: list[LiveBook] = []
        self.places: list[int] = []  # among the sources, of each of `books`
        self.standings: list[Standing] = []
        self.shown = 0
        self.doubt: Doubt | None = None
        self.switch: Switch | None = None  # the one that is in doubt


class Sources:
    """A normaliser for the frames of several feeds."""

    def __init__(self, board: Board, parts: Sequence[Part], manners: Manners | None = None) -> None:
        self._board = board
        self._manners = manners or Manners()
        self._silence_ns = self._manners.silence_ms * MS
        self._lines = {symbol: Line(book) for symbol, book in board.books.items()}
        self._by_name: dict[str, Normaliser] = {}
        self._routes: dict[str, Normaliser] = {}
        self._boards: list[Board] = []
        self._checking = False
        for place, part in enumerate(parts):
            self._add(place, part)
        for symbol, line in self._lines.items():
            board.sources[symbol] = line.books
        board.on_check.append(self._check)

    def _add(self, place: int, part: Part) -> None:
        symbols = [each.symbol for each in part.listings]
        own = Board(
            {symbol: self._board.instruments[symbol] for symbol in symbols},
            stale_after_ms=self._manners.silence_ms,
        )
        self._boards.append(own)
        for symbol in symbols:
            book, line = own.books[symbol], self._lines[symbol]
            book.version = (place + 1) * VERSIONS
            line.places.append(place)
            line.books.append(book)
            line.standings.append(Standing())
        for symbol in own.contracts:
            self._board.contracts[symbol] = own.contracts[symbol]
        own.on_contract.append(self._contract)
        own.on_book.append(lambda symbol: self._moved(place, symbol))
        own.on_quality.append(lambda symbol, quality: self._judged(place, symbol, quality))
        own.on_trade.append(lambda trade: self._traded(place, trade))
        self._by_name[part.name] = part.wire(own, part.listings)

    # What a feed asks

    @property
    def unknown(self) -> int:
        return sum(each.unknown for each in self._by_name.values())

    @property
    def malformed(self) -> int:
        return sum(each.malformed for each in self._by_name.values())

    @property
    def wants(self) -> Collection[str]:
        return [name for each in self._by_name.values() for name in each.wants]

    def wants_of(self, name: str) -> Collection[str]:
        """Of one source only: names of instruments are the exchange's own."""
        return self._by_name[name].wants

    def take(self, source: str, at: Instant, position: int, raw: bytes) -> None:
        route = self._routes.get(source) or self._route(source)
        route.take(source, at, position, raw)

    def _route(self, source: str) -> Normaliser:
        """By the longest name of a source that begins it, whose parts end at a point."""
        fitting = [name for name in self._by_name if f"{source}.".startswith(f"{name}.")]
        self._routes[source] = route = self._by_name[max(fitting, key=len)]
        return route

    # What the boards of the sources say

    def _moved(self, place: int, symbol: Symbol) -> None:
        line = self._lines[symbol]
        nth = line.places.index(place)
        if nth == line.shown:
            self._show(line)
        else:
            self._hear_silence(line, line.books[nth].at)
            for listener in self._board.on_source:
                listener(symbol)

    def _hear_silence(self, line: Line, at: Instant) -> None:
        """Another source spoke: has the one that is shown missed its heartbeat by now?"""
        shown = line.books[line.shown]
        if line.standings[line.shown].ok and shown.silent_at(at, self._silence_ns):
            self._check(at)

    def _judged(self, place: int, symbol: Symbol, quality: Quality) -> None:
        line = self._lines[symbol]
        nth = line.places.index(place)
        book, standing = line.books[nth], line.standings[nth]
        at = book.periods[-1][1]
        if standing.ok is not (quality is Quality.OK):
            standing.ok, standing.ok_since = quality is Quality.OK, at
        if nth == line.shown:
            _adopt_condition(line)
            self._board.condition_changed(line.target, at)
        self._choose(line, at, line.books[line.shown].quality)

    def _contract(self, symbol: Symbol) -> None:
        for listener in self._board.on_contract:
            listener(symbol)

    def _traded(self, place: int, trade: Trade) -> None:
        line = self._lines[trade.symbol]
        if line.places[line.shown] == place:
            self._board.traded(trade, line.books[line.shown].position)

    def _check(self, now: Instant) -> None:
        """Silence, returns and confirmations come with time alone."""
        self._checking = True  # know of every silence before anybody is chosen
        for board in self._boards:
            board.check(now)
        self._checking = False
        for line in self._lines.values():
            if len(line.books) > 1:
                self._choose(line, now, line.books[line.shown].quality)
                if line.doubt is not None and self._confirm(line, now):
                    self._board.condition_changed(line.target, now)

    # What the main board shows

    def _choose(self, line: Line, at: Instant, reason: Quality) -> None:
        if not line.standings or self._checking:
            return
        place = chosen(line.standings, line.shown, at, self._manners)
        if place != line.shown:
            self._switch(line, place, at, reason)

    def _switch(self, line: Line, nth: int, at: Instant, reason: Quality) -> None:
        target, before, after = line.target, line.books[line.shown], line.books[nth]
        mark = self._board.marks.get(target.symbol)
        line.shown = nth
        middle = self._board.middle(after)
        if mark is not None:
            believed = line.doubt.before if line.doubt is not None else mark.px
            px = believed if middle is None else middle
            jump = jump_bps(believed, px)
            doubted = middle is None or jump > self._manners.band_bps
            line.switch = Switch(
                symbol=target.symbol,
                at=at,
                before=before.source,
                after=after.source,
                reason=reason,
                px_before=believed,
                px_after=px,
                jump_bps=jump,
                confirmed_at=Instant(0) if doubted else at,
            )
            line.doubt = Doubt(believed, px, at) if doubted else None
            target.condition.unconfirmed = doubted
        self._show(line)
        if mark is not None and line.switch is not None:
            self._board.switched(line.switch)

    def _show(self, line: Line) -> None:
        """Bring the main board's book up to the source that is shown."""
        target, source = line.target, line.books[line.shown]
        target.levels, target.pulse, target.tallies = source.levels, source.pulse, source.tallies
        target.sequence, target.source, target.position = (
            source.sequence,
            source.source,
            source.position,
        )
        target.at, target.event_at = source.at, source.event_at
        target.version += 1
        _adopt_condition(line)
        if line.doubt is not None:
            self._confirm(line, source.at)
        self._board.settle(target)

    def _confirm(self, line: Line, at: Instant) -> bool:
        doubt, px = line.doubt, self._board.middle(line.target)
        if doubt is None or px is None:
            return False
        others = [
            middle
            for nth, book in enumerate(line.books)
            if nth != line.shown and line.standings[nth].ok
            for middle in [self._board.middle(book)]
            if middle is not None
        ]
        if not doubt.ends(px, others, at, self._manners):
            return False
        line.doubt, line.target.condition.unconfirmed = None, False
        if line.switch is not None:
            line.switch.confirmed_at = at
        return True


def _adopt_condition(line: Line) -> None:
    ours, theirs = line.target.condition, line.books[line.shown].condition
    ours.closed = theirs.closed
    ours.synced, ours.hole = theirs.synced, theirs.hole
    ours.crossed = theirs.crossed  # silence is judged by the house's own patience


def names_of(parts: Iterable[str]) -> list[str]:
    """Names that are told apart: the second "synthetic" is "synthetic_2"."""
    seen: dict[str, int] = {}
    names = []
    for part in parts:
        seen[part] = count = seen.get(part, 0) + 1
        names.append(part if count == 1 else f"{part}_{count}")
    return names
