"""Who watches the clock for books of our own that have a schedule. The venue decides."""

from collections.abc import Callable
from typing import Final

from fondaco.domain.venues.crossing.events import FollowSchedule
from fondaco.domain.venues.crossing.model import CrossingState
from fondaco.domain.venues.crossing.schedule import last_step, next_step
from fondaco.kernel.event import Command, CommandId, Instant, StreamId

_NEVER: Final = Instant(2**63 - 1)


class Schedules:
    """`ask` is for what must happen, and is asked again until it has."""

    def __init__(self, ask: Callable[[StreamId, Command], None]) -> None:
        self._ask = ask
        self._books: dict[StreamId, CrossingState] = {}  # those with a schedule, as of the disk
        self._looks_at: dict[StreamId, Instant] = {}
        self._soonest = _NEVER

    def note(self, stream: StreamId, shown: CrossingState) -> None:
        """A book has come up, or its schedule has changed. `shown` is kept, and read ever after."""
        if shown.schedule is None:
            self._books.pop(stream, None)
            self._looks_at.pop(stream, None)
            return
        self._books[stream] = shown
        self._looks_at[stream] = self._soonest = Instant(0)

    @property
    def soonest(self) -> Instant:
        """When a book takes its next step."""
        return self._soonest

    def look(self, now: Instant) -> None:
        """Cheap to ask often. Of steps that nobody was there for only the last one is taken."""
        if now < self._soonest:
            return
        for stream, looks_at in list(self._looks_at.items()):
            if looks_at <= now:
                self._looks_at[stream] = self._follow(stream, now)
        self._soonest = min(self._looks_at.values(), default=_NEVER)

    def _follow(self, stream: StreamId, now: Instant) -> Instant:
        state = self._books[stream]
        if state.schedule is None:  # `note` is told in a moment
            return _NEVER
        last, following = last_step(state.schedule, now), next_step(state.schedule, now)
        if last is not None and last.at > state.stepped:
            command = FollowSchedule(CommandId(f"schedule/{now}"), now, last.at, last.phase)
            self._ask(stream, command)
        return _NEVER if following is None else following.at
