"""What a request that could not be read would have been: which values, which fields."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import inspect

_AT: Final = re.compile(r" at `\$([^`]*)`")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[[^\]]*\]")
TOLD_MAX: Final = 40  # values in one message


def told(request: Any, error: msgspec.MsgspecError) -> str:
    """The words of msgspec, with what it leaves out: what may stand where this did not fit."""
    text = str(error)
    if text.startswith("Invalid enum value"):
        found, of = _values, "must be one of"
    elif "unknown field" in text:
        found, of = _fields, "known are"
    else:
        return text
    where = _AT.search(text)
    steps = [step[1] or "" for step in _STEP.finditer(where[1])] if where else []
    known = list(dict.fromkeys(each for node in _reached(request, steps) for each in found(node)))
    if not known or len(known) > TOLD_MAX:
        return text
    return f"{text}; {of} {', '.join(known)}"


def _reached(request: Any, steps: list[str]) -> list[inspect.Type]:
    """What may stand there: several where unions are on the way."""
    nodes = list(_plain(_typed(request)))
    for step in steps:
        nodes = [each for node in nodes for inner in _inner(node, step) for each in _plain(inner)]
    return nodes


@lru_cache(maxsize=256)
def _typed(request: Any) -> inspect.Type:
    return inspect.type_info(request)


def _plain(node: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(node, inspect.UnionType):
        for each in node.types:
            yield from _plain(each)
    elif isinstance(node, inspect.Metadata):
        yield from _plain(node.type)
    else:
        yield node


def _inner(node: inspect.Type, step: str) -> Iterator[inspect.Type]:
    if step:
        for field in getattr(node, "fields", ()):
            if field.encode_name == step:
                yield field.type
    elif isinstance(node, inspect.DictType):
        yield node.value_type
    else:
        yield from getattr(node, "item_types", ())
        if hasattr(node, "item_type"):
            yield node.item_type


def _values(node: inspect.Type) -> Iterator[str]:
    if isinstance(node, inspect.EnumType):
        yield from (str(each.value) for each in node.cls)
    elif isinstance(node, inspect.LiteralType):
        yield from (str(each) for each in node.values)


def _fields(node: inspect.Type) -> Iterator[str]:
    yield from (field.encode_name for field in getattr(node, "fields", ()))
