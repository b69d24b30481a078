"""The laws of the account. Pure: no clock, no randomness, no I/O, no await.

`decide` is here only a table: each command has its function. `entry` and `risk` are the rules that
may refuse an order, in the order of `Reason`; `lists`, `changes`, `replace` and `groups` say what
becomes of orders, `execution` what fills cost, `busts` what is taken back,
`settlement` when it is ours, `finality` when a
chain has confirmed it, `margin` what must be covered, `liquidation` what happens when it is not,
`trades` what may be opened, `cover` what becomes of a position whose stop has ended,
`contracts` what an outcome pays, `terms` what is its own and what a night costs, `transfers` what
goes between accounts, `pooling` what the pooling desk has shared out, `money` everything else;
`evolve` computes nothing.
"""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import TradingCommand, TradingEvent
from fondaco.domain.trading.model import AccountState, TradingRefs
from fondaco.domain.trading.rules import (
    busts,
    changes,
    contracts,
    cover,
    finality,
    liquidation,
    lists,
    money,
    pooling,
    replace,
    settlement,
    terms,
    trades,
    transfers,
)
from fondaco.domain.trading.rules.evolve import evolve as evolve
from fondaco.domain.trading.rules.risk import order_qty_max as order_qty_max
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import StreamId

_DECIDED: Final[
    dict[type[Any], Callable[[AccountState, Any, TradingRefs], tuple[TradingEvent, ...]]]
] = {
    ev.OpenAccount: money.open_account,
    ev.PlaceOrder: lists.place,
    ev.PlaceOrders: lists.place_all,
    ev.CancelOrder: changes.cancel,
    ev.CancelOrders: changes.cancel_many,
    ev.ReplaceOrder: replace.replace,
    ev.ClosePositions: lists.close,
    ev.RecordDeposit: money.deposit,
    ev.Withdraw: money.withdraw,
    ev.SendTransfer: transfers.send,
    ev.ReceiveTransfer: transfers.receive,
    ev.SettleTransfer: transfers.settle,
    ev.ReturnTransfer: transfers.take_back,
    ev.SettleFills: settlement.settle,
    ev.ResetAccount: transfers.reset,
    ev.SetLimits: money.set_limits,
    ev.SetTradingState: money.set_trading_state,
    ev.RecordExecution: settlement.record,
    ev.RecordBust: busts.record,
    ev.RecordEnd: changes.end,
    ev.RecordReplaced: changes.replaced,
    ev.RecordDenial: changes.denial,
    ev.RecordSilence: changes.silence,
    ev.RecordStanding: changes.stands,
    ev.TriggerOrder: changes.trigger,
    ev.TrailOrder: changes.trail,
    ev.ExpireOrders: changes.expire,
    ev.CheckEquity: liquidation.check,
    ev.SettleContract: contracts.settle,
    ev.SetOwnFees: terms.set_own,
    ev.SetTradeRules: trades.set_rules,
    ev.CheckCover: cover.check,
    ev.RollSession: terms.roll,
    ev.RecordFinality: finality.record,
    ev.BookAllocation: pooling.book,
}


def initial(stream: StreamId) -> AccountState:
    """An account of which nothing has been heard yet."""
    return AccountState()


def decide(
    state: AccountState, command: TradingCommand, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    if state.fees:
        refs = terms.own_terms(state, command, refs)
    events = _DECIDED[type(command)](state, command, refs)
    if state.trade_rules is not None and state.trade_rules.risk_max:
        events = cover.after(state, command, events, refs)
    if refs.session_day > state.session_day and state.opened:
        rolled = money.rolled(state, refs)
        if rolled is not None:
            night = terms.swap(state, refs) if state.positions else None
            return (rolled, *events) if night is None else (night, rolled, *events)
    return events


decider: Final[Decider[AccountState, TradingCommand, TradingEvent, TradingRefs]] = Decider(
    initial, decide, evolve, AccountState
)
