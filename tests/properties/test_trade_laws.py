"""The laws of rules of trades, over accounts that Hypothesis thinks of: what is suggested passes,
one step more does not; who only closes is let through; and what is accepted breaks no rule once it
has executed at its worst."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import build as b
from build import BTC_USD, ETH_USD
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
from fondaco.domain.trading.rules.margin_limits import net_worth
from fondaco.domain.trading.rules.trades import lots_of, position_risk, stops_of
from fondaco.kernel.event import CommandId, Instant

UNIT = 10**8
OF_TRADES = {
    Reason.EXCEEDS_TRADE_RISK,
    Reason.EXCEEDS_OPEN_POSITIONS,
    Reason.EXCEEDS_OPEN_LOTS,
    Reason.EXCEEDS_LEVERAGE,
}
RATES = b.tiers((0, 10_000, 5_000, 0))
AT = Instant(3 * b.SECOND)


def house() -> TradingRefs:
    margins = {BTC_USD: RATES, ETH_USD: RATES}
    limits = Limits(concentration_max_bps=1_000_000)
    return b.refs(b.mark(), b.mark(symbol=ETH_USD), margins=margins, limits=limits)


symbols = st.sampled_from([BTC_USD, ETH_USD])
sides = st.sampled_from(Side)
prices = st.sampled_from(["80.00", "95.00", "99.50", "100.00", "100.50", "104.00"])
sizes = st.sampled_from(["0.5", "3", "10", "40", "90", "200"])
rules = st.builds(
    TradeRules,
    risk_max=st.sampled_from([0, 5 * UNIT, 100 * UNIT, 1_000 * UNIT]),
    positions_max=st.sampled_from([0, 1, 2]),
    lots_max=st.sampled_from([0, 10 * 10_000, 60 * 10_000]),
    leverage=st.sampled_from([0, 1, 2, 30]),
)


@st.composite
def plain(draw: st.DrawFn, name: str = "o") -> ev.Ask:
    return b.ask(
        name, side=draw(sides), symbol=draw(symbols), order_qty=draw(sizes), price=draw(prices)
    )


@st.composite
def stop(draw: st.DrawFn) -> ev.Ask:
    return b.ask(
        "s", side=draw(sides), symbol=draw(symbols), order_qty=draw(sizes), price="",
        stop_px=draw(prices), ord_type=OrdType.STOP,
    )  # fmt: skip


@st.composite
def brackets(draw: st.DrawFn) -> tuple[ev.Ask, ...]:
    symbol, is_buy, size = draw(symbols), draw(st.booleans()), draw(sizes)
    enter, leave = (Side.BUY, Side.SELL) if is_buy else (Side.SELL, Side.BUY)
    target, stop_px = ("120.00", draw(prices)) if is_buy else ("70.00", draw(prices))
    assume(stop_px < "105.00" if is_buy else stop_px > "70.00")
    of: dict[str, Any] = {"symbol": symbol, "order_qty": size}
    return (
        b.ask("e", side=enter, price=draw(prices), **of),
        b.ask("t", side=leave, price=target, **of),
        b.ask("l", side=leave, price="", stop_px=stop_px, ord_type=OrdType.STOP, **of),
    )


asked = st.one_of(plain().map(lambda each: (each,)), brackets())


@st.composite
def accounts(draw: st.DrawFn) -> AccountState:
    """One with positions, a stop and an order that rests, as it was before it had rules."""
    refs, state = house(), initial(b.A1)
    story: list[Any] = [b.opened(AccountType.MARGIN), b.deposit("10000")]
    if draw(st.booleans()):
        story.append(b.placed(draw(plain("p"))))
    if draw(st.booleans()):
        story.append(b.placed(draw(stop())))
    for command in story:
        for event in decide(state, command, refs):
            state = evolve(state, event)
    for symbol in draw(st.lists(symbols, unique=True)):
        instrument = refs.instruments[symbol]
        lots = draw(st.integers(-40, 40)) * 10**3
        assume(lots)
        cost = instrument.cost_down(100_00, abs(lots)) * (1 if lots > 0 else -1)
        state.positions[symbol] = Position(lots, cost)
        state.balances[instrument.base] = lots * instrument.base_per_lot
        state.balances[instrument.quote] = state.balances.get(instrument.quote, 0) - cost
    state.trade_rules = draw(rules)
    return state


def sized(asks: tuple[ev.Ask, ...], qty: str) -> Any:
    scaled = [msgspec.structs.replace(each, order_qty=qty) for each in asks]
    if len(scaled) == 1:
        return b.placed(scaled[0], at=AT)
    return b.listed(*scaled, contingency=Contingency.BRACKET, at=AT)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(state=accounts(), asks=asked)
def test_what_is_suggested_passes_and_one_step_more_does_not(
    state: AccountState, asks: tuple[ev.Ask, ...]
) -> None:
    refs = house()
    told = decide(state, sized(asks, asks[0].order_qty), refs)
    refused = [e for e in told if isinstance(e, ev.OrderRejected) and e.reason in OF_TRADES]
    for event in refused:
        excess = event.excess
        assert excess is not None
        most = refs.instruments[event.symbol].lots(excess.order_qty_max, "order_qty_max")
        text = refs.instruments[event.symbol].qty_text
        if most:
            passed = decide(state, sized(asks, text(most)), refs)
            assert all(isinstance(e, ev.OrderAccepted) for e in passed), (excess, passed)
        more = decide(state, sized(asks, text(most + 1)), refs)
        assert any(isinstance(e, ev.OrderRejected) for e in more), excess
        assert float(excess.value) > float(excess.limit)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(state=accounts(), asks=asked)
def test_what_is_accepted_breaks_no_rule_once_it_has_executed(
    state: AccountState, asks: tuple[ev.Ask, ...]
) -> None:
    refs, own = house(), state.trade_rules
    assert own is not None
    told = decide(state, sized(asks, asks[0].order_qty), refs)
    first = told[0]
    assume(isinstance(first, ev.OrderAccepted))
    assert isinstance(first, ev.OrderAccepted)
    order, symbol = first.order, first.order.symbol
    instrument = refs.instruments[symbol]
    before = state.positions.get(symbol, Position(0, 0))
    sign = 1 if order.side is Side.BUY else -1
    assume(before.lots * sign >= 0)  # what only closes is another law
    cost = before.cost + sign * instrument.cost_down(order.px, order.lots)
    after = Position(before.lots + sign * order.lots, cost)
    stops = stops_of([*state.working.values(), *(e.order for e in told)], symbol, order.side)  # type: ignore[union-attr]
    if own.risk_max:
        assert position_risk(instrument, after, stops) <= own.risk_max
    opened = {**state.positions, symbol: after}
    if own.positions_max:
        assert sum(bool(each.lots) for each in opened.values()) <= own.positions_max
    if own.lots_max:
        held = sum(lots_of(refs.instruments[s], each.lots) for s, each in opened.items())
        assert held <= own.lots_max
    if own.leverage:
        worth = net_worth(state, refs)
        assert worth is not None
        notional = sum(
            refs.instruments[s].cost_down(refs.marks[s].px, abs(each.lots))
            for s, each in opened.items()
        )
        assert notional <= worth * own.leverage


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(state=accounts())
def test_who_closes_is_let_through(state: AccountState) -> None:
    refs = house()
    for order in list(state.working.values()):
        for event in decide(state, b.cancel(order.number), refs):
            state = evolve(state, event)
    assume(not state.working)
    state.trade_rules = TradeRules(
        risk_max=1, positions_max=1, lots_max=1, leverage=1, instruments=(ETH_USD,)
    )
    told = decide(state, b.close(), refs)
    assert not any(isinstance(event, ev.OrderRejected) for event in told), told


def test_a_trade_without_a_stop_is_told_which_one_to_have() -> None:
    refs, state = house(), initial(b.A1)
    own = ev.SetTradeRules(CommandId("r"), AT, TradeRules(risk_max=10 * UNIT), "test")
    for command in (b.opened(AccountType.MARGIN), b.deposit("10000"), own):
        for event in decide(state, command, refs):
            state = evolve(state, event)
    bare = b.ask("e", side=Side.BUY, order_qty="10", price="100.00")
    [told] = decide(state, b.placed(bare, at=AT), refs)
    assert isinstance(told, ev.OrderRejected)
    assert told.reason is Reason.EXCEEDS_TRADE_RISK
    assert told.text == ("1000 USD, limit 10; order at most 0.1, or give it a stop at 99 or higher")
    for stop_px, kind in (("99.00", ev.OrderAccepted), ("98.99", ev.OrderRejected)):
        asks = (
            bare,
            b.ask("t", side=Side.SELL, order_qty="10", price="120.00"),
            b.ask(
                "l", side=Side.SELL, order_qty="10", price="", stop_px=stop_px,
                ord_type=OrdType.STOP,
            ),
        )  # fmt: skip
        listed = decide(state, b.listed(*asks, contingency=Contingency.BRACKET, at=AT), refs)
        assert isinstance(listed[0], kind), listed
    only = ev.SetTradeRules(CommandId("r2"), AT, TradeRules(instruments=(ETH_USD,)), "test")
    for event in decide(state, only, refs):
        state = evolve(state, event)
    [told] = decide(state, b.placed(bare, at=AT), refs)
    assert isinstance(told, ev.OrderRejected)
    assert told.reason is Reason.INSTRUMENT_NOT_ALLOWED


def test_a_stop_that_a_position_needs_is_not_taken_away() -> None:
    """Nearer it may be moved, further away it may not; who closes the position is rid of it."""
    refs, state = house(), initial(b.A1)
    own = ev.SetTradeRules(CommandId("r"), AT, TradeRules(risk_max=10 * UNIT), "test")
    asks = [b.ask("e", side=Side.BUY, order_qty="10", price="100.00")]
    for name, px, kind in (("t", "120.00", OrdType.LIMIT), ("l", "99.50", OrdType.STOP)):
        prices: Any = {"price": "", "stop_px": px} if kind is OrdType.STOP else {"price": px}
        asks.append(b.ask(name, side=Side.SELL, order_qty="10", ord_type=kind, **prices))
    lots = refs.instruments[BTC_USD].lots("10", "order_qty")

    def told(command: Any) -> Any:
        nonlocal state
        events = decide(state, command, refs)
        for event in events:
            state = evolve(state, event)
        return events

    for command in (b.opened(AccountType.MARGIN), b.deposit("10000"), own):
        told(command)
    told(b.listed(*asks, contingency=Contingency.BRACKET, at=AT))
    told(b.fill(lots=lots, px=100_00))
    assert state.positions[BTC_USD].lots == lots
    taken: tuple[Any, ...] = (b.cancel(3), b.cancel(2), b.replace(3, stop_px="98.99"))
    for each_way in (*taken, b.cancel_all()):
        denied = [e for e in told(each_way) if isinstance(e, ev.ChangeDenied)]
        assert denied, each_way
        assert all(each.text.startswith("exceeds_trade_risk: 1") for each in denied)
        assert 3 in state.working
    [moved] = told(b.replace(3, stop_px="99.75"))
    assert isinstance(moved, ev.OrderReplaced)
    closed = told(b.close())
    assert not any(isinstance(each, ev.ChangeDenied | ev.OrderRejected) for each in closed)
