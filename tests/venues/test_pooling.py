"""The pooling desk: what is shared adds up, nobody does better than another, and a kill between any
two steps changes nothing of it."""

from collections import Counter, deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.app.kinds import CODEC, POLICIES, ROOMS
from fondaco.domain.ledger.checks import not_cleared, unbalanced
from fondaco.domain.ledger.model import add_up
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM, POOL_MIC, HouseState, Limits, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    ClOrdId,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
)
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.refs import refs_of, update_rates
from fondaco.domain.trading.rules import decide as decide_trading
from fondaco.domain.venues.events import EnterOrder, NothingMatched, OrderExecuted
from fondaco.domain.venues.model import VenueRefs, venue_stream
from fondaco.domain.venues.pooling.allocation import apportion, due, fills_at
from fondaco.domain.venues.pooling.events import (
    BlockAllocated,
    BlockCut,
    CutBlock,
    RecordStreetEnd,
    RecordStreetFill,
    RecordStreetOrder,
)
from fondaco.domain.venues.pooling.model import DESK_STREAM
from fondaco.domain.venues.pooling.rules import AGAIN_NS
from fondaco.kernel.event import Command, CommandId, Entry, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.actor import Host
from fondaco.runtime.committer import Committer
from venues.floors import PooledFloor
from venues.paper import CAUSE, NOW, USD, A, B, Market, cancel, enter, replace

BUY, SELL = Side.BUY, Side.SELL
C = StreamId("account/C")
IOC, GTC = TimeInForce.IOC, TimeInForce.GTC
weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any)


# --- Shares -------------------------------------------------------------------------------------


@given(weights, st.integers(0, 10**24))
def test_shares_add_up_and_are_exact_to_one_unit(of: list[int], total: int) -> None:
    shares = apportion(total, of)
    assert sum(shares) == total
    for weight, share in zip(of, shares, strict=True):
        assert abs(share - Fraction(total * weight, sum(of))) < 1
    if total <= sum(of):
        assert all(share <= weight for weight, share in zip(of, shares, strict=True))


@given(weights, st.integers(0, 10**24))
def test_who_wants_more_never_has_less(of: list[int], total: int) -> None:
    shares = apportion(total, of)
    ranked = sorted(zip(of, shares, strict=True))
    assert [share for _, share in ranked] == sorted(shares)


@given(st.integers(1, 10**9), st.integers(1, 10**15))
def test_fills_cost_exactly_what_is_due_at_the_two_ticks_around_it(lots: int, cost: int) -> None:
    fills = fills_at(lots, cost)
    assert sum(fill.lots for fill in fills) == lots
    assert sum(fill.px * fill.lots for fill in fills) == cost
    assert all(fill.lots > 0 and abs(fill.px - Fraction(cost, lots)) < 1 for fill in fills)


@given(st.sampled_from(Side), st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**12))
def test_the_house_bears_what_does_not_divide(
    side: Side, lots: int, street: int, cost: int
) -> None:
    gift = Fraction(lots * cost, street) - due(side, lots, street, cost)
    assert 0 <= gift < 1 if side is BUY else -1 < gift <= 0


# --- The desk alone -----------------------------------------------------------------------------

ordering = st.builds(
    lambda account, side, px, lots, tif: {
        "account": account, "side": side, "px": px, "lots": lots, "tif": tif,
    },
    st.sampled_from([A, B, C]), st.sampled_from(Side), st.integers(96, 104), st.integers(1, 60),
    st.sampled_from([GTC, GTC, IOC]),
)  # fmt: skip
street = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), max_size=3)
plays = st.lists(
    st.one_of(
        ordering,
        ordering,
        st.tuples(st.sampled_from(Side), street),
        st.tuples(st.sampled_from([A, B, C]), st.integers(1, 30)),
    ),
    max_size=30,
)


class Desk:
    """A desk whose street does what a test says; every event is held against the laws."""

    def __init__(self) -> None:
        self.floor = PooledFloor()
        self.floor.market = Market((("bid", 99, 10), ("ask", 101, 10)))
        self.floor.begin()
        self.now: int = NOW
        self.limits: dict[tuple[StreamId, int], int] = {}
        self.wanted: dict[tuple[StreamId, int], int] = {}
        self.street: Counter[int] = Counter()  # lots that the house bought, less what it sold
        self.had: Counter[int] = Counter()
        self.blocks = 0

    def ask(self, command: Command) -> list[Any]:
        if isinstance(command, EnterOrder):
            key = (command.account_stream, command.number)
            self.limits[key], self.wanted[key] = command.px, command.lots
        events = self.floor.ask(command)
        for event in events:
            if isinstance(event, BlockAllocated):
                self.check(event, events)
        return events

    def check(self, event: BlockAllocated, events: list[Any]) -> None:
        """The laws of one allocation."""
        self.blocks += 1
        lots, cost = sum(p.lots for p in event.parts), sum(p.cost for p in event.parts)
        sign = 1 if event.side is BUY else -1
        self.street[0] += sign * event.street_lots
        self.had[0] += sign * lots
        assert event.inventory == self.street[0] - self.had[0], "nothing is lost, nothing made"
        assert 0 <= event.inventory < self.floor.round_lots, "the house has less than a round lot"
        if event.street_lots:
            assert cost == due(event.side, lots, event.street_lots, event.street_cost)
            price = Fraction(event.street_cost, event.street_lots)
        elif lots:
            price = Fraction(self.floor.best(event.side))
            assert cost == price * lots
        for part in event.parts:
            assert abs(part.cost - price * part.lots) < 2, "nobody does better than another"
            limit = self.limits[part.account_stream, part.number] * part.lots
            assert part.cost <= limit if event.side is BUY else part.cost >= limit
        told = {
            (each.account_stream, each.number): (
                sum(fill.lots for fill in each.fills),
                sum(fill.lots * fill.px for fill in each.fills),
            )
            for each in events
            if isinstance(each, OrderExecuted)
        }
        assert told == {(p.account_stream, p.number): (p.lots, p.cost) for p in event.parts}

    def cut(self, side: Side, does: list[tuple[int, int]]) -> list[Any]:
        """One block, of which the street does so much: ticks better than the limit, and lots."""
        self.now += AGAIN_NS * 100
        events = self.ask(CutBlock(CAUSE, Instant(self.now), side))
        block = self.floor.state.open_block(side)
        if block is None:
            return events
        number, left = 1_000 + block.number, block.lots
        events = self.ask(RecordStreetOrder(CAUSE, NOW, block.number, number))
        for better, lots in does:
            px = block.px - better if side is BUY else block.px + better
            done = min(lots, left)
            left -= done
            if done:
                events = self.ask(RecordStreetFill(CAUSE, NOW, number, px, done, not left))
        if self.floor.state.open_block(side):
            events = self.ask(RecordStreetEnd(CAUSE, NOW, number, "no_liquidity"))
        return events


@settings(deadline=None, max_examples=150)
@given(plays)
def test_whatever_the_street_does_all_of_it_is_shared(play: list[Any]) -> None:
    desk = Desk()
    for number, step in enumerate(play, 1):
        match step:
            case dict():
                desk.ask(enter(number, **step))
            case (Side() as side, does):
                desk.cut(side, does)
            case (account, of):
                desk.ask(cancel(of, account=account))


def test_a_block_is_whole_round_lots_and_the_inventory_has_the_rest() -> None:
    """Round lots of 10: 23 are wanted, 30 bought at 100 and 101; 7 are left with the house, which
    are enough for the next 5, and 2 more of a sale of 21 leave 3 of them there."""
    desk = Desk()
    for number, lots in enumerate((4, 9, 10), 1):
        desk.ask(enter(number, BUY, 103, lots, account=(A, B, C)[number - 1]))
    [cut] = desk.ask(CutBlock(CAUSE, NOW, BUY))
    assert (cut.lots, cut.px, cut.wanted, cut.order_qty, cut.price) == (
        30, 103, 23, "0.03", "1.03",
    )  # fmt: skip
    desk.ask(RecordStreetOrder(CAUSE, NOW, 1, 77))
    desk.ask(RecordStreetFill(CAUSE, NOW, 77, 100, 20, is_done=False))
    events = desk.ask(RecordStreetFill(CAUSE, NOW, 77, 101, 10, is_done=True))
    allocated = events[1]
    # 23 x 3010 / 30 = 2307.67, rounded down for those who buy; 401.3, 903.1 and 1003.3 of that.
    assert [(p.lots, p.cost) for p in allocated.parts] == [(4, 401), (9, 903), (10, 1003)]
    assert allocated.inventory == 7
    desk.ask(enter(4, BUY, 103, 5))
    cut, allocated, executed = desk.ask(CutBlock(CAUSE, NOW, BUY))
    assert (cut.lots, allocated.inventory) == (0, 2)
    assert [(fill.px, fill.lots) for fill in executed.fills] == [(101, 5)]  # the best displayed
    desk.ask(enter(5, SELL, 97, 21))
    [cut] = desk.ask(CutBlock(CAUSE, NOW, SELL))
    assert cut.lots == 20
    desk.ask(RecordStreetOrder(CAUSE, NOW, 3, 78))
    events = desk.ask(RecordStreetFill(CAUSE, NOW, 78, 99, 20, is_done=True))
    assert events[1].inventory == 3


def test_two_sides_do_not_count_on_one_inventory_and_take_turns() -> None:
    """Of 7 in the inventory a buy of 16 takes 6, beside 10 of the street; a sale of 3 would have
    taken all 7, to be a round lot, at the same time."""
    desk = Desk()
    desk.ask(enter(1, BUY, 103, 3))
    desk.cut(BUY, [(0, 10)])
    assert desk.floor.state.inventory == 7
    desk.ask(enter(2, BUY, 103, 16))
    desk.ask(enter(3, SELL, 97, 3, account=B))
    [yields] = desk.ask(CutBlock(CAUSE, Instant(desk.now), BUY))  # its side has just had a block
    assert isinstance(yields, NothingMatched)
    desk.cut(SELL, [(0, 10)])
    assert desk.floor.state.inventory == 0
    desk.ask(enter(4, SELL, 97, 3, account=B))
    [cut] = desk.ask(CutBlock(CAUSE, Instant(desk.now), BUY))
    assert cut.lots == 20
    [waits] = desk.ask(CutBlock(CAUSE, Instant(desk.now), SELL))
    assert isinstance(waits, NothingMatched)
    desk.ask(RecordStreetOrder(CAUSE, NOW, cut.block, 78))
    desk.ask(RecordStreetFill(CAUSE, NOW, 78, 101, 20, is_done=True))
    assert desk.floor.state.inventory == 4
    desk.cut(SELL, [])
    assert desk.floor.state.inventory == 7


def test_a_street_that_does_a_part_shares_that_part_and_the_house_has_none() -> None:
    desk = Desk()
    desk.ask(enter(1, BUY, 103, 30, account=A))
    desk.ask(enter(2, BUY, 103, 15, IOC, account=B))
    events = desk.cut(BUY, [(2, 9)])
    allocated = next(each for each in events if isinstance(each, BlockAllocated))
    assert [part.lots for part in allocated.parts] == [6, 3]
    assert (allocated.inventory, allocated.text) == (0, "no_liquidity")
    assert desk.floor.resting() == {(A, 1): (103, 24)}, "what goes at once waits for no other block"


def test_who_is_refused_by_the_street_waits_longer_each_time() -> None:
    desk = Desk()
    desk.ask(enter(1, BUY, 103, 5))
    for nth in range(3):
        [cut] = desk.ask(CutBlock(CAUSE, Instant(desk.now), BUY))
        refused = RecordStreetEnd(CAUSE, Instant(desk.now), 0, "exceeds_buying_power", cut.block)
        [allocated] = desk.ask(refused)
        assert allocated.parts == ()
        assert allocated.not_before == desk.now + (AGAIN_NS << nth)
        [nothing] = desk.ask(CutBlock(CAUSE, Instant(allocated.not_before - 1), BUY))
        assert isinstance(nothing, NothingMatched)
        [ended] = desk.ask(msgspec.structs.replace(enter(9 + nth, BUY, 103, 5, IOC), at=desk.now))
        assert ended.text == "no_liquidity"
        desk.now = allocated.not_before


def test_a_cancel_while_its_block_is_on_the_street_takes_what_that_leaves() -> None:
    desk = Desk()
    desk.ask(enter(1, BUY, 103, 25))
    desk.ask(CutBlock(CAUSE, NOW, BUY))
    [noted] = desk.ask(cancel(1))
    [denied] = desk.ask(replace(1, lots=30, px=104))
    assert (type(noted).__name__, type(denied).__name__) == ("CancelNoted", "ChangeDenied")
    desk.ask(RecordStreetOrder(CAUSE, NOW, 1, 7))
    desk.ask(RecordStreetFill(CAUSE, NOW, 7, 101, 10, is_done=False))
    *_, executed, ended = desk.ask(RecordStreetEnd(CAUSE, NOW, 7, "no_liquidity"))
    assert executed.leaves_lots == 15
    assert (ended.ord_status, ended.text) == (OrdStatus.CANCELED, "requested")


# --- Accounts, desk and street together ----------------------------------------------------------

SHARE = Asset(AssetCode("ACME"), 9, 9, "equity")
TERMS = msgspec.structs.replace(
    instrument("ACME-USD", SHARE, USD, tick="0.01", lot="0.000000001", taker=1_000),
    round_lots=10**9,
)
SYMBOL = TERMS.symbol
POOL = venue_stream(SYMBOL, POOL_MIC)
STREET = venue_stream(SYMBOL, TERMS.mic)
CUSTOMERS = (A, B, C)
LISTED = Entry(
    HOUSE_STREAM, 1, 0, CommandId("t"), NOW, 1, InstrumentListed(TERMS, SHARE, USD, "test")
)


class House:
    """Real actors over one journal; messages are delivered one by one, and the process can be
    killed after any of them: then memory is gone, and all is told again from the beginning."""

    def __init__(self, shown: Sequence[tuple[Any, int, int]], die_after: int = -1) -> None:
        self.market = Market(())
        self.market.book.instrument = TERMS
        for side, px, shares in shown:
            self.market.show(side, px, shares * 10**9)
        house = HouseState(1, {SYMBOL: TERMS}, {SHARE.code: SHARE, USD.code: USD}, Limits())
        self.refs = refs_of(house, {}, NOW)
        self.refs.marks[SYMBOL] = Mark(SYMBOL, 10_000, Quality.OK, "test", 1, NOW)
        update_rates(self.refs, self.refs.marks[SYMBOL])
        self.journal = MemoryJournal(CODEC)
        self.turns, self.die_after, self.asked = 0, die_after, 0
        self.posters = Postings([LISTED]).posters(OrderExecuted)
        self.begin()

    def begin(self) -> None:
        """With an empty memory: what was written is all there is."""
        self.post: deque[tuple[StreamId, Command]] = deque()
        self.committer = Committer(self.journal, self.published)
        self.hosts = {
            room.prefix: Host(room.decider, self.refs_for, self.journal, self.committer)
            for room in ROOMS
            if room.decider is not None and room.prefix.startswith(("account/", "venue/"))
        }
        self.published(self.journal.follow(0, 10**6))

    def refs_for(self, stream: StreamId) -> Any:
        return VenueRefs(1, self.market.book) if stream.startswith("venue/") else self.refs

    def published(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            for policy in POLICIES.get(type(entry.event), ()):
                self.post.extend(policy(entry, NOW))

    def tell(self, stream: StreamId, command: Command) -> None:
        """One turn, committed; and perhaps the last of this process."""
        self.hosts[stream[: stream.rfind("/") + 1]].submit(stream, command)
        self.committer.commit()
        self.turns += 1
        if self.turns == self.die_after:
            self.begin()

    def ask(self, stream: StreamId, kind: Any, *what: Any) -> None:
        self.asked += 1
        self.tell(stream, kind(CommandId(f"k{self.asked}#0"), NOW, *what))
        self.settle()

    def settle(self) -> None:
        """Every message is heard; and at every step the books balance, and agree with accounts."""
        self.check()
        while self.post:
            self.tell(*self.post.popleft())
            self.check()

    def states(self) -> dict[StreamId, Any]:
        host = self.hosts["account/"]
        found = {stream: host._load(stream).state for stream in (*CUSTOMERS, DESK_STREAM)}
        return {stream: state for stream, state in found.items() if state.opened}

    def ledger(self) -> Any:
        entries = self.journal.follow(0, 10**6)
        return add_up(
            posting
            for entry in entries
            if type(entry.event) in self.posters
            for posting in self.posters[type(entry.event)](entry)
        )

    def check(self) -> None:
        kept = self.ledger()
        assert unbalanced(kept) == []
        for stream, state in self.states().items():
            for asset in (SHARE.code, USD.code):
                assert kept.get((stream, asset), 0) == state.balances.get(asset, 0)

    def place(self, account: StreamId, side: Side, qty: str, price: str, tif: TimeInForce) -> None:
        name = ClOrdId(f"o{self.asked}")
        self.ask(account, ev.PlaceOrder, ev.Ask(name, SYMBOL, side, OrdType.LIMIT, tif, qty, price))

    def furnish(self) -> None:
        for stream in (*CUSTOMERS, DESK_STREAM):
            self.ask(stream, ev.OpenAccount, "t")
            self.ask(stream, ev.RecordDeposit, USD.code, "100000")
            self.ask(stream, ev.RecordDeposit, SHARE.code, "10")

    def cut(self, side: Side) -> None:
        self.ask(POOL, CutBlock, side)


def day(house: House, orders: Sequence[tuple[int, str, str, str]]) -> None:
    """Everybody orders; a block of each side is cut, and one more for what came too late."""
    house.furnish()
    for who, side, qty, price in orders:
        house.place(CUSTOMERS[who], Side(side), qty, price, GTC)
    for side in (BUY, SELL, BUY):
        house.cut(side)


SHOWN = (("bid", 9_998, 5), ("bid", 9_999, 1), ("ask", 10_001, 1), ("ask", 10_003, 5))
ORDERS = (
    (0, "buy", "0.333333333", "100.05"),
    (1, "buy", "1.000000001", "100.10"),
    (2, "buy", "0.7", "100.03"),
    (0, "sell", "0.1", "99.98"),
    (1, "sell", "1.55", "99.90"),
    (2, "buy", "0.25", "99.00"),
)


def outcome(house: House) -> Any:
    """What everybody has in the end, and who had what of which block."""
    shared = [e.event for e in house.journal.follow(0, 10**6) if type(e.event) is BlockAllocated]
    balances = {stream: dict(state.balances) for stream, state in house.states().items()}
    return balances, [(each.street_lots, each.street_cost, each.parts) for each in shared]


def test_a_day_of_fractions_loses_nothing() -> None:
    """2.033333334 are bought: three shares on the street, one at 100.01 and two at 100.03."""
    house = House(SHOWN)
    day(house, ORDERS)
    balances, shared = outcome(house)
    lots, cost, parts = shared[0]
    assert (lots, cost) == (3 * 10**9, (10_001 + 2 * 10_003) * 10**9)
    assert sum(part.lots for part in parts) == 2_033_333_334
    assert not_cleared(house.ledger()) == []
    shares = sum(of[SHARE.code] for of in balances.values())
    street = [e.event for e in house.journal.follow(0, 10**6) if e.stream == STREET]
    bought = sum(
        fill.lots * (1 if each.side is BUY else -1)
        for each in street
        if isinstance(each, OrderExecuted)
        for fill in each.fills
    )
    assert shares == 40 * 10**9 + bought, "what the house has is what came in and what was bought"
    assert bought % 10**9 == 0, "whole shares only"


def test_a_kill_between_any_two_steps_changes_nothing() -> None:
    """After each turn of the day in its own run: the same balances, the same shares of blocks."""
    whole = House(SHOWN)
    day(whole, ORDERS)
    expected = outcome(whole)
    assert whole.turns > 40
    for nth in range(13, whole.turns + 1):  # the first ones open and fill accounts
        house = House(SHOWN, die_after=nth)
        day(house, ORDERS)
        house.settle()
        assert outcome(house) == expected, f"killed after turn {nth}"
        assert not_cleared(house.ledger()) == []


quantities = st.integers(1, 3 * 10**9).map(lambda lots: TERMS.qty_text(lots))
fractional = st.tuples(
    st.integers(0, 2), st.sampled_from(["buy", "sell"]), quantities,
    st.sampled_from(["99.00", "99.98", "100.00", "100.02", "101.00"]),
)  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(st.lists(fractional, max_size=8), st.integers(13, 60))
def test_any_day_balances_at_every_step_and_in_the_end(
    orders: list[tuple[int, str, str, str]], killed: int
) -> None:
    house = House(SHOWN, die_after=killed)
    day(house, orders)
    assert not_cleared(house.ledger()) == []
    for state in house.states().values():
        working = state.working.values()
        assert state.held.get(USD.code, 0) == sum(o.hold for o in working if o.side is BUY)
        assert all(units >= 0 for units in state.balances.values())


# --- What is pooled -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "mic"),
    [
        ({}, POOL_MIC),
        ({"order_qty": "1"}, TERMS.mic),
        ({"order_qty": "2.000000001"}, POOL_MIC),
        ({"order_qty": "0.0000000001"}, Reason.QUANTITY_OFF_LOT),
        ({"post_only": True}, Reason.UNSUPPORTED_ORDER),
        ({"display_qty": "0.1"}, Reason.UNSUPPORTED_ORDER),
        ({"midpoint": True}, Reason.UNSUPPORTED_ORDER),
        ({"time_in_force": TimeInForce.FOK}, Reason.UNSUPPORTED_ORDER),
        ({"order_qty": "3", "display_qty": "1"}, TERMS.mic),
        (
            {"order_qty": "", "cash_order_qty": "10", "ord_type": OrdType.MARKET, "price": ""},
            Reason.UNSUPPORTED_ORDER,
        ),
    ],
)
def test_what_is_no_whole_round_lot_is_pooled_or_refused(
    change: dict[str, Any], mic: str | Reason
) -> None:
    house = House(SHOWN)
    house.furnish()
    ask = ev.Ask(ClOrdId("o"), SYMBOL, BUY, OrdType.LIMIT, GTC, "0.5", "100.00")
    command = ev.PlaceOrder(CAUSE, NOW, msgspec.structs.replace(ask, **change))
    [event] = decide_trading(house.states()[A], command, house.refs)
    if isinstance(event, ev.OrderAccepted):
        assert event.order.mic == mic
    else:
        assert isinstance(event, ev.OrderRejected)
        assert event.reason is mic


def test_an_order_on_the_street_stays_whole() -> None:
    house = House(SHOWN)
    house.furnish()
    house.place(A, BUY, "2", "99.00", GTC)
    name = ClOrdId("n")
    house.ask(A, ev.ReplaceOrder, 1, name, "1.5")
    last = [e.event for e in house.journal.follow(0, 10**6) if e.stream == A][-1]
    assert isinstance(last, ev.ChangeDenied)
    assert last.text.startswith("quantity_off_lot")


def test_a_desk_that_cannot_pay_is_said_to_and_its_customers_wait() -> None:
    house = House(SHOWN)
    for stream in (*CUSTOMERS, DESK_STREAM):
        house.ask(stream, ev.OpenAccount, "t")
    house.ask(A, ev.RecordDeposit, USD.code, "1000")
    house.place(A, BUY, "0.5", "101.00", GTC)
    house.cut(BUY)
    events = [e.event for e in house.journal.follow(0, 10**6) if e.stream == POOL]
    assert [type(each) for each in events[1:]] == [BlockCut, BlockAllocated]
    assert events[-1].text.startswith("exceeds_buying_power")  # type: ignore[attr-defined]
    assert house.states()[A].working[1].leaves_lots == 5 * 10**8
