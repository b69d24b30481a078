"""Simulated odds: those of a coin have a closed form (gambler's ruin), and the rest follows."""

import json
import math
import re
import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace

from fondaco.app.simulating import Run, sensitivity, simulate
from fondaco.cli import main
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation.odds import as_gamble
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.kernel.errors import Invalid

PATHS = 3_000


def closed_form(p: float, start: int, target: int) -> float:
    """The odds of reaching `target` before 0, one stake at a time (Feller I, XIV.2)."""
    if p == 0.5:
        return start / target
    odds = (1 - p) / p
    return (odds**start - 1) / (odds**target - 1)


@pytest.mark.parametrize("p", ["0.35", "0.45", "0.5", "0.55", "0.65"])
@pytest.mark.parametrize(("start", "target"), [(1, 2), (1, 10), (5, 10), (9, 10), (12, 15)])
def test_a_coin_converges_to_the_closed_form(p: str, start: int, target: int) -> None:
    tier = as_gamble(tier_of(text_of("coin")), str(start), str(target), "0")
    found = simulate(tier, trader_of(f"coin:win={p},stake=1"), Run(paths=PATHS, seed=11, days=0))
    expected = closed_form(float(p), start, target)
    exact_se = math.sqrt(expected * (1 - expected) / PATHS)
    assert abs(found.pass_probability - expected) <= 3 * exact_se
    assert abs(found.ruin_probability - (1 - expected)) <= 3 * exact_se
    assert found.pass_probability + found.ruin_probability == pytest.approx(1)
    assert found.pass_se == pytest.approx(
        math.sqrt(found.pass_probability * found.ruin_probability / PATHS)
    )


@pytest.mark.parametrize(("floor", "stake"), [("0", "0.25"), ("40", "10"), ("0.5", "0.5")])
def test_only_stakes_between_the_limits_count(floor: str, stake: str) -> None:
    """Five stakes over the floor and three beneath the target, whatever a stake is."""
    unit, low = float(stake), float(floor)
    tier = as_gamble(tier_of(text_of("coin")), f"{low + 5 * unit:g}", f"{low + 8 * unit:g}", floor)
    found = simulate(tier, trader_of(f"coin:win=0.45,stake={stake}"), Run(paths=PATHS, days=0))
    assert abs(found.pass_probability - closed_form(0.45, 5, 8)) <= 3 * found.pass_se


def test_a_seed_is_the_same_for_any_number_of_workers_and_another_one_differs() -> None:
    tier, trader = tier_of(text_of("one-step-50k")), trader_of("skilled:ticks=3,edge=0.3")
    run = Run(paths=20_400, seed=4, days=8, funded_days=5, sales=100)
    alone = simulate(tier, trader, replace(run, workers=1))
    assert simulate(tier, trader, replace(run, workers=3)) == alone
    assert 0 < alone.pass_probability < 1
    assert simulate(tier, trader, replace(run, seed=5)).pass_probability != alone.pass_probability


def test_better_traders_pass_more_often_and_worse_ones_less() -> None:
    tier, run = tier_of(text_of("three-step-25k")), Run(paths=400, days=40, funded_days=30)
    passed = [
        simulate(tier, trader_of(f"fair:edge={edge},ticks=5"), run).pass_probability
        for edge in (-0.1, 0.0, 0.1, 0.2)
    ]
    assert passed == sorted(passed)
    assert passed[0] < 0.02 < 0.5 < passed[-1]


def test_what_is_paid_comes_out_of_the_firm() -> None:
    """A fee comes in, payouts and a fee that is given back go out."""
    tier = tier_of(text_of("two-step-100k"))
    run = Run(paths=300, days=0, funded_days=60, sales=3, capital=1_000)
    found = simulate(tier, trader_of("skilled:edge=0.5,risk=1%,ticks=5"), run)
    back = 540 * found.paid_probability
    assert found.paid_probability > 0.5
    assert found.firm_profit_mean == pytest.approx(540 - found.payout_mean - back)
    assert found.books == 100
    assert found.firm_ruin_probability == 1.0
    rich = simulate(tier, trader_of("novice:ticks=5"), run)
    assert rich.firm_ruin_probability is not None
    assert rich.firm_ruin_probability < 0.1 < rich.ruin_probability


def test_every_rule_says_what_it_does() -> None:
    """With the same dice a rule that is let go never costs anybody the pass, a nearer target no
    less."""
    tier = tier_of(text_of("one-step-50k"))
    run = Run(paths=300, days=40, funded_days=20)
    found, effects = sensitivity(tier, trader_of("fair:risk=1%,ticks=5"), run)
    by = {(each.rule, each.change): each for each in effects}
    assert {rule for rule, _ in by} == {
        "target",
        "daily_loss",
        "overall_loss",
        "min_trading_days",
        "time_limit_days",
        "max_risk_per_trade",
        "consistency_ppm",
        "inactivity_days",
        "leverage",
        "split",
        "every_days",
        "first_after_days",
        "minimum",
    }
    assert by["target", "-25 %"].pass_change > 0 > by["target", "+25 %"].pass_change
    for rule in ("daily_loss", "overall_loss"):
        assert by[rule, "-25 %"].pass_change <= 0 <= by[rule, "+25 %"].pass_change
        assert by[rule, "none"].pass_change >= by[rule, "+25 %"].pass_change
    assert by["overall_loss", "none"].pass_change > 0
    assert by["overall_loss", "static"].pass_change >= 0
    for each in effects:
        assert each.pass_probability == pytest.approx(found.pass_probability + each.pass_change)


def test_days_are_drawn_from_a_journal(tmp_path: Path) -> None:
    """Of days that make 1 % or lose 1 %, one in two each: a coin, from 5 to 0 or to 8."""
    file = tmp_path / "days.csv"
    file.write_text("percent\n" + "1.0\n-1.0\n" * 11)
    tier = as_gamble(tier_of(text_of("coin")), "100", "103", "95")
    found = simulate(
        tier, trader_of(f"journal:file={file},week=7,block=1"), Run(paths=PATHS, days=0)
    )
    assert abs(found.pass_probability - 5 / 8) <= 3 * found.pass_se


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1.0\n", "has 1 trades or days, must have 2"),
        ("1\nx\n", ":2: x is no number"),
        ("1\n-101\n", "must be -100 to 1000"),
    ],
)
def test_a_journal_that_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "days.csv"
    file.write_text(text)
    with pytest.raises(Invalid, match=said):
        trader_of(f"journal:file={file}")
    with pytest.raises(Invalid, match="only file, week, block"):
        trader_of(f"journal:file={file},edge=1")


def test_the_lines_of_the_page_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those of docs/tiers.md, in their order, each with few paths."""
    page = (Path(__file__).parents[2] / "docs" / "tiers.md").read_text("utf-8")
    page = page.partition("## On sale")[0]  # the rest is asked of a house
    monkeypatch.chdir(tmp_path)
    tiers = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    Path("mine.toml").write_text(tiers[0])
    Path("days.csv").write_text("2026-03-02,0.8\n2026-03-03,-0.6\n")
    lines = re.findall(r"^fondaco (tier .*)$", page, re.MULTILINE)
    assert len(lines) >= 7
    for line in lines:
        few = re.sub(r"--paths \d+", "", line) + (" --paths 60" if "simulate" in line else "")
        assert main(shlex.split(few)) == 0, line
        assert capsys.readouterr().out


def said(capsys: pytest.CaptureFixture[str], seed: int) -> dict[str, float]:
    text = (
        "tier simulate coin --trader coin:win=0.45,stake=1 --start 90 --target 100 --floor 0"
        f" --paths 400 --seed {seed} --json"
    )
    assert main(text.split()) == 0
    said_, silent = capsys.readouterr()
    assert silent == ""
    found: dict[str, float] = json.loads(said_)
    return found


def test_the_command_needs_no_house_and_says_one_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, again, other = (said(capsys, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["pass_probability"] != other["pass_probability"]
    expected = closed_form(0.45, 90, 100)
    for each in (first, other):
        assert abs(each["pass_probability"] - expected) <= 3 * each["pass_se"]
        assert abs(each["ruin_probability"] - (1 - expected)) <= 3 * each["ruin_se"]
        assert each["open_probability"] == 0


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("nothing", "neither a file nor a built-in tier: coin,"),
        ("coin --trader tosser", "trader is tosser, must be one of coin,"),
        ("coin --trader fair:edgy=1", "edgy"),
        ("coin --trader fair:edge=9", "edge is 9.0, must be from -2 to 2"),
        ("coin --trader coin:win=1.5", "win is 1.5, must be above 0 and at most 1"),
        ("coin --trader coin:stake=0", "risks nothing"),
        ("coin --paths 0", "paths is 0, must be from 1"),
        ("coin --start 5 --target 4 --floor 0", "0, 5, 4: they must go up"),
        ("two-step-100k --start 5", "several stages"),
        ("coin --capital nan", "capital is nan"),
    ],
)
def test_what_cannot_be_simulated_is_said(
    rest: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(f"tier simulate {rest}".split()) == 2
    assert said in capsys.readouterr().err


def test_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    command = "tier simulate two-step-100k --trader skilled:ticks=5 --paths 200 --sales 2"
    assert main(command.split()) == 0
    shown = capsys.readouterr().out
    for part in (
        "passes",
        "has passed Verification",
        "paid to a trader",
        "of 100 books of 2 sales",
    ):
        assert part in shown


def test_what_does_not_fit_the_numbers_is_refused() -> None:
    tier = tier_of(text_of("coin"))
    with pytest.raises(Invalid, match="at most"):
        simulate(tier, trader_of("coin:stake=999999999999"), Run(paths=1, days=0))
