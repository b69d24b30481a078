"""Follows what grows: a log, a capture file, or packets of an interface, for as long as it runs."""

from typing import Final

from fondaco.app.fix.reading import Source
from fondaco.domain.fix.capture.packets import Packets
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.tally import Tally
from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.sensor import Lines
from fondaco.domain.surveillance.fix.watch import Watch
from fondaco.domain.surveillance.model import Alert

_NS: Final = 1_000_000_000
_RETIRE_NS: Final = 5 * _NS  # how often connections that ended are looked for
_ENDED_NS: Final = 60 * _NS  # how long they are kept, for what comes after a reset
_SILENT_NS: Final = 24 * 3600 * _NS


class Following:
    """`feed` it the bytes of a capture or log as they come; however many, memory is bounded."""

    def __init__(
        self,
        source: Source,
        name: str,
        limits: Thresholds | None = None,
        baseline: Baseline | None = None,
    ) -> None:
        self.source = source
        self.tally = Tally()
        self.connections = 0
        self._watch = Watch(limits, baseline=baseline)
        self._watch.begin(name)
        self._lines = Lines(self.tally)
        self._retired_at = 0

    def feed(self, chunk: bytes) -> list[Sighting]:
        """The messages that became complete; their alerts are then in `taken`."""
        seen = self._see(self.source.feed(chunk))
        self._watch.after(self.source.flows)
        at = self.source.last_at
        if at - self._retired_at > _RETIRE_NS and isinstance(self.source, Packets):
            self._retired_at = at
            seen += self._retire(self.source, at)
        self._count()
        return seen

    def finish(self) -> list[Sighting]:
        """What still waited for bytes, when no more will come."""
        seen = self._see(self.source.finish())
        self._watch.finish(self.source.flows)
        self._count()
        return seen

    def passed(self, at: int) -> None:
        """It is this late, though nothing came."""
        self._watch.passed(at)

    def taken(self) -> list[Alert]:
        """The alerts since the last time, worst first."""
        return self._watch.taken()

    def _see(self, sightings: list[Sighting]) -> list[Sighting]:
        for seen in sightings:
            line = self._lines.of(seen)
            self._watch.see(seen, line)
            self.tally.count(seen, line)
        return sightings

    def _retire(self, source: Packets, at: int) -> list[Sighting]:
        gone, rest = source.retire(at - _ENDED_NS, at - _SILENT_NS)
        seen = self._see(rest)
        for flow in gone:
            self._watch.ended(flow)
            for half in flow.halves:
                if half.session is not None and flow in half.session.session.flows:
                    half.session.session.flows.remove(flow)
        return seen

    def _count(self) -> None:
        if self.source.flows:
            self.connections = max(self.connections, self.source.flows[-1].number)
