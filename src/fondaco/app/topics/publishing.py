"""What webhooks tell, published as topics of a bus, by a process of its own that reads the journal.

How far it has come is noted behind the bus's acknowledgment: who dies in between publishes again
what nobody had noted, from there, in the same order, under the same ids. Records of a partition
have rising positions of the journal but for such repetitions, so a reader that keeps the highest
one beside its own work takes each entry once (`app/topics/reading.py`).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

import msgspec

from fondaco.app.buses import NOWHERE, open_bus
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.fix.carrying import Noted, Place, carry
from fondaco.app.machines import open_journal
from fondaco.app.topics.catalog import schema_version, topics_of
from fondaco.app.webhooks.catalog import BY_KIND, Telling
from fondaco.domain.notify.model import message_name
from fondaco.kernel.event import Entry
from fondaco.kernel.trace import trace_of
from fondaco.ports.bus import Bus, Record
from fondaco.ports.journal import Journal
from fondaco.runtime.history import Origins
from fondaco.settings import Settings

SETTING: Final = "topics"
WHAT: Final = "topics"  # among the places that are noted
JOURNAL: Final = "journal"
NICENESS: Final = 5
AT_ONCE: Final = 1_000  # entries of a batch
UNNOTED_MAX: Final = 20_000  # entries that were nobody's, before that is worth a sync


class PublishingTopics:
    """The journal to a bus. For one thread."""

    def __init__(self, journal: Journal, bus: Bus, noted: Noted) -> None:
        self._journal, self._bus, self._noted = journal, bus, noted
        self._telling, self._origins = Telling(journal), Origins(journal)
        self._place = noted.read()
        self._noted_at = self._at = self._place.sources.get(JOURNAL, 0)

    def step(self) -> bool:
        entries = self._journal.follow(self._at, AT_ONCE)
        if not entries:
            return False
        found: dict[str, list[Record]] = {}
        for entry in entries:
            for topic, record in self._records(entry):
                found.setdefault(topic, []).append(record)
        for topic, records in found.items():
            self._bus.publish(topic, records)
        self._at = entries[-1].position
        if found or self._at - self._noted_at >= UNNOTED_MAX:
            self._note()
        return len(entries) >= AT_ONCE

    def close(self) -> None:
        self._bus.close()

    def _note(self) -> None:
        self._place = msgspec.structs.replace(self._place, sources={JOURNAL: self._at})
        self._noted.write(self._place)
        self._noted_at = self._at

    def _records(self, entry: Entry) -> Iterator[tuple[str, Record]]:
        told = BY_KIND.get(type(entry.event))
        if told is None or self._telling.opening_of(entry, told) is None:
            return
        headers = {
            "id": message_name(entry.stream, entry.version),
            "type": told.name,
            "schema_version": schema_version(told.name),
            "position": str(entry.position),
            "trace_id": trace_of(*self._origins.began(entry)),
        }
        record = Record(told.resource(entry), self._telling.body(entry, told), headers)
        for topic in topics_of(told):
            yield topic, record


def noted_of(files: Files, address: str) -> Noted:
    return Noted(files.places, WHAT, address)


def published_to(files: Files, address: str) -> int:
    """The position up to which everything was published there."""
    place: Place = noted_of(files, address).read()
    return place.sources.get(JOURNAL, 0)


# --- The process that publishes -------------------------------------------------------------------


def publish(files: Files, settings: Settings) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop, to = begin_child(NICENESS), settings.topics
    with closing(open_journal(files)) as journal:
        carry(
            f"topics for {urlsplit(to).scheme}",
            lambda: PublishingTopics(journal, open_bus(SETTING, to, files), noted_of(files, to)),
            stop,
        )


class TopicsPublisher(Child):
    """The child process, as its parent sees it."""

    def __init__(self, files: Files, settings: Settings) -> None:
        super().__init__(
            "publishes topics",
            ["topics", "publish", "--data", str(files.root)],
            {"JOURNAL": files.journal_at, "STORE": files.store_at, "TOPICS": settings.topics},
        )
        self._files, self._to = files, settings.topics

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Never a reason to take the house away from those who trade."""
        said = self.trouble or f"published up to {published_to(self._files, self._to)}"
        return {"topics": (True, said)}


@contextmanager
def topics(settings: Settings, files: Files) -> Iterator[TopicsPublisher | None]:
    """None where nothing is published. Raises `Invalid` or `Unavailable` for an address that cannot
    be used."""
    if settings.topics == NOWHERE:
        yield None
        return
    open_bus(SETTING, settings.topics, files).close()
    publisher = TopicsPublisher(files, settings)
    publisher.begin()
    try:
        yield publisher
    finally:
        publisher.end()
