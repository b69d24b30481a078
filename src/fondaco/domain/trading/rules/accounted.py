"""The account after an event that is about no order: money, terms, warnings. As `evolve`."""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import AccountState, Matched, Rates, Sent
from fondaco.domain.trading.rules.holds import BUY
from fondaco.kernel.event import Event


def _opened(state: AccountState, event: ev.AccountOpened) -> None:
    state.opened = True
    state.tenant, state.name, state.currency = event.tenant, event.name, event.currency
    state.account_type = event.account_type


def _rolled(state: AccountState, event: ev.SessionRolled) -> None:
    state.session_day, state.session_equity = event.day, event.equity


def _deposited(state: AccountState, event: ev.CashDeposited) -> None:
    state.balances[event.asset] = state.balances.get(event.asset, 0) + event.units
    _move_session(state, event.value, event.value)


def _withdrawn(state: AccountState, event: ev.CashWithdrawn) -> None:
    state.balances[event.asset] = state.balances.get(event.asset, 0) - event.units
    _move_session(state, -event.value, event.value)


def _move_session(state: AccountState, change: int, value: int) -> None:
    """What moved without a known value makes the session begin anew once it has one."""
    if value < 0:
        state.session_day = -1
    else:
        state.session_equity += change


def _made_virtual(state: AccountState, event: ev.AccountMadeVirtual) -> None:
    state.virtual = True


def _sent(state: AccountState, event: ev.TransferSent) -> None:
    state.transfer_count = event.number
    state.sent[event.number] = Sent(event.to, event.asset, event.units, event.value)
    state.balances[event.asset] = state.balances.get(event.asset, 0) - event.units
    _move_session(state, -event.value, event.value)


def _came_in(state: AccountState, event: ev.TransferReceived | ev.TransferVoided) -> None:
    if isinstance(event, ev.TransferVoided):
        del state.sent[event.number]
    state.balances[event.asset] = state.balances.get(event.asset, 0) + event.units
    _move_session(state, event.value, event.value)


def _transfer_posted(state: AccountState, event: ev.TransferPosted) -> None:
    del state.sent[event.number]


def _unsettled(state: AccountState, event: ev.FillUnsettled) -> None:
    asset, due = event.asset, state.settling.setdefault(event.settles_at, {})
    due[asset] = due.get(asset, 0) + event.units
    state.unsettled[asset] = state.unsettled.get(asset, 0) + event.units


def _settled(state: AccountState, event: ev.FillsSettled) -> None:
    state.settling.pop(event.settles_at, None)
    for each in event.settled:
        left = state.unsettled.get(each.asset, 0) - each.units
        if left > 0:
            state.unsettled[each.asset] = left
        else:
            state.unsettled.pop(each.asset, None)


def _reset(state: AccountState, event: ev.AccountReset) -> None:
    for each in event.balances:
        state.balances[each.asset] = each.after
    state.positions = {}
    state.warned_bps, state.liquidating = 0, False
    state.unsettled, state.settling = {}, {}
    if event.value < 0:
        state.session_day = -1
    else:
        state.session_equity = event.value


def _limits_set(state: AccountState, event: ev.LimitsSet) -> None:
    state.limits = event.limits


def _state_set(state: AccountState, event: ev.TradingStateSet) -> None:
    state.trading_state = event.state


def _warned(state: AccountState, event: ev.MarginWarned | ev.MarginEased) -> None:
    state.warned_bps = event.level


def _liquidating(state: AccountState, event: ev.LiquidationBegan) -> None:
    state.liquidating = True


def _liquidated(state: AccountState, event: ev.LiquidationEnded) -> None:
    state.liquidating = False
    state.warned_bps = 0


def _covered(state: AccountState, event: ev.NegativeBalanceCovered) -> None:
    for each in event.covered:
        state.balances[each.asset] = state.balances.get(each.asset, 0) + each.units
    state.session_equity += event.shortage


def _paid(state: AccountState, event: ev.ContractPaid) -> None:
    balances = state.balances
    balances[event.base] = balances.get(event.base, 0) - event.base_units
    balances[event.quote] = balances.get(event.quote, 0) + event.cash
    state.positions.pop(event.symbol, None)


def _own_fees(state: AccountState, event: ev.OwnFeesSet) -> None:
    if event.fees is None:
        state.fees.pop(event.symbol, None)
    else:
        fees = event.fees
        state.fees[event.symbol] = Rates(fees.maker_fee_ppm, fees.taker_fee_ppm)


def _trade_rules(state: AccountState, event: ev.TradeRulesSet) -> None:
    state.trade_rules = event.rules


def _swapped(state: AccountState, event: ev.SwapCharged) -> None:
    for each in event.charged:
        state.balances[each.asset] = state.balances.get(each.asset, 0) - each.units


def _converted(state: AccountState, event: ev.GainConverted) -> None:
    balances = state.balances
    balances[event.quote] = balances.get(event.quote, 0) - event.units
    balances[event.settle] = balances.get(event.settle, 0) + event.settle_units


def _allocated(state: AccountState, event: ev.AllocationBooked) -> None:
    sign = -1 if event.side is BUY else 1
    balances = state.balances
    balances[event.base] = balances.get(event.base, 0) + sign * event.base_units
    balances[event.quote] = balances.get(event.quote, 0) - sign * event.cash


def _matched(state: AccountState, event: ev.FillMatched) -> None:
    state.matched.setdefault(event.number, {})[event.exec_number] = Matched(
        event.symbol, event.side, event.lots, event.base, event.quote, event.base_units,
        event.gross, event.fee, event.residue, event.asset, event.units,
    )  # fmt: skip
    state.held[event.asset] = state.held.get(event.asset, 0) + event.units


def _final(state: AccountState, number: int, exec_number: int) -> None:
    waiting = state.matched[number]
    found = waiting.pop(exec_number)
    if not waiting:
        del state.matched[number]
    state.held[found.asset] = state.held.get(found.asset, 0) - found.units


def _confirmed(state: AccountState, event: ev.FillConfirmed) -> None:
    _final(state, event.number, event.exec_number)


def _failed(state: AccountState, event: ev.FillFailed) -> None:
    match, balances = event.match, state.balances
    _final(state, match.number, match.exec_number)
    sign = 1 if match.side is BUY else -1
    balances[match.base] = balances.get(match.base, 0) - sign * match.base_units
    balances[match.quote] = balances.get(match.quote, 0) + sign * match.gross + match.fee


def _noted(state: AccountState, event: Event) -> None:
    """Happened, and changed nothing."""


MONEY: Final[dict[type[Event], Callable[[AccountState, Any], None]]] = {
    ev.AccountOpened: _opened,
    ev.SessionRolled: _rolled,
    ev.CashDeposited: _deposited,
    ev.CashWithdrawn: _withdrawn,
    ev.TransferRefused: _noted,
    ev.AccountMadeVirtual: _made_virtual,
    ev.TransferSent: _sent,
    ev.TransferReceived: _came_in,
    ev.TransferReturned: _noted,
    ev.TransferPosted: _transfer_posted,
    ev.TransferVoided: _came_in,
    ev.FillUnsettled: _unsettled,
    ev.FillsSettled: _settled,
    ev.AccountReset: _reset,
    ev.LimitsSet: _limits_set,
    ev.TradingStateSet: _state_set,
    ev.MarginWarned: _warned,
    ev.MarginEased: _warned,
    ev.LiquidationBegan: _liquidating,
    ev.LiquidationEnded: _liquidated,
    ev.NegativeBalanceCovered: _covered,
    ev.ContractPaid: _paid,
    ev.OwnFeesSet: _own_fees,
    ev.TradeRulesSet: _trade_rules,
    ev.SwapCharged: _swapped,
    ev.GainConverted: _converted,
    ev.AllocationBooked: _allocated,
    ev.FillMatched: _matched,
    ev.FillConfirmed: _confirmed,
    ev.FillFailed: _failed,
    ev.NothingToDo: _noted,
    ev.PositionBared: _noted,
    ev.ReportUnmatched: _noted,
}
