"""The laws of views, over histories that the account's own rules decide: they equal a replay, cut
as it may be; they equal the state; and the books balance."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build import A1, ASSETS, SECOND, ask, fill, placed, refs, replace, venue_denied
from fondaco.domain.ledger.checks import standing_checks
from fondaco.domain.ledger.model import Posting, add_up, trial_balance
from fondaco.domain.ledger.store import LedgerView
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading import store as looks
from fondaco.domain.trading.events import Fill, OrderFilled
from fondaco.domain.trading.model import AccountState, OrdStatus, Side, account_of
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.rules import decide, decider, evolve, initial
from fondaco.domain.trading.store import OrderFilter, TradingView, client_balances
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.days import DaysView, days
from fondaco.domain.trading.store.statements import days_amiss
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.history import state_at
from fondaco.runtime.projector import Projector, View, digests
from ledger.history import CODEC
from properties.test_account_laws import FINE, FUNDED, Story, stories

cuts = st.lists(st.integers(1, 9), min_size=1, max_size=20)
laws = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Memory:
    """A store without a disk: everything that a law needs, many times a second."""

    def __init__(self) -> None:
        self.engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self.engine.begin() as conn:
            yield conn

    reading = writing

    def emptied(self) -> "Memory":
        """With tables that exist and hold nothing, which is faster than to make them."""
        with self.writing() as conn:
            tables = "SELECT name FROM sqlite_schema WHERE type = 'table'"
            for (name,) in list(conn.exec_driver_sql(tables)):
                conn.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608
        return self


_ONE, _OTHER = Memory(), Memory()


def told(story: Story) -> tuple[MemoryJournal, AccountState]:
    """The journal that a story leaves, and the state of its account."""
    journal, version = MemoryJournal(CODEC), 0

    def write(stream: StreamId, before: int, cause: str, events: tuple[Event, ...]) -> None:
        at = Instant(before + 1)
        journal.append([Decision(stream, before, CommandId(cause), at, 7, events)])

    for number, terms in enumerate(story.refs.instruments.values()):
        listed = InstrumentListed(terms, ASSETS[terms.base], ASSETS[terms.quote], "")
        write(HOUSE_STREAM, number, "up#0", (listed,))
    state = initial(A1)
    for number, command in enumerate(story.history):
        events = decide(state, command, story.refs)
        write(A1, version, f"{number}#0", events)
        version += len(events)
        for event in events:
            evolve(state, event)
    return journal, state


def views(journal: MemoryJournal) -> list[View]:
    posters = Postings(journal.read(HOUSE_STREAM)).posters(OrderExecuted)
    return [TradingView(), LedgerView(posters), DaysView(journal.read(HOUSE_STREAM))]


def filled_at_once(journal: MemoryJournal) -> Memory:
    store = _OTHER.emptied()
    Projector(journal, store, views(journal)).catch_up()  # type: ignore[arg-type]
    return store


def hashes(journal: MemoryJournal, store: Memory) -> dict[str, str]:
    with store.reading() as conn:
        return digests(conn, views(journal))


@laws
@given(stories(), cuts)
def test_rows_do_not_depend_on_how_a_history_is_cut(story: Story, cut: list[int]) -> None:
    journal, _ = told(story)
    store = _ONE.emptied()
    projector = Projector(journal, store, views(journal))  # type: ignore[arg-type]
    turn = 0
    while projector.step(cut[turn % len(cut)]):
        turn += 1
    assert hashes(journal, store) == hashes(journal, filled_at_once(journal))


@laws
@given(stories(), cuts)
def test_a_projector_may_start_again_anywhere(story: Story, cut: list[int]) -> None:
    journal, _ = told(story)
    store = _ONE.emptied()
    for limit in cut:
        Projector(journal, store, views(journal)).step(limit)  # type: ignore[arg-type]
    Projector(journal, store, views(journal)).catch_up()  # type: ignore[arg-type]
    assert hashes(journal, store) == hashes(journal, filled_at_once(journal))


@laws
@given(stories())
def test_views_show_what_the_state_holds(story: Story) -> None:
    check_views(story)


@st.composite
def denied(draw: st.DrawFn) -> Story:
    """A replace that the venue denies, once or twice, with or without a fill between."""
    side = draw(st.sampled_from(Side))
    history = [*FUNDED, placed(ask("a", side=side, price="100.00", order_qty="1"), at=SECOND)]
    for name in draw(st.sampled_from(["b", "bc"])):
        asked = draw(st.sampled_from(["", "0.5", "3"]))
        history.append(
            replace(1, cl_ord_id=name, order_qty=asked, price=draw(st.sampled_from(["", "101.00"])))
        )
        if draw(st.booleans()):
            history.append(fill(1, 100_000_000, 100_00, nth=ord(name) - ord("a"), side=side))
        history.append(venue_denied(1))
    return Story(refs(btc=FINE), history)


@laws
@given(denied())
def test_a_denied_replace_leaves_rows_as_the_state_is(story: Story) -> None:
    check_views(story)
    _, state = told(story)
    assert state.working[1].ord_status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)


def check_views(story: Story) -> None:
    journal, state = told(story)
    store = filled_at_once(journal)
    o, b = t.orders.c, t.balances.c
    with store.reading() as conn:
        rows = {row.number: row for row in conn.execute(sa.select(t.orders).where(t.IS_OPEN))}
        balances = conn.execute(sa.select(b.asset, b.balance, b.held)).all()
        count = conn.execute(sa.select(sa.func.count()).select_from(t.orders)).scalar_one()
        highest = conn.execute(sa.select(sa.func.max(o.number))).scalar_one()
        lines = looks.orders(conn, None, OrderFilter(account_id=account_of(A1)), limit=1_000)
    assert {asset: units for asset, units, _ in balances if units} == {
        asset: units for asset, units in state.balances.items() if units
    }
    assert {asset: held for asset, _, held in balances if held} == {
        asset: held for asset, held in state.held.items() if held
    }
    assert set(rows) == set(state.working)
    for number, order in state.working.items():
        row = rows[number]
        shown = (
            row.cl_ord_id, row.ord_status, row.lots, row.px, row.stop_px, row.hold, row.cum_lots,
            row.cum_cost, row.fees, bool(row.at_venue), row.leaves_lots,
        )  # fmt: skip
        assert shown == (
            order.cl_ord_id, order.ord_status, order.lots, order.px, order.stop_px, order.hold,
            order.cum_lots, order.cum_cost, order.fees, order.at_venue, order.leaves_lots,
        )  # fmt: skip
    assert (highest or 0) == count == state.order_count == len(lines.items)


@laws
@given(stories())
def test_debit_equals_credit_and_the_books_agree_with_the_accounts(story: Story) -> None:
    journal, state = told(story)
    posters = Postings(journal.read(HOUSE_STREAM)).posters(OrderExecuted)
    every: list[Posting] = []
    for entry in journal.follow(0, 10**9):
        poster = posters.get(type(entry.event))
        posted = list(poster(entry)) if poster is not None else []
        assert all(posting.units > 0 for posting in posted), "a posting has a direction"
        assert set(trial_balance(add_up(posted)).values()) <= {0}
        every += posted
    kept = add_up(every)
    assert {asset: units for (name, asset), units in kept.items() if str(name) == A1 and units} == {
        asset: units for asset, units in state.balances.items() if units
    }
    with filled_at_once(journal).reading() as conn:
        assert standing_checks(conn, client_balances(conn)) == []
        assert days_amiss(conn) == []
        realized, fees = (
            conn.execute(sa.select(sa.func.sum(column))).scalar_one()
            for column in (days.c.realized, days.c.fees)
        )
        p = t.positions.c
        assert (realized or 0, fees or 0) == tuple(
            conn.execute(sa.select(sa.func.sum(column))).scalar_one() or 0
            for column in (p.realized, p.fees)
        )


@laws
@given(stories())
def test_clearing_is_owed_the_same_by_the_venue_as_by_the_account(story: Story) -> None:
    """Each fill of the account against the execution that its venue would publish for it."""
    journal, _ = told(story)
    posters = Postings(journal.read(HOUSE_STREAM)).posters(OrderExecuted)
    for entry in journal.follow(0, 10**9):
        event = entry.event
        if not isinstance(event, OrderFilled):
            continue

        side = Side.BUY if event.side is Side.BUY else Side.SELL
        fill = Fill(event.last_px, event.last_lots)
        told_by_venue = OrderExecuted(A1, event.number, 1, event.symbol, side, (fill,), False, 0)
        venue_entry = type(entry)(
            StreamId("venue/PAPER/x"), 1, 1, CommandId("m"), Instant(1), 7, told_by_venue
        )
        kept = add_up([*posters[OrderFilled](entry), *posters[OrderExecuted](venue_entry)])
        assert not any(units for (name, _), units in kept.items() if name == "clearing/PAPER")


@laws
@given(stories(), st.integers(0, 200))
def test_a_state_as_of_a_position_is_what_it_was_then(story: Story, position: int) -> None:
    journal, state = told(story)
    head = journal.head()
    now, version = state_at(journal, decider, A1, head)
    assert (now, version) == (state, head - len(story.refs.instruments))
    then, _ = state_at(journal, decider, A1, min(position, head))
    replayed = initial(A1)
    for entry in journal.follow(0, min(position, head)) if position else []:
        if entry.stream == A1:
            evolve(replayed, entry.event)
    assert then == replayed
