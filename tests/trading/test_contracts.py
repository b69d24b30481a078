"""Event contracts and their money: fees as published, and what an outcome pays, to whom, once."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

import build as b
from build import USD, Scenario, deposit, ended, fill, given, opened, placed
from fondaco.domain.ledger.model import Balances, Posting, add_up, trial_balance
from fondaco.domain.market.wires import kalshi, polymarket
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import (
    HOUSE_STREAM,
    FeeFormula,
    Instrument,
    Outcome,
    Stage,
    Symbol,
)
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Fill, SettleContract, TradingEvent
from fondaco.domain.trading.model import AccountType, Rate, Side, TradingRefs
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.refs import group
from fondaco.domain.trading.rules.costs import cost_of
from fondaco.kernel.event import CommandId, Entry, Event, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode

YES = kalshi.contract("KXTEST-26").instrument
NO = kalshi.contract("KXTEST-26" + kalshi.NO).instrument
UP = polymarket.contract("12345678901234567890123").instrument
CENT = 1_000_000  # of USD, in ledger units
EV = Asset(YES.base, 6, 2, "event")


def using(
    instrument: Instrument = YES, *, px: str = "0.5000", outcome: Outcome | None = None
) -> TradingRefs:
    """A house that trades one contract, whose book is good."""
    refs = b.refs(b.mark(px, instrument.symbol), more=[instrument])
    refs.assets = {
        **refs.assets,
        instrument.base: msgspec.structs.replace(EV, code=instrument.base),
    }
    ticks = int(px.replace(".", ""))
    refs.rates[instrument.quote] = Rate(1, 1)
    refs.assets.setdefault(instrument.quote, Asset(instrument.quote, 8, 2, "cash"))
    num = ticks * instrument.cost_num
    refs.rates[instrument.base] = Rate(num, instrument.cost_den * instrument.base_per_lot)
    refs.contracts = {} if outcome is None else {instrument.symbol: outcome}
    return refs


def bought(
    order_qty: str,
    price: str,
    *fills: tuple[int, int],
    instrument: Instrument = YES,
    is_maker: bool = False,
    money: str = "1000",
) -> Scenario:
    """An account that has bought, in fills of (ticks, lots) that are reports of their own."""
    order = placed(b.ask(order_qty=order_qty, price=price, symbol=instrument.symbol))
    scene = given(deposit(money, instrument.quote), using=using(instrument)).when(order)
    for nth, (px, lots) in enumerate(fills, 1):
        scene.when(fill(1, lots, px, nth=nth, symbol=instrument.symbol, is_maker=is_maker))
        assert scene.only(ev.OrderFilled)
    return scene


def settled(symbol: Symbol = YES.symbol) -> SettleContract:
    return SettleContract(CommandId(f"settle/{symbol}"), Instant(1), symbol)


# Fees in fills: the tables of figures S1 to S4, charged

S1 = [(5, 34), (95, 34), (10, 63), (90, 63), (25, 132), (75, 132), (50, 175)]


@pytest.mark.parametrize(("cents", "fee"), S1)
def test_s1_a_hundred_contracts_are_charged_the_published_taker_fee(cents: int, fee: int) -> None:
    scene = bought("100", f"0.{cents:02}", (cents * 100, 10_000))
    assert scene.only(ev.OrderFilled).fee == fee * CENT
    assert scene.state.balances[USD] == (1_000_00 - 100 * cents - fee) * CENT
    assert scene.state.held.get(USD, 0) == 0


def test_s2_a_maker_is_charged_a_quarter() -> None:
    scene = bought("100", "0.50", (5_000, 10_000), is_maker=True)
    assert scene.only(ev.OrderFilled).fee == 44 * CENT


def test_s3_fills_of_one_order_round_as_published_and_give_rebates() -> None:
    """docs.kalshi.com/getting_started/fee_rounding: three times 1 contract at 0.055, in a market
    whose rate makes the trade fee of the example, 0.0085."""
    terms = msgspec.structs.replace(YES, taker_fee_ppm=163_500)
    scene = bought("3", "0.055", instrument=terms)
    paid = []
    for nth in (1, 2, 3):
        scene.when(fill(1, 100, 550, nth=nth, symbol=YES.symbol))
        event = scene.only(ev.OrderFilled)
        paid.append((event.gross + event.fee, event.fee_rest))
    # 0.07, then 0.06 with a cent of rebate, then 0.07; what rounding took is carried
    assert paid == [(7 * CENT, 6_500), (6 * CENT, 3_000), (7 * CENT, 9_500)]


def test_s4_rothera_is_charged_by_its_own_formula() -> None:
    terms = msgspec.structs.replace(
        YES, fee_formula=FeeFormula.ROTHERA, taker_fee_ppm=60_000, maker_fee_ppm=0
    )
    scene = bought("100", "0.35", (3_500, 10_000), instrument=terms)
    assert scene.only(ev.OrderFilled).fee == 137 * CENT


def test_a_taker_on_polymarket_pays_the_rate_of_the_market_and_a_maker_nothing() -> None:
    terms = msgspec.structs.replace(UP, taker_fee_ppm=30_000)
    taker = bought("100", "0.30", (3_000, 100_000_000), instrument=terms)
    assert taker.only(ev.OrderFilled).fee == 63 * CENT
    maker = bought("100", "0.30", (3_000, 100_000_000), instrument=terms, is_maker=True)
    assert maker.only(ev.OrderFilled).fee == 0


def test_a_sale_of_nearly_nothing_costs_no_more_than_it_brings() -> None:
    scene = bought("1", "0.50", (5_000, 100))
    sale = placed(b.ask("s", side=Side.SELL, order_qty="0.01", price="0.0001", symbol=YES.symbol))
    before = scene.state.balances[USD]
    scene.when(sale, fill(2, 1, 1, side=Side.SELL, symbol=YES.symbol))
    assert scene.only(ev.OrderFilled).fee <= scene.only(ev.OrderFilled).gross
    assert scene.state.balances[USD] >= before


px_ticks = st.integers(1, 9_999)


@settings(max_examples=150, deadline=None)
@for_all(
    formula=st.sampled_from([FeeFormula.KALSHI, FeeFormula.ROTHERA]),
    limit=px_ticks,
    fills=st.lists(st.tuples(px_ticks, st.integers(1, 400), st.booleans()), max_size=20),
    spare=st.integers(0, 3),
)
def test_whatever_the_fills_nobody_pays_more_than_was_set_aside(
    formula: FeeFormula, limit: int, fills: list[tuple[int, int, bool]], spare: int
) -> None:
    """The free balance never shrinks by a fill, though each may round against the account."""
    terms = msgspec.structs.replace(YES, fee_formula=formula)
    refs = using(terms, px=f"0.{limit:04}")
    lots = max(sum(each[1] for each in fills) + spare, 1)
    order = b.ask(order_qty=terms.qty_text(lots), price=terms.px_text(limit), symbol=YES.symbol)
    scene = given(deposit("1000"), using=refs).when(placed(order))
    [accepted] = [each for each in scene.events if isinstance(each, ev.OrderAccepted)]
    poor = given(deposit(str(accepted.order.hold / 10**8)), using=refs).when(placed(order))
    assert any(isinstance(each, ev.OrderAccepted) for each in poor.events)
    scene = poor
    for nth, (px, count, is_maker) in enumerate(fills, 1):
        free = scene.state.free(USD)
        report = fill(1, count, min(px, limit), nth=nth, symbol=YES.symbol, is_maker=is_maker)
        scene.when(report)
        event = scene.only(ev.OrderFilled)
        assert event.fee >= 0
        assert scene.state.free(USD) >= free >= 0
    if not spare and fills:
        assert scene.state.held[USD] == 0


# What an outcome pays


@pytest.mark.parametrize(("payout", "cash"), [(10_000, 100), (0, 0), (3_500, 35)])
def test_a_position_is_paid_what_the_outcome_says(payout: int, cash: int) -> None:
    scene = bought("100", "0.25", (2_500, 10_000))
    before = scene.state.balances[USD]
    scene.when(settled(), using=using(outcome=Outcome(Stage.SETTLED, payout)))
    paid = scene.then(ev.ContractPaid).only(ev.ContractPaid)
    assert (paid.base_units, paid.cash) == (100 * 10**6, cash * 100 * CENT)
    assert scene.state.balances[YES.base] == 0
    assert scene.state.balances[USD] == before + cash * 100 * CENT
    for _ in range(2):  # and once
        scene.when(settled()).then(ev.NothingToDo)


def test_yes_and_no_together_pay_one_dollar() -> None:
    """NO is the complement: whatever is determined, the pair pays the whole."""
    for payout in (0, 1, 3_333, 10_000):
        paid = 0
        for each, pays in ((YES, payout), (NO, 10_000 - payout)):
            scene = bought("7", "0.50", (5_000, 700), instrument=each)
            refs = using(each, outcome=Outcome(Stage.SETTLED, pays))
            paid += scene.when(settled(each.symbol), using=refs).only(ev.ContractPaid).cash
        assert paid == 7 * 100 * CENT


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.SETTLED])
def test_what_has_not_settled_pays_nothing_yet(stage: Stage) -> None:
    scene = bought("100", "0.25", (2_500, 10_000))
    before = dict(scene.state.balances)
    scene.when(settled(), using=using(outcome=Outcome(stage, 10_000)))
    scene.then(ev.NothingToDo)
    assert scene.state.balances == before


@pytest.mark.parametrize("stage", [Stage.PAUSED, Stage.CLOSED, Stage.DETERMINED, Stage.SETTLED])
def test_a_contract_that_is_not_open_does_not_trade(stage: Stage) -> None:
    scene = given(deposit("1000"), using=using(outcome=Outcome(stage, 10_000)))
    scene.when(placed(b.ask(order_qty="1", price="0.50", symbol=YES.symbol)))
    refused = scene.only(ev.OrderRejected)
    assert (refused.reason, refused.text) == ("market_closed", f"the contract is {stage}")


def test_what_is_open_is_canceled_and_the_rest_paid_once_nothing_works() -> None:
    scene = bought("100", "0.25", (2_500, 6_000))  # 40 are still to be bought
    offer = b.ask("s", side=Side.SELL, order_qty="60", price="0.90", symbol=YES.symbol)
    scene.when(placed(offer))
    scene.when(settled(), using=using(outcome=Outcome(Stage.SETTLED, 10_000)))
    scene.then(ev.CancelRequested, ev.CancelRequested)
    scene.when(settled()).then(ev.NothingToDo)  # the venue has not answered
    scene.when(ended(1), settled()).then(ev.NothingToDo)
    scene.when(ended(2)).then(ev.OrderCanceled)
    assert scene.events[0].reason == "settled"  # type: ignore[union-attr]
    scene.when(settled()).then(ev.ContractPaid)
    assert scene.state.held[USD] == scene.state.held[YES.base] == 0


def test_a_fill_that_is_told_late_is_paid_when_it_is_asked_again() -> None:
    scene = bought("100", "0.25", (2_500, 10_000))
    scene.when(settled(), using=using(outcome=Outcome(Stage.SETTLED, 10_000)))
    scene.when(fill(1, 100, 2_500, nth=2, symbol=YES.symbol)).then(ev.OrderFilled)
    assert scene.when(settled()).only(ev.ContractPaid).cash == 100 * CENT


def test_who_owes_contracts_pays_for_them() -> None:
    """Sold short on margin: what YES pays, its seller pays."""
    refs = using()
    refs.margins = {YES.symbol: b.tiers((0, 1_000_000, 500_000, 0))}
    group(refs)
    scene = b.on_margin(deposit("1000"), using=refs)
    order = b.ask(side=Side.SELL, order_qty="100", price="0.50", symbol=YES.symbol)
    scene.when(placed(order), fill(1, 10_000, 5_000, side=Side.SELL, symbol=YES.symbol))
    assert scene.state.account_type is AccountType.MARGIN
    assert scene.state.balances[YES.base] < 0
    before = scene.state.balances[USD]
    refs.contracts = {YES.symbol: Outcome(Stage.SETTLED, 10_000)}
    paid = scene.when(settled()).only(ev.ContractPaid)
    assert (paid.cash, paid.realized) == (-100 * 100 * CENT, -50 * 100 * CENT)
    assert scene.state.balances[USD] == before - 100 * 100 * CENT
    assert scene.state.positions == {}


def posted(written: Sequence[tuple[StreamId, Event]]) -> Balances:
    """What the ledger makes of it."""
    posters = Postings().posters()
    postings: list[Posting] = []
    for place, (stream, event) in enumerate(written, 1):
        entry = Entry(stream, place, place, CommandId("c"), Instant(1), 1, event)
        if type(event) in posters:
            postings += posters[type(event)](entry)
    return add_up(postings)


@settings(max_examples=60, deadline=None)
@for_all(
    trades=st.lists(
        st.tuples(st.integers(0, 2), st.booleans(), px_ticks, st.integers(1, 5_000)), max_size=25
    ),
    payout=st.integers(0, 10_000),
)
def test_settling_conserves_every_asset(
    trades: list[tuple[int, bool, int, int]], payout: int
) -> None:
    """Debit equals credit, clients have what the ledger says, and nobody is left with contracts."""
    refs = using()
    scenes = [given(deposit("10000"), using=refs) for _ in range(3)]
    streams = [StreamId(f"account/A{nth}") for nth in range(3)]
    written: list[tuple[StreamId, Event]] = [
        (HOUSE_STREAM, InstrumentListed(YES, EV, b.ASSETS[USD], "test"))
    ]

    def turn(nth: int, *commands: ev.TradingCommand) -> Sequence[TradingEvent]:
        for command in commands:
            scenes[nth].when(command)
            written.extend((streams[nth], event) for event in scenes[nth].events)
        return scenes[nth].events

    written += [(stream, ev.CashDeposited(USD, 10_000 * 10**8, 0)) for stream in streams]
    for nth, is_buy, px, lots in trades:
        side = Side.BUY if is_buy else Side.SELL
        name = f"o{len(written)}"
        ask = b.ask(
            name, side=side, order_qty=YES.qty_text(lots), price=YES.px_text(px), symbol=YES.symbol
        )
        for event in turn(nth, placed(ask)):
            if isinstance(event, ev.OrderAccepted):
                number = event.order.number
                turn(nth, fill(number, lots, px, side=side, symbol=YES.symbol))
    refs.contracts = {YES.symbol: Outcome(Stage.SETTLED, payout)}
    for nth in range(3):
        turn(nth, settled(), settled())
        assert scenes[nth].state.balances.get(YES.base, 0) == 0
    books = posted(written)
    assert set(trial_balance(books).values()) <= {0}
    for nth in range(3):
        for asset in (USD, YES.base):
            units = scenes[nth].state.balances.get(AssetCode(asset), 0)
            assert books.get((streams[nth], asset), 0) == units  # type: ignore[arg-type]


def test_the_fill_of_a_level_still_names_it() -> None:
    """A venue's report with several prices is several fills, each charged by itself."""
    order = placed(b.ask(order_qty="2", price="0.60", symbol=YES.symbol))
    scene = given(deposit("10"), using=using()).when(opened(), order)
    scene.when(fill(1, 100, 5_000, symbol=YES.symbol, more=[Fill(6_000, 100)]))
    assert [each.fee for each in scene.events if isinstance(each, ev.OrderFilled)] == [
        2 * CENT,
        2 * CENT,
    ]


def test_what_an_order_would_cost_is_what_its_fills_are_charged() -> None:
    scene = given(deposit("1000"), using=using())
    scene.when(placed(b.ask(order_qty="150", price="0.60", symbol=YES.symbol)))
    order, levels = scene.order(), [(5_000, 10_000), (5_500, 2_000), (6_100, 9_999)]
    said = cost_of(order, YES, levels, None)
    scene.when(fill(1, 10_000, 5_000, symbol=YES.symbol, more=[Fill(5_500, 2_000)]))
    scene.when(fill(1, 3_000, 6_000, nth=2, symbol=YES.symbol, is_maker=True))
    [ended_by] = scene.events
    assert isinstance(ended_by, ev.OrderFilled)
    assert said.fees == 1_000 * 100 * CENT - scene.state.balances[USD] - said.gross
