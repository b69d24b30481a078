"""What detectors are given, and how they tell what they found."""

from collections.abc import Callable
from typing import ClassVar, Final, Protocol

from fondaco.domain.fix.api import Flow, Line, Oddity, Sighting
from fondaco.domain.surveillance.fix.bounded import Lately as Lately
from fondaco.domain.surveillance.fix.bounded import Window as Window
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.model import Severity

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
LOW, MEDIUM, HIGH, CRITICAL = Severity


class Call:
    """How far a connection has come: "connected", "logon", "active", "logout" or "closed".

    `logon` is the first Logon of its client, `accepted` whether the other end answered it so;
    `before` is the stage that the message now seen found.
    """

    __slots__ = (
        "accepted",
        "before",
        "failed",
        "flow",
        "last_at",
        "logon",
        "logouts",
        "stage",
        "told",
    )

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.stage = self.before = "connected"
        self.logon: Sighting | None = None
        self.accepted = False
        self.logouts = 0
        self.told: list[object] = []
        self.last_at = flow.first_at

    @property
    def host(self) -> str:
        return self.flow.ends[0].host

    @property
    def ended_at(self) -> int:
        """When its end was captured, which may lie ahead of the message now seen; or 0."""
        return self.flow.reset_at or self.flow.closed_at

    def is_over(self, at: int) -> bool:
        """Whether it had ended by then."""
        logged_out = self.stage == "closed" and self.last_at <= at
        return logged_out or 0 < self.ended_at <= at


class Place:
    """Where a message stands: its connection, its session's line, and what was due before it.

    `is_blind` says that the capture lost bytes of this connection since the last message, so that
    a gap proves nothing.
    """

    __slots__ = ("call", "due", "is_blind", "line", "losses")

    def __init__(self, call: Call, line: Line) -> None:
        self.call = call
        self.line = line
        self.due = 0
        self.is_blind = False
        self.losses = 0

    @property
    def session(self) -> str:
        return str(self.line.session.name)

    @property
    def way(self) -> str:
        return f"{_text(self.line.sender)} to {_text(self.line.target)}"


class Tell(Protocol):
    """Raise an alert, or count it up where the same was raised for this subject and key before."""

    def __call__(
        self,
        pattern: str,
        severity: Severity,
        subject: str,
        reason: str,
        *proof: Sighting,
        key: object = None,
        at: int = 0,
    ) -> None: ...


class Detector:
    """One pattern. `types` are the MsgTypes that `see` is called with; None for all of them.

    A garbled message comes to `garbled` only: nothing in it can be believed.
    """

    types: ClassVar[tuple[str, ...] | None] = ()

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        self.limits = limits
        self.tell = tell

    def see(self, seen: Sighting, place: Place) -> None:
        """A message, before the session's counters have moved."""

    def garbled(self, seen: Sighting, place: Place) -> None:
        """A message whose frame is wrong."""

    def opened(self, call: Call) -> None:
        """A connection was seen for the first time."""

    def noted(self, flow: Flow, note: Oddity) -> None:
        """Something was odd about a connection's segments."""

    def closed(self, call: Call) -> None:
        """A connection ended, or the capture did."""

    def passed(self, at: int) -> None:
        """It is this late: only told where somebody watches live."""

    def finished(self) -> None:
        """Nothing more will come."""


def _text(name: bytes) -> str:
    return name.decode("latin-1") or "?"


See = Callable[[Sighting, Place], None]
