"""Money between two accounts of a tenant, and virtual accounts that begin anew.

A transfer is two messages, as an order is: the amount leaves here and stands on the ledger's
clearing account, the other account books it or sends it back, and says so. A crash in between is
resolved by telling again: each account knows what it has heard of the other.
"""

from typing import Final

from fondaco.domain.trading.events import (
    AccountReset,
    CashWithdrawn,
    NothingToDo,
    ReceiveTransfer,
    ReportUnmatched,
    ResetAccount,
    ResetBalance,
    ReturnTransfer,
    SendTransfer,
    SettleTransfer,
    TradingEvent,
    TransferPosted,
    TransferReceived,
    TransferRefused,
    TransferReturned,
    TransferSent,
    TransferVoided,
    Withdraw,
)
from fondaco.domain.trading.model import AccountState, TradingRefs
from fondaco.domain.trading.rules import money
from fondaco.domain.trading.rules.holds import AMOUNT_MAX
from fondaco.domain.trading.rules.risk import decimals_of
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import AssetCode, parse_scaled

_NONE: Final = AssetCode("")


def send(state: AccountState, command: SendTransfer, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    """What may be withdrawn may be sent."""
    asked = Withdraw(command.command_id, command.at, command.asset, command.amount)
    [event] = money.withdraw(state, asked, refs)
    if not isinstance(event, CashWithdrawn):
        return (event,)
    return (
        TransferSent(
            state.transfer_count + 1,
            command.to,
            state.tenant,
            event.asset,
            event.units,
            event.value,
        ),
    )


def receive(
    state: AccountState, command: ReceiveTransfer, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    text = ""
    if not state.opened or state.tenant != command.tenant:
        text = "no such account was opened"
    elif command.units > AMOUNT_MAX - state.balances.get(command.asset, 0):
        text = "more than the ledger counts"
    if text:
        return (
            TransferReturned(command.source, command.number, command.asset, command.units, text),
        )
    value = money.value_of(command.units, command.asset, refs)
    return (TransferReceived(command.source, command.number, command.asset, command.units, value),)


def settle(
    state: AccountState, command: SettleTransfer, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    if command.number not in state.sent:
        return (ReportUnmatched(command.number, "no transfer of that number is on its way"),)
    return (TransferPosted(command.number),)


def take_back(
    state: AccountState, command: ReturnTransfer, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    sent = state.sent.get(command.number)
    if sent is None:
        return (ReportUnmatched(command.number, "no transfer of that number is on its way"),)
    return (TransferVoided(command.number, sent.asset, sent.units, sent.value, command.text),)


def reset(
    state: AccountState, command: ResetAccount, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """Only where nothing is at work: an order could fill, and a transfer come back, afterwards."""
    text = ""
    if not state.opened:
        text = "no such account was opened"
    elif not state.virtual:
        text = "only a virtual account can be reset"
    elif state.working:
        text = f"{len(state.working)} orders work: cancel them first"
    elif state.matched:
        text = f"fills of {len(state.matched)} orders wait for their confirmation"
    elif state.sent:
        text = f"{len(state.sent)} transfers are on their way"
    if text:
        return (TransferRefused(_NONE, text, "0"),)
    after: dict[AssetCode, int] = {}
    for asset, amount in command.balances:
        units = _units(asset, amount, refs)
        if isinstance(units, TransferRefused):
            return (units,)
        after[asset] = units
    changed = tuple(
        ResetBalance(asset, state.balances.get(asset, 0), after.get(asset, 0))
        for asset in (*state.balances, *(new for new in after if new not in state.balances))
        if state.balances.get(asset, 0) != after.get(asset, 0)
    )
    if not changed:
        return (NothingToDo("these are its balances"),)
    values = [money.value_of(units, asset, refs) for asset, units in after.items() if units]
    return (AccountReset(changed, -1 if -1 in values else money.fits(sum(values))),)


def _units(asset: AssetCode, amount: str, refs: TradingRefs) -> int | TransferRefused:
    if asset not in refs.assets:
        return TransferRefused(asset, f"{asset} is not kept here", "0")
    try:
        units = parse_scaled(amount, decimals_of(refs, asset), "amount")
    except Invalid as error:
        return TransferRefused(asset, error.message, "0")
    if not 0 <= units <= AMOUNT_MAX:
        return TransferRefused(asset, f"amount is {amount}, must be from 0 to 2^61 units", "0")
    return units
