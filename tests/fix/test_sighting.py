"""The sensor's view of a message: what is found without splitting it is what splitting it finds."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from fondaco.domain.fix.capture import sighting

TAGS = (
    1,
    8,
    9,
    11,
    34,
    35,
    38,
    43,
    44,
    49,
    52,
    54,
    55,
    56,
    63,
    64,
    95,
    96,
    97,
    354,
    355,
    847,
    5001,
)
values = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"Y", b"0", b"3", b"20240304-10:20:30.5", b"", b"=\x01"]),
)
fields = st.tuples(st.sampled_from(TAGS).map(lambda tag: b"%d" % tag), values).map(b"=".join)
odd = st.sampled_from([b"", b"=", b"038=1", b"a=1", b"38", b"38a=1", b"1234567890=1", b"8=FIX.4.4"])
messages = st.lists(st.one_of(fields, fields, fields, odd), max_size=14).map(
    lambda parts: b"".join(part + b"\x01" for part in parts)
)


def from_source() -> ModuleType:
    """The same kernel, whatever was compiled."""
    path = Path(sighting.__file__).parent / "sighting.py"
    spec = spec_from_file_location("sighting_from_source", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SOURCE = from_source()


def seen(raw: bytes, module: Any = sighting) -> Any:
    return module.Sighting(raw, 1, 2, None, None)


@given(messages, st.sampled_from(TAGS))
@example(b"38a=1\x0138=2\x01", 38)
@example(b"95=3\x0196=\x01a\x01\x0138=2\x01", 38)
@example(b"38\x0138=2\x01", 38)
def test_a_field_is_the_first_of_those_that_splitting_finds(raw: bytes, tag: int) -> None:
    message, split = seen(raw), seen(raw)
    found = split.fields
    assert message.get(tag) == found.get(tag)
    assert split.get(tag) == found.get(tag)
    high = message.fields_from(64)
    assert [each for each, _ in high] == [each for each in split.tags if each >= 64]
    assert all(value == found[each] for each, value in reversed(dict(reversed(high)).items()))


@given(messages, messages, st.sampled_from([each for each in TAGS if each < 64]))
def test_two_differ_where_both_have_the_field_and_not_the_same_bytes(
    one: bytes, other: bytes, tag: int
) -> None:
    first, second = seen(one), seen(other)
    mine, theirs = seen(one).fields.get(tag), seen(other).fields.get(tag)
    assert first.differs(second, tag) == (None not in (mine, theirs) and mine != theirs)


def test_a_message_beyond_the_places_that_are_kept_is_read_all_the_same() -> None:
    raw = b"8=FIX.4.4\x0158=%b\x0138=7\x01" % (b"x" * 70_000)
    message = seen(raw)
    assert (message.get(38), message.get(8), message.get(44)) == (b"7", b"FIX.4.4", None)
    assert message.differs(seen(b"38=7\x01"), 38), "cannot be told cheaply"


@given(messages)
def test_the_kernel_and_its_source_see_the_same(raw: bytes) -> None:
    def told(message: Any) -> list[object]:
        return [
            *(message.msg_type, message.seq, message.sender, message.target, message.cl_ord_id),
            *(message.poss_dup, message.odd_bytes, message.longest, message.twice, message.is_odd),
            *(message.known, message.beyond, message.stamp(), message.has_fraction()),
            *(message.content(), message.fields, message.tags, message.oddities),
        ]

    assert told(seen(raw)) == told(seen(raw, SOURCE))
