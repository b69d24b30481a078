"""A real server on loopback, in the test's own loop, and a socket to talk to it byte by byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any, Final

import uvicorn

from fondaco.gateway.door import Door
from fondaco.gateway.protocol import protocol_of

PATIENCE_S: Final = 5.0


class Server(uvicorn.Server):
    """Leaves signals to pytest."""

    async def serve(self, sockets: Any = None) -> None:
        await self._serve(sockets)


@asynccontextmanager
async def serving(door: Door, **limits: Any) -> AsyncIterator[int]:
    """The port."""
    ws = limits.pop("ws", "websockets-sansio")
    knobs = {"request_timeout_s": 5.0, **limits}
    config = uvicorn.Config(
        door,
        port=0,
        http=protocol_of(door, **knobs),
        ws=ws,
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


class Wire:
    """One connection: what is sent is bytes, what comes back is read as responses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def response(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            length = int(headers.get("content-length", "0")) if has_body else 0
            return int(head[0].split(" ")[1]), headers, await self.reader.readexactly(length)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read() == b""


@asynccontextmanager
async def wired(port: int) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        yield Wire(reader, writer)
