"""What messages say, and how they are written: F13 to F16, F21 and F29."""

import math
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Final

from fondaco.domain.fix.api import Sighting
from fondaco.domain.surveillance.fix.detector import (
    DAY,
    HIGH,
    HOUR,
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
from fondaco.domain.surveillance.fix.triage import (
    BINARY,
    LONG,
    ODD,
    ONCE_EVERYWHERE,
    ONCE_IN_ORDERS,
    SIZE,
    TEXT_MIN,
    UNDEFINED,
)

_ECHOED: Final = (54, 55, 38, 44)
_ECHOED_BITS: Final = sum(1 << tag for tag in _ECHOED)
_NAMES: Final = {54: "Side", 55: "Symbol", 38: "OrderQty", 44: "Price"}
_ENDED: Final = frozenset({b"2", b"4", b"8", b"C"})  # OrdStatus of orders that are over
_HEAD: Final = frozenset({8, 9, 35, 34, 43, 49, 50, 52, 56, 57, 97, 115, 116, 122, 128, 129})
_COUNTS: Final = (453, 78, 268, 267, 146, 73, 382, 136, 232, 555, 711, 802, 539, 33, 199, 215, 295)
_TEXTS: Final = (58, 96, 354, 355, 148, 213)
_SECOND_BEGIN: Final = re.compile(rb"\x018=|\x0110=[^\x01]*\x01.")
_MAGIC: Final = re.compile(rb"^(PK\x03\x04|\x1f\x8b|7z\xbc\xaf|%PDF|MZ|\x7fELF)")
_BLOB: Final = re.compile(rb"^(?:[A-Za-z0-9+/_-]{80,}={0,2}|(?:[0-9a-fA-F]{2}){40,})$")
_STRATEGIES_MAX: Final = 2_000
_TAGS_MAX: Final = 200  # of one strategy
_ALGO: Final = (847, 848, 957, 958, 959, 960)


class Tampering(Detector):
    """F13: an execution report differs from the order that it answers."""

    types = ("D", "G", "8")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._orders = Lately(limits.orders_kept)

    def see(self, seen: Sighting, place: Place) -> None:
        if seen.cl_ord_id is None:
            return
        key = (id(place.line.session), seen.cl_ord_id)
        if seen.msg_type != "8":
            if self._orders.get(key) is None:
                self._orders[key] = seen
            return
        order = self._orders.get(key)
        if order is None:
            return
        differs = seen.twice & _ECHOED_BITS or any(seen.differs(order, tag) for tag in _ECHOED)
        if differs and seen.get(150) != b"D":
            self._compare(order, seen, place)
        if seen.get(39) in _ENDED:
            self._orders.pop(key)

    def _compare(self, order: Sighting, seen: Sighting, place: Place) -> None:
        for tag in _ECHOED:
            asked, answered = order.get(tag), seen.get(tag)
            if asked is not None and answered is not None and asked != answered:
                if tag in (38, 44) and _number(asked) == _number(answered):
                    continue
                reason = f"{_NAMES[tag]} {_text(asked)} was ordered, {_text(answered)} is confirmed"
                self.tell("F13", HIGH, place.session, reason, order, seen, key=tag)


class BadFrames(Detector):
    """F14: BodyLength or CheckSum are wrong."""

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._minute = Window(MINUTE)

    def garbled(self, seen: Sighting, place: Place) -> None:
        if place.call.flow.is_log:
            reason = f"{seen.garbled}: somebody edited the log, or a message in it"
            self.tell("F14", LOW, place.way, reason, seen)
            return
        count = self._minute.add(id(place.line), seen.at)
        total = place.line.messages
        many = count > self.limits.garbled_minute
        reason = f"{seen.garbled}" + (f"; {count} in a minute, of {total} in all" if many else "")
        self.tell("F14", MEDIUM if many else LOW, place.way, reason, seen)


class Malformed(Detector):
    """F15: values and counts beyond what is reasonable."""

    types = None
    when = BINARY | LONG | SIZE

    def garbled(self, seen: Sighting, place: Place) -> None:
        if len(seen.raw) > self.limits.message_max:
            self._told(seen, place, f"a message of {len(seen.raw)} bytes", "size")

    def see(self, seen: Sighting, place: Place) -> None:
        raw = seen.raw
        if seen.odd_bytes and seen.get(347) is None and _controls(seen):
            self._told(seen, place, "control characters in a text", "bytes")
        if len(raw) > self.limits.message_max:
            self._told(seen, place, f"a message of {len(raw)} bytes", "size")
        if len(raw) > self.limits.value_max:
            self._long(seen, place)
        if seen.msg_type in ("D", "G"):
            quantity = seen.get(38)
            if quantity is not None and not (_number(quantity) or Decimal(0)) > 0:
                self._told(seen, place, f"OrderQty is {_text(quantity)}", "quantity")

    def _long(self, seen: Sighting, place: Place) -> None:
        if len(seen.tags) > self.limits.fields_max:
            self._told(seen, place, f"{len(seen.tags)} fields", "fields")
        for tag, value in seen.fields.items():
            if len(value) > self.limits.value_max and tag not in _TEXTS:
                self._told(seen, place, f"{len(value)} bytes in tag {tag}", "value")
        for tag in _COUNTS:
            count = seen.get(tag)
            if count is not None and (_number(count) or 0) > self.limits.group_max:
                self._told(seen, place, f"{_text(count)} entries in group {tag}", "group")

    def _told(self, seen: Sighting, place: Place, reason: str, key: str) -> None:
        self.tell("F15", MEDIUM, place.way, reason, seen, key=key)


class Rejects(Detector):
    """F15: what malformed messages earn."""

    types = ("3", "j")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._rejects = Window(MINUTE)
        self._tags = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        count = self._rejects.add(id(place.line), seen.at)
        tag = seen.get(371)
        if tag is not None:
            tags = self._tags.setdefault(id(place.line), {})
            tags.pop(tag, None)
            tags[tag] = seen.at
            for each in [each for each, at in tags.items() if seen.at - at > MINUTE]:
                del tags[each]
            if len(tags) > self.limits.rejected_tags:
                names = ", ".join(_text(each) for each in list(tags)[:8])
                reason = f"{len(tags)} different tags rejected in a minute: {names}"
                severity = LOW if place.call.is_log else MEDIUM
                self.tell("F15", severity, place.session, reason, seen, key="tags")
        if count > self.limits.rejects_minute:
            code = _text(seen.get(373) or seen.get(380))
            reason = f"{count} rejects in a minute, the last of tag {_text(tag)}, reason {code}"
            severity = LOW if place.call.is_log else MEDIUM
            self.tell("F15", severity, place.session, reason, seen, key="rejects")


class Undefined(Detector):
    """F15: tags that FIX does not define, one after the other."""

    types = None
    when = UNDEFINED

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._tags = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        found = [tag for tag, _ in seen.fields_from(3_200) if tag < 5_000 or tag >= 50_000]
        known: set[int]
        hour, known = self._tags.get(id(place.line)) or (0, set())
        if hour != seen.at // HOUR:
            hour, known = seen.at // HOUR, set()
        if len(known) < _TAGS_MAX:
            known.update(found)
        self._tags[id(place.line)] = (hour, known)
        if len(known) > self.limits.undefined_tags:
            reason = f"{len(known)} different tags in an hour that FIX does not define: {found[0]}"
            self.tell("F15", MEDIUM, place.way, reason, seen, key="undefined")


class Shadowing(Detector):
    """F16: one parser takes the first value, another the last."""

    types = None
    when = ODD

    def see(self, seen: Sighting, place: Place) -> None:
        tags = seen.tags
        for odd in seen.oddities:
            empty = odd.startswith("empty")
            self._told(seen, place, odd, "empty" if empty else "written", LOW if empty else HIGH)
        if len(tags) > 2 and tags[2] != 35:
            self._told(seen, place, f"the third field is {tags[2]}, not 35", "third", HIGH)
        if len(tags) != len(seen.fields):
            once = ONCE_EVERYWHERE
            if seen.msg_type in ("D", "F", "G"):
                once = once | ONCE_IN_ORDERS
            twice = [tag for tag, n in Counter(tags).items() if n > 1 and tag in once]
            if twice:
                self._told(seen, place, f"tag {twice[0]} stands twice", "twice", HIGH)
        if self._late(tags):
            self._told(seen, place, "a header field stands in the body", "late", HIGH)

    def garbled(self, seen: Sighting, place: Place) -> None:
        if _SECOND_BEGIN.search(seen.raw) and not place.call.flow.is_log:
            self._told(seen, place, "a second message inside one message", "inside", HIGH)

    def _late(self, tags: list[int]) -> bool:
        """The routing fields come before the body. Others are written late by good engines."""
        begun = False
        for tag in tags[3:]:
            if begun and tag in (34, 35, 49, 56):
                return True
            begun = begun or tag in (11, 37, 55, 54, 38, 44, 58, 112, 98)
        return False

    def _told(self, seen: Sighting, place: Place, reason: str, key: str, severity: object) -> None:
        log = place.call.flow.is_log
        self.tell("F16", LOW if log or severity is LOW else HIGH, place.way, reason, seen, key=key)


class FreeText(Detector):
    """F21: text that is none."""

    types = None
    when = LONG

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._day = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        if seen.longest < TEXT_MIN or seen.msg_type == "A":
            return
        for tag, value in seen.fields.items():
            if len(value) < TEXT_MIN or not (tag in _TEXTS or tag >= 5000):
                continue
            why = self._suspicious(value)
            if not why:
                continue
            key = (id(place.line), seen.at // DAY)
            volume = self._day[key] = (self._day.get(key) or 0) + len(value)
            severity = HIGH if volume > self.limits.text_day else MEDIUM
            reason = f"{len(value)} bytes in tag {tag}: {why}; {volume} bytes this day"
            self.tell("F21", severity, place.way, reason, seen)

    def _suspicious(self, value: bytes) -> str:
        if _MAGIC.match(value):
            return "it begins like a file"
        if _BLOB.match(value):
            return "it is base64 or hexadecimal"
        if len(value) >= self.limits.text_length:
            bits = entropy(value)
            if bits > self.limits.text_entropy and value.count(b" ") < len(value) / 12:
                return f"{bits:.1f} bits a byte"
        return ""


class AlgoParameters(Detector):
    """F29: a strategy comes with parameters or values that it never had."""

    types = ("D", "G", "E")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._orders = Lately()
        self._values = Lately(_STRATEGIES_MAX)

    def see(self, seen: Sighting, place: Place) -> None:
        strategy = seen.get(847)
        if strategy is None:
            return
        key = (id(place.line), strategy)
        count = self._orders[key] = (self._orders.get(key) or 0) + 1
        known = self._values.setdefault(key, {})
        learned = count > self.limits.orders_learned
        for tag, value in seen.fields_from(_ALGO[0]):
            if tag not in _ALGO and tag < 5000:
                continue
            if len(known) >= _TAGS_MAX and tag not in known:
                continue
            values = known.setdefault(tag, set())
            if value not in values:
                if learned and not values:
                    self._told(seen, place, f"tag {tag} for strategy {_text(strategy)}")
                elif learned and len(values) <= 5:
                    self._told(
                        seen, place, f"{_text(value)} in tag {tag}, always one of {len(values)}"
                    )
                if len(values) < 100:
                    values.add(value)

    def _told(self, seen: Sighting, place: Place, what: str) -> None:
        self.tell("F29", MEDIUM, place.way, f"new: {what}", seen)


def entropy(value: bytes) -> float:
    """Shannon's, in bits a byte."""
    counts = Counter(value)
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in counts.values())


def _controls(seen: Sighting) -> bool:
    """NUL and its like outside data fields; letters beyond ASCII are only spelled wrongly."""
    return any(
        any(byte < 32 for byte in value)
        for tag, value in seen.fields.items()
        if tag not in (96, 89, 91, 213, 349, 351, 353, 355, 357, 359, 361, 363, 365)
    )


def _number(value: bytes) -> Decimal | None:
    try:
        return Decimal(value.decode("ascii"))
    except (InvalidOperation, UnicodeDecodeError):
        return None


def _text(value: bytes | None) -> str:
    return "none" if value is None else value[:64].decode("latin-1")


DETECTORS: Final[tuple[type[Detector], ...]] = (
    Tampering,
    BadFrames,
    Malformed,
    Rejects,
    Undefined,
    Shadowing,
    FreeText,
    AlgoParameters,
)
