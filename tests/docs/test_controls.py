"""The control map names controls that there are, and evidence says what is known and no more."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from docs.catalog import operations, rooms
from docs.controls import CARRIED, carried, control_map
from fondaco.app.evidence import evidence, results_of
from fondaco.kernel.errors import Invalid
from fondaco.settings import knobs
from proof import THREATS, controls

CARD = re.compile(r"(^|_)(pan|cvv|cvc|cvv2|card|card_number|cardholder|track_?[12])(_|$)")


def test_each_criterion_has_controls_that_there_are() -> None:
    found, known = control_map(), {each.number for each in controls(THREATS.read_text("utf-8"))}
    assert set(found["criteria"]) == set(found["frameworks"]) == {"soc2", "pci", "gdpr"}
    for listed in found["criteria"].values():
        for name, each in listed.items():
            assert each["controls"], name
            assert set(each["controls"]) <= known, name
            assert set(each) == {"title", "controls"}, name


def test_the_package_carries_the_map_as_it_is() -> None:
    assert CARRIED.read_text("utf-8") == carried(), "run `make docs`"


def fields_of(kind: Any, seen: set[Any]) -> Iterator[str]:
    for part in getattr(kind, "__args__", ()):
        yield from fields_of(part, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        for field in msgspec.structs.fields(kind):
            yield field.name
            yield from fields_of(field.type, seen)


def test_no_field_of_any_request_reply_event_or_setting_is_a_cards() -> None:
    seen: set[Any] = set()
    kinds = [kind for each in operations() for kind in (each.request, each.reply)]
    kinds += [kind for room in rooms() for kind in room.kinds]
    names = {name for kind in kinds for name in fields_of(kind, seen)}
    names |= {knob.name for knob in knobs()}
    assert len(names) > 500
    assert [name for name in sorted(names) if CARD.search(name)] == []
    assert CARD.search("card_number")
    assert not CARD.search("discard")


def test_evidence_says_what_ran_and_what_is_not_known() -> None:
    head = {"size": 7, "root": "00"}
    found = evidence(head, {})
    assert found["journal"] == head
    assert {each["state"] for each in found["criteria"]} == {"not known"}
    tests = [test for each in found["controls"].values() for test in each["tests"]]
    assert len(tests) > 30
    every = {test["test"]: "passed" for test in tests}
    assert {each["state"] for each in evidence(head, every)["criteria"]} == {"proven"}
    failing = {**every, found["controls"]["tls"]["tests"][0]["test"]: "failed"}
    states = {
        (each["framework"], each["criterion"]): each["state"]
        for each in evidence(head, failing)["criteria"]
    }
    assert states["pci", "R4_2"] == "failed"
    assert states["pci", "R8_3"] == "proven"
    assert json.dumps(found)


def test_results_are_read_from_what_pytest_writes() -> None:
    text = """<?xml version="1.0"?><testsuites><testsuite>
    <testcase classname="tests.app.test_a" name="test_x[1]" time="0"/>
    <testcase classname="tests.app.test_a" name="test_x[2]"><failure message="no"/></testcase>
    <testcase classname="tests.app.test_a" name="test_y"><skipped message="absent"/></testcase>
    <testcase classname="tests.app.test_a" name="test_z"/></testsuite></testsuites>"""
    assert results_of(text) == {
        "tests/app/test_a.py::test_x": "failed",
        "tests/app/test_a.py::test_y": "skipped",
        "tests/app/test_a.py::test_z": "passed",
    }
    with pytest.raises(Invalid, match="JUnit"):
        results_of("{}")
