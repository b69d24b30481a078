"""Documents that the schema allows, drawn at random, against the running house: none is a 5xx."""

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes

from running import TOKEN, Running, house

schemathesis.graphql.scalar("Long", st.integers(0, 2**53).map(nodes.Int))
schemathesis.graphql.scalar("Decimal", st.decimals(0, 10**6, places=2).map(str).map(nodes.String))
schemathesis.graphql.scalar("DateTime", st.just(nodes.String("2026-01-01T00:00:00Z")))
schemathesis.graphql.scalar("JSON", st.just(nodes.Object([])))
AS_DEMO = {"Authorization": f"Bearer {TOKEN}"}
SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"  # then all of them, several times each
SOME: Final = 6
WAITS = ("wait_ms", "min_position")  # for what never comes


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("graphql") / "house") as found:
        yield found


def test_nothing_that_the_schema_allows_is_an_error_of_ours(running: Running) -> None:
    schema = schemathesis.graphql.from_url(f"{running.url}/graphql", headers=AS_DEMO)
    wrong: list[str] = []
    seen = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), f"the schema is wrong: {result}"
        seen += 1
        if SOAK or seen % SOME == 0:
            tried(result.ok(), wrong)
    assert seen > 120
    assert not wrong, "\n".join(wrong)


def tried(operation: Any, wrong: list[str]) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=5 if SOAK else 1,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def try_one(case: Any) -> None:
        if any(each in str(case.body) for each in WAITS):
            return
        answer = case.call(headers=AS_DEMO, timeout=10)
        errors = answer.json().get("errors", []) if answer.status_code < 500 else []
        ours = [each for each in errors if each["extensions"]["status"] == 500]
        if answer.status_code >= 500 or ours:
            wrong.append(f"{operation.label}: {case.body}: {answer.text[:500]}")

    try_one()
