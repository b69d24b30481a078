"""What books and standing checks accept, and what they publish. Other rooms may rely on it."""

from typing import TypeAlias

import msgspec

from fondaco.domain.ledger.model import BookAccount, BookReason, Found
from fondaco.kernel.event import Command, Event, Instant
from fondaco.kernel.money import AssetCode

# --- What is asked of a book. Amounts are text: only an account's asset says what they are --------


class OpenBookAccount(Command, frozen=True, gc=False):
    account: BookAccount
    asset: AssetCode
    debits_must_not_exceed_credits: bool = False
    credits_must_not_exceed_debits: bool = False


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """From `credit` to `debit`; where `pending`, in two phases. `timeout_s` 0: it never expires."""

    debit: BookAccount
    credit: BookAccount
    amount: str
    pending: bool = False
    timeout_s: int = 0
    reference: str = ""


class PostPending(msgspec.Struct, frozen=True, gc=False):
    """The second phase: all of it, or `amount`; the rest goes back."""

    number: int
    amount: str | None = None


class VoidPending(msgspec.Struct, frozen=True, gc=False):
    """The second phase that moves nothing."""

    number: int


Leg: TypeAlias = Transfer | PostPending | VoidPending


class CreateTransfers(Command, frozen=True, gc=False):
    """A chain of linked legs, each of which sees what those before it did: all of them or none."""

    legs: tuple[Leg, ...]


class ExpireTransfers(Command, frozen=True, gc=False):
    """Whatever is due goes back."""


# --- What happened in a book --------------------------------------------------------------------


class BookAccountOpened(Event, frozen=True, gc=False, tag="ledger.account_opened.v1"):
    account: BookAccount
    asset: AssetCode
    decimals: int  # of the asset, for ever
    debits_must_not_exceed_credits: bool
    credits_must_not_exceed_debits: bool


class TransferMade(Event, frozen=True, gc=False, tag="ledger.transfer_made.v1"):
    """Posted in one phase."""

    number: int  # 1, 2, 3 … within the book
    debit: BookAccount
    credit: BookAccount
    asset: AssetCode
    decimals: int
    units: int
    reference: str


class TransferPending(Event, frozen=True, gc=False, tag="ledger.transfer_pending.v1"):
    """The amount is set aside on both sides; nothing is posted."""

    number: int
    debit: BookAccount
    credit: BookAccount
    asset: AssetCode
    decimals: int
    units: int
    reference: str
    expires_at: Instant  # 0: never


class TransferPosted(Event, frozen=True, gc=False, tag="ledger.transfer_posted.v1"):
    """Of `set_aside`, `units` were posted, and the rest went back."""

    number: int
    debit: BookAccount
    credit: BookAccount
    asset: AssetCode
    decimals: int
    units: int
    set_aside: int


class TransferVoided(Event, frozen=True, gc=False, tag="ledger.transfer_voided.v1"):
    """All that was set aside went back."""

    number: int
    debit: BookAccount
    credit: BookAccount
    asset: AssetCode
    decimals: int
    set_aside: int


class TransferExpired(Event, frozen=True, gc=False, tag="ledger.transfer_expired.v1"):
    """Nobody resolved it in time: all that was set aside went back."""

    number: int
    debit: BookAccount
    credit: BookAccount
    asset: AssetCode
    decimals: int
    set_aside: int


class BookRefused(Event, frozen=True, gc=False, tag="ledger.refused.v1"):
    """Nothing of the command was done. `leg` is the first that failed, counted from 0."""

    reason: BookReason
    text: str
    leg: int
    limit: str  # the most that would have passed, where the reason measures something


class NothingDue(Event, frozen=True, gc=False, tag="ledger.nothing_due.v1"):
    """The trace that a command left; the book is as it was."""

    text: str


BookCommand: TypeAlias = OpenBookAccount | CreateTransfers | ExpireTransfers
BookEvent: TypeAlias = (
    BookAccountOpened
    | TransferMade
    | TransferPending
    | TransferPosted
    | TransferVoided
    | TransferExpired
    | BookRefused
    | NothingDue
)


# --- Standing checks ----------------------------------------------------------------------------


class RecordChecks(Command, frozen=True, gc=False):
    """What a round of standing checks found, of the views as they stood at `position`."""

    found: tuple[Found, ...]
    position: int


class CheckFailed(Event, frozen=True, gc=False, tag="checks.check_failed.v1"):
    """A standing check that held does not hold any more: a person must look."""

    name: str
    wrong: tuple[str, ...]
    position: int  # at which the views stood


class CheckCleared(Event, frozen=True, gc=False, tag="checks.check_cleared.v1"):
    """A standing check that failed holds again."""

    name: str
    position: int


class ChecksUnchanged(Event, frozen=True, gc=False, tag="checks.checks_unchanged.v1"):
    position: int


ChecksEvent: TypeAlias = CheckFailed | CheckCleared | ChecksUnchanged
