"""The account of the pooling desk is the other side of what its blocks were shared into."""

from fondaco.domain.trading.events import (
    AllocationBooked,
    BookAllocation,
    ReportUnmatched,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, TradingRefs


def book(
    state: AccountState, command: BookAllocation, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """What has happened is booked, whatever there is: a balance may then be negative."""
    instrument = refs.instruments.get(command.symbol)
    if instrument is None or not command.fills:
        return (ReportUnmatched(0, f"block {command.block} of {command.symbol} is nothing"),)
    lots = sum(fill.lots for fill in command.fills)
    cash = sum(instrument.cost_down(fill.px, fill.lots) for fill in command.fills)
    return (
        AllocationBooked(
            command.block, command.symbol, command.side, lots, instrument.base, instrument.quote,
            lots * instrument.base_per_lot, cash,
        ),
    )  # fmt: skip
