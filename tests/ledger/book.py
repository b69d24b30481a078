"""A book without a house: commands in, events and the state out."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

from fondaco.domain.ledger.events import (
    BookCommand,
    BookEvent,
    BookRefused,
    CreateTransfers,
    ExpireTransfers,
    Leg,
    OpenBookAccount,
    PostPending,
    Transfer,
    VoidPending,
)
from fondaco.domain.ledger.model import Account, BookAccount, BookState, book_stream
from fondaco.domain.ledger.rules import books
from fondaco.kernel.event import CommandId, Instant
from fondaco.kernel.money import Asset, AssetCode

USD, INR = AssetCode("USD"), AssetCode("INR")
ASSETS: Final[Mapping[AssetCode, Asset]] = {
    USD: Asset(USD, 2, 2, "cash"),
    INR: Asset(INR, 2, 2, "cash"),
}
STREAM: Final = book_stream("demo", "b")
REFS: Any = SimpleNamespace(version=1, assets=ASSETS)
NO_CAUSE: Final = CommandId("")


def transfer(
    amount: str,
    debit: str = "A",
    credit: str = "B",
    *,
    pending: bool = False,
    timeout_s: int = 0,
) -> Transfer:
    return Transfer(BookAccount(debit), BookAccount(credit), amount, pending, timeout_s)


class Book:
    """Amounts are read and shown in hundredths, as the figures have them."""

    def __init__(self, *accounts: str, asset: AssetCode = USD) -> None:
        self.state: BookState = books.initial(STREAM)
        self.at = Instant(0)
        for name in accounts:
            self.open(name, asset)

    def open(
        self, name: str, asset: AssetCode = USD, *, debits: bool = False, credits: bool = False
    ) -> BookEvent:
        """With `debits` they must not exceed credits, and the other way round."""
        return self.ask(
            OpenBookAccount(NO_CAUSE, self.at, BookAccount(name), asset, debits, credits)
        )[-1]

    def ask(self, command: BookCommand) -> tuple[BookEvent, ...]:
        events = books.decide(self.state, command, REFS)
        assert events, "every command leaves a trace"
        for event in events:
            self.state = books.evolve(self.state, event)
        return events

    def create(self, *legs: Leg) -> tuple[BookEvent, ...]:
        return self.ask(CreateTransfers(NO_CAUSE, self.at, legs))

    def post(self, number: int, amount: str | None = None) -> BookEvent:
        return self.create(PostPending(number, amount))[-1]

    def void(self, number: int) -> BookEvent:
        return self.create(VoidPending(number))[-1]

    def expire(self, at: int) -> tuple[BookEvent, ...]:
        self.at = Instant(at)
        return self.ask(ExpireTransfers(NO_CAUSE, self.at))

    def __getitem__(self, name: str) -> tuple[int, int, int, int]:
        """Debits pending and posted, credits pending and posted."""
        return sums(self.state.accounts[BookAccount(name)])


def sums(account: Account) -> tuple[int, int, int, int]:
    return (
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
    )


def reason(event: BookEvent) -> str:
    assert isinstance(event, BookRefused), event
    return str(event.reason)
