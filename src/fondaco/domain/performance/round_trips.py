"""Round trips out of fills.

Whatever the method, for each instrument what trips have gained, and what is held has, is what its
fills have brought in less what they cost: a fill that closes one trip and opens the next is divided
in proportion to its lots, half to even, and the rest of it belongs to the other part.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

import msgspec

from fondaco.domain.performance.model import Held, Leg, Method, Trip, TripBook
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.model import BalanceFlow, TradedFill
from fondaco.kernel.money import AssetCode, half_even_div


def round_trips(
    fills: Iterable[TradedFill],
    instruments: Mapping[Symbol, Instrument],
    method: Method = Method.AVERAGE,
    flows: Iterable[BalanceFlow] = (),
) -> TripBook:
    """`flows` of the kind "swap" are financing of what was held in the instrument that they name,
    as far as they are in its quote asset."""
    kind = _Average if method is Method.AVERAGE else _Fifo
    books: dict[Symbol, _Average | _Fifo] = {}
    trips: list[Trip] = []
    unassigned: dict[AssetCode, int] = defaultdict(int)
    swaps = [each for each in flows if each.kind == "swap"]
    moves: list[TradedFill | BalanceFlow] = [*fills, *swaps]
    for each in sorted(moves, key=lambda each: each.position):
        symbol = Symbol(each.about) if isinstance(each, BalanceFlow) else each.symbol
        book = books.get(symbol)
        if book is None:
            book = books[symbol] = kind(instruments[symbol])
        if isinstance(each, TradedFill):
            trips += book.fill(each)
        elif each.asset != book.currency or not book.finance(each.units):
            unassigned[each.asset] += each.units
    held = [each for symbol in sorted(books) for each in books[symbol].held()]
    return TripBook(trips, held, dict(unassigned))


class _Open(msgspec.Struct, gc=False):
    """A trip that goes on."""

    fill: TradedFill
    sign: int
    lots: int = 0
    entered: int = 0
    cost: int = 0
    realized: int = 0
    entry: int = 0
    exit: int = 0
    fees: int = 0
    financing: int = 0
    fills: int = 0
    legs: list[Leg] = []

    def enter(self, at: int, lots: int, gross: int, fee: int) -> None:
        self.lots += self.sign * lots
        self.entered += lots
        self.cost += self.sign * gross
        self.entry += gross
        self._count(at, fee)

    def leave(self, at: int, lots: int, gross: int, fee: int) -> None:
        at_cost = half_even_div(self.cost * lots, abs(self.lots))
        self.realized += self.sign * gross - at_cost
        self.cost -= at_cost
        self.lots -= self.sign * lots
        self.exit += gross
        self._count(at, fee)

    def _count(self, at: int, fee: int) -> None:
        self.fees += fee
        self.fills += 1
        self.legs.append(Leg(at, self.lots, self.realized - self.cost))  # type: ignore[arg-type]

    def ended(self, by: TradedFill, currency: AssetCode) -> Trip:
        return Trip(
            symbol=by.symbol,
            currency=currency,
            side="long" if self.sign > 0 else "short",
            opened_at=self.fill.at,
            closed_at=by.at,
            lots=self.entered,
            entry=self.entry,
            exit=self.exit,
            gross=self.realized,
            fees=self.fees,
            financing=self.financing,
            fills=self.fills,
            opened_by=self.fill.exec_id,
            closed_by=by.exec_id,
            position=by.position,
            legs=tuple(self.legs),
        )

    def held(self, currency: AssetCode) -> Held:
        return Held(
            symbol=self.fill.symbol,
            currency=currency,
            lots=self.lots,
            cost=self.cost,
            realized=self.realized,
            fees=self.fees,
            financing=self.financing,
            opened_at=self.fill.at,
            opened_by=self.fill.exec_id,
            legs=tuple(self.legs),
        )


def _divided(fill: TradedFill, lots: int) -> tuple[int, int]:
    """What `lots` of a fill cost, and their fee."""
    total = abs(fill.lots)
    return half_even_div(fill.gross * lots, total), half_even_div(fill.fee * lots, total)


class _Average:
    """The trips of one instrument, from flat to flat."""

    def __init__(self, of: Instrument) -> None:
        self.currency = of.quote
        self._open: _Open | None = None

    def fill(self, fill: TradedFill) -> list[Trip]:
        sign, left = (1 if fill.lots > 0 else -1), abs(fill.lots)
        gross, fee, ended = fill.gross, fill.fee, list[Trip]()
        going = self._open
        if going is not None and going.sign != sign:
            closing = min(abs(going.lots), left)
            part, its_fee = _divided(fill, closing)
            going.leave(fill.at, closing, part, its_fee)
            left, gross, fee = left - closing, gross - part, fee - its_fee
            if not going.lots:
                ended.append(going.ended(fill, self.currency))
                self._open = going = None
        if left:
            if going is None:
                self._open = going = _Open(fill, sign, legs=[])
            going.enter(fill.at, left, gross, fee)
        return ended

    def finance(self, units: int) -> bool:
        if self._open is None:
            return False
        self._open.financing += units
        return True

    def held(self) -> list[Held]:
        return [self._open.held(self.currency)] if self._open else []


class _Fifo:
    """The trips of one instrument, each an entry or a part of it with what has closed it."""

    def __init__(self, of: Instrument) -> None:
        self.currency = of.quote
        self._queue: deque[_Open] = deque()

    def fill(self, fill: TradedFill) -> list[Trip]:
        sign, left = (1 if fill.lots > 0 else -1), abs(fill.lots)
        gross, fee, ended = fill.gross, fill.fee, list[Trip]()
        while left and self._queue and self._queue[0].sign != sign:
            first = self._queue[0]
            closing = min(abs(first.lots), left)
            whole = closing == left
            part = gross if whole else half_even_div(gross * closing, left)
            its_fee = fee if whole else half_even_div(fee * closing, left)
            trip = first if closing == abs(first.lots) else _split(first, closing)
            trip.leave(fill.at, closing, part, its_fee)
            ended.append(trip.ended(fill, self.currency))
            if trip is first:
                self._queue.popleft()
            left, gross, fee = left - closing, gross - part, fee - its_fee
        if left:
            entered = _Open(fill, sign, legs=[])
            entered.enter(fill.at, left, gross, fee)
            self._queue.append(entered)
        return ended

    def finance(self, units: int) -> bool:
        """Shared by what is held, in proportion to its lots; the newest takes the rest."""
        if not self._queue:
            return False
        total, left = sum(abs(each.lots) for each in self._queue), units
        for each in list(self._queue)[:-1]:
            share = half_even_div(units * abs(each.lots), total)
            each.financing += share
            left -= share
        self._queue[-1].financing += left
        return True

    def held(self) -> list[Held]:
        return [each.held(self.currency) for each in self._queue]


def _split(first: _Open, lots: int) -> _Open:
    """So many lots of an entry, taken out of it."""
    total = abs(first.lots)
    entry = half_even_div(first.entry * lots, total)
    fees = half_even_div(first.fees * lots, total)
    financing = half_even_div(first.financing * lots, total)
    taken = _Open(first.fill, first.sign, legs=[])
    taken.enter(first.fill.at, lots, entry, fees)
    taken.financing = financing
    first.lots -= first.sign * lots
    first.entered -= lots
    first.entry -= entry
    first.cost -= first.sign * entry
    first.fees -= fees
    first.financing -= financing
    first.legs = [Leg(first.fill.at, first.lots, -first.cost)]
    return taken
