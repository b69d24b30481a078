"""The topics of the bus: which types of what webhooks tell are records of which.

Where the documents of a prop firm name a topic it has that name, and their alias has its records,
too. All others are named as those are: the family, a dot, what it is about and what became of it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from fondaco.app.webhooks.catalog import TEST, TYPES, Body, event_types
from fondaco.app.webhooks.told import Told
from fondaco.domain.notify.api import EventType
from fondaco.gateway.openapi import Channel

HEADERS: Final[Mapping[str, str]] = {
    "id": "the same for ever, and as the webhook-id: by it a repetition is known",
    "type": "what `type` says in the value",
    "schema_version": "the number at the end of the type: fields are only added to it",
    "position": "of the entry in the journal: in a partition each new record has a higher one",
    "trace_id": "of the chain of causes that the entry is of, 32 hexadecimal digits",
}


class Topic(NamedTuple):
    """`key` says what its records keep their order within."""

    name: str
    family: str
    key: str
    types: tuple[str, ...]


def topics_of(told: Told) -> tuple[str, ...]:
    """Where a type is published: its topic, and the aliases of that."""
    if told.name == TEST:
        return ()  # of an endpoint, which asked for it
    return (told.topic or _named(told), *told.also)


def _named(told: Told) -> str:
    about, _, happened = told.name.rpartition(".v")[0].replace("_", "-").partition(".")
    family = told.family.replace(" ", "-") if told.family != "monte carlo" else "montecarlo"
    return f"{family}.{happened}" if about == family else f"{family}.{about}-{happened}"


def schema_version(type_name: str) -> str:
    return type_name.rpartition(".v")[2]


def topics() -> tuple[Topic, ...]:
    """All of them, by name."""
    described = {each.type: each for each in event_types()}
    found: dict[str, list[EventType]] = {}
    for told in TYPES:
        for name in topics_of(told):
            found.setdefault(name, []).append(described[told.name])
    return tuple(
        Topic(name, types[0].family, types[0].ordered_by, tuple(each.type for each in types))
        for name, types in sorted(found.items())
    )


def channels() -> list[Channel]:
    """As the AsyncAPI document shows them."""
    described = {each.type: each for each in event_types()}
    headers = {
        "type": "object",
        "required": list(HEADERS),
        "properties": {
            name: {"type": "string", "description": text} for name, text in HEADERS.items()
        },
    }
    return [
        Channel(
            each.name,
            f"On the bus that the setting `topics` names; the key is the {each.key}.",
            headers,
            {name: _payload(described[name]) for name in each.types},
        )
        for each in topics()
    ]


def _payload(found: EventType) -> Mapping[str, Any]:
    """The schema of a value: the body of a webhook."""
    # A schema of its own has its parts within: in a document they would be looked for elsewhere.
    parts = dict(found.data)
    defined = parts.pop("$defs", {})
    schema = msgspec.json.schema(Body)["$defs"][Body.__name__]
    properties = {**schema["properties"], "type": {"const": found.type}, "data": parts}
    whole: Mapping[str, Any] = _within(
        {**schema, "title": found.type, "properties": properties}, defined
    )
    return whole


def _within(value: Any, defined: Mapping[str, Any]) -> Any:
    """With every reference replaced by what it names; none of ours goes round in a circle."""
    if isinstance(value, dict):
        name = str(value.get("$ref", "")).removeprefix("#/$defs/")
        if name in defined:
            return _within(defined[name], defined)
        return {key: _within(each, defined) for key, each in value.items()}
    if isinstance(value, list):
        return [_within(each, defined) for each in value]
    return value
