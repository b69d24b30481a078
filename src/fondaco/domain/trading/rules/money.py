"""Opening, deposits, withdrawals, limits and trading states; and the trading day that rolls."""

from typing import Final

import msgspec

from fondaco.domain.trading.events import (
    AccountMadeVirtual,
    AccountOpened,
    CashDeposited,
    CashWithdrawn,
    LimitsSet,
    NothingToDo,
    OpenAccount,
    RecordDeposit,
    SessionRolled,
    SetLimits,
    SetTradingState,
    TradingEvent,
    TradingStateSet,
    TransferRefused,
    Withdraw,
)
from fondaco.domain.trading.model import AccountState, AccountType, TradingRefs
from fondaco.domain.trading.rules.holds import AMOUNT_MAX
from fondaco.domain.trading.rules.margin import free_margin
from fondaco.domain.trading.rules.risk import decimals_of, valued
from fondaco.domain.trading.rules.settlement import settled_of
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import AssetCode, format_scaled, parse_scaled

MARGIN: Final = AccountType.MARGIN
_TEXT_MAX = 64


def rolled(state: AccountState, refs: TradingRefs) -> SessionRolled | None:
    """The first event of the first turn in a new session. While something that the account has
    cannot be valued, the session waits, and the daily loss rule refuses for want of a mark."""
    worth = valued(state, refs)
    return None if worth is None else SessionRolled(refs.session_day, fits(worth[0]))


def open_account(
    state: AccountState, command: OpenAccount, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    if state.opened:
        return (NothingToDo("the account is open"),)
    opened = AccountOpened(
        command.tenant, refs.currency, command.name, account_type=command.account_type
    )
    rolled = SessionRolled(refs.session_day, 0)
    return (opened, AccountMadeVirtual(), rolled) if command.virtual else (opened, rolled)


def deposit(
    state: AccountState, command: RecordDeposit, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    units = _units(state, command.asset, command.amount, refs)
    if isinstance(units, TransferRefused):
        return (units,)
    room = AMOUNT_MAX - state.balances.get(command.asset, 0)
    if units > room:
        text, limit = "more than the ledger counts", _text(room, command.asset, refs)
        return (TransferRefused(command.asset, text, limit),)
    return (CashDeposited(command.asset, units, value_of(units, command.asset, refs)),)


def withdraw(state: AccountState, command: Withdraw, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    units = _units(state, command.asset, command.amount, refs)
    if isinstance(units, TransferRefused):
        return (units,)
    if state.account_type is MARGIN:
        free, text = _withdrawable(state, command.asset, refs), "more than margin leaves free"
    else:
        free, text = max(state.free(command.asset), 0), "more than is free"
    if command.asset in state.unsettled:
        free, text = min(free, settled_of(state, command.asset)), "more than is free and settled"
    if units > free:
        limit = _text(free, command.asset, refs)
        return (TransferRefused(command.asset, text, limit),)
    return (CashWithdrawn(command.asset, units, value_of(units, command.asset, refs)),)


def _withdrawable(state: AccountState, asset: AssetCode, refs: TradingRefs) -> int:
    """The most of a balance without which everything that works stays covered. Nothing is lent to
    be withdrawn; nothing leaves an account that is being liquidated or cannot be valued."""

    def left(units: int) -> int:
        less = {**state.balances, asset: state.balances.get(asset, 0) - units}
        found = free_margin(msgspec.structs.replace(state, balances=less), refs)
        return -1 if found is None else found

    fails = max(state.balances.get(asset, 0), 0) + 1
    if state.liquidating or left(0) < 0:
        return 0
    passes = 0
    while fails - passes > 1:
        middle = (passes + fails) // 2
        passes, fails = (middle, fails) if left(middle) >= 0 else (passes, middle)
    return passes


def set_limits(
    state: AccountState, command: SetLimits, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    return (LimitsSet(command.limits, command.reason),)


def set_trading_state(
    state: AccountState, command: SetTradingState, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    return (TradingStateSet(command.state, command.reason, command.by),)


def _units(
    state: AccountState, asset: AssetCode, amount: str, refs: TradingRefs
) -> int | TransferRefused:
    """`amount` in ledger units, or why it cannot be moved at all."""
    if not state.opened:
        return TransferRefused(asset, "no such account was opened", "0")
    if asset not in refs.assets:
        return TransferRefused(asset, f"{asset} is not kept here", "0")
    if len(amount) > _TEXT_MAX:
        return TransferRefused(asset, f"an amount has at most {_TEXT_MAX} signs", "0")
    try:
        units = parse_scaled(amount, decimals_of(refs, asset), "amount")
    except Invalid as error:
        return TransferRefused(asset, error.message, "0")
    if units <= 0:
        return TransferRefused(asset, f"amount is {amount}, must be positive", "0")
    return units


def value_of(units: int, asset: AssetCode, refs: TradingRefs) -> int:
    rate = refs.rates.get(asset)
    return -1 if rate is None else fits(units * rate.num // rate.den)


def fits(units: int) -> int:
    """Within what the journal's codec can hold."""
    return min(max(units, -AMOUNT_MAX), AMOUNT_MAX)


def _text(units: int, asset: AssetCode, refs: TradingRefs) -> str:
    return format_scaled(units, decimals_of(refs, asset))
