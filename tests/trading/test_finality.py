"""Matched is not settled (S5): a fill that its chain fails leaves no position and no lock."""

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

import build as b
from build import BTC, BTC_USD, USD, Scenario, deposit, fill, given, placed, withdraw
from fondaco.domain.ledger.model import LedgerAccount, Posting, add_up, trial_balance
from fondaco.domain.market.model import Finality
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import Side
from fondaco.domain.trading.postings import Postings
from fondaco.kernel.event import CommandId, Entry, Event, Instant, StreamId

FINAL = (Finality.CONFIRMED, Finality.FAILED)
TERMS = msgspec.structs.replace(b.btc_usd(maker=1_000, taker=2_000), confirms=True)


def said(word: str, nth: int = 1, *, number: int = 1) -> ev.RecordFinality:
    return ev.RecordFinality(
        CommandId(f"f{word}"), Instant(1), number, nth, Finality(word), "the chain says so", "feed"
    )


def bought(lots: int = 1_000) -> Scenario:
    """One BTC for 100.00 and 0.20 of 1,000.00 USD, which nobody has confirmed."""
    order = placed(b.ask(order_qty="2"))
    return given(deposit("1000"), using=b.refs(btc=TERMS)).when(order, fill(lots=lots))


# The states of figure S5: BTC that are free, USD that were spent, BTC that are locked, in units

ENDS = [
    ("", 0, 10_020, 1),
    ("MATCHED MINED", 0, 10_020, 1),
    ("MATCHED MINED CONFIRMED", 1, 10_020, 0),
    ("MATCHED FAILED", 0, 0, 0),
    ("MATCHED MINED RETRYING FAILED", 0, 0, 0),
    ("MATCHED RETRYING MINED CONFIRMED", 1, 10_020, 0),
    ("MATCHED FAILED CONFIRMED", 0, 0, 0),  # what is final stays so
    ("CONFIRMED", 1, 10_020, 0),
    ("MATCHED CONFIRMED MATCHED FAILED", 1, 10_020, 0),
]


@pytest.mark.parametrize(("words", "free", "spent", "locked"), ENDS)
def test_a_position_is_what_was_confirmed(words: str, free: int, spent: int, locked: int) -> None:
    scene = bought().when(b.cancel(), b.ended())
    for word in words.split():
        scene.when(said(word))
    assert scene.state.free(BTC) == free * 10**9
    assert scene.state.held[BTC] == locked * 10**9
    assert scene.state.balances[USD] == 1_000 * 10**8 - spent * 10**6
    assert scene.state.held[USD] == 0
    assert bool(scene.state.matched) == bool(locked)


def test_what_is_not_confirmed_is_neither_sold_nor_withdrawn() -> None:
    scene = bought()
    scene.when(placed(b.ask("s", side=Side.SELL, order_qty="0.1")))
    assert scene.only(ev.OrderRejected).reason == "exceeds_position"
    scene.when(withdraw("0.1", BTC)).then(ev.TransferRefused)
    scene.when(said("CONFIRMED")).then(ev.FillConfirmed)
    scene.when(placed(b.ask("s", side=Side.SELL, order_qty="0.1"))).then(ev.OrderAccepted)
    scene.when(fill(3, 100, side=Side.SELL)).then(ev.OrderFilled, ev.FillMatched)
    before = scene.state.balances[USD]
    scene.when(withdraw(str(before // 10**8))).then(ev.TransferRefused)  # 9.98 are not ours yet
    scene.when(said("FAILED", number=3)).then(ev.FillFailed)
    assert scene.state.balances[USD] == before - 998 * 10**6
    assert scene.state.free(BTC) == 10**9


def test_a_trade_that_nobody_knows_or_that_is_final_changes_nothing() -> None:
    scene = bought()
    scene.when(said("FAILED", 9)).then(ev.ReportUnmatched)
    scene.when(said("FAILED", number=7)).then(ev.ReportUnmatched)
    scene.when(said("FAILED")).then(ev.FillFailed)
    scene.when(said("FAILED")).then(ev.ReportUnmatched)


def test_an_instrument_that_needs_no_confirmation_is_as_it_was() -> None:
    scene = given(deposit("1000")).when(placed(b.ask()), fill()).then(ev.OrderFilled)
    assert scene.state.free(BTC) == 10**9


@settings(max_examples=100, deadline=None)
@for_all(
    st.lists(
        st.tuples(st.sampled_from([*Finality, None]), st.integers(1, 4), st.integers(1, 400)),
        max_size=40,
    )
)
def test_no_failed_match_leaves_a_position_or_a_lock(
    told: list[tuple[Finality | None, int, int]],
) -> None:
    """In any order, said any number of times: the first final word counts, and nothing else; and
    the ledger has what the account has, in balance."""
    order = placed(b.ask(order_qty="2"))
    written: list[tuple[StreamId, Event]] = [
        (HOUSE_STREAM, InstrumentListed(TERMS, b.ASSETS[BTC], b.ASSETS[USD], "test")),
        (b.A1, ev.CashDeposited(USD, 1_000 * 10**8, 0)),
    ]
    scene = given(deposit("1000"), using=b.refs(btc=TERMS)).when(order)
    fills: dict[int, int] = {}
    ends: dict[int, Finality] = {}
    for word, nth, lots in told:
        if word is None:
            if nth in fills or sum(fills.values()) + lots > 2_000:
                continue
            fills[nth] = lots
            scene.when(fill(1, lots, nth=nth))
        else:
            scene.when(said(word, nth))
            if nth in fills and word in FINAL:
                ends.setdefault(nth, word)
        written += [(b.A1, event) for event in scene.events]
    stands = sum(lots for nth, lots in fills.items() if ends.get(nth) is not Finality.FAILED)
    locked = sum(lots for nth, lots in fills.items() if nth not in ends)
    assert scene.state.balances.get(BTC, 0) == stands * 10**6
    assert scene.state.held.get(BTC, 0) == locked * 10**6
    posters = Postings().posters()
    postings: list[Posting] = []
    for place, (stream, event) in enumerate(written, 1):
        entry = Entry(stream, place, place, CommandId("c"), Instant(1), 1, event)
        if type(event) in posters:
            postings += posters[type(event)](entry)
    books = add_up(postings)
    assert set(trial_balance(books).values()) <= {0}
    for asset in (USD, BTC):
        units = books.get((LedgerAccount(b.A1), asset), 0)
        assert units == scene.state.balances.get(asset, 0)


def test_the_symbol_of_these_tests_confirms() -> None:
    assert bought().using.instruments[BTC_USD].confirms
