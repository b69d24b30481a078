"""`fondaco fix tail`: follow a log, or a capture that is being written, message by message."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fondaco.app.fix.audit_text import NAMES, moment
from fondaco.app.fix.following import Following
from fondaco.app.fix.reading import source_of
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.shown import decoded
from fondaco.domain.fix.shown import lines_of as words_of
from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline
from fondaco.domain.surveillance.fix.evidence import SECRETS, masked
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.model import Alert

_POLL_S: Final = 0.2
_CHUNK: Final = 1 << 20
_HEAD: Final = 28  # bytes that tell a capture from a log
_ROUTING: Final = frozenset({8, 9, 10, 34, 35, 49, 52, 56})


def tail(
    path: Path,
    *,
    follow: bool = True,
    full: bool = False,
    limits: Thresholds | None = None,
    baseline: Baseline | None = None,
) -> Iterator[str]:
    """A line for each message, or with `full` a line for each field, and a line for each alert.

    Begins at the file's beginning and, with `follow`, waits for what is appended until the caller
    has had enough. Alerts come with the messages that raised them. Raises Invalid where the file
    is no capture that can be read.
    """
    following: Following | None = None
    begun = b""
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            begun += chunk if following is None else b""
            if following is None and (len(begun) >= _HEAD or (begun and not follow)):
                source = source_of(path.name, begun)
                following = Following(source, path.name, limits, baseline)
                chunk = begun
            if following is not None and (chunk or not follow):
                for seen in following.feed(chunk) if chunk else following.finish():
                    yield from words_or_line(seen, full)
                for alert in following.taken():
                    yield alert_line(alert)
            if not chunk:
                if not follow:
                    return
                time.sleep(_POLL_S)


def alert_line(alert: Alert) -> str:
    said = f"{alert.pattern} {alert.title}: {alert.subject}: {alert.reason}"
    return f"*** {alert.severity.name.lower()} {said}"


def words_or_line(seen: Sighting, full: bool) -> Iterator[str]:
    """A message as one line, or as one line for each field."""
    if full:
        yield from _words(seen)
    else:
        yield _line(seen)


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
