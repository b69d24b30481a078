"""When the phases of a schedule are due. Pure: the time is given, and calendars are facts.

What begins on a day of business ends on it: its last step closes, and the next day of business
begins with its first. A day on which the calendar is not open has no steps.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from fondaco.domain.reference.api import CLOSED, instants_of, is_open, local_day
from fondaco.domain.reference.model import WEEKDAYS
from fondaco.domain.venues.crossing.model import Phase, Schedule
from fondaco.kernel.event import Instant

STEPS_MAX: Final = 24
_DAYS: Final = 30  # looked at; no exchange has ever been closed for so long
_MINUTES_A_DAY: Final = 1_440


class Due(NamedTuple):
    """A step and when it is due."""

    at: Instant
    phase: Phase


def wrong_schedule(schedule: Schedule) -> str:
    """What no venue can follow, or "". That the time zone exists is checked by whoever asks."""
    minutes = [step.minute for step in schedule.steps]
    phases = [step.phase for step in schedule.steps]
    if not 2 <= len(minutes) <= STEPS_MAX:
        return f"there are {len(minutes)} steps, must be from 2 to {STEPS_MAX}"
    if not 0 <= min(minutes) <= max(minutes) < _MINUTES_A_DAY:
        return f"minutes are {minutes}, must be from 0 to {_MINUTES_A_DAY - 1}"
    if any(later <= before for before, later in pairwise(minutes)):
        return f"minutes are {minutes}, must go up"
    if phases[-1] is not Phase.CLOSED:
        return f"the last phase of a day is {phases[-1]}, must be {Phase.CLOSED}"
    if Phase.HALTED in phases:
        return f"{Phase.HALTED} is no phase of a schedule: only who asks begins and ends it"
    if schedule.calendar not in ("", WEEKDAYS, *CLOSED):
        known = ", ".join(CLOSED)
        return f"calendar is {schedule.calendar}, must be empty, {WEEKDAYS} or one of {known}"
    return ""


def last_step(schedule: Schedule, now: Instant) -> Due | None:
    """The step in which a day is at `now`; between two days the last one of the first."""
    today = local_day(now, schedule.time_zone)
    # One day more: clocks that are set forward may move a step over midnight.
    for day in range(today + 1, today - _DAYS, -1):
        found = [due for due in _of_day(schedule, day) if due.at <= now]
        if found:
            return found[-1]
    return None


def next_step(schedule: Schedule, now: Instant) -> Due | None:
    """The first one that is due after `now`."""
    today = local_day(now, schedule.time_zone)
    for day in range(today - 1, today + _DAYS):
        for due in _of_day(schedule, day):
            if due.at > now:
                return due
    return None


def _of_day(schedule: Schedule, day: int) -> Iterator[Due]:
    if is_open(schedule.calendar, day):
        minutes = [step.minute for step in schedule.steps]
        instants = instants_of(day, schedule.time_zone, minutes)
        for at, step in zip(instants, schedule.steps, strict=True):
            yield Due(at, step.phase)
