"""How far a trip went against its trader, and in their favour, before it ended: MAE and MFE.

J. Sweeney, Maximum Adverse Excursion (1997). A trip's open gain is looked at where it traded itself
and at the low and the high of each bar that lies wholly within it: what a bar shares with the time
before or after tells nothing of the trip. So both are bounds from within, as fine as the bars are.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence

import msgspec

from fondaco.domain.market.model import Bar
from fondaco.domain.performance.model import Trip
from fondaco.domain.reference.model import Instrument


class Excursion(msgspec.Struct, frozen=True, gc=False):
    """In ledger units of the quote asset: `adverse` is not positive, `favorable` not negative."""

    adverse: int
    favorable: int


def worth(of: Instrument) -> Callable[[int, int], int]:
    """What so many lots are worth at a price in ticks; rounded towards minus infinity."""
    num, den = of.cost_num, of.cost_den
    return lambda px, lots: px * lots * num // den


def excursion(
    trip: Trip, of: Instrument, bars: Sequence[Bar] = (), length_ns: int = 0
) -> Excursion:
    """`bars` are of one interval, oldest first, each `length_ns` long."""
    value = worth(of)
    low = high = 0
    end = trip.gross
    low, high = min(low, end), max(high, end)
    for number, leg in enumerate(trip.legs):
        until = trip.legs[number + 1].at if number + 1 < len(trip.legs) else trip.closed_at
        if not leg.lots:
            continue
        first = bisect_left(bars, leg.at, key=lambda bar: bar.start)
        for bar in bars[first:]:
            if bar.start + length_ns > until:
                break
            ends = (value(bar.low, leg.lots), value(bar.high, leg.lots))
            low, high = min(low, min(ends) + leg.offset), max(high, max(ends) + leg.offset)
    return Excursion(low, high)
