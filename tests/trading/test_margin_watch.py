"""Who watches equity: whoever has something to say is asked, and nobody else."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import build as b
from build import BTC, BTC_USD, ETH, ETH_USD, USD
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Instrument, InstrumentKind, Symbol, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.standing import liquidation_ticks
from fondaco.domain.trading.margin_watch import ASK_AGAIN_NS, LOOK_AGAIN_NS, MarginWatch
from fondaco.domain.trading.model import AccountState, AccountType, Position, TradingRefs
from fondaco.domain.trading.refs import update_rates
from fondaco.domain.trading.rules import decide, evolve
from fondaco.domain.trading.rules.margin import closings, stand
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId

UNIT = 10**8
PERP, ETH_BTC = Symbol("BTC-PERP"), Symbol("ETHBTC-PERP")
RATES = b.tiers((10_000 * UNIT, 200_000, 100_000, 0), (0, 400_000, 200_000, 1_000 * UNIT))
STREAMS = [StreamId(f"account/A{nth}") for nth in range(3)]


def contract(symbol: Symbol, base: Any, quote: Any, tick: str) -> Instrument:
    return instrument(
        symbol, b.ASSETS[base], b.ASSETS[quote], tick=tick, lot="0.001", kind=InstrumentKind.LINEAR
    )


def house(**changed: Any) -> TradingRefs:
    """Two pairs, a contract in dollars and one in bitcoin; twenty percent to begin with."""
    marks = [b.mark(), b.mark(symbol=ETH_USD), b.mark(symbol=PERP), b.mark(symbol=ETH_BTC)]
    margins = dict.fromkeys((BTC_USD, ETH_USD, PERP, ETH_BTC), RATES)
    more = [contract(PERP, BTC, USD, "0.01"), contract(ETH_BTC, ETH, BTC, "0.00001")]
    given_: dict[str, Any] = {"margins": margins, "more": more, **changed}
    return b.refs(*marks, **given_)


class Floor:
    """Accounts in memory, the watch, and a market that moves."""

    def __init__(self, refs: TradingRefs) -> None:
        self.refs = refs
        self.states: dict[StreamId, AccountState] = {}
        self.watch = MarginWatch(refs, self.states.get)
        self.now = 1

    def has(
        self, stream: StreamId, balances: dict[Any, int], positions: dict[Symbol, Position]
    ) -> None:
        """From here on, as if events had made it so; the watch hears of one."""
        state = self.states.get(stream)
        if state is None:
            state = self.states[stream] = AccountState(
                opened=True, account_type=AccountType.MARGIN, currency=USD
            )
            self.watch.load(stream, state)
        state.balances, state.positions = balances, positions
        self.hear(stream, ev.CashDeposited(USD, 0, 0))

    def hear(self, stream: StreamId, event: Any) -> None:
        self.watch.note([Entry(stream, 1, 1, CommandId("x"), Instant(1), 1, event)])

    def moves(self, mark: Mark) -> None:
        self.refs.marks[mark.symbol] = mark
        update_rates(self.refs, mark)
        self.watch.see(mark)

    def asks(self, stream: StreamId) -> list[Any]:
        """What the account's own rule says now."""
        command = ev.CheckEquity(CommandId("exact"), Instant(self.now))
        events = decide(self.states[stream], command, self.refs)
        return [e for e in events if not isinstance(e, ev.NothingToDo | ev.SessionRolled)]

    def answered(self) -> list[StreamId]:
        """Everybody who is asked answers, at once."""
        self.now += ASK_AGAIN_NS
        asked = self.watch.due(Instant(self.now))
        for stream, command in asked:
            for event in decide(self.states[stream], command, self.refs):
                if isinstance(event, ev.MarginWarned | ev.MarginEased | ev.LiquidationBegan):
                    evolve(self.states[stream], event)
                    self.hear(stream, event)
        return [stream for stream, _ in asked]


money = st.integers(-2_000 * UNIT, 20_000 * UNIT)
coins = st.one_of(st.just(0), st.integers(-60 * 10**9, 60 * 10**9), st.integers(-9, 9))
lots = st.one_of(st.just(0), st.integers(-60_000, 60_000))
accounts = st.tuples(
    st.just("has"), st.sampled_from(STREAMS), money, coins, coins, lots, lots, st.integers(1, 300)
)
moves = st.tuples(
    st.just("moves"),
    st.sampled_from([BTC_USD, ETH_USD, PERP, ETH_BTC]),
    st.integers(1, 40_000),
    st.sampled_from([Quality.OK] * 9 + [Quality.STALE]),
)


def play(floor: Floor, step: Sequence[Any]) -> None:
    match step:
        case "has", stream, cash, btc, eth, perp, cross, px:
            # Costs at some price: a contract has won or lost since.
            positions = {
                PERP: Position(perp, perp * px * UNIT // 1_000),
                ETH_BTC: Position(cross, cross * px * 1_000),
            }
            held = {symbol: each for symbol, each in positions.items() if each.lots}
            floor.has(stream, {USD: cash, BTC: btc, ETH: eth}, held)
        case "moves", symbol, px, quality:
            at = Instant(floor.now)
            floor.moves(Mark(symbol, px, quality, "test", 1, at))


@settings(max_examples=60)
@given(st.lists(st.one_of(accounts, moves), min_size=3, max_size=25))
def test_whoever_has_something_to_say_is_asked_and_nobody_else(history: list[Any]) -> None:
    """The law of the watch: after each step exactly those are asked whose own rule would do
    something, whatever the kernel suspects."""
    floor = Floor(house(haircuts={BTC: 100_000, USD: 5_000}))
    for step in history:
        play(floor, step)
        speak = {stream for stream in floor.states if floor.asks(stream)}
        assert set(floor.answered()) == speak


def test_nobody_is_judged_by_a_bad_rate_of_what_a_contract_is_quoted_in() -> None:
    """The contract's own book is sound; it is worth so many dollars by that of bitcoin."""
    floor = Floor(house(haircuts={BTC: 100_000, USD: 5_000}))
    play(floor, ("moves", ETH_BTC, 1, Quality.OK))
    play(floor, ("has", STREAMS[0], -3_390, 0, 0, 0, -117, 29))
    play(floor, ("moves", BTC_USD, 1, Quality.STALE))
    assert floor.asks(STREAMS[0]) == []
    play(floor, ("moves", BTC_USD, 1, Quality.OK))
    assert floor.asks(STREAMS[0]) != []


def test_nobody_is_asked_twice_at_once_and_everybody_again_after_a_while() -> None:
    floor = Floor(house())
    floor.has(STREAMS[0], {USD: -4_600 * UNIT, BTC: 50 * 10**9}, {})  # 400 of equity, 500 needed
    [(stream, command)] = floor.watch.due(Instant(5))
    assert stream == STREAMS[0]
    assert isinstance(command, ev.CheckEquity)
    assert floor.watch.due(Instant(5 + ASK_AGAIN_NS - 1)) == []
    assert len(floor.watch.due(Instant(5 + ASK_AGAIN_NS))) == 1
    floor.has(STREAMS[0], {USD: 0, BTC: 50 * 10**9}, {})
    assert floor.watch.due(Instant(5 + 3 * ASK_AGAIN_NS)) == []


def test_a_bad_book_asks_nobody_until_it_is_good_again() -> None:
    floor = Floor(house())
    floor.has(STREAMS[0], {USD: -4_400 * UNIT, BTC: 50 * 10**9}, {})
    floor.moves(Mark(BTC_USD, 9_500, Quality.STALE, "test", 1, Instant(2)))
    assert floor.watch.due(Instant(LOOK_AGAIN_NS)) == []
    floor.moves(Mark(BTC_USD, 9_500, Quality.OK, "test", 1, Instant(3)))
    assert [stream for stream, _ in floor.watch.due(Instant(3 * LOOK_AGAIN_NS))] == STREAMS[:1]


def test_other_rates_and_levels_count_at_once() -> None:
    refs = house()
    floor = Floor(refs)
    floor.has(STREAMS[0], {USD: -4_000 * UNIT, BTC: 50 * 10**9}, {})  # half of 1,000 is needed
    assert floor.watch.due(Instant(1)) == []
    refs.margins = {BTC_USD: b.tiers((0, 400_000, 250_000, 0))}
    floor.watch.retune()
    assert len(floor.watch.due(Instant(1))) == 1
    refs.margins = {BTC_USD: RATES}
    refs.margin_rules = type(refs.margin_rules)((5_000,), 500)
    floor.watch.retune()
    assert floor.answered() == STREAMS[:1]
    assert floor.states[STREAMS[0]].warned_bps == 5_000
    assert floor.watch.counts() == {"watched": 1, "warned": 1, "liquidating": 0, "sound": 0}


def test_cash_accounts_are_left_alone() -> None:
    floor = Floor(house())
    floor.watch.load(STREAMS[0], AccountState(opened=True, balances={USD: -5}))
    assert len(floor.watch) == 0


def test_more_than_the_kernel_can_count_is_looked_at_all_the_time() -> None:
    floor = Floor(house())
    floor.has(STREAMS[0], {USD: 10**27, BTC: -(10**25)}, {})
    assert set(floor.answered()) == set(floor.states if floor.asks(STREAMS[0]) else ())
    floor.moves(Mark(BTC_USD, 10**6, Quality.OK, "test", 1, Instant(2)))
    assert floor.asks(STREAMS[0])
    assert floor.answered() == STREAMS[:1]


def test_a_state_that_was_seen_ahead_of_the_disk_is_put_right() -> None:
    """Turns were taken and lost with the disk: the account is rebuilt, and no entry says so."""
    floor = Floor(house())
    floor.has(STREAMS[0], {USD: 10_000 * UNIT, BTC: 50 * 10**9}, {})
    floor.states[STREAMS[0]].balances = {USD: -4_600 * UNIT, BTC: 50 * 10**9}
    assert floor.watch.due(Instant(1)) == []
    floor.watch.compare()
    assert len(floor.watch.due(Instant(1))) == 1


@settings(max_examples=60)
@given(money, coins, lots, st.integers(1, 300), st.integers(2_000, 30_000))
def test_the_liquidation_price_is_where_the_rule_begins_to_liquidate(
    cash: int, btc: int, perp: int, px: int, now: int
) -> None:
    """Each price that is shown, against the rule itself: two ticks before there is no liquidation,
    two ticks behind there is."""
    refs = house(haircuts={BTC: 100_000})
    for symbol in (BTC_USD, PERP):
        refs.marks[symbol] = Mark(symbol, now, Quality.OK, "test", 1, Instant(1))
        update_rates(refs, refs.marks[symbol])
    positions = {PERP: Position(perp, perp * px * UNIT // 1_000)} if perp else {}
    state = AccountState(
        opened=True,
        account_type=AccountType.MARGIN,
        currency=USD,
        balances={USD: cash, BTC: btc},
        positions=positions,
    )

    def liquidates(symbol: Symbol, at: int) -> bool:
        moved = house(haircuts={BTC: 100_000})
        moved.marks.update(refs.marks)
        moved.marks[symbol] = Mark(symbol, at, Quality.OK, "test", 1, Instant(1))
        for mark in moved.marks.values():
            update_rates(moved, mark)
        found = stand(state, moved)
        assert found is not None
        return found.equity < found.maintenance or found.equity < 0

    found = stand(state, refs)
    assert found is not None
    for each in closings(state, refs):
        ticks, symbol = liquidation_ticks(state, refs, found, each), each.instrument.symbol
        away = 1 if each.side == "buy" else -1  # a short is closed by a buy
        if ticks is None:
            continue
        if abs(ticks - now) > 2:
            assert not liquidates(symbol, ticks - 2 * away)
        assert ticks + 2 * away < 1 or liquidates(symbol, ticks + 2 * away)
