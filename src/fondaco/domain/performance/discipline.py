"""How well somebody keeps to their own plan, as far as an account shows it.

Four habits, each a share from 0 (never) to 1 (always):

- refused: orders that a limit or another rule has refused, of all orders;
- larger after a loss: trips that followed a loss and staked more, of those that followed one;
- hasty after a loss: trips opened within five minutes after a loss, of the same;
- held too long: by how much losses were kept longer than wins, from nought (no longer) to one.

The score is 100 less a hundred times their mean. The habits are those that studies of day traders
name: the disposition effect (T. Odean, Are Investors Reluctant to Realize Their Losses?, 1998) and
risk taken after losses (J. Coval and T. Shumway, Do Behavioral Biases Affect Prices?, 2005).
"""

from collections.abc import Sequence

import msgspec

from fondaco.domain.performance.model import Trip

HASTE_NS = 300_000_000_000


class Discipline(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """None: there was no occasion."""

    score: float | None
    refused: float | None
    larger_after_loss: float | None
    hasty_after_loss: float | None
    held_too_long: float | None


def discipline(trips: Sequence[Trip], *, orders: int, refused: int) -> Discipline:
    """`trips` in the order in which they ended."""
    opened = sorted(trips, key=lambda each: each.opened_at)
    after, larger, hasty, turn = 0, 0, 0, 0
    last: Trip | None = None
    for trip in opened:
        while turn < len(trips) and trips[turn].closed_at <= trip.opened_at:
            last = trips[turn]
            turn += 1
        if last is None or last.net >= 0:
            continue
        after += 1
        larger += trip.currency == last.currency and trip.entry > last.entry
        hasty += trip.opened_at - last.closed_at < HASTE_NS
    habits = (
        refused / orders if orders else None,
        larger / after if after else None,
        hasty / after if after else None,
        _held_too_long(trips),
    )
    known = [each for each in habits if each is not None]
    return Discipline(
        score=100.0 * (1.0 - sum(known) / len(known)) if known else None,
        refused=habits[0],
        larger_after_loss=habits[1],
        hasty_after_loss=habits[2],
        held_too_long=habits[3],
    )


def _held_too_long(trips: Sequence[Trip]) -> float | None:
    wins = [trip.held_ns for trip in trips if trip.net > 0]
    losses = [trip.held_ns for trip in trips if trip.net < 0]
    if not wins or not losses:
        return None
    longer, long = sum(losses) / len(losses), sum(wins) / len(wins)
    return max(1.0 - long / longer, 0.0) if longer else 0.0
