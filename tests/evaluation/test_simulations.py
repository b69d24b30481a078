"""Simulations that are kept: an id is its inputs, an id has one answer, and the answer stays."""

import math
from hashlib import sha256
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fondaco.app.simulation_work import answered, days_of
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation.odds import change_se
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.domain.evaluation.simulations import events as ev
from fondaco.domain.evaluation.simulations.model import (
    OddsInputs,
    ProjectionInputs,
    Question,
    SimulationKind,
    ValidationInputs,
    question,
    read,
    written,
)
from fondaco.domain.evaluation.simulations.rules import decider
from fondaco.domain.performance.validation import binned
from fondaco.kernel.event import CommandId, Instant, StreamId

DAYS: Final = tuple((nth * 7919) % 4001 - 1950 for nth in range(60))
TIER: Final = tier_of(text_of("one-step-50k"))
ODDS: Final = OddsInputs(
    tier=TIER.name, version=1, terms=msgspec.json.encode(TIER).decode(),
    traders=(("fair", trader_of("fair")),), paths=200, seed=7, days=20, funded_days=20, sales=50,
    sales_a_day=5, crowd=0.5, capital=50_000.0,
)  # fmt: skip
PROJECTION: Final = ProjectionInputs(
    journal="journal:d", results=DAYS, days=20, paths=200, seed=3, block=5.0
)
VALIDATION: Final = ValidationInputs(
    journal="journal:d", results=DAYS, others=(DAYS[::-1],), trials=4, seed=3, block=5.0,
    bootstraps=100,
)  # fmt: skip
ASKED: Final = {
    each.kind: each
    for each in (
        question(SimulationKind.TIER_ODDS, ODDS),
        question(SimulationKind.SENSITIVITY, ODDS),
        question(SimulationKind.PROJECTION, PROJECTION),
        question(SimulationKind.VALIDATION, VALIDATION),
    )
}
# What a build that follows law 1 finds. Where a change makes this another number, what was kept
# would be contradicted under its own id: raise the kind's number in LAWS, and put the new one here.
PINNED: Final = {
    SimulationKind.TIER_ODDS: (
        "1ac2492b255ee290c1840ddc151d07b7",
        "faa85cb3874f6713be85691b05e0280eeae2551fa687cfc2eacf51a5272ba03c",
    ),
    SimulationKind.SENSITIVITY: (
        "90de6a9bda2d0ab3b7080f2a817f0325",
        "cdc743cee73a36f2b504cda22dec2ea0ac79b77f7d3222562f4c370292d4e128",
    ),
    SimulationKind.PROJECTION: (
        "3d7a87135cf1f2580dd12f28798d9da6",
        "69fedfc051a08fdfb238d892c2a879f4f94d6291e2bcf4ed1280964c81ccc0d9",
    ),
    SimulationKind.VALIDATION: (
        "78615e99487c81a8442ba5d2bb606fab",
        "3dd5c3e20fddb8b3632900089bea353a5e7b9eaea27a9e40e3cbf76cd6b99b69",
    ),
}


@pytest.mark.parametrize("kind", list(SimulationKind))
def test_the_id_and_the_result_of_a_law_are_what_they_were(kind: SimulationKind) -> None:
    found = sha256(answered(ASKED[kind]).encode()).hexdigest()
    assert (ASKED[kind].simulation_id, found) == PINNED[kind]


@pytest.mark.parametrize("kind", list(SimulationKind))
def test_what_the_journal_keeps_is_the_question(kind: SimulationKind) -> None:
    asked = ASKED[kind]
    again = read(asked.kind.value, asked.law, written(asked.inputs))
    assert (again, again.simulation_id) == (asked, asked.simulation_id)


def test_whatever_decides_a_result_is_another_id() -> None:
    changed: list[Question] = [
        replace(ASKED[SimulationKind.PROJECTION], law=2),
        question(SimulationKind.SENSITIVITY, ODDS),
        question(SimulationKind.TIER_ODDS, ODDS),
        *(
            question(SimulationKind.PROJECTION, replace(PROJECTION, **change))
            for change in (
                {}, {"seed": 4}, {"days": 21}, {"paths": 201}, {"block": 4.0},
                {"results": (*DAYS, 1)},
            )
        ),
        question(SimulationKind.VALIDATION, VALIDATION),
        question(SimulationKind.VALIDATION, replace(VALIDATION, others=())),
        question(SimulationKind.TIER_ODDS, replace(ODDS, crowd=0.6)),
        question(
            SimulationKind.TIER_ODDS, replace(ODDS, traders=(("fair", trader_of("fair:risk=1%")),))
        ),
    ]  # fmt: skip
    assert len({each.simulation_id for each in changed}) == len(changed)


_NOW: Final = (CommandId("c"), Instant(5))
_ASK: Final = ev.RequestSimulation(*_NOW, "projection", 1, "{}", "", 0, "journal:d", 3, 100, "ada")
_COMMANDS: Final = st.sampled_from(
    [
        _ASK,
        ev.FinishSimulation(*_NOW, "one", "1"),
        ev.FinishSimulation(*_NOW, "two", "2"),
        ev.FailSimulation(*_NOW, "it broke"),
        ev.CancelSimulation(*_NOW, "ada"),
    ]
)


@given(st.lists(_COMMANDS, max_size=12))
def test_what_was_found_first_stays(asked: list[ev.SimulationCommand]) -> None:
    state = decider.initial(StreamId("simulations/demo/x"))
    kept = ""
    for command in asked:
        before = state.state
        found = decider.decide(state, command, None)  # type: ignore[arg-type]  # it reads none
        assert len(found) == 1, "every command leaves a trace"
        state = decider.evolve(state, found[0])
        if before == "done":
            assert isinstance(found[0], ev.SimulationUnchanged)
            assert state.result == kept
        if isinstance(found[0], ev.SimulationDone):
            assert before == "requested", "nothing is found that nobody has asked for"
            kept = state.result
        assert (state.state == "done") == bool(state.result)
        if isinstance(command, ev.RequestSimulation):
            assert state.state in ("requested", "done"), "what ended badly is begun again"


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=200), st.integers(1, 30))
def test_a_histogram_counts_each_once(values: list[float], count: int) -> None:
    found = binned(sorted(values), count)
    assert sum(each.count for each in found) == len(values)
    assert (found[0].low, len(found)) == (min(values), count if max(values) > min(values) else 1)


def test_days_of_a_journal_count_days_without_a_trade() -> None:
    text = "day,percent\n2026-03-02,1\n2026-03-03,0\n2026-03-04,-0.5\n"
    assert days_of(trader_of("journal:d.csv", text)) == (10_000, 0, -5_000)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=300))
def test_the_error_of_a_difference_is_that_of_its_pairs(pairs: list[tuple[bool, bool]]) -> None:
    n = len(pairs)
    before, after = bytes(one for one, _ in pairs), bytes(other for _, other in pairs)
    moved = [int(other) - int(one) for one, other in pairs]
    mean = sum(moved) / n
    naive = (sum((each - mean) ** 2 for each in moved) / n / n) ** 0.5
    assert math.isclose(change_se(before, after), naive, rel_tol=1e-9, abs_tol=1e-12)
