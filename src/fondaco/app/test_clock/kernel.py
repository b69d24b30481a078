"""The kernel of a sandbox, and what must be known of it to move its time."""

import asyncio
from typing import Any, Final, NamedTuple

from fondaco.app.house import AGAIN_S, Kernel
from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.kernel.event import Command, Instant, StreamId
from fondaco.runtime.committer import Outcome
from fondaco.runtime.deadlines import NEVER

SILENT_NS: Final = 1 << 62  # a price that nobody changes is as good as it was


class Timer(NamedTuple):
    """Something that is due, and whose it is: "" is everybody's."""

    at: Instant
    what: str
    stream: StreamId


class SandboxKernel(Kernel):
    """A house whose clock stands, and whose prices are made up. What was asked and could not be
    done is kept in `failed`, until somebody asks again."""

    forgets = False  # who is asked at a jump must be there

    def __init__(self, *given: Any, **named: Any) -> None:
        self.failed: dict[StreamId, tuple[Command, FondacoError]] = {}
        self._asking = 0
        super().__init__(*given, **named)
        self.board.stale_after_ns = SILENT_NS
        self.assessments.samples = False

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None:
        def settled(outcome: Outcome) -> None:
            self._asking -= 1
            if not isinstance(outcome, FondacoError):
                return
            if outcome.retryable:
                self._asking += 1
                asyncio.get_running_loop().call_later(AGAIN_S, again)
            else:
                self.failed[stream] = command, outcome

        def again() -> None:
            self._asking -= 1
            self.ask_again_until_done(stream, command)

        self._asking += 1
        try:
            self.submit(stream, command).then(settled)
        except Unavailable as error:
            settled(error)

    @property
    def is_quiet(self) -> bool:
        """Whether all that was asked is done, and all that was said is heard."""
        committer = self.committer
        return not (
            self._asking
            or committer.queued_count
            or committer.busy_since
            or self.reactor.open_count
            or self.assessments.is_behind
            or any(host.loading_count for host in self._hosts.values())
        )

    @property
    def nearest(self) -> Instant:
        """When time alone brings something about; `NEVER`: it does not."""
        asks_at = self.margins.asks_at()
        return min(
            self.refs.session_closes_at or NEVER,
            self.settlements.nearest,
            self.deadlines.nearest,
            self.schedules.soonest,
            self.assessments.nearest,
            NEVER if asks_at is None else asks_at,
        )

    def upcoming(self, limit: int) -> list[Timer]:
        """What is due next, the nearest first."""
        found = [Timer(self.refs.session_closes_at, "session day", StreamId(""))]
        for what, times in (
            ("settlement", self.settlements.upcoming(limit)),
            ("expiry", self.deadlines.upcoming(limit)),
            ("day of an assessment", self.assessments.upcoming(limit)),
        ):
            found += [Timer(at, what, stream) for at, stream in times]
        return sorted(found)[:limit]
