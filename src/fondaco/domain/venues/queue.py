"""The follower that watches the market for what rests at the paper venue of one symbol.

It is an observation and is kept nowhere: it hears what the venue wrote, sees trades and the book,
and says which orders the market has reached. The venue decides whether so. After a restart every
order stands at the back of what is displayed at its price.

An order comes after what was displayed at its price when it was booked, and after orders of the
house that came before it. A trade at its price takes what is before it first. Displayed quantity
that vanishes without a trade is thought to have stood behind it, as long as there is room: an
order is never further back than everything displayed. Both choices are those that execute later.

What a trade touches is what it reaches: orders stand in one line per price, and the distance to
the front is a difference to a counter of the line, not a number that every order keeps.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import Final

import msgspec

from fondaco.domain.market.model import BookSide, Quality, Trade
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.events import (
    Match,
    MatchResting,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    VenueEvent,
)
from fondaco.domain.venues.model import Depth, VenueState
from fondaco.kernel.event import CommandId, Instant, StreamId, message_id

MATCHES_MAX: Final = 500  # in one command: a turn of the venue stays within a millisecond or two
_TOUCH: Final = 4  # lines nearest to the market whose displayed size is looked at in every update
_CROSSED_LEVELS: Final = 16

_Key = tuple[StreamId, int]


class Waiter(msgspec.Struct, gc=False, eq=False):
    """One resting order."""

    key: _Key
    leaves: int  # as the venue last said
    display: int  # 0 shows everything
    line: "Line"  # where it stands, or last stood
    promised: int = 0  # of `leaves`: we have told the venue that they were reached
    shown: int = 0  # what is left of the part that stands in the line
    place: int = 0  # the line's `gone` at which the market reaches it
    nth: int = 0  # of all that ever joined the line

    @property
    def free(self) -> int:
        return self.leaves - self.promised


class Line:
    """Who rests at one price, in order.

    `gone` counts the market's lots that have gone from before the line. A cap says: whoever had
    joined by then is reached at that place at the latest. Only the smallest cap that comes after
    an order counts for it, so caps are kept increasing, and there is at most one per order.
    """

    __slots__ = ("_cap_joined", "_cap_place", "count", "gone", "joined", "px", "waiting")

    def __init__(self, px: int) -> None:
        self.px = px
        self.gone = 0
        self.joined = 0
        self.count = 0  # orders at this price, also those that wait for nothing any more
        self.waiting: OrderedDict[_Key, Waiter] = OrderedDict()
        self._cap_joined: list[int] = []
        self._cap_place: list[int] = []

    def join(self, waiter: Waiter, ahead: int) -> None:
        """Stand at the back, with as much as is shown."""
        self.joined += 1
        waiter.nth = self.joined
        waiter.place = self.gone + ahead
        waiter.shown = min(waiter.display, waiter.free) if waiter.display else waiter.free
        self.waiting[waiter.key] = waiter

    def place_of(self, waiter: Waiter) -> int:
        nth = bisect_left(self._cap_joined, waiter.nth)
        if nth < len(self._cap_place):
            return min(waiter.place, self._cap_place[nth])
        return waiter.place

    def cap(self, displayed: int) -> None:
        """Nobody who is here now is further back than `displayed`."""
        place, joined, places = self.gone + displayed, self._cap_joined, self._cap_place
        while places and places[-1] >= place:
            places.pop()
            joined.pop()
        if joined and joined[-1] == self.joined:
            return  # Everybody here has an earlier place than this.
        joined.append(self.joined)
        places.append(place)
        if len(places) > 2 * len(self.waiting) + 16:
            self._settle()

    def _settle(self) -> None:
        for waiter in self.waiting.values():
            waiter.place = self.place_of(waiter)
        self._cap_joined, self._cap_place = [], []


class Half:
    """One side of what rests: lines by price, and the prices in order, the best one last."""

    __slots__ = ("_book", "_keys", "_sign", "lines", "side")

    def __init__(self, side: Side, book: Depth) -> None:
        self.side: BookSide = "bid" if side is Side.BUY else "ask"
        self._sign = 1 if side is Side.BUY else -1
        self._book = book
        self._keys: list[int] = []  # prices, negative for asks
        self.lines: dict[int, Line] = {}

    def line(self, px: int) -> Line:
        line = self.lines.get(px)
        if line is None:
            line = self.lines[px] = Line(px)
            key = px * self._sign
            self._keys.insert(bisect_left(self._keys, key), key)
        return line

    def drop(self, line: Line) -> None:
        del self.lines[line.px]
        del self._keys[bisect_left(self._keys, line.px * self._sign)]

    def nearest(self, limit: int) -> list[Line]:
        """Best first."""
        return [self.lines[key * self._sign] for key in self._keys[: -limit - 1 : -1]]

    def through(self, px: int) -> list[Line]:
        """Lines at better prices than `px`, best first."""
        first = bisect_right(self._keys, px * self._sign)
        return [self.lines[key * self._sign] for key in reversed(self._keys[first:])]

    def displayed(self, px: int) -> int:
        return self._book.qty(self.side, px)


class PaperQueue:
    """Belongs to the loop's thread. What the methods return is submitted to the venue's stream."""

    def __init__(self, symbol: Symbol, book: Depth) -> None:
        self.source = StreamId(f"market/{symbol}")  # of what we tell the venue
        self._book = book
        self._halves = {side: Half(side, book) for side in Side}
        self._waiters: dict[_Key, tuple[Half, Waiter]] = {}
        self._told = 0
        self._asked: dict[Side, tuple[int, int]] = {}  # the touch for which we said: crossed

    def __len__(self) -> int:
        """Orders that rest."""
        return len(self._waiters)

    @property
    def promised(self) -> int:
        """Lots of which we have told the venue that they were reached, and it has not answered."""
        return sum(waiter.promised for _, waiter in self._waiters.values())

    # What the venue wrote

    def rebuild(self, state: VenueState, heard: int = 0) -> None:
        """Everybody at the back of what is displayed now, in the order in which they came.

        `heard` is the last number under which the venue was told something by us: it takes what
        comes under one below for a repetition, and the machine's clock may have been set back.
        """
        self._told = max(self._told, heard)
        resting = [
            (order, (account_stream, number))
            for account_stream, orders in state.orders.items()
            for number, order in orders.items()
        ]
        resting.sort(key=lambda each: each[0].place)
        for order, key in resting:
            self._add(key, order.side, order.px, order.leaves_lots, order.display_lots, None)

    def hear(self, event: VenueEvent) -> None:
        """One event of the venue, once it is durable; in order."""
        if isinstance(event, OrderBooked):
            key = (event.account_stream, event.number)
            self._remove(key)
            if event.leaves_lots:
                leaves, display = event.leaves_lots, event.display_lots
                self._add(key, event.side, event.px, leaves, display, event.queue_ahead)
        elif isinstance(event, OrderExecuted):
            self._executed(event)
        elif isinstance(event, OrderEnded):
            self._remove((event.account_stream, event.number))
        elif isinstance(event, OrderReplaced):
            self._replaced(event)

    def _executed(self, event: OrderExecuted) -> None:
        key = (event.account_stream, event.number)
        found = self._waiters.get(key)
        if found is None:
            return
        if not event.leaves_lots:
            self._remove(key)
            return
        half, waiter = found
        lots = waiter.leaves - event.leaves_lots
        waiter.leaves = event.leaves_lots
        if event.is_maker and not event.took:  # what a trade reached, as we promised
            waiter.promised = max(waiter.promised - lots, 0)
        self._reline(half, waiter)

    def _replaced(self, event: OrderReplaced) -> None:
        found = self._waiters.get((event.account_stream, event.number))
        if found is None:
            return
        half, waiter = found
        if event.keeps_place:
            waiter.leaves = event.leaves_lots
            self._reline(half, waiter)
            return
        side = Side.BUY if half.side == "bid" else Side.SELL
        self._remove(waiter.key)
        leaves, display = event.leaves_lots, waiter.display
        self._add(waiter.key, side, event.px, leaves, display, event.queue_ahead)

    def _reline(self, half: Half, waiter: Waiter) -> None:
        """Its quantities have changed: it stands where it stood, or at the back if it had left."""
        line = waiter.line
        if waiter.free <= 0:
            line.waiting.pop(waiter.key, None)
        elif waiter.key in line.waiting:
            waiter.shown = min(waiter.shown, waiter.free) if waiter.display else waiter.free
        else:
            line.join(waiter, half.displayed(line.px))

    def _add(
        self, key: _Key, side: Side, px: int, leaves: int, display: int, ahead: int | None
    ) -> None:
        half = self._halves[side]
        line = half.line(px)
        line.count += 1
        waiter = Waiter(key, leaves, display, line)
        line.join(waiter, half.displayed(px) if ahead is None else ahead)
        self._waiters[key] = (half, waiter)

    def _remove(self, key: _Key) -> None:
        found = self._waiters.pop(key, None)
        if found is None:
            return
        half, waiter = found
        line = waiter.line
        line.waiting.pop(key, None)
        line.count -= 1
        if not line.count:
            half.drop(line)

    # What the market did

    def on_trade(self, trade: Trade) -> list[MatchResting]:
        """Who is reached: all at better prices than the trade's, and those at the front of its own.

        A buyer who was the aggressor met asks, a seller bids. What the first take of the trade's
        quantity is not there for those behind them.
        """
        half = self._halves[Side.SELL if trade.aggressor == "buy" else Side.BUY]
        matches: list[Match] = []
        qty = trade.qty
        for line in half.through(trade.px):
            for waiter in list(line.waiting.values()):
                qty -= self._promise(waiter, waiter.free, matches)
            line.waiting.clear()
        line_at = half.lines.get(trade.px)
        if line_at is not None and qty > 0:
            self._advance(half, line_at, qty, matches)
        return self._commands(trade.px, trade.at, matches, is_crossed=False)

    def _advance(self, half: Half, line: Line, qty: int, matches: list[Match]) -> None:
        """`qty` was traded at this price."""
        taken: dict[_Key, int] = {}
        waiting = line.waiting
        while waiting and qty > 0:
            key = next(iter(waiting))
            waiter = waiting[key]
            ahead = min(max(line.place_of(waiter) - line.gone, 0), qty)
            line.gone += ahead
            qty -= ahead
            lots = min(waiter.shown, qty)
            if not lots:
                break
            qty -= lots
            waiter.shown -= lots
            waiter.promised += lots
            taken[key] = taken.get(key, 0) + lots
            if not waiter.shown:
                del waiting[key]
                if waiter.free > 0:  # An iceberg shows its next part behind everything displayed.
                    line.join(waiter, half.displayed(line.px))
        matches += [Match(*key, lots) for key, lots in taken.items()]

    def on_book(self, at: Instant) -> list[MatchResting]:
        """An update of the market's book is complete. A book that is not OK says nothing."""
        commands: list[MatchResting] = []
        if self._book.quality is not Quality.OK:
            return commands
        for side, half in self._halves.items():
            lines = half.nearest(_TOUCH)
            for line in lines:
                line.cap(half.displayed(line.px))
            if lines:
                commands += self._crossed(side, half, lines[0].px, at)
        return commands

    def _crossed(self, side: Side, half: Half, best: int, at: Instant) -> list[MatchResting]:
        """The other side of the market has come to what rests, or is through it.

        Said once for each time that the market writes its best level. The venue has no more
        executed than is displayed, so nothing is promised here.
        """
        is_buy = side is Side.BUY
        opposite: BookSide = "ask" if is_buy else "bid"
        levels = (self._book.asks if is_buy else self._book.bids)(1)
        if not levels or (levels[0][0] > best if is_buy else levels[0][0] < best):
            return []
        px = levels[0][0]
        touch = (px, self._book.level_version(opposite, px))
        if self._asked.get(side) == touch:
            return []
        self._asked[side] = touch
        levels = (self._book.asks if is_buy else self._book.bids)(_CROSSED_LEVELS)
        lots = sum(each for at_px, each in levels if (at_px <= best if is_buy else at_px >= best))
        matches: list[Match] = []
        lines = half.through(px)
        if px in half.lines:
            lines.append(half.lines[px])
        for line in lines:
            for waiter in line.waiting.values():
                if lots <= 0:
                    break
                matches.append(Match(*waiter.key, waiter.free))
                lots -= waiter.free
        return self._commands(px, at, matches, is_crossed=True)

    def release(self, command: MatchResting) -> None:
        """The venue did not get this command: what it promised is not reached after all."""
        if command.is_crossed:
            return
        for match in command.matches:
            found = self._waiters.get((match.account_stream, match.number))
            if found is not None:
                half, waiter = found
                waiter.promised = max(waiter.promised - match.lots, 0)
                self._reline(half, waiter)

    def _promise(self, waiter: Waiter, lots: int, matches: list[Match]) -> int:
        waiter.promised += lots
        waiter.shown = 0
        matches.append(Match(*waiter.key, lots))
        return lots

    def _commands(
        self, px: int, at: Instant, matches: list[Match], *, is_crossed: bool
    ) -> list[MatchResting]:
        return [
            MatchResting(
                self._cause(at), at, px, tuple(matches[nth : nth + MATCHES_MAX]), is_crossed
            )
            for nth in range(0, len(matches), MATCHES_MAX)
        ]

    def _cause(self, at: Instant) -> CommandId:
        """Numbers that go up with time, and from where the venue stands after a restart."""
        self._told = max(self._told + 1, at)
        return message_id(self.source, self._told)
