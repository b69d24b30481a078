"""One call over HTTP/1.1, by httpcore2. Names are resolved here, and only here."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore2

from fondaco import __version__
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.outbound import Reply, Request
from fondaco.ports.outbound.addresses import Address, Network, is_allowed, is_public, read
from fondaco.ports.outbound.courier import origin_of

CONNECTIONS_MAX: Final = 100
KEPT_S: Final = 15.0
CONNECT_S: Final = 5.0
SILENT_S: Final = 10.0  # between two pieces of an answer, and until the first
_AGENT: Final = f"fondaco/{__version__}"


class HttpWire:
    """`allowed` are networks that may be called though they are not public, and without TLS."""

    def __init__(
        self, allowed: Sequence[Network] = (), ssl_context: SSLContext | None = None
    ) -> None:
        self._allowed = tuple(allowed)
        self._ssl_context = ssl_context
        self._pools: dict[bool, httpcore2.AsyncConnectionPool] = {}  # by whether it speaks TLS

    async def carry(self, request: Request, within_s: float) -> Reply:
        """See `Wire`."""
        origin = origin_of(request.url)
        try:
            async with asyncio.timeout(within_s):
                return await self._carry(request)
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise _no_answer(origin, "it did not answer in time") from error
        except httpcore2.LocalProtocolError as error:
            raise Invalid(f"this cannot be sent to {origin}: {error}") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            raise _no_answer(origin, str(error) or type(error).__name__) from error

    async def _carry(self, request: Request) -> Reply:
        body = b""
        pool = self._pool(request.url.startswith("https:"))
        async with pool.stream(
            request.method,
            request.url,
            headers=_headers(request),
            content=request.body,
            extensions={
                "timeout": {
                    "connect": CONNECT_S,
                    "read": SILENT_S,
                    "write": SILENT_S,
                    "pool": CONNECT_S,
                }
            },
        ) as response:
            async for piece in response.aiter_stream():
                body += piece
                if len(body) > request.body_max:
                    raise _no_answer(
                        origin_of(request.url), f"its answer is above {request.body_max} bytes"
                    )
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            return Reply(response.status, found, body)

    async def check(self, url: str) -> None:
        """See `Outbound`."""
        origin_of(url)
        parts = urlsplit(url)
        await self.addresses(parts.hostname or "", parts.port or 443, parts.scheme == "https")

    async def addresses(self, host: str, port: int, is_tls: bool) -> list[str]:
        """Where `host` is, every one of them to be called. Raises `Invalid`."""
        try:
            found: list[Address] = [read(host)]
        except ValueError:
            found = await _resolved(host, port)
        for each in found:
            if is_allowed(each, self._allowed):
                continue
            if not is_public(each):
                raise Invalid(
                    f"{host} is at {each}, which is no public address: whoever runs this house can "
                    "allow its network with the setting outbound_networks",
                    code="address_refused",
                )
            if not is_tls:
                raise Invalid(f"{host} must be called with https://", code="address_refused")
        return [str(each) for each in found]

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    def _pool(self, is_tls: bool) -> httpcore2.AsyncConnectionPool:
        pool = self._pools.get(is_tls)
        if pool is None:
            pool = self._pools[is_tls] = httpcore2.AsyncConnectionPool(
                ssl_context=self._ssl_context,
                max_connections=CONNECTIONS_MAX,
                keepalive_expiry=KEPT_S,
                network_backend=_Checked(self, is_tls),
            )
        return pool


class _Checked(httpcore2.AsyncNetworkBackend):
    """Connects to the address that was checked, so that a name cannot mean another one then."""

    def __init__(self, wire: HttpWire, is_tls: bool) -> None:
        self._wire = wire
        self._is_tls = is_tls
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # as its parent has it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._wire.addresses(host, port, self._is_tls)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        raise Invalid("no socket in the file system is called", code="address_refused")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolved(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _no_answer(host, f"its name does not resolve: {error}") from error
    return [read(str(each[4][0])) for each in found]


def _headers(request: Request) -> list[tuple[str, str]]:
    host = origin_of(request.url).partition("://")[2]
    parts = urlsplit(request.url)
    if parts.port is None:
        host = host.rpartition(":")[0]
    headers = [("Host", host), ("User-Agent", _AGENT), ("Accept-Encoding", "identity")]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(request.body))))
    if request.idempotency_key:
        headers.append(("Idempotency-Key", request.idempotency_key))
    return [*headers, *request.headers]


def _no_answer(where: str, why: str) -> Unavailable:
    return Unavailable(f"no answer from {where}: {why}", code="no_answer", place=where)
