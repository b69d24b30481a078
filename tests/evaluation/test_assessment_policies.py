"""What payments make of assessments, and what assessments ask of payments."""

from typing import Any, Final

import msgspec
import pytest

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import assessment_id_of, assessment_stream
from fondaco.domain.evaluation.assessments.policies import policies
from fondaco.domain.evaluation.model import fingerprint
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.payments import events as pay
from fondaco.domain.payments.model import Product, payout_stream, purchase_stream
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import FillBusted
from fondaco.domain.trading.model import AccountId, OrdStatus, Side, account_stream
from fondaco.kernel.event import CommandId, Entry, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode

PURCHASE: Final = "pu_5f2c9a1b4d3e60785f2c9a1b"
OWN: Final = assessment_id_of(PURCHASE)
OTHER: Final = "asm-0123456789abcdef"
TIER: Final = tier_of(text_of("two-step-100k"))


def told(stream: StreamId, event: Event, version: int = 7) -> list[Any]:
    entry = Entry(stream, version, 99, CommandId("x#1"), Instant(5), 0, event)
    messages = [m for each in policies[type(event)] for m in each(entry, Instant(6))]
    again = [m for each in policies[type(event)] for m in each(entry, Instant(6))]
    assert messages == again  # told once more it is the same
    for _, command in messages:
        assert command.command_id == f"{stream}@{version}"
    return messages


def bought(purpose: Any, of: str = "") -> Any:
    terms = msgspec.json.encode(TIER)
    product = Product(TIER.name, 1, fingerprint(TIER), TIER.title, 1, "USD", purpose, of, terms)
    return pay.PurchaseCompleted(
        PURCHASE, "acme", "tim", product, 1, "USD", Instant(4), "pi", "sandbox", 0, "", "", 0, "n"
    )


@pytest.mark.parametrize(
    ("purpose", "of", "kind"),
    [
        ("assessment", "", ev.CreateAssessment),
        ("reset", OTHER, ev.ResetAssessment),
        ("extension", OTHER, ev.ExtendAssessment),
        ("upgrade", OTHER, ev.UpgradeAssessment),
    ],
)
def test_a_purchase_makes_its_own_assessment_or_changes_the_one_it_names(
    purpose: str, of: str, kind: type[Any]
) -> None:
    [(stream, command)] = told(purchase_stream(PURCHASE), bought(purpose, of))
    assert stream == assessment_stream(of or OWN)
    assert type(command) is kind
    assert command.source == PURCHASE


def test_what_is_paid_back_or_disputed_is_stopped() -> None:
    stream = purchase_stream(PURCHASE)
    part = pay.Refunded("", "r", 1, "USD", 1, False, 0, "", 0, "acme", "sandbox", "n")
    assert told(stream, part) == []
    [(to, ended)] = told(stream, msgspec.structs.replace(part, is_whole=True))
    assert (to, type(ended)) == (assessment_stream(OWN), ev.AbandonAssessment)
    opened = pay.DisputeOpened("d", 1, "USD", "fraud", 0, "sandbox", "n")
    assert [type(command) for _, command in told(stream, opened)] == [ev.FreezeAssessment]
    for is_won, kind in ((True, ev.ThawAssessment), (False, ev.AbandonAssessment)):
        closed = pay.DisputeClosed("d", is_won, 1, "USD", "sandbox", "n")
        assert [type(command) for _, command in told(stream, closed)] == [kind]


def test_a_payout_that_was_agreed_to_is_paid_once_and_heard_of() -> None:
    agreed = ev.PayoutAgreed(3, 9, 8, AssetCode("USD"), "acme", "tim", "rita", Instant(4))
    [(stream, command)] = told(assessment_stream(OTHER), agreed)
    assert stream == payout_stream(f"{OTHER}-3")
    assert (command.assessment_id, command.amount) == (OTHER, 8)
    name = f"{OTHER}-3"
    paid = pay.PayoutPaid(name, "acme", "tim", OTHER, 8, "USD", "po", Instant(5), "n")
    failed = pay.PayoutFailed(name, "acme", "tim", OTHER, 8, "USD", "po", "closed", False, "n")
    for event, is_paid in ((paid, True), (failed, False)):
        [(to, note)] = told(payout_stream(name), event)
        assert (to, note.number, note.paid) == (assessment_stream(OTHER), 3, is_paid)


def test_a_trade_that_is_taken_back_is_heard_of_by_the_assessment_alone_and_opens_nothing() -> None:
    usd, btc = AssetCode("USD"), AssetCode("BTC")
    bust = FillBusted(
        3, Symbol("BTC-USD"), Side.BUY, 9, 8, 1, 1, False, 1, 1, 0, 0, 0, 0, 0, OrdStatus.CANCELED,
        btc, usd, 0, 0, False, False, 0, 0, "none",
    )  # fmt: skip
    own = account_stream(AccountId(f"{OTHER}-1"))
    [(to, noted)] = told(own, bust)
    assert (to, type(noted)) == (assessment_stream(OTHER), ev.NoteTrade)
    assert (noted.account, noted.order, noted.opens) == (f"{OTHER}-1", 3, False)
    assert told(account_stream(AccountId("demo")), bust) == []
