"""What is an account's own: fees in place of an instrument's, and what a night costs it."""

import msgspec
import pytest

import build as b
from build import (
    BTC_USD,
    ETH_USD,
    USD,
    Scenario,
    buy,
    deposit,
    fill,
    given,
    mark,
    on_margin,
    placed,
    refs,
    tiers,
)
from fondaco.domain.ledger.model import SWAP, LedgerAccount, moved
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM, Swap, Symbol
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import Side, TradingRefs
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.rules.terms import own_terms
from fondaco.kernel.event import CommandId, Entry, Instant

CENT = 1_000_000
FEES = b.btc_usd(maker=1_000, taker=2_000)


def own(maker: int, taker: int, symbol: str = "") -> ev.SetOwnFees:
    fees = ev.OwnFees(maker, taker)
    return ev.SetOwnFees(CommandId(f"f{symbol}"), Instant(1), fees, "a friend", Symbol(symbol))


def bought(*first: ev.SetOwnFees, symbol: str = BTC_USD, is_maker: bool = False) -> int:
    """The fee of one BTC, or ETH, at 100.00."""
    scene = given(deposit("1000"), *first, using=refs(btc=FEES))
    scene.when(placed(b.ask(symbol=symbol)), fill(1, symbol=symbol, is_maker=is_maker))
    assert scene.state.held[USD] == 0
    return scene.only(ev.OrderFilled).fee


@pytest.mark.parametrize(
    ("first", "symbol", "is_maker", "cents"),
    [
        ((), BTC_USD, False, 20),
        ((), BTC_USD, True, 10),
        ((own(300, 500),), BTC_USD, False, 5),
        ((own(300, 500),), ETH_USD, True, 3),
        ((own(-100, 500),), BTC_USD, True, -1),  # a rebate
        ((own(300, 500, BTC_USD),), ETH_USD, False, 20),
        ((own(300, 500), own(0, 100, BTC_USD)), BTC_USD, False, 1),  # what is named goes first
        ((own(300, 500), own(0, 100, BTC_USD)), ETH_USD, False, 5),
    ],
)
def test_an_account_is_charged_its_own_fees(
    first: tuple[ev.SetOwnFees, ...], symbol: str, is_maker: bool, cents: int
) -> None:
    assert bought(*first, symbol=symbol, is_maker=is_maker) == cents * CENT


def test_fees_are_given_and_taken_back_once() -> None:
    scene = given(using=refs(btc=FEES)).when(own(300, 500)).then(ev.OwnFeesSet)
    scene.when(own(300, 500)).then(ev.NothingToDo)
    none = msgspec.structs.replace(own(0, 0), fees=None)
    scene.when(none).then(ev.OwnFeesSet)
    assert scene.state.fees == {}
    scene.when(none).then(ev.NothingToDo)
    scene.when(own(1, 1, "NONE-USD")).then(ev.NothingToDo)


def test_what_is_held_is_held_by_the_accounts_own_fees() -> None:
    """A limit of 100.00 holds its own taker's fee, which a cancel gives back."""
    for first, fee in ((), 20), ((own(300, 500),), 5):
        scene = given(deposit("1000"), *first, using=refs(btc=FEES)).when(buy())
        assert scene.order().hold == 100_00 * CENT + fee * CENT
        scene.when(b.cancel(), b.ended())
        assert scene.state.held[USD] == 0


def test_a_fill_of_a_resting_order_is_charged_by_the_fees_of_that_moment() -> None:
    scene = given(deposit("1000"), using=refs(btc=FEES)).when(buy())
    scene.when(own(300, 500), fill(lots=500))
    assert scene.only(ev.OrderFilled).fee == 5 * CENT // 2


def test_refs_stay_what_they_are() -> None:
    scene = given(own(300, 500), using=refs(btc=FEES))
    changed = own_terms(scene.state, buy(), scene.using)
    assert changed.instruments[BTC_USD].taker_fee_ppm == 500
    assert scene.using.instruments[BTC_USD].taker_fee_ppm == 2_000


# Overnight


def short(using: TradingRefs, side: Side = Side.SELL) -> Scenario:
    """One BTC at 100.00, sold short or bought, on margin."""
    scene = on_margin(using=using)
    scene.when(placed(b.ask(side=side)), fill(side=side))
    assert scene.state.positions[BTC_USD].lots == (1_000 if side is Side.BUY else -1_000)
    return scene


def night(day: int, *, px: str = "100.00") -> TradingRefs:
    using = refs(mark(px), mark(symbol=ETH_USD), margins={BTC_USD: tiers((0, 200_000, 100_000, 0))})
    using.swaps = {BTC_USD: Swap(long_ppm=150, short_ppm=-50)}
    using.session_day = day
    return using


@pytest.mark.parametrize(
    ("side", "day", "px", "units"),
    [
        (Side.BUY, 1, "100.00", 15 * CENT // 10),  # 150 ppm of 100.00
        (Side.BUY, 3, "100.00", 45 * CENT // 10),  # three nights, whenever it is asked
        (Side.BUY, 1, "110.00", 165 * CENT // 100),  # of what it is worth now
        (Side.SELL, 1, "100.00", -5 * CENT // 10),  # credited
        (Side.BUY, 0, "100.00", 0),
    ],
)
def test_a_position_is_charged_for_each_night(side: Side, day: int, px: str, units: int) -> None:
    scene = short(night(0), side)
    before = scene.state.balances[USD]
    scene.when(ev.RollSession(CommandId("roll"), Instant(9)), using=night(day, px=px))
    assert scene.state.balances[USD] == before - units
    if not units:
        assert not [each for each in scene.events if isinstance(each, ev.SwapCharged)]
        return
    event = scene.only(ev.SwapCharged)
    assert (event.day, event.days) == (day, day)
    scene.when(ev.RollSession(CommandId("roll"), Instant(9)))
    scene.then(ev.NothingToDo)  # once
    posters = Postings(
        [
            Entry(
                HOUSE_STREAM, 1, 1, CommandId("c"), Instant(1), 1,
                InstrumentListed(b.btc_usd(), b.ASSETS[b.BTC], b.ASSETS[USD], ""),
            )
        ]
    ).posters()  # fmt: skip
    entry = Entry(b.A1, 9, 9, CommandId("c"), Instant(9), 1, event)
    assert list(posters[ev.SwapCharged](entry)) == [moved(SWAP, LedgerAccount(b.A1), USD, units)]


def test_who_trades_first_in_the_morning_is_charged_first() -> None:
    scene = short(night(0), Side.BUY)
    scene.when(placed(b.ask("o2", order_qty="0.1")), using=night(1))
    scene.then(ev.SwapCharged, ev.SessionRolled, ev.OrderAccepted)


def test_cash_accounts_and_instruments_without_a_swap_cost_nothing_overnight() -> None:
    roll = ev.RollSession(CommandId("roll"), Instant(9))
    scene = given(using=night(0)).when(buy(), fill()).when(roll, using=night(1))
    scene.then(ev.SessionRolled, ev.NothingToDo)
    free = night(1)
    free.swaps = {}
    short(night(0)).when(roll, using=free).then(ev.SessionRolled, ev.NothingToDo)
