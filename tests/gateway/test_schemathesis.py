"""The published schema against the running house: what it says is what is answered."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from running import TOKEN, Running, house

EXAMPLES = 50 if os.environ.get("FONDACO_SOAK") == "1" else 7  # of each operation
PARTS = 4  # so that one that is slow is known, and no limit of time is met by all of them
AS_DEMO = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("schema") / "house") as found:
        yield found


@pytest.mark.parametrize("part", range(PARTS))
def test_what_the_schema_says_is_what_is_answered(running: Running, part: int) -> None:
    """Schemathesis draws requests, good and bad ones, and holds answers to the schema: no answer
    of 500, none that is not declared or of another shape, nothing accepted that the schema forbids.
    """
    schema = schemathesis.openapi.from_url(f"{running.url}/api/openapi.json")
    found: dict[str, str] = {}
    seen = 0
    for result in islice(schema.get_all_operations(), part, None, PARTS):
        assert isinstance(result, Ok), f"the schema is wrong: {result}"
        operation = result.ok()
        seen += 1
        last: list[str] = []
        try:
            tried(operation, last)
        except AssertionError as failure:
            found[operation.label] = "\n".join([str(failure), *last])
        except BaseExceptionGroup as group:  # several checks of one answer
            found[operation.label] = "\n".join([*map(str, group.exceptions), *last])
    assert seen > 20, "the schema names hardly anything"
    assert not found, "\n\n".join(f"{label}\n{text}" for label, text in found.items())


def tried(operation: Any, last: list[str]) -> None:
    """Raises what the checks find; `last` then holds the request, made small, and its answer."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def try_one(case: Any) -> None:
        behind = (case.query or {}).get("min_position")
        if isinstance(behind, int) and 0 < behind <= 2**62:
            case.query["min_position"] = 0  # or the door would wait for a position that never comes
        if isinstance(case.body, dict) and isinstance(case.body.get("min_position"), int):
            case.body["min_position"] = min(case.body["min_position"], 0)  # likewise
        if isinstance((case.query or {}).get("wait_ms"), int):
            case.query["wait_ms"] = min(case.query["wait_ms"], 100)  # so would this
        # A schema cannot say that a time lies ahead, and calls 5.0 an integer, which we do not.
        unasked = [positive_data_acceptance]
        answer = case.call(headers=AS_DEMO, timeout=10)
        last[:] = [case.as_curl_command(), answer.text[:500]]
        case.validate_response(answer, excluded_checks=unasked)

    try_one()
