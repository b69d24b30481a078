"""The chart of accounts, a posting, and books in which transfers wait for their second phase.

A posting names both of its sides, so that it cannot be out of balance: whatever is debited is
credited, in the same asset, in the same row. Which events post what is said by the room that
publishes them; this room adds up. A book is a stream of this room's own: accounts, and transfers
between them that are posted at once or in two phases, with the semantics and the words of
TigerBeetle (docs/coding/two-phase-transfers.md).

| account | what is on it |
|---|---|
| `account/<id>` | what a client owns: debits are what came in |
| `outside/transfers` | the banks and chains that deposits come from and withdrawals go to |
| `clearing/<mic>` | between a fill that the account has booked and the execution its venue has |
| `market/<mic>` | the other side of what was executed at a venue |
| `house/fees` | what the house has charged |
| `clearing/transfers` | what one account has sent and the other has not booked |
| `house/virtual` | what virtual accounts were given and lost when they were reset |
| `house/rounding` | what was left over where a cost was not whole units |
| `house/swap` | what positions were charged, or credited, for being kept overnight |
| `house/losses` | what accounts owed and could not pay, and what was taken from them for it |
| `ledger/<tenant>/<book>/<name>` | an account of a tenant's own book |
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NewType, Protocol, TypeAlias

import msgspec

from fondaco.kernel.event import Entry, Event, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode

LedgerAccount = NewType("LedgerAccount", str)

OUTSIDE: Final = LedgerAccount("outside/transfers")
FEES: Final = LedgerAccount("house/fees")
IN_TRANSIT: Final = LedgerAccount("clearing/transfers")
VIRTUAL: Final = LedgerAccount("house/virtual")
ROUNDING: Final = LedgerAccount("house/rounding")
SWAP: Final = LedgerAccount("house/swap")
LOSSES: Final = LedgerAccount("house/losses")
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


# --- Books --------------------------------------------------------------------------------------

BookAccount = NewType("BookAccount", str)  # its name within its book

PREFIX: Final = "ledger/"
AMOUNT_MAX: Final = 1 << 61  # of any balance: it fits 64 bits, with room to add two of them


def book_stream(tenant: str, book: str) -> StreamId:
    return StreamId(f"{PREFIX}{tenant}/{book}")


def book_of(stream: StreamId) -> tuple[str, str]:
    """Whose book it is, and its name."""
    tenant, _, book = stream.removeprefix(PREFIX).partition("/")
    return tenant, book


def account_in(stream: StreamId, name: BookAccount) -> LedgerAccount:
    """An account of a book in the chart of accounts."""
    return LedgerAccount(f"{stream}/{name}")


class BookReason(StrEnum):
    """Why a book refused, by TigerBeetle's names, in the order in which we look. Add values; never
    rename one."""

    UNKNOWN_ASSET = "unknown_asset"  # the house keeps no such asset
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = "flags_are_mutually_exclusive"  # both limits on one account
    EXISTS_WITH_DIFFERENT_FLAGS = "exists_with_different_flags"  # the account is open otherwise
    AMOUNT_INVALID = "amount_invalid"  # no positive number of the asset's decimals
    TIMEOUT_RESERVED_FOR_PENDING_TRANSFER = (
        "timeout_reserved_for_pending_transfer"  # only what is pending can expire
    )
    ACCOUNTS_MUST_BE_DIFFERENT = "accounts_must_be_different"  # debit and credit are the same
    DEBIT_ACCOUNT_NOT_FOUND = "debit_account_not_found"  # open it first
    CREDIT_ACCOUNT_NOT_FOUND = "credit_account_not_found"  # open it first
    ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER = (
        "accounts_must_have_the_same_ledger"  # that is, the same asset
    )
    PENDING_TRANSFER_NOT_FOUND = "pending_transfer_not_found"  # no transfer has that number
    PENDING_TRANSFER_NOT_PENDING = "pending_transfer_not_pending"  # it was posted in one phase
    PENDING_TRANSFER_ALREADY_POSTED = "pending_transfer_already_posted"  # resolved once, for good
    PENDING_TRANSFER_ALREADY_VOIDED = "pending_transfer_already_voided"  # resolved once, for good
    PENDING_TRANSFER_EXPIRED = "pending_transfer_expired"  # its timeout has passed
    EXCEEDS_PENDING_TRANSFER_AMOUNT = "exceeds_pending_transfer_amount"  # post it or less
    OVERFLOWS_DEBITS = "overflows_debits"  # more than the ledger counts
    OVERFLOWS_CREDITS = "overflows_credits"  # more than the ledger counts
    EXCEEDS_CREDITS = "exceeds_credits"  # debits_must_not_exceed_credits, pending ones counted
    EXCEEDS_DEBITS = "exceeds_debits"  # credits_must_not_exceed_debits, pending ones counted
    LINKED_EVENT_FAILED = "linked_event_failed"  # sound itself, but another of its chain was not


class Account(msgspec.Struct, gc=False, array_like=True):
    """Four sums in ledger units of its asset. What is pending is set aside, and moved by nothing
    but its second phase."""

    asset: AssetCode
    decimals: int
    debits_must_not_exceed_credits: bool = False
    credits_must_not_exceed_debits: bool = False
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


class Pending(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A transfer whose amount is set aside on both sides until it is posted, voided or expires."""

    debit: BookAccount
    credit: BookAccount
    units: int
    expires_at: Instant = Instant(0)  # 0: never


# What became of each transfer of a book, a byte for each, so that nothing resolves twice however
# long ago it was.
IS_PENDING: Final = ord("?")
IS_SINGLE: Final = ord("=")  # posted in one phase
IS_POSTED: Final = ord("+")
IS_VOIDED: Final = ord("-")
IS_EXPIRED: Final = ord("x")


class BookState(msgspec.Struct):
    """State of one book. Only `evolve` writes to it."""

    accounts: dict[BookAccount, Account] = {}
    pending: dict[int, Pending] = {}  # by number
    due: dict[int, dict[int, bool]] = {}  # pending ones by the instant at which they expire
    fates: bytearray = msgspec.field(default_factory=bytearray)  # of transfers 1, 2, 3 …


class BookRefs(Protocol):
    """What a book is given besides state and command."""

    @property
    def version(self) -> int: ...

    @property
    def assets(self) -> Mapping[AssetCode, Asset]: ...


# --- Standing checks ----------------------------------------------------------------------------

CHECKS_STREAM: Final = StreamId("checks/house")
TRIAL_BALANCE: Final = "trial_balance"
POSTINGS: Final = "postings"
CONSERVATION: Final = "asset_conservation"
PENDING: Final = "pending"
STANDING: Final = "clearing"
REPLAY: Final = "views_equal_replay"
READABLE: Final = "readable"
DAYS: Final = "days"
OWN_VENUE: Final = "own_venue"

# What each standing check says while it holds.
SAYS: Final = {
    TRIAL_BALANCE: "Debits equal credits in every asset, over all accounts of the ledger.",
    POSTINGS: "Every balance of the ledger is the sum of its postings.",
    CONSERVATION: "Clients own what the ledger says, asset by asset.",
    PENDING: "What books have set aside is what their pending transfers say.",
    STANDING: "Nothing has stood on a clearing account for a minute or longer.",
    OWN_VENUE: "Whatever was bought on the house's own book was sold there: nothing is over.",
    REPLAY: "Accounts replayed from the journal, a few each round, are what the views show.",
    DAYS: "Balances are what the last session day they moved on closed with.",
    READABLE: "Journal and views can be read.",
}

WRONG_MAX: Final = 20  # sentences kept of a check that fails; the last says how many more there are


class Found(msgspec.Struct, frozen=True, gc=False):
    """What one standing check found: nothing where it holds."""

    name: str
    wrong: tuple[str, ...] = ()


class ChecksState(msgspec.Struct):
    """Which standing checks fail, and what was found when they began to."""

    failing: dict[str, tuple[str, ...]] = {}
