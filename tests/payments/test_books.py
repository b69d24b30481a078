"""What purchases and payouts post, and what a comparison with the provider's books finds."""

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.ledger.model import add_up, trial_balance
from fondaco.domain.payments import events as ev
from fondaco.domain.payments.model import payout_stream, purchase_stream
from fondaco.domain.payments.payouts import rules as payouts
from fondaco.domain.payments.postings import (
    COMMISSIONS,
    DISPUTED,
    PAYOUTS,
    POSTERS,
    SALES,
    TAX,
    affiliate,
    provider,
)
from fondaco.domain.payments.reconciling import BookLine, reconciled
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId
from fondaco.kernel.money import AssetCode
from payments.desks import CENT, ID, NoRefs, Told, opening
from payments.test_purchase_laws import heard

laws = settings(max_examples=150, deadline=None)
EUR: Final = AssetCode("EUR")
TILL: Final = provider("sandbox")
FRIEND: Final = affiliate("acme", "friend")


def posted(stream: StreamId, events: list[Any]) -> dict[Any, int]:
    postings = [
        posting
        for nth, event in enumerate(events, 1)
        if type(event) in POSTERS
        for posting in POSTERS[type(event)](
            Entry(stream, nth, nth, CommandId("c"), Instant(nth), 0, event)
        )
    ]
    assert all(posting.units > 0 for posting in postings)
    balances = add_up(postings)
    assert set(trial_balance(balances).values()) <= {0}
    return balances


@laws
@given(heard())
def test_what_is_posted_of_a_purchase_is_what_the_provider_holds_to_the_cent(
    found: tuple[list[Any], list[Any]],
) -> None:
    _, order = found
    told = Told(opening(tax=1_581 * CENT, commission=832 * CENT, affiliate="friend"))
    for each in order:
        told.hear(each)
    state, balances = told.state, posted(purchase_stream(ID), told.events)
    fees = sum(each.fee for each in told.of(ev.DisputeOpened))
    held = state.total - state.refunded - state.lost - fees
    assert balances.get((TILL, EUR), 0) == held
    is_open = any(each.state == "open" for each in state.disputes.values())
    assert balances.get((DISPUTED, EUR), 0) == (state.lost if is_open else 0)
    assert balances.get((COMMISSIONS, EUR), 0) == -balances.get((FRIEND, EUR), 0)
    if state.refunded == state.total:
        assert not any(balances.get((each, EUR)) for each in (SALES, TAX, COMMISSIONS, FRIEND))


settlings = st.lists(
    st.tuples(st.sampled_from(["", "", "closed", "reversed"]), st.integers(1, 3)), max_size=8
)


@laws
@given(settlings, st.integers(1, 3))
def test_a_payout_is_ordered_and_paid_at_most_once(said: list[Any], times: int) -> None:
    stream = payout_stream("po_1")
    state, events = payouts.initial(stream), list[Any]()
    order = ev.PayOut(
        CommandId("o"), Instant(1), "acme", "ada", "as_1", 700 * CENT, "EUR", "acct_1"
    )
    settle = [
        ev.SettlePayout(CommandId(f"s{nth}"), Instant(2), f"tr_{n}", reason, "")
        for nth, (reason, n) in enumerate(said)
    ]
    for command in [order] * times + settle + [order]:
        for event in payouts.decide(state, command, NoRefs()):
            state = payouts.evolve(state, event)
            events.append(event)
    count = {kind: sum(isinstance(each, kind) for each in events) for kind in (
        ev.PayoutOrdered, ev.PayoutPaid, ev.PayoutFailed)}  # fmt: skip
    assert count[ev.PayoutOrdered] == 1
    assert count[ev.PayoutPaid] <= 1
    assert count[ev.PayoutFailed] <= 1
    balance = posted(stream, events).get((PAYOUTS, EUR), 0)
    assert balance == (700 * CENT if state.state == "paid" else 0)


def test_nothing_is_no_payout() -> None:
    stream = payout_stream("po_2")
    order = ev.PayOut(CommandId("o"), Instant(1), "acme", "ada", "as_1", 0, "EUR")
    (event,) = payouts.decide(payouts.initial(stream), order, NoRefs())
    assert (type(event), getattr(event, "reason", "")) == (ev.PayoutFailed, "amount")


# --- The provider's books -------------------------------------------------------------------------

DAY: Final = 1_000
names = st.tuples(st.sampled_from(["sale", "refund"]), st.integers(0, 6))
books = st.dictionaries(
    names, st.tuples(st.integers(1, 3), st.integers(0, 3 * DAY - 1)), max_size=8
)


def lines(found: dict[Any, Any]) -> list[BookLine]:
    return [
        BookLine(kind, f"r{n}", amount, "EUR", at, f"pu_{n}")
        for (kind, n), (amount, at) in found.items()
    ]


@laws
@given(books, books)
def test_each_movement_of_the_day_is_the_same_missing_or_of_another_amount(
    here: dict[Any, Any], there: dict[Any, Any]
) -> None:
    """The middle day of three is judged: naively, key by key."""
    found = reconciled(lines(here), lines(there), DAY, 2 * DAY)

    def is_of_the_day(side: dict[Any, Any], key: Any) -> bool:
        return key in side and DAY <= side[key][1] < 2 * DAY

    missing_here = {key for key in there if is_of_the_day(there, key) and key not in here}
    missing_there = {key for key in here if is_of_the_day(here, key) and key not in there}
    both = {key for key in there if is_of_the_day(there, key) and key in here}
    differ = {key for key in both if here[key][0] != there[key][0]}
    assert {(each.kind, int(each.reference[1:])) for each in found.missing_here} == missing_here
    assert {(each.kind, int(each.reference[1:])) for each in found.missing_there} == missing_there
    assert {(each.ours.kind, int(each.ours.reference[1:])) for each in found.differ} == differ
    assert found.compared == len(both - differ)
    assert found.is_right == (not (missing_here or missing_there or differ))
