"""Money between accounts, settlement, and virtual accounts that begin anew: asked and happened."""

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Command, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode


class SendTransfer(Command, frozen=True, gc=False):
    """To another account of the same tenant, which whoever asks has checked."""

    to: StreamId
    asset: AssetCode
    amount: str


class ReceiveTransfer(Command, frozen=True, gc=False):
    """What another account has sent: its stream, and the number that it gave the transfer."""

    source: StreamId
    tenant: str
    number: int
    asset: AssetCode
    units: int


class SettleTransfer(Command, frozen=True, gc=False):
    """The other account has booked what was sent to it."""

    number: int


class ReturnTransfer(Command, frozen=True, gc=False):
    """The other account would not have it."""

    number: int
    text: str


class SettleFills(Command, frozen=True, gc=False):
    """Time has passed: whatever is due at `at` settles."""


class ResetAccount(Command, frozen=True, gc=False):
    """Of a virtual account: these are its balances from here on; it has nothing else."""

    balances: tuple[tuple[AssetCode, str], ...]


class AccountMadeVirtual(Event, frozen=True, gc=False, tag="trading.account_made_virtual.v1"):
    """Nothing in the account is anybody's money. It was opened so, and stays so."""


class TransferSent(Event, frozen=True, gc=False, tag="trading.transfer_sent.v1"):
    """The amount has left this account and is on its way: pending until the other one answers."""

    number: int  # 1, 2, 3 … within the account
    to: StreamId
    tenant: str
    asset: AssetCode
    units: int
    value: int  # in the account's currency, so that daily loss does not see it; -1: not known


class TransferReceived(Event, frozen=True, gc=False, tag="trading.transfer_received.v1"):
    """What another account sent has come in."""

    source: StreamId
    number: int  # as the source counts
    asset: AssetCode
    units: int
    value: int


class TransferReturned(Event, frozen=True, gc=False, tag="trading.transfer_returned.v1"):
    """What another account sent is not taken: it goes back."""

    source: StreamId
    number: int
    asset: AssetCode
    units: int
    text: str


class TransferPosted(Event, frozen=True, gc=False, tag="trading.transfer_posted.v1"):
    """The other account has what this one sent."""

    number: int


class TransferVoided(Event, frozen=True, gc=False, tag="trading.transfer_voided.v1"):
    """What was sent came back."""

    number: int
    asset: AssetCode
    units: int
    value: int
    text: str


class ResetBalance(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Ledger units of one asset, before and after."""

    asset: AssetCode
    before: int
    after: int


class FillUnsettled(Event, frozen=True, gc=False, tag="trading.fill_unsettled.v1"):
    """What a fill has brought in is traded, and not settled: it may be traded with, but does not
    leave the account."""

    number: int  # of the order
    exec_number: int
    symbol: Symbol
    asset: AssetCode
    units: int
    settles_at: Instant


class Settled(msgspec.Struct, frozen=True, gc=False, array_like=True):
    asset: AssetCode
    units: int


class FillsSettled(Event, frozen=True, gc=False, tag="trading.fills_settled.v1"):
    """All fills that were due at `settles_at` are settled."""

    settles_at: Instant
    settled: tuple[Settled, ...]


class AccountReset(Event, frozen=True, gc=False, tag="trading.account_reset.v1"):
    """A virtual account begins anew, with these balances and no history of gains."""

    balances: tuple[ResetBalance, ...]  # every asset that has changed
    value: int  # of all that it has now, in its currency; -1: not known
