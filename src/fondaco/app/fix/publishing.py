"""FIX messages and alerts for other programs: to a bus, keyed by session, and to a SIEM.

A process of its own, so that nobody who waits for a broker keeps anybody else waiting. It reads the
tape and the alerts, and notes behind each acknowledgment how far it has come.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fondaco.app.at_rest import at_rest
from fondaco.app.buses import NOWHERE, open_bus
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.fix.carrying import Carrier, Noted, Place, carry
from fondaco.app.fix.exports import exported_alerts
from fondaco.app.fix.siem import Tell, siem_of
from fondaco.app.fix.taped import Taped
from fondaco.app.fix.telling import plain
from fondaco.app.fix.tracing import trace_of_message
from fondaco.app.machines import open_records
from fondaco.app.referred import referred
from fondaco.domain.fix.message import loose, what_is_wrong
from fondaco.domain.fix.search.model import Asked
from fondaco.domain.fix.search.redaction import redacted
from fondaco.domain.fix.store.messages import id_of, name_of
from fondaco.domain.surveillance import store as alerts
from fondaco.kernel.instants import moment
from fondaco.ports.at_rest import AtRest
from fondaco.ports.bus import Bus, Record
from fondaco.ports.store import Store
from fondaco.ports.tape import Frame
from fondaco.ports.tape.tail import SegmentTail
from fondaco.settings import Settings

NICENESS: Final = 5
SETTING: Final = "fix_publish_to"
MESSAGES: Final = "fondaco.fix.messages"
ALERTS: Final = "fondaco.fix.alerts"
AT_ONCE: Final = 500  # records of a batch


def open_siem(address: str, files: Files) -> Tell:
    """By the setting `fix_alerts_to`."""
    return siem_of(referred(files, "fix_alerts_to", address))


class PublishingMessages:
    """The tape of FIX sessions to a topic, in the order of each session."""

    def __init__(self, tape: Path, bus: Bus, noted: Noted, at_rest: AtRest | None = None) -> None:
        self._bus, self._noted, self._taped = bus, noted, Taped(tape)
        self._place = noted.read()
        self._tail = SegmentTail(tape, self._place.sources, at_rest)

    def step(self) -> bool:
        frames: list[Frame] = []
        for frame in self._tail.step():
            frames.append(frame)
            if len(frames) == AT_ONCE:
                break
        if frames:
            found = self._taped.messages(frames)
            self._bus.publish(MESSAGES, [_record(*each) for each in found])
            came = {frame.source: frame.position for frame in frames}
            sources = {**self._place.sources, **came}
            self._place = msgspec.structs.replace(self._place, sources=sources)
            self._noted.write(self._place)
        return len(frames) == AT_ONCE

    def close(self) -> None:
        self._tail.close()
        self._bus.close()


def _record(position: int, asked: Asked) -> Record:
    raw = redacted(asked.raw)
    message = loose(raw)
    id = name_of(id_of(position))
    value = {
        "id": id,
        "at": moment(asked.at),
        "session": asked.session,
        "direction": asked.direction,
        "msg_type": message.text(35) or "",
        "seq_num": message.text(34),
        "cl_ord_id": message.text(11),
        "symbol": message.text(55),
        "garbled": what_is_wrong(message),
        "raw": raw.decode("latin-1"),
    }
    headers = {"id": id, "trace_id": trace_of_message(asked.session, position)}
    return Record(asked.session, msgspec.json.encode(value), headers)


class TellingAlerts:
    """Alerts, each as it stands when it is told: new ones, and those that became more severe."""

    def __init__(
        self, records: Store, tell: Callable[[list[alerts.Recorded]], None], noted: Noted
    ) -> None:
        self._records, self._tell, self._noted = records, tell, noted
        records.create(alerts.metadata)
        self._place = noted.read()

    def step(self) -> bool:
        with self._records.reading() as conn:
            news = alerts.news(conn, self._place.alerts, AT_ONCE)
        if news:
            self._tell([alert for _, alert in news])
            self._place = Place(self._place.to, self._place.sources, news[-1][0])
            self._noted.write(self._place)
        return len(news) == AT_ONCE

    def close(self) -> None:
        self._records.close()


def to_topic(bus: Bus) -> Callable[[list[alerts.Recorded]], None]:
    """The key is the session, or what the alert is about where it is about none."""

    def tell(found: list[alerts.Recorded]) -> None:
        lines = exported_alerts(map(plain, found), "ecs")
        bus.publish(
            ALERTS,
            [
                Record(each.session or each.subject, line.encode(), {"id": each.alert})
                for each, line in zip(found, lines, strict=True)
            ],
        )

    return tell


def carriers(files: Files, settings: Settings) -> Iterator[tuple[str, Callable[[], Carrier]]]:
    """What is carried where, by the settings."""
    to = settings.fix_publish_to
    folder = files.places
    if to != NOWHERE:
        yield (
            f"FIX messages for {urlsplit(to).scheme}",
            lambda: PublishingMessages(
                files.fix, open_bus(SETTING, to, files), Noted(folder, "bus", to), at_rest(files)
            ),
        )
        yield (
            f"FIX alerts for {urlsplit(to).scheme}",
            lambda: TellingAlerts(
                open_records(files),
                to_topic(open_bus(SETTING, to, files)),
                Noted(folder, "alerts", to),
            ),
        )
    siem = settings.fix_alerts_to
    if siem != NOWHERE:
        yield (
            f"FIX alerts for {urlsplit(siem).scheme}",
            lambda: TellingAlerts(
                open_records(files), open_siem(siem, files), Noted(folder, "siem", siem)
            ),
        )


def publish(files: Files, settings: Settings) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop = begin_child(NICENESS)
    run(files, settings, stop)


def run(files: Files, settings: Settings, stop: Flag) -> None:
    """One that dies of what nobody foresaw ends the process, which is begun again."""

    def carried(what: str, opening: Callable[[], Carrier]) -> None:
        try:
            carry(what, opening, stop)
        finally:
            stop.set()

    threads = [Thread(target=carried, args=each) for each in carriers(files, settings)]
    for each in threads:
        each.start()
    stop.wait()
    for each in threads:
        each.join()


class Publisher(Child):
    """The child process, as its parent sees it."""

    def __init__(self, files: Files, settings: Settings) -> None:
        """Raises `Invalid` or `Unavailable` for addresses that cannot be used; nobody is asked."""
        if settings.fix_publish_to != NOWHERE:
            open_bus(SETTING, settings.fix_publish_to, files).close()
        if settings.fix_alerts_to != NOWHERE:
            open_siem(settings.fix_alerts_to, files)
        given: Mapping[str, Any] = {
            "JOURNAL": files.journal_at,
            "STORE": files.store_at,
            "FIX_PUBLISH_TO": settings.fix_publish_to,
            "FIX_ALERTS_TO": settings.fix_alerts_to,
        }
        super().__init__(
            "publishes FIX messages and alerts",
            ["fix", "publish", "--data", str(files.root)],
            given,
        )


def is_asked_for(settings: Settings) -> bool:
    return settings.fix_publish_to != NOWHERE or settings.fix_alerts_to != NOWHERE
