"""The consolidated book: the levels of every good source of one instrument, each with its origin.

Only books that are OK count; the others are named with what is wrong with them. Sources do not
agree to the microsecond, so the best bid of one may be at or above the best ask of another: that is
said (`crossed`), and is no fault of either.
"""

from collections.abc import Iterable, Sequence

import msgspec

from fondaco.domain.market.board import LiveBook
from fondaco.domain.market.model import Quality


class Share(msgspec.Struct, frozen=True, gc=False):
    """What one source displays at a level, in lots."""

    source: str
    qty: int


class Level(msgspec.Struct, frozen=True, gc=False):
    """A price in ticks; `qty` is the sum of its shares, which are in the order of the sources."""

    px: int
    qty: int
    shares: tuple[Share, ...]


class Consolidated(msgspec.Struct, frozen=True, gc=False):
    """Best levels first."""

    bids: list[Level]
    asks: list[Level]
    crossed: bool


def consolidated(books: Sequence[LiveBook], depth: int) -> Consolidated:
    """Up to `depth` levels a side of the books that are OK, in the order of their sources."""
    good = [book for book in books if book.quality is Quality.OK]
    bids = _merged(((book.source, book.bids(depth)) for book in good), depth, best_is_high=True)
    asks = _merged(((book.source, book.asks(depth)) for book in good), depth, best_is_high=False)
    return Consolidated(bids, asks, bool(bids and asks and bids[0].px >= asks[0].px))


def _merged(
    sides: Iterable[tuple[str, list[tuple[int, int]]]], depth: int, *, best_is_high: bool
) -> list[Level]:
    """Each side came with `depth` levels of its own, so none of the best ones can be missing."""
    found: dict[int, list[Share]] = {}
    for source, levels in sides:
        for px, qty in levels:
            found.setdefault(px, []).append(Share(source, qty))
    best = sorted(found, reverse=best_is_high)[:depth]
    return [Level(px, sum(each.qty for each in found[px]), tuple(found[px])) for px in best]
