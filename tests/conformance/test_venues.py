"""One suite for every venue behind the seam to accounts, one test a promise.

An order that came in ends once. It is told of each lot once, in executions numbered without gaps,
never beyond what is left of it and never worse than its limit. What is unknown or done cannot be
changed, and is said to be so. What is told twice is heard once. What was written rebuilds the book.
And an account that hears all of it, in whatever order and however late, agrees with the venue.
"""

from collections import deque
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.app.kinds import CODEC
from fondaco.domain.market.model import BookSide, Mark, Quality
from fondaco.domain.reference.model import HouseState, Limits
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    AccountState,
    ClOrdId,
    OrdStatus,
    OrdType,
    SelfMatch,
    Side,
    TimeInForce,
)
from fondaco.domain.trading.refs import refs_of, update_rates
from fondaco.domain.trading.rules import decider as trading
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.policies import policies
from fondaco.kernel.event import Command, CommandId, Entry, Event, StreamId, message_id
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.actor import Host
from fondaco.runtime.committer import Committer
from venues.floors import FLOORS, Floor, Key, executed
from venues.paper import BTC, BTC_USD, NOW, SYMBOL, USD, A, B, cancel, enter, replace

C = StreamId("account/C")
TRADERS = (A, B, C)
BUY, SELL = Side.BUY, Side.SELL
every_floor = pytest.mark.parametrize("make", FLOORS, ids=[each.__name__ for each in FLOORS])

accounts = st.sampled_from(TRADERS)
prices = st.integers(96, 104)
lots = st.integers(1, 30)
tifs = [TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK]


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """What an account would send."""
    size, tif = draw(lots), draw(st.sampled_from(tifs))
    rests = tif is TimeInForce.GTC
    return {
        "side": draw(st.sampled_from(Side)),
        "px": draw(prices),
        "lots": size,
        "tif": tif,
        "account": draw(accounts),
        "display": min(draw(st.sampled_from([0, 0, 3])), size) if rests else 0,
        "post_only": rests and draw(st.integers(0, 5)) == 0,
        "self_match": draw(st.sampled_from([None, *SelfMatch])),
        "min_lots": min(draw(st.sampled_from([0, 0, 4, 11])), size),
    }


numbers = st.integers(1, 25)
sides: st.SearchStrategy[BookSide] = st.sampled_from(["bid", "ask"])
qualities = st.sampled_from([Quality.OK, Quality.OK, Quality.OK, *Quality])
steps = st.one_of(
    st.tuples(st.just("enter"), orders()),
    st.tuples(st.just("enter"), orders()),
    st.tuples(st.just("enter"), orders()),
    st.tuples(st.just("cancel"), accounts, numbers),
    st.tuples(st.just("replace"), accounts, numbers, lots, prices),
    st.tuples(st.just("stir"), sides, prices, st.integers(0, 30), qualities),
)
histories = st.lists(steps, max_size=40)


def commands_of(floor: Floor, step: Any, number: int) -> list[Command]:
    match step:
        case ("enter", ask):
            return [enter(number, **ask)]
        case ("cancel", account, of):
            return [cancel(of, account=account)]
        case ("replace", account, of, size, px):
            return [replace(of, lots=size, px=px, account=account)]
        case (_, side, px, size, quality):
            return list(floor.stir(side, px, size, quality))
    raise AssertionError(step)


class Told:
    """What a venue has said of every order; fails where it contradicts itself."""

    def __init__(self) -> None:
        self.open: dict[Key, list[int]] = {}  # limit, OrderQty, executed, executions
        self.sides: dict[Key, Side] = {}
        self.ended: dict[Key, str] = {}

    def came(self, ask: EnterOrder) -> None:
        key = (ask.account_stream, ask.number)
        self.open[key] = [ask.px, ask.lots, 0, 0]
        self.sides[key] = ask.side

    def hear(self, event: Any) -> None:
        key = (getattr(event, "account_stream", A), getattr(event, "number", 0))
        match event:
            case ChangeDenied():
                return
            case OrderExecuted():
                self.executed(key, event)
            case OrderEnded():
                assert key in self.open, "an order ends once"
                self.end(key, event.text)
            case OrderReplaced():
                self.replaced(key, event)
            case OrderBooked():
                _, size, done, number = self.open[key]
                assert event.lots - done == event.leaves_lots > 0
                assert event.exec_number == number
                self.open[key][1] = event.lots
                assert event.lots <= size

    def executed(self, key: Key, event: OrderExecuted) -> None:
        assert key in self.open, f"{key} executes after it ended: {self.ended.get(key)}"
        px, size, done, number = self.open[key]
        side = self.sides[key]
        assert event.side is side
        assert event.exec_number == number + 1, "numbered without gaps"
        for fill in event.fills:
            assert fill.lots > 0
            assert fill.px <= px if side is BUY else fill.px >= px, "no worse than its limit"
            done += fill.lots
        assert event.leaves_lots == size - done >= 0, "no more than is left"
        self.open[key][2:] = [done, number + 1]
        if not event.leaves_lots:
            self.end(key, "filled")

    def replaced(self, key: Key, event: OrderReplaced) -> None:
        assert key in self.open, "nobody replaces what is done"
        _, size, done, number = self.open[key]
        assert event.lots - done == event.leaves_lots > 0
        if event.is_restated:
            assert event.lots <= size, "by itself a venue only takes something off"
        self.open[key] = [event.px, event.lots, done, number]

    def end(self, key: Key, why: str) -> None:
        del self.open[key]
        self.ended[key] = why


@every_floor
@settings(deadline=None, max_examples=60)
@given(history=histories)
def test_every_order_is_accounted_for(make: type[Floor], history: list[Any]) -> None:
    """It ends once, or rests with what is left; what is said of it never contradicts itself; both
    sides of a trade between orders of this house are told alike; and a dark book shows nothing."""
    floor, told = make(), Told()
    for number, step in enumerate(history, 1):
        for command in commands_of(floor, step, number):
            if isinstance(command, EnterOrder):
                told.came(command)
            events = floor.ask(command)
            for event in events:
                told.hear(event)
            if floor.is_whole:
                assert executed(events, BUY) == executed(events, SELL)
            denied = [event for event in events if isinstance(event, ChangeDenied)]
            if denied and isinstance(command, CancelAtVenue | ReplaceAtVenue):
                assert events == denied, "nothing else changes"
        left = {key: (px, size - done) for key, (px, size, done, _) in told.open.items()}
        assert floor.resting() == left


@every_floor
@settings(deadline=None, max_examples=60)
@given(history=histories, cut=st.integers(0, 40))
def test_what_was_written_rebuilds_the_book(
    make: type[Floor], history: list[Any], cut: int
) -> None:
    """From the first entry on, and from a snapshot on."""
    floor, kept, since = make(), b"", 0
    for number, step in enumerate(history, 1):
        if number == cut:
            kept, since = floor.seen(), len(floor.journal)
        for command in commands_of(floor, step, number):
            floor.ask(command)
    replayed = floor.decider.initial(floor.stream)
    for event in floor.journal:
        floor.decider.evolve(replayed, event)
    assert make.seen(_with(floor, replayed)) == floor.seen()
    if kept:
        again = floor.reborn(kept)
        for event in floor.journal[since:]:
            floor.decider.evolve(again, event)
        assert make.seen(_with(floor, again)) == floor.seen()


def _with(floor: Floor, state: Any) -> Floor:
    other = type(floor)()
    other.state = state
    return other


@every_floor
def test_what_is_unknown_or_done_cannot_be_changed(make: type[Floor]) -> None:
    floor = make()
    for ask in (cancel(9), replace(9, lots=5, px=100), cancel(9, account=B)):
        [denied] = floor.ask(ask)
        assert isinstance(denied, ChangeDenied)
        assert denied.text == "too_late"
    floor.ask(enter(1, BUY, 97, 5))
    floor.ask(cancel(1))
    for ask in (cancel(1), replace(1, lots=9, px=98)):
        [denied] = floor.ask(ask)
        assert isinstance(denied, ChangeDenied)
    assert floor.resting() == {}


@every_floor
def test_less_keeps_the_place_and_more_or_another_price_does_not(make: type[Floor]) -> None:
    floor = make()
    floor.ask(enter(1, BUY, 97, 5))
    [less] = floor.ask(replace(1, lots=3, px=97))
    [more] = floor.ask(replace(1, lots=8, px=97))
    [other] = floor.ask(replace(1, lots=8, px=96))
    assert [each.keeps_place for each in (less, more, other)] == [True, False, False]
    assert floor.resting() == {(A, 1): (96, 8)}


@every_floor
def test_a_cancel_that_expires_an_order_says_so(make: type[Floor]) -> None:
    floor = make()
    floor.ask(enter(1, BUY, 97, 5))
    [ended] = floor.ask(cancel(1, reason="expired"))
    assert (ended.ord_status, ended.text) == (OrdStatus.EXPIRED, "expired")


@every_floor
def test_what_is_told_twice_is_heard_once(make: type[Floor]) -> None:
    """A message that is delivered again, as after a crash, finds that it was heard: one order, one
    set of entries. So does one that is overtaken by a later one."""
    floor, journal = make(), MemoryJournal(CODEC)
    committer = Committer(journal, lambda _: None)
    host: Host[Any, Any, Any, Any] = Host(floor.decider, lambda _: floor.refs, journal, committer)
    first = _numbered(enter(1, BUY, 97, 5), 7)
    second = _numbered(cancel(1), 8)
    for command in (first, first, second, first, second):
        host.submit(floor.stream, command)
        committer.commit()
    written = [entry.event for entry in journal.follow(0, 99)]
    assert tuple(type(event) for event in written) == floor.trace


def _numbered(command: Any, version: int) -> Any:
    return msgspec.structs.replace(command, command_id=message_id(A, version))


# --- Accounts that hear all of it ---------------------------------------------------------------


class Town:
    """Accounts and one venue, with every message as late as the postman likes, and some twice."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.asked = 0
        self.post: dict[tuple[StreamId, StreamId], deque[tuple[int, Command]]] = {}
        self.heard: dict[tuple[StreamId, StreamId], int] = {}
        self.versions: dict[StreamId, int] = {}
        self.unmatched: list[ev.ReportUnmatched] = []
        terms = BTC_USD
        if floor.mic in ("CROSS", "BRKR"):
            terms = msgspec.structs.replace(terms, mic=floor.mic)
        if floor.mic == "POOLS":
            terms = msgspec.structs.replace(terms, round_lots=1_000)
        assets = {BTC.code: BTC, USD.code: USD}
        house = HouseState(1, {SYMBOL: terms}, assets, Limits(market_protection_bps=9_000))
        self.refs = refs_of(house, {}, NOW)
        self.refs.marks[SYMBOL] = Mark(SYMBOL, 100, Quality.OK, "test", 1, NOW)
        update_rates(self.refs, self.refs.marks[SYMBOL])
        self.accounts: dict[StreamId, AccountState] = {}
        for stream in TRADERS:
            self.accounts[stream] = trading.initial(stream)
            self.ask(stream, ev.OpenAccount(self.key(), NOW, "t"))
            self.ask(stream, ev.RecordDeposit(self.key(), NOW, USD.code, "1000000"))
            self.ask(stream, ev.RecordDeposit(self.key(), NOW, BTC.code, "1000"))

    def key(self) -> CommandId:
        self.asked += 1
        return CommandId(f"k{self.asked}#0")

    def place(self, ask: dict[str, Any]) -> None:
        dark = self.floor.mic == "MIDPT"
        at_once = ask["tif"] is not TimeInForce.GTC
        tif = TimeInForce.IOC if dark and at_once else ask["tif"]
        named = ev.Ask(
            ClOrdId(f"o{self.asked}"),
            SYMBOL,
            ask["side"],
            OrdType.LIMIT,
            tif,
            f"0.{ask['lots']:03}",
            _dollars(ask["px"]),
            display_qty=f"0.{ask['display']:03}" if ask["display"] and not dark else "",
            post_only=ask["post_only"] and not dark,
        )
        if ask["self_match"]:
            named = _also(named, self_match=ask["self_match"])
        if dark:
            named = _also(named, midpoint=True)
        if dark and ask["min_lots"]:
            named = _also(named, min_qty=f"0.{ask['min_lots']:03}")
        self.ask(ask["account"], ev.PlaceOrder(self.key(), NOW, named))

    def ask(self, stream: StreamId, command: Any) -> None:
        if stream == self.floor.stream:
            found: list[Event] = self.floor.ask(command)
        else:
            state = self.accounts[stream]
            found = list(trading.decide(state, command, self.refs))
            for event in found:
                self.accounts[stream] = state = trading.evolve(state, event)  # type: ignore[arg-type]
                if isinstance(event, ev.ReportUnmatched):
                    self.unmatched.append(event)
        for event in found:
            version = self.versions[stream] = self.versions.get(stream, 0) + 1
            entry = Entry(stream, version, 0, command.command_id, NOW, 1, event)
            for policy in policies.get(type(event), ()):
                for target, message in policy(entry, entry.at):
                    assert target == self.floor.stream or target in TRADERS
                    waiting = self.post.setdefault((stream, target), deque())
                    waiting.append((version, message))

    def deliver(self, choice: int, *, again: bool = False) -> bool:
        """The oldest message of some pair, which `again` leaves to be delivered once more."""
        waiting = [pair for pair, messages in self.post.items() if messages]
        if not waiting:
            return False
        pair = waiting[choice % len(waiting)]
        version, message = self.post[pair][0] if again else self.post[pair].popleft()
        if version > self.heard.get(pair, 0):
            self.heard[pair] = version
            self.ask(pair[1], message)
        return True


def _also(ask: ev.Ask, **more: Any) -> ev.Ask:
    return msgspec.structs.replace(ask, **more)


def _dollars(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02}"


mail = st.tuples(st.just("deliver"), st.integers(0, 9), st.booleans())


@every_floor
@settings(deadline=None, max_examples=60)
@given(
    history=st.lists(st.one_of(steps, mail, mail), min_size=8, max_size=40),
    choice=st.integers(0, 9),
)
def test_accounts_agree_with_the_venue_once_everything_is_heard(
    make: type[Floor], history: list[Any], choice: int
) -> None:
    town = Town(make())
    for step in history:
        _take(town, step)
    while town.deliver(choice):
        pass
    assert town.unmatched == []
    resting = town.floor.resting()
    for stream in TRADERS:
        working = town.accounts[stream].working
        mine = {number: left for (whose, number), left in resting.items() if whose == stream}
        assert {number: (each.px, each.leaves_lots) for number, each in working.items()} == mine
        statuses = {order.ord_status for order in working.values()}
        assert statuses <= {OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED}
    if town.floor.is_whole:
        base = sum(state.balances[BTC.code] for state in town.accounts.values())
        assert base == 3 * 1_000 * 10**9, "what one has bought, another has sold"


def _take(town: Town, step: Any) -> None:
    match step:
        case ("enter", ask):
            town.place(ask)
        case ("cancel", account, number):
            town.ask(account, ev.CancelOrder(town.key(), NOW, number))
        case ("replace", account, number, size, px):
            name, qty = ClOrdId(f"o{town.asked}"), f"0.{size:03}"
            command = ev.ReplaceOrder(town.key(), NOW, number, name, qty, _dollars(px))
            town.ask(account, command)
        case ("deliver", choice, again):
            town.deliver(choice, again=again)
        case (_, side, px, size, quality):
            for told in town.floor.stir(side, px, size, quality):
                town.ask(town.floor.stream, told)
