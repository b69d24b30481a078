"""Who comes in, from where, as whom: F01 to F07, F18 and F19."""

from typing import ClassVar, Final

from fondaco.domain.fix.api import Flow, Oddity, Sighting
from fondaco.domain.surveillance.fix.detector import (
    HIGH,
    HOUR,
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
from fondaco.domain.surveillance.fix.triage import MOVED, OUTSIDE, STRANGE

_ADMIN: Final = frozenset("0123456A") | {"n"}
_TRIED_MAX: Final = 1000  # names of an address, addresses of a name
_SUBS: Final = {
    50: "SenderSubID",
    57: "TargetSubID",
    115: "OnBehalfOfCompID",
    128: "DeliverToCompID",
}
_CREDENTIALS: Final = (554, 925, 1402, 1404, 96)


class _Logons(Detector):
    """Tells its children of logons that failed, once each."""

    types: ClassVar[tuple[str, ...] | None] = ("5", "3", "j")

    def see(self, seen: Sighting, place: Place) -> None:
        call = place.call
        if call.logon is not None and not call.accepted and seen.half is not call.logon.half:
            self._fails(call, call.logon, seen)

    def closed(self, call: Call) -> None:
        if call.logon is not None and not call.accepted and call.ended_at:
            self._fails(call, call.logon, None)

    def _fails(self, call: Call, logon: Sighting, answer: Sighting | None) -> None:
        if self not in call.told:
            call.told.append(self)
            self.failed(call, logon, answer)

    def failed(self, call: Call, logon: Sighting, answer: Sighting | None) -> None:
        """A logon was refused by a message, or by hanging up."""


class BruteForce(_Logons):
    """F01: failed logons from one address, or for one CompID."""

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._minute = Window(MINUTE)
        self._hour = Window(HOUR)

    def failed(self, call: Call, logon: Sighting, answer: Sighting | None) -> None:
        at = answer.at if answer is not None else call.last_at
        for subject in (call.host, f"CompID {logon.sender.decode('latin-1')}"):
            minute = self._minute.add(subject, at)
            hour = self._hour.add(subject, at)
            if minute >= self.limits.logon_failures_minute:
                self.tell("F01", HIGH, subject, f"{minute} logons failed in a minute", logon)
            elif hour >= self.limits.logon_failures_hour:
                self.tell("F01", HIGH, subject, f"{hour} logons failed in an hour", logon)


class Enumeration(_Logons):
    """F02: one address tries many CompIDs."""

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._tried = Lately()

    def failed(self, call: Call, logon: Sighting, answer: Sighting | None) -> None:
        tried = self._tried.setdefault(call.host, {})
        if len(tried) < _TRIED_MAX:
            tried[logon.sender] = logon.at
        fresh = {name: at for name, at in tried.items() if logon.at - at <= 10 * MINUTE}
        self._tried[call.host] = fresh
        if len(fresh) >= self.limits.comp_ids_tried:
            names = ", ".join(sorted(name.decode("latin-1") for name in fresh)[:8])
            reason = f"{len(fresh)} CompIDs failed to log on in 10 minutes: {names}"
            self.tell("F02", HIGH, call.host, reason, logon)


class Cleartext(Detector):
    """F03: a credential can be read by whoever can read the wire."""

    types = ("A", "BE")

    def see(self, seen: Sighting, place: Place) -> None:
        found = [tag for tag in _CREDENTIALS if seen.get(tag)]
        flow = place.call.flow
        if found and not flow.encrypted_by_tls:
            where = "on the wire: no TLS"
            if flow.is_log:
                where = "in the log, as it could by whoever reads it"
            elif flow.encrypted_by_tls is None:
                where = "on the wire, unless TLS is spoken: nobody said so"
            wire = not flow.is_log and flow.encrypted_by_tls is False
            reason = f"tag {found[0]} can be read {where}"
            self.tell("F03", MEDIUM if wire else LOW, place.way, reason, seen)


class Elsewhere(Detector):
    """F04: the first address of a CompID is learned, others are told."""

    types = ("A",)

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._hosts = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        end = seen.half.endpoint
        if place.call.flow.is_log or len(end.address) not in (4, 16):  # a name, no address
            return
        host = end.host
        known = self._hosts.setdefault((seen.sender, seen.target), {})
        if not known:
            known[host] = seen
        elif host not in known:
            first = next(iter(known.values()))
            if len(known) < _TRIED_MAX:
                known[host] = seen
            reason = f"logs on from {host}; it was {', '.join(list(known)[:3])} before"
            self.tell("F04", MEDIUM, place.way, reason, first, seen, key=host)


class ChangedIdentity(Detector):
    """F05: a connection's messages name another party than its logon did."""

    types = None
    when = STRANGE

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._behalf = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        logon = place.call.logon
        if logon is None or place.call.flow.is_log:
            return
        if seen.begin != logon.begin:
            reason = f"names BeginString {_text(seen.begin)} after a logon as {_text(logon.begin)}"
            self.tell("F05", HIGH, str(place.call.flow), reason, logon, seen, key="begin")
        same = seen.half is logon.half
        sender, target = (logon.sender, logon.target) if same else (logon.target, logon.sender)
        if seen.sender != sender or seen.target != target:
            reason = (
                f"names {_text(seen.sender)} → {_text(seen.target)} after a logon as "
                f"{_text(sender)} → {_text(target)}"
            )
            self.tell("F05", HIGH, str(place.call.flow), reason, logon, seen)
        self._further(logon, seen, place)

    def _further(self, logon: Sighting, seen: Sighting, place: Place) -> None:
        """Desks and those on whose behalf: one that the logon named, or those that were usual."""
        flow = str(place.call.flow)
        for mine, theirs in ((50, 57), (57, 50)):
            was = logon.get(mine if seen.half is logon.half else theirs)
            now = seen.get(mine)
            if was and now and was != now:
                reason = f"{_SUBS[mine]} {_text(now)} after a logon with {_text(was)}"
                self.tell("F05", MEDIUM, flow, reason, logon, seen, key=mine)
        for tag in (115, 128):
            now = seen.get(tag)
            if now is None:
                continue
            key = (id(place.line), tag)
            known = self._behalf.setdefault(key, {})
            if now not in known and len(known) < _TRIED_MAX:
                count = sum(known.values())
                if known and count >= self.limits.orders_learned:
                    reason = f"{_SUBS[tag]} {_text(now)} in none of {count} messages before"
                    self.tell("F05", MEDIUM, flow, reason, seen, key=tag)
            known[now] = known.get(now, 0) + 1


class Hijack(Detector):
    """F06: a second connection with the identity of one that lives; a TTL that
    jumps, a TLS client that is another."""

    types = None
    when = MOVED

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._greetings = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        call = place.call
        track = place.track
        other, last = track.owner, track.last
        if other is None or last is None:
            track.owner, track.last = call, seen
            return
        beat = max(place.line.session.heart_bt_int, 1) * 3 * SECOND
        if seen.msg_type != "A" and call.logon is None and call.flow.began:
            reason = f"goes on with MsgSeqNum {seen.seq} over another connection without a logon"
            self.tell("F06", HIGH, place.way, reason, last, seen, key="moves")
        elif not other.is_over(seen.at) and seen.at - last.at < beat:
            reason = f"logs on from {call.host} while its session from {other.host} lives"
            self.tell("F06", HIGH, place.way, reason, last, seen, key="twice")
            if not call.accepted:
                return
        track.owner, track.last = call, seen

    def closed(self, call: Call) -> None:
        """A client whose TLS library is another than it was: its greeting's JA3."""
        greeting = call.flow.greetings.get(0)
        if greeting is None or not greeting.ja3:
            return
        known = self._greetings.setdefault((call.host, call.flow.ends[1]), {})
        if known and greeting.ja3 not in known and len(known) < _TRIED_MAX:
            reason = f"greets as TLS client {greeting.ja3} (JA3), before as {next(iter(known))}"
            at = call.flow.first_at
            self.tell("F06", MEDIUM, call.host, reason, key=greeting.ja3, at=at)
        known[greeting.ja3] = True

    def noted(self, flow: Flow, note: Oddity) -> None:
        if note.kind == "ttl":
            before, after = (int(word) for word in note.text.split() if word.isdigit())
            if abs(before - after) >= self.limits.ttl_change:
                self.tell("F06", MEDIUM, str(flow), f"{note.text} in mid connection", at=note.at)


class OutsideSession(Detector):
    """F07: business messages before the logon or after the logout."""

    types = None
    when = OUTSIDE

    def see(self, seen: Sighting, place: Place) -> None:
        call = place.call
        if seen.msg_type in _ADMIN or call.flow.is_log:
            return
        if call.flow.began and (call.before in ("connected", "logon")) and not call.accepted:
            reason = f"MsgType {seen.msg_type} before the logon was accepted"
            self.tell("F07", HIGH, place.way, reason, seen, key="before")
        elif call.before == "closed" and call.logouts > 1:
            reason = f"MsgType {seen.msg_type} after both ends had logged out"
            self.tell("F07", HIGH, place.way, reason, seen, key="after")


class ConnectionFlood(Detector):
    """F18: connections by the dozen, or that never say a word."""

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._minute = Window(MINUTE)
        self._silent = Window(MINUTE)
        self._waiting: dict[int, Call] = {}

    def opened(self, call: Call) -> None:
        if not call.flow.began:
            return
        if not call.flow.is_log:
            self._waiting[call.flow.number] = call
        count = self._minute.add(call.host, call.flow.first_at)
        if count > self.limits.connects_minute:
            reason = f"{count} connections in a minute"
            self.tell("F18", MEDIUM, call.host, reason, key="flood", at=call.flow.first_at)

    def closed(self, call: Call) -> None:
        if self._waiting.pop(call.flow.number, None) is not None:
            self._waited(call)

    def passed(self, at: int) -> None:
        """A connection that has not said a word within LogonTimeout is half open."""
        latest = at - self.limits.logon_wait_s * SECOND
        late = [call for call in self._waiting.values() if call.flow.first_at < latest]
        for call in late:
            del self._waiting[call.flow.number]
            self._waited(call)

    def _waited(self, call: Call) -> None:
        flow = call.flow
        if any(half.octets for half in flow.halves):
            return
        count = self._silent.add(call.host, flow.first_at)
        if count >= self.limits.silent_connects_minute:
            reason = f"{count} connections in a minute without a byte in them"
            self.tell("F18", MEDIUM, call.host, reason, key="silent", at=flow.first_at)


class Squatting(_Logons):
    """F19: the owner of an identity cannot log on while somebody else holds it."""

    types = ("5", "3", "j", "A")

    def __init__(self, limits: Thresholds, tell: Tell) -> None:
        super().__init__(limits, tell)
        self._owner = Lately()
        self._holder = Lately()

    def see(self, seen: Sighting, place: Place) -> None:
        super().see(seen, place)
        call = place.call
        if seen.msg_type == "A" and call.accepted and call.logon is not None:
            key = (call.logon.sender, call.logon.target)
            self._owner.setdefault(key, call.host)
            self._holder[key] = call

    def failed(self, call: Call, logon: Sighting, answer: Sighting | None) -> None:
        key = (logon.sender, logon.target)
        holder = self._holder.get(key)
        if holder is None or call.host != self._owner.get(key) or holder.host == call.host:
            return
        if not holder.is_over(call.last_at) and holder.logon is not None:
            reason = f"{holder.host} holds the session while {call.host}, its owner, is refused"
            subject = f"{_text(logon.sender)} to {_text(logon.target)}"
            self.tell("F19", HIGH, subject, reason, holder.logon, logon)


def _text(name: bytes) -> str:
    return name.decode("latin-1") or "?"


DETECTORS: Final[tuple[type[Detector], ...]] = (
    BruteForce,
    Enumeration,
    Cleartext,
    Elsewhere,
    ChangedIdentity,
    Hijack,
    OutsideSession,
    ConnectionFlood,
    Squatting,
)
