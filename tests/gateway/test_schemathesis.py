"""The published schema against the running house: what it says is what is answered."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case

from running import Running, house


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("schema") / "house") as found:
        yield found


@pytest.fixture(scope="module")
def published(running: Running) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_url(f"{running.url}/api/openapi.json")


schema = schemathesis.pytest.from_fixture("published")


@schema.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_those_that_the_schema_names(case: "Case[Any]") -> None:
    case.call_and_validate(headers={"Authorization": "Bearer demo"}, timeout=10)
