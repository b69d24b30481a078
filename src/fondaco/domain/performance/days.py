"""What an account was worth at the end of each day, and what each day has brought.

A position is worth what the last of these says before the day ends: a bar that has closed, or the
account's own last fill. The day's gain is what the account is worth more than the day before, less
what came in and went out; added up over days it is all that was ever gained.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from fondaco.domain.market.model import Bar
from fondaco.domain.performance.local_time import Clockface
from fondaco.domain.performance.model import Trip
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.model import AccountHistory, BalanceFlow, TradedFill
from fondaco.kernel.money import AssetCode, half_even_div

DAYS_MAX = 5_000


class DayResult(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Ledger units of one currency. `gained` is realized or not, after fees."""

    day: int  # local days since 1970-01-01
    ends_at: int
    equity: int
    gained: int
    flows: int  # came in less what went out
    closed: int  # net results of trips that ended
    trades: int  # trips that ended
    fees: int


class Closes:
    """Prices at the end of bars of one length, by symbol."""

    def __init__(self, bars: Mapping[Symbol, Sequence[Bar]], length_ns: int) -> None:
        self._bars = bars
        self._ends = {
            symbol: [bar.start + length_ns for bar in each] for symbol, each in bars.items()
        }

    def last(self, symbol: Symbol, at: int) -> tuple[int, int] | None:
        """When the last bar before an instant closed, and at which price in ticks."""
        ends = self._ends.get(symbol)
        number = bisect_right(ends, at) if ends else 0
        return (ends[number - 1], self._bars[symbol][number - 1].close) if ends and number else None


class _Holding:
    """What is held of one instrument, and what it was last traded at."""

    def __init__(self, of: Instrument) -> None:
        self.of = of
        self.lots = 0
        self.last: TradedFill | None = None

    def worth(self, at: int, closes: Closes) -> int:
        if not self.lots or self.last is None:
            return 0
        found = closes.last(self.of.symbol, at)
        if found is not None and found[0] > self.last.at:
            return half_even_div(found[1] * self.lots * self.of.cost_num, self.of.cost_den)
        return half_even_div(self.last.gross * self.lots, abs(self.last.lots))


class _Running:
    """An account in one currency, carried through its days."""

    def __init__(self, history: AccountHistory, currency: AssetCode, closes: Closes) -> None:
        self.cash = history.opening.get(currency, 0)
        self._terms = history.instruments
        self._currency = currency
        self._closes = closes
        self._held: dict[Symbol, _Holding] = {}

    def fill(self, fill: TradedFill) -> int:
        """Returns its fee."""
        terms = self._terms[fill.symbol]
        if terms.quote != self._currency:
            return 0
        holding = self._held.get(fill.symbol)
        if holding is None:
            holding = self._held[fill.symbol] = _Holding(terms)
        holding.lots += fill.lots
        holding.last = fill
        self.cash -= (fill.gross if fill.lots > 0 else -fill.gross) + fill.fee
        return fill.fee

    def equity(self, at: int) -> int:
        return self.cash + sum(each.worth(at, self._closes) for each in self._held.values())


def days(
    history: AccountHistory,
    trips: Sequence[Trip],
    currency: AssetCode,
    *,
    zone: ZoneInfo,
    closes: Closes,
    now: int,
) -> list[DayResult]:
    """From the day on which it begins to that of now; the newest `DAYS_MAX` of them. Of what was
    traded in another currency there is nothing here."""
    face = Clockface(zone)
    closed: dict[int, list[Trip]] = defaultdict(list)
    for trip in trips:
        if trip.currency == currency:
            closed[face.day(trip.closed_at)].append(trip)
    running = _Running(history, currency, closes)
    moves: list[TradedFill | BalanceFlow] = [*history.fills, *history.flows]
    moves.sort(key=lambda each: each.position)
    found: list[DayResult] = []
    first, last = face.day(history.begins_at), face.day(now)
    before, turn = running.cash, 0
    for day in range(first, last + 1):
        ends_at, flows, fees = face.ends(day), 0, 0
        while turn < len(moves) and (moves[turn].at < ends_at or day == last):
            each = moves[turn]
            turn += 1
            if isinstance(each, TradedFill):
                fees += running.fill(each)
            elif each.asset == currency:
                running.cash += each.units
                flows += each.units if is_capital(each) else 0
        equity = running.equity(min(ends_at, now))
        results = closed.get(day, ())
        found.append(
            DayResult(
                day=day,
                ends_at=ends_at,
                equity=equity,
                gained=equity - before - flows,
                flows=flows,
                closed=sum(trip.net for trip in results),
                trades=len(results),
                fees=fees,
            )
        )
        before = equity
    return found[-DAYS_MAX:]


def is_capital(flow: BalanceFlow) -> bool:
    """Whether it came in or went out, and was neither gained nor lost."""
    return flow.kind != "swap"


def returns(found: Sequence[DayResult]) -> Iterator[float]:
    """Of each day: what it gained over what there was before, with what came in that day. A day on
    which there was nothing has none."""
    before = 0
    for number, each in enumerate(found):
        capital = (each.equity - each.gained) if not number else before + each.flows
        if capital > 0:
            yield each.gained / capital
        before = each.equity
