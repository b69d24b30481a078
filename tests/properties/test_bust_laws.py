"""What a venue takes back has never been: the same money, fees, positions and holds; and an order
that was corrected is as if it had executed so. Written down, nothing changes: entries are added."""

from copy import deepcopy
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

import build as b
from build import BTC, BTC_USD, USD, Scenario, bust, deposit, fill, given, on_margin, placed
from fondaco.app.assessments.verify import Book
from fondaco.domain.ledger.model import LedgerAccount, Posting, add_up, trial_balance
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM, OWN_MICS, InstrumentKind
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import AccountState, Order, OrdStatus, Side
from fondaco.domain.trading.postings import Postings
from fondaco.domain.venues.crossing.model import PREFIX as CROSSING
from fondaco.domain.venues.events import OrderExecuted
from fondaco.domain.venues.midpoint.model import PREFIX as MIDPOINT
from fondaco.domain.venues.model import PREFIX as PAPER
from fondaco.domain.venues.pooling.model import PREFIX as POOLING
from fondaco.domain.venues.routed.events import ExecutionBusted
from fondaco.kernel.event import CommandId, Entry, Event, Instant, StreamId

# A lot costs a ten-thousandth of a ledger unit per tick, so that every fill is rounded.
TERMS = msgspec.structs.replace(
    b.btc_usd(maker=137, taker=2_331, lot="0.000000001", tick="0.001"), mic="BRKR"
)
USING = b.refs(btc=TERMS)
THERE = StreamId("venue/BRKR/BTC-USD")


class Told(NamedTuple):
    """One execution, and whether it is taken back, and what it was instead."""

    number: int
    lots: int
    px: int
    is_maker: bool
    is_none: bool
    instead: Fill | None


lots = st.integers(1, 40_000)
prices = st.integers(1, 100_000)
told = st.builds(
    Told,
    st.sampled_from([1, 2]),
    lots,
    prices,
    st.booleans(),
    st.booleans(),
    st.none() | st.builds(Fill, prices, lots),
)
sides = st.sampled_from([Side.BUY, Side.SELL])


def orders(side: Side, begun: Scenario) -> Scenario:
    """Two that none of the executions above completes, at a limit that all of them keep to."""
    price = "100.000" if side is Side.BUY else "0.001"
    asks = [b.ask(f"o{n}", side=side, price=price, order_qty="0.001") for n in (1, 2)]
    return begun.when(*map(placed, asks))


def booked(scene: Scenario, side: Side, each: Told, nth: int) -> None:
    scene.when(fill(each.number, each.lots, each.px, nth=nth, side=side, is_maker=each.is_maker))
    scene.then(ev.OrderFilled)


def seen(state: AccountState) -> object:
    """All of it, but for how many reports were heard."""
    plain = deepcopy(state)
    plain.missing = {}
    for orders_ in (plain.working, plain.ended):
        for order in orders_.values():
            order.last_exec = 0
            if isinstance(order, Order) and order.ord_status is OrdStatus.PARTIALLY_FILLED:
                order.ord_status = OrdStatus.NEW if not order.cum_lots else order.ord_status
    for fills in plain.executed.values():
        fills[:] = [
            msgspec.structs.replace(each, exec_number=0, gross=0, fee=0, fee_exact=0)
            for each in fills
        ]
    plain.executed = {number: fills for number, fills in plain.executed.items() if fills}
    return {name: getattr(plain, name) for name in plain.__struct_fields__}


def without(side: Side, story: list[Told], *, ends: bool = False) -> tuple[Scenario, Scenario]:
    """A life with its busts, and one in which what was taken back had never been."""
    one, other = orders(side, given(using=USING)), orders(side, given(using=USING))
    for nth, each in enumerate(story, 1):
        booked(one, side, each, nth)
        if not each.is_none:
            booked(other, side, each, nth)
    if ends:
        for scene in (one, other):
            scene.when(b.cancel(1), b.ended(1), b.cancel(2), b.ended(2))
    for nth, each in enumerate(story, 1):
        if each.is_none:
            one.when(bust(each.number, nth, nth=100 + nth, side=side)).then(ev.FillBusted)
    return one, other


@settings(max_examples=60, deadline=None)
@for_all(sides, st.lists(told, max_size=8), st.booleans())
def test_what_was_taken_back_has_never_been(side: Side, story: list[Told], ends: bool) -> None:
    one, other = without(side, story, ends=ends)
    assert seen(one.state) == seen(other.state)


@settings(max_examples=40, deadline=None)
@for_all(sides, st.lists(told, min_size=1, max_size=6), st.booleans())
def test_a_correction_is_a_bust_and_a_fill(side: Side, story: list[Told], ends: bool) -> None:
    """Under one event; and the money is that of a bust told first and an execution told next."""
    one, other = orders(side, given(using=USING)), orders(side, given(using=USING))
    for nth, each in enumerate(story, 1):
        for scene in (one, other):
            booked(scene, side, each, nth)
    if ends:
        for scene in (one, other):
            scene.when(b.cancel(1), b.ended(1), b.cancel(2), b.ended(2))
    for nth, each in enumerate(story, 1):
        to, number, new = each.instead, each.number, 100 + 2 * nth
        if to is None:
            continue
        one.when(bust(number, nth, nth=new, to=to, side=side, is_maker=each.is_maker))
        one.then(ev.FillCorrected)
        other.when(bust(number, nth, nth=new - 1, side=side))
        other.when(fill(number, to.lots, to.px, nth=new, side=side, is_maker=each.is_maker))
    assert seen(one.state) == seen(other.state)


@settings(max_examples=40, deadline=None)
@for_all(st.lists(st.tuples(sides, told), max_size=8), st.booleans())
def test_on_margin_all_of_it_is_worth_the_same(
    story: list[tuple[Side, Told]], is_contract: bool
) -> None:
    """Lots are those that were never taken back, and cash less what the position has cost is too:
    at any price the account is worth the same. Where nothing was sold, all is as if never."""
    kind = InstrumentKind.LINEAR if is_contract else TERMS.kind
    using = b.refs(btc=msgspec.structs.replace(TERMS, kind=kind), margins={BTC_USD: MARGIN})
    scenes = [
        orders(Side.SELL, orders_to_buy(on_margin(deposit("100000"), using=using)))
        for _ in range(2)
    ]
    one, other = scenes
    for nth, (side, each) in enumerate(story, 1):
        number = each.number + (2 if side is Side.SELL else 0)
        as_told = each._replace(number=number)
        booked(one, side, as_told, nth)
        if not each.is_none:
            booked(other, side, as_told, nth)
    for nth, (side, each) in enumerate(story, 1):
        if each.is_none:
            number = each.number + (2 if side is Side.SELL else 0)
            one.when(bust(number, nth, nth=100 + nth, side=side)).then(ev.FillBusted)
    kept, never = (scene.state.positions.get(BTC_USD) for scene in scenes)
    assert (kept.lots if kept else 0) == (never.lots if never else 0)
    cost, never_cost = kept.cost if kept else 0, never.cost if never else 0
    cash, never_cash = (scene.state.balances[USD] for scene in scenes)
    if is_contract:
        assert cash - cost == never_cash - never_cost
    else:
        assert (cash, one.state.balances.get(BTC, 0)) == (
            never_cash,
            other.state.balances.get(BTC, 0),
        )
    if {side for side, _ in story} <= {Side.BUY}:
        assert (cash, cost) == (never_cash, never_cost)
    assert one.state.open_lots == other.state.open_lots


@settings(max_examples=40, deadline=None)
@for_all(st.lists(st.tuples(sides, told), max_size=8), st.booleans())
def test_the_script_of_a_dispute_pack_hears_what_was_taken_back(
    story: list[tuple[Side, Told]], is_contract: bool
) -> None:
    """From bytes of entries alone, it comes to what the account has."""
    kind = InstrumentKind.LINEAR if is_contract else TERMS.kind
    using = b.refs(btc=msgspec.structs.replace(TERMS, kind=kind), margins={BTC_USD: MARGIN})
    scene = orders(Side.SELL, orders_to_buy(on_margin(deposit("100000"), using=using)))
    book = Book({})
    book.units = {str(asset): units for asset, units in scene.state.balances.items()}

    def heard() -> None:
        for event in scene.events:
            tag, *fields = msgspec.msgpack.decode(msgspec.msgpack.encode(event))
            book.hear(tag, fields)

    for nth, (side, each) in enumerate(story, 1):
        number = each.number + (2 if side is Side.SELL else 0)
        booked(scene, side, each._replace(number=number), nth)
        heard()
    for nth, (side, each) in enumerate(story, 1):
        if each.is_none or each.instead is not None:
            number = each.number + (2 if side is Side.SELL else 0)
            to = None if each.is_none else each.instead
            scene.when(bust(number, nth, nth=100 + nth, to=to, side=side))
            heard()
    held = scene.state.positions.get(BTC_USD)
    assert {a: u for a, u in book.units.items() if u} == {
        a: u for a, u in scene.state.balances.items() if u
    }
    assert book.lots.get(BTC_USD, 0) == (held.lots if held else 0)
    assert (book.cost.get(BTC_USD, 0) if held else 0) == (held.cost if held else 0)


MARGIN = b.tiers((0, 100_000, 50_000, 0))


def orders_to_buy(begun: Scenario) -> Scenario:
    asks = [b.ask(f"b{n}", side=Side.BUY, price="100.000", order_qty="0.001") for n in (1, 2)]
    return begun.when(*map(placed, asks))


@settings(max_examples=40, deadline=None)
@for_all(sides, st.lists(told, max_size=6))
def test_the_books_balance_and_nothing_is_left_between(side: Side, story: list[Told]) -> None:
    """Venue and account have posted the same; the ledger has what the account has."""
    scene = orders(side, given(using=USING))
    written: list[tuple[StreamId, Event]] = [
        (HOUSE_STREAM, InstrumentListed(TERMS, b.ASSETS[BTC], b.ASSETS[USD], "test")),
        (b.A1, ev.CashDeposited(USD, 10_000 * 10**8, 0)),
        (b.A1, ev.CashDeposited(BTC, 10 * 10**9, 0)),
    ]
    for nth, each in enumerate(story, 1):
        booked(scene, side, each, nth)
        was = Fill(each.px, each.lots)
        executed = OrderExecuted(b.A1, each.number, nth, BTC_USD, side, (was,), False, 1)
        written += [(THERE, executed), *((b.A1, event) for event in scene.events)]
    for nth, each in enumerate(story, 1):
        if not each.is_none and each.instead is None:
            continue
        new, was = 100 + nth, Fill(each.px, each.lots)
        scene.when(bust(each.number, nth, nth=new, to=each.instead, side=side))
        what = (b.A1, each.number, new, nth, BTC_USD, side, was, each.instead, False, 1, "")
        written += [(THERE, ExecutionBusted(*what)), *((b.A1, event) for event in scene.events)]
    posters = Postings().posters(OrderExecuted, ExecutionBusted)
    postings: list[Posting] = []
    for place, (stream, event) in enumerate(written, 1):
        if type(event) in posters:
            entry = Entry(stream, place, place, CommandId("c"), Instant(1), 1, event)
            postings += posters[type(event)](entry)
    books = add_up(postings)
    assert set(trial_balance(books).values()) <= {0}
    for asset in (USD, BTC):
        assert books.get((LedgerAccount(b.A1), asset), 0) == scene.state.balances[asset]
        assert not books.get((LedgerAccount("clearing/BRKR"), asset), 0)


# --- Examples -----------------------------------------------------------------------------------


def bought(*lots_: int) -> Scenario:
    scene = given(using=b.refs(btc=msgspec.structs.replace(b.btc_usd(taker=1_000), mic="BRKR")))
    scene.when(placed(b.ask(order_qty="10")))
    for nth, each in enumerate(lots_, 1):
        scene.when(fill(lots=each, nth=nth))
    return scene


def test_a_filled_order_stays_done_with_less() -> None:
    """FIX 4.4, order state matrices: what is done has no LeavesQty, whatever is taken back."""
    scene = bought(4_000, 6_000).when(bust(1, 2))
    event = scene.only(ev.FillBusted)
    assert (event.cum_lots, event.leaves_lots, event.hold) == (4_000, 0, 0)
    assert scene.state.ended[1].ord_status is OrdStatus.CANCELED
    assert scene.state.balances[USD] == (10_000 - 400) * 10**8 - 40_000_000
    assert not scene.state.held[USD]


def test_one_that_works_has_that_much_more_to_execute() -> None:
    scene = bought(4_000).when(bust(1, 1))
    order = scene.order()
    assert (order.ord_status, order.cum_lots, order.leaves_lots) == (OrdStatus.NEW, 0, 10_000)
    assert scene.state.held[USD] == 1_001 * 10**8
    scene.when(fill(lots=10_000, nth=10)).then(ev.OrderFilled)
    assert scene.state.ended[1].ord_status is OrdStatus.FILLED


def test_a_corrected_price_moves_the_difference() -> None:
    scene = bought(10_000).when(bust(1, 1, to=Fill(99_00, 10_000)))
    event = scene.only(ev.FillCorrected)
    assert event.ord_status is OrdStatus.FILLED
    assert (event.fill.over, event.bust.ref_number) == (0, 1)
    assert scene.state.balances[USD] == (10_000 - 990) * 10**8 - 99_000_000


@pytest.mark.parametrize("asked", [bust(1, 7), bust(3, 1), bust(1, 1, side=Side.SELL)])
def test_what_is_not_known_is_not_taken_back(asked: ev.RecordBust) -> None:
    scene = bought(4_000)
    before = seen(scene.state)
    scene.when(asked).then(ev.ReportUnmatched)
    assert seen(scene.state) == before


def test_it_is_taken_back_once() -> None:
    bought(4_000).when(bust(1, 1), bust(1, 1, nth=10)).then(ev.ReportUnmatched)


def test_a_correction_that_does_not_fit_leaves_the_bust() -> None:
    """It was to buy at 100.00 at most."""
    scene = bought(4_000).when(bust(1, 1, to=Fill(101_00, 4_000)))
    scene.then(ev.FillBusted, ev.ReportUnmatched)
    assert scene.order().cum_lots == 0


def test_the_house_knows_its_own_venues() -> None:
    own = {prefix.split("/")[1] for prefix in (PAPER, CROSSING, MIDPOINT, POOLING)}
    assert own == OWN_MICS
