"""What webhooks tell, on a bus: each entry once to who reads it, whoever dies and whenever."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fondaco.app.fix.carrying import Noted
from fondaco.app.kinds import CODEC
from fondaco.app.topics.catalog import HEADERS, channels, schema_version, topics, topics_of
from fondaco.app.topics.publishing import PublishingTopics
from fondaco.app.topics.reading import Places, Reading, read_places, write_places
from fondaco.app.webhooks.catalog import BY_KIND, TEST, TYPES, Telling
from fondaco.domain.notify.model import message_name
from fondaco.domain.reference.model import TradingState
from fondaco.domain.trading.events import AccountOpened, TradingStateSet
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import CommandId, Decision, Entry, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode
from fondaco.kernel.trace import trace_of
from fondaco.ports.bus import Bus, Record
from fondaco.ports.bus.files import FileBus
from fondaco.ports.journal.memory import MemoryJournal

STATES = "trading.account-state-set"
OPENED = "trading.account-opened"
ACCOUNTS = ("a", "b", "c")


class Dying(FileBus):
    """One whose publisher dies before a topic, half-way through it, or behind it."""

    def __init__(self, folder: Path, deaths: list[int | None]) -> None:
        super().__init__(folder, 2)
        self._deaths = deaths

    def publish(self, topic: str, records: Sequence[Record]) -> None:
        death = self._deaths.pop() if self._deaths else None
        if death is not None:
            super().publish(topic, records[: death * len(records) // 2])
            raise Unavailable("it has died")
        super().publish(topic, records)


class World:
    def __init__(self, folder: Path, deaths: Sequence[int | None] = ()) -> None:
        self.journal = MemoryJournal(CODEC)
        self.bus = Dying(folder / "bus", list(deaths))
        self.noted = Noted(folder / "places", "topics", "file://")
        self.versions: dict[StreamId, int] = {}
        for name in ACCOUNTS:
            self.write(name, AccountOpened("acme", AssetCode("USD"), name))

    def write(self, account: str, event: Event, cause: str = "") -> Entry:
        stream = account_stream(AccountId(account))
        before = self.versions.get(stream, 0)
        made = Decision(stream, before, CommandId(cause or f"c{before}"), Instant(1), 0, (event,))
        self.versions[stream] = before + 1
        return self.journal.append([made])[-1]

    def say(self, account: str, reason: str, cause: str = "") -> Entry:
        return self.write(account, TradingStateSet(TradingState.HALTED, reason), cause)

    def publish(self) -> None:
        """As long as somebody begins it anew, it comes to the end."""
        while True:
            try:
                with closing(PublishingTopics(self.journal, self.bus, self.noted)) as publishing:
                    while publishing.step():
                        pass
                return
            except Unavailable:
                continue


def records(bus: Bus, topic: str) -> list[Record]:
    return [
        each.record
        for partition in range(bus.partitions(topic))
        for each in bus.read(topic, partition, limit=100_000)
    ]


@settings(deadline=None, max_examples=30)
@given(
    batches=st.lists(st.lists(st.sampled_from(ACCOUNTS), max_size=8), max_size=5),
    deaths=st.lists(st.none() | st.integers(0, 2), max_size=8),
    crashes=st.lists(st.booleans(), max_size=8),
)
def test_a_reader_takes_each_entry_once_and_a_key_in_its_order(
    batches: list[list[str]], deaths: list[int | None], crashes: list[bool]
) -> None:
    """P21, P55: publisher and reader die anywhere; the reader's work and its places are committed
    together, or neither is."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), deaths)
        committed: Places = {}
        worked: list[str] = []
        sent: dict[str, list[str]] = {each: [] for each in ACCOUNTS}
        crashing = list(crashes)

        def read() -> None:
            nonlocal committed
            copy = {topic: dict(places) for topic, places in committed.items()}
            reading = Reading(world.bus, [OPENED, STATES], copy)
            found = [each.record.headers["id"] for each in reading.step()]
            if not (crashing and crashing.pop()):
                worked.extend(found)
                committed = reading.places

        for batch in batches:
            for account in batch:
                entry = world.say(account, "r")
                sent[account].append(message_name(entry.stream, entry.version))
            world.publish()
            read()
        world.publish()
        crashing.clear()
        read()
        of_states = [each for some in sent.values() for each in some]
        opened = [message_name(account_stream(AccountId(each)), 1) for each in ACCOUNTS]
        assert sorted(worked) == sorted(of_states + opened), "each once, and none left out"
        for account, ids in sent.items():
            assert [each for each in worked if each in ids] == ids
            partitions = {
                partition
                for partition in range(world.bus.partitions(STATES))
                for each in world.bus.read(STATES, partition, limit=10_000)
                if each.record.key == f"account/{account}"
            }
            assert len(partitions) == bool(ids)


def test_a_record_is_the_body_of_a_webhook_and_its_headers_say_where_it_stands(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    first = world.say("a", "first", "asked-1")
    second = world.say("b", "follows", f"{first.stream}@{first.version}")
    world.publish()
    found = {each.key: each for each in records(world.bus, STATES)}
    told, telling = BY_KIND[TradingStateSet], Telling(world.journal)
    for entry, key in ((first, "account/a"), (second, "account/b")):
        assert found[key].value == telling.body(entry, told)
        assert found[key].headers == {
            "id": message_name(entry.stream, entry.version),
            "type": "account.state_set.v1",
            "schema_version": "1",
            "position": str(entry.position),
            "trace_id": trace_of(first.stream, CommandId("asked-1")),
        }
        assert found[key].headers.keys() == HEADERS.keys()
    assert json.loads(found["account/a"].value)["tenant"] == "acme"


def test_every_type_has_a_topic_and_the_documents_names_stand(tmp_path: Path) -> None:
    """P55 to P63 and X11: six families; a failed assessment is heard under the old name, too."""
    found = {each.name: each for each in topics()}
    assert {each.types for each in found.values()} >= {
        ("payment.purchase_completed.v1",),
        ("order.accepted.v1",),
    }
    documented = {name for told in TYPES for name in (told.topic, *told.also) if name}
    assert len(documented) == 10
    assert documented <= found.keys()
    assert {each.family for each in found.values()} == {
        "market data", "trading", "assessment", "rules", "payment", "monte carlo", "house",
    }  # fmt: skip
    assert set(found["assessment.abandoned"].types) == {
        "assessment.failed.v1",
        "assessment.abandoned.v1",
    }
    published = {name for each in found.values() for name in each.types}
    assert published == {told.name for told in TYPES} - {TEST}
    for told in TYPES:
        assert len(set(topics_of(told))) == len(topics_of(told)), "an entry is once in a topic"
        assert schema_version(told.name).isdecimal()
    for name in found:  # what Kafka takes
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz.-")


def test_the_schema_of_a_channel_holds_for_what_is_published(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.say("a", "why not")
    world.publish()
    shown = {each.topic: each for each in channels()}
    assert shown.keys() == {each.name for each in topics()}
    for topic in (OPENED, STATES):
        ((name, schema),) = shown[topic].types.items()
        Draft202012Validator.check_schema(schema)
        valid = Draft202012Validator(schema)
        for each in records(world.bus, topic):
            valid.validate(json.loads(each.value))
            assert not valid.is_valid({**json.loads(each.value), "type": f"{name}0"})
    for channel in shown.values():
        for schema in channel.types.values():
            Draft202012Validator.check_schema(schema)
            assert "$ref" not in json.dumps(schema), "it needs nothing from elsewhere"


def test_places_go_on_where_they_were_and_what_is_none_is_refused(tmp_path: Path) -> None:
    world, path = World(tmp_path), tmp_path / "places.json"
    assert read_places(path) == {}
    world.publish()
    reading = Reading(world.bus, [OPENED], {})
    assert len(reading.step()) == len(ACCOUNTS)
    write_places(path, reading.places)
    again = Reading(world.bus, [OPENED], read_places(path))
    assert (again.step(), again.repeated) == ([], 0)
    path.write_text("[]")
    with pytest.raises(Corrupt, match="does not say how far"):
        read_places(path)


@pytest.mark.parametrize("headers", [{}, {"position": "x"}, {"position": "9" * 19}])
def test_what_somebody_else_has_written_is_named(headers: dict[str, Any], tmp_path: Path) -> None:
    bus = FileBus(tmp_path, 1)
    bus.publish(OPENED, [Record("account/a", b"{}", headers)])
    with pytest.raises(Corrupt, match=r"trading\.account-opened, partition 0"):
        Reading(bus, [OPENED], {}).step()


def test_a_topic_that_begins_later_is_found() -> None:
    with TemporaryDirectory() as folder:
        now = [0.0]
        world = World(Path(folder))
        reading = Reading(world.bus, [OPENED, STATES], {}, lambda: now[0])
        assert reading.step() == []
        world.publish()
        assert reading.step() == [], "nobody is asked all the time"
        now[0] = 10.0
        assert [each.topic for each in reading.step()] == [OPENED] * 3
