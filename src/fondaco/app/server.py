"""The server under the doors: where it listens, and how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from fondaco.gateway.door import Door
from fondaco.gateway.protocol import protocol_of
from fondaco.gateway.streams import Streams
from fondaco.settings import Settings

BACKLOG: Final = 4_096


class Server(uvicorn.Server):
    """Signals are ours: uvicorn would send itself the one that ended it, before the house ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
