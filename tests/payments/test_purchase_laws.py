"""Laws of a purchase: in whatever order, and however often, a provider says what happened, it is
completed once, to the cent, and never is more given back than was paid."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.payments import events as ev
from fondaco.domain.payments.model import Evidence, Notice
from fondaco.domain.payments.prices import share
from fondaco.kernel.event import CommandId, Instant
from payments.desks import CENT, Told, notice, opening, replayed

laws = settings(max_examples=200, deadline=None)
TOTAL = 9_900


@st.composite
def stories(draw: st.DrawFn) -> list[Notice]:
    """What a provider says of one purchase that is paid in the end, in the order of its truth."""
    tries = range(draw(st.integers(0, 2)))
    said = [notice(f"no{nth}", "declined", reason="do_not_honor") for nth in tries]
    if draw(st.booleans()):
        said.append(notice("later", "pending"))
    said.append(notice("paid", "paid"))
    if draw(st.booleans()):
        said.append(notice("paid-too", "paid"))  # another type of event for the same money
    left = TOTAL
    for nth in range(draw(st.integers(0, 3))):
        cents = draw(st.integers(1, left)) if left else 0
        if cents:
            said.append(notice(f"back{nth}", "refunded", cents, reference=f"re_{nth}"))
            if draw(st.booleans()):  # the buyer's bank sends it back
                said.append(notice(f"fail{nth}", "refund_failed", cents, reference=f"re_{nth}"))
            left -= cents
    if left and draw(st.booleans()):
        said.append(notice("open", "dispute_opened", left, reference="dp_1", fee=15 * CENT))
        end = draw(st.sampled_from(["", "dispute_won", "dispute_lost"]))
        if end:
            said.append(notice("closed", end, left, reference="dp_1"))
    return said


@st.composite
def heard(draw: st.DrawFn) -> tuple[list[Notice], list[Notice]]:
    story = draw(stories())
    again = draw(st.lists(st.sampled_from(story), max_size=4))
    over = [notice("over", "expired")] if draw(st.booleans()) else []
    return story, draw(st.permutations([*story, *again, *over]))


def truth(told: Told) -> Any:
    state = told.state
    return (
        state.stage, state.payment, state.refunded, state.refundable, state.shown,
        sorted((name, each.amount, each.state) for name, each in state.disputes.items()),
    )  # fmt: skip


@laws
@given(heard())
def test_any_order_and_repetition_of_messages_completes_it_once(
    found: tuple[list[Notice], list[Notice]],
) -> None:
    story, order = found
    told, straight = Told(opening()), Told(opening())
    for each in order:
        told.hear(each)
    for each in story:
        straight.hear(each)
    assert len(told.of(ev.PurchaseCompleted)) == 1
    assert truth(told) == truth(straight)
    assert not told.of(ev.PaymentMismatched)
    assert replayed(told.events) == told.state  # what is kept is enough
    given_back = [each.reference for each in told.of(ev.Refunded)]
    assert len(given_back) == len(set(given_back))


def refund(refund_id: str, cents: int) -> ev.AskRefund:
    return ev.AskRefund(CommandId(refund_id), Instant(6), refund_id, cents * CENT, "so", "bob")


def total(events: list[Any], of: str) -> int:
    return sum(getattr(each, of) for each in events)


commands = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 2 * TOTAL)),
    st.tuples(st.just("done"), st.integers(0, 5)),
    st.tuples(st.just("fail"), st.integers(0, 5)),
    st.tuples(st.just("elsewhere"), st.integers(1, 2 * TOTAL)),
    st.tuples(st.just("dispute"), st.integers(1, TOTAL)),
    st.tuples(st.sampled_from(["dispute_won", "dispute_lost"]), st.just(0)),
)


@laws
@given(st.lists(commands, max_size=12))
def test_no_more_is_given_back_than_was_paid_and_parts_add_up(steps: list[tuple[str, int]]) -> None:
    opened = opening(tax=1_581 * CENT, commission=832 * CENT, affiliate="friend")
    told = Told(opened)
    told.hear(notice("paid", "paid"))
    for nth, (what, n) in enumerate(steps):
        asked = list(told.state.refunds)
        if what == "ask":
            told.ask(refund(f"rf_{nth}", n))
        elif what in ("done", "fail") and asked:
            name = asked[n % len(asked)]
            kind = "refunded" if what == "done" else "refund_failed"
            cents = told.state.refunds[name].amount // CENT
            told.hear(notice(f"n{nth}", kind, cents, refund_id=name, reference=f"re_{name}"))
        elif what == "elsewhere":
            told.hear(notice(f"n{nth}", "refunded", n, reference=f"re_{nth}"))
        elif what.startswith("dispute"):
            kind = "dispute_opened" if what == "dispute" else what
            told.hear(notice(f"n{nth}", kind, n, reference="dp_1"))
        state = told.state
        assert 0 <= state.refunded <= state.total
        assert state.refundable >= 0
        back, came = told.of(ev.Refunded), told.of(ev.RefundFailed)
        assert total(back, "amount") - total(came, "amount") == state.refunded
        for part, of in ((state.tax, "tax"), (state.commission, "commission")):
            gone = total(back, of) - total(came, of)
            assert gone == share(part, state.refunded, state.total, CENT)
            assert (gone == part) == (state.refunded == state.total) or not part
    assert replayed(told.events) == told.state


@laws
@given(st.integers(0, 20_000), st.sampled_from(["EUR", "USD"]))
def test_only_what_was_to_be_paid_to_the_cent_completes_it(cents: int, currency: str) -> None:
    told = Told(opening())
    said = Notice("n", "paid", "pi_1", "cs_1", cents * CENT, currency)
    told.hear(said)
    is_right = cents == TOTAL and currency == "EUR"
    assert bool(told.of(ev.PurchaseCompleted)) == is_right
    assert bool(told.of(ev.PaymentMismatched)) != is_right
    told.hear(notice("right", "paid"))
    assert len(told.of(ev.PurchaseCompleted)) == 1


def test_a_second_payment_is_told_and_changes_nothing() -> None:
    told = Told(opening())
    told.hear(notice("a", "paid"))
    found = told.hear(notice("b", "paid", payment="pi_2"))
    assert [(each.what, each.expected, each.found) for each in found] == [
        ("paid_twice", "pi_1", "pi_2")
    ]
    assert told.state.payment == "pi_1"


def test_what_costs_nothing_is_completed_without_a_provider() -> None:
    told = Told()
    told.ask(opening(total=0))
    assert told.state.shown == "completed"
    assert [each.provider for each in told.of(ev.PurchaseCompleted)] == ["none"]
    refused = told.ask(refund("rf_1", 0))
    assert refused[0].reason == "nothing_left"


def test_nothing_is_heard_of_what_nobody_has_opened() -> None:
    told = Told()
    assert [type(each) for each in told.hear(notice("a", "paid"))] == [ev.PurchaseRefused]


SAID = Evidence("a challenge", "traded on four days", "")
DUE = Instant(10**15)
answers = st.lists(
    st.sampled_from(["open", "ask", "taken", "refused", "stray", "dispute_won", "dispute_lost"]),
    max_size=12,
)


@laws
@given(answers)
def test_a_dispute_is_answered_once_while_it_is_open_and_never_after(steps: list[str]) -> None:
    told = Told(opening())
    told.hear(notice("paid", "paid"))
    said = notice("open", "dispute_opened", reference="dp_1")
    for nth, what in enumerate(steps):
        was = told.state.disputes.get("dp_1")
        before = (was.state, was.evidence) if was else None
        match what:
            case "open":
                found = told.ask(ev.HearNotice(CommandId(f"o{nth}"), Instant(5), said, DUE))
                assert [each.due_at for each in found if isinstance(each, ev.EvidenceDue)] == (
                    [] if was else [DUE]
                )
            case "ask":
                ask = ev.AskEvidence(
                    CommandId(f"a{nth}"), Instant(6), f"ev_{nth}", "dp_1", SAID, "x"
                )
                (event,) = told.ask(ask)
                may = before is not None and before[0] == "open" and before[1] in ("", "refused")
                assert isinstance(event, ev.EvidenceAsked) is may
            case "taken" | "refused":
                name, why = (was.evidence_id if was else ""), "no" if what == "refused" else ""
                (event,) = told.ask(
                    ev.RecordEvidence(CommandId(f"r{nth}"), Instant(7), name, "dp_1", why)
                )
                kind = ev.EvidenceRefused if why else ev.EvidenceSent
                assert isinstance(event, kind) is (before is not None and before[1] == "asked")
            case "stray":  # of evidence that was never asked for
                stray = ev.RecordEvidence(CommandId(f"s{nth}"), Instant(7), "ev_none", "dp_1", "")
                assert isinstance(told.ask(stray)[0], ev.NoticeNoted)
            case _:
                told.hear(notice(f"n{nth}", what, reference="dp_1"))
    assert len(told.of(ev.EvidenceSent)) <= 1
    assert replayed(told.events) == told.state


def test_the_time_to_answer_is_kept_of_a_dispute_that_was_faster_than_the_money() -> None:
    told = Told(opening())
    said = notice("open", "dispute_opened", reference="dp_1")
    told.ask(ev.HearNotice(CommandId("o"), Instant(5), said, DUE))
    assert [each.due_at for each in told.of(ev.EvidenceDue)] == [DUE]
    told.hear(notice("paid", "paid"))
    assert told.state.disputes["dp_1"].state == "open"
