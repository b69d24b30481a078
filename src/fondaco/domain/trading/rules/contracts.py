"""An event contract that has settled is paid: what works in it is canceled first, and once nothing
works any more, what there is of it leaves the account for what it pays.

A holder is paid the payout rounded down, who owes contracts pays it rounded up; what lies between
stays with the market. A contract that is closed, determined or disputed pays nothing yet.
"""

from typing import Final

from fondaco.domain.reference.model import Stage
from fondaco.domain.trading.events import (
    ContractPaid,
    NothingToDo,
    SettleContract,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, Position, TradingRefs
from fondaco.domain.trading.rules.groups import cancel_of

SETTLED: Final = Stage.SETTLED
NONE: Final = Position(0, 0)


def settle(
    state: AccountState, command: SettleContract, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    symbol = command.symbol
    outcome, instrument = refs.contracts.get(symbol), refs.instruments.get(symbol)
    if instrument is None or outcome is None or outcome.stage is not SETTLED:
        return (NothingToDo(f"{symbol} has not settled"),)
    events: list[TradingEvent] = []
    asked: dict[int, bool] = {}
    works = False
    for order in state.working.values():
        if order.symbol == symbol:
            works = True
            events += cancel_of(state, order, "settled", asked)
    if works:
        return tuple(events) or (NothingToDo("the venues have not answered yet"),)
    if any(each.symbol == symbol for found in state.matched.values() for each in found.values()):
        return (NothingToDo("what was matched is not confirmed yet"),)
    units = state.balances.get(instrument.base, 0)
    if not units:
        return (NothingToDo(f"there is nothing of {symbol}"),)
    per_unit = outcome.payout * instrument.cost_num
    cash = units * per_unit // (instrument.cost_den * instrument.base_per_lot)
    position = state.positions.get(symbol, NONE)
    worth = position.lots * per_unit // instrument.cost_den
    realized = worth - position.cost if position.lots else 0
    return (
        ContractPaid(
            symbol, instrument.base, instrument.quote, units, cash, outcome.payout,
            position.lots, realized,
        ),
    )  # fmt: skip
