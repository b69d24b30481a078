"""The log, and who was allowed or denied what, told to CloudWatch by a process of its own.

Lines of the log are first on a tape here; acts and denials are in the journal. How far both were
told is kept behind each step, so nothing is left out, and a crash tells the last step again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fondaco.app.at_rest import at_rest
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.app.say import say
from fondaco.app.turning import turn_until
from fondaco.domain.identity.audit.model import PREFIX
from fondaco.gateway.logs import to_stderr
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Entry, Instant
from fondaco.ports.journal import Journal
from fondaco.ports.logs import Line, LogSink
from fondaco.ports.tape.segments import SegmentTape
from fondaco.ports.tape.tail import SegmentTail
from fondaco.runtime.history import kind_of
from fondaco.settings import Settings

SCHEME: Final = "cloudwatch"
LOG: Final = "log"
AUDIT: Final = "audit"
QUOTA_BYTES: Final = 256 << 20
STEP: Final = 5_000  # lines, or entries, at a time
NICENESS: Final = 5
WAIT_S: Final = 0.5
AGAIN_MAX_S: Final = 60.0
MS_NS: Final = 1_000_000


def sink_of(address: str) -> LogSink:
    """Of the setting `log_to`. Raises `Invalid`."""
    parts = urlsplit(address)
    group = f"{parts.path}".strip("/")
    if parts.scheme != SCHEME or not parts.hostname or not group:
        raise Invalid(f"log_to is {address!r}: say none, or cloudwatch://REGION/GROUP")
    try:
        from fondaco.ports.logs.cloudwatch import CloudWatch
    except ImportError as error:
        raise Invalid("log_to needs boto3: pip install fondaco[aws]") from error
    return CloudWatch(parts.hostname, group)


class Places(msgspec.Struct):
    """Up to where was told: the tape's position of the log, the journal's of the audit."""

    log: int = 0
    audit: int = 0


class Shipper:
    """For one thread."""

    def __init__(self, journal: Journal, tail: SegmentTail, place: Path, sink: LogSink) -> None:
        self._journal, self._tail, self._place, self._sink = journal, tail, place, sink
        self.places = places_at(place)
        self._waiting: list[Any] = []  # read, and not told
        self.refused = 0

    def step(self) -> bool:
        """Whether there may be more at once. Raises `Unavailable`: then nothing is left out."""
        more = self._tell_log()
        return self._tell_audit() or more

    def _tell_log(self) -> bool:
        if not self._waiting:
            for frame in self._tail.step():
                self._waiting.append(frame)
                if len(self._waiting) == STEP:
                    break
        if not self._waiting:
            return False
        lines = [Line(each.at // MS_NS, _text(each.raw)) for each in self._waiting]
        self._put(LOG, lines)
        self.places.log = self._waiting[-1].position
        is_full = len(self._waiting) == STEP
        self._waiting = []
        self._keep()
        return is_full

    def _tell_audit(self) -> bool:
        entries = self._journal.follow(self.places.audit, STEP)
        if not entries:
            return False
        self._put(AUDIT, [audit_line(each) for each in entries if each.stream.startswith(PREFIX)])
        self.places.audit = entries[-1].position
        self._keep()
        return len(entries) == STEP

    def _put(self, stream: str, lines: list[Line]) -> None:
        refused = self._sink.put(stream, lines) if lines else 0
        if refused:
            self.refused += refused
            say(f"{refused} lines of {stream} were too old for CloudWatch; they are kept here")

    def _keep(self) -> None:
        part = self._place.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self.places))
        part.replace(self._place)


def places_at(path: Path) -> Places:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Places)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Places()


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").rstrip("\n")


def audit_line(entry: Entry) -> Line:
    """As docs/audit.schema.json says."""
    said = {
        "event": "audit",
        "kind": kind_of(entry.event),
        "tenant": entry.stream.removeprefix(PREFIX),
        "position": entry.position,
        "entry_at": str(entry.at),
        "said": {
            name: msgspec.to_builtins(getattr(entry.event, name))
            for name in entry.event.__struct_fields__
        },
    }
    return Line(entry.at // MS_NS, msgspec.json.encode(said).decode())


# --- The process that tells -------------------------------------------------------------------


def ship(files: Files, settings: Settings) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop = begin_child(NICENESS)
    folder = files.logs
    tail = SegmentTail(folder, {LOG: places_at(folder / "places.json").log}, at_rest(files))
    with closing(open_journal(files)) as journal, closing(tail):
        shipper = Shipper(journal, tail, folder / "places.json", sink_of(settings.log_to))
        turn_until(stop, "lines of the log", shipper.step, WAIT_S, AGAIN_MAX_S)


class Shipping(Child):
    """The child process, as its parent sees it; and what the log is written to."""

    def __init__(self, files: Files, settings: Settings, tape: SegmentTape) -> None:
        super().__init__(
            "tells the log",
            ["logs", "ship", "--data", str(files.root)],
            {"JOURNAL": files.journal_at, "STORE": files.store_at, "LOG_TO": settings.log_to},
        )
        self._tape = tape

    def write(self, line: bytes) -> None:
        to_stderr(line)
        self._tape.append(LOG, Instant(time.time_ns()), line)


@contextmanager
def shipping(settings: Settings, files: Files) -> Iterator[Shipping | None]:
    """None where the log goes to stderr alone. Raises `Invalid` for an address that is none."""
    if settings.log_to == "none":
        yield None
        return
    sink_of(settings.log_to)
    tape = SegmentTape(files.logs, quota_bytes=QUOTA_BYTES, at_rest=at_rest(files))
    with closing(tape):
        told = Shipping(files, settings, tape)
        told.begin()
        try:
            yield told
        finally:
            tape.flush()
            told.end()


def writer_of(told: Shipping | None) -> Callable[[bytes], None]:
    return to_stderr if told is None else told.write
