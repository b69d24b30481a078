"""B01 to B03: a line that behaves otherwise than its baseline, now or more and more."""

import math
from typing import Final

from fondaco.domain.fix.api import Line, Sighting
from fondaco.domain.surveillance.fix.behaviour.baseline import (
    WINDOWS_MIN,
    Baseline,
    Profile,
    Spread,
    by_line,
    explained,
    score,
    spreads_away,
    stability,
)
from fondaco.domain.surveillance.fix.behaviour.windows import FEATURES, Span, Windows
from fondaco.domain.surveillance.fix.detector import (
    LOW,
    MEDIUM,
    Call,
    Detector,
    Place,
    Tell,
)
from fondaco.domain.surveillance.fix.limits import Thresholds

_STEP_MAX: Final = 4.0  # spreads that one window adds to a drift at most
_KEPT: Final = 500  # values of a feature, for its stability


class Drift:
    """Cumulative sums of one feature, upwards and downwards (E. S. Page, 1954)."""

    __slots__ = ("down", "feature", "spread", "up", "values", "way")

    def __init__(self, way: str, feature: str, spread: Spread) -> None:
        self.way = way
        self.feature = feature
        self.spread = spread
        self.up = self.down = 0.0
        self.values: list[float] = []

    def add(self, value: float, away: float, slack: float) -> float:
        """The larger of the sums."""
        step = max(-_STEP_MAX, min(away, _STEP_MAX))
        self.up = max(0.0, self.up + step - slack)
        self.down = max(0.0, self.down - step - slack)
        self.values.append(value)
        if len(self.values) > _KEPT:
            del self.values[: _KEPT // 2]
        return max(self.up, self.down)


class Deviation(Detector):
    """Judges each window when it is over, by the baseline of its line."""

    types = None

    def __init__(self, limits: Thresholds, tell: Tell, baseline: Baseline) -> None:
        super().__init__(limits, tell)
        self.baseline = baseline
        self._profiles = by_line(baseline)
        self._known = {key: frozenset(profile.symbols) for key, profile in self._profiles.items()}
        self._windows = Windows(baseline.window_s)
        self._drifts: dict[tuple[int, str], Drift] = {}

    def see(self, seen: Sighting, place: Place) -> None:
        span = self._windows.add(seen, place.line)
        if span is not None:
            self._judge(place.line, span)

    def passed(self, at: int) -> None:
        for line, span in self._windows.over(at):
            self._judge(line, span)

    def closed(self, call: Call) -> None:
        self.passed(max(call.ended_at, call.last_at))

    def finished(self) -> None:
        for line, span in self._windows.over(1 << 62):
            self._judge(line, span)

    def measured(self) -> list[dict[str, object]]:
        """How far each line has moved from its baseline: the median in spreads, and the population
        stability index, of features with enough windows; the largest first."""
        found = []
        for drift in self._drifts.values():
            if len(drift.values) >= WINDOWS_MIN:
                spread = drift.spread
                middle = sorted(drift.values)[len(drift.values) // 2]
                found.append(
                    {
                        "way": drift.way,
                        "feature": drift.feature,
                        "windows": len(drift.values),
                        "moved": round((middle - spread.median) / spread.scale, 2),
                        "stability": round(stability(drift.values, spread), 3),
                    }
                )
        return sorted(found, key=lambda each: -abs(float(str(each["moved"]))))

    def _judge(self, line: Line, span: Span) -> None:
        way = f"{line.sender.decode('latin-1')} to {line.target.decode('latin-1')}"
        key = (line.sender, line.target)
        profile = self._profiles.get(key)
        if profile is None or profile.windows < WINDOWS_MIN:
            reason = "nothing is known of this line: learn a baseline with it"
            self.tell("B01", LOW, way, reason, *span.proof, key="unknown")
            return
        vector = span.vector(self.baseline.window_s, profile.hours, self._known[key])
        away = spreads_away(vector, profile)
        self._outside(way, span, profile, vector, away)
        self._drift(id(line), way, span, profile, vector, away)
        self._score(way, span, away)

    def _outside(
        self, way: str, span: Span, profile: Profile, vector: tuple[float, ...], away: list[float]
    ) -> None:
        for feature, value, far in zip(FEATURES, vector, away, strict=True):
            if abs(far) <= self.limits.baseline_spreads:
                continue
            spread = profile.spreads[feature.name]
            margin = self.limits.baseline_margin * spread.scale
            if spread.low - margin <= value <= spread.high + margin:
                continue
            reason = (
                f"{feature.words}: {feature.shown(value)}, usually {feature.shown(spread.median)} "
                f"({feature.shown(spread.low)} to {feature.shown(spread.high)} in "
                f"{profile.windows} windows): {far:+.1f} spreads"
            )
            at = span.proof[-1].at
            self.tell("B01", MEDIUM, way, reason, *span.proof, key=feature.name, at=at)

    def _drift(
        self,
        line: int,
        way: str,
        span: Span,
        profile: Profile,
        vector: tuple[float, ...],
        away: list[float],
    ) -> None:
        for feature, value, far in zip(FEATURES, vector, away, strict=True):
            if math.isnan(value) or feature.name not in profile.spreads:
                continue
            drift = self._drifts.get((line, feature.name))
            if drift is None:
                drift = Drift(way, feature.name, profile.spreads[feature.name])
                self._drifts[line, feature.name] = drift
            if drift.add(value, far, self.limits.drift_slack) > self.limits.drift_sum:
                usual = profile.spreads[feature.name]
                recent = sorted(drift.values[-WINDOWS_MIN:])
                middle = recent[len(recent) // 2]
                reason = (
                    f"{feature.words} drift: lately {feature.shown(middle)}, "
                    f"{(middle - usual.median) / usual.scale:+.1f} spreads from "
                    f"{feature.shown(usual.median)}; stability index "
                    f"{stability(drift.values, usual):.2f}"
                )
                self.tell("B02", MEDIUM, way, reason, *span.proof, key=feature.name)
                drift.up = drift.down = 0.0

    def _score(self, way: str, span: Span, away: list[float]) -> None:
        forest = self.baseline.forest
        if forest is None:
            return
        found = score(forest, away)
        if found > forest.threshold + self.limits.score_margin:
            parts = ", ".join(
                f"{name} +{part:.3f}" for name, part in explained(forest, away)[:4] if part > 0
            )
            reason = f"anomaly score {found:.3f}, beyond {forest.threshold:.3f}: {parts}"
            self.tell("B03", MEDIUM, way, reason, *span.proof)
