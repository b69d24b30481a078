"""How one number is shared by many, so that nothing is left over. Pure.

Quantities are whole lots and money is ticks x lots, so all of it is integers. What does not divide
goes by largest remainder (Hamilton's method): everybody has their exact share rounded down or up,
and whoever lost most to the rounding has the next unit; at equal remainders who came first.
"""

from collections.abc import Sequence

from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import Side


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in proportion to `weights`, none of which is negative: the shares add up to it, and
    each is its exact share rounded down or up. Nobody has more than their weight unless `total` is
    more than all of them. Raises ZeroDivisionError where all weights are 0."""
    whole = sum(weights)
    shares, rests = [], []
    for place, weight in enumerate(weights):
        share, rest = divmod(total * weight, whole)
        shares.append(share)
        rests.append((-rest, place))
    for _, place in sorted(rests)[: total - sum(shares)]:
        shares[place] += 1
    return shares


def due(side: Side, lots: int, street_lots: int, street_cost: int) -> int:
    """What `lots` of a street execution cost together, in ticks x lots: exactly the average price,
    and where that is no whole number the last unit is the house's: customers who buy pay it rounded
    down, those who sell receive it rounded up."""
    exact = lots * street_cost
    return exact // street_lots if side is Side.BUY else -(-exact // street_lots)


def fills_at(lots: int, cost: int) -> tuple[Fill, ...]:
    """`lots` that cost exactly `cost`, in ticks x lots: at the tick below their average and at the
    one above it, so that the average is kept to the last unit."""
    px, above = divmod(cost, lots)
    fills = (Fill(px, lots - above), Fill(px + 1, above))
    return fills if above else fills[:1]
