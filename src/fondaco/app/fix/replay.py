"""`fondaco fix replay`: what one side of a recorded session said, said again to an acceptor.

It logs on with a session of its own and with numbers of its own; only application messages come
from the recording. Nothing is sent unless that was asked for, and nothing to another machine unless
that was, too.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from time import time_ns
from typing import Final

import msgspec

from fondaco.app.fix.reading import read
from fondaco.domain.fix.api import (
    HEADER,
    Checking,
    Law,
    Message,
    SentInMemory,
    SessionId,
    Sighting,
    Terms,
)
from fondaco.domain.fix.message import loose
from fondaco.domain.fix.search.redaction import redacted
from fondaco.domain.fix.search.telling import name_of, name_of_type, summary
from fondaco.domain.fix.session.model import ADMIN
from fondaco.gateway.fix.initiator import Initiator, address_of
from fondaco.gateway.fix.line import Forgetful, Line, Log
from fondaco.kernel.errors import Invalid, Unavailable

LOGON_S: Final = 15.0
LINGER_S: Final = 2.0
LOGOUT_S: Final = 3.0
SECOND_NS: Final = 1_000_000_000
_KEPT: Final = frozenset(
    {50, 57, 115, 116, 128, 129, 142, 143, 144, 145, 1128, 1129}
)  # of a header
_IDS: Final = frozenset({11, 41, 583})  # ClOrdID, OrigClOrdID, ClOrdLinkID
Tell = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True):
    """What is said again: application messages with the nanoseconds after the first."""

    terms: Terms
    messages: tuple[tuple[int, bytes], ...]
    passed_over: int  # possible duplicates, and what is garbled

    def lines(self) -> Iterator[str]:
        """What would be sent."""
        for after, raw in self.messages:
            shown = redacted(raw)
            yield f"+{after / SECOND_NS:.3f} s  {name_of(shown)}  {summary(shown)}"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which side of which session, and as whom it is said again. Empty: as it was recorded."""

    side: str = ""
    target: str = ""
    as_sender: str = ""
    as_target: str = ""
    username: str = ""
    password: str = ""


def plan(paths: Sequence[Path], wanted: Wanted) -> Plan:
    """Reads the recordings. Raises `Invalid` where no side, or more than one, is meant."""
    seen: list[Sighting] = []
    for path in paths:
        read(path, seen.extend, lambda _: None)
    found = Counter((each.sender, each.target) for each in seen if each.garbled is None)
    chosen = [
        pair
        for pair in found
        if wanted.side in ("", pair[0].decode("latin-1"))
        and wanted.target in ("", pair[1].decode("latin-1"))
    ]
    if not wanted.side and len(chosen) == 2 and chosen[0] == chosen[1][::-1]:
        first = next(each for each in seen if each.garbled is None)  # whoever spoke first
        chosen = [(first.sender, first.target)]
    if len(chosen) != 1:
        raise Invalid(_which(found, wanted))
    ours = [each for each in seen if (each.sender, each.target) == chosen[0]]
    said = [each for each in ours if each.msg_type not in ADMIN and each.garbled is None]
    kept = [each for each in said if not each.poss_dup]
    begins = min((each.at for each in kept), default=0)
    messages = tuple((max(each.at - begins, 0), bytes(each.raw)) for each in kept)
    garbled = sum(each.garbled is not None for each in ours)
    return Plan(_terms(ours, wanted), messages, len(said) - len(kept) + garbled)


def _which(found: Counter[tuple[bytes, bytes]], wanted: Wanted) -> str:
    sides = ", ".join(
        f"{sender.decode('latin-1')} to {target.decode('latin-1')} ({count})"
        for (sender, target), count in sorted(found.items())[:20]
    )
    if not found:
        return "there is no FIX message in it: name a capture or a log of a session"
    asked = " ".join(filter(None, (wanted.side, wanted.target))) or "no side"
    return f"{asked} is not one side of one session: say which with --side and --target: {sides}"


def _terms(ours: Sequence[Sighting], wanted: Wanted) -> Terms:
    first = loose(bytes(ours[0].raw))
    versions = [each.get(1137) for each in ours if each.msg_type == "A"]
    version = next((each.decode("latin-1") for each in versions if each), "9")
    name = SessionId(
        first.begin_string,
        wanted.as_sender or ours[0].sender.decode("latin-1"),
        wanted.as_target or ours[0].target.decode("latin-1"),
    )
    return Terms(
        id=name,
        role="initiator",
        default_appl_ver_id=version if first.begin_string == "FIXT.1.1" else "",
        reset_on_logon=True,
        username=wanted.username,
        password=wanted.password,
    )


def check_address(text: str, *, may_be_remote: bool) -> None:
    """Raises `Invalid` for an address that is none, or another machine's unless that was asked."""
    host, port = address_of(text)
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port)}
    except OSError as error:
        raise Invalid(f"{host} is not known: {error}; name another with --to") from error
    if not may_be_remote and not all(ip_address(each).is_loopback for each in found):
        raise Invalid(
            f"{host} is another machine: real orders could be placed there. If that is meant, "
            "say --allow-remote"
        )


class _Counting(Forgetful):
    """Keeps nothing of the session but how many messages of which type came."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()

    def received(self, raws: Sequence[bytes], at: int) -> None:
        self.types.update(loose(raw).msg_type for raw in raws)


class _Replaying:
    """The application of the session, which only listens."""

    def __init__(self) -> None:
        self.is_up = asyncio.Event()
        self.is_down = asyncio.Event()
        self.reason = ""

    def up(self, line: Line) -> None:
        self.is_up.set()

    def down(self, line: Line, reason: str) -> None:
        self.reason = reason
        self.is_down.set()

    def received(self, line: Line, message: Message, seq_num: int) -> None:
        """It was counted."""


async def replay(
    planned: Plan,
    to: str,
    tell: Tell,
    *,
    speed: float,
    suffix: str = "",
    linger_s: float = LINGER_S,
) -> int:
    """Log on, say it all, listen a moment, log out; how many messages were sent. `speed` 1 is as
    recorded, 2 twice as fast, 0 as fast as the other side reads. Raises `Unavailable`."""
    application = _Replaying()
    terms = planned.terms
    notes: list[str] = []
    law = Law(terms, SentInMemory(), check=Checking(terms))
    counting = _Counting()
    note: Log = lambda _, text: notes.append(text)  # noqa: E731
    line = Line(law, application, time_ns, keeper=counting, log=note)
    initiator = Initiator(line, [to], log=note)
    task = asyncio.ensure_future(initiator.run())
    try:
        await _until(application.is_up, application.is_down, LOGON_S)
        if not application.is_up.is_set():
            raise Unavailable(f"{to} lets {terms.id} not log on: {notes[-1] if notes else '?'}")
        tell(f"logged on to {to} as {terms.id}")
        sent = await _say(planned, line, application, speed, suffix)
        await asyncio.sleep(linger_s)
        counted = sorted(counting.types.items())
        answers = ", ".join(f"{count} {name_of_type(kind)}" for kind, count in counted)
        tell(f"sent {sent} of {len(planned.messages)}, received {answers or 'nothing'}")
        if application.is_down.is_set():
            raise Unavailable(f"{to} has ended the session: {application.reason}")
        line.log_out("the recording has ended")
        await _until(application.is_down, application.is_down, LOGOUT_S)
        return sent
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        line.close()


async def _say(
    planned: Plan, line: Line, application: _Replaying, speed: float, suffix: str
) -> int:
    began = time_ns()
    for sent, (after, raw) in enumerate(planned.messages):
        if speed:
            wait_ns = after / speed - (time_ns() - began)
            await asyncio.sleep(max(wait_ns, 0) / SECOND_NS)
        elif sent % 100 == 99:
            await asyncio.sleep(0)
        if application.is_down.is_set():
            return sent
        fields = loose(raw).fields()
        header = [each for each in fields if each[0] in _KEPT]
        body = [
            (tag, value + suffix.encode("latin-1") if tag in _IDS else value)
            for tag, value in fields
            if tag not in HEADER and tag not in (10, 89, 93)
        ]
        line.send(loose(raw).msg_type, body, header=header)
    return len(planned.messages)


async def _until(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Until one of two has happened, or the time is over."""
    tasks = [asyncio.ensure_future(each.wait()) for each in (one, other)]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
