"""The chart of accounts, and a posting: units of one asset from one account to another.

A posting names both of its sides, so that it cannot be out of balance: whatever is debited is
credited, in the same asset, in the same row. Which events post what is said by the room that
publishes them; this room adds up.

| account | what is on it |
|---|---|
| `account/<id>` | what a client owns: debits are what came in |
| `outside/transfers` | the banks and chains that deposits come from and withdrawals go to |
| `clearing/<mic>` | between a fill that the account has booked and the execution its venue has |
| `market/<mic>` | the other side of what was executed at a venue |
| `house/fees` | what the house has charged |
| `house/rounding` | what was left over where a cost was not whole units |
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NewType, TypeAlias

import msgspec

from fondaco.kernel.event import Entry, Event
from fondaco.kernel.money import AssetCode

LedgerAccount = NewType("LedgerAccount", str)

OUTSIDE: Final = LedgerAccount("outside/transfers")
FEES: Final = LedgerAccount("house/fees")
ROUNDING: Final = LedgerAccount("house/rounding")
CLIENT: Final = "account/"  # the stream of a client's account is the name of its ledger account
CLEARING: Final = "clearing/"
MARKET: Final = "market/"


def clearing(mic: str) -> LedgerAccount:
    return LedgerAccount(CLEARING + mic)


def market(mic: str) -> LedgerAccount:
    return LedgerAccount(MARKET + mic)


class Posting(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`units`, in ledger units and above zero, go from `credit` to `debit`."""

    debit: LedgerAccount
    credit: LedgerAccount
    asset: AssetCode
    units: int


Poster: TypeAlias = Callable[[Entry], Sequence[Posting]]
Posters: TypeAlias = Mapping[type[Event], Poster]


def moved(debit: LedgerAccount, credit: LedgerAccount, asset: AssetCode, units: int) -> Posting:
    """A posting of `units`; negative ones, such as a rebate, go the other way."""
    if units < 0:
        return Posting(credit, debit, asset, -units)
    return Posting(debit, credit, asset, units)


Balances: TypeAlias = dict[tuple[LedgerAccount, AssetCode], int]


def add_up(postings: Iterable[Posting]) -> Balances:
    """Debits less credits of every account and asset."""
    balances: Balances = {}
    for p in postings:
        debit, credit = (p.debit, p.asset), (p.credit, p.asset)
        balances[debit] = balances.get(debit, 0) + p.units
        balances[credit] = balances.get(credit, 0) - p.units
    return balances


def trial_balance(balances: Balances) -> dict[AssetCode, int]:
    """The sum of all accounts by asset. Each is zero, or the books are wrong."""
    totals: dict[AssetCode, int] = {}
    for (_, asset), units in balances.items():
        totals[asset] = totals.get(asset, 0) + units
    return totals


def uncleared(balances: Balances) -> Balances:
    """What stands on clearing accounts: nothing, once both sides of every trade are applied."""
    return {key: units for key, units in balances.items() if units and key[0].startswith(CLEARING)}
