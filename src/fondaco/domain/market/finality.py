"""Matched is not settled: what a trade on a chain has become, and what may be counted. Pure.

Polymarket matches off the chain and settles on it. A trade that was MATCHED is MINED, and then
CONFIRMED; or it is tried again (RETRYING), and may have FAILED, which leaves no tokens and no debt.
So a position is what was confirmed. What was matched is counted apart, and its cash stays locked
until the trade is final either way.
"""

from enum import StrEnum
from typing import Final

import msgspec

from fondaco.domain.reference.model import Symbol


class Finality(StrEnum):
    """States of a trade, by the names of the exchange's user channel."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    RETRYING = "RETRYING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"


FINAL: Final = frozenset({Finality.CONFIRMED, Finality.FAILED})


class Match(msgspec.Struct, frozen=True, gc=False):
    """One trade as it was matched: `lots` above zero are bought; `cost` is what they cost, below
    zero for a sale."""

    trade_id: str
    symbol: Symbol
    lots: int
    cost: int


class Finals(msgspec.Struct):
    """What is final and what is not, of one account."""

    confirmed: dict[Symbol, int] = {}  # lots
    spent: int = 0  # … and what they cost
    pending: dict[str, Match] = {}
    ended: dict[str, Finality] = {}
    contradicted: int = 0  # a final trade was said to be something else

    def hear(self, match: Match, finality: Finality) -> None:
        """A trade is in this state now. What is final stays so, whatever is said later."""
        ended = self.ended.get(match.trade_id)
        if ended is not None:
            self.contradicted += finality in FINAL and finality is not ended
            return
        if finality not in FINAL:
            self.pending.setdefault(match.trade_id, match)
            return
        known = self.pending.pop(match.trade_id, match)  # as it was matched
        self.ended[match.trade_id] = finality
        if finality is Finality.CONFIRMED:
            self.confirmed[known.symbol] = self.confirmed.get(known.symbol, 0) + known.lots
            self.spent += known.cost

    @property
    def locked_cash(self) -> int:
        """What purchases that are not final may still cost."""
        return sum(each.cost for each in self.pending.values() if each.cost > 0)

    def locked_lots(self, symbol: Symbol) -> int:
        """What sales that are not final may still take."""
        return -sum(
            each.lots for each in self.pending.values() if each.symbol == symbol and each.lots < 0
        )

    def in_flight(self, symbol: Symbol) -> int:
        """Lots that were matched and are nobody's position yet: purchases less sales."""
        return sum(each.lots for each in self.pending.values() if each.symbol == symbol)
