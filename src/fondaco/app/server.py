"""The server under the doors: where it listens, and how it ends."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
import uvloop

from fondaco.gateway.door import Door
from fondaco.gateway.protocol import protocol_of
from fondaco.gateway.streams import Streams
from fondaco.kernel.errors import Unavailable
from fondaco.settings import Settings

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
BACKLOG: Final = 4_096
# A thread that comes back from the disk asks for the interpreter, and the loop, when it is busy,
# keeps it for this long; Python's own 5 ms would be a large part of an order's wait.
SWITCH_S: Final = 0.0005


class Server(uvicorn.Server):
    """Signals are ours: uvicorn would send itself the one that ended it, before the house ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(serving: Coroutine[Any, Any, int]) -> int:
    """Run a house to its end; the exit status."""
    sys.setswitchinterval(SWITCH_S)
    return uvloop.run(serving)


def on_signals(act: Callable[[], None]) -> None:
    """From now on they do this, and nothing else."""
    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        loop.add_signal_handler(each, act)


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is touched. Nobody is let in until the server listens."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with "
            "--port, 0 takes a free one"
        ) from error
    return bound


def make_server(settings: Settings, door: Door, streams: Streams) -> Server:
    config = uvicorn.Config(
        door,
        http=protocol_of(
            door,
            request_timeout_s=settings.header_timeout_s,
            connections_max=settings.ws_connections_max + 1_000,
        ),
        ws=streams.socket(
            queue_max=settings.ws_send_queue_max, connections_max=settings.ws_connections_max
        ),
        ws_per_message_deflate=False,
        ws_max_size=settings.body_max_bytes,
        ws_ping_interval=settings.ws_idle_timeout_s / 2,
        ws_ping_timeout=settings.ws_idle_timeout_s,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=settings.drain_timeout_s,
    )
    return Server(config)
