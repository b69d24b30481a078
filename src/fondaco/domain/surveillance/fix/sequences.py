"""Numbers and repetitions: F08 to F12 and F26."""

from typing import Final

from fondaco.domain.fix.api import Sighting
from fondaco.domain.surveillance.fix.detector import (
    DAY,
    HIGH,
    LOW,
    MEDIUM,
    MINUTE,
    Detector,
    Lately,
    Place,
    Tell,
    Window,
)
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.times import timestamp
from fondaco.domain.surveillance.fix.triage import DUP, UNDUE

_ORDERS: Final = ("D", "F", "G", "q", "E")


class Jump(Detector):
    """F08: MsgSeqNum far ahead, or again without PossDup."""

    types = None
    when = UNDUE

    def see(self, seen: Sighting, place: Place) -> None:
        due = place.due
        if due == 0 or seen.seq < 0 or seen.poss_dup or seen.msg_type in ("4", "A"):
            return
        if seen.seq < due:
            self.tell(
                "F08",
                LOW if place.call.flow.is_log else MEDIUM,
                place.way,
                f"MsgSeqNum {seen.seq} again without PossDup: {due} was due",
                seen,
                key="rewind",
            )
        elif seen.seq - due > self.limits.gap_max and not place.is_blind:
            reason = f"MsgSeqNum {seen.seq}: {due} was due, {seen.seq - due} are missing"
            self.tell(
                "F08",
                LOW if place.call.flow.is_log else MEDIUM,
                place.way,
                reason,
                seen,
                key="jump",
            )


class Reset(Detector):
    """F09: numbers are set while a session runs, or more often than a day explains."""

    types = ("A", "4")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._day = Window(DAY)

    def see(self, seen: Sighting, place: Place) -> None:
        log = place.call.flow.is_log
        if seen.msg_type == "4":
            self._set(seen, place)
        elif seen.get(141) == b"Y" and seen.half.side == 0:
            if place.call.before == "active" and place.due > 2 and not log:
                reason = f"ResetSeqNumFlag in a running session: {place.due} was due"
                self.tell("F09", HIGH, place.way, reason, seen, key="running")
            elif self._day.add(id(place.line), seen.at) > self.limits.resets_per_day:
                reason = f"more than {self.limits.resets_per_day} resets in a day"
                self.tell("F09", LOW, place.way, reason, seen, key="often")

    def _set(self, seen: Sighting, place: Place) -> None:
        new = _number(seen.get(36))
        if seen.get(123) == b"Y":
            if new - max(place.due, seen.seq) > 100 * self.limits.gap_max:
                reason = f"a gap fill to {new}: {place.due} was due"
                self.tell("F09", HIGH, place.way, reason, seen, key="far")
            return
        severity = HIGH if new - place.due > self.limits.gap_max else MEDIUM
        reason = f"SequenceReset to {new} without GapFill: {place.due} was due"
        self.tell("F09", severity, place.way, reason, seen, key="reset")


class ResendStorm(Detector):
    """F10: too many resend requests, or the same range again and again."""

    types = ("2",)

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._minute = Window(MINUTE)
        self._same = Window(10 * MINUTE)

    def see(self, seen: Sighting, place: Place) -> None:
        begin, end = seen.get(7), seen.get(16)
        count = self._minute.add(id(place.line), seen.at)
        same = self._same.add((id(place.line), begin, end), seen.at)
        if count > self.limits.resends_minute:
            reason = f"{count} resend requests in a minute"
            self.tell("F10", HIGH, place.way, reason, seen, key="many")
        if same >= self.limits.resends_same:
            asked = f"{_number(begin)} to {_number(end) or 'the end'}"
            self.tell("F10", MEDIUM, place.way, f"{asked} asked for {same} times", seen, key="same")


class Replay(Detector):
    """F11: an order's content came before under another MsgSeqNum."""

    types = _ORDERS

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._seen = Lately(limits.orders_kept)

    def see(self, seen: Sighting, place: Place) -> None:
        if seen.cl_ord_id is None:
            return
        content = seen.content()
        key = (id(place.line), seen.cl_ord_id)
        known = self._seen.get(key)
        if known is None:
            self._seen[key] = (content, seen)
            return
        before = known[1]
        if seen.poss_dup or seen.get(97) == b"Y" or seen.seq == before.seq:
            return
        if known[0] == content:
            reason = f"the order of MsgSeqNum {before.seq} again as {seen.seq}, byte for byte"
            self.tell("F11", HIGH, place.way, reason, before, seen, key="replay")
        elif not place.call.flow.is_log:
            reason = f"ClOrdID {seen.cl_ord_id.decode('latin-1')} again with other content"
            self.tell("F11", MEDIUM, place.way, reason, before, seen, key="reuse")


class PossDup(Detector):
    """F12: "possible duplicate" of what never was, of long ago, or all the time."""

    types = None
    when = DUP

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._resends = Window(MINUTE)

    def see(self, seen: Sighting, place: Place) -> None:
        if not seen.poss_dup:
            if seen.msg_type in _ORDERS and seen.get(97) == b"Y":
                count = self._resends.add(id(place.line), seen.at)
                if count > self.limits.poss_resends_minute:
                    reason = f"{count} messages with PossResend in a minute"
                    self.tell("F12", MEDIUM, place.way, reason, seen, key="resend")
            return
        if seen.msg_type == "4":
            return
        if 0 < place.due <= seen.seq and not place.is_blind:
            reason = f"PossDup of MsgSeqNum {seen.seq}, which was never sent: {place.due} is due"
            self.tell("F12", HIGH, place.way, reason, seen, key="never")
        sent, first = seen.sent, timestamp(seen.get(122))
        if sent and first and sent - first > self.limits.dup_age_days * DAY:
            reason = f"PossDup of what was first sent {(sent - first) // DAY} days before"
            self.tell("F12", MEDIUM, place.way, reason, seen, key="old")


class DropCopy(Detector):
    """F26: who only listens asks for everything from the beginning."""

    types = ("2",)

    def see(self, seen: Sighting, place: Place) -> None:
        line = place.line
        if _number(seen.get(7)) == 1 and not any(line.types.get(kind) for kind in "DGF"):
            reports = line.session.lines[1 - line.side].types.get("8", 0)
            if reports >= self.limits.drop_reports:
                reason = f"asks for all from 1 after {reports} reports, and never sent an order"
                self.tell("F26", HIGH, place.way, reason, seen)


def _number(value: bytes | None) -> int:
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else 0


DETECTORS: Final[tuple[type[Detector], ...]] = (
    Jump,
    Reset,
    ResendStorm,
    Replay,
    PossDup,
    DropCopy,
)
