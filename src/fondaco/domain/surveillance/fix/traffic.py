"""Rates, sizes, clocks and segments: F17, F20, F24, F25, F27, F28 and F30."""

from collections import deque
from typing import Final

from fondaco.domain.fix.api import Endpoint, Flow, Greeting, Oddity, Sighting
from fondaco.domain.surveillance.fix.detector import (
    DAY,
    HIGH,
    LOW,
    MEDIUM,
    MINUTE,
    SECOND,
    Call,
    Detector,
    Lately,
    Place,
    Tell,
    Window,
)
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.times import timestamp
from fondaco.domain.surveillance.fix.triage import DUP, SKEWED

_MS: Final = 1_000_000
_KEPT: Final = 200  # sizes and prices of an instrument
_INSTRUMENTS_MAX: Final = 4_000  # of all sessions


class HeartbeatFlood(Detector):
    """F17: heartbeats and test requests far beyond the agreed interval."""

    types = ("0", "1")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._window = Window(10 * SECOND)

    def see(self, seen: Sighting, place: Place) -> None:
        count = self._window.add(id(place.line), seen.at)
        if count > self.limits.admin_10s:
            reason = f"{count} heartbeats and test requests in 10 s"
            severity = LOW if place.call.flow.is_log else MEDIUM  # whose times may be copied
            self.tell("F17", severity, place.way, reason, seen)


class Clock(Detector):
    """F20: SendingTime beside the capture's clock, and beside the message's other times."""

    types = None
    when = SKEWED | DUP

    def see(self, seen: Sighting, place: Place) -> None:
        sent = seen.sent
        if not sent:
            return
        first = timestamp(seen.get(122)) if seen.poss_dup else 0
        if first > sent:
            reason = "OrigSendingTime is later than SendingTime"
            self.tell("F20", MEDIUM, place.way, reason, seen, key="orig")
        if place.call.flow.is_log:
            return
        exact = seen.has_fraction()
        skew = sent - seen.at
        off = abs(skew) - (0 if exact else SECOND)
        if off > self.limits.skew_warn_ms * _MS:
            self._off(seen, place, skew, off)
        elif exact:
            self._drift(seen, place, skew)

    def _off(self, seen: Sighting, place: Place, skew: int, off: int) -> None:
        """Where both ends are off alike, the capture's clock is; so the other end is waited for."""
        track, other = place.track, place.other
        track.times, track.skew, track.has_skew = track.times + 1, skew, True
        if not other.has_skew and track.times <= 3:
            return
        alike = other.has_skew and abs(other.skew - skew) < 2 * self.limits.skew_warn_ms * _MS
        far = off > self.limits.skew_max_ms * _MS
        reason = f"SendingTime is {skew / SECOND:+.1f} s beside the capture's clock" + (
            ", as the other end's is: the capture's clock may be off" if alike else ""
        )
        severity = LOW if alike else HIGH if far else MEDIUM
        self.tell("F20", severity, place.way, reason, seen, key=("off", far, alike))

    def _drift(self, seen: Sighting, place: Place, skew: int) -> None:
        began, before = place.track.drift_at, place.track.drift_skew
        passed = seen.at - began
        if passed > MINUTE and abs(skew - before) > 500 * _MS:
            slope = (skew - before) * 1_000_000 // passed  # microseconds a second
            if abs(slope) > self.limits.skew_slope_us_s:
                reason = f"the clock drifts by {slope / 1000:+.1f} ms a second"
                self.tell("F20", MEDIUM, place.way, reason, seen, key="drift")


class _Usual:
    """What orders of one session and instrument are like: recent sizes and prices, the 99th
    percentile of the sizes and the median of the prices."""

    __slots__ = ("count", "large", "middle", "off", "paid", "prices", "sizes", "worth")

    def __init__(self) -> None:
        self.count = 0
        self.large = self.middle = self.off = self.paid = 0.0
        self.worth: deque[float] = deque(maxlen=_KEPT)
        self.sizes: deque[float] = deque(maxlen=_KEPT)
        self.prices: deque[float] = deque(maxlen=_KEPT)

    def add(self, size: float, price: float | None) -> None:
        self.sizes.append(size)
        if price:
            self.prices.append(price)
            self.worth.append(size * price)
        self.count += 1

    def settle(self) -> None:
        ordered = sorted(self.sizes)
        self.large = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        if not self.prices:
            return
        worth, prices = sorted(self.worth), sorted(self.prices)
        self.paid = worth[min(len(worth) - 1, len(worth) * 99 // 100)]
        self.middle = prices[len(prices) // 2]
        low, high = prices[len(prices) // 10], prices[len(prices) * 9 // 10]
        # Half of what holds eight orders of ten: whoever always bids far away is used to it.
        self.off = (high - low) / 2 / self.middle if self.middle else 0.0


class FatFinger(Detector):
    """F24: a size or price far from those of the same session and instrument."""

    types = ("D", "G", "8")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._usual = Lately(_INSTRUMENTS_MAX)
        self._volumes = Lately(_INSTRUMENTS_MAX)
        self._much = ""

    def _filled(self, seen: Sighting) -> None:
        """The volume of each instrument, day by day: OrderQty where nothing is left of it."""
        if seen.get(39) != b"2":
            return
        symbol, size = seen.get(55), _float(seen.get(38))
        if symbol is None or size is None:
            return
        day = seen.at // DAY
        known = self._volumes.get(symbol)
        if known is None or known[0] != day:
            last, before, days = known[1:] if known is not None else (0.0, 0.0, 0)
            known = self._volumes[symbol] = [day, 0.0, before + last, days + (known is not None)]
        known[1] += size

    def _is_much(self, seen: Sighting, size: float, usual: _Usual) -> bool:
        """Beside the average daily volume, once enough days are known."""
        known = self._volumes.get(seen.get(55))
        if known is None or known[3] < self.limits.days_learned:
            return False
        average = known[2] / known[3]
        share = size / average * 100 if average else 0.0
        self._much = f"{size:g} is {share:.0f} % of the average daily volume seen, {average:g}"
        large = size > self.limits.volume_times * usual.large
        return large and share > self.limits.volume_percent

    def see(self, seen: Sighting, place: Place) -> None:
        if seen.msg_type == "8":
            self._filled(seen)
            return
        symbol = seen.get(55)
        size = _float(seen.get(38))
        if symbol is None or size is None:
            return
        key = (id(place.line), symbol)
        usual = self._usual.get(key)
        if usual is None:
            usual = self._usual[key] = _Usual()
        price = _float(seen.get(44))
        learned = usual.count >= self.limits.orders_learned
        if learned:
            name = symbol.decode("latin-1")
            if size > self.limits.size_times * usual.large:
                reason = f"{size:g} of {name}: 99 of 100 orders are at most {usual.large:g}"
                self.tell("F24", HIGH, place.way, reason, seen, key="size")
                size = usual.large
            elif price and size * price > self.limits.size_times * usual.paid:
                reason = f"{size * price:g} worth of {name}: 99 of 100 are at most {usual.paid:g}"
                self.tell("F24", HIGH, place.way, reason, seen, key="worth")
            elif self._is_much(seen, size, usual):
                self.tell("F24", MEDIUM, place.way, self._much, seen, key="volume")
            off = abs(price / usual.middle - 1) * 100 if price and usual.middle else 0
            spreads = self.limits.price_spreads * usual.off * 100
            if off > max(self.limits.price_off_percent, spreads):
                reason = f"{name} at {price:g}, {off:.0f} % from recent {usual.middle:g}"
                self.tell("F24", MEDIUM, place.way, reason, seen, key="price")
                price = None
        usual.add(size, price)
        if not learned or usual.count % 50 == 0:
            usual.settle()


class Burst(Detector):
    """F25: far more orders and cancels than usual, or nothing but cancels."""

    types = ("D", "F", "G")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._state: dict[int, list[float]] = {}  # second, count, usual; minute, orders, cancels

    def see(self, seen: Sighting, place: Place) -> None:
        key = id(place.line)
        state = self._state.get(key)
        second = seen.at // SECOND
        if state is None:
            state = self._state[key] = [second, 0, 1.0, second // 60, 0, 0]
        if second != state[0]:
            quiet = min(max(second - state[0], 0), 60)
            state[2] = max(state[2] * 0.98**quiet + state[1] * 0.02, 1.0)
            state[0], state[1] = second, 0
        if second // 60 != state[3]:
            state[3:] = [second // 60, 0, 0]
        state[1] += 1
        state[4] += seen.msg_type == "D"
        state[5] += seen.msg_type == "F"
        usual = state[2]
        if state[1] > max(self.limits.burst_second, self.limits.burst_times * usual):
            reason = f"{state[1]:.0f} orders, changes and cancels in a second; {usual:.0f} is usual"
            self.tell("F25", MEDIUM, place.way, reason, seen, key="burst")
        entered, canceled = state[4], state[5]
        if entered >= self.limits.cancel_orders and canceled > self.limits.cancel_share * entered:
            reason = f"{canceled:.0f} of {entered:.0f} orders of this minute are canceled"
            self.tell("F25", MEDIUM, place.way, reason, seen, key="cancels")


class Reassembly(Detector):
    """F27: segments that two readers would put together differently."""

    def noted(self, flow: Flow, note: Oddity) -> None:
        if note.kind == "conflict":
            self.tell("F27", HIGH, str(flow), note.text, key="conflict", at=note.at)
        elif note.kind == "after reset":
            self.tell("F27", MEDIUM, str(flow), "bytes after a reset", key="reset", at=note.at)
        elif note.kind == "out of window":
            self.tell("F27", MEDIUM, str(flow), note.text, key="window", at=note.at)

    def closed(self, call: Call) -> None:
        for half in call.flow.halves:
            if half.tiny > max(self.limits.tiny_segments, half.segments // 2):
                reason = f"{half.tiny} of {half.segments} segments have less than 8 bytes"
                self.tell("F27", MEDIUM, str(call.flow), reason, key="tiny", at=half.last_at)


class WeakTls(Detector):
    """F28: greetings that FIXS forbids, and plain FIX where TLS is spoken."""

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._encrypted = Lately()
        self._leaf = Lately()

    def closed(self, call: Call) -> None:
        flow = call.flow
        server = flow.ends[1]
        for half in flow.halves:
            if half.tls is not None and half.side not in flow.greetings:
                flow.encrypted(half.side, bytes(half.tls))
        if flow.greetings:
            self._encrypted[server] = True
        elif flow.messages and server in self._encrypted:
            reason = f"plain FIX to {server}, where others speak TLS"
            self.tell("F28", HIGH, str(server), reason, key="plain", at=flow.first_at)
        for greeting in flow.greetings.values():
            for weakness in greeting.weaknesses(flow.first_at // SECOND):
                self.tell("F28", HIGH, str(server), weakness, key=weakness, at=flow.first_at)
            if greeting.fingerprint:
                self._changed((server, greeting.role), greeting, flow)

    def _changed(self, end: tuple[Endpoint, str], greeting: Greeting, flow: Flow) -> None:
        """A certificate is renewed now and then, and keeps its name."""
        before = self._leaf.setdefault(end, greeting)
        if before.fingerprint == greeting.fingerprint:
            return
        self._leaf[end] = greeting
        reason = f"the certificate {before.fingerprint[:16]} became {greeting.fingerprint[:16]}"
        severity = MEDIUM
        if before.subject != greeting.subject:
            reason += f", and {before.subject or 'no name'} {greeting.subject or 'no name'}"
            severity = HIGH
        self.tell("F28", severity, str(end[0]), reason, key=severity, at=flow.first_at)


class MassCancel(Detector):
    """F30: everything is canceled more than once, or right after a line was cut."""

    types = ("q", "F")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._window = Window(10 * MINUTE)
        self._cancels = Window(5 * SECOND)
        self._dropped = Lately()

    def closed(self, call: Call) -> None:
        if call.flow.reset_at:
            self._dropped[call.flow.ends[1].host] = call.flow.reset_at

    def see(self, seen: Sighting, place: Place) -> None:
        if seen.msg_type == "q":
            count = self._window.add(id(place.line), seen.at)
            many = count >= self.limits.mass_cancels
            reason = f"{count} mass cancels in 10 minutes" if many else "a mass cancel"
            self.tell("F30", MEDIUM if many else LOW, place.way, reason, seen, key=many)
            return
        count = self._cancels.add(id(place.line), seen.at)
        dropped = self._dropped.get(place.call.flow.ends[1].host) or -DAY
        if count >= self.limits.cancels_after_drop and seen.at - dropped < 5 * SECOND:
            reason = f"{count} cancels within 5 s after a connection was reset"
            self.tell("F30", MEDIUM, place.way, reason, seen, key="drop")


def _float(value: bytes | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None


DETECTORS: Final[tuple[type[Detector], ...]] = (
    HeartbeatFlood,
    Clock,
    FatFinger,
    Burst,
    Reassembly,
    WeakTls,
    MassCancel,
)
