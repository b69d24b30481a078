"""What two messages, or two recordings of a session, say differently: field by field."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from fondaco.domain.fix.dictionary import Dictionary
from fondaco.domain.fix.message import loose
from fondaco.domain.fix.shown import Shown, decoded

FOLLOWING: Final = frozenset((9, 10))  # length and checksum say nothing of their own


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """`where` is the place of a field, such as 453[2].448; None where a side has no such field."""

    where: str
    name: str
    first: str | None = None
    second: str | None = None


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """Two messages that stand for each other, or one that only one side has."""

    named: str
    differences: tuple[Difference, ...] = ()
    only: str | None = None  # "first" or "second"


def differences(
    first: bytes,
    second: bytes,
    of: Dictionary | None = None,
    *,
    ignored: frozenset[int] = FOLLOWING,
) -> tuple[Difference, ...]:
    """Every field that is not the same in both messages; the order of fields is no difference."""
    left, right = _places(first, of, ignored), _places(second, of, ignored)
    found = []
    for where in dict.fromkeys((*left, *right)):
        one, other = left.get(where), right.get(where)
        if one is None or other is None or one.value != other.value:
            name = one.name if one is not None else other.name if other is not None else "?"
            found.append(Difference(where, name, _said(one), _said(other)))
    return tuple(found)


def compared(
    first: Iterable[bytes],
    second: Iterable[bytes],
    of: Dictionary | None = None,
    *,
    ignored: frozenset[int] = FOLLOWING,
) -> Iterator[Pair]:
    """Two recordings: messages of the same sender, target and sequence number are compared."""
    left, right = _keyed(first), _keyed(second)
    for key in dict.fromkeys((*left, *right)):
        named = _named(*key)
        if key not in right:
            yield Pair(named, only="first")
        elif key not in left:
            yield Pair(named, only="second")
        else:
            found = differences(left[key], right[key], of, ignored=ignored)
            if found:
                yield Pair(named, found)


def _keyed(messages: Iterable[bytes]) -> dict[tuple[str, str, str, int], bytes]:
    """Messages by who sent them to whom under which number; and how often that came before."""
    kept = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for raw in messages:
        message = loose(raw)
        key = (message.text(49) or "?", message.text(56) or "?", message.text(34) or "?")
        seen[key] += 1
        kept[*key, seen[key]] = raw
    return kept


def _named(sender: str, target: str, number: str, time: int) -> str:
    again = f" ({time})" if time > 1 else ""
    return f"{sender} -> {target} {number}{again}"


def _places(raw: bytes, of: Dictionary | None, ignored: frozenset[int]) -> dict[str, Shown]:
    return dict(_walk(decoded(raw, of).fields, "", ignored))


def _walk(
    fields: Iterable[Shown], above: str, ignored: frozenset[int]
) -> Iterator[tuple[str, Shown]]:
    seen: Counter[int] = Counter()
    for field in fields:
        if field.tag in ignored:
            continue
        seen[field.tag] += 1
        again = f"#{seen[field.tag]}" if seen[field.tag] > 1 else ""
        where = f"{above}{field.tag}{again}"
        yield where, field
        for number, entry in enumerate(field.entries, 1):
            yield from _walk(entry, f"{where}[{number}].", ignored)


def _said(field: Shown | None) -> str | None:
    if field is None or field.meaning is None:
        return None if field is None else field.value
    return f"{field.value} ({field.meaning})"
