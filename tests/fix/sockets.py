"""Acceptors and initiators on loopback, in one loop, with what their applications were given."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from fondaco.domain.fix.api import Law, Message, SentInMemory, SessionId, Terms
from fondaco.gateway.fix.acceptor import Acceptor
from fondaco.gateway.fix.initiator import Initiator
from fondaco.gateway.fix.line import Line
from fondaco.gateway.fix.switchboard import Agreement, Switchboard

WAIT_S = 10.0


class Notes:
    """An application that keeps what happens."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.downs: list[str] = []
        self.is_up = asyncio.Event()

    def up(self, line: Line) -> None:
        self.is_up.set()

    def down(self, line: Line, reason: str) -> None:
        self.is_up.clear()
        self.downs.append(reason)

    def received(self, line: Line, message: Message, seq_num: int) -> None:
        self.got.append(message.get(11) or b"")


def line_of(agreement: Agreement) -> Line:
    law = Law(agreement.terms, SentInMemory())
    return Line(law, Notes(), time.time_ns)


def agreed(theirs: str = "BROKER", **more: Any) -> Agreement:
    terms = {name: more.pop(name) for name in list(more) if name in Terms.__struct_fields__}
    return Agreement(terms=Terms(id=SessionId("FIX.4.4", "HOUSE", theirs), **terms), **more)


def notes(line: Line) -> Notes:
    assert isinstance(line.application, Notes)
    return line.application


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(0.005)


class Port:
    """Where the house listens."""

    def __init__(self, acceptor: Acceptor, port: int, told: list[str]) -> None:
        self.acceptor, self.port, self.told = acceptor, port, told

    def line(self, theirs: str = "BROKER") -> Line:
        return self.acceptor.switchboard.line(f"FIX.4.4:HOUSE->{theirs}")


@asynccontextmanager
async def listening(
    *agreements: Agreement,
    addresses: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
    logon_timeout_s: float = WAIT_S,
) -> AsyncIterator[Port]:
    board = Switchboard(line_of)
    for agreement in agreements:
        board.add(agreement)
    told: list[str] = []
    acceptor = Acceptor(
        board,
        addresses=addresses,
        tls=tls,
        logon_timeout_s=logon_timeout_s,
        log=lambda _, text: told.append(text),
    )
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        await acceptor.listen(bound)
        try:
            yield Port(acceptor, bound.getsockname()[1], told)
        finally:
            await acceptor.close()


@asynccontextmanager
async def connecting(
    ports: Sequence[int],
    ours: str = "BROKER",
    *,
    tls: ssl.SSLContext | None = None,
    pins: Sequence[str] = (),
    **terms: Any,
) -> AsyncIterator[Line]:
    name = SessionId("FIX.4.4", ours, "HOUSE")
    agreement = Agreement(terms=Terms(id=name, role="initiator", **terms))
    line = line_of(agreement)
    initiator = Initiator(
        line,
        [f"127.0.0.1:{port}" for port in ports],
        tls=tls,
        pins=pins,
        server_name="fix.example" if tls else "",
        wait_s=0.02,
    )
    task = asyncio.create_task(initiator.run())
    try:
        yield line
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        line.close()


async def is_dropped(port: int, said: bytes = b"", *, within_s: float = 2.0) -> bool:
    """Whether the other side hangs up without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        async with asyncio.timeout(within_s):
            return await reader.read() == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    finally:
        writer.close()
