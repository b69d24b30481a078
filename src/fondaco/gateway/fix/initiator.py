"""Connects to a counterparty, to the next of its addresses where one fails, again and again."""

import asyncio
import ssl
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, cast

from fondaco.gateway.fix.line import Line, Log
from fondaco.kernel.errors import Invalid

CONNECT_S: Final = 10.0
WAIT_S: Final = 0.5  # before the list is begun again; doubles up to
WAIT_MAX_S: Final = 30.0


def address_of(text: str) -> tuple[str, int]:
    """ "host:port", with brackets around an IPv6 address. Raises `Invalid`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise Invalid(f"address is {text[:80]!r}, must be host:port")
    return host.strip("[]"), int(port)


class Initiator:
    """Keeps one session connected while it is enabled and its hours last."""

    def __init__(
        self,
        line: Line,
        addresses: Sequence[str],
        *,
        tls: ssl.SSLContext | None = None,
        pins: Sequence[str] = (),
        server_name: str = "",
        wait_s: float = WAIT_S,
        log: Log = lambda _, __: None,
    ) -> None:
        """`pins` are certificates that the other side may have, as SHA-256 in hex; none: any that
        `tls` trusts. `server_name` is the name in them, where it is not the host's."""
        if not addresses:
            raise Invalid(f"{line.id} has no address to connect to")
        self.line, self.addresses = line, [address_of(each) for each in addresses]
        self._tls, self._pins, self._server_name = tls, tuple(pins), server_name
        self._wait_s, self._log = wait_s, log
        self._ended = asyncio.Event()
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Do not wait until the next attempt."""
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        at, wait_s = 0, self._wait_s
        while True:
            if self._may_connect():
                host, port = self.addresses[at % len(self.addresses)]
                if await self._serve(host, port):
                    at, wait_s = 0, self._wait_s  # it was logged on: begin with the first again
                else:
                    at += 1
                    if at % len(self.addresses):
                        continue  # the next one at once
                    wait_s = min(2 * wait_s, WAIT_MAX_S)
            else:
                self.line.tick()
            self._wanted.clear()
            try:
                await asyncio.wait_for(self._wanted.wait(), wait_s)
            except TimeoutError:
                continue

    def _may_connect(self) -> bool:
        return self.line.is_enabled and self.line.session.is_open(self.line.now())

    async def _serve(self, host: str, port: int) -> bool:
        """One connection from beginning to end; whether the session was logged on in it."""
        loop = asyncio.get_running_loop()
        self._ended.clear()
        self.line.on_end = self._ended.set
        name = (self._server_name or host) if self._tls else None
        try:
            async with asyncio.timeout(CONNECT_S):
                _, protocol = await loop.create_connection(
                    lambda: _Talk(self.line, self._pins),
                    host,
                    port,
                    ssl=self._tls,
                    server_hostname=name,
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self._log(self.line.id, f"{host}:{port} cannot be reached: {error or 'no answer'}")
            return False
        if not protocol.is_attached:
            return False
        await self._ended.wait()
        return protocol.was_up


class _Talk(asyncio.Protocol):
    """The socket of an initiator's line."""

    def __init__(self, line: Line, pins: tuple[str, ...]) -> None:
        self._line, self._pins = line, pins
        self._transport: asyncio.Transport | None = None
        self.is_attached = self.was_up = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._line.is_connected or not self._is_known(self._transport):
            self._transport.abort()
            return
        name = transport.get_extra_info("peername")
        self.is_attached = True
        peer = str(name[0]) if isinstance(name, tuple) else ""
        self._line.attach(self._transport, peer, is_ours=True)

    def data_received(self, data: bytes) -> None:
        if self.is_attached:
            self._line.receive(data)
            self.was_up = self.was_up or self._line.is_up

    def connection_lost(self, error: Exception | None) -> None:
        if self.is_attached:
            reason = f"the connection broke: {error}" if error else "they have disconnected"
            self._line.lost(reason, self._transport)

    def _is_known(self, transport: asyncio.Transport) -> bool:
        if not self._pins:
            return True
        shown = transport.get_extra_info("ssl_object")
        certificate = shown.getpeercert(binary_form=True) if shown is not None else None
        return certificate is not None and sha256(certificate).hexdigest() in self._pins
