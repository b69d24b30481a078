"""The rules of trades of one account: what may be opened on it."""

from fondaco.domain.reference.model import Symbol
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


class CheckCover(Command, frozen=True, gc=False):
    """Whether the house still has to close what its own end of a stop has left bare."""

    symbol: Symbol


class PositionBared(Event, frozen=True, gc=False, tag="trading.position_bared.v1"):
    """A stop that a position needed has ended, and nobody asked for it: a venue would not execute
    it, or an execution was taken back. The house closes the position, in the same turn and until
    it is closed. Money is in ledger units of the account's currency."""

    symbol: Symbol
    lots: int  # of the position; below 0: short
    risk: int
    risk_max: int
    text: str
