"""Accounts, the paper venue and the market, with every message as late as Hypothesis likes.

Between two streams messages keep their order; between pairs they do not. Whatever happens, once all
of them are heard, accounts and venue agree about what works and what was executed.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.market.model import Aggressor, BookSide, Mark, Quality
from fondaco.domain.reference.model import HouseState, Limits
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    AccountState,
    ClOrdId,
    Contingency,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from fondaco.domain.trading.refs import refs_of, update_rates
from fondaco.domain.trading.rules import decider as trading
from fondaco.domain.venues.events import MatchResting, OrderExecuted
from fondaco.domain.venues.policies import policies
from fondaco.domain.venues.queue import PaperQueue
from fondaco.kernel.event import Command, CommandId, Entry, Event, Instant, StreamId, message_id
from venues.paper import BTC, BTC_USD, NOW, STREAM, SYMBOL, USD, A, B, Market, Venue, trade

TRADERS = (A, B)
DEPOSIT_USD, DEPOSIT_BTC = "1000000", "1000"
Pair = tuple[StreamId, StreamId]


@dataclass
class Town:
    """One thread, no clock, and a postman who may take his time."""

    venue: Venue = field(default_factory=lambda: Venue(Market()))
    accounts: dict[StreamId, AccountState] = field(default_factory=dict)
    post: dict[Pair, deque[Command]] = field(default_factory=dict)
    heard: list[Event] = field(default_factory=list)
    versions: dict[StreamId, int] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        house = HouseState(
            1,
            {SYMBOL: BTC_USD},
            {BTC.code: BTC, USD.code: USD},
            Limits(market_protection_bps=9_000),
        )
        self.queue = PaperQueue(SYMBOL, self.venue.market.book)
        self.refs = refs_of(house, {}, NOW)
        self.mark(100)
        for stream in TRADERS:
            self.accounts[stream] = trading.initial(stream)
            self.ask(stream, ev.OpenAccount(self.key(), NOW, "t"))
            self.ask(stream, ev.RecordDeposit(self.key(), NOW, USD.code, DEPOSIT_USD))
            self.ask(stream, ev.RecordDeposit(self.key(), NOW, BTC.code, DEPOSIT_BTC))

    def key(self) -> CommandId:
        self.asked += 1
        return CommandId(f"k{self.asked}#0")

    def mark(self, px: int) -> None:
        self.refs.marks[SYMBOL] = Mark(SYMBOL, px, Quality.OK, "test", 1, NOW)
        update_rates(self.refs, self.refs.marks[SYMBOL])

    def ask(self, stream: StreamId, command: Command) -> None:
        """One turn, and what it says to others is posted."""
        if stream == STREAM:
            found: list[Event] = list(self.venue.ask(command))  # type: ignore[arg-type]
            for event in found:
                self.queue.hear(event)  # type: ignore[arg-type]
        else:
            state = self.accounts[stream]
            found = list(trading.decide(state, command, self.refs))  # type: ignore[arg-type]
            for event in found:
                self.accounts[stream] = state = trading.evolve(state, event)  # type: ignore[arg-type]
        for event in found:
            self.heard.append(event)
            version = self.versions[stream] = self.versions.get(stream, 0) + 1
            entry = Entry(stream, version, 0, command.command_id, NOW, 1, event)
            for policy in policies.get(type(event), ()):
                for target, message in policy(entry, entry.at):
                    assert message.command_id == message_id(stream, version)
                    self.post.setdefault((stream, target), deque()).append(message)

    def deliver(self, choice: int) -> bool:
        """The oldest message of some pair; False where there is none."""
        waiting = [pair for pair, messages in self.post.items() if messages]
        if not waiting:
            return False
        pair = waiting[choice % len(waiting)]
        self.ask(pair[1], self.post[pair].popleft())
        return True

    def match(self, commands: list[MatchResting]) -> None:
        for command in commands:
            self.ask(STREAM, command)


accounts = st.sampled_from(TRADERS)
prices = st.integers(94, 106)
lots = st.integers(1, 40)
numbers = st.integers(1, 5)


def dollars(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02}"


@st.composite
def asks(draw: st.DrawFn) -> ev.Ask:
    ord_type = draw(st.sampled_from(OrdType))
    by_cash = ord_type is OrdType.MARKET and draw(st.booleans())
    tif = draw(
        st.sampled_from([TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK])
    )
    has_px = ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT)
    has_stop = ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
    size = draw(lots)
    return ev.Ask(
        ClOrdId(""),
        SYMBOL,
        draw(st.sampled_from(Side)),
        ord_type,
        tif,
        order_qty="" if by_cash else f"0.{size:03}",
        price=dollars(draw(prices)) if has_px else "",
        stop_px=dollars(draw(prices)) if has_stop else "",
        trail_offset="0.03" if ord_type is OrdType.TRAILING_STOP else "",
        display_qty=draw(st.sampled_from(["", "0.001"])) if ord_type is OrdType.LIMIT else "",
        cash_order_qty=f"0.{size:03}" if by_cash else "",
        post_only=ord_type is OrdType.LIMIT and draw(st.integers(0, 3)) == 0,
    )


@st.composite
def groups(draw: st.DrawFn) -> tuple[Contingency, tuple[ev.Ask, ...]]:
    contingency = draw(st.sampled_from(Contingency))
    qty, gtc = f"0.{draw(lots):03}", TimeInForce.GTC
    sell = Side.SELL
    target = ev.Ask(ClOrdId(""), SYMBOL, sell, OrdType.LIMIT, gtc, qty, "1.03")
    stop = ev.Ask(ClOrdId(""), SYMBOL, sell, OrdType.STOP, gtc, qty, stop_px="0.97")
    if contingency is Contingency.OCO:
        return contingency, (target, stop)
    entry = ev.Ask(ClOrdId(""), SYMBOL, Side.BUY, OrdType.LIMIT, gtc, qty, dollars(draw(prices)))
    return contingency, (entry, target, stop)


class Step(Protocol):
    def take(self, town: Town) -> None: ...


@dataclass
class Place:
    stream: StreamId
    ask: ev.Ask

    def take(self, town: Town) -> None:
        named = msgspec.structs.replace(self.ask, cl_ord_id=ClOrdId(f"o{town.asked}"))
        town.ask(self.stream, ev.PlaceOrder(town.key(), NOW, named))


@dataclass
class PlaceGroup:
    stream: StreamId
    group: tuple[Contingency, tuple[ev.Ask, ...]]

    def take(self, town: Town) -> None:
        contingency, asked = self.group
        named = tuple(
            msgspec.structs.replace(each, cl_ord_id=ClOrdId(f"o{town.asked}.{leg}"))
            for leg, each in enumerate(asked)
        )
        town.ask(self.stream, ev.PlaceOrders(town.key(), NOW, named, contingency))


@dataclass
class Cancel:
    stream: StreamId
    number: int

    def take(self, town: Town) -> None:
        town.ask(self.stream, ev.CancelOrder(town.key(), NOW, self.number))


@dataclass
class Replace:
    stream: StreamId
    number: int
    px: int
    lots: int

    def take(self, town: Town) -> None:
        cl_ord_id, qty = ClOrdId(f"o{town.asked}"), f"0.{self.lots:03}"
        command = ev.ReplaceOrder(town.key(), NOW, self.number, cl_ord_id, qty, dollars(self.px))
        town.ask(self.stream, command)


@dataclass
class Show:
    side: BookSide
    px: int
    lots: int

    def take(self, town: Town) -> None:
        town.venue.market.show(self.side, self.px, self.lots)
        town.match(town.queue.on_book(NOW))


@dataclass
class Trades:
    aggressor: Aggressor
    px: int
    lots: int

    def take(self, town: Town) -> None:
        town.match(town.queue.on_trade(trade(self.px, self.lots, self.aggressor)))


@dataclass
class Marked:
    """Everybody is asked whether the mark reaches a stop of theirs."""

    px: int

    def take(self, town: Town) -> None:
        town.mark(self.px)
        for account in TRADERS:
            for number in list(town.accounts[account].working):
                mark, command_id = town.refs.marks[SYMBOL], CommandId(f"trigger/{town.asked}")
                town.ask(account, ev.TriggerOrder(command_id, NOW, number, mark))


@dataclass
class Deliver:
    choice: int

    def take(self, town: Town) -> None:
        town.deliver(self.choice)


aggressors: st.SearchStrategy[Aggressor] = st.sampled_from(["buy", "sell"])
sides: st.SearchStrategy[BookSide] = st.sampled_from(["bid", "ask"])
places: st.SearchStrategy[Step] = st.builds(Place, accounts, asks())
steps: st.SearchStrategy[Step] = st.one_of(
    places,
    places,
    places,
    st.builds(PlaceGroup, accounts, groups()),
    st.builds(Cancel, accounts, numbers),
    st.builds(Replace, accounts, numbers, prices, lots),
    st.builds(Show, sides, prices, lots),
    st.builds(Trades, aggressors, prices, lots),
    st.builds(Marked, prices),
    st.builds(Deliver, st.integers(0, 9)),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(steps, min_size=12, max_size=40), st.integers(0, 9))
def test_accounts_and_venue_agree_once_everything_is_heard(
    history: list[Step], choice: int
) -> None:
    town = Town()
    for step in history:
        step.take(town)
    while town.deliver(choice):
        pass
    # A leg of an OCO that gave up its quantity and executes before its cancel arrives is filled for
    # the account, which has nothing left to end when the venue ends the rest. Nothing else is.
    over = {each.number for each in town.heard if isinstance(each, ev.OrderFilled) and each.over}
    for each in town.heard:
        if isinstance(each, ev.ReportUnmatched):
            assert each.number in over
            assert each.text.startswith("no such order at a venue")
    for stream in TRADERS:
        at_venue = {
            number: order.leaves_lots
            for number, order in town.accounts[stream].working.items()
            if order.at_venue
        }
        resting = town.venue.state.orders.get(stream, {})
        assert at_venue == {number: order.leaves_lots for number, order in resting.items()}
        statuses = {order.ord_status for order in town.accounts[stream].working.values()}
        assert not statuses & {OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE}
    _books_agree(town)


def _books_agree(town: Town) -> None:
    """Each account has as much more bitcoin as the venue says that it bought."""
    bought = dict.fromkeys(TRADERS, 0)
    for event in town.venue.journal:
        if isinstance(event, OrderExecuted):
            sign = 1 if event.side is Side.BUY else -1
            for fill in event.fills:
                note("executed as a maker" if event.is_maker else "executed as a taker")
                bought[event.account_stream] += sign * fill.lots
    for stream, lots_bought in bought.items():
        balance = town.accounts[stream].balances[BTC.code]
        assert balance == int(DEPOSIT_BTC) * 10**9 + lots_bought * BTC_USD.base_per_lot


def test_the_steps_are_worth_taking() -> None:
    """A bracket goes in, its entry executes, its target rests, and the market comes to it."""
    town = Town()
    gtc, qty = TimeInForce.GTC, "0.005"
    asked = (
        ev.Ask(ClOrdId("a"), SYMBOL, Side.BUY, OrdType.LIMIT, gtc, qty, "1.01"),
        ev.Ask(ClOrdId("b"), SYMBOL, Side.SELL, OrdType.LIMIT, gtc, qty, "1.03"),
        ev.Ask(ClOrdId("c"), SYMBOL, Side.SELL, OrdType.STOP, gtc, qty, stop_px="0.97"),
    )
    town.ask(A, ev.PlaceOrders(town.key(), Instant(NOW), asked, Contingency.BRACKET))
    while town.deliver(0):
        pass
    assert list(town.venue.state.orders[A]) == [2]
    town.match(town.queue.on_trade(trade(104, 1, "buy")))
    while town.deliver(0):
        pass
    assert not town.accounts[A].working
    assert town.accounts[A].balances[USD.code] == 10**14 + 5 * 2 * 1_000
