"""What is stored is read back, and what cannot be read is said to be so."""

import msgspec
import pytest

from fondaco.kernel.codec import MSGPACK, Codec, Record
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import (
    CommandId,
    Decision,
    Event,
    Instant,
    StreamId,
    message_id,
    request_id,
)


class Rang(Event, frozen=True, gc=False, array_like=True, tag="test.rang.v1"):
    times: int


class Fell(Event, frozen=True, gc=False, array_like=True, tag="test.fell.v1"):
    who: str


CODEC = Codec(Rang | Fell)
BELL = StreamId("bell/1")
DECISIONS = [
    Decision(BELL, 0, CommandId("c1"), Instant(5), 7, (Rang(2), Fell("ada"))),
    Decision(StreamId("bell/2"), 3, CommandId("c2"), Instant(6), 7, (Rang(1),)),
]


def test_decisions_come_back_as_they_were() -> None:
    assert CODEC.decode(CODEC.encode(DECISIONS)) == DECISIONS


def test_a_record_names_its_codec_and_key_and_counts_its_events_without_opening_them() -> None:
    first, second = CODEC.records(CODEC.encode(DECISIONS))
    assert [
        (r.stream, r.expected_version, r.count, r.codec, r.key_id) for r in (first, second)
    ] == [
        (BELL, 0, 2, MSGPACK, ""),
        ("bell/2", 3, 1, MSGPACK, ""),
    ]


def test_an_older_build_says_that_it_cannot_read_a_newer_event() -> None:
    with pytest.raises(Corrupt, match="run the build that wrote this"):
        Codec(Rang).decode(CODEC.encode(DECISIONS))


@pytest.mark.parametrize("change", [{"codec": 9}, {"key_id": "k7"}])
def test_what_was_sealed_otherwise_is_not_guessed_at(change: dict[str, object]) -> None:
    record = msgspec.structs.replace(CODEC.records(CODEC.encode(DECISIONS))[0], **change)
    with pytest.raises(Corrupt, match="this build cannot read it"):
        CODEC.events(record)


def test_bytes_that_are_no_records_are_corrupt() -> None:
    with pytest.raises(Corrupt, match="holds no records"):
        CODEC.records(b"\x93abc")


def test_a_record_is_the_same_bytes_whenever_it_is_encoded() -> None:
    (record, _) = CODEC.records(CODEC.encode(DECISIONS))
    again = msgspec.msgpack.encode([record])
    assert CODEC.records(again) == [record]
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(again, type=list[Record])) == again


def test_causes_say_who_asked() -> None:
    assert request_id("o1", "abcd") == "o1#abcd"
    assert message_id(BELL, 7) == "bell/1@7"
