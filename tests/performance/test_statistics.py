"""Statistics of a history whose figures were worked out by hand, and what its views show of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fondaco.domain.ledger.store import LedgerView
from fondaco.domain.ledger.store.postings import ledger_balances
from fondaco.domain.market.bars import INTERVALS
from fondaco.domain.market.model import Bar
from fondaco.domain.performance.drawdown import Point, deepest, drawdowns, longest_ns
from fondaco.domain.performance.local_time import Clockface
from fondaco.domain.performance.model import Method
from fondaco.domain.performance.replies import StatisticsReply
from fondaco.domain.performance.sheet import Asked, Intervals, Sheet
from fondaco.domain.performance.statistics import distribution, streaks
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.model import Side
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.store import TradingView
from fondaco.domain.trading.store.days import DaysView
from fondaco.domain.trading.store.traded import account_history
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.event import Instant
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector, View
from ledger.history import DEMO, History

U = 10**8
MINUTE_NS = 60 * 10**9
DAY_NS = 86_400 * 10**9
MIDNIGHT = 1_700_006_400 * 10**9  # 2023-11-15, UTC


def trade(history: History, side: Side, lots: int, px: int) -> None:
    history.fill(history.accept(side=side, lots=lots, px=px), lots)


def traded() -> History:
    """In lots of 0.00001 BTC at 50,000.00, half a dollar each; fees are 0.2 %. Four trips:
    +100 long, -60 long, -20 short, +40 long in two exits; one is open."""
    history = History()
    minutes = history.at = MIDNIGHT
    history.open().deposit(10_000 * U)
    for side, lots, px, after in (
        (Side.BUY, 10_000, 5_000_000, 0),  # 5,000.00
        (Side.SELL, 10_000, 5_100_000, 60),
        (Side.BUY, 6_000, 5_100_000, 61),  # 3,060.00, a minute after; smaller
        (Side.SELL, 6_000, 5_000_000, 121),
        (Side.SELL, 2_000, 5_000_000, 122),  # 1,000.00 short, after a loss
        (Side.BUY, 2_000, 5_100_000, 242),
        (Side.BUY, 4_000, 5_000_000, 500),  # 2,000.00
        (Side.SELL, 2_000, 5_050_000, 510),
        (Side.SELL, 2_000, 5_150_000, 520),
        (Side.BUY, 1_000, 5_000_000, 600),
    ):
        history.at = minutes + after * MINUTE_NS
        trade(history, side, lots, px)
    history.reject("no")
    return history


class Known:
    """A history in views, and the sheet of it."""

    def __init__(self, folder: Path) -> None:
        self.history = traded()
        self.store = SqliteStore(folder / "views.db", durable=False)
        self.bars: dict[str, Sequence[Bar]] = {}

    def sheet(self, **asked: Any) -> Sheet:
        journal = self.history.journal
        posters = Postings(journal.read(HOUSE_STREAM)).posters(OrderExecuted)
        views: list[View] = [
            TradingView(),
            LedgerView(posters),
            DaysView(journal.read(HOUSE_STREAM)),
        ]
        Projector(journal, self.store, views).catch_up()
        with self.store.reading() as conn:
            history = account_history(conn, "demo", "demo")
            ledger = {asset: units for (_, asset), units in ledger_balances(conn, DEMO).items()}
        intervals = Intervals(INTERVALS, lambda _, name: self.bars.get(name, ()))
        return Sheet(history, ledger, intervals, Asked(**asked), self.history.at)

    def reply(self, **asked: Any) -> StatisticsReply:
        return self.sheet(**asked).reply()


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    made = Known(tmp_path)
    yield made
    made.store.close()


def test_the_figures_are_those_worked_out_by_hand(known: Known) -> None:
    found = known.reply()
    total = found.total
    # Fees: 0.2 % of 10,100 + 6,060 + 2,020 + 4,040 = 44.44 of the trips that ended.
    assert (total.trades, total.wins, total.losses, total.scratches) == (4, 2, 2, 0)
    assert (total.won, total.lost, total.net, total.fees) == ("111.72", "96.16", "15.56", "44.44")
    assert total.win_rate == 0.5
    assert total.profit_factor == round(111.72 / 96.16, 6)
    assert total.expectancy == "3.89"
    assert (total.average_win, total.average_loss) == ("55.86", "48.08")
    assert (found.largest_win, found.largest_loss) == ("79.8", "72.12")
    assert (found.streaks.wins_max, found.streaks.losses_max, found.streaks.current) == (1, 2, 1)
    assert found.holding.average_s == 60 * (60 + 60 + 120 + 20) / 4
    assert found.kelly == round(0.5 - 0.5 / (55.86 / 48.08), 6)
    assert [(each.key, each.trades) for each in found.by_side] == [("long", 3), ("short", 1)]
    assert found.held[0].qty == "0.01"
    assert found.held[0].cost == "500"
    assert found.equity == "10014.56"  # 15.56 and what is open has cost a dollar
    assert sum(each.trades for each in found.distribution) == 4
    assert all(line.difference == "0" for line in found.reconciliation)
    assert [(line.asset, line.closing) for line in found.reconciliation] == [
        ("BTC", "0.01"),
        ("USD", "9514.56"),
    ]


def test_fifo_takes_each_exit_with_the_entry_that_it_closes(known: Known) -> None:
    found = known.sheet(method=Method.FIFO)
    lines = [found.trip_line(trip) for trip in found.trips]
    assert [(line.side, line.qty, line.gross) for line in lines] == [
        ("long", "0.1", "100"),
        ("long", "0.06", "-60"),
        ("short", "0.02", "-20"),
        ("long", "0.02", "10"),
        ("long", "0.02", "30"),
    ]
    assert found.reply().total.net == known.reply().total.net
    assert (lines[3].entry_px, lines[3].exit_px) == ("50000", "50500")


def test_excursions_are_seen_in_bars_that_lie_within_a_trip(known: Known) -> None:
    assert known.reply().excursions.bars == ["fills"]
    first = known.sheet().trips[0]
    minute = first.opened_at // MINUTE_NS

    def bar(number: int, low: int, high: int) -> Bar:
        return Bar(Instant((minute + number) * MINUTE_NS), low, high, low, high, 1, 1, 1)

    # The first began before the trip did; what it saw may have been before it.
    known.bars["1m"] = [bar(0, 4_000_000, 9_000_000), bar(2, 4_900_000, 5_200_000)]
    sheet = known.sheet()
    went = sheet.excursion(sheet.trips[0])
    assert (went.adverse, went.favorable) == (-100 * U, 200 * U)
    assert sheet.reply().excursions.bars == ["1m"]


def test_an_open_position_is_worth_the_last_bar_that_has_closed(known: Known) -> None:
    last = known.history.at // (60 * MINUTE_NS) * 60 * MINUTE_NS + 60 * MINUTE_NS
    known.history.at = last + 61 * MINUTE_NS
    known.bars["1h"] = [Bar(Instant(last), 1, 1, 1, 5_200_000, 1, 1, 1)]
    found = known.reply()
    assert found.equity == "10034.56"
    assert found.calendar[-1].gained == "34.56"


def test_days_add_up_to_what_was_gained_and_deposits_are_no_gain(known: Known) -> None:
    known.history.at += 3 * DAY_NS
    known.history.deposit(500 * U)
    known.history.at += DAY_NS
    found = known.reply(zone="Europe/Prague")
    assert sum(float(each.gained) for each in found.calendar) == pytest.approx(14.56)
    assert [each.flows for each in found.calendar if each.flows != "0"] == ["10000", "500"]
    assert found.equity == "10514.56"
    assert found.drawdown.deepest is None
    assert found.ratios.total_return == round(14.56 / 10_000, 6)


def test_habits_after_a_loss_and_refusals_are_told(known: Known) -> None:
    habits = known.reply().discipline
    assert (habits.orders, habits.refused) == (11, 1)
    assert habits.reasons == {"exceeds_buying_power": 1}
    # Two trips followed a loss: one a minute after it, and the last, larger than the one before.
    assert (habits.hasty_after_loss, habits.larger_after_loss) == (0.5, 0.5)
    assert habits.held_too_long == round(1 - 40 / 90, 6)
    mean = (1 / 11 + 0.5 + 0.5 + 1 - 40 / 90) / 4
    assert habits.score == pytest.approx(100 * (1 - mean), abs=1e-5)


def test_a_drawdown_ends_where_its_peak_is_reached_again() -> None:
    curve = [Point(at, value) for at, value in enumerate([10, 12, 9, 11, 12, 8, 5, 7])]
    found = drawdowns(curve)
    assert [(e.peak_at, e.trough_at, e.ended_at, e.depth) for e in found] == [
        (1, 2, 4, 3),
        (4, 6, 0, 7),
    ]
    worst = deepest(found)
    assert worst is not None
    assert worst.ratio == 7 / 12
    assert longest_ns(found, 9) == 5


def test_streaks_and_bins_are_told_from_results_alone() -> None:
    found = streaks([5, 5, 0, 5, -1, -1, -1, 2])
    assert (found.wins_max, found.losses_max, found.current) == (2, 3, 1)
    bins = distribution([-5, 0, 5, 95], bins=11)
    assert [(each.low, each.trades) for each in bins if each.trades] == [(-10, 1), (0, 2), (90, 1)]
    assert distribution([]) == []


def test_a_day_is_as_long_as_the_clock_on_the_wall_says() -> None:
    from zoneinfo import ZoneInfo

    face, hour = Clockface(ZoneInfo("Europe/Prague")), 3_600 * 10**9
    spring, autumn = 20_541, 20_751  # 2026-03-29 and 2026-10-25
    assert face.ends(spring) - face.ends(spring - 1) == 23 * hour
    assert face.ends(autumn) - face.ends(autumn - 1) == 25 * hour
    for day in (spring, autumn):
        assert (face.day(face.ends(day) - 1), face.day(face.ends(day))) == (day, day + 1)
        assert face.weekday(face.ends(day) - 1) == 6
