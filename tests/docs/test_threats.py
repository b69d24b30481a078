"""The threat model names what the house has, and every control that it names is one."""

import re

import pytest

from docs.catalog import ROOT
from docs.threats import KINDS, MUST, controls_of, model
from proof import THREATS, controls

MODEL = model()
CLASSES = {"public", "confidential", "restricted", "sensitive"}


def places() -> list[str]:
    """The last column of ARCHITECTURE.md's table of what lies where."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    lies = text.partition("## Where things lie")[2]
    rows = [line for line in lies.splitlines() if line.startswith("| ")]
    return [row.rsplit("|", 2)[1].strip() for row in rows[1:]]


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_controls_and_each_control_is_one(kind: str) -> None:
    known = {row.number for row in controls(THREATS.read_text("utf-8"))}
    for name, each in MODEL[kind].items():
        assert controls_of(each), f"{kind}.{name} has no control"
        assert set(controls_of(each)) <= known, f"{kind}.{name}"


def test_no_control_is_for_nothing() -> None:
    named = {name for kind in KINDS for each in MODEL[kind].values() for name in controls_of(each)}
    assert set(MODEL["controls"]) - named == set()


def test_each_way_in_says_who_may_what_how_often_and_what_is_read() -> None:
    for name, entry in MODEL["entries"].items():
        assert [kind for kind in MUST if not entry.get(kind)] == [], name


def test_assets_have_a_class_and_lie_where_the_architecture_says() -> None:
    for name, asset in MODEL["assets"].items():
        assert asset["class"] in CLASSES, name
        assert set(asset["where"]) <= set(places()), name
        assert asset["threats"], name


def test_everything_that_lies_somewhere_is_somebodys_to_protect() -> None:
    kept = {place for asset in MODEL["assets"].values() for place in asset["where"]}
    assert set(places()) - kept == set()


def test_every_test_that_is_named_exists() -> None:
    for control in controls(THREATS.read_text("utf-8")):
        for test in control.tests:
            file, _, name = test.partition("::")
            text = (ROOT / file).read_text("utf-8")
            assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), test
