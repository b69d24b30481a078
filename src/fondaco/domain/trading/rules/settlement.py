"""T+n: what a fill brings in settles when n sessions have opened since; where n is 0, at once.
Sessions count that are days of business by the instrument's calendar.

What a fill takes leaves at once, so an account never owes. What it brings in can be traded with at
once; it cannot be withdrawn, or sent to another account, before it has settled.
"""

from typing import Final

from fondaco.domain.reference.model import Instrument
from fondaco.domain.trading.events import (
    FillsSettled,
    FillUnsettled,
    GainConverted,
    NothingToDo,
    OrderFilled,
    RecordExecution,
    Settled,
    SettleFills,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, AccountType, TradingRefs
from fondaco.domain.trading.rules import execution, finality
from fondaco.domain.trading.rules.holds import BUY
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode

CASH: Final = AccountType.CASH


def record(
    state: AccountState, command: RecordExecution, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """As `execution.record`; and of an instrument that settles later, when; of a contract that
    settles in another asset, what that comes to."""
    events = execution.record(state, command, refs)
    instrument = refs.instruments.get(command.symbol)
    if instrument is not None and instrument.settle:
        return _converted(events, instrument, refs)
    if instrument is not None and instrument.confirms and state.account_type is CASH:
        match = finality.matched(events, command.exec_number)
        events = events if match is None else (*events, match)
    if instrument is None or not instrument.settle_days:
        return events
    by = refs.settles_by.get(instrument.calendar, refs.settles_at)
    if instrument.settle_days > len(by):
        return events
    settles_at = by[instrument.settle_days - 1]
    found: list[TradingEvent] = []
    for event in events:
        found.append(event)
        if not isinstance(event, OrderFilled) or event.is_contract:
            continue  # a contract brings in nothing but what it has gained, which is margin
        if event.side is BUY:
            asset, units = instrument.base, event.base_units
        else:
            asset, units = instrument.quote, event.gross - event.fee
        if units > 0:
            found.append(
                FillUnsettled(
                    event.number, event.exec_number, event.symbol, asset, units, settles_at
                )
            )
    return tuple(found)


def _converted(
    events: tuple[TradingEvent, ...], instrument: Instrument, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """Where an asset has no rate, the gain stays in the quote asset."""
    quote, settle = refs.rates.get(instrument.quote), refs.rates.get(instrument.settle)
    if quote is None or settle is None or not settle.num:
        return events
    found: list[TradingEvent] = []
    for event in events:
        found.append(event)
        if isinstance(event, OrderFilled) and event.realized != event.fee:
            units = event.realized - event.fee
            comes = units * quote.num * settle.den // (quote.den * settle.num)
            found.append(
                GainConverted(
                    event.number, event.exec_number, event.symbol, instrument.quote, units,
                    instrument.settle, comes,
                )
            )  # fmt: skip
    return tuple(found)


def settle(
    state: AccountState, command: SettleFills, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    events = tuple(
        FillsSettled(
            settles_at,
            tuple(Settled(asset, units) for asset, units in state.settling[settles_at].items()),
        )
        for settles_at in map(Instant, sorted(state.settling))
        if settles_at <= command.at
    )
    return events or (NothingToDo("nothing settles"),)


def settled_of(state: AccountState, asset: AssetCode) -> int:
    """Ledger units of the balance that have settled."""
    return max(state.balances.get(asset, 0) - state.unsettled.get(asset, 0), 0)
