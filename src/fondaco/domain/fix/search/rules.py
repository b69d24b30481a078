"""Whether a message answers a question: the law that every index is held to. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

from fondaco.domain.fix.search.asking import words_of
from fondaco.domain.fix.search.model import (
    WORDLESS,
    All,
    Any,
    Asked,
    Not,
    OfSession,
    OfTag,
    Query,
    Says,
    Way,
    When,
    Word,
)

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_TIME: Final = re.compile(r"\d{8}(?:-.*)?", re.DOTALL)
Fields = Sequence[tuple[int, bytes]]
_T = TypeVar("_T", int, str, Decimal)


def answers(message: Asked, query: Query) -> bool:
    return _holds(query, message, message.fields())


def _holds(query: Query, message: Asked, fields: Fields) -> bool:
    match query:
        case OfTag():
            values = [value.decode("latin-1") for tag, value in fields if tag == query.tag]
            return _compares(query, values)
        case Says():
            return any(
                _says(words_of(value.decode("latin-1")), query.words)
                for tag, value in fields
                if (tag not in WORDLESS if query.tag == 0 else tag == query.tag)
            )
        case OfSession():
            return query.pattern.fits(message.session) == (query.operator == "=")
        case Way():
            return message.direction == query.direction
        case When():
            return _ordered(query.operator, message.at, query.at)
        case Not():
            return not _holds(query.query, message, fields)
        case All():
            return all(_holds(each, message, fields) for each in query.queries)
        case Any():
            return any(_holds(each, message, fields) for each in query.queries)


def _compares(query: OfTag, values: Sequence[str]) -> bool:
    if query.operator == "=":
        return any(query.pattern.fits(value) for value in values)
    if query.operator == "!=":
        return bool(values) and not any(query.pattern.fits(value) for value in values)
    wanted = query.pattern.parts[0]
    return any(_is_so(query.operator, value, wanted) for value in values)


def _is_so(operator: str, value: str, wanted: str) -> bool:
    """Numbers as numbers; a number and a word do not compare. Anything else as text, which is the
    order of FIX's times and dates too."""
    if _NUMBER.fullmatch(wanted):
        if _NUMBER.fullmatch(value):
            return _ordered(operator, Decimal(value), Decimal(wanted))
        if not (_TIME.fullmatch(value) and _TIME.fullmatch(wanted)):
            return False
    return _ordered(operator, value, wanted)


def _ordered(operator: str, value: _T, wanted: _T) -> bool:
    match operator:
        case "<":
            return bool(value < wanted)
        case "<=":
            return bool(value <= wanted)
        case ">":
            return bool(value > wanted)
    return bool(value >= wanted)


def _says(words: Sequence[str], wanted: Sequence[Word]) -> bool:
    """Whether the wanted words follow each other somewhere."""
    return any(
        all(each.fits(word) for each, word in zip(wanted, words[at:], strict=False))
        for at in range(len(words) - len(wanted) + 1)
    )
