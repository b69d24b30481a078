"""What never was before, once enough days are known: F22 and F23."""

from datetime import date
from typing import Final

from fondaco.domain.fix.api import Sighting
from fondaco.domain.surveillance.fix.detector import DAY, LOW, MEDIUM, Detector, Place, Tell
from fondaco.domain.surveillance.fix.detector import HOUR as HOUR_NS
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.triage import HOUR

_EPOCH: Final = date(1970, 1, 1).toordinal()
_VALUES_MAX: Final = 20_000  # of a field and session
_NAMES: Final = {1: "Account", 55: "Symbol", 54: "Side", 40: "OrdType"}
_TAGS: Final = tuple(_NAMES)


class UnusualHours(Detector):
    """F22: a logon or order at an hour of the day, or on a kind of day, that had none before."""

    types = ("A", "D", "G")
    when = HOUR

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._days: dict[int, set[int]] = {}
        self._hours: dict[int, list[int]] = {}
        self._holidays = {date.fromisoformat(day).toordinal() - _EPOCH for day in limits.holidays}

    def see(self, seen: Sighting, place: Place) -> None:
        key = id(place.line)
        hours = self._hours.get(key)
        if hours is None:
            hours = self._hours[key] = [0] * 48
            self._days[key] = set()
        day = seen.at // DAY
        if self._holidays and day in self._holidays:
            when = date.fromordinal(_EPOCH + day).isoformat()
            reason = f"MsgType {seen.msg_type} on {when}, which is a holiday"
            self.tell("F22", MEDIUM, place.way, reason, seen, key="holiday")
            return
        hour = seen.at // HOUR_NS % 24
        shift = 24 if (day + 3) % 7 > 4 else 0  # 1970 began on a Thursday; weekends apart
        days = self._days[key]
        if len(days) >= self.limits.days_learned:
            near = sum(hours[shift + (hour + step) % 24] for step in (-1, 0, 1))
            if near == 0 and sum(hours) > 0:
                when = f"{hour}:00 to {(hour + 1) % 24}:00 UTC" + (" at a weekend" if shift else "")
                reason = f"MsgType {seen.msg_type} between {when}: none in {len(days)} days before"
                self.tell("F22", MEDIUM, place.way, reason, seen)
                return
        days.add(day)
        hours[shift + hour] += 1
        place.track.hour = seen.at // HOUR_NS


class _Known:
    """What a line has traded: its days, and the values of each field."""

    __slots__ = ("day", "days", "values")

    def __init__(self) -> None:
        self.day = -1
        self.days = 0
        self.values: tuple[set[bytes], ...] = tuple(set() for _ in _NAMES)


class Novelty(Detector):
    """F23: a value of a few fields that this session has never had."""

    types = ("D", "G")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._known: dict[int, _Known] = {}

    def see(self, seen: Sighting, place: Place) -> None:
        key = id(place.line)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known()
        for tag, values in zip(_TAGS, known.values, strict=True):
            value = seen.get(tag)
            if value is not None and value not in values:
                self._new(seen, place, tag, value, known, values)
        day = seen.at // DAY
        if day != known.day:
            known.days += day > known.day
            known.day = max(day, known.day)

    def _new(
        self,
        seen: Sighting,
        place: Place,
        tag: int,
        value: bytes,
        known: _Known,
        values: set[bytes],
    ) -> None:
        if len(values) >= _VALUES_MAX:
            return
        values.add(value)
        if known.days > self.limits.days_learned:
            name = value[:32].decode("latin-1")
            reason = f"{_NAMES[tag]} {name} in no order of {known.days} days"
            severity = MEDIUM if tag in (1, 54) else LOW
            self.tell("F23", severity, place.way, reason, seen, key=tag)


DETECTORS: Final[tuple[type[Detector], ...]] = (UnusualHours, Novelty)
