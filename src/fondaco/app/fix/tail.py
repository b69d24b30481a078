"""`fondaco fix tail`: follow a log, or a capture that is being written, message by message."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fondaco.app.fix.audit_text import NAMES, moment
from fondaco.app.fix.reading import Source, source_of
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.fix.shown import decoded
from fondaco.domain.fix.shown import lines_of as words_of
from fondaco.domain.surveillance.fix.evidence import SECRETS, masked
from fondaco.domain.surveillance.fix.watch import Watch

_POLL_S: Final = 0.2
_CHUNK: Final = 1 << 20
_HEAD: Final = 28  # bytes that tell a capture from a log
_ROUTING: Final = frozenset({8, 9, 10, 34, 35, 49, 52, 56})


def tail(path: Path, *, follow: bool = True, full: bool = False) -> Iterator[str]:
    """A line for each message, or with `full` a line for each field, and a line for each alert.

    Begins at the file's beginning and, with `follow`, waits for what is appended until the caller
    has had enough. Alerts come with the messages that raised them. Raises Invalid where the file
    is no capture that can be read.
    """
    watch, tally = Watch(), Tally()
    watch.begin(path.name)
    source: Source | None = None
    told = 0
    begun = b""
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            begun += chunk if source is None else b""
            if source is None and (len(begun) >= _HEAD or (begun and not follow)):
                source, chunk = source_of(path.name, begun), begun
            if source is not None and (chunk or not follow):
                for seen in source.feed(chunk) if chunk else source.finish():
                    line = tally.line_of(seen)
                    watch.see(seen, line)
                    tally.count(seen, line)
                    yield from _words(seen) if full else [_line(seen)]
                watch.after(source.flows, last=not chunk)
                for alert in watch.alerts[told:]:
                    said = f"{alert.pattern} {alert.title}: {alert.subject}: {alert.reason}"
                    yield f"*** {alert.severity.name.lower()} {said}"
                told = len(watch.alerts)
            if not chunk:
                if not follow:
                    return
                time.sleep(_POLL_S)


def _line(seen: Sighting) -> str:
    said = masked(b"\x01".join(_body(seen)))
    name = NAMES.get(seen.msg_type, seen.msg_type or "no MsgType")
    ends = f"{seen.sender.decode('latin-1')} → {seen.target.decode('latin-1')}"
    odd = f"  [{seen.garbled}]" if seen.garbled else ""
    return f"{moment(seen.at)} {ends} {seen.seq} {name} {said}{odd}"


def _body(seen: Sighting) -> list[bytes]:
    return [b"%d=%b" % (tag, value) for tag, value in seen.fields.items() if tag not in _ROUTING]


def _words(seen: Sighting) -> Iterator[str]:
    hidden = {int(tag) for tag in SECRETS}
    yield f"{moment(seen.at)}, byte {seen.offset}"
    for line in words_of(decoded(seen.raw)):
        tag, name, *_ = [*line.split(maxsplit=2), "", ""]
        secret = line.startswith(" ") and tag.isdigit() and int(tag) in hidden
        yield f"  {tag:>5} {name:<24} ***" if secret else line
    yield ""
