"""Statistics of round trips. Amounts are ledger units of one currency; ratios are floats.

A win is a trip whose net result, after fees and financing, is above nought; a loss one below; a
scratch neither. Profit factor: what wins have brought over what losses have cost, both net.
Expectancy: the net result of a trip on average. What would divide by nought is None.
"""

from collections.abc import Callable, Iterable, Sequence
from math import fsum, sqrt
from statistics import median
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from fondaco.domain.performance.excursions import Excursion
from fondaco.domain.performance.local_time import Clockface
from fondaco.domain.performance.model import Trip
from fondaco.domain.performance.ruin import risk_of_ruin

K = TypeVar("K", str, int)
BINS = 20


class Tally(msgspec.Struct, gc=False):
    """Some trips, added up."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    won: int = 0
    lost: int = 0  # positive
    fees: int = 0
    financing: int = 0
    held_ns: int = 0

    def add(self, trip: Trip) -> None:
        net = trip.net
        self.trades += 1
        if net > 0:
            self.wins, self.won = self.wins + 1, self.won + net
        elif net < 0:
            self.losses, self.lost = self.losses + 1, self.lost - net
        self.fees += trip.fees
        self.financing += trip.financing
        self.held_ns += trip.held_ns

    @property
    def net(self) -> int:
        return self.won - self.lost

    @property
    def scratches(self) -> int:
        return self.trades - self.wins - self.losses

    @property
    def win_rate(self) -> float | None:
        """Of all trips, scratches among them."""
        return self.wins / self.trades if self.trades else None

    @property
    def profit_factor(self) -> float | None:
        return self.won / self.lost if self.lost else None

    @property
    def expectancy(self) -> float | None:
        return self.net / self.trades if self.trades else None

    @property
    def average_win(self) -> float | None:
        return self.won / self.wins if self.wins else None

    @property
    def average_loss(self) -> float | None:
        """Positive."""
        return self.lost / self.losses if self.losses else None

    @property
    def payoff_ratio(self) -> float | None:
        """The average win over the average loss."""
        win, loss = self.average_win, self.average_loss
        return win / loss if win is not None and loss else None


class Streaks(msgspec.Struct, frozen=True, gc=False):
    """Trips in a row, as they ended. `current` is negative where it is of losses."""

    wins_max: int
    losses_max: int
    current: int


class Bin(msgspec.Struct, frozen=True, gc=False):
    """Trips whose net result is at least `low` and below `high`; the last includes it."""

    low: int
    high: int
    trades: int


class Statistics(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Of all trips in one currency."""

    total: Tally
    largest_win: int
    largest_loss: int  # positive
    streaks: Streaks
    held_median_ns: int
    held_wins_ns: int  # on average
    held_losses_ns: int
    in_market: float | None  # the share of the time in which something was held
    deviation: float | None  # of net results, of a sample
    sqn: float | None
    kelly: float | None
    risk_of_ruin: float | None
    adverse: float | None  # on average
    favorable: float | None
    edge_ratio: float | None
    by_symbol: dict[str, Tally]
    by_side: dict[str, Tally]
    by_hour: dict[int, Tally]  # in which they were opened, local time
    by_weekday: dict[int, Tally]  # 0: Monday
    distribution: list[Bin]


def statistics(
    trips: Sequence[Trip],
    *,
    zone: ZoneInfo,
    capital: int,
    began_at: int,
    now: int,
    excursions: Sequence[Excursion] = (),
) -> Statistics:
    """`trips` are of one currency, in the order in which they ended; `capital` is what there is to
    lose."""
    total = _tally(trips)
    results = [trip.net for trip in trips]
    face = Clockface(zone)
    mean, spread = total.expectancy, _deviation(results)
    return Statistics(
        total=total,
        largest_win=max((net for net in results if net > 0), default=0),
        largest_loss=-min((net for net in results if net < 0), default=0),
        streaks=streaks(results),
        held_median_ns=int(median(trip.held_ns for trip in trips)) if trips else 0,
        held_wins_ns=_held([trip for trip in trips if trip.net > 0]),
        held_losses_ns=_held([trip for trip in trips if trip.net < 0]),
        in_market=_in_market(trips, began_at, now),
        deviation=spread,
        sqn=sqrt(len(results)) * mean / spread if mean is not None and spread else None,
        kelly=kelly(total),
        risk_of_ruin=risk_of_ruin([float(net) for net in results], capital) if trips else None,
        adverse=_mean([each.adverse for each in excursions]),
        favorable=_mean([each.favorable for each in excursions]),
        edge_ratio=_edge(excursions),
        by_symbol=_grouped(trips, lambda trip: str(trip.symbol)),
        by_side=_grouped(trips, lambda trip: trip.side),
        by_hour=_grouped(trips, lambda trip: face.hour(trip.opened_at)),
        by_weekday=_grouped(trips, lambda trip: face.weekday(trip.opened_at)),
        distribution=distribution(results),
    )


def _tally(trips: Iterable[Trip]) -> Tally:
    total = Tally()
    for trip in trips:
        total.add(trip)
    return total


def _grouped(trips: Iterable[Trip], key: Callable[[Trip], K]) -> dict[K, Tally]:
    found: dict[K, Tally] = {}
    for trip in trips:
        found.setdefault(key(trip), Tally()).add(trip)
    return dict(sorted(found.items()))


def streaks(results: Iterable[int]) -> Streaks:
    """A scratch ends a streak and begins none."""
    wins_max = losses_max = current = 0
    for net in results:
        if net > 0:
            current = max(current, 0) + 1
        elif net < 0:
            current = min(current, 0) - 1
        else:
            current = 0
        wins_max, losses_max = max(wins_max, current), max(losses_max, -current)
    return Streaks(wins_max, losses_max, current)


def kelly(total: Tally) -> float | None:
    """The share of the capital to risk: W - (1 - W) / R, R the payoff ratio (Kelly 1956). Negative:
    nothing."""
    rate, payoff = total.win_rate, total.payoff_ratio
    return rate - (1.0 - rate) / payoff if rate is not None and payoff else None


def distribution(results: Sequence[int], bins: int = BINS) -> list[Bin]:
    """At most so many bins of one width, of which one begins at nought."""
    if not results:
        return []
    low, high = min(min(results), 0), max(max(results), 0)
    width = max(-(-(high - low) // (bins - 1)), 1)
    first, last = low // width, high // width
    counts = [0] * (last - first + 1)
    for net in results:
        counts[net // width - first] += 1
    return [
        Bin((first + number) * width, (first + number + 1) * width, count)
        for number, count in enumerate(counts)
    ]


def _held(trips: Sequence[Trip]) -> int:
    return sum(trip.held_ns for trip in trips) // len(trips) if trips else 0


def _in_market(trips: Sequence[Trip], began_at: int, now: int) -> float | None:
    if not trips or now <= began_at:
        return None
    covered, until = 0, began_at
    for trip in sorted(trips, key=lambda each: each.opened_at):
        covered += max(trip.closed_at - max(trip.opened_at, until), 0)
        until = max(until, trip.closed_at)
    return covered / (now - began_at)


def _deviation(results: Sequence[int]) -> float | None:
    """Of a sample; None of fewer than two."""
    if len(results) < 2:
        return None
    middle = sum(results) / len(results)
    return sqrt(fsum((net - middle) ** 2 for net in results) / (len(results) - 1))


def _mean(values: Sequence[int]) -> float | None:
    return sum(values) / len(values) if values else None


def _edge(excursions: Sequence[Excursion]) -> float | None:
    """What trips went in their favour over what they went against it."""
    against = -sum(each.adverse for each in excursions)
    return sum(each.favorable for each in excursions) / against if against else None
