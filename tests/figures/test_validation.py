"""Deflated Sharpe ratios as published, overfitting by its definition, and falls of a coin against
their closed form."""

import csv
import json
import math
from itertools import combinations
from pathlib import Path

import pytest
from msgspec.structs import replace

from fondaco.app.projecting import projected
from fondaco.cli import main
from fondaco.domain.performance.projection import Plan, fan_days, walk
from fondaco.domain.performance.validation import (
    Moments,
    deflated_sharpe,
    expected_max_sharpe,
    moments,
    overfit_probability,
    probabilistic_sharpe,
    validation,
)
from fondaco.kernel.errors import Invalid
from fondaco.kernel.seeded import Seeded


def test_the_deflated_sharpe_ratio_of_the_paper() -> None:
    """Bailey and López de Prado (2014), A numerical example: 1,250 days, an annual ratio of 2.5,
    a skewness of -3, a kurtosis of 10, and 100 trials whose annual ratios vary by 1/2."""
    of = Moments(1_250, 2.5 / math.sqrt(250), -3, 10)
    assert expected_max_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(of, 100, 0.5 / 250) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(of, 46, 0.5 / 250) == pytest.approx(0.9505, abs=5e-5)
    normal = Moments(1_250, 2.5 / math.sqrt(250), 0, 3)
    assert deflated_sharpe(normal, 88, 0.5 / 250) == pytest.approx(0.9505, abs=5e-5)


def test_moments_are_those_of_the_population() -> None:
    found = moments([1.0, 2.0, 3.0, 6.0])
    assert found.sharpe == pytest.approx(3 / math.sqrt(3.5))
    assert found.skewness == pytest.approx(4.5 / 3.5**1.5)
    assert found.kurtosis == pytest.approx(24.5 / 3.5**2)
    assert probabilistic_sharpe(found, found.sharpe) == pytest.approx(0.5)
    with pytest.raises(Invalid, match="differ too little"):
        moments([1.0, 1.0, 1.0])


def slow_pbo(columns: list[list[float]], parts: int) -> float:
    """Of the definition, with whole lists."""

    def ratio(values: list[float]) -> float:
        mean = sum(values) / len(values)
        return mean / math.sqrt(sum((each - mean) ** 2 for each in values) / len(values))

    length, lost, total = len(columns[0]) // parts, 0, 0
    for chosen in combinations(range(parts), parts // 2):
        inside, outside = [], []
        for column in columns:
            cut = [column[nth * length : (nth + 1) * length] for nth in range(parts)]
            inside.append(ratio([each for nth in chosen for each in cut[nth]]))
            rest = [each for nth in range(parts) if nth not in chosen for each in cut[nth]]
            outside.append(ratio(rest))
        best = inside.index(max(inside))
        rank = sorted(outside).index(outside[best]) + 1
        relative = rank / (len(columns) + 1)
        lost += math.log(relative / (1 - relative)) <= 0
        total += 1
    return lost / total


def test_overfitting_is_counted_as_it_is_defined() -> None:
    dice = Seeded(5)
    noise = [[dice.normal() for _ in range(60)] for _ in range(6)]
    assert overfit_probability(noise, 6) == slow_pbo(noise, 6)
    skilled = [[each + 3 for each in noise[0]], *noise[1:]]
    assert overfit_probability(skilled, 6) == 0.0
    # What is good in one half is bad in the other: the best is always the worst elsewhere.
    halves = [[1.0, 2.0, 3.0, 2.0], [-1.0, -2.0, -3.0, -2.0]]
    turning = [halves[0] + halves[1], halves[1] + halves[0]]
    assert overfit_probability(turning, 2) == 1.0
    with pytest.raises(Invalid, match="even number of parts"):
        overfit_probability(noise, 5)


def test_luck_is_told_from_skill_and_the_same_seed_says_the_same() -> None:
    dice = Seeded(8)
    lucky = [dice.normal() for _ in range(120)]
    skilled = [each + 0.5 for each in lucky]
    first = validation(skilled, trials=20, others=[], seed=3, bootstraps=200)
    assert first == validation(skilled, trials=20, others=[], seed=3, bootstraps=200)
    assert first != validation(skilled, trials=20, others=[], seed=4, bootstraps=200)
    other = validation(lucky, trials=20, others=[], seed=3, bootstraps=200)
    assert first.deflated_sharpe > 0.9 > 0.5 > other.deflated_sharpe
    assert first.deflated_sharpe < first.probabilistic_sharpe
    assert first.sharpe_low < first.sharpe < first.sharpe_high


def falls(fall: int, days: int) -> float:
    """That a fair coin's walk falls so far from its highest within the days: what it has fallen is
    a walk that waits at 0 in half of all cases, a symmetric one between -1 and 2 x fall + 1 folded
    (Lévy), which is still inside by Feller I, XIV.5."""
    width = 2 * fall + 1
    inside = sum(
        math.cos(math.pi * k / width) ** days
        * math.sin(math.pi * k * (fall + 1) / width)
        / math.tan(math.pi * k / (2 * width))
        for k in range(1, width, 2)
    )
    return 1 - 2 / width * inside


@pytest.mark.parametrize(("part", "days"), [(0.05, 20), (0.1, 60)])
def test_falls_of_a_coin_converge_to_the_closed_form(part: float, days: int) -> None:
    plan = Plan(results=(10_000, -10_000), days=days, paths=1_500, seed=2, block=1.0)
    found = projected(plan, 1)
    odds = next(each for each in found.falls if each.fall == part)
    expected = falls(round(part * 100), days)
    assert abs(odds.probability - expected) <= 3 * math.sqrt(expected * (1 - expected) / 1_500)
    assert abs(found.mean) <= 3 * found.mean_se
    assert found.mean_se == pytest.approx(0.01 * math.sqrt(days / 1_500), rel=0.1)


def test_a_projection_is_the_same_for_any_number_of_workers() -> None:
    plan = Plan(results=(3_000, -2_000, 500, -900), days=30, paths=1_200, seed=9)
    alone = projected(plan, 1)
    assert projected(plan, 3) == alone
    other = replace(plan, seed=10)
    assert projected(other, 1).fan != alone.fan
    assert (other.name == plan.name, alone.inputs) == (False, plan.name)
    assert [each.day for each in alone.fan] == fan_days(plan) == list(range(1, 31))
    for point in alone.fan:
        assert list(point.quantiles) == sorted(point.quantiles)
    for each in alone.scenarios:  # its number draws it again
        again = walk(plan, each.path, 1)[0]
        assert (each.drawdown, each.curve[-1]) == (again.fall / 1e6, again.curve[-1] / 1e6)
    assert [each.result for each in alone.scenarios] == [
        alone.result_quantiles[0], alone.result_quantiles[2], alone.result_quantiles[4]
    ]  # fmt: skip


def test_the_commands_say_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, skew in (("one", 2), ("two", 3)):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8") as file:
            csv.writer(file).writerows([[(nth * 7) % 5 - skew + 0.2] for nth in range(60)])
    one, two = str(tmp_path / "one.csv"), str(tmp_path / "two.csv")
    assert main(["simulate", "project", one, "--paths", "100", "--days", "20", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["paths"], len(said["fan"]), len(said["scenarios"])) == (100, 20, 3)
    assert main(["simulate", "validate", one, "--against", two, "--trials", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["days"], said["trials"]) == (60, 5)
    assert 0 <= said["overfit_probability"] <= 1
    for words in (["project", one, "--paths", "100", "--days", "20"], ["validate", one]):
        assert main(["simulate", *words]) == 0
        assert capsys.readouterr().out
    assert main(["simulate", "project", one, "--days", "0"]) != 0
