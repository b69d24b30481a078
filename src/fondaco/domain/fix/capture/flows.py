"""Connections as a capture shows them: who spoke with whom, and what was odd about the bytes."""

from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from fondaco.domain.fix.capture.tls import Greeting, greeting_of

NOTES_MAX: Final = 1000  # a flow; more of them say nothing new
CLIENT: Final = 0
SERVER: Final = 1


class Endpoint(NamedTuple):
    """An address as bytes of the network (4 or 16), or the name of a log; and a TCP port."""

    address: bytes
    port: int

    @property
    def host(self) -> str:
        if len(self.address) in (4, 16):
            return str(ip_address(self.address))
        return self.address.decode("latin-1")

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Oddity(NamedTuple):
    """Something odd: `kind` is one of "lost", "conflict", "out of window", "unread", "cut",
    "after reset", "reset", "ttl"."""

    kind: str
    at: int
    offset: int
    side: int
    text: str


class Flow:
    """One TCP connection (or one log): two ends, of which the first opened it.

    `began` says whether the capture saw it being opened. Times are nanoseconds since 1970.
    `is_wire` is False where an end told its messages, and no packet was seen; `encrypted_by_tls`
    is then whether it said so, or None.
    """

    def __init__(self, number: int, client: Endpoint, server: Endpoint, at: int) -> None:
        self.number = number
        self.ends = (client, server)
        self.halves: tuple[Any, ...] = ()
        self.began = False
        self.first_at = at
        self.last_at = at
        self.first_offset = 0
        self.reset_at = 0
        self.closed_at = 0
        self.notes: list[Oddity] = []
        self.counts: dict[str, int] = {}
        self.greetings: dict[int, Greeting] = {}
        self.is_log = False
        self.is_wire = True
        self.encrypted_by_tls: bool | None = False

    def __str__(self) -> str:
        return f"{self.ends[0]} → {self.ends[1]}"

    def note(self, kind: str, at: int, offset: int, side: int, text: str) -> None:
        """Keep what is odd; `counts` goes on when there is no room for more."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.notes) < NOTES_MAX:
            self.notes.append(Oddity(kind, at, offset, side, text))

    def encrypted(self, side: int, greeting: bytes) -> None:
        """The first bytes that an end of a TLS connection sent."""
        self.greetings[side] = greeting_of(greeting)

    @property
    def messages(self) -> int:
        return sum(half.messages for half in self.halves)

    @property
    def kind(self) -> str:
        """What was spoken: "FIX", "TLS", "empty" or "other"."""
        if self.messages:
            return "FIX"
        if self.greetings or any(half.tls is not None for half in self.halves):
            return "TLS"
        return "other" if any(half.octets for half in self.halves) else "empty"
