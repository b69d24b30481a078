"""Runs acceptance scripts of FIX engines against an acceptor: sends I lines, compares with E lines.

The format, as its users know it: `I` send, `E` expect, `i` act and `e` wait for; `iCONNECT`,
`iDISCONNECT`, `eDISCONNECT`; `I2,…` is said by a second client. <TIME>, <TIME+n> and <TIME-n> stand
for the time. A message that begins with 8= gets the 9= and 10= that it lacks and keeps its own.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

SOH: Final = b"\x01"
CLOSES_S: Final = 10.0  # to wait for the other side to close
SAYS_S: Final = 60.0  # to wait for a message; longer than any heartbeat of a script
_NUMBERED: Final = re.compile(rb"^([IEie])(\d),")
_TIME: Final = re.compile(rb"<TIME(?:([+-])(\d+))?>")
_LENGTH: Final = re.compile(rb"\x019=\d*\x01")
_TRAILER: Final = re.compile(rb"\x0110=[^\x01]*\x01$")


class Failed(Exception):
    """A script does not pass: its line, and why."""


class Outcome(NamedTuple):
    script: str
    wrong: str  # empty where it passes
    took_s: float


def read_formats(path: Path) -> dict[bytes, re.Pattern[bytes]]:
    """Tags whose value only must look like something: `52=\\d{8}-…` a line."""
    lines = path.read_bytes().split()
    return {tag: re.compile(form) for tag, _, form in (line.partition(b"=") for line in lines)}


def fixify(body: bytes) -> bytes:
    """With times filled in, and with the length and the checksum that are not there."""
    body = _TIME.sub(_time, body)
    if not body.startswith(b"8=") or SOH not in body:
        return body
    trailer = _TRAILER.search(body)
    stop = trailer.start() + 1 if trailer else len(body)
    if not _LENGTH.search(body):
        begin = body.index(SOH) + 1
        length = b"9=%d\x01" % (stop - begin)
        body = body[:begin] + length + body[begin:]
        stop += len(length)
    return body if trailer else body + b"10=%03d\x01" % (sum(body) % 256)


def _time(found: "re.Match[bytes]") -> bytes:
    seconds = int((found[1] or b"+") + (found[2] or b"0"))
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.strftime("%Y%m%d-%H:%M:%S").encode()


def differs(expected: bytes, got: bytes, formats: Mapping[bytes, re.Pattern[bytes]]) -> str:
    """Why these are not the same message: same tags, same order, same values but for `formats`."""
    ours, theirs = expected.split(SOH), got.split(SOH)
    shown = f"\n  expected {expected!r}\n  got      {got!r}"
    if len(ours) != len(theirs):
        return f"{len(theirs)} fields and not {len(ours)}{shown}"
    for mine, its in zip(ours, theirs, strict=True):
        (tag, _, value), (its_tag, _, its_value) = mine.partition(b"="), its.partition(b"=")
        if tag != its_tag:
            return f"tag {its_tag!r} and not {tag!r}{shown}"
        form = formats.get(tag)
        if form is not None:
            if not form.search(its_value):
                return f"{tag!r} is {its_value!r}, which is not like {form.pattern!r}{shown}"
        elif value != its_value:
            return f"{tag!r} is {its_value!r} and not {value!r}{shown}"
    return ""


class Client:
    """One connection of a script."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        self.close()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, raw: bytes) -> None:
        assert self._writer, "not connected"
        self._writer.write(raw)
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise Failed("was disconnected, wanted to send") from error

    async def message(self) -> bytes:
        """From 8= to the SOH behind the checksum."""
        assert self._reader, "not connected"
        try:
            async with asyncio.timeout(SAYS_S):
                head = await self._reader.readuntil(b"\x019=")
                length = await self._reader.readuntil(SOH)
                body = await self._reader.readexactly(int(length[:-1]))
                return head + length + body + await self._reader.readuntil(SOH)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Failed("was disconnected, expected a message") from error
        except TimeoutError as error:
            raise Failed(f"no message within {SAYS_S} s") from error

    async def closed(self) -> None:
        assert self._reader, "not connected"
        try:
            async with asyncio.timeout(CLOSES_S):
                said = await self._reader.read(4_096)
        except ConnectionError:
            said = b""
        except TimeoutError as error:
            raise Failed(f"still connected after {CLOSES_S} s") from error
        if said:
            raise Failed(f"expected to be disconnected, got {said!r}")
        self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def perform(
    script: bytes, port: int, formats: Mapping[bytes, re.Pattern[bytes]] | None = None
) -> None:
    """Raises `Failed` at the first line that is not as it should be."""
    clients: dict[int, Client] = {}
    try:
        for nth, line in enumerate(script.split(b"\n"), 1):
            try:
                await _line(line.rstrip(b"\r"), clients, port, formats or {})
            except Failed as failed:
                raise Failed(f"line {nth}: {failed}") from failed
    finally:
        for client in clients.values():
            client.close()


async def _line(
    line: bytes,
    clients: dict[int, Client],
    port: int,
    formats: Mapping[bytes, re.Pattern[bytes]],
) -> None:
    if not line or line.startswith(b"#"):
        return
    numbered = _NUMBERED.match(line)
    which = int(numbered[2]) if numbered else 1
    command, body = line[:1], line[3:] if numbered else line[1:]
    client = clients.setdefault(which, Client(port))
    if command == b"I":
        await client.send(fixify(body))
    elif command == b"E":
        got = await client.message()
        different = differs(fixify(body), got, formats)
        if different:
            raise Failed(different)
    elif (command, body.strip()) == (b"i", b"CONNECT"):
        await client.connect()
    elif (command, body.strip()) == (b"i", b"DISCONNECT"):
        client.close()
    elif (command, body.strip()) == (b"e", b"DISCONNECT"):
        await client.closed()
    else:
        raise Failed(f"cannot be read: {line!r}")


async def perform_all(
    scripts: Iterable[Path], port: int, formats: Mapping[bytes, re.Pattern[bytes]]
) -> list[Outcome]:
    """One after the other: they share a session."""
    outcomes = []
    for script in scripts:
        began, wrong = time.monotonic(), ""
        try:
            await perform(script.read_bytes(), port, formats)
        except Failed as failed:
            wrong = str(failed)
        outcomes.append(
            Outcome(f"{script.parent.name}/{script.name}", wrong, time.monotonic() - began)
        )
    return outcomes
