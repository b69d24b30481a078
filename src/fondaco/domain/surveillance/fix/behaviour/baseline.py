"""Baselines: for each line the usual spread of every feature, its hours and its symbols.

Spreads are robust: the median, and 1.4826 times the median absolute deviation, which for normal
values is the standard deviation (Rousseeuw and Croux, 1993).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from fondaco.domain.surveillance.fix.behaviour.windows import FEATURES, HOURS, Span
from fondaco.kernel.errors import Invalid

FORMAT: Final = 2
_MAD: Final = 1.4826
_DIGITS: Final = 6
_FAR: Final = 20.0  # spreads beyond which further is no worse
WINDOWS_MIN: Final = 10  # of a line, before it is judged by them


class Spread(msgspec.Struct, frozen=True):
    """Of one feature, as the feature counts (logarithms are not undone). `edges` are deciles."""

    median: float
    scale: float
    low: float
    high: float
    edges: list[float]
    count: int


class Profile(msgspec.Struct, frozen=True):
    """One line, by the CompIDs of who sends and who receives."""

    sender: str
    target: str
    days: int
    windows: int
    messages: int
    hours: list[int]
    symbols: list[str]
    spreads: dict[str, Spread]


class Learned(msgspec.Struct, frozen=True):
    """A file that was learned from."""

    name: str
    octets: int
    sha256: str


class Tree(msgspec.Struct, frozen=True):
    """An isolation tree: `feature` is -1 at leaves, `size` how many samples came to a node."""

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    size: list[int]


class Forest(msgspec.Struct, frozen=True):
    """Isolation trees over spreads of FEATURES (Liu, Ting and Zhou, 2008). `trained_on` is the
    SHA-256 of the training set; scores beyond `threshold` are told."""

    made_with: str
    parameters: dict[str, int | float]
    trained_on: str
    samples: int
    rows: int
    threshold: float
    trees: list[Tree]


class Baseline(msgspec.Struct, frozen=True):
    """A file of `fondaco fix baseline learn`. `version` is a hash of everything else in it."""

    format: int
    window_s: int
    features: list[str]
    learned_from: list[Learned]
    profiles: list[Profile]
    forest: Forest | None = None
    version: str = ""

    def sealed(self) -> "Baseline":
        """The same with its version."""
        bare = msgspec.structs.replace(self, version="")
        content = msgspec.json.encode(bare, order="deterministic")
        return msgspec.structs.replace(self, version=sha256(content).hexdigest()[:16])

    def encoded(self) -> bytes:
        return msgspec.json.encode(self.sealed(), order="deterministic")


def baseline_of(content: bytes) -> Baseline:
    """Raises Invalid where it is no baseline, one of another format, or one that was edited."""
    try:
        found = msgspec.json.decode(content, type=Baseline)
    except msgspec.DecodeError as error:
        raise Invalid(f"this is no baseline: {error}; make one with fix baseline learn") from error
    names = [feature.name for feature in FEATURES]
    if found.format != FORMAT or found.features != names:
        raise Invalid(
            f"a baseline of format {found.format} with {len(found.features)} features cannot be "
            f"read, only format {FORMAT} with {len(names)}: learn it anew"
        )
    if found.sealed().version != found.version:
        raise Invalid(f"the baseline was changed after it became version {found.version}")
    return found


def profile_of(
    sender: str, target: str, spans: Sequence[Span], window_s: int
) -> tuple[Profile, list[tuple[float, ...]]]:
    """What the windows of a line have in common, and their vectors."""
    hours = [0] * HOURS
    symbols: set[str] = set()
    for span in spans:
        hours[span.hour()] += 1
        symbols.update(symbol.decode("latin-1") for symbol in span.symbols)
    frozen = frozenset(symbols)
    vectors = [span.vector(window_s, hours, frozen) for span in spans]
    spreads = {}
    for place, feature in enumerate(FEATURES):
        values = sorted(v[place] for v in vectors if not math.isnan(v[place]))
        if values:
            spreads[feature.name] = _spread(values, feature.floor)
    profile = Profile(
        sender=sender,
        target=target,
        days=len({span.at // 86_400_000_000_000 for span in spans}),
        windows=len(spans),
        messages=sum(span.messages for span in spans),
        hours=hours,
        symbols=sorted(symbols),
        spreads=spreads,
    )
    return profile, vectors


def _spread(values: Sequence[float], floor: float) -> Spread:
    median = _middle(values)
    deviation = _middle(sorted(abs(value - median) for value in values))
    edges = [values[min(len(values) * n // 10, len(values) - 1)] for n in range(1, 10)]
    return Spread(
        median=round(median, _DIGITS),
        scale=round(max(_MAD * deviation, floor), _DIGITS),
        low=round(values[0], _DIGITS),
        high=round(values[-1], _DIGITS),
        edges=[round(edge, _DIGITS) for edge in edges],
        count=len(values),
    )


def _middle(values: Sequence[float]) -> float:
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def spreads_away(vector: Sequence[float], profile: Profile) -> list[float]:
    """How many spreads each feature is from its median; 0 for what cannot be judged."""
    found = []
    for feature, value in zip(FEATURES, vector, strict=True):
        spread = profile.spreads.get(feature.name)
        if spread is None or math.isnan(value):
            found.append(0.0)
        else:
            away = (value - spread.median) / spread.scale
            found.append(max(-_FAR, min(away, _FAR)))
    return found


def stability(values: Iterable[float], spread: Spread) -> float:
    """The population stability index of values against the deciles that were learned: 0 for the
    same distribution; credit scoring calls 0.25 a large shift. Counts are smoothed by half."""
    bins = [0.5] * (len(spread.edges) + 1)
    for value in values:
        rounded = round(value, _DIGITS)  # as the edges are
        bins[sum(rounded > edge for edge in spread.edges)] += 1
    total = sum(bins)
    # Where values are few, deciles coincide: what was learned is counted with the same bins.
    usual = [0.5] * len(bins)
    for edge in [*spread.edges, spread.high]:
        usual[sum(edge > each for each in spread.edges)] += spread.count / 10
    whole = sum(usual)
    return sum(
        (new / total - was / whole) * math.log((new / total) / (was / whole))
        for new, was in zip(bins, usual, strict=True)
    )


def score(forest: Forest, row: Sequence[float]) -> float:
    """2 to the power of -E(h)/c(n): near 1 is isolated at once, 0.5 is like all others."""
    total = 0.0
    for tree in forest.trees:
        node = depth = 0
        while tree.feature[node] >= 0:
            small = row[tree.feature[node]] <= tree.threshold[node]
            node = tree.left[node] if small else tree.right[node]
            depth += 1
        total += depth + unfinished(tree.size[node])
    return float(2 ** -(total / len(forest.trees) / unfinished(forest.samples)))


def unfinished(n: int) -> float:
    """c(n): the mean path of a failed search in a binary tree of n (Liu et al., equation 1)."""
    if n <= 1:
        return 0.0
    if n == 2:
        return 1.0
    return 2 * (math.log(n - 1) + 0.5772156649015329) - 2 * (n - 1) / n


def explained(forest: Forest, row: Sequence[float]) -> list[tuple[str, float]]:
    """What each feature adds to a score: how much less it is with that feature at its median."""
    whole = score(forest, row)
    found = []
    for place, feature in enumerate(FEATURES):
        if row[place]:
            usual = [0.0 if n == place else value for n, value in enumerate(row)]
            found.append((feature.name, whole - score(forest, usual)))
    return sorted(found, key=lambda each: -each[1])


def by_line(baseline: Baseline) -> Mapping[tuple[bytes, bytes], Profile]:
    return {
        (profile.sender.encode("latin-1"), profile.target.encode("latin-1")): profile
        for profile in baseline.profiles
    }
