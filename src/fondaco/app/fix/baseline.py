"""`fondaco fix baseline`: learn what is usual from clean captures and logs, and show it.

The isolation forest is trained by scikit-learn (`pip install 'fondaco[ml]'`), and kept as plain
trees: judging by it needs nothing but the baseline's file, and no pickle that could run code.
"""

from collections.abc import Iterator, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.app.fix.audit_text import duration
from fondaco.app.fix.reading import read
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.tally import Line, Tally
from fondaco.domain.surveillance.fix.behaviour.baseline import (
    FORMAT,
    WINDOWS_MIN,
    Baseline,
    Forest,
    Learned,
    Profile,
    Tree,
    baseline_of,
    profile_of,
    score,
    spreads_away,
)
from fondaco.domain.surveillance.fix.behaviour.windows import FEATURES, Span, Windows
from fondaco.domain.surveillance.fix.watch import Watch
from fondaco.domain.surveillance.model import Severity
from fondaco.kernel.errors import Invalid

WINDOW_S: Final = 300
SPANS_MAX: Final = 200_000
TREES: Final = 100
SAMPLES: Final = 256
SEED: Final = 7
ROWS_MIN: Final = 50
_MARGIN: Final = 0.03  # of a score: what another clean week may be above the highest


class _Lessons:
    """Every window of every line of the files."""

    def __init__(self, window_s: int) -> None:
        self.tally = Tally()
        self.watch = Watch()
        self.spans: dict[int, tuple[Line, list[Span]]] = {}
        self._windows = Windows(window_s)
        self._count = 0

    def read(self, path: Path) -> None:
        self.watch.begin(path.name)
        source = read(path, self._see, self.watch.after)
        self.watch.finish(source.flows)
        for line, span in self._windows.over(1 << 62):
            self._keep(line, span)

    def _see(self, sightings: list[Sighting]) -> None:
        for seen in sightings:
            line = self.tally.line_of(seen)
            self.watch.see(seen, line)
            self.tally.count(seen, line)
            span = self._windows.add(seen, line)
            if span is not None:
                self._keep(line, span)

    def _keep(self, line: Line, span: Span) -> None:
        self._count += 1
        if self._count > SPANS_MAX:
            raise Invalid(
                f"more than {SPANS_MAX} windows: learn from fewer days, or with a longer --window"
            )
        span.proof.clear()
        self.spans.setdefault(id(line), (line, []))[1].append(span)


def learn(
    paths: Sequence[Path], *, window_s: int = WINDOW_S, forest: bool = True, anyway: bool = False
) -> Baseline:
    """A baseline of these files. Raises Invalid where they are not clean (unless `anyway`), where
    they have no FIX, or where scikit-learn is asked for and absent."""
    if window_s < 1:
        raise Invalid(f"a window of {window_s} s cannot be: at least 1, {WINDOW_S} is usual")
    lessons = _Lessons(window_s)
    for path in paths:
        lessons.read(path)
    found = [alert for alert in lessons.watch.alerts if alert.severity > Severity.LOW]
    if found and not anyway:
        raise Invalid(
            f"{len(found)} alerts above low in these files, the first {found[0].pattern} "
            f"{found[0].title} of {found[0].subject}: learn from clean days, or with --anyway"
        )
    profiles, rows = [], []
    for line, spans in lessons.spans.values():
        names = line.sender.decode("latin-1"), line.target.decode("latin-1")
        profile, vectors = profile_of(*names, spans, window_s)
        profiles.append(profile)
        if profile.windows >= WINDOWS_MIN:
            rows += [spreads_away(vector, profile) for vector in vectors]
    if not profiles:
        raise Invalid("there is no FIX in these files to learn from")
    return Baseline(
        format=FORMAT,
        window_s=window_s,
        features=[feature.name for feature in FEATURES],
        learned_from=[_learned(path) for path in paths],
        profiles=sorted(profiles, key=lambda each: (each.sender, each.target)),
        forest=trained(rows) if forest and len(rows) >= ROWS_MIN else None,
    ).sealed()


def trained(rows: Sequence[Sequence[float]]) -> Forest:
    """scikit-learn's isolation forest on these rows, as plain trees; the same rows give the same
    forest. Raises Invalid where scikit-learn is absent."""
    try:
        import numpy
        import sklearn
        from sklearn.ensemble import IsolationForest
    except ImportError as error:
        raise Invalid(
            "the anomaly score is trained by scikit-learn: pip install 'fondaco[ml]', or learn "
            "without it by --no-forest"
        ) from error
    data = numpy.asarray(rows, dtype=numpy.float32)
    samples = min(SAMPLES, len(rows))
    model = IsolationForest(n_estimators=TREES, max_samples=samples, random_state=SEED)
    model.fit(data)
    trees = [_tree(each.tree_) for each in model.estimators_]
    forest = Forest(
        made_with=f"scikit-learn {sklearn.__version__}",
        parameters={"trees": TREES, "samples": samples, "seed": SEED},
        trained_on=sha256(msgspec.json.encode(rows)).hexdigest(),
        samples=samples,
        rows=len(rows),
        threshold=0.0,
        trees=trees,
    )
    highest = max(score(forest, row) for row in rows)
    return msgspec.structs.replace(forest, threshold=round(highest + _MARGIN, 6))


def _tree(tree: Any) -> Tree:
    return Tree(
        feature=[int(each) if each >= 0 else -1 for each in tree.feature],
        threshold=[float(each) for each in tree.threshold],
        left=[int(each) for each in tree.children_left],
        right=[int(each) for each in tree.children_right],
        size=[int(each) for each in tree.n_node_samples],
    )


def _learned(path: Path) -> Learned:
    with path.open("rb") as file:
        return Learned(path.name, path.stat().st_size, file_digest(file, "sha256").hexdigest())


def read_baseline(path: Path) -> Baseline:
    """Raises Invalid where the file is no baseline."""
    try:
        return baseline_of(path.read_bytes())
    except Invalid as error:
        raise Invalid(f"{path}: {error.message}") from error


def lines_of(baseline: Baseline) -> Iterator[str]:
    """What a baseline says, for the terminal."""
    window = duration(baseline.window_s * 1_000_000_000)
    yield f"baseline {baseline.version}, windows of {window}, learned from"
    for file in baseline.learned_from:
        yield f"  {file.name}, {file.octets} bytes, sha256 {file.sha256[:16]}…"
    forest = baseline.forest
    if forest is not None:
        yield (
            f"isolation forest by {forest.made_with}: {len(forest.trees)} trees of "
            f"{forest.samples} of {forest.rows} windows (sha256 {forest.trained_on[:16]}…), "
            f"told above {forest.threshold:.3f}"
        )
    for profile in baseline.profiles:
        yield ""
        yield from _profile(profile)


def _profile(profile: Profile) -> Iterator[str]:
    yield (
        f"{profile.sender} to {profile.target}: {profile.messages} messages in {profile.windows} "
        f"windows on {profile.days} days, {len(profile.symbols)} symbols"
        + ("" if profile.windows >= WINDOWS_MIN else ": too few to judge by")
    )
    busy = [f"{hour % 24}:00" for hour, count in enumerate(profile.hours[:24]) if count]
    if busy:
        yield f"  hours of working days, UTC: {', '.join(busy)}"
    for feature in FEATURES:
        spread = profile.spreads.get(feature.name)
        if spread is not None and spread.high:
            shown = feature.shown
            yield (
                f"  {feature.words}: {shown(spread.median)} "
                f"({shown(spread.low)} to {shown(spread.high)})"
            )
