"""One suite for every bus, one test a promise. Kafka, which takes long to begin, is held to it by
soaks (`FONDACO_SOAK=1 pytest tests/conformance/test_bus.py`), files and Redis always."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fondaco.kernel.errors import Corrupt, Invalid, Unavailable
from fondaco.ports.bus import Bus, Carried, Record, partition_of
from fondaco.ports.bus.files import FileBus
from fondaco.ports.bus.redis import RedisBus
from servers import Valkey, valkey

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
KEYS: Final = [f"FIX.4.4:HOUSE->BROKER{number}" for number in range(20)]
_topics: Final = count(1)


class World:
    """A bus somewhere, which may be cut off and come back as it was."""

    def __init__(
        self, bus: Callable[[], Bus], cut: Callable[[], None], mend: Callable[[], None]
    ) -> None:
        self.bus, self._cut, self._mend = bus, cut, mend

    @contextmanager
    def away(self) -> Iterator[None]:
        self._cut()
        try:
            yield
        finally:
            self._mend()


def files(folder: Path) -> World:
    beside = folder.with_name("away")

    def cut() -> None:
        folder.rename(beside)
        folder.write_text("no folder")

    def mend() -> None:
        folder.unlink()
        beside.rename(folder)

    folder.mkdir()
    return World(lambda: FileBus(folder, 4), cut, mend)


def in_valkey(_: Path) -> World:
    server = Valkey(["--appendonly", "yes", "--appendfsync", "always"])
    return World(lambda: RedisBus(server.url, 4), server.kill, server.start)


def in_kafka(_: Path) -> World:
    from brokers import kafka
    from fondaco.ports.bus.kafka import KafkaBus

    server = kafka()
    return World(lambda: KafkaBus(server.url, 4), server.kill, server.start)


OPEN: Final[dict[str, Callable[[Path], World]]] = {"files": files, "redis": in_valkey} | (
    {"kafka": in_kafka} if SOAK else {}
)


@pytest.fixture(scope="module", params=OPEN)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return OPEN[request.param](tmp_path_factory.mktemp("bus") / "bus")


@pytest.fixture
def bus(world: World) -> Iterator[Bus]:
    found = world.bus()
    yield found
    found.close()


@pytest.fixture
def topic() -> str:
    return f"fondaco.test.{os.getpid()}.{next(_topics)}"


def everything(bus: Bus, topic: str) -> list[list[Carried]]:
    return [bus.read(topic, each, limit=10_000) for each in range(bus.partitions(topic))]


def of(found: Sequence[Sequence[Carried]], key: str) -> list[bytes]:
    return [each.record.value for some in found for each in some if each.record.key == key]


def test_1_what_was_published_is_read_byte_for_byte(bus: Bus, topic: str) -> None:
    records = [
        Record("a", b'{"raw":"8=FIX.4.4\\u0001"}', {"traceparent": "00-1-2-01"}),
        Record("é > /:%", bytes(range(256))),
        Record("", b""),
        Record("b", b"x" * 200_000, {"one": "1", "two": ""}),
        Record("c", b"two\nlines\r\n"),
    ]
    assert bus.partitions(topic) == 0
    bus.publish(topic, records)
    found = [each.record for some in everything(bus, topic) for each in some]
    assert sorted(found, key=lambda each: each.key) == sorted(records, key=lambda each: each.key)
    bus.publish(topic, [])


def test_2_a_keys_records_are_in_one_partition_in_their_order(
    world: World, bus: Bus, topic: str
) -> None:
    """F31: the key is the session; another publisher, later, puts it where the first one did."""
    sent = [Record(KEYS[number % 20], b"%d" % number) for number in range(400)]
    bus.publish(topic, sent[:150])
    later = world.bus()
    for begin in range(150, 400, 50):
        later.publish(topic, sent[begin : begin + 50])
    later.close()
    found = everything(bus, topic)
    assert len(found) == 4
    for key in KEYS:
        assert of(found, key) == [each.value for each in sent if each.key == key]
        assert sum(any(each.record.key == key for each in some) for some in found) == 1
    assert sum(map(bool, found)) > 1  # and not all in one


def test_3_and_5_one_that_does_not_answer_says_so_and_loses_nothing(
    world: World, bus: Bus, topic: str
) -> None:
    sent = [Record(KEYS[number % 3], b"%d" % number) for number in range(30)]
    bus.publish(topic, sent[:10])
    with world.away():
        with pytest.raises(Unavailable):
            bus.publish(topic, sent[10:20])
        with pytest.raises(Unavailable):
            bus.read(topic, 0)
    bus.publish(topic, sent[10:])  # again, and what came since
    found = everything(bus, topic)
    for key in KEYS[:3]:
        firsts = list(dict.fromkeys(of(found, key)))
        assert firsts == [each.value for each in sent if each.key == key]


def test_4_an_offset_goes_on_behind_it(bus: Bus, topic: str) -> None:
    bus.publish(topic, [Record("one", b"%d" % number) for number in range(25)])
    (partition,) = (n for n in range(bus.partitions(topic)) if bus.read(topic, n, limit=1))
    seen: list[Carried] = []
    while page := bus.read(topic, partition, seen[-1].offset if seen else "", limit=7):
        assert len(page) <= 7
        seen += page
    assert [each.record.value for each in seen] == [b"%d" % number for number in range(25)]
    assert bus.read(topic, partition, seen[-1].offset) == []
    bus.publish(topic, [Record("one", b"new")])
    assert [each.record.value for each in bus.read(topic, partition, seen[-1].offset)] == [b"new"]


# A line of ours, so that what is drawn is near to what is read.
LINES: Final = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.dictionaries(
            st.sampled_from(["key", "headers", "value", "base64", "more"]), inner, max_size=5
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(lines=st.lists(LINES, max_size=6))
def test_6_no_bytes_in_a_file_are_taken_for_a_record_that_is_none(
    lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Requirement A47: of the bus as an entry."""
    folder = tmp_path_factory.mktemp("bus")
    bus = FileBus(folder, 1)
    bus.publish("t", [Record("a", b"1"), Record("b", b"\xff")])
    with (folder / "t" / "0.jsonl").open("ab") as file:
        file.write(b"\n".join([*lines, b""]))
    read, after = [], ""
    while True:
        try:
            page = bus.read("t", 0, after, limit=3)
        except Corrupt as error:
            after = error.message.partition(" at ")[2].partition(":")[0]
            continue
        if not page:
            break
        read += [each.record for each in page]
        after = page[-1].offset
    assert read[:2] == [Record("a", b"1"), Record("b", b"\xff")]
    assert all(isinstance(each.value, bytes) and isinstance(each.key, str) for each in read)
    assert len(read) <= 2 + sum(line.count(b"\n") + 1 for line in lines)


@pytest.mark.parametrize("offset", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_6_an_offset_that_is_none_is_refused(offset: str, tmp_path: Path) -> None:
    bus = FileBus(tmp_path, 1)
    bus.publish("t", [Record("a", b"1")])
    with pytest.raises(Invalid, match="offset is"):
        bus.read("t", 0, offset)


def is_record(fields: dict[bytes, bytes]) -> bool:
    try:
        headers = [(n.decode(), t.decode()) for n, t in fields.items() if n.startswith(b"header.")]
        return b"value" in fields and isinstance((fields[b"key"].decode(), headers), tuple)
    except (KeyError, UnicodeDecodeError):
        return False


@given(fields=st.dictionaries(st.binary(max_size=6), st.binary(max_size=12), min_size=1))
@example(fields={b"key": b"\xff", b"value": b"1"})
@example(fields={b"value": b"1"})
@example(fields={b"key": b"a", b"value": b"1", b"header.\xfe": b"1"})
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_6_no_fields_in_a_stream_are_taken_for_a_record_that_is_none(
    fields: dict[bytes, bytes],
) -> None:
    server = valkey()
    topic = f"fuzzed.{next(_topics)}"
    with closing(RedisBus(server.url, 1)) as bus, redis.Redis.from_url(server.url) as other:
        bus.publish(topic, [Record("a", b"1")])
        other.xadd(f"{topic}:0", fields)
        [first] = bus.read(topic, 0, limit=1)
        if is_record(fields):
            assert bus.read(topic, 0, first.offset)[0].record.value == fields[b"value"]
        else:
            with pytest.raises(Corrupt, match=f"{topic}, partition 0"):
                bus.read(topic, 0, first.offset)


def test_3_a_line_that_a_crash_has_torn_is_cut_off(tmp_path: Path) -> None:
    bus = FileBus(tmp_path, 1)
    bus.publish("t", [Record("a", b"1"), Record("b", b"2")])
    path = tmp_path / "t" / "0.jsonl"
    whole = path.read_bytes()
    for torn in range(1, len(whole)):
        path.write_bytes(whole[:torn])
        there = [each.record.key for each in bus.read("t", 0)]
        assert there == ["a", "b"][: whole[:torn].count(b"\n")]
        bus.publish("t", [Record("c", b"3")])
        assert [each.record.key for each in bus.read("t", 0)] == [*there, "c"]


def test_the_partition_of_a_key_is_the_published_function() -> None:
    """CRC-32 of "123456789" is the check value of IEEE 802.3."""
    assert partition_of("123456789", 2**32) == 0xCBF43926


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("kafka://a:9092,b:9093", {"bootstrap.servers": "a:9092,b:9093"}),
        (
            "kafka://me:p%40ss@a:9092?security.protocol=SASL_SSL&partitions=3",
            {
                "bootstrap.servers": "a:9092",
                "sasl.username": "me",
                "sasl.password": "p@ss",
                "security.protocol": "SASL_SSL",
            },
        ),
    ],
)
def test_an_address_of_kafka_says_what_librdkafka_is_told(url: str, found: dict[str, Any]) -> None:
    from fondaco.ports.bus.kafka import options_of

    options = options_of(url)
    assert {name: options[name] for name in found} == found
    with pytest.raises(Invalid, match="is no option"):
        options_of("kafka://a:1?partition=3")
