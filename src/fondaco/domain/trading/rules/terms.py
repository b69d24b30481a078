"""Fees of an account's own, and what keeping a position overnight costs.

An account with fees of its own is decided as if its instruments had them. A position is charged for
each session day that has begun since the last one that the account knows, whenever its first turn
comes: at today's mark, since no other was kept.
"""

from typing import Any, Final

import msgspec

from fondaco.domain.reference.model import NOTIONAL, RATE_SCALE, Symbol
from fondaco.domain.trading.events import (
    Charged,
    NothingToDo,
    OwnFeesSet,
    RollSession,
    SetOwnFees,
    SwapCharged,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, Rates, TradingRefs
from fondaco.domain.trading.rules.margin import contract_worth

ALL: Final = Symbol("")


def set_own(
    state: AccountState, command: SetOwnFees, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    fees, known = command.fees, state.fees.get(command.symbol)
    if not state.opened:
        return (NothingToDo("no such account was opened"),)
    if command.symbol and command.symbol not in refs.instruments:
        return (NothingToDo(f"{command.symbol} does not trade here"),)
    if known == (None if fees is None else Rates(fees.maker_fee_ppm, fees.taker_fee_ppm)):
        return (NothingToDo("these are its fees"),)
    return (OwnFeesSet(command.symbol, fees, command.reason),)


def own_terms(state: AccountState, command: Any, refs: TradingRefs) -> TradingRefs:
    """The refs with this account's own fees, of all that the command can be about."""
    found = {}
    for symbol in _about(state, command):
        instrument, own = refs.instruments.get(symbol), state.fees.get(symbol, state.fees.get(ALL))
        if instrument is None or own is None:
            continue
        maker = own.maker_fee_ppm
        if instrument.fee_formula is not NOTIONAL and maker < 0:
            maker = 0  # such a formula knows no rebate
        found[symbol] = msgspec.structs.replace(
            instrument, maker_fee_ppm=maker, taker_fee_ppm=own.taker_fee_ppm
        )
    if not found:
        return refs
    return msgspec.structs.replace(refs, instruments={**refs.instruments, **found})


def _about(state: AccountState, command: Any) -> list[Symbol]:
    asks = getattr(command, "asks", None)
    if asks is None:
        asks = (getattr(command, "ask", command),)
    symbols = dict.fromkeys(getattr(ask, "symbol", None) or ALL for ask in asks)
    order = state.working.get(getattr(command, "number", 0))
    if order is not None:
        symbols[order.symbol] = None
    if ALL in symbols:  # it may be about all that the account has
        symbols |= dict.fromkeys(order.symbol for order in state.working.values())
        symbols |= dict.fromkeys(state.fees)
        symbols |= dict.fromkeys(state.positions)
    return [symbol for symbol in symbols if symbol]


def roll(state: AccountState, command: RollSession, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    """What there is to do was done before, as by the first turn of any session day."""
    return (NothingToDo("the session day has begun"),)


def swap(state: AccountState, refs: TradingRefs) -> SwapCharged | None:
    """What its positions cost since the last session day that it knows."""
    days = refs.session_day - state.session_day
    if not state.positions or not refs.swaps or state.session_day < 0:
        return None
    charged = []
    for symbol, position in state.positions.items():
        swap, instrument = refs.swaps.get(symbol), refs.instruments.get(symbol)
        mark = refs.marks.get(symbol)
        if swap is None or instrument is None or mark is None:
            continue
        rate = swap.long_ppm if position.lots > 0 else swap.short_ppm
        worth = abs(contract_worth(instrument, mark, position.lots))
        units = -(-worth * rate * days // RATE_SCALE)  # up: against the account
        if units:
            charged.append(Charged(symbol, position.lots, mark.px, rate, instrument.quote, units))
    return SwapCharged(refs.session_day, days, tuple(charged)) if charged else None
