"""Bugs to be found: each is put into the running code by `plant`, and taken out again.

They are mistakes that somebody could make here, one of each kind that the simulator must find.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

import pytest
from msgspec.structs import replace

from fondaco.app import house
from fondaco.app.arming import arm
from fondaco.app.house import Kernel
from fondaco.app.margined import Margined
from fondaco.app.schedules import Schedules
from fondaco.app.simulation import life
from fondaco.app.simulation.clients import DEAR_SYMBOL
from fondaco.domain.trading.events import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    SessionRolled,
)
from fondaco.domain.trading.model import AccountState, AccountType, OpenLots
from fondaco.domain.trading.rules import evolve as evolved
from fondaco.domain.trading.store import queries
from fondaco.domain.venues.crossing import auction
from fondaco.domain.venues.crossing import rules as crossing
from fondaco.domain.venues.crossing.market import OwnMarket
from fondaco.domain.venues.crossing.model import OwnBook, Phase
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.errors import Unavailable
from fondaco.ports.journal import _chain, _frames, _tip, entries_of
from fondaco.ports.journal._disk import Disk
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.actor import Actor
from fondaco.runtime.answered import Answered
from fondaco.runtime.committer import Answer, Committer
from fondaco.runtime.loading import Memory
from fondaco.runtime.projector import Projector
from fondaco.runtime.reactor import Reactor

Plant = Callable[[pytest.MonkeyPatch], None]
PLANTS: Final[dict[str, Plant]] = {}


def plant(how: Plant) -> Plant:
    PLANTS[how.__name__] = how
    return how


@contextmanager
def planted(name: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        PLANTS[name](patch)
        yield


# --- Answers and commits --------------------------------------------------------------------------


@plant
def an_answer_leaves_before_its_commit(patch: pytest.MonkeyPatch) -> None:
    enqueue = Committer.enqueue

    def early(self: Committer, turn: Any) -> None:
        if turn.decision:
            turn.answer.settle(tuple(entries_of([turn.decision], self.position)))
            turn = replace(turn, answer=Answer())
        enqueue(self, turn)

    patch.setattr(Committer, "enqueue", early)


@plant
def a_failed_commit_is_ignored(patch: pytest.MonkeyPatch) -> None:
    write = Committer._write

    def hopeful(self: Committer, group: Any) -> Any:
        outcomes = write(self, group)
        return [
            tuple(entries_of([turn.decision], self.position))
            if turn.decision and isinstance(outcome, Unavailable)
            else outcome
            for turn, outcome in zip(group, outcomes, strict=True)
        ]

    patch.setattr(Committer, "_write", hopeful)


@plant
def an_actor_keeps_its_lease_after_a_failed_commit(patch: pytest.MonkeyPatch) -> None:
    settle = Committer._settle

    def forgiving(self: Committer, group: Any, outcomes: Any) -> None:
        settle(self, group, outcomes)
        for turn in group:
            turn.lease.lost = None

    patch.setattr(Committer, "_settle", forgiving)


@plant
def a_retry_is_not_known(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Actor, "_was_answered", lambda *_: False)


@plant
def a_snapshot_forgets_the_keys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answered, "load", classmethod(lambda cls, _: cls()))


# --- Between streams ------------------------------------------------------------------------------


@plant
def what_is_told_again_happens_again(patch: pytest.MonkeyPatch) -> None:
    live_through = Memory.live_through

    def deaf(self: Memory[Any], *told: Any) -> None:
        live_through(self, *told)
        self.heard.clear()

    patch.setattr(Memory, "live_through", deaf)


@plant
def the_cursor_skips_what_was_not_heard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reactor, "cursor", property(lambda self: self.position))
    patch.setattr(house, "CURSOR_EVERY", 2)  # ticks: a run is short


@plant
def a_message_overtakes_those_that_wait(patch: pytest.MonkeyPatch) -> None:
    def at_once(self: Reactor, position: int, target: Any, command: Any) -> None:
        try:
            answer = self._submit(target, command)
        except Unavailable:
            self._stall(position, target, command)
            return
        answer.then(lambda outcome: self._heard(position, target, command, outcome))

    patch.setattr(Reactor, "_hand", at_once)


@plant
def a_message_that_cannot_be_delivered_is_dropped(patch: pytest.MonkeyPatch) -> None:
    def drop(self: Reactor, position: int, target: Any, command: Any) -> None:
        self._heard(position, target, command, ())

    patch.setattr(Reactor, "_stall", drop)


# --- Laws -----------------------------------------------------------------------------------------


def after(
    patch: pytest.MonkeyPatch, kind: type, wrong: Callable[[AccountState, Any], None]
) -> None:
    """`wrong` is done as well whenever an account lives through an event of this kind."""
    right = evolved_table()[kind]

    def both(state: AccountState, event: Any) -> None:
        right(state, event)
        wrong(state, event)

    patch.setitem(evolved_table(), kind, both)


def evolved_table() -> dict[type, Callable[[AccountState, Any], None]]:
    module: Any = __import__("sys").modules[evolved.__module__]
    table: dict[type, Callable[[AccountState, Any], None]] = module._EVOLVED
    return table


@plant
def a_canceled_order_keeps_its_hold(patch: pytest.MonkeyPatch) -> None:
    right = evolved_table()[OrderCanceled]

    def keeps(state: AccountState, event: Any) -> None:
        held = dict(state.held)
        right(state, event)
        state.held = held

    patch.setitem(evolved_table(), OrderCanceled, keeps)


@plant
def a_fill_costs_a_unit_too_much(patch: pytest.MonkeyPatch) -> None:
    def costs(state: AccountState, event: OrderFilled) -> None:
        state.balances[event.quote] -= 1

    after(patch, OrderFilled, costs)


@plant
def evolve_counts_the_orders_of_other_streams(patch: pytest.MonkeyPatch) -> None:
    counted = count()

    def counts(state: AccountState, event: OrderAccepted) -> None:
        state.name = str(next(counted))

    after(patch, OrderAccepted, counts)


@plant
def a_canceled_order_on_margin_still_counts(patch: pytest.MonkeyPatch) -> None:
    def counts(state: AccountState, event: OrderCanceled) -> None:
        if state.account_type is AccountType.MARGIN:
            state.open_lots.setdefault(DEAR_SYMBOL, OpenLots()).buys += 1

    after(patch, OrderCanceled, counts)


# --- Our own book ---------------------------------------------------------------------------------


@plant
def our_book_shows_what_has_executed(patch: pytest.MonkeyPatch) -> None:
    hear = OwnMarket.hear

    def misses(self: OwnMarket, entry: Any) -> None:
        if not (isinstance(entry.event, OrderExecuted) and entry.event.is_maker):
            hear(self, entry)

    patch.setattr(OwnMarket, "hear", misses)


@plant
def our_book_forgets_an_order_at_a_start(patch: pytest.MonkeyPatch) -> None:
    load = OwnBook.load
    patch.setattr(OwnBook, "load", classmethod(lambda _, rows: load(rows[1:])))


@plant
def an_auction_forgets_the_last_pair(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(crossing, "pairs", lambda *sides: auction.pairs(*sides)[:-1])


@plant
def nobody_watches_the_clock_for_a_schedule_after_a_start(patch: pytest.MonkeyPatch) -> None:
    note = Schedules.note

    def forgets(self: Schedules, stream: Any, shown: Any) -> None:
        if not shown.stepped and shown.phase is Phase.CONTINUOUS and not shown.trades:
            note(self, stream, shown)

    patch.setattr(Schedules, "note", forgets)


# --- Days and contracts ---------------------------------------------------------------------------


@plant
def a_night_is_charged_only_where_somebody_asks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Margined, "roll", lambda *_: None)


@plant
def a_night_is_charged_with_every_turn(patch: pytest.MonkeyPatch) -> None:
    right = evolved_table()[SessionRolled]

    def stands(state: AccountState, event: Any) -> None:
        day = state.session_day
        right(state, event)
        state.session_day = day if state.positions else state.session_day

    patch.setitem(evolved_table(), SessionRolled, stands)


@plant
def a_contract_pays_the_first_page_of_its_holders(patch: pytest.MonkeyPatch) -> None:
    holders = queries.holders
    patch.setattr(queries, "holders", lambda *asked: holders(*asked)[:1])


# --- The disk -------------------------------------------------------------------------------------


class Wrong(Disk):
    """A disk as somebody uses it who is in a hurry."""

    def __init__(self, tip: _tip.Tip) -> None:
        self.tip = tip
        self._disk = tip._disk

    def pwrite(self, file: int, content: bytes | memoryview, offset: int) -> int:
        return self._disk.pwrite(file, content, offset)

    def sync_folder(self, folder: Any) -> None:
        self._disk.sync_folder(folder)

    def start(self, thread: Any) -> None:
        self._disk.start(thread)


class NeverSyncs(Wrong):
    def fdatasync(self, file: int) -> None:
        pass


class SyncsAgain(Wrong):
    def fdatasync(self, file: int) -> None:
        try:
            self._disk.fdatasync(file)
        except OSError:
            self._disk.fdatasync(file)


class TellsEarly(Wrong):
    def fdatasync(self, file: int) -> None:
        tip = self.tip
        assert tip._head is not None
        tip._word.store(_frames.place(tip._head.number, tip._offset))
        self._disk.fdatasync(file)


def appends_with(patch: pytest.MonkeyPatch, wrong: type[Wrong]) -> None:
    append = _tip.Tip.append

    def with_it(self: _tip.Tip, payload: bytes, number: int) -> None:
        disk, self._disk = self._disk, wrong(self)
        try:
            append(self, payload, number)
        finally:
            self._disk = disk

    patch.setattr(_tip.Tip, "append", with_it)


@plant
def a_commit_is_not_synced(patch: pytest.MonkeyPatch) -> None:
    appends_with(patch, NeverSyncs)


@plant
def a_failed_sync_is_asked_again_and_believed(patch: pytest.MonkeyPatch) -> None:
    appends_with(patch, SyncsAgain)


@plant
def a_torn_write_is_accepted(patch: pytest.MonkeyPatch) -> None:
    def unchecked(view: memoryview, offset: int, stop: int, head: Any) -> Any:
        if offset + _frames.FRAME_HEADER > stop:
            return None
        magic, crc, length, number, first, segment, link = _frames._FRAME.unpack_from(view, offset)
        begin = offset + _frames.FRAME_HEADER
        end = begin + length
        if magic != _frames._MAGIC_FRAME or segment != head.number or end > stop:
            return None
        return _frames.Frame(offset, end, first, number, crc, link, view[begin:end])

    patch.setattr(_frames, "frame_at", unchecked)
    patch.setattr(_chain, "frame_at", unchecked)


@plant
def readers_are_told_before_the_sync(patch: pytest.MonkeyPatch) -> None:
    appends_with(patch, TellsEarly)


# --- Followers and starts -------------------------------------------------------------------------


@plant
def a_view_skips_an_entry(patch: pytest.MonkeyPatch) -> None:
    carry = Projector._carry

    def skips(self: Projector, views: Any, position: int, entries: Any) -> bool:
        return carry(self, views, position, entries[:-2] + entries[-1:])

    patch.setattr(Projector, "_carry", skips)


@plant
def follow_loses_what_lies_between_two_pages(patch: pytest.MonkeyPatch) -> None:
    follow = SegmentJournal.follow

    def loses(self: SegmentJournal, after_position: int, limit: int) -> Any:
        entries = follow(self, after_position, limit)
        return entries[1:] if after_position and len(entries) > 1 else entries

    patch.setattr(SegmentJournal, "follow", loses)


def starts_without(patch: pytest.MonkeyPatch, **nothing: Any) -> None:
    patch.setattr(life, "arm", lambda kernel, found: arm(kernel, found._replace(**nothing)))


@plant
def stops_are_forgotten_at_a_start(patch: pytest.MonkeyPatch) -> None:
    starts_without(patch, stops=())


@plant
def deadlines_are_forgotten_at_a_start(patch: pytest.MonkeyPatch) -> None:
    starts_without(patch, deadlines=())


@plant
def what_was_not_heard_is_not_told_again_at_a_start(patch: pytest.MonkeyPatch) -> None:
    async def forgets(self: Kernel) -> None:
        self.reactor.position = self.committer.position
        self._caught_up = True

    patch.setattr(Kernel, "_redeliver", forgets)
