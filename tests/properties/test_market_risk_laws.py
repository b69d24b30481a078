"""What an order that executes at the market risks: counted at what the book shows for its size, so
that what a refusal suggests, a size or a stop, is accepted where it is sent again."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import build as b
from build import BTC_USD
from fondaco.domain.reference.model import Limits
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    Contingency,
    OrdType,
    Position,
    Reason,
    Side,
    TradeRules,
    TradingRefs,
)
from fondaco.domain.trading.rules import decide, evolve, initial
from fondaco.domain.trading.rules.trades import position_risk, stops_of
from fondaco.kernel.event import CommandId, Instant

UNIT = 10**8
MARK = 50_004_59  # ticks of a cent
AT = Instant(3 * b.SECOND)
Levels = list[tuple[int, int]]


class Shown:
    """A book that stands still."""

    def __init__(self, bids: Levels, asks: Levels) -> None:
        self._bids, self._asks = bids, asks

    def bids(self, limit: int) -> Levels:
        return self._bids[:limit]

    def asks(self, limit: int) -> Levels:
        return self._asks[:limit]


def house(book: Shown | None = None) -> TradingRefs:
    mark = b.mark("50004.59")
    assert mark.px == MARK
    limits = Limits(concentration_max_bps=1_000_000)
    refs = b.refs(mark, margins={BTC_USD: b.tiers((0, 10_000, 5_000, 0))}, limits=limits)
    if book is not None:
        refs.books = {BTC_USD: book}
    return refs


def account(refs: TradingRefs, rules: TradeRules) -> AccountState:
    state = initial(b.A1)
    own = ev.SetTradeRules(CommandId("r"), AT, rules, "test")
    for command in (b.opened(AccountType.MARGIN), b.deposit("50000"), own):
        for event in decide(state, command, refs):
            state = evolve(state, event)
    return state


def entry(side: Side, qty: str, kind: OrdType, px: str = "") -> ev.Ask:
    prices: Any = {"price": px if kind is OrdType.LIMIT else ""}
    if kind is OrdType.STOP:
        prices["stop_px"] = px
    return b.ask("e", side=side, order_qty=qty, ord_type=kind, **prices)


def protected(first: ev.Ask, stop_px: str) -> tuple[ev.Ask, ...]:
    """The same with a bracket around it."""
    away = Side.SELL if first.side is Side.BUY else Side.BUY
    target = "60000.00" if first.side is Side.BUY else "40000.00"
    of: dict[str, Any] = {"side": away, "order_qty": first.order_qty}
    return (
        first,
        b.ask("t", price=target, **of),
        b.ask("l", price="", stop_px=stop_px, ord_type=OrdType.STOP, **of),
    )


def told(state: AccountState, refs: TradingRefs, *asks: ev.Ask) -> Any:
    if len(asks) == 1:
        return decide(state, b.placed(asks[0], at=AT), refs)
    return decide(state, b.listed(*asks, contingency=Contingency.BRACKET, at=AT), refs)


@st.composite
def books(draw: st.DrawFn) -> Shown | None:
    if draw(st.booleans()):
        return None
    half = draw(st.integers(1, 400))
    sides: list[Levels] = []
    for sign in (-1, 1):
        px, levels = MARK + sign * half, []
        for _ in range(draw(st.integers(0, 5))):
            levels.append((px, draw(st.integers(1, 2_000))))
            px += sign * draw(st.integers(1, 90_000))
        sides.append(levels)
    return Shown(*sides)


sizes = st.integers(1, 20_000).map(lambda lots: f"{lots / 1_000:.3f}")
rules = st.builds(
    TradeRules,
    risk_max=st.sampled_from([50 * UNIT, 500 * UNIT, 4_000 * UNIT]),
    lots_max=st.sampled_from([0, 3 * 10_000]),
    leverage=st.sampled_from([0, 30]),
)
kinds = st.sampled_from(
    [(OrdType.MARKET, ""), (OrdType.STOP, "50500.00"), (OrdType.STOP, "49500.00"),
     (OrdType.LIMIT, "49900.00"), (OrdType.LIMIT, "50100.00")]
)  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(book=books(), own=rules, side=st.sampled_from(Side), qty=sizes, kind=kinds)
def test_what_a_refusal_suggests_is_accepted(
    book: Shown | None, own: TradeRules, side: Side, qty: str, kind: tuple[OrdType, str]
) -> None:
    refs = house(book)
    state, first = account(refs, own), entry(side, qty, *kind)
    [event] = told(state, refs, first)
    assume(isinstance(event, ev.OrderRejected) and event.reason is Reason.EXCEEDS_TRADE_RISK)
    if event.excess.order_qty_max != "0":
        smaller = msgspec.structs.replace(first, order_qty=event.excess.order_qty_max)
        [again] = told(state, refs, smaller)
        assert isinstance(again, ev.OrderAccepted), (event.text, again)
    hint = re.search(r"a stop at ([0-9.]+) or (higher|lower)", event.text)
    if hint is None:
        return
    ticks = refs.instruments[BTC_USD].ticks(hint[1], "stop_px")
    assert ticks < MARK if side is Side.BUY else ticks > MARK
    again = told(state, refs, *protected(first, hint[1]))
    assert all(isinstance(each, ev.OrderAccepted) for each in again), (event.text, again)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(book=books(), own=rules, side=st.sampled_from(Side), qty=sizes, away=st.integers(1, 90_000))
def test_what_is_accepted_at_the_market_risks_no_more_where_the_book_holds(
    book: Shown | None, own: TradeRules, side: Side, qty: str, away: int
) -> None:
    """The oracle walks the book lot by lot."""
    refs = house(book)
    state, sign = account(refs, own), 1 if side is Side.BUY else -1
    instrument = refs.instruments[BTC_USD]
    stop_px = instrument.px_text(MARK - sign * away)
    accepted = told(state, refs, *protected(entry(side, qty, OrdType.MARKET), stop_px))
    assume(isinstance(accepted[0], ev.OrderAccepted))
    order = accepted[0].order
    levels = [] if book is None else book.asks(9) if side is Side.BUY else book.bids(9)
    fills = [px for px, lots in levels for _ in range(lots) if sign * (order.hold_px - px) >= 0]
    fills += [order.hold_px if levels else MARK] * (order.lots - len(fills))
    cost = sum(instrument.cost_down(px, 1) for px in fills[: order.lots])
    position = Position(sign * order.lots, sign * cost)
    stops = stops_of([each.order for each in accepted], BTC_USD, side)
    assert position_risk(instrument, position, stops) <= own.risk_max
    # What is held for it still goes by the end of the collar.
    assert order.hold_px == order.px != MARK


@pytest.mark.parametrize(("side", "stop_px"), [(Side.BUY, "49604.59"), (Side.SELL, "50404.59")])
def test_a_market_order_with_a_good_stop_is_as_large_as_its_risk(side: Side, stop_px: str) -> None:
    """400 away, 500 at risk: 1.25, where the collar alone would have left 0.17."""
    refs = house()
    state = account(refs, TradeRules(risk_max=500 * UNIT))
    [bare] = told(state, refs, entry(side, "1.25", OrdType.MARKET))
    assert bare.text.endswith(
        f"or give it a stop at {stop_px} or " + ("higher" if side is Side.BUY else "lower")
    )
    for qty, kind in (("1.250", ev.OrderAccepted), ("1.251", ev.OrderRejected)):
        listed = told(state, refs, *protected(entry(side, qty, OrdType.MARKET), stop_px))
        assert isinstance(listed[0], kind), listed
    thin = Shown(
        [(MARK - 1_00, 1_000), (MARK - 101_00, 1_000)],
        [(MARK + 1_00, 1_000), (MARK + 101_00, 1_000)],
    )
    refs = house(thin)  # 401 on one, 501 on what the next level has
    for qty, kind in (("1.197", ev.OrderAccepted), ("1.198", ev.OrderRejected)):
        listed = told(state, refs, *protected(entry(side, qty, OrdType.MARKET), stop_px))
        assert isinstance(listed[0], kind), listed


def test_no_stop_is_suggested_where_another_rule_is_in_the_way() -> None:
    refs = house()
    state = account(refs, TradeRules(risk_max=500 * UNIT, lots_max=10_000))
    [refused] = told(state, refs, entry(Side.BUY, "1.25", OrdType.MARKET))
    assert refused.reason is Reason.EXCEEDS_TRADE_RISK
    assert "stop" not in refused.text
    assert refused.excess.order_qty_max == "0.009"
