"""The contract of every event schema, from both sides: row A33. Whoever writes is held to what was
promised (docs/released), whoever reads to what was written then and is written now."""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import pytest
from msgspec import inspect

from docs.catalog import declared_kinds, kind_of
from docs.released import EVENTS, promised
from fondaco.app.kinds import CODEC
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId

KINDS: Final = {kind_of(kind): kind for kind in declared_kinds()}
PROMISED: Final[dict[str, list[tuple[str, str, bool]]]] = promised()[EVENTS][1]
SAMPLES: Final = 3


def number(kind: Any, dice: random.Random) -> int:
    return dice.randrange(max(kind.ge or 0, 0), (kind.le or 1 << 40) + 1)


def text(kind: Any, dice: random.Random) -> str:
    return "".join(dice.choices("aZ9/é", k=max(kind.min_length or 0, 4)))


PLAIN: Final[dict[type, Callable[[Any, random.Random], Any]]] = {
    inspect.BoolType: lambda _, dice: dice.random() < 0.5,
    inspect.IntType: number,
    inspect.FloatType: lambda _, dice: dice.random(),
    inspect.StrType: text,
    inspect.BytesType: lambda _, dice: dice.randbytes(8),
    inspect.NoneType: lambda *_: None,
    inspect.EnumType: lambda kind, dice: dice.choice(list(kind.cls)),
    inspect.LiteralType: lambda kind, dice: dice.choice(kind.values),
}
MANY: Final[dict[type, Callable[[list[Any]], Any]]] = {
    inspect.ListType: list,
    inspect.VarTupleType: tuple,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
}


def drawn(kind: Any, dice: random.Random, depth: int = 0) -> Any:
    """A value of a type, as msgspec describes it."""
    if make := PLAIN.get(type(kind)):
        return make(kind, dice)
    few, deeper = range(2 if depth < 3 else 0), depth + 1
    if gather := MANY.get(type(kind)):
        return gather([drawn(kind.item_type, dice, deeper) for _ in few])
    if isinstance(kind, inspect.UnionType):
        return drawn(dice.choice(kind.types), dice, depth)
    if isinstance(kind, inspect.TupleType):
        return tuple(drawn(each, dice, deeper) for each in kind.item_types)
    if isinstance(kind, inspect.DictType):
        keys = [drawn(kind.key_type, dice, deeper) for _ in few]
        return {key: drawn(kind.value_type, dice, deeper) for key in keys}
    return kind.cls(*(drawn(field.type, dice, deeper) for field in kind.fields))


def samples(kind: type[Event]) -> Iterator[Event]:
    dice = random.Random(kind_of(kind))
    for _ in range(SAMPLES):
        yield drawn(inspect.type_info(kind), dice)


def carried(event: Event) -> tuple[list[Any], Event]:
    """As it lies in an entry, and as it is read again by whoever has every kind."""
    one = Decision(StreamId("any/one"), 0, CommandId("c"), Instant(1), 1, (event,))
    raw = CODEC.encode([one])
    (record,) = msgspec.msgpack.decode(raw)
    (written,) = msgspec.msgpack.decode(record[8])
    (again,) = CODEC.decode(raw)
    return written, again.events[0]


def test_what_is_written_of_every_kind_is_read_as_it_was() -> None:
    for name, kind in KINDS.items():
        for event in samples(kind):
            written, again = carried(event)
            assert again == event
            assert type(again) is kind
            assert (written[0], len(written)) == (name, 1 + len(kind.__struct_fields__))


def test_every_kind_that_was_promised_is_one_that_is_read() -> None:
    assert PROMISED.keys() <= KINDS.keys()
    assert len(PROMISED) > 120


@pytest.mark.parametrize("is_short", [False, True])
def test_what_was_written_as_promised_is_read_today(is_short: bool) -> None:
    """Also as it was before it had the fields that may be missing."""
    for name, fields in PROMISED.items():
        n = next((i for i, (_, _, may) in enumerate(fields) if may and is_short), len(fields))
        for event in samples(KINDS[name]):
            written = msgspec.msgpack.decode(msgspec.msgpack.encode(event))
            old = msgspec.msgpack.encode(written[: 1 + n])
            again: Any = msgspec.msgpack.decode(old, type=KINDS[name])
            for field, *_ in fields[:n]:
                assert getattr(again, field) == getattr(event, field), (name, field)


def test_who_was_built_against_the_promise_reads_what_is_written_today() -> None:
    """By place; what came to an event since is passed over."""
    for name, fields in PROMISED.items():
        types = {each.name: each.type for each in msgspec.structs.fields(KINDS[name])}
        reader: Any = msgspec.defstruct(
            "Reader", [(field, types[field]) for field, *_ in fields], tag=name, array_like=True
        )
        for event in samples(KINDS[name]):
            seen = msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=reader)
            assert all(getattr(seen, field) == getattr(event, field) for field, *_ in fields)
