"""Figures Z1 to Z8: two-phase and linked transfers as TigerBeetle publishes them
(docs/coding/two-phase-transfers.md and the currency-exchange recipe)."""

import pytest

from fondaco.domain.ledger.events import TransferExpired, TransferPending
from fondaco.domain.ledger.rules.books import SECOND_NS
from ledger.book import INR, Book, reason, transfer

NOTHING = (0, 0, 0, 0)


@pytest.fixture
def book() -> Book:
    """123 pend from B to A: A is debited, B credited."""
    book = Book("A", "B")
    book.create(transfer("1.23", pending=True, timeout_s=60))
    return book


def test_z1_a_pending_transfer_sets_aside_and_posts_nothing(book: Book) -> None:
    assert book["A"] == (123, 0, 0, 0)
    assert book["B"] == (0, 0, 123, 0)


@pytest.mark.parametrize("amount", [None, "1.23"])
def test_z2_posted_in_full(book: Book, amount: str | None) -> None:
    book.post(1, amount)
    assert book["A"] == (0, 123, 0, 0)
    assert book["B"] == (0, 0, 0, 123)


def test_z3_posted_in_part_and_the_rest_goes_back(book: Book) -> None:
    book.post(1, "1.00")
    assert book["A"] == (0, 100, 0, 0)
    assert book["B"] == (0, 0, 0, 100)


def test_z4_voided_or_expired_everything_goes_back(book: Book) -> None:
    book.void(1)
    assert book["A"] == book["B"] == NOTHING
    book.create(transfer("1.23", pending=True, timeout_s=60))
    assert not isinstance(book.expire(60 * SECOND_NS - 1)[-1], TransferExpired)
    assert book["A"] == (123, 0, 0, 0)
    assert isinstance(book.expire(60 * SECOND_NS)[-1], TransferExpired)
    assert book["A"] == book["B"] == NOTHING


def test_z5_more_than_is_pending_is_not_posted(book: Book) -> None:
    assert reason(book.post(1, "1.24")) == "exceeds_pending_transfer_amount"
    assert book["A"] == (123, 0, 0, 0)


def test_z6_what_is_resolved_is_not_resolved_again(book: Book) -> None:
    for _ in range(2):
        book.create(transfer("1.23", pending=True, timeout_s=60))
    book.post(1)
    book.void(2)
    book.expire(60 * SECOND_NS)
    named = {
        1: "pending_transfer_already_posted",
        2: "pending_transfer_already_voided",
        3: "pending_transfer_expired",
        4: "pending_transfer_not_found",
    }
    for number, name in named.items():
        assert reason(book.post(number)) == name
        assert reason(book.void(number)) == name
    assert book["A"] == (0, 123, 0, 0)
    book.create(transfer("1"))
    assert reason(book.post(4)) == "pending_transfer_not_pending"


def test_z6_a_timeout_holds_though_nobody_has_looked_at_the_clock(book: Book) -> None:
    """Whoever asks first at or after the instant finds it expired."""
    book.at = type(book.at)(60 * SECOND_NS)
    assert reason(book.post(1)) == "pending_transfer_expired"
    assert book["A"] == book["B"] == NOTHING


def test_z7_the_pending_transfer_fails_and_not_its_second_phase() -> None:
    book = Book("B")
    book.open("A", debits=True)
    book.create(transfer("1.00", "B", "A"))
    book.create(transfer("0.70", "A", "B"))
    assert book["A"] == (0, 70, 0, 100)
    refused = book.create(transfer("0.50", pending=True))[-1]
    assert reason(refused) == "exceeds_credits"
    assert refused.limit == "0.3"  # type: ignore[union-attr]
    assert book["A"] == (0, 70, 0, 100)
    assert isinstance(book.create(transfer("0.30", pending=True))[-1], TransferPending)
    assert reason(book.create(transfer("0.01"))[-1]) == "exceeds_credits"  # pending counts
    book.post(2 + 1)
    assert book["A"] == (0, 100, 0, 100)


def test_z8_a_currency_exchange_is_linked_and_all_or_nothing() -> None:
    """100.00 USD at 82.42135 are 8,242.135 INR, 824214 paise rounded up; the fee is 10 cents."""
    book = Book("usd:client", "usd:bank", "usd:fees")
    for name in ("inr:client", "inr:bank"):
        book.open(name, INR)
    paise = -(-10_000 * 8_242_135 // 100_000)
    assert paise == 824_214
    exchange = (
        transfer("100.00", "usd:client", "usd:bank"),
        transfer("8242.14", "inr:bank", "inr:client"),
        transfer("0.10", "usd:client", "usd:fees"),
    )
    before = {name: book[name] for name in book.state.accounts}
    wrong = book.create(*exchange[:2], transfer("0.10", "usd:client", "inr:bank"))[-1]
    assert reason(wrong) == "accounts_must_have_the_same_ledger"
    assert wrong.leg == 2  # type: ignore[union-attr]
    assert {name: book[name] for name in book.state.accounts} == before
    book.create(*exchange)
    assert book["usd:client"] == (0, 10_010, 0, 0)
    assert book["usd:bank"] == (0, 0, 0, 10_000)
    assert book["usd:fees"] == (0, 0, 0, 10)
    assert book["inr:client"] == (0, 0, 0, 824_214)
