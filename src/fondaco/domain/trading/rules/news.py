"""Windows around announcements, in which an account with such a rule opens nothing."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from fondaco.domain.reference.model import Importance, NewsItem, Symbol
from fondaco.domain.trading.model import NewsRule, TradingRefs
from fondaco.kernel.event import Instant

_RANK: Final = {Importance.LOW: 0, Importance.MEDIUM: 1, Importance.HIGH: 2}
_SECOND_NS: Final = 1_000_000_000


def windows(rule: NewsRule, symbol: Symbol, refs: TradingRefs, at: Instant) -> Iterator[NewsItem]:
    """Announcements whose windows are open at an instant or open later, the first one first."""
    found = refs.news.get(symbol, ())
    first = bisect_left(found, at - rule.after_ns, key=lambda each: each.at)
    least = _RANK[rule.importance]
    return (each for each in found[first:] if _RANK[each.importance] >= least)


def around(
    rule: NewsRule, symbol: Symbol, refs: TradingRefs, at: Instant
) -> tuple[NewsItem, Instant] | None:
    """The announcement whose window is open now, and when nothing stands against opening again:
    windows may overlap. A window has both of its ends."""
    first: NewsItem | None = None
    ends = at - 1
    for each in windows(rule, symbol, refs, at):
        if each.at - rule.before_ns > max(at, ends):
            break
        first = first or each
        ends = each.at + rule.after_ns
    return None if first is None else (first, Instant(ends))


def refusal(rule: NewsRule, item: NewsItem, ends: Instant, symbol: Symbol, at: Instant) -> str:
    """What is to be said of an order that comes within a window: value, limit, and when it ends."""
    away = abs(item.at - at) // _SECOND_NS
    side, limit = ("before", rule.before_ns) if at < item.at else ("after", rule.after_ns)
    return (
        f"{item.title} ({item.importance}) is at {_utc(item.at)}: {away} s {side} it, limit "
        f"{limit // _SECOND_NS} s; nothing is opened in {symbol} until {_utc(ends)}"
    )


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at // _SECOND_NS, UTC):%Y-%m-%dT%H:%M:%SZ}"
