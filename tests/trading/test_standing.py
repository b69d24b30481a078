"""What stands open: gains by how far their trades have got, and why orders are kept out."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import build as b
from fondaco.app.kinds import CODEC
from fondaco.domain.market.model import Finality
from fondaco.domain.reference import events as ref
from fondaco.domain.reference.model import HOUSE_STREAM, TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import Side
from fondaco.domain.trading.store import TradingView
from fondaco.domain.trading.store.queries import positions, terms
from fondaco.domain.trading.store.settlements import SettlementsView
from fondaco.domain.trading.store.standing import StandingView, restrictions, waiting
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector, View

SETTLES = ev.SettleFills(CommandId("due"), b.DAY_ENDS)


class Desk:
    """One account, its entries in a journal, and the views that they fill."""

    def __init__(self, folder: Path, *, confirms: bool, settle_days: int) -> None:
        self.journal = MemoryJournal(CODEC)
        of = msgspec.structs.replace(
            b.btc_usd(maker=1_000, taker=2_000), confirms=confirms, settle_days=settle_days
        )
        refs = b.refs(btc=of)
        refs.settles_at = (b.DAY_ENDS,)
        self.scene = b.Scenario(refs)
        listed = ref.InstrumentListed(of, b.ASSETS[of.base], b.ASSETS[of.quote], "")
        self.tell(HOUSE_STREAM, listed)
        self.when(b.opened(), b.deposit("100000"))
        self.store = SqliteStore(folder / "views.db", durable=False)
        views: list[View] = [TradingView(), SettlementsView(), StandingView()]
        self.projector = Projector(self.journal, self.store, views)

    def tell(self, stream: StreamId, *events: Event) -> None:
        version = len(self.journal.read(stream))
        cause = CommandId(f"{stream}{version}#0")
        self.journal.append([Decision(stream, version, cause, Instant(1), 1, events)])

    def when(self, *commands: ev.TradingCommand) -> None:
        for command in commands:
            self.tell(b.A1, *self.scene.when(command).events)

    def catch_up(self) -> None:
        while self.projector.step(1_000):
            pass


@pytest.mark.parametrize(
    ("confirms", "days", "words", "states"),
    [
        (False, 0, (), []),
        (False, 1, (), ["confirmed"]),
        (True, 0, (), ["matched"]),
        (True, 1, (), ["matched"]),
        (True, 1, ("CONFIRMED",), ["confirmed"]),
        (True, 0, ("CONFIRMED",), []),
        (True, 0, ("FAILED",), []),
    ],
)
def test_a_fill_is_matched_then_confirmed_then_settled(
    tmp_path: Path, confirms: bool, days: int, words: tuple[str, ...], states: list[str]
) -> None:
    desk = Desk(tmp_path, confirms=confirms, settle_days=days)
    desk.when(b.buy("o1"), b.fill(1, 400))
    for word in words:
        said = (CommandId("f"), Instant(1), 1, 1, Finality(word), "the chain says so", "feed")
        desk.when(ev.RecordFinality(*said))
    desk.catch_up()
    with desk.store.reading() as conn:
        found = waiting(conn, "A1", terms(conn)).get(b.BTC_USD, [])
        assert [each.state for each in found] == states
        for each in found:  # 0.4 for 40.00, and a fee of two in a thousand
            assert (each.traded_qty, each.cash, each.fills) == ("0.4", "-40.08", 1)
    desk.when(SETTLES)
    desk.catch_up()
    with desk.store.reading() as conn:
        left = waiting(conn, "A1", terms(conn)).get(b.BTC_USD, [])
        assert [each.state for each in left] == [each for each in states if each == "matched"]


@given(
    fills=st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(0, 10_00)), max_size=8),
    mark=st.integers(50_00, 150_00),
)
@settings(max_examples=15)
def test_what_waits_is_the_whole_gain_while_nothing_has_settled(
    tmp_path_factory: pytest.TempPathFactory, fills: list[tuple[bool, int, int]], mark: int
) -> None:
    """Cash and quantity of all fills, at any mark, are the position's own gain: to the unit."""
    desk = Desk(tmp_path_factory.mktemp("desk"), confirms=False, settle_days=1)
    held = 0
    for nth, (buys, lots, better) in enumerate(fills, 1):
        if not buys and held < lots:
            buys = True
        held += lots if buys else -lots
        place, side = (b.buy, Side.BUY) if buys else (b.sell, Side.SELL)
        px = 100_00 - better if buys else 100_00 + better
        desk.when(place(f"o{nth}", "0.009", "100.00"), b.fill(nth, lots, px, nth=nth, side=side))
    desk.catch_up()
    with desk.store.reading() as conn:
        of = terms(conn).instrument(b.BTC_USD)
        lines = positions(conn, "demo", "A1")
        found = waiting(conn, "A1", terms(conn)).get(b.BTC_USD, [])
    if not fills:
        assert (lines, found) == ([], [])
        return
    [line], [part] = lines, found
    units = 8

    def money(text: str) -> int:
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
        whole, _, rest = digits.partition(".")
        return sign * int(whole + rest.ljust(units, "0"))

    worth = money(of.px_text(mark)) * of.lots(line.traded_qty or "0", "qty") if held else 0
    gained = money(line.realized) - money(line.cost) - money(line.fees)
    assert part.traded_qty == line.traded_qty
    assert money(part.cash) + worth == gained + worth


def test_who_keeps_orders_out_is_told_until_it_is_lifted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, confirms=False, settle_days=0)
    halted, reducing, active = TradingState.HALTED, TradingState.REDUCING, TradingState.ACTIVE
    desk.when(ev.SetTradingState(CommandId("s"), Instant(1), halted, "a wild robot", "ada"))
    desk.tell(HOUSE_STREAM, ref.StateChanged(b.BTC_USD, reducing, "wrong tick", "eve"))
    desk.tell(HOUSE_STREAM, ref.HouseKilled("drill", "bob"))
    desk.catch_up()

    def told(account_id: str | None) -> list[tuple[str, str, str, str, str]]:
        with desk.store.reading() as conn:
            lines = restrictions(conn, "demo", account_id)
        return [(each.scope, each.name, each.state, each.reason, each.by) for each in lines]

    account = ("account", "A1", "halted", "a wild robot", "ada")
    instrument = ("instrument", b.BTC_USD, "reducing", "wrong tick", "eve")
    assert told("A1") == [account, instrument, ("kill", "", "halted", "drill", "bob")]
    assert told(None) == [instrument, ("kill", "", "halted", "drill", "bob")]
    desk.tell(HOUSE_STREAM, ref.HouseUnkilled("over", "bob"))
    desk.when(ev.SetTradingState(CommandId("t"), Instant(1), active, "mended", "ada"))
    desk.catch_up()
    assert told("A1") == [instrument]
