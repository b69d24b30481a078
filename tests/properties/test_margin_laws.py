"""The laws of an account on margin, over histories that Hypothesis thinks of: long and short, spot
and contracts, marks that move, venues that fill in part, and liquidations from begin to end."""

from typing import Any, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

import build as b
from build import A1, BTC, BTC_USD, CODEC, ETH, ETH_USD, STATES, USD
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import InstrumentKind, Limits, Symbol, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import TradingCommand, TradingEvent
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    Contingency,
    OpenLots,
    OrdStatus,
    OrdType,
    Position,
    Reason,
    Side,
    TimeInForce,
    TradingRefs,
)
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.refs import update_rates
from fondaco.domain.trading.rules import decide, evolve, initial
from fondaco.domain.trading.rules.margin import (
    charge,
    contract_worth,
    equity_of,
    free_margin,
    position_lots,
    requirement_of,
)
from fondaco.domain.trading.rules.margin_limits import net_worth
from fondaco.kernel.event import CommandId, Decision, Entry, Instant
from fondaco.kernel.money import AssetCode

CAUSE = CommandId("c")
PERP = Symbol("BTC-PERP")
UNIT = 10**8
RATES = b.tiers((4_000 * UNIT, 200_000, 100_000, 0), (0, 400_000, 200_000, 400 * UNIT))
FINE = b.btc_usd(maker=137, taker=1_009, tick="0.01", lot="0.000000001")
ROUND = b.btc_usd(maker=100, taker=1_000)


def contract(taker: int = 0) -> Any:
    assets = b.ASSETS
    return instrument(
        PERP, assets[BTC], assets[USD], tick="0.01", lot="0.001", taker=taker,
        kind=InstrumentKind.LINEAR,
    )  # fmt: skip


def house(
    btc: Any, *, eth_rates: bool = True, haircut: int = 0, limits: Limits | None = None
) -> Any:
    margins = {BTC_USD: RATES, PERP: RATES} | ({ETH_USD: RATES} if eth_rates else {})
    marks = [b.mark(), b.mark(symbol=ETH_USD), b.mark(symbol=PERP)]
    return b.refs(
        *marks, btc=btc, margins=margins, haircuts={BTC: haircut}, limits=limits,
        more=[contract(1_000)],
    )  # fmt: skip


LIMITS = Limits(position_max={BTC_USD: 14_000}, concentration_max_bps=30_000)
houses = st.sampled_from(
    [house(ROUND), house(FINE), house(ROUND, eth_rates=False, haircut=100_000, limits=LIMITS)]
)
symbols = st.sampled_from([BTC_USD, PERP, ETH_USD])
sides = st.sampled_from(Side)
px_ticks = st.sampled_from([60_00, 87_00, 95_00, 100_00, 100_01, 112_00, 140_00])
prices = px_ticks.map(lambda ticks: f"{ticks // 100}.{ticks % 100:02}")
sizes = st.sampled_from(["0.001", "1", "7", "20", "38", "45"])
names = st.sampled_from("abcdefghijkl")
limit_asks = st.builds(
    b.ask,
    names,
    side=sides,
    symbol=symbols,
    order_qty=sizes,
    price=prices,
    reduce_only=st.booleans(),
)
market_asks = st.builds(
    b.ask, names, side=sides, symbol=symbols, order_qty=sizes, price=st.just(""),
    ord_type=st.just(OrdType.MARKET), time_in_force=st.just(TimeInForce.IOC),
)  # fmt: skip
stop_asks = st.builds(
    b.ask, names, side=sides, symbol=symbols, order_qty=sizes, price=st.just(""),
    stop_px=prices, ord_type=st.just(OrdType.STOP),
)  # fmt: skip


@st.composite
def lists(draw: st.DrawFn) -> ev.PlaceOrders:
    symbol, side = draw(symbols), draw(sides)
    fixed: dict[str, Any] = {"symbol": symbol, "order_qty": "2"}
    stop: dict[str, Any] = {**fixed, "price": "", "ord_type": OrdType.STOP}
    if draw(st.booleans()):
        legs = [
            b.ask("m", side=side, price=draw(prices), **fixed),
            b.ask("n", side=side, stop_px=draw(prices), **stop),
        ]
        return b.listed(*legs, contingency=Contingency.OCO)
    return b.listed(
        b.ask("m", price="100.00", **fixed),
        b.ask("n", side=Side.SELL, price="125.00", **fixed),
        b.ask("o", side=Side.SELL, stop_px="80.00", **stop),
        contingency=Contingency.BRACKET,
    )


plain: st.SearchStrategy[TradingCommand] = st.builds(b.placed, limit_asks | market_asks)
others: st.SearchStrategy[TradingCommand] = st.one_of(
    st.builds(b.placed, stop_asks),
    lists(),
    st.builds(b.deposit, st.sampled_from(["100", "0.5"]), st.sampled_from([USD, BTC])),
    st.builds(b.withdraw, st.sampled_from(["50", "1", "0.1"]), st.sampled_from([USD, BTC])),
    st.sampled_from([b.close(), b.cancel_all()]),
)


@st.composite
def answers(draw: st.DrawFn, state: AccountState) -> TradingCommand:
    """What a venue says of an order: it fills a part or all at its limit or better, or it ends."""
    order = state.working[draw(st.sampled_from(sorted(state.working)))]
    if not order.at_venue:
        at = Mark(order.symbol, order.stop_px, Quality.OK, "t", 1, Instant(1))
        if order.stop_px and draw(st.booleans()):
            return b.trigger(order.number, at)
        return b.cancel(order.number)
    left = max(order.leaves_lots, 1)
    what = draw(st.integers(0, 4))
    if what < 3 and order.leaves_lots > 0:
        lots = left if what else draw(st.integers(1, left))
        better = draw(st.sampled_from([0, 0, 100]))
        px = max(order.px - better if order.side is Side.BUY else order.px + better, 1)
        return b.fill(
            order.number, lots, px, nth=order.last_exec + 1, side=order.side, symbol=order.symbol,
            is_maker=draw(st.booleans()),
        )  # fmt: skip
    if what == 3:
        return b.ended(order.number, draw(st.sampled_from([OrdStatus.CANCELED, OrdStatus.EXPIRED])))
    return b.replace(order.number, price=draw(prices), order_qty=draw(st.sampled_from(["", "4"])))


moves = st.builds(
    lambda symbol, ticks, quality: Mark(symbol, ticks, quality, "t", 1, Instant(1)),
    symbols,
    px_ticks,
    st.sampled_from([Quality.OK, Quality.OK, Quality.OK, Quality.STALE]),
)
# Positions that a story begins with: those that equity carries.
taken = st.lists(st.tuples(symbols, sides, st.sampled_from(["20", "38", "45"])), max_size=3)
Turn = tuple[TradingRefs, TradingCommand]


def moved(refs: TradingRefs, mark: Mark) -> TradingRefs:
    """Another market; what was given to earlier turns stays as it was."""
    new = msgspec.structs.replace(refs, marks={**refs.marks, mark.symbol: mark})
    new.rates = dict(refs.rates)
    update_rates(new, mark)
    return new


@st.composite
def stories(
    draw: st.DrawFn, *, moving: bool = True, extra: st.SearchStrategy[TradingCommand] | None = None
) -> list[Turn]:
    """Turns of a margin account, each with the market as it was."""
    refs, state = draw(houses), initial(A1)
    turns: list[Turn] = []

    def turn(command: TradingCommand) -> None:
        turns.append((refs, command))
        for event in decide(state, command, refs):
            evolve(state, event)

    turn(b.opened(AccountType.MARGIN))
    turn(b.deposit("1000"))
    for number, (symbol, side, size) in enumerate(draw(taken), 1):
        turn(b.placed(b.ask("p", symbol=symbol, side=side, order_qty=size)))
        if number in state.working:
            lots = state.working[number].lots
            turn(b.fill(number, lots, 100_00, side=side, symbol=symbol))
    for _ in range(draw(st.integers(1, 16))):
        if moving and draw(st.integers(0, 2)) == 0:
            refs = moved(refs, draw(moves))
            turn(b.check())
        kind = draw(st.integers(0, 9))
        if moving and (kind == 9 or (state.liquidating and kind > 2)):
            answered = bool(state.working) and draw(st.integers(0, 1)) == 0
            turn(draw(answers(state)) if answered else b.check())
        elif kind >= 4 and state.working:
            turn(draw(answers(state)))
        else:
            turn(draw(extra if extra is not None and kind == 0 else plain))
    return turns


def played(turns: list[Turn]) -> Any:
    """State before, refs, command, events and state after, of each turn."""
    state = initial(A1)
    for refs, command in turns:
        before = STATES.decode(msgspec.msgpack.encode(state))
        events = decide(state, command, refs)
        for event in events:
            evolve(state, event)
        yield before, refs, command, events, state


# --- What holds ---------------------------------------------------------------------------------


@given(stories(extra=others))
def test_replay_rebuilds_a_margin_account_from_what_was_written(turns: list[Turn]) -> None:
    replayed, state = initial(A1), initial(A1)
    for before, refs, command, events, after in played(turns):
        assert decide(before, command, refs) == events
        for event in events:
            (copy,) = CODEC.decode(CODEC.encode([Decision(A1, 0, CAUSE, Instant(1), 7, (event,))]))
            evolve(replayed, *copy.events)
        state = after
    assert replayed == state
    assert STATES.decode(msgspec.msgpack.encode(state)) == state


@given(stories(extra=others))
def test_running_sums_equal_the_sums_over_all_working_orders(turns: list[Turn]) -> None:
    for _, _, _, _, state in played(turns):
        held: dict[str, int] = {}
        sums: dict[str, OpenLots] = {}
        for order in state.working.values():
            held[order.quote] = held.get(order.quote, 0) + order.hold
            if order.hold:
                each = sums.setdefault(order.symbol, OpenLots())
                left = max(max(order.lots, order.pending_lots) - order.cum_lots, 0)
                each.orders += 1
                each.buys += left if order.side is Side.BUY else 0
                each.sells += left if order.side is Side.SELL else 0
                each.reducing += left if order.reduce_only else 0
        assert {a: units for a, units in state.held.items() if units} == {
            a: units for a, units in held.items() if units
        }
        assert state.open_lots == sums
        assert not state.coming


def worst(state: AccountState, refs: TradingRefs) -> int:
    """Free margin, worked out naively: net worth, less what each order may lose, less the charge of
    every asset and contract at the worse of two ends: all buys executed, or all sells."""
    ends: dict[AssetCode, list[int]] = {a: [units, units] for a, units in state.balances.items()}
    lots: dict[str, list[int]] = {
        s: [p.lots, p.lots] for s, p in state.positions.items() if s == PERP
    }
    lost = 0
    for order in state.working.values():
        if not order.hold:
            continue
        left = max(order.lots, order.pending_lots) - order.cum_lots
        lost += order.hold - 1
        end = 1 if order.side is Side.BUY else 0
        sign = 1 if order.side is Side.BUY else -1
        if order.symbol == PERP:
            lots.setdefault(PERP, [0, 0])[end] += sign * left
        else:
            ends.setdefault(order.base, [0, 0])[end] += sign * left * order.base_per_lot
    worth = net_worth(state, refs)
    assert worth is not None
    left = worth - lost
    for asset, span in ends.items():
        rate = refs.rates[asset]
        left -= max(charge(refs, asset, rate, units) for units in span)
    for span in lots.values():
        mark = refs.marks[PERP]
        left -= max(
            RATES.required(abs(contract_worth(refs.instruments[PERP], mark, n)))[0] for n in span
        )
    return left


@given(stories(extra=others))
def test_free_margin_equals_what_a_walk_over_all_orders_finds(turns: list[Turn]) -> None:
    for _, refs, _, _, state in played(turns):
        assert free_margin(state, refs) == worst(state, refs)
        equity, needs = equity_of(state, refs), requirement_of(state, refs)
        assert equity is not None
        assert needs is not None
        if not state.working:
            assert free_margin(state, refs) == equity - needs[0]
        assert needs[1] <= needs[0]


@given(stories(extra=others))
def test_nothing_that_adds_is_accepted_without_margin(turns: list[Turn]) -> None:
    """After an acceptance free margin is not negative, or the order takes off what there is."""
    for before, refs, command, events, after in played(turns):
        if not isinstance(command, ev.PlaceOrder):
            continue
        for event in events:
            if isinstance(event, ev.OrderAccepted):
                left = free_margin(after, refs)
                assert left is not None
                order, pair = event.order, refs.instruments[event.order.symbol]
                lots = position_lots(before, pair)
                reduces = lots * (1 if order.side is Side.SELL else -1) >= order.lots
                assert left >= 0 or reduces


@given(stories(moving=False))
def test_while_marks_stand_still_no_fill_takes_margin_that_orders_had_not_counted(
    turns: list[Turn],
) -> None:
    """A hold suffices: what executes at its limit or better leaves no less free margin."""
    for before, refs, command, events, after in played(turns):
        if isinstance(command, ev.RecordExecution) and not any(
            isinstance(event, ev.OrderFilled) and event.over for event in events
        ):
            had, has = free_margin(before, refs), free_margin(after, refs)
            assert had is not None
            assert has is not None
            # An order that reduces may be accepted below margin, and then costs its fee.
            assert has >= min(had, 0) - 20 * UNIT if had < 0 else has >= -2
            assert has >= had - 2


@given(stories(extra=others))
def test_money_is_conserved_and_the_books_of_house_and_client_agree(turns: list[Turn]) -> None:
    refs = turns[0][0]
    posters = Postings()
    posters._terms = dict(refs.instruments)
    ours: dict[tuple[str, str], int] = {}
    nth = 0
    state = initial(A1)
    for _, _, _, events, after in played(turns):
        for event in events:
            nth += 1
            poster = posters.posters().get(type(event))
            if poster is not None:
                for p in poster(Entry(A1, nth, nth, CAUSE, Instant(1), 1, event)):
                    assert p.units > 0
                    ours[p.debit, p.asset] = ours.get((p.debit, p.asset), 0) + p.units
                    ours[p.credit, p.asset] = ours.get((p.credit, p.asset), 0) - p.units
        state = after
    assert {a: u for a, u in state.balances.items() if u} == {
        asset: u for (account, asset), u in ours.items() if account == A1 and u
    }
    for asset in (USD, BTC, ETH):
        assert sum(units for (_, kept), units in ours.items() if kept == asset) == 0


@given(stories())
def test_a_contract_gains_what_its_price_moved(turns: list[Turn]) -> None:
    """Realized and open gains together are what was received less what was paid, to the unit."""
    paid = realized = 0
    state = initial(A1)
    for _, _, _, events, after in played(turns):
        for event in events:
            if isinstance(event, ev.OrderFilled) and event.is_contract:
                assert event.base_units == 0
                paid += event.gross if event.side is Side.BUY else -event.gross
                realized += event.realized
        state = after
    position = state.positions.get(PERP, Position(0, 0))
    assert realized == position.cost - paid
    assert (position.lots == 0) <= (position.cost == 0)


def step(
    state: AccountState, refs: TradingRefs, at: int, liquidity: int
) -> tuple[TradingEvent, ...]:
    """One look at the account, and what a venue with so much liquidity makes of its orders. What
    the account decided."""
    decided = decide(state, b.check(at=at), refs)
    for event in decided:
        evolve(state, event)
    for number, order in list(state.working.items()):
        commands: list[TradingCommand] = [b.ended(number)]
        if order.reduce_only and order.cl_ord_id.startswith("!"):
            done = min(liquidity, order.leaves_lots)
            fill = b.fill(
                number, done, order.px, side=order.side, symbol=order.symbol,
                nth=order.last_exec + 1,
            )  # fmt: skip
            commands.insert(0, fill)
        for command in commands:
            if number in state.working:
                for event in decide(state, command, refs):
                    evolve(state, event)
    return decided


@given(stories(), st.lists(st.integers(1, 45_000), min_size=10, max_size=10))
def test_a_liquidation_comes_to_an_end(turns: list[Turn], liquidity: list[int]) -> None:
    """Given a market that is OK and some liquidity at each step: in the end it is over, no position
    went through zero, and the account covers what it must."""
    state, refs = initial(A1), turns[-1][0]
    for _, _, _, _, after in played(turns):
        state = after
    pairs = [refs.instruments[symbol] for symbol in (BTC_USD, ETH_USD, PERP)]
    for pair in pairs:
        refs = moved(refs, msgspec.structs.replace(refs.marks[pair.symbol], quality=Quality.OK))
    step(state, refs, 1, 0)
    was_liquidating = state.liquidating
    for at, lots in enumerate([*liquidity, *[10**12] * 20], 2):
        if not state.liquidating:
            break
        before = [position_lots(state, pair) for pair in pairs]
        step(state, refs, at, lots)
        for lots_before, now in zip(before, [position_lots(state, p) for p in pairs], strict=True):
            assert abs(now) <= abs(lots_before)
            assert now * lots_before >= 0
    assert not state.liquidating
    if was_liquidating:
        equity, needs = equity_of(state, refs), requirement_of(state, refs)
        assert equity is not None
        assert needs is not None
        assert equity >= needs[0]


def test_the_laws_of_margin_are_not_empty() -> None:
    met: set[object] = set()

    @settings(max_examples=350, database=None, derandomize=True)
    @given(stories(extra=others))
    def meet(turns: list[Turn]) -> None:
        journal: list[TradingEvent] = []
        refs, state = turns[-1][0], initial(A1)
        for _, _, _, events, after in played(turns):
            journal += events
            state = after
        for at in range(6 if state.liquidating else 0):
            journal += step(state, refs, at, 10**12)
        for event in journal:
            met.add(type(event))
            if isinstance(event, ev.OrderRejected):
                met.add(event.reason)
            elif isinstance(event, ev.OrderFilled):
                met.add(("contract", event.is_contract, event.realized != 0))

    meet()
    margin = {
        ev.LiquidationBegan,
        ev.LiquidationEnded,
        ev.NegativeBalanceCovered,
        Reason.EXCEEDS_MARGIN,
        Reason.EXCEEDS_POSITION,
        Reason.WOULD_NOT_REDUCE,
        Reason.REDUCING_ONLY,
        Reason.EXCEEDS_CONCENTRATION,
        ("contract", True, True),
        ("contract", False, True),
    }
    assert margin <= met
    assert len({*get_args(TradingEvent)} & met) > 15
