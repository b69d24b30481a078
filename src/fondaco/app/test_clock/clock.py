"""The clock of a sandbox, and whether a journal is one's."""

from typing import Final

from fondaco.app.clock import Clock
from fondaco.domain.identity.audit.model import PREFIX as AUDIT
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.domain.identity.test_clock.events import SandboxOpened
from fondaco.domain.identity.test_clock.model import STREAM
from fondaco.domain.notify.model import PREFIX as WEBHOOKS
from fondaco.domain.surveillance.rules import PREFIX as ALERTS
from fondaco.kernel.errors import Corrupt, Refused
from fondaco.kernel.event import CommandId, Decision, Instant
from fondaco.ports.journal import Journal

AT_ONCE: Final = 1_000  # entries that are read
OF_THE_MACHINE: Final = (IDENTITY_STREAM, AUDIT, WEBHOOKS, ALERTS)


class MovedClock(Clock):
    """Stands still until it is moved, and never goes back. Two stamps may be the same: what happens
    then does not depend on how often somebody has looked at the clock."""

    __slots__ = ("_at",)

    def __init__(self, at: Instant) -> None:
        super().__init__()
        self._at = at

    def __call__(self) -> Instant:
        return self._at

    def move(self, to: Instant) -> None:
        """Nothing, where it is later already."""
        self._at = max(self._at, to)


def sandbox_clock(journal: Journal, wall: Clock, *, wanted: bool) -> MovedClock | None:
    """The clock of a sandbox, at its last entry; None for a house whose time is everybody's.

    An empty journal becomes a sandbox's if that is `wanted`. Raises `Refused` for one that people
    have lived through: its time cannot be moved, ever.
    """
    head = journal.head()
    if not head:
        if not wanted:
            return None
        at = wall()
        opened = SandboxOpened(at, at)
        journal.append([Decision(STREAM, 0, CommandId("start"), at, 0, (opened,))])
        return MovedClock(at)
    if isinstance(journal.follow(0, 1)[0].event, SandboxOpened):
        return MovedClock(_stood_at(journal, head))
    if wanted:
        raise Refused(
            "this house was begun in real time, and can be no sandbox: name another data directory",
            code="not_a_sandbox",
        )
    return None


def _stood_at(journal: Journal, head: int) -> Instant:
    """The time of the last entry that is of the house's time: who signs in, and what is delivered
    to others, is of the machine's."""
    until = head
    while until > 0:
        since = max(until - AT_ONCE, 0)
        for entry in reversed(journal.follow(since, until - since)):
            if not entry.stream.startswith(OF_THE_MACHINE):
                return entry.at
        until = since
    raise Corrupt("the journal of this sandbox does not begin with what it was opened by")
