"""Every event, reason, setting and operation is documented; what is generated is up to date."""

import re
import tomllib
from collections import Counter

import msgspec
import pytest

from docs.catalog import PAGES, ROOT, declared_kinds, kind_of, operations, page, reasons, rooms
from fondaco.domain.identity.model import Scope
from fondaco.kernel.operation import Operation
from proof import TABLE, rows

OPERATIONS = operations()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_house_declares(name: str) -> None:
    path = ROOT / "docs" / name
    assert path.exists(), f"docs/{name} is missing: run `make docs`"
    assert path.read_text("utf-8") == page(name), f"docs/{name} is out of date: run `make docs`"


def test_the_pages_have_something_to_say() -> None:
    assert len(rooms()) >= 3
    assert len(declared_kinds()) >= 10
    assert len(reasons()) >= 10
    assert len(OPERATIONS) >= 30


def test_every_event_belongs_to_a_room_that_presents_it() -> None:
    """One that does not could be written and never be read again."""
    presented = [kind for room in rooms() for kind in room.kinds]
    assert [kind_of(kind) for kind in declared_kinds() if kind not in presented] == []
    assert [kind for kind, count in Counter(map(kind_of, presented)).items() if count > 1] == []


def test_kinds_say_room_event_and_edition() -> None:
    wrong = [
        kind_of(kind)
        for room in rooms()
        for kind in room.kinds
        if not re.fullmatch(rf"{room.name}\.[a-z][a-z0-9_]*\.v[1-9][0-9]*", kind_of(kind))
    ]
    assert wrong == []


def test_operations_have_names_and_ways_of_their_own() -> None:
    names = Counter(operation.name for operation in OPERATIONS)
    ways = Counter(
        way
        for operation in OPERATIONS
        for way in [(operation.method, operation.path), *operation.aliases]
    )
    assert [name for name, count in (names | ways).items() if count > 1] == []
    groups = (
        "agents|approvals|audit|certificates|evaluation|fix|house|identity|journal|kyc|leaderboard"
        "|ledger|market|performance|notifications|policy|reference|reports|risk|partners|purchases"
        "|shop|simulations|test_clock|tiers|trading|users"
        "|vault|venues|webhooks"
    )
    for operation in OPERATIONS:
        assert re.fullmatch(rf"({groups})\.[a-z_]+", operation.name)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_can_be_understood_and_authorised(operation: Operation) -> None:  # type: ignore[type-arg]
    assert operation.summary.endswith("."), operation.summary
    assert operation.scope in ("", *Scope), f"no role holds {operation.scope}"
    fields = operation.request.__struct_fields__
    for path in (operation.path, *(path for _, path in operation.aliases)):
        assert set(re.findall(r"{(\w+)}", path)) <= set(fields), path
    assert msgspec.json.schema(operation.request)


def test_requirements_name_tests_that_exist() -> None:
    """A typing error is found at once, not at the end of a full run."""
    table = rows(TABLE.read_text("utf-8"))
    for row in table:
        for test in row.tests:
            file, _, name = test.partition("::")
            name = name.rpartition("::")[2]
            assert (ROOT / file).exists(), f"{row.number}: {file}"
            assert re.search(
                rf"^ *(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.M
            ), f"{row.number}: {test}"
    assert tomllib.loads(TABLE.read_text("utf-8")).keys() <= {"rows"}


def test_every_dependency_is_accounted_for() -> None:
    """docs/dependencies.md says of each, and of nothing else, why it is here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"].values()
    extras = project["project"]["optional-dependencies"].values()
    required = [
        *project["project"]["dependencies"],
        *(name for extra in extras for name in extra),
        *project["build-system"]["requires"],
        *(name for group in groups for name in group),
    ]
    names = {re.split(r"[^A-Za-z0-9_-]", requirement)[0].lower() for requirement in required}
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    documented = re.findall(r"^\| `([a-z0-9_-]+)` \|", page, re.M)
    assert sorted(names) == sorted(documented)
