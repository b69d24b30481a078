"""What detectors are given, and how they tell what they found."""

from collections.abc import Callable
from typing import ClassVar, Final, Protocol

from fondaco.domain.fix.api import Flow, Oddity, Sighting
from fondaco.domain.surveillance.fix.bounded import Lately as Lately
from fondaco.domain.surveillance.fix.bounded import Window as Window
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.triage import ALWAYS
from fondaco.domain.surveillance.fix.triage import Call as Call
from fondaco.domain.surveillance.fix.triage import Place as Place
from fondaco.domain.surveillance.model import Severity

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
LOW, MEDIUM, HIGH, CRITICAL = Severity


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
    """One pattern. `types` are the MsgTypes that `see` is called with, None for all of them; `when`
    are the traits (of triage.py) of which such a message has at least one.

    A garbled message comes to `garbled` only: nothing in it can be believed.
    """

    types: ClassVar[tuple[str, ...] | None] = ()
    when: ClassVar[int] = ALWAYS

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


See = Callable[[Sighting, Place], None]
