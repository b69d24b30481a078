"""T+n: what a fill brings in may be traded with at once, and leaves the account when it settles."""

from pathlib import Path

import msgspec
import pytest

import build as b
from build import BTC, DAY_ENDS, SECOND, USD
from fondaco.app.kinds import CODEC
from fondaco.domain.reference import events as ref
from fondaco.domain.reference.api import session_day_and_close
from fondaco.domain.reference.model import SETTLE_DAYS_MAX, HouseState, Session
from fondaco.domain.reference.rules import decide as house_decide
from fondaco.domain.reference.rules import evolve as house_evolve
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import AccountState, Side, TradingRefs
from fondaco.domain.trading.refs import refresh, refs_of, roll_session
from fondaco.domain.trading.store import TradingView
from fondaco.domain.trading.store.settlements import SettlementsView, due, lines
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector, View, digests

T1, T2 = DAY_ENDS, Instant(2 * DAY_ENDS)
SETTLES = ev.SettleFills(CommandId("due"), T1)
SEND = ev.SendTransfer(CommandId("s#f"), Instant(1), StreamId("account/B1"), BTC, "0.1")


def house(settle_days: int) -> TradingRefs:
    terms = msgspec.structs.replace(b.btc_usd(taker=1_000), settle_days=settle_days)
    refs = b.refs(btc=terms)
    refs.settles_at = (T1, T2)
    return refs


def bought(settle_days: int = 1) -> b.Scenario:
    """One bitcoin, and 100 dollars of it sold again for 100.00 each."""
    story = b.given(b.opened(), b.deposit("1000"), using=house(settle_days))
    return story.when(b.buy("o1"), b.fill(1))


def test_at_once_is_as_it_ever_was() -> None:
    story = bought(settle_days=0)
    assert not any(isinstance(event, ev.FillUnsettled) for event in story.events)
    assert (story.state.unsettled, story.state.settling) == ({}, {})
    assert isinstance(story.when(b.withdraw("1", BTC)).events[-1], ev.CashWithdrawn)


@pytest.mark.parametrize(("days", "settles_at"), [(1, T1), (2, T2)])
def test_a_purchase_is_traded_then_settled(days: int, settles_at: Instant) -> None:
    story = bought(days)
    assert story.events[-1] == ev.FillUnsettled(1, 1, b.BTC_USD, BTC, 10**9, settles_at)
    assert story.state.unsettled == {BTC: 10**9}
    for way in (b.withdraw("0.1", BTC), SEND):
        [refused] = story.when(way).events
        assert isinstance(refused, ev.TransferRefused)
        assert (refused.limit, "settled" in refused.text) == ("0", True)
    early = ev.SettleFills(CommandId("due"), Instant(settles_at - 1))
    assert isinstance(story.when(early).events[-1], ev.NothingToDo)
    story.when(ev.SettleFills(CommandId("due"), settles_at))
    assert story.events == (ev.FillsSettled(settles_at, (ev.Settled(BTC, 10**9),)),)
    assert (story.state.unsettled, story.state.settling) == ({}, {})
    assert isinstance(story.when(b.withdraw("0.1", BTC)).events[-1], ev.CashWithdrawn)


def test_proceeds_may_be_traded_with_and_not_withdrawn() -> None:
    """Sold for 100.00 less a fee of 0.10, beside 899.90 that were never spent."""
    story = bought(1).when(b.sell("o2"), b.fill(2, side=Side.SELL, nth=1))
    assert story.state.unsettled == {BTC: 10**9, USD: 9_990_000_000}
    assert story.state.balances[USD] == 99_980_000_000
    [refused] = story.when(b.withdraw("900")).events
    assert isinstance(refused, ev.TransferRefused)
    assert refused.limit == "899.9"
    spent = story.when(b.buy("o3", "9.5")).events
    assert isinstance(spent[-1], ev.OrderAccepted), "what has not settled buys"
    [refused] = story.when(b.withdraw("899.9")).events
    assert isinstance(refused, ev.TransferRefused), "what is held does not leave either"
    assert isinstance(story.when(b.cancel(3), b.ended(3), b.withdraw("899.9")).events[-1],
                      ev.CashWithdrawn)  # fmt: skip


def test_a_snapshot_keeps_what_is_to_settle() -> None:
    state = bought(2).state
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=AccountState)
    assert (again.unsettled, again.settling) == ({BTC: 10**9}, {T2: {BTC: 10**9}})


def test_settlement_days_are_sessions_of_the_calendar() -> None:
    """Across the night in which clocks in Zurich are set back, a session lasts 25 hours."""
    session = Session("Europe/Zurich", 9 * 60)
    saturday = Instant(1_761_400_800 * SECOND)  # 2025-10-25 14:00 UTC
    refs = refs_of(HouseState(session=session), {}, saturday)
    assert len(refs.settles_at) == SETTLE_DAYS_MAX
    assert refs.settles_at[0] == refs.session_closes_at
    hours = [(at - saturday) / 3_600 / SECOND for at in refs.settles_at]
    assert hours == [18, 42, 66, 90, 114]
    for nth, at in enumerate(refs.settles_at, 1):
        assert session_day_and_close(at, session)[0] == refs.session_day + nth
    assert not roll_session(refs, Instant(refs.settles_at[0] - 1))
    assert roll_session(refs, refs.settles_at[0])
    assert refs.settles_at[0] == session_day_and_close(refs.session_closes_at, session)[1] - (
        session_day_and_close(refs.session_closes_at, session)[1] - refs.session_closes_at
    )


def test_the_house_sets_the_cycle_and_a_restart_keeps_it() -> None:
    terms = b.btc_usd()
    at = (CommandId(""), Instant(1))
    state = HouseState()

    def ask(command: ref.ReferenceCommand) -> Event:
        nonlocal state
        [event] = house_decide(state, command, b.refs())
        state = house_evolve(state, event)
        return event

    listed = ref.ListInstrument(*at, terms, b.ASSETS[terms.base], b.ASSETS[terms.quote])
    ask(listed)
    assert isinstance(ask(ref.SetSettlement(*at, terms.symbol, 1)), ref.SettlementChanged)
    assert state.instruments[terms.symbol].settle_days == 1
    assert isinstance(ask(ref.SetSettlement(*at, terms.symbol, 1)), ref.NothingChanged)
    assert isinstance(ask(listed), ref.NothingChanged)
    assert state.instruments[terms.symbol].settle_days == 1
    for wrong in (-1, SETTLE_DAYS_MAX + 1):
        assert isinstance(ask(ref.SetSettlement(*at, terms.symbol, wrong)), ref.ChangeRefused)


def test_the_view_shows_both_states_however_it_is_cut(tmp_path: Path) -> None:
    journal, version = MemoryJournal(CODEC), 0
    terms = b.btc_usd()
    listed = ref.InstrumentListed(terms, b.ASSETS[terms.base], b.ASSETS[terms.quote], "")
    journal.append(
        [Decision(StreamId("reference/house"), 0, CommandId("l#0"), Instant(1), 1, (listed,))]
    )
    story = b.Scenario(house(1))
    told: list[ev.TradingCommand] = [
        b.opened(),
        b.deposit("1000"),
        b.buy("o1"),
        b.fill(1, 400),
        SETTLES,
        b.fill(1, 600, nth=2),
    ]
    for nth, command in enumerate(told):
        events = story.when(command).events
        cause = CommandId(f"{nth}#0")
        journal.append([Decision(b.A1, version, cause, Instant(nth + 1), 1, events)])
        version += len(events)
    rows = []
    for name, step in (("whole", 1_000), ("cut", 1)):
        store = SqliteStore(tmp_path / name, durable=False)
        views: list[View] = [TradingView(), SettlementsView()]
        projector = Projector(journal, store, views)
        while projector.step(step):
            pass
        with store.reading() as conn:
            found = lines(conn, "demo", "A1", "", 10)
            assert [(each.state, each.amount) for each in found] == [
                ("traded", "0.6"),
                ("settled", "0.4"),
            ]
            assert [each.amount for each in lines(conn, "demo", "A1", "settled", 10)] == ["0.4"]
            assert due(conn) == [("A1", T1)]
            rows.append(digests(conn, views))
        store.close()
    assert rows[0] == rows[1]


def test_a_fridays_t_plus_1_is_monday_by_the_instruments_calendar() -> None:
    """The session day's own reset stays what it is: every day has one."""
    friday = Instant(1_795_176_000 * SECOND)  # 2026-11-20 12:00 UTC
    terms = msgspec.structs.replace(b.btc_usd(), settle_days=1, calendar="XNYS")
    state = HouseState(instruments={terms.symbol: terms})
    refs = refs_of(state, {}, friday)
    assert [at // SECOND for at in (refs.settles_at[0], refs.settles_by["XNYS"][0])] == [
        1_795_219_200,  # Saturday's session
        1_795_392_000,  # Monday's
    ]
    assert refs.session_closes_at == refs.settles_at[0]
    using = house(1)
    using.instruments = {**using.instruments, terms.symbol: terms}
    using.settles_by = {"XNYS": (T2,)}
    story = b.given(b.opened(), b.deposit("1000"), using=using).when(b.buy("o1"), b.fill(1))
    assert story.events[-1] == ev.FillUnsettled(1, 1, b.BTC_USD, BTC, 10**9, T2)


def test_a_calendar_that_is_set_later_counts_at_once() -> None:
    friday = Instant(1_795_176_000 * SECOND)
    terms = msgspec.structs.replace(b.btc_usd(), settle_days=1)
    state = HouseState(instruments={terms.symbol: terms})
    refs = refs_of(state, {}, friday)
    at = (CommandId(""), Instant(1))
    for calendar, kind in (
        ("XNYS", ref.SettlementChanged),
        ("XNYS", ref.NothingChanged),
        (None, ref.NothingChanged),
        ("XNON", ref.ChangeRefused),
    ):
        ask = ref.SetSettlement(*at, terms.symbol, 1, "ops", calendar)
        [event] = house_decide(state, ask, refs)
        assert isinstance(event, kind)
        state = house_evolve(state, event)
    refresh(refs, state, friday)
    assert set(refs.settles_by) == {"XNYS"}
    assert state.instruments[terms.symbol].calendar == "XNYS"
