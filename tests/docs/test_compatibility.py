"""No release breaks who relied on the one before: today's schemas against docs/released."""

import copy
from typing import Any

import pytest

from docs.compatibility import Change, api_changes, event_changes, refused
from docs.released import EVENTS, promised, today

TODAY = today()
PROMISED = promised()


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_what_was_promised_is_kept_or_has_another_version(name: str) -> None:
    (old, was), (new, now) = PROMISED[name], TODAY[name]
    changes = (event_changes if name == EVENTS else api_changes)(was, now)
    assert refused(changes, old, new) == []


def test_everything_that_is_served_was_promised() -> None:
    assert TODAY.keys() == PROMISED.keys()


def document(**changed: Any) -> dict[str, Any]:
    """One operation with a parameter, a body and a reply."""
    schemas = {
        "Ask": {
            "type": "object",
            "properties": {"qty": {"type": "string"}, "note": {"type": "string"}},
            "required": ["qty"],
        },
        "Reply": {
            "type": "object",
            "properties": {"at": {"type": "string"}, "side": {"enum": ["buy", "sell"]}},
            "required": ["at"],
        },
    }
    item = {
        "parameters": [
            {"in": "query", "name": "limit", "required": False, "schema": {"type": "integer"}}
        ],
        "requestBody": {
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}
        },
        "responses": {
            "200": {"content": {"a": {"schema": {"$ref": "#/components/schemas/Reply"}}}},
            "409": {},
        },
    }
    return {"paths": {"/orders": {"post": item}}, "components": {"schemas": schemas}} | changed


def at(found: Any, path: str) -> Any:
    for step in path.split("/"):
        found = found[int(step)] if isinstance(found, list) else found[step.replace("~", "/")]
    return found


ITEM = "paths/~orders/post"
SCHEMAS = "components/schemas"


@pytest.mark.parametrize(
    ("where", "key", "value", "level"),
    [
        ("paths", "/orders", None, "breaking"),
        ("paths", "/other", {"get": {"responses": {}}}, "addition"),
        (ITEM, "parameters", [], "breaking"),
        (f"{ITEM}/parameters/0", "required", True, "breaking"),
        (f"{ITEM}/parameters/0", "schema", {"enum": []}, "breaking"),
        (f"{ITEM}/parameters/0", "schema", {"type": ["integer", "null"]}, "addition"),
        (f"{ITEM}/responses", "200", None, "breaking"),
        (f"{ITEM}/responses", "422", {}, None),
        (f"{SCHEMAS}/Ask/properties", "note", None, "breaking"),
        (f"{SCHEMAS}/Ask/properties", "text", {"type": "string"}, "addition"),
        (f"{SCHEMAS}/Ask", "required", ["qty", "note"], "breaking"),
        (f"{SCHEMAS}/Ask", "required", [], None),
        (f"{SCHEMAS}/Reply/properties", "at", None, "breaking"),
        (f"{SCHEMAS}/Reply/properties", "at", {"type": "integer"}, "breaking"),
        (f"{SCHEMAS}/Reply/properties", "price", {"type": "string"}, "addition"),
        (f"{SCHEMAS}/Reply", "required", [], "breaking"),
        (f"{SCHEMAS}/Reply/properties/side", "enum", ["buy", "sell", "cross"], None),
    ],
)
def test_what_a_change_is_to_a_caller(where: str, key: str, value: Any, level: str | None) -> None:
    old, new = document(), document()
    place = at(new, where)
    if value is None:
        del place[key]
    else:
        place[key] = copy.deepcopy(value)
    found = {change.level for change in api_changes(old, new)}
    assert found == ({level} if level else set())


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ([["at", "int", False], ["qty", "int", False], ["fee", "int", True]], "addition"),
        ([["at", "int", False], ["qty", "int", False], ["fee", "int", False]], "breaking"),
        ([["qty", "int", False], ["at", "int", False]], "breaking"),
        ([["at", "int", False]], "breaking"),
        ([["at", "str", False], ["qty", "int", False]], "breaking"),
        ([["at", "int", False], ["qty", "int", False]], None),
    ],
)
def test_what_a_change_is_to_an_old_journal(fields: list[list[Any]], level: str | None) -> None:
    old = {"order.v1": [["at", "int", False], ["qty", "int", False]]}
    assert [change.level for change in event_changes(old, {"order.v1": fields})][:1] == (
        [level] if level else []
    )
    assert event_changes(old, {})[0].level == "breaking"


@pytest.mark.parametrize(
    ("level", "new", "is_refused"),
    [
        ("breaking", "1.3.0", True),
        ("breaking", "2.0.0", False),
        ("addition", "1.2.1", True),
        ("addition", "1.3.0", False),
    ],
)
def test_a_breaking_change_needs_a_major_and_an_addition_a_minor(
    level: Any, new: str, is_refused: bool
) -> None:
    assert bool(refused([Change(level, "orders", "is so")], "1.2.0", new)) is is_refused
