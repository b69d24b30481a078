"""Standing checks: each planted fault is found, told once, and taken back when it is mended."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import pytest

from app.test_house import metric
from app.test_restart import entries_after, wait_for
from build import A1, ASSETS, BTC_USD, btc_usd, buy, deposit, fill, opened, refs
from fondaco.app.checks import STANDS_MAX_S, Checker
from fondaco.app.kinds import CODEC
from fondaco.app.views import every_view
from fondaco.domain.ledger import checks as standing
from fondaco.domain.ledger.events import CheckCleared, CheckFailed, ChecksUnchanged, RecordChecks
from fondaco.domain.ledger.model import CHECKS_STREAM, SAYS, WRONG_MAX, Found
from fondaco.domain.ledger.rules import checks as law
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import Side
from fondaco.domain.trading.rules import decide, evolve, initial
from fondaco.domain.venues.events import OrderExecuted
from fondaco.domain.venues.model import venue_stream
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.loading import Snapshots
from fondaco.runtime.projector import Projector
from running import house

PLANTED: Final = {
    "UPDATE ledger_balances_v1 SET units = units + 1 WHERE account = 'outside/transfers'": {
        "trial_balance",
        "postings",
    },
    "UPDATE ledger_balances_v1 SET units = units + 1 WHERE account = 'account/A1'"
    " AND asset = 'USD'": {"trial_balance", "postings", "asset_conservation"},
    "UPDATE trading_balances_v2 SET balance = balance - 1 WHERE asset = 'USD'": {
        "asset_conservation",
        "views_equal_replay",
        "days",
    },
    "UPDATE trading_balances_v2 SET held = held + 1 WHERE asset = 'USD'": {"views_equal_replay"},
    "UPDATE trading_orders_v2 SET is_open = 1 - is_open WHERE number = 1": {"views_equal_replay"},
    "UPDATE trading_days_v1 SET closing = closing + 1 WHERE asset = 'BTC'": {"days"},
    "INSERT INTO ledger_accounts_v1 VALUES ('t', 'b', 'a', 'USD', 8, 0, 0, 5, 0, 0, 0, 1, 1)": {
        "pending"
    },
}


class Made:
    """A journal with some trading in it, its views, and who checks them."""

    def __init__(self, folder: Path) -> None:
        self.journal = MemoryJournal(CODEC)
        self.versions: dict[StreamId, int] = {}
        self.trade()
        self.store = SqliteStore(folder / "views.db", durable=False)
        self.projector = Projector(self.journal, self.store, every_view(self.journal))
        self.now = 10**9
        snapshots = Snapshots(folder / "snapshots", bytes(32))
        self.checker = Checker(self.journal, self.store, snapshots, lambda: self.now)

    def write(self, stream: StreamId, *events: Event) -> None:
        version = self.versions.get(stream, 0)
        cause = CommandId(f"{stream}{version}#0")
        self.journal.append([Decision(stream, version, cause, Instant(10**9), 1, events)])
        self.versions[stream] = version + len(events)

    def trade(self) -> None:
        """A deposit, a fill that both sides have booked, and an order that rests."""
        terms = btc_usd()
        self.write(
            HOUSE_STREAM, InstrumentListed(terms, ASSETS[terms.base], ASSETS[terms.quote], "")
        )
        state = initial(A1)
        for command in (opened(), deposit(), buy("o1"), fill(), buy("o2")):
            events = decide(state, command, refs())
            self.write(A1, *events)
            for event in events:
                evolve(state, event)
        self.execute()

    def execute(self) -> None:
        """The venue's side of it."""
        fills = (Fill(100_00, 1_000),)
        event = OrderExecuted(A1, 1, 1, BTC_USD, Side.BUY, fills, False, 0)
        self.write(venue_stream(BTC_USD), event)

    def failing(self) -> set[str]:
        self.projector.catch_up()
        made = self.checker.round()
        assert made is not None
        assert made.position == self.journal.head()
        assert {each.name for each in made.found} == SAYS.keys()
        return {each.name for each in made.found if each.wrong}

    def plant(self, sql: str) -> None:
        with self.store.writing() as conn:
            conn.exec_driver_sql(sql)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    made = Made(tmp_path)
    assert made.failing() == set()
    with closing(made.store):
        yield made


@pytest.mark.parametrize(("sql", "names"), PLANTED.items())
def test_a_planted_fault_is_found_by_name(made: Made, sql: str, names: set[str]) -> None:
    made.plant(sql)
    assert made.failing() == names
    assert made.failing() == names, "and stays found, though other accounts had their turn"


def test_what_stands_on_a_clearing_account_is_found_after_a_while(made: Made) -> None:
    made.execute()  # once more than the account has booked
    made.now += int(STANDS_MAX_S * 1e9)
    assert made.failing() == set()
    made.now += 1
    assert made.failing() == {"clearing"}


def test_our_own_book_that_tells_one_side_only_is_found_at_once(made: Made) -> None:
    """Both sides of a trade are written together, so nobody waits for a minute; the accounts'
    side may come later, and says so on the clearing account."""
    terms = msgspec.structs.replace(btc_usd(), mic="CROSS", symbol="OWN-USD")
    made.write(HOUSE_STREAM, InstrumentListed(terms, ASSETS[terms.base], ASSETS[terms.quote], ""))
    stream, fills = venue_stream(terms.symbol, "CROSS"), (Fill(100_00, 1_000),)

    def side(which: Side, number: int) -> OrderExecuted:
        return OrderExecuted(A1, number, 1, terms.symbol, which, fills, False, 0)

    made.write(stream, side(Side.BUY, 8), side(Side.SELL, 9))
    assert made.failing() == set()
    made.write(stream, side(Side.BUY, 10))
    assert made.failing() == {"own_venue"}
    made.write(stream, side(Side.SELL, 11))
    assert made.failing() == set()


def test_a_round_adds_up_only_so_much_and_the_next_goes_on(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "SUMMED_MAX", 2)
    sums = standing.Sums()
    with made.store.reading() as conn:
        rounds = [sums.check(conn, made.journal.head()) for _ in range(6)]
    assert rounds[0] is None
    assert rounds[-1] == Found("postings")


def test_views_that_are_filled_anew_are_added_up_anew(made: Made) -> None:
    for view in every_view(made.journal):
        made.projector.rebuild(view.name)
    assert made.failing() == set()


def test_a_failing_check_is_told_once_and_cleared_once() -> None:
    state = law.initial(CHECKS_STREAM)

    def tell(**found: str) -> list[Event]:
        nonlocal state
        said = tuple(Found(name, (text,) if text else ()) for name, text in found.items())
        events = law.decide(state, RecordChecks(CommandId(""), Instant(1), said, 7), refs())
        for event in events:
            state = law.evolve(state, event)
        return list(events)

    assert tell(postings="", clearing="") == [ChecksUnchanged(7)]
    assert tell(postings="off by 1", clearing="") == [CheckFailed("postings", ("off by 1",), 7)]
    assert tell(postings="off by 2") == [ChecksUnchanged(7)]
    assert tell(clearing="") == [ChecksUnchanged(7)]  # not made: it stays as it was
    assert tell(postings="", clearing="x") == [
        CheckCleared("postings", 7),
        CheckFailed("clearing", ("x",), 7),
    ]
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=law.state)
    assert kept == state
    assert list(state.failing) == ["clearing"]


def test_of_many_sentences_the_first_are_kept() -> None:
    wrong = standing.found("postings", [str(nth) for nth in range(1_000)]).wrong
    assert len(wrong) == WRONG_MAX
    assert wrong[-1] == f"and {1_000 - WRONG_MAX + 1} more"


def test_a_fault_in_a_running_house_is_an_event_a_metric_a_line_and_an_answer(
    tmp_path: Path,
) -> None:
    with house(tmp_path, options=("--set", "checks_every_s=1")) as running:
        client = running.client()
        holds = 'fondaco_check_holds{check="asset_conservation"}'

        def says(value: bool) -> bool:
            found = client.get("/api/checks")
            return bool(found["checks"]) and found["holds"] is value

        wait_for(lambda: says(True))
        assert metric(client, holds) == 1
        change = "UPDATE trading_balances_v2 SET balance = balance {} 1 WHERE asset = 'ETH'"
        spoil(tmp_path, change.format("+"))
        wait_for(lambda: says(False))
        wait_for(lambda: "FAILING" in client.ask("GET", "/ready").body["checks"]["books"]["text"])
        assert client.ask("GET", "/ready").status == 200
        assert metric(client, holds) == 0
        [wrong] = [each for each in client.get("/api/checks")["checks"] if not each["holds"]][:1]
        assert "ETH" in wrong["wrong"][0]
        assert "standing check asset_conservation" in running.said()
        spoil(tmp_path, change.format("-"))
        wait_for(lambda: says(True))
        wait_for(lambda: "hold" in client.ask("GET", "/ready").body["checks"]["books"]["text"])
        assert running.stop() == 0
    told = [entry.event for entry in entries_after(tmp_path, 0) if entry.stream == CHECKS_STREAM]
    failed = {event.name for event in told if isinstance(event, CheckFailed)}
    assert "asset_conservation" in failed
    assert failed == {event.name for event in told if isinstance(event, CheckCleared)}


def spoil(data: Path, sql: str) -> None:
    with closing(sqlite3.connect(data / "views.db", timeout=20)) as conn, conn:
        conn.execute(sql)
