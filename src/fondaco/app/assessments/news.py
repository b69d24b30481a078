"""Announcements and assessments: what is shown of them, and orders that must not wait for one.

The account refuses whatever comes within a window. What works already when a window begins could
still open something in it, so it is canceled then; stops that a position needs, and all else that
only closes, stay where they are.
"""

from collections.abc import Callable
from typing import Final

from fondaco.domain.evaluation.assessments.api import NextNewsLine
from fondaco.domain.reference.model import NewsItem, Symbol
from fondaco.domain.trading.events import CancelOrder
from fondaco.domain.trading.model import AccountState, NewsRule, Order, Side, TradingRefs
from fondaco.domain.trading.rules.news import around, windows
from fondaco.kernel.event import Command, CommandId, Instant, StreamId
from fondaco.runtime.deadlines import NEVER

REASON: Final = "news"


def next_news(state: AccountState, refs: TradingRefs, at: Instant) -> NextNewsLine | None:
    """The window that is open, or opens next, for anything that this account may open."""
    rule = state.trade_rules
    if rule is None or rule.news is None:
        return None
    news = rule.news
    found: dict[str, tuple[NewsItem, list[str]]] = {}
    for symbol in rule.instruments or tuple(refs.instruments):
        item = next(windows(news, symbol, refs, at), None)
        if item is not None:
            found.setdefault(item.news_id, (item, []))[1].append(symbol)
    if not found:
        return None
    item, symbols = min(found.values(), key=lambda each: (each[0].at, each[0].news_id))
    begins = item.at - news.before_ns
    return NextNewsLine(
        id=item.news_id,
        title=item.title,
        importance=item.importance,
        at=str(item.at),
        begins_at=str(begins),
        ends_at=str(item.at + news.after_ns),
        is_open=begins <= at,
        symbols=symbols,
    )


class NewsWatch:
    """Looks when a window begins, and at nothing in between. Belongs to the loop's thread."""

    def __init__(
        self,
        refs: TradingRefs,
        account: Callable[[StreamId], AccountState | None],
        ask: Callable[[StreamId, Command], None],
        missing: Callable[[StreamId], None],
    ) -> None:
        """`missing` loads who is not in memory."""
        self._refs, self._account, self._ask, self._missing = refs, account, ask, missing
        self._accounts: dict[StreamId, None] = {}
        self._fresh: dict[StreamId, None] = {}  # whose rule is not known yet
        self._begins = NEVER

    @property
    def nearest(self) -> Instant:
        return Instant(0) if self._fresh else self._begins

    def watch(self, account: StreamId) -> None:
        if account not in self._accounts:
            self._accounts[account] = self._fresh[account] = None

    def forget(self, account: StreamId) -> None:
        self._accounts.pop(account, None)
        self._fresh.pop(account, None)

    def again(self) -> None:
        """The calendar is another one."""
        self._begins = Instant(0)

    def look(self, now: Instant) -> None:
        everybody = now >= self._begins
        if everybody:
            self._begins = NEVER
        rules: dict[NewsRule, None] = {}
        for account in list(self._accounts if everybody else self._fresh):
            state = self._account(account)
            if state is None:
                self._fresh[account] = None
                self._missing(account)
                continue
            self._fresh.pop(account, None)
            rule = state.trade_rules
            if rule is not None and rule.news is not None:
                rules[rule.news] = None
                self._cancel(account, state, rule.news, now)
        for each in rules:
            self._begins = min(self._begins, self._next(each, now))

    def _next(self, rule: NewsRule, now: Instant) -> Instant:
        """When a window begins that has not begun."""
        begins = [
            each.at - rule.before_ns
            for symbol in self._refs.news
            for each in _later(rule, symbol, self._refs, now)
        ]
        return Instant(min(begins)) if begins else NEVER

    def _cancel(self, account: StreamId, state: AccountState, rule: NewsRule, now: Instant) -> None:
        shut = {
            symbol: around(rule, symbol, self._refs, now) is not None
            for symbol in {order.symbol: None for order in state.working.values()}
        }
        for order in list(state.working.values()):
            if shut[order.symbol] and _opens(state, order) and not order.cancel_reason:
                command = CancelOrder(
                    CommandId(f"news/{order.number}/{now}"), now, order.number, REASON
                )
                self._ask(account, command)


def _later(rule: NewsRule, symbol: Symbol, refs: TradingRefs, now: Instant) -> list[NewsItem]:
    """The first whose window begins after now."""
    for each in windows(rule, symbol, refs, now):
        if each.at - rule.before_ns > now:
            return [each]
    return []


def _opens(state: AccountState, order: Order) -> bool:
    """Whether executing it could make a position larger, or turn it round."""
    if order.reduce_only or (order.group and order.number != order.group and not order.at_venue):
        return False
    position = state.positions.get(order.symbol)
    lots = 0 if position is None else position.lots
    against = -lots if order.side is Side.BUY else lots
    return order.leaves_lots > max(against, 0)
