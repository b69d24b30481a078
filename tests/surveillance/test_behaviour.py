"""Baselines: what is learned, what it does not call unusual, and what it does."""

import math
from pathlib import Path

import msgspec
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.app.fix.audit import audit
from fondaco.app.fix.baseline import _tree, learn, read_baseline
from fondaco.cli import main
from fondaco.domain.surveillance.fix.behaviour.baseline import (
    Baseline,
    Forest,
    explained,
    profile_of,
    score,
    spreads_away,
    stability,
)
from fondaco.domain.surveillance.fix.behaviour.windows import FEATURES, Span
from fondaco.domain.surveillance.fix.drill.behaviours import BEHAVIOURS
from fondaco.domain.surveillance.fix.drill.generated import LAST_DAY, drill, parted
from fondaco.kernel.errors import Invalid

SEED = 11


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Baseline]:
    """Six clean days of one trading session, the seventh, and what is learned from the six."""
    folder = tmp_path_factory.mktemp("week")
    paths = folder / "clean.pcap", folder / "day.pcap"
    for path, part in zip(paths, parted(drill(SEED, "", 1, 60).capture, LAST_DAY), strict=True):
        path.write_bytes(part)
    return *paths, learn([paths[0]])


def test_another_clean_day_is_usual(week: tuple[Path, Path, Baseline]) -> None:
    report = audit([week[1]], baseline=week[2])
    assert [alert for alert in report.alerts if alert["severity"] != "low"] == []
    assert report.baseline is not None
    assert report.baseline["version"] == week[2].version
    assert {"B01", "B02", "B03", "F30"} < {each["id"] for each in report.examined}


@pytest.mark.parametrize("kind", ["larger", "canceling"])
def test_a_day_that_breaks_no_rule_is_found_by_the_baseline_alone(
    kind: str, tmp_path: Path
) -> None:
    assert kind in BEHAVIOURS
    before, day = parted(drill(SEED, kind, 1, 60).capture, LAST_DAY)
    for name, part in (("before", before), ("day", day)):
        (tmp_path / name).write_bytes(part)
    baseline = learn([tmp_path / "before"], forest=False)
    report = audit([tmp_path / "day"], baseline=baseline)
    told = [alert for alert in report.alerts if alert["severity"] != "low"]
    assert {alert["pattern"] for alert in told} >= {"B01"}
    assert {alert["pattern"][0] for alert in told} == {"B"}
    assert all(alert["evidence"] and "usually" in alert["reason"] for alert in told[:1])
    assert [a for a in audit([tmp_path / "day"]).alerts if a["severity"] != "low"] == []


def test_the_same_files_give_the_same_baseline_and_an_edit_is_seen(
    week: tuple[Path, Path, Baseline], tmp_path: Path
) -> None:
    learned = week[2]
    assert learn([week[0]]) == learned
    file = tmp_path / "b.json"
    file.write_bytes(learned.encoded())
    assert read_baseline(file) == learned
    file.write_bytes(learned.encoded().replace(b'"window_s":300', b'"window_s":60'))
    with pytest.raises(Invalid, match="was changed after it became"):
        read_baseline(file)
    file.write_text("{}")
    with pytest.raises(Invalid, match="no baseline"):
        read_baseline(file)
    other = msgspec.structs.replace(learned, format=9).sealed()
    file.write_bytes(other.encoded())
    with pytest.raises(Invalid, match="format 9"):
        read_baseline(file)


def test_days_with_an_attack_in_them_are_not_learned_from(tmp_path: Path) -> None:
    path = tmp_path / "attacked.pcap"
    path.write_bytes(drill(7, "F15", 1, 10).capture)
    with pytest.raises(Invalid, match="learn from clean days"):
        learn([path], forest=False)
    assert learn([path], forest=False, anyway=True).profiles


def test_our_scores_are_scikit_learns() -> None:
    """Trees are kept as plain numbers; walking them gives score_samples to the last digits."""
    from sklearn import ensemble

    dice = numpy.random.default_rng(3)
    rows = dice.normal(size=(300, len(FEATURES))).astype(numpy.float32)
    model = ensemble.IsolationForest(n_estimators=30, max_samples=64, random_state=1).fit(rows)
    trees = [_tree(each.tree_) for each in model.estimators_]
    forest = Forest("", {}, "", 64, 300, 0.0, trees)
    ours = [score(forest, [float(value) for value in row]) for row in rows]
    assert ours == pytest.approx(list(-model.score_samples(rows)), abs=1e-6)


def test_an_explanation_names_what_is_odd(week: tuple[Path, Path, Baseline]) -> None:
    forest = week[2].forest
    assert forest is not None
    usual = [0.0] * len(FEATURES)
    odd = list(usual)
    odd[6] = 20.0
    assert score(forest, odd) > score(forest, usual)
    assert explained(forest, odd)[0][0] == FEATURES[6].name
    assert explained(forest, usual) == []


@given(values=st.lists(st.integers(1, 10**6), min_size=12, max_size=60), far=st.integers(2, 50))
def test_what_was_learned_from_is_within_its_spread(values: list[int], far: int) -> None:
    """The law: the median is no spread away, the edges are ordered, the same is stable."""
    spans = []
    for n, value in enumerate(values):
        span = Span(n * 300_000_000_000)
        span.messages, span.octets = 30, 30 * value
        spans.append(span)
    profile, vectors = profile_of("A", "B", spans, 300)
    spread = profile.spreads["octets"]
    assert spread.edges == sorted(spread.edges)
    assert spread.low <= spread.median <= spread.high
    place = [feature.name for feature in FEATURES].index("octets")
    away = sorted(spreads_away(vector, profile)[place] for vector in vectors)
    assert abs(away[len(away) // 2]) < 1.5
    same = [vector[place] for vector in vectors]
    shifted = [spread.high + far for _ in vectors]
    assert stability(same, spread) < stability(shifted, spread)
    assert all(not math.isnan(each) for each in away)


def test_learn_and_show_and_audit_from_the_command_line(
    week: tuple[Path, Path, Baseline], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.json"
    words = ["fix", "baseline", "learn", str(week[0]), "--output", str(file)]
    assert main(words) == 0
    assert main(words) != 0  # never over a file
    capsys.readouterr()
    assert main(["fix", "baseline", "show", str(file)]) == 0
    shown = capsys.readouterr().out
    assert week[2].version in shown
    assert "BUYER0 to VENUE" in shown
    assert "isolation forest by scikit-learn" in shown
    assert main(["fix", "audit", str(week[1]), "--baseline", str(file)]) == 0
    assert f"beside baseline {week[2].version}" in capsys.readouterr().out
