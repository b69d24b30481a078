"""An event contract has settled: what is asked of an account then, and what happens to it."""

from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import AssetCode


class SettleContract(Command, frozen=True, gc=False):
    """The house has settled a contract. The account looks itself what it pays: asked twice, or too
    early, nothing happens."""

    symbol: Symbol


class ContractPaid(Event, frozen=True, gc=False, tag="trading.contract_paid.v1"):
    """A position in a contract has been paid, and is no more: all that there was of `base` has left
    the account, and `cash` has come. Both are below zero where contracts were owed."""

    symbol: Symbol
    base: AssetCode
    quote: AssetCode
    base_units: int  # ledger units
    cash: int  # ledger units of `quote`
    payout: int  # ticks a contract
    lots: int  # of what was traded, less what was traded back: what a margin account calls position
    realized: int = 0  # of a margin account, against what the position has cost
