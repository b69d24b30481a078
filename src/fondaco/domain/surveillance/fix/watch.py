"""Runs the detectors over messages in the order of the wire, and keeps what they found."""

from collections.abc import Iterable, Sequence
from typing import Final

from fondaco.domain.fix.api import Flow, Line, Sighting, Tally
from fondaco.domain.surveillance.fix import content, logons, novelty, sequences, traffic
from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline
from fondaco.domain.surveillance.fix.behaviour.deviation import Deviation
from fondaco.domain.surveillance.fix.bounded import Lately
from fondaco.domain.surveillance.fix.detector import SECOND, Call, Detector
from fondaco.domain.surveillance.fix.evidence import evidence_of
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.patterns import BEHAVIOUR, PATTERNS
from fondaco.domain.surveillance.fix.triage import Triage
from fondaco.domain.surveillance.model import Alert, Evidence, Pattern, Severity

_ALL: Final = {**PATTERNS, **BEHAVIOUR}
ALERTS_MAX: Final = 10_000
NEWEST_MAX: Final = 10_000  # alerts that may be counted up
DETECTORS: Final[tuple[type[Detector], ...]] = (
    *logons.DETECTORS,
    *sequences.DETECTORS,
    *content.DETECTORS,
    *traffic.DETECTORS,
    *novelty.DETECTORS,
)


class Watch:
    """Give every message to `see` before the session's counters move, and the connections to
    `after` now and then; `finish` at the end. `alerts` has what was found, oldest first."""

    def __init__(
        self,
        limits: Thresholds | None = None,
        detectors: Sequence[type[Detector]] = DETECTORS,
        baseline: Baseline | None = None,
    ) -> None:
        self.limits = limits or Thresholds()
        self.file = ""
        self.alerts: list[Alert] = []
        self.unkept = 0
        self._detectors: list[Detector] = [each(self.limits, self._tell) for each in detectors]
        self.deviation: Deviation | None = None
        if baseline is not None:
            self.deviation = Deviation(self.limits, self._tell, baseline)
            self._detectors.append(self.deviation)
        self._newest = Lately(NEWEST_MAX)
        self._raised: list[Alert] = []
        self._told = 0
        self._calls: dict[int, Call] = {}
        self._triage = Triage(self.limits, self._detectors, self._call)
        self._known = 0
        self._noted: dict[int, int] = {}
        self._open: dict[int, Call] = {}

    def begin(self, file: str) -> None:
        """Another file: its connections are others."""
        self.file = file
        self._calls.clear()
        self._triage.forget(0)
        self._noted.clear()
        self._open.clear()
        self._known = 0

    def see(self, seen: Sighting, line: Line) -> None:
        """One message, before the counters of its line have moved."""
        self._triage.see(seen, line)

    def observe(self, sightings: list[Sighting], tally: Tally) -> None:
        """Messages in the order of the wire, which are also counted."""
        self._triage.observe(sightings, tally)

    def after(self, flows: Sequence[Flow], *, last: bool = False) -> None:
        """Look at connections: those that are new, what was odd about them, those that ended."""
        first = len(flows)  # of those that are new; flows are numbered, and old ones may be gone
        while first > 0 and flows[first - 1].number > self._known:
            first -= 1
        for flow in flows[first:]:
            self.opened(flow)
            self._known = flow.number
        for number, call in list(self._open.items()):
            notes = call.flow.notes
            told = self._noted.get(number, 0)
            for note in notes[told:]:
                for detector in self._detectors:
                    detector.noted(call.flow, note)
            self._noted[number] = len(notes)
            if call.ended_at or last:
                del self._open[number]
                for detector in self._detectors:
                    detector.closed(call)

    def opened(self, flow: Flow) -> None:
        """One connection, as whoever has it tells."""
        call = self._call(flow)
        for detector in self._detectors:
            detector.opened(call)

    def ended(self, flow: Flow) -> None:
        """It ended, and is forgotten; `flow.closed_at` says when."""
        call = self._call(flow)
        if flow.number in self._open:
            for detector in self._detectors:
                detector.closed(call)
        self._calls.pop(flow.number, None)
        self._open.pop(flow.number, None)
        self._noted.pop(flow.number, None)
        self._triage.forget(flow.number)

    def passed(self, at: int) -> None:
        """It is this late, though nothing was said."""
        for detector in self._detectors:
            detector.passed(at)

    def call_of(self, flow: Flow) -> Call:
        return self._call(flow)

    def taken(self) -> list[Alert]:
        """The alerts since the last time, also those that became more severe; worst first."""
        if not self.alerts and not self._raised:
            return []
        known = {id(alert) for alert in self.alerts}
        found = self.alerts + [alert for alert in self._raised if id(alert) not in known]
        self.alerts, self._raised = [], []
        return worst_first(found)

    def finish(self, flows: Sequence[Flow]) -> None:
        """The file is read."""
        self.after(flows, last=True)
        for detector in self._detectors:
            detector.finished()

    def examined(self) -> list[Pattern]:
        """The patterns that were looked for."""
        looked = PATTERNS if self.deviation is None else _ALL
        return [looked[name] for name in sorted(looked)]

    def _call(self, flow: Flow) -> Call:
        call = self._calls.get(flow.number)
        if call is None:
            call = self._calls[flow.number] = self._open[flow.number] = Call(flow)
        return call

    def _tell(
        self,
        pattern: str,
        severity: Severity,
        subject: str,
        reason: str,
        *proof: Sighting,
        key: object = None,
        at: int = 0,
    ) -> None:
        at = at or max((seen.at for seen in proof), default=0)
        known = self._newest.get((pattern, subject, key))
        if known is not None and (
            severity == known.severity == Severity.LOW
            or at - known.last_at <= self.limits.repeat_s * SECOND
        ):
            known.count += 1
            known.last_at = max(known.last_at, at)
            if severity > known.severity:
                known.severity, known.reason = severity, reason
                self._raised.append(known)
            room = self.limits.evidence_max - len(known.evidence)
            known.evidence.extend(self._evidence(proof[:room] if room > 0 else ()))
            return
        if len(self.alerts) >= ALERTS_MAX:
            self.unkept += 1
            return
        told = _ALL[pattern]
        self._told += 1
        alert = Alert(
            pattern=pattern,
            title=told.title,
            attack=told.attack,
            severity=severity,
            subject=subject,
            reason=reason,
            first_at=min((seen.at for seen in proof), default=at),
            last_at=at,
            count=1,
            evidence=self._evidence(proof),
            number=self._told,
            key="" if key is None else f"{key}",
        )
        self._newest[pattern, subject, key] = alert
        self.alerts.append(alert)

    def _evidence(self, proof: Iterable[Sighting]) -> list[Evidence]:
        return [evidence_of(seen, self.file) for seen in proof]


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (-alert.severity, alert.first_at, alert.pattern))
