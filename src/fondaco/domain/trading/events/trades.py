"""The rules of trades of one account: what may be opened on it."""

from fondaco.domain.trading.model import TradeRules
from fondaco.kernel.event import Command, Event


class SetTradeRules(Command, frozen=True, gc=False):
    """None: there are none any more."""

    rules: TradeRules | None
    reason: str


class TradeRulesSet(Event, frozen=True, gc=False, tag="trading.trade_rules_set.v1"):
    """Orders from here on are refused where they would break them."""

    rules: TradeRules | None
    reason: str
