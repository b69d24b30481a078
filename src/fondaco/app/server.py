"""The server under the doors: where it listens, and how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn

from fondaco.gateway.door import Door
from fondaco.gateway.guard.lines import Lines
from fondaco.gateway.guard.outside import Outside, origins
from fondaco.gateway.protocol import protocol_of
from fondaco.gateway.streams import Streams
from fondaco.gateway.tls import Certificates
from fondaco.kernel.errors import Invalid
from fondaco.settings import Settings

BACKLOG: Final = 4_096


class Server(uvicorn.Server):
    """Signals are ours: uvicorn would send itself the one that ended it, before the house ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def certificates_of(settings: Settings) -> Certificates | None:
    """Raises `Invalid` for files that cannot be used, and for half of a pair."""
    if not settings.tls_cert:
        for name in ("tls_key", "tls_clients"):
            if getattr(settings, name):
                raise Invalid(f"{name} is {getattr(settings, name)}, but there is no tls_cert")
        return None
    clients = Path(settings.tls_clients) if settings.tls_clients else None
    return Certificates(
        Path(settings.tls_cert), Path(settings.tls_key or settings.tls_cert), clients
    )


def make_server(
    settings: Settings, door: Door, streams: Streams, certificates: Certificates | None
) -> Server:
    allowed = origins(settings.cors_origins)
    lines = Lines(settings.proxies, settings.proxy_viewer_header)
    config = uvicorn.Config(
        Outside(door, allowed),
        http=protocol_of(
            door,
            request_timeout_s=settings.header_timeout_s,
            connections_max=settings.ws_connections_max + 1_000,
            per_address_max=settings.connections_per_address,
            rules=door.filter,
            crossing=bool(allowed),
            lines=lines,
        ),
        ws=streams.socket(
            queue_max=settings.ws_send_queue_max,
            connections_max=settings.ws_connections_max,
            lines=lines,
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
        ssl_context_factory=(lambda *_: certificates.context) if certificates else None,
    )
    return Server(config)
