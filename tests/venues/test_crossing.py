"""The crossing venue's laws: the kernel's own turns as events, whole after replay and snapshots."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.trading.model import OrdStatus, SelfMatch, Side, TimeInForce
from fondaco.domain.venues.crossing.events import CrossingEvent, SetPhase, Uncrossed
from fondaco.domain.venues.crossing.market import OwnMarket
from fondaco.domain.venues.crossing.matching import MatchingBook
from fondaco.domain.venues.crossing.model import MIC, MODES, CrossingState, Phase
from fondaco.domain.venues.crossing.rules import decider
from fondaco.domain.venues.events import (
    ChangeDenied,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
)
from fondaco.domain.venues.model import VenueRefs, venue_stream
from fondaco.kernel.event import CommandId, Entry, StreamId
from fondaco.runtime.loading import made, plain
from venues.paper import BTC_USD, CAUSE, NOW, SYMBOL, A, B, Market, cancel, enter, replace

STREAM = venue_stream(SYMBOL, MIC)
C = StreamId("account/C")
BUY, SELL = Side.BUY, Side.SELL
OWN = msgspec.structs.replace(BTC_USD, mic=MIC, reference_px=100)


class Crossing:
    """The venue of one symbol."""

    def __init__(self) -> None:
        self.state: CrossingState = decider.initial(STREAM)
        self.journal: list[Any] = []
        self.refs = VenueRefs(1, Market().book)

    def ask(self, *commands: Any) -> list[Any]:
        """What the last of them left."""
        last: list[Any] = []
        for command in commands:
            before = self.seen()
            last = list(decider.decide(self.state, command, self.refs))
            assert last, "every command leaves a trace"
            assert self.seen() == before, "a decision changes nothing"
            for event in last:
                self.journal.append(event)
                decider.evolve(self.state, event)
        return last

    def seen(self) -> Any:
        state = self.state
        return (state.book.dump(), state.phase, state.trades, state.last_px, repr(state.terms))


def phase(to: Phase, reference_px: int = 0) -> SetPhase:
    return SetPhase(CAUSE, NOW, to, "test", "ada", reference_px)


entering = st.builds(
    lambda account, side, px, lots, tif, display, post_only, mode: ("enter", {
        "account": account, "side": side, "px": px, "lots": lots, "tif": tif,
        "display": min(display, lots) if tif is TimeInForce.GTC else 0,
        "post_only": post_only and tif is TimeInForce.GTC,
        "self_match": mode,
    }),
    st.sampled_from([A, B, C]), st.sampled_from(Side), st.integers(97, 103), st.integers(1, 30),
    st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    st.sampled_from([0, 0, 1, 4]), st.booleans(), st.sampled_from([None, *SelfMatch]),
)  # fmt: skip
changing = st.one_of(
    st.tuples(st.just("cancel"), st.sampled_from([A, B, C]), st.integers(1, 20)),
    st.tuples(
        st.just("replace"),
        st.sampled_from([A, B, C]),
        st.integers(1, 20),
        st.integers(1, 30),
        st.integers(97, 103),
    ),
)
phases = st.tuples(st.just("phase"), st.sampled_from(Phase))
plays = st.lists(st.one_of(entering, entering, changing, phases), max_size=40)


def commands_of(play: list[Any]) -> list[Any]:
    commands: list[Any] = []
    for number, each in enumerate(play, 1):
        if each[0] == "enter":
            commands.append(enter(number, **each[1]))
        elif each[0] == "cancel":
            commands.append(cancel(each[2], account=each[1]))
        elif each[0] == "replace":
            commands.append(replace(each[2], lots=each[3], px=each[4], account=each[1]))
        else:
            commands.append(phase(each[1], 100))
    return commands


@given(plays)
def test_replay_and_snapshots_come_to_the_same_book(play: list[Any]) -> None:
    venue, shown = Crossing(), Board({})
    shown.add_own(OWN)
    market = OwnMarket(shown, decider.initial(STREAM), NOW)
    heard = 0
    for nth, command in enumerate(commands_of(play)):
        venue.ask(command)
        for event in venue.journal[heard:]:
            heard += 1
            market.hear(Entry(STREAM, heard, heard, CommandId("x"), NOW, 1, event))
        market.settle(NOW)
        rows = venue.state.book.matching.rows(0), venue.state.book.matching.rows(1)
        if venue.state.phase is Phase.CONTINUOUS:
            assert not rows[0] or not rows[1] or rows[0][0][3] < rows[1][0][3], "crossed"
        for side, number in ((BID, 0), (ASK, 1)):
            levels: dict[int, int] = {}
            for row in rows[number]:
                levels[row[3]] = levels.get(row[3], 0) + row[6]
            assert dict(shown.books[SYMBOL].levels.depth(side, 99)) == levels
        if nth == len(play) // 2:  # from here on a second memory goes on from a snapshot
            kept = msgspec.msgpack.encode(venue.state, enc_hook=plain)
            again = msgspec.msgpack.decode(kept, type=CrossingState, dec_hook=made)
            since = heard
    replayed = decider.initial(STREAM)
    stored = msgspec.msgpack.encode(venue.journal)
    for event in msgspec.msgpack.decode(stored, type=list[CrossingEvent]):
        decider.evolve(replayed, event)
    assert replayed.book.dump() == venue.state.book.dump()
    if play:
        for event in venue.journal[since:]:
            decider.evolve(again, event)
        assert again.book.dump() == venue.state.book.dump()
        assert (again.terms, again.trades) == (venue.state.terms, venue.state.trades)


@given(plays)
def test_both_sides_of_every_trade_are_told_alike(play: list[Any]) -> None:
    """Fill by fill, so that the venue's clearing account nets to zero to the last unit; an order is
    told of each lot once, in executions numbered without gaps; and nobody meets itself."""
    venue = Crossing()
    lots: dict[tuple[StreamId, int], int] = {}
    numbers: dict[tuple[StreamId, int], int] = {}
    ended: set[tuple[StreamId, int]] = set()
    for command in commands_of(play):
        was = venue.state.phase
        events = venue.ask(command)
        sides: dict[Side, list[tuple[int, int]]] = {BUY: [], SELL: []}
        who: dict[Side, set[StreamId]] = {BUY: set(), SELL: set()}
        for event in events:
            key = (getattr(event, "account_stream", A), getattr(event, "number", 0))
            if isinstance(event, OrderExecuted):
                assert key not in ended
                assert event.exec_number == numbers.get(key, 0) + 1
                numbers[key] = event.exec_number
                lots[key] = lots.get(key, 0) + sum(fill.lots for fill in event.fills)
                sides[event.side] += [(fill.px, fill.lots) for fill in event.fills]
                who[event.side].add(event.account_stream)
            elif isinstance(event, OrderEnded):
                ended.add(key)
        assert sorted(sides[BUY]) == sorted(sides[SELL])
        if was is Phase.CONTINUOUS:
            assert not who[BUY] & who[SELL]
    for key, terms in (
        (venue.state.whose(each), terms) for each, terms in venue.state.terms.items()
    ):
        row = venue.state.book.row(venue.state.order_id(*key))
        assert terms.lots - row[4] == lots.get(key, 0)


@given(st.lists(entering, max_size=30))
def test_turns_are_the_kernels_own(play: list[Any]) -> None:
    """What decide and evolve make of an order is what the kernel does when it is just entered."""
    venue, book = Crossing(), MatchingBook()
    owners = {A: 1, B: 2, C: 3}
    tifs = {TimeInForce.GTC: 0, TimeInForce.IOC: 1, TimeInForce.FOK: 2}
    for number, (_, ask) in enumerate(play, 1):
        venue.ask(enter(number, **ask))
        manner = (ask["side"] is SELL) + 2 * tifs[ask["tif"]] + 8 * ask["post_only"]
        manner += 16 * MODES[ask["self_match"]]
        book.enter(number, owners[ask["account"]], manner, ask["px"], ask["lots"], ask["display"])
        mine = [(venue.state.whose(row[0]), *row[2:]) for row in venue.state.book.dump()]
        names = {number: account for account, number in owners.items()}
        theirs = [((names[row[1]], row[0]), *row[2:]) for row in book.rows(0) + book.rows(1)]
        assert mine == theirs


def test_a_taker_meets_makers_at_their_prices_and_rests_with_what_is_left() -> None:
    venue = Crossing()
    venue.ask(enter(1, SELL, 101, 4, account=A), enter(2, SELL, 100, 3, account=B))
    taker, first, second, booked = venue.ask(enter(7, BUY, 101, 10, account=C))
    assert [(fill.px, fill.lots) for fill in taker.fills] == [(100, 3), (101, 4)]
    assert (taker.is_maker, taker.leaves_lots) == (False, 3)
    assert [(each.account_stream, each.is_maker, each.leaves_lots) for each in (first, second)] == [
        (B, True, 0),
        (A, True, 0),
    ]
    assert isinstance(booked, OrderBooked)
    assert (booked.px, booked.leaves_lots, booked.exec_number) == (101, 3, 1)


@pytest.mark.parametrize(
    ("ask", "status", "text"),
    [
        ({"post_only": True}, OrdStatus.REJECTED, "would_take"),
        ({"tif": TimeInForce.FOK, "lots": 9}, OrdStatus.EXPIRED, "not_at_once"),
        ({"tif": TimeInForce.IOC, "px": 99}, OrdStatus.EXPIRED, "no_liquidity"),
        ({"account": A}, OrdStatus.CANCELED, "self_match"),
        ({"lots": 5, "cum_lots": 5}, OrdStatus.REJECTED, "nothing_left"),
    ],
)
def test_orders_that_may_not_take_end_and_change_nothing(
    ask: dict[str, Any], status: OrdStatus, text: str
) -> None:
    venue = Crossing()
    venue.ask(enter(1, SELL, 100, 5, account=A))
    before = venue.state.book.dump()
    [ended] = venue.ask(enter(2, **{"side": BUY, "px": 100, "account": B, **ask}))
    assert (ended.ord_status, ended.text) == (status, text)
    assert venue.state.book.dump() == before


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        (None, [("A", 1, 5)], "self_match"),
        (SelfMatch.CANCEL_NEWEST, [("A", 1, 5)], "self_match"),
        (SelfMatch.CANCEL_OLDEST, [("A", 2, 6)], ""),
        (SelfMatch.CANCEL_BOTH, [], "self_match"),
        (SelfMatch.DECREMENT, [("A", 2, 1)], ""),
    ],
)
def test_a_taker_says_what_happens_where_it_meets_itself(
    mode: SelfMatch | None, maker: list[Any], taker: str
) -> None:
    """It has met somebody else for two lots before, at a better price."""
    venue = Crossing()
    venue.ask(enter(1, SELL, 100, 5, account=A), enter(9, SELL, 99, 2, account=B))
    events = venue.ask(enter(2, BUY, 100, 8, account=A, self_match=mode))
    ended = [event for event in events if isinstance(event, OrderEnded) and event.number == 2]
    assert [event.text for event in ended] == ([taker] if taker else [])
    rows = [(*venue.state.whose(row[0]), row[4]) for row in venue.state.book.dump()]
    assert rows == [(StreamId(f"account/{whose}"), *rest) for whose, *rest in maker]


def test_a_maker_that_is_cut_is_restated_and_keeps_its_place() -> None:
    venue = Crossing()
    venue.ask(enter(1, SELL, 100, 5, account=A), enter(2, SELL, 100, 5, account=B))
    restated, ended = venue.ask(enter(3, BUY, 100, 2, account=A, self_match=SelfMatch.DECREMENT))
    assert (restated.number, restated.lots, restated.leaves_lots) == (1, 3, 3)
    assert (restated.keeps_place, restated.is_restated) == (True, True)
    assert (ended.number, ended.ord_status) == (3, OrdStatus.CANCELED)
    assert [row[4] for row in venue.state.book.dump()] == [3, 5]


def test_an_order_by_cash_ends_once_its_cash_is_spent() -> None:
    venue = Crossing()
    venue.ask(enter(1, SELL, 100, 5, account=A), enter(2, SELL, 101, 5, account=A))
    cost = BTC_USD.cost_up(100, 5) + BTC_USD.cost_up(101, 2)
    taken, *_, ended = venue.ask(enter(3, BUY, 110, 99, account=B, is_market=True, cash=cost))
    assert sum(fill.lots for fill in taken.fills) == 7
    assert (ended.ord_status, ended.text) == (OrdStatus.EXPIRED, "cash_spent")


def test_an_auction_collects_orders_and_uncrosses_at_one_price() -> None:
    """Figure O3's book, as orders of two accounts."""
    venue = Crossing()
    venue.ask(phase(Phase.OPENING_AUCTION))
    bids = ((640, 500), (639, 500), (639, 500), (634, 1000), (633, 500))
    asks = ((610, 1000), (640, 500), (641, 520), (642, 550), (643, 519))
    for number, (px, lots) in enumerate(bids, 1):
        [booked] = venue.ask(enter(number, BUY, px, lots, account=A))
        assert isinstance(booked, OrderBooked)
    for number, (px, lots) in enumerate(asks, 1):
        venue.ask(enter(number, SELL, px, lots, account=B))
    [refused] = venue.ask(enter(9, BUY, 640, 1, TimeInForce.IOC, account=C))
    assert (refused.ord_status, refused.text) == (OrdStatus.REJECTED, "auction")
    _, uncrossed, *executed = venue.ask(phase(Phase.CONTINUOUS))
    assert uncrossed == Uncrossed(639, 1000, 500, 2)
    assert [(each.account_stream, each.number, each.leaves_lots) for each in executed] == [
        (A, 1, 0),
        (B, 1, 0),
        (A, 2, 0),
    ]
    assert {fill.px for each in executed for fill in each.fills} == {639}
    assert venue.state.last_px == 639


def test_who_is_shut_lets_orders_go_and_none_come() -> None:
    venue = Crossing()
    venue.ask(enter(1, BUY, 100, 5), enter(2, BUY, 100, 5), phase(Phase.HALTED))
    [refused] = venue.ask(enter(3, BUY, 100, 5))
    assert (refused.ord_status, refused.text) == (OrdStatus.REJECTED, "halted")
    [denied] = venue.ask(replace(1, lots=6, px=100))
    assert isinstance(denied, ChangeDenied)
    [less] = venue.ask(replace(1, lots=4, px=100))
    assert isinstance(less, OrderReplaced)
    [ended] = venue.ask(cancel(2))
    assert ended.ord_status is OrdStatus.CANCELED


def test_a_mark_is_the_median_of_touch_and_last_trade() -> None:
    """One order far off moves it nowhere; an empty book is worth what its listing said."""
    venue, board, heard = Crossing(), Board({}), 0
    board.add_own(OWN)
    market = OwnMarket(board, decider.initial(STREAM), NOW)
    marks = []
    for command in (
        enter(1, BUY, 1, 5, account=A),
        enter(2, SELL, 500, 5, account=B),
        enter(3, BUY, 120, 5, account=A),
        enter(4, SELL, 120, 2, account=B),
        enter(5, SELL, 125, 2, account=B),
        cancel(3, account=A),
    ):
        for event in venue.ask(command):
            heard += 1
            market.hear(Entry(STREAM, heard, heard, CommandId("x"), NOW, 1, event))
        market.settle(NOW)
        marks.append(board.marks[SYMBOL].px)
    assert marks == [100, 100, 120, 120, 120, 120]
    assert board.last(SYMBOL) is not None
    board.check(NOW + 10**12)  # type: ignore[arg-type]
    assert board.quality(SYMBOL) == "ok", "its silence is no news"
