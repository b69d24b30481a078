"""Traders made of what somebody has traded: how files are read, and how days are drawn."""

import gzip
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fondaco.app.simulating import Run, simulate
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation.journals import read_journal
from fondaco.domain.evaluation.simulation.odds import as_gamble
from fondaco.domain.evaluation.simulation.traders import ARCHETYPES, Trader, paths_of, trader_of
from fondaco.kernel.errors import Invalid

REAL = Path(__file__).parents[3] / "shared" / "data" / "market" / "journals"
FILLS = """\
time,symbol,side,quantity,price,fee
2026-03-02T10:00:00Z,BTC-USD,buy,2,100,0
2026-03-02T11:00:00Z,BTC-USD,buy,2,110,0
2026-03-03T11:00:00Z,BTC-USD,sell,3,115,1
2026-03-05T11:00:00Z,BTC-USD,sell,2,95,0
2026-03-05T12:00:00Z,BTC-USD,buy,1,90,0
"""


@pytest.mark.parametrize(
    ("text", "said", "results", "lows", "ends", "week"),
    [
        ("1\n-2\n", {}, (10_000, -20_000), (0, -20_000), (1, 2), 5),
        ("2026-03-02,0.01\n2026-03-03,-0.5\n", {"unit": "part"}, (10_000, -500_000), None, None, 5),
        (
            "day,percent,worst\n2026-03-02,1,-3\n2026-03-02,2,\n2026-03-05,-1,-0.5\n",
            {},
            (10_000, 20_000, -10_000),
            (-30_000, 0, -10_000),
            (2, 2, 2, 3),
            5,
        ),
        (
            "closed_at,profit,worst\n2026-03-06,5,-10\n2026-03-08 09:00,-20,-20\n",
            {"size": "1000"},
            (5_000, -20_000),
            (-10_000, -20_000),
            (1, 1, 2),
            7,
        ),
        # 3 closed at a cost of 105: 30 less a fee; 1 more: -10, and the other is sold short and
        # bought back 5 lower.
        (FILLS, {"size": "1000"}, (29_000, -10_000, 5_000), (0, -10_000, 0), (1, 1, 3), 5),
        (
            ",amount,price,sid,symbol,txn_dollars\n2026-03-02 00:00:00+00:00,10,5,0,A,-50\n"
            "2026-03-03 00:00:00+00:00,-10,6,0,A,60\n2026-03-04 00:00:00+00:00,-1,6,0,A,6\n"
            "2026-03-04 00:00:00+00:00,1,7,0,A,-7\n",
            {"size": "100"},
            (100_000, -10_000),
            None,
            (1, 2),
            5,
        ),
    ],
)
def test_a_journal_is_read_as_trades_of_days(
    text: str, said: dict[str, str], results: Any, lows: Any, ends: Any, week: int
) -> None:
    found = read_journal(text, "file", **said)
    assert (found.results, found.week) == (results, week)
    assert found.lows == (lows if lows is not None else tuple(min(each, 0) for each in results))
    assert found.ends == (ends if ends is not None else tuple(range(1, len(results) + 1)))


@pytest.mark.parametrize(
    ("text", "said", "error"),
    [
        (FILLS, {}, "say how large its account was"),
        (FILLS, {"size": "-3"}, "must be an amount of money"),
        (FILLS.replace("quantity", "q"), {"size": "9"}, ":2: there is no amount"),
        (FILLS, {"size": "0.1"}, "is size really 0.1"),
        ("day,return\n2026-03-02,0.01\n2026-03-03,-1.366\n", {}, ":3: -1.366 is -136.6 % of the"),
        (FILLS.replace("115", "nan"), {"size": "1000"}, ":4: nan is no number"),
        ("1\n2\n", {"unit": "dozen"}, "must be percent or part"),
        ("day,percent\nyesterday,1\n2026-03-02,1\n", {}, ":2: yesterday is no time"),
        ("day,percent\n1999-01-01,1\n2200-01-01,1\n", {}, "goes over 73415 days"),
        ("", {}, "has 0 trades or days"),
    ],
)
def test_a_journal_that_cannot_be_read_says_why(
    text: str, said: dict[str, str], error: str
) -> None:
    with pytest.raises(Invalid, match=error):
        read_journal(text, "file", **said)


def drawn(trader: Trader, seed: int, days: int = 300) -> list[int]:
    """Results in the order in which they are drawn, told apart by how much each of them is."""
    tier = as_gamble(tier_of(text_of("coin")), "1000000", "9000000", "0")
    seen, last = [], 0
    for until in range(1, days + 1):
        row, flows = array("q", bytes(48)), array("q", [0])
        paths_of(tier, trader, days=until, funded_days=1).run(seed, 0, 1, row, flows)
        seen.append(row[5] - last)
        last = row[5]
    return seen


def test_days_are_drawn_in_stretches_as_long_as_asked_for() -> None:
    """Day n of twelve has n trades, so that what is traded on a day says which one it is."""
    days = [f"2026-03-{nth + 1:02},0.001" for nth in range(12) for _ in range(nth + 1)]
    text = "day,percent\n" + "\n".join(days)
    for block, low, high in ((1.0, 0, 45), (10.0, 240, 295)):
        trader = trader_of(f"journal:week=7,block={block}", text)
        found = drawn(trader, 3)
        follows = sum(b == a % 12 + 1 for a, b in pairwise(found))
        assert low <= follows <= high, f"blocks of {block}"
        assert {*found} == set(range(1, 13))
    trader = trader_of("journal:week=7,block=1", text)
    assert drawn(trader, 3, 30) != drawn(trader, 4, 30), "another seed draws other days"


def test_a_mean_of_days_is_the_mean_of_what_is_drawn() -> None:
    """A stationary bootstrap is stationary: each day is as likely at any time (Politis and Romano
    1994), and a walk over days that sum to nothing is a fair game."""
    text = "day,percent\n" + "".join(
        f"2026-0{1 + nth // 28}-{nth % 28 + 1:02},{(-1) ** (nth // 4)}\n" for nth in range(56)
    )
    tier = as_gamble(tier_of(text_of("coin")), "100", "104", "96")
    found = simulate(tier, trader_of("journal:week=7,block=4", text), Run(paths=2_000, days=0))
    assert abs(found.pass_probability - 0.5) <= 3 * found.pass_se


def test_a_file_may_be_packed_and_is_named_first(tmp_path: Path) -> None:
    file = tmp_path / "days.csv.gz"
    file.write_bytes(gzip.compress(b"2026-03-02,0.02\n2026-03-03,-0.01\n"))
    found = trader_of(f"journal:{file},unit=part,block=3")
    assert (found.results, found.block, found.week) == ((20_000, -10_000), 3.0, 5)
    file.write_bytes(b"not packed")
    with pytest.raises(Invalid, match=r"days\.csv\.gz"):
        trader_of(f"journal:{file}")
    assert "journal" in ARCHETYPES


@pytest.mark.parametrize(
    ("name", "said", "trades", "passes"),
    [
        ("pyfolio_test_returns.csv.gz", "unit=part", 1_511, (0.1, 0.9)),
        ("pyfolio_returns.csv", "", 504, (0.1, 0.9)),
        ("pyfolio_test_txn.csv.gz", "size=100000", 1_000, (0.0, 0.9)),
    ],
)
def test_real_journals_are_simulated(
    name: str, said: str, trades: int, passes: tuple[float, float]
) -> None:
    file = REAL / name
    if not file.is_file():
        pytest.skip("../shared/data/market/journals is not here")
    trader = trader_of(f"journal:{file},{said}".rstrip(","))
    assert len(trader.results) >= trades
    found = simulate(tier_of(text_of("one-step-50k")), trader, Run(paths=300, days=120))
    assert passes[0] <= found.pass_probability <= passes[1]
    assert 0 < found.pass_probability + found.ruin_probability <= 1
