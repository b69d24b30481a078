"""Carries into balances what moves them besides executions, deposits and withdrawals."""

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.rows import Row
from fondaco.kernel.event import Entry, Event


def _sent(view: Any, batch: Any, entry: Entry, event: ev.TransferSent) -> None:
    _move(view, batch, entry, event.asset, -event.units)


def _came_in(
    view: Any, batch: Any, entry: Entry, event: ev.TransferReceived | ev.TransferVoided
) -> None:
    _move(view, batch, entry, event.asset, event.units)


def _covered(view: Any, batch: Any, entry: Entry, event: ev.NegativeBalanceCovered) -> None:
    for each in event.covered:
        _move(view, batch, entry, each.asset, each.units)


def _reset(view: Any, batch: Any, entry: Entry, event: ev.AccountReset) -> None:
    """Balances as given; and nothing that was traded before counts any more."""
    account, _ = view._account(batch, entry.stream)
    for each in event.balances:
        _move(view, batch, entry, each.asset, each.after - each.before)
    p = t.positions.c
    kept = batch.conn.execute(sa.select(p.symbol).where(p.account_id == account)).scalars()
    new = [symbol for of, symbol in view._positions if of == account]
    for symbol in dict.fromkeys((*kept, *new)):
        position = view._position(batch, account, symbol)
        position.lots = position.cost = position.realized = position.fees = 0
        position.last_position = entry.position


def _paid(view: Any, batch: Any, entry: Entry, event: ev.ContractPaid) -> None:
    """What was traded of the contract is closed at what it pays."""
    _move(view, batch, entry, event.base, -event.base_units)
    _move(view, batch, entry, event.quote, event.cash)
    account, _ = view._account(batch, entry.stream)
    terms = view._instrument(batch, event.symbol)
    position = view._position(batch, account, event.symbol)
    position.trade(-position.lots, terms.cost_down(event.payout, abs(position.lots)))
    position.last_position = entry.position


def _swapped(view: Any, batch: Any, entry: Entry, event: ev.SwapCharged) -> None:
    for each in event.charged:
        _move(view, batch, entry, each.asset, -each.units)


def _converted(view: Any, batch: Any, entry: Entry, event: ev.GainConverted) -> None:
    _move(view, batch, entry, event.quote, -event.units)
    _move(view, batch, entry, event.settle, event.settle_units)


def _allocated(view: Any, batch: Any, entry: Entry, event: ev.AllocationBooked) -> None:
    """A trade with the customers of a block, at what they paid or had."""
    sign = -1 if event.side._value_ == "buy" else 1
    _move(view, batch, entry, event.base, sign * event.base_units)
    _move(view, batch, entry, event.quote, -sign * event.cash)
    account, _ = view._account(batch, entry.stream)
    position = view._position(batch, account, event.symbol)
    position.trade(sign * event.lots, event.cash)
    position.last_position = entry.position


def _matched(view: Any, batch: Any, entry: Entry, event: ev.FillMatched | ev.FillConfirmed) -> None:
    _hold(view, batch, entry, event.asset, _SIGN[type(event)] * event.units)


def _failed(view: Any, batch: Any, entry: Entry, event: ev.FillFailed) -> None:
    match = event.match
    sign = 1 if match.side._value_ == "buy" else -1
    _hold(view, batch, entry, match.asset, -match.units)
    _move(view, batch, entry, match.base, -sign * match.base_units)
    _move(view, batch, entry, match.quote, sign * match.gross + match.fee)
    account, _ = view._account(batch, entry.stream)
    position = view._position(batch, account, match.symbol)
    position.trade(-sign * match.lots, match.gross)
    position.fees -= match.fee
    position.last_position = entry.position


def busted(view: Any, batch: Any, entry: Entry, event: ev.FillBusted, row: Row | None) -> None:
    """Its row of `executions` stays; who reads it finds in `busts` that it is none any more."""
    sign = 1 if event.side._value_ == "buy" else -1
    if event.is_contract:
        _move(view, batch, entry, event.quote, event.fee - event.realized)
    else:
        _move(view, batch, entry, event.base, -sign * event.base_units)
        _move(view, batch, entry, event.quote, sign * event.gross + event.fee)
    account, _ = view._account(batch, entry.stream)
    position = view._position(batch, account, event.symbol)
    if event.on_margin:
        position.lots -= sign * event.last_lots
        position.cost, position.realized = event.position_cost, position.realized - event.realized
    else:
        position.untrade(sign * event.last_lots, event.gross)
    position.fees -= event.fee
    position.last_position = entry.position
    if row is None:
        return
    row.ord_status, row.leaves_lots = event.ord_status._value_, event.leaves_lots
    row.cum_lots -= event.last_lots
    row.cum_cost -= event.gross
    row.fees -= event.fee
    row.text = event.text or row.text
    view._rehold(batch, row, event.hold)


_SIGN: Final = {ev.FillMatched: 1, ev.FillConfirmed: -1}


def _hold(view: Any, batch: Any, entry: Entry, asset: str, units: int) -> None:
    account, _ = view._account(batch, entry.stream)
    balance = view._balance(batch, account, asset)
    balance.held += units
    balance.last_position = entry.position


def _move(view: Any, batch: Any, entry: Entry, asset: str, units: int) -> None:
    account, _ = view._account(batch, entry.stream)
    balance = view._balance(batch, account, asset)
    balance.balance += units
    balance.last_position = entry.position


MOVES: Final[dict[type[Event], Callable[..., None]]] = {
    ev.TransferSent: _sent,
    ev.TransferReceived: _came_in,
    ev.TransferVoided: _came_in,
    ev.AccountReset: _reset,
    ev.NegativeBalanceCovered: _covered,
    ev.ContractPaid: _paid,
    ev.SwapCharged: _swapped,
    ev.GainConverted: _converted,
    ev.AllocationBooked: _allocated,
    ev.FillMatched: _matched,
    ev.FillConfirmed: _matched,
    ev.FillFailed: _failed,
}
