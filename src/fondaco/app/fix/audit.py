"""`fondaco fix audit`: captures and logs in, one report out, with nothing configured."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from fondaco.app.fix.reading import Source, read
from fondaco.app.fix.report import FileReport, Report, connections, parties, session_report
from fondaco.domain.fix.capture.flows import Flow
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.watch import Watch, worst_first
from fondaco.domain.surveillance.model import Alert, Severity
from fondaco.kernel.errors import Invalid


class Audit:
    """Reads files one after the other; sessions go on from one into the next."""

    def __init__(self, watch: Watch | None) -> None:
        self.tally = Tally()
        self.watch = watch
        self.sources: list[tuple[Path, Source]] = []

    def read(self, path: Path) -> None:
        if self.watch is not None:
            self.watch.begin(path.name)
        source = read(path, self._see, self._after)
        if self.watch is not None:
            self.watch.finish(source.flows)
        self.sources.append((path, source))

    def _see(self, sightings: list[Sighting]) -> None:
        tally, watch = self.tally, self.watch
        if watch is None:
            tally.observe(sightings)
            return
        watch.observe(sightings, tally)

    def _after(self, flows: list[Flow]) -> None:
        if self.watch is not None:
            self.watch.after(flows)

    def report(self) -> Report:
        flows = [flow for _, source in self.sources for flow in source.flows]
        return Report(
            messages=self.tally.messages,
            garbled=self.tally.garbled,
            octets=self.tally.octets,
            files=[
                FileReport(
                    name=path.name,
                    format=source.format,
                    octets=path.stat().st_size,
                    packets=source.packets,
                    connections=len(source.flows),
                    snapped=source.snapped,
                    passed_over=dict(source.passed_over),
                    first_at=source.first_at,
                    last_at=source.last_at,
                )
                for path, source in self.sources
            ],
            sessions=[
                session_report(session)
                for session in sorted(self.tally.sessions, key=lambda each: -each.messages)
            ],
            parties=parties(self.tally.sessions),
            connections=connections(flows),
            alerts=[] if self.watch is None else shown(self.watch.alerts),
            examined=[] if self.watch is None else examined(self.watch),
            baseline=self._baseline(),
        )

    def _baseline(self) -> dict[str, Any] | None:
        deviation = None if self.watch is None else self.watch.deviation
        if deviation is None:
            return None
        return {"version": deviation.baseline.version, "drift": deviation.measured()}


def audit(
    paths: Sequence[Path],
    limits: Thresholds | None = None,
    *,
    threats: bool = True,
    baseline: Baseline | None = None,
) -> Report:
    """Read the files and say what is in them. Raises Invalid where one cannot be read.

    Without `threats` only sessions are put together, which is several times as fast. With a
    `baseline`, behaviour is judged by it too.
    """
    found = Audit(Watch(limits, baseline=baseline) if threats else None)
    for path in paths:
        found.read(path)
    return found.report()


def limits_of(path: Path | None) -> Thresholds:
    """Thresholds from a TOML file of `name = value`. Raises Invalid where one is unknown."""
    if path is None:
        return Thresholds()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Thresholds)
    except msgspec.DecodeError as error:
        raise Invalid(f"{path}: {error}") from error


def is_bad(report: Report, fail_on: str) -> bool:
    """Whether an alert is at least as severe as that; "never" is more than any."""
    if fail_on == "never":
        return False
    least = Severity[fail_on.upper()]
    return any(Severity[alert["severity"].upper()] >= least for alert in report.alerts)


def shown(alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """Alerts as plain values, worst first, severities in words."""
    return [
        msgspec.to_builtins(alert) | {"severity": alert.severity.name.lower()}
        for alert in worst_first(alerts)
    ]


def examined(watch: Watch) -> list[dict[str, Any]]:
    """Every pattern that was looked for, so that a clean report says what it is clean of."""
    return [msgspec.to_builtins(pattern) for pattern in watch.examined()]
