"""A port where counterparties log on. Whoever is not known is dropped without a word."""

import asyncio
import socket
import ssl
from hashlib import sha256
from typing import Final, Protocol, cast

from fondaco.domain.fix.api import Frame, Framer, Garbled, parse
from fondaco.gateway.fix.ends import Ends, ends_of
from fondaco.gateway.fix.line import Line, Log
from fondaco.gateway.fix.switchboard import Agreement, Switchboard, check_networks, is_allowed

KNOCKING_MAX: Final = 1_000  # connections that have not logged on
LOGON_MAX: Final = 1 << 16  # bytes before a Logon is complete
LOGON_S: Final = 10.0
GRACE_S: Final = 0.05  # for the end of a connection to be heard before its successor is refused
BACKLOG: Final = 1_024


class Refuse(Protocol):
    """Told of who came and was not let in, with the first that they said."""

    def __call__(self, ends: Ends, raw: bytes, reason: str) -> None: ...


def _to_nobody(ends: Ends, raw: bytes, reason: str) -> None:
    """Nobody is told."""


class Acceptor:
    """One listening port for any number of sessions.

    `addresses` are the networks from which anybody may connect; none: all.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        *,
        addresses: tuple[str, ...] = (),
        tls: ssl.SSLContext | None = None,
        logon_timeout_s: float = LOGON_S,
        log: Log = lambda _, __: None,
        refuse: Refuse = _to_nobody,
    ) -> None:
        check_networks(addresses)
        self.switchboard, self.addresses = switchboard, addresses
        self.logon_timeout_s, self.log, self.refuse = logon_timeout_s, log, refuse
        self.knocking: set[Knock] = set()
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def listen(self, bound: socket.socket) -> None:
        """Serve on a socket that is bound."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Knock(self), sock=bound, ssl=self._tls, backlog=BACKLOG
        )

    async def close(self) -> None:
        """Let nobody in any more, and go."""
        if self._server is not None:
            self._server.close()
        for knock in list(self.knocking):
            knock.drop("the port closes")
        for line in self.switchboard:
            if not line.session.is_initiator:
                line.close()


class Knock(asyncio.Protocol):
    """A connection: until its Logon nobody's, then a line's."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor
        self._framer = Framer(LOGON_MAX)
        self._line: Line | None = None
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._address = ""
        self._has_waited = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # of a stream
        name = transport.get_extra_info("peername")
        self._address = str(name[0]) if isinstance(name, tuple) else ""
        acceptor = self._acceptor
        if not is_allowed(self._address, acceptor.addresses):
            self.drop("the address is not allowed")
        elif len(acceptor.knocking) >= KNOCKING_MAX:
            self.drop("too many connections have not logged on")
        else:
            acceptor.knocking.add(self)
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(
                acceptor.logon_timeout_s, self.drop, "no Logon has come in time"
            )

    def data_received(self, data: bytes) -> None:
        if self._line is not None:
            self._line.receive(data)
            return
        if self._transport is None:
            return
        frames = self._framer.feed(data)
        if frames:
            self._begin(frames)
        elif self._framer.held > LOGON_MAX:
            self.drop("what came before a Logon is too long")

    def connection_lost(self, error: Exception | None) -> None:
        self._settled()
        transport, self._transport = self._transport, None
        if self._line is not None:
            reason = f"the connection broke: {error}" if error else "they have disconnected"
            self._line.lost(reason, transport)

    def drop(self, reason: str) -> None:
        """Without an answer: who is not known learns nothing."""
        self._settled()
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _settled(self) -> None:
        self._acceptor.knocking.discard(self)
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _begin(self, frames: list[Frame]) -> None:
        found = self._meant(frames[0])
        if found is None or self._transport is None:
            self._refuse(frames[0], "this is no Logon of a session that we know")
            return
        line, agreement = found
        if line.is_connected and not self._has_waited:  # the old connection may be ending now
            self._has_waited = True
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(GRACE_S, self._begin, frames)
            return
        refused = self._refused(line, agreement)
        if refused:
            self._acceptor.log(line.id, f"{self._address} is dropped: {refused}")
            self._refuse(frames[0], refused)
            return
        if self._has_waited:
            self._transport.resume_reading()
        self._settled()
        rest = self._framer.rest()  # of a message that is not complete yet
        self._line = line
        line.attach(self._transport, self._address)
        line.receive_frames(frames)
        if rest and line.is_connected:
            line.receive(rest[0].raw)

    def _refuse(self, first: Frame, reason: str) -> None:
        if self._transport is not None:
            self._acceptor.refuse(ends_of(self._transport, is_ours=False), first.raw, reason)
        self.drop(reason)

    def _meant(self, first: Frame) -> tuple[Line, Agreement] | None:
        if first.garbled:
            return None
        try:
            message = parse(first.raw)
        except Garbled:
            return None
        if message.msg_type != "A":
            return None
        return self._acceptor.switchboard.of_logon(message)

    def _refused(self, line: Line, agreement: Agreement) -> str:
        if line.session.is_initiator:
            return "this session connects, it does not listen"
        if not line.is_enabled:
            return "the session is stopped"
        if line.is_connected:
            return "the session is connected already"
        if not is_allowed(self._address, agreement.addresses):
            return "the address is not allowed for this session"
        if agreement.pins and self._pin() not in agreement.pins:
            return "the certificate is not this session's"
        return ""

    def _pin(self) -> str:
        """The SHA-256 of the certificate that they showed; empty where they showed none."""
        assert self._transport is not None  # noqa: S101
        shown = self._transport.get_extra_info("ssl_object")
        certificate = shown.getpeercert(binary_form=True) if shown is not None else None
        return sha256(certificate).hexdigest() if certificate else ""
