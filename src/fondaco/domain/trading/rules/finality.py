"""Matched is not settled: of an instrument whose trades a chain confirms, what a fill brings into a
cash account is held until it is final. A failed trade is taken back as if it had never been; what
is final stays so, whatever is said later.
"""

from typing import Final

from fondaco.domain.market.model import Finality
from fondaco.domain.trading.events import (
    FillConfirmed,
    FillFailed,
    FillMatched,
    NothingToDo,
    OrderFilled,
    RecordFinality,
    ReportUnmatched,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, TradingRefs
from fondaco.domain.trading.rules.holds import BUY

CONFIRMED: Final = Finality.CONFIRMED
FAILED: Final = Finality.FAILED


def matched(events: tuple[TradingEvent, ...], exec_number: int) -> FillMatched | None:
    """The fills of one report as one trade of the chain; None where it booked none."""
    fills = [event for event in events if isinstance(event, OrderFilled)]
    if not fills:
        return None
    first = fills[0]
    base_units = sum(fill.base_units for fill in fills)
    gross, fee = sum(fill.gross for fill in fills), sum(fill.fee for fill in fills)
    is_buy = first.side is BUY
    return FillMatched(
        first.number,
        exec_number,
        first.symbol,
        first.side,
        sum(fill.last_lots for fill in fills),
        first.base,
        first.quote,
        base_units,
        gross,
        fee,
        sum(fill.residue for fill in fills),
        first.base if is_buy else first.quote,
        base_units if is_buy else max(gross - fee, 0),
    )


def record(
    state: AccountState, command: RecordFinality, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    number, exec_number = command.number, command.exec_number
    found = state.matched.get(number, {}).get(exec_number)
    if found is None:
        text = f"execution {exec_number} does not wait for its confirmation: {command.finality}"
        return (ReportUnmatched(number, text),)
    if command.finality is CONFIRMED:
        return (
            FillConfirmed(
                number, exec_number, found.asset, found.units, command.reason, command.by
            ),
        )
    if command.finality is not FAILED:
        return (NothingToDo(f"execution {exec_number} is {command.finality}, and not final"),)
    match = FillMatched(
        number, exec_number, found.symbol, found.side, found.lots, found.base, found.quote,
        found.base_units, found.gross, found.fee, found.residue, found.asset, found.units,
    )  # fmt: skip
    return (FillFailed(match, command.reason, command.by),)
