"""`fondaco fix capture` and `fondaco fix tail --interface`: from a network card to alerts.

What is captured goes into the file before anything looks at it, so that what a reader stumbles
over is still there. The file is an ordinary pcap: `fondaco fix audit` and Wireshark read it.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from fondaco.app.fix.audit_text import counted
from fondaco.app.fix.following import Following
from fondaco.app.fix.interface import SNAP, Interface
from fondaco.app.fix.tail import alert_line, words_or_line
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.writing import pcap
from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.kernel.errors import Invalid

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_WAIT_S: Final = 0.1
_LOOK_NS: Final = 1_000_000_000
_HEAD: Final = 24  # bytes of a pcap file before its first packet


@contextmanager
def until_told() -> Iterator[Callable[[], bool]]:
    """Whether somebody asked to stop, by SIGINT or SIGTERM; packets until then are kept."""
    told: list[int] = []
    before = {each: signal.signal(each, lambda number, _: told.append(number)) for each in SIGNALS}
    try:
        yield lambda: bool(told)
    finally:
        for each, act in before.items():
            signal.signal(each, act)


class CaptureFile:
    """A pcap file that is written as packets come, or none. Never writes over a file."""

    def __init__(self, path: Path | None, link: int) -> None:
        self._file: IO[bytes] | None = None
        self.written = 0
        if path is not None:
            try:
                self._file = path.open("xb")
            except FileExistsError as error:
                raise Invalid(f"{path} is there already: name a new file") from error
        self.write(pcap([], link, SNAP))

    def write(self, octets: bytes) -> None:
        if self._file is not None:
            self._file.write(octets)
            self._file.flush()
        self.written += len(octets)

    def sync(self) -> None:
        """To the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self.sync()
            self._file.close()


def capture(
    interface: str,
    *,
    write: Path | None = None,
    seconds: float = 0,
    messages: bool = False,
    full: bool = False,
    promiscuous: bool = False,
    limits: Thresholds | None = None,
    baseline: Baseline | None = None,
    ended: Callable[[], bool] = lambda: False,
) -> Iterator[str]:
    """Lines as `tail` has them, and at the end what was captured, and what was lost.

    Alerts come within a second of their message; `messages` tells these too. Ends after
    `seconds`, where they are not 0, or when `ended` says so. Raises Invalid where the interface
    cannot be captured from, or the file is there already.
    """
    with Interface(interface, promiscuous=promiscuous) as card:
        tape = CaptureFile(write, card.link)
        following = Following(Packets(), write.name if write else interface, limits, baseline)
        following.feed(pcap([], card.link, SNAP))
        until = time.monotonic() + seconds if seconds else float("inf")
        yield f"capturing from {interface}" + (f" to {write}" if write else "")
        try:
            yield from _run(card, tape, following, until, messages, full, ended)
        finally:
            tape.close()
        for alert in following.taken():
            yield alert_line(alert)
        offered, dropped = card.statistics()
        tally = following.tally
        yield (
            f"{following.source.packets} packets, {tally.messages} FIX messages in "
            f"{counted(len(tally.sessions), 'session')}; {dropped} packets dropped"
            + (f" of {offered}: this could not keep up" if dropped else "")
        )


def _run(
    card: Interface,
    tape: CaptureFile,
    following: Following,
    until: float,
    messages: bool,
    full: bool,
    ended: Callable[[], bool],
) -> Iterator[str]:
    looked = time.time_ns()
    dropped = 0
    told = messages or full
    while time.monotonic() < until and not ended():
        packets = card.read(_WAIT_S)
        if packets:
            octets = pcap(packets, card.link, SNAP)[_HEAD:]
            tape.write(octets)
            for seen in following.feed(octets):
                yield from words_or_line(seen, full) if told else ()
        now = time.time_ns()
        if now - looked > _LOOK_NS:
            looked = now
            tape.sync()
            following.passed(now)
            before, dropped = dropped, card.statistics().dropped
            if dropped > before:
                yield f"--- {dropped - before} packets dropped: this could not keep up"
        for alert in following.taken():
            yield alert_line(alert)
    for seen in following.finish():
        yield from words_or_line(seen, full) if told else ()
