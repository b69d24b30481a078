"""Matched is not settled: a fill that a chain must confirm, and what has become of it."""

from fondaco.domain.market.model import Finality
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import AssetCode


class RecordFinality(Command, frozen=True, gc=False):
    """What a trade has become, says its exchange or an operator. `exec_number` is the venue's."""

    number: int
    exec_number: int
    finality: Finality
    reason: str
    by: str = ""


class FillMatched(Event, frozen=True, gc=False, tag="trading.fill_matched.v1"):
    """The fills of one report are booked and not final: what they have brought in, `units` of
    `asset`, is held until the trade is confirmed. Amounts are sums over its fills."""

    number: int
    exec_number: int
    symbol: Symbol
    side: Side
    lots: int
    base: AssetCode
    quote: AssetCode
    base_units: int
    gross: int
    fee: int
    residue: int
    asset: AssetCode
    units: int


class FillConfirmed(Event, frozen=True, gc=False, tag="trading.fill_confirmed.v1"):
    """The trade is final: what it has brought in is free."""

    number: int
    exec_number: int
    asset: AssetCode
    units: int
    reason: str
    by: str


class FillFailed(Event, frozen=True, gc=False, tag="trading.fill_failed.v1"):
    """The trade was never settled: everything that it had moved is as before, its fee included."""

    match: FillMatched
    reason: str
    by: str
