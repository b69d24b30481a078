"""The laws of books, over any history that Hypothesis can think of."""

from copy import deepcopy

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.ledger.events import (
    BookCommand,
    BookEvent,
    BookRefused,
    CreateTransfers,
    ExpireTransfers,
    OpenBookAccount,
    PostPending,
    TransferExpired,
    TransferPending,
    TransferPosted,
    TransferVoided,
    VoidPending,
)
from fondaco.domain.ledger.model import (
    IS_PENDING,
    Account,
    BookAccount,
    BookState,
    Posting,
    add_up,
    trial_balance,
)
from fondaco.domain.ledger.postings import POSTERS
from fondaco.domain.ledger.rules import books
from fondaco.domain.ledger.rules.books import SECOND_NS
from fondaco.domain.ledger.store import BooksView
from fondaco.domain.ledger.store import books as rows
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Decision, Entry, Instant
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.projector import Projector, digests
from ledger.book import INR, REFS, STREAM, USD, sums, transfer
from properties.test_views_laws import Memory

NAMES = ("a", "b", "c", "i", "j")
names = st.sampled_from(NAMES)
amounts = st.sampled_from(["0", "0.01", "0.50", "1", "3", "7.25", "100", "-1", "x", "1e-9"])
numbers = st.integers(0, 8)
legs = st.one_of(
    st.builds(
        transfer,
        amounts,
        names,
        names,
        pending=st.booleans(),
        timeout_s=st.sampled_from([0, 0, 1, 5]),
    ),
    st.builds(PostPending, numbers, st.none() | amounts),
    st.builds(VoidPending, numbers),
)
CAUSE = CommandId("")
asks = st.lists(legs, min_size=1, max_size=4).map(lambda some: ("create", tuple(some)))
waits = st.integers(0, 3).map(lambda seconds: ("wait", seconds))
histories = st.lists(asks | asks | waits, max_size=30)
laws = settings(max_examples=35, deadline=None)


def opened() -> list[BookCommand]:
    """Three accounts in dollars, of which two have limits, and two in rupees."""
    flags = {"a": (True, False), "b": (False, True)}
    return [
        OpenBookAccount(
            CAUSE,
            Instant(1),
            BookAccount(name),
            USD if name in "abc" else INR,
            *flags.get(name, (False, False)),
        )
        for name in NAMES
    ]


def commands(history: list[tuple[str, object]]) -> list[BookCommand]:
    at, told = 1, opened()
    for what, value in history:
        if what == "wait":
            at += int(str(value)) * SECOND_NS
            told.append(ExpireTransfers(CAUSE, Instant(at)))
        else:
            told.append(CreateTransfers(CAUSE, Instant(at), value))  # type: ignore[arg-type]
    return told


def run(history: list[tuple[str, object]]) -> tuple[BookState, list[tuple[BookEvent, ...]]]:
    state, turns = books.initial(STREAM), []
    for command in commands(history):
        before = deepcopy(state)
        events = books.decide(state, command, REFS)
        assert state == before, "decide changes nothing"
        assert events, "every command leaves a trace"
        assert events == books.decide(state, command, REFS), "and decides the same again"
        for event in events:
            state = books.evolve(state, event)
        holds(state)
        turns.append(events)
    return state, turns


def holds(state: BookState) -> None:
    """What is so after every turn."""
    for asset in (USD, INR):
        of = [account for account in state.accounts.values() if account.asset == asset]
        assert sum(a.debits_posted for a in of) == sum(a.credits_posted for a in of)
        assert sum(a.debits_pending for a in of) == sum(a.credits_pending for a in of)
    for account in state.accounts.values():
        assert min(sums(account)) >= 0
        if account.debits_must_not_exceed_credits:
            assert account.debits_pending + account.debits_posted <= account.credits_posted
        if account.credits_must_not_exceed_debits:
            assert account.credits_pending + account.credits_posted <= account.debits_posted
    waiting = [number for number, fate in enumerate(state.fates, 1) if fate == IS_PENDING]
    assert waiting == sorted(state.pending)
    for name, account in state.accounts.items():
        debits = sum(p.units for p in state.pending.values() if p.debit == name)
        credits = sum(p.units for p in state.pending.values() if p.credit == name)
        assert (account.debits_pending, account.credits_pending) == (debits, credits)
    due = {number for numbers in state.due.values() for number in numbers}
    assert due == {number for number, p in state.pending.items() if p.expires_at}


@laws
@given(histories)
def test_nothing_is_made_or_lost_and_limits_hold(history: list[tuple[str, object]]) -> None:
    run(history)


@laws
@given(histories)
def test_a_pending_transfer_is_resolved_once_and_all_of_it(
    history: list[tuple[str, object]],
) -> None:
    state, turns = run(history)
    waiting: dict[int, int] = {}
    for event in (event for events in turns for event in events):
        if isinstance(event, TransferPending):
            waiting[event.number] = event.units
        elif isinstance(event, TransferPosted | TransferVoided | TransferExpired):
            assert event.set_aside == waiting.pop(event.number)
    assert waiting == {number: p.units for number, p in state.pending.items()}


@laws
@given(histories)
def test_a_chain_is_done_as_a_whole_or_not_at_all(history: list[tuple[str, object]]) -> None:
    _, turns = run(history)
    for command, events in zip(commands(history), turns, strict=True):
        if not isinstance(command, CreateTransfers):
            continue
        done = [event for event in events if not isinstance(event, TransferExpired)]
        if any(isinstance(event, BookRefused) for event in done):
            assert len(done) == 1
        else:
            assert len(done) == len(command.legs)


@laws
@given(histories)
def test_a_replay_of_what_was_written_is_the_same_book(history: list[tuple[str, object]]) -> None:
    state, turns = run(history)
    codec = Codec(BookEvent)
    again = books.initial(STREAM)
    for events in turns:
        [decision] = codec.decode(codec.encode([Decision(STREAM, 0, CAUSE, Instant(1), 1, events)]))
        for event in decision.events:
            again = books.evolve(again, event)  # type: ignore[arg-type]
    assert again == state
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=BookState)
    assert kept == state, "a snapshot is the state"


@settings(laws, max_examples=25)
@given(histories, st.lists(st.integers(1, 9), min_size=1, max_size=10))
def test_the_view_is_the_state_however_it_is_cut(
    history: list[tuple[str, object]], cuts: list[int]
) -> None:
    state, turns = run(history)
    journal, version = MemoryJournal(Codec(BookEvent)), 0
    for nth, events in enumerate(turns):
        cause = CommandId(f"{nth}#0")
        journal.append([Decision(STREAM, version, cause, Instant(nth + 1), 1, events)])
        version += len(events)
    once, cut = BooksView(), BooksView()
    stores = [Memory(), Memory()]
    Projector(journal, stores[0], [once]).catch_up()  # type: ignore[arg-type]
    projector, nth = Projector(journal, stores[1], [cut]), 0  # type: ignore[arg-type]
    while projector.step(cuts[nth % len(cuts)]):
        nth += 1
        cut.forget()
    with stores[0].reading() as one, stores[1].reading() as other:
        assert digests(one, [once]) == digests(other, [cut])
        assert rows.pending_amiss(one) == []
        shown = {
            row.account: Account(
                row.asset,
                row.decimals,
                bool(row.debits_must_not_exceed_credits),
                bool(row.credits_must_not_exceed_debits),
                row.debits_pending,
                row.debits_posted,
                row.credits_pending,
                row.credits_posted,
            )
            for row in rows.book_accounts(one, "demo", "b")
        }
        assert shown == state.accounts
        waiting = rows.book_transfers(one, "demo", "b", status="pending", limit=1_000)
        assert {row.number for row in waiting} == set(state.pending)
    posted = add_up(posting for entry in journal.follow(0, 10_000) for posting in posted_by(entry))
    assert set(trial_balance(posted).values()) <= {0}
    for (name, _), units in posted.items():
        account = state.accounts[BookAccount(name.rpartition("/")[2])]
        assert units == account.debits_posted - account.credits_posted


def posted_by(entry: Entry) -> tuple[Posting, ...]:
    poster = POSTERS.get(type(entry.event))
    return tuple(poster(entry)) if poster else ()
