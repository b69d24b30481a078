"""Windows of a session's line, and the features that describe one.

Features are logarithms or shares, so that a spread of them means the same on busy and on quiet
lines. What a window has nothing of (no order: no size) is nan, and is not judged.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from fondaco.domain.fix.api import Line, Sighting
from fondaco.domain.surveillance.fix.bounded import Lately

SECOND: Final = 1_000_000_000
HOURS: Final = 48  # of a working day, and of one at a weekend
_ORDERS: Final = frozenset("DGFE")
_REJECTS: Final = frozenset("3j9")
_ANSWERS: Final = frozenset("89r")
_LATENCIES_MAX: Final = 2000  # of a window
_SYMBOLS_MAX: Final = 5000
_OPEN_MAX: Final = 100_000
NAN: Final = math.nan
FEW: Final = 5  # orders of which a mean or a share says something
MANY: Final = 20  # messages, likewise


class Feature(NamedTuple):
    """`floor` is the least spread that is believed: what days differ by without meaning."""

    name: str
    words: str
    is_log: bool
    floor: float

    def shown(self, value: float) -> str:
        return f"{math.expm1(value) if self.is_log else value:.3g}"


FEATURES: Final = (
    Feature("messages", "messages a minute", True, 0.15),
    Feature("orders", "orders, changes and cancels a minute", True, 0.15),
    Feature("peak", "messages in the busiest second", True, 0.2),
    Feature("cancels", "share of cancels", False, 0.05),
    Feature("rejects", "share of rejects", False, 0.02),
    Feature("octets", "bytes a message", True, 0.03),
    Feature("quantity", "OrderQty", True, 0.1),
    Feature("largest", "largest OrderQty", True, 0.15),
    Feature("notional", "OrderQty times Price", True, 0.1),
    Feature("buys", "share of buys", False, 0.1),
    Feature("unknown", "share of orders for symbols that never were traded", False, 0.02),
    Feature("latency", "milliseconds to an answer", True, 0.15),
    Feature("gap", "seconds from an order to the next, the median", True, 0.15),
    Feature("hour", "bits of surprise at the hour", False, 1.0),
)


class Span:
    """Counts of one line in one window, which began at `at`."""

    __slots__ = (
        "at",
        "buys",
        "cancels",
        "entered_at",
        "gaps",
        "largest",
        "latencies",
        "messages",
        "notional",
        "octets",
        "orders",
        "peak",
        "priced",
        "proof",
        "quantity",
        "rejects",
        "second",
        "sided",
        "sized",
        "symbols",
        "within",
    )

    def __init__(self, at: int) -> None:
        self.at = at
        self.messages = self.orders = self.cancels = self.rejects = self.octets = 0
        self.buys = self.sided = self.sized = self.priced = 0
        self.quantity = self.notional = self.largest = 0.0
        self.second = self.within = self.peak = 0
        self.symbols: dict[bytes, int] = {}
        self.latencies: list[int] = []
        self.entered_at = 0
        self.gaps: list[int] = []
        self.proof: list[Sighting] = []

    def add(self, seen: Sighting) -> None:
        kind = seen.msg_type
        self.messages += 1
        self.octets += len(seen.raw)
        second = seen.at // SECOND
        self.within = self.within + 1 if second == self.second else 1
        self.second = second
        self.peak = max(self.peak, self.within)
        if not self.proof:
            self.proof.append(seen)
        if kind in _ORDERS:
            self.orders += 1
            if kind == "F":
                self.cancels += 1
            else:
                self._order(seen)
                if kind == "D":
                    self._entered(seen.at)
        elif kind in _REJECTS:
            self.rejects += 1

    def _order(self, seen: Sighting) -> None:
        fields = seen.fields
        symbol, side = fields.get(55), fields.get(54)
        size, price = _number(fields.get(38)), _number(fields.get(44))
        if symbol is not None and (symbol in self.symbols or len(self.symbols) < _SYMBOLS_MAX):
            self.symbols[symbol] = self.symbols.get(symbol, 0) + 1
        if side is not None:
            self.sided += 1
            self.buys += side == b"1"
        if size > 0:
            self.sized += 1
            self.quantity += math.log1p(size)
            if size > self.largest:
                self.largest = size
                self.proof[1:] = [seen]
            if price > 0:
                self.priced += 1
                self.notional += math.log1p(size * price)

    def _entered(self, at: int) -> None:
        """How fast orders follow each other, which a window that is half empty does not hide."""
        if self.entered_at and len(self.gaps) < _LATENCIES_MAX:
            self.gaps.append(max(at - self.entered_at, 0))
        self.entered_at = at

    def answered(self, ns: int) -> None:
        if len(self.latencies) < _LATENCIES_MAX:
            self.latencies.append(ns)

    def hour(self) -> int:
        """Of HOURS. 1970 began on a Thursday."""
        days, seconds = divmod(self.at // SECOND, 86_400)
        return int(seconds // 3600 + (24 if (days + 3) % 7 > 4 else 0))

    def vector(self, window_s: int, hours: list[int], symbols: frozenset[str]) -> tuple[float, ...]:
        """The values of FEATURES, given which hours and symbols are usual."""
        minutes = window_s / 60
        traded = sum(self.symbols.values())
        strange = sum(
            count
            for symbol, count in self.symbols.items()
            if symbol.decode("latin-1") not in symbols
        )
        latencies = sorted(self.latencies)
        median = latencies[len(latencies) // 2] if latencies else 0
        gaps = sorted(self.gaps)
        gap = gaps[len(gaps) // 2] if gaps else 0
        here = (hours[self.hour()] + 0.5) / (sum(hours) + HOURS / 2)
        return (
            math.log1p(self.messages / minutes),
            math.log1p(self.orders / minutes),
            math.log1p(self.peak),
            self.cancels / self.orders if self.orders >= FEW else NAN,
            self.rejects / self.messages if self.messages >= MANY else NAN,
            math.log1p(self.octets / self.messages) if self.messages >= MANY else NAN,
            self.quantity / self.sized if self.sized >= FEW else NAN,
            math.log1p(self.largest) if self.sized else NAN,
            self.notional / self.priced if self.priced >= FEW else NAN,
            self.buys / self.sided if self.sided >= FEW else NAN,
            strange / traded if traded else NAN,
            math.log1p(median / 1e6) if len(latencies) >= FEW else NAN,
            math.log1p(gap / SECOND) if len(gaps) >= FEW else NAN,
            -math.log2(here),
        )


class Windows:
    """Cuts lines into windows. `add` gives the one that a message ends, if it ends one."""

    def __init__(self, window_s: int) -> None:
        self.width = window_s * SECOND
        self._spans: dict[int, tuple[Line, Span]] = {}
        self._open = Lately(_OPEN_MAX)

    def add(self, seen: Sighting, line: Line) -> Span | None:
        at = seen.at - seen.at % self.width
        key = id(line)
        known = self._spans.get(key)
        ended = None
        if known is None or known[1].at != at:
            ended = None if known is None else known[1]
            known = self._spans[key] = (line, Span(at))
        known[1].add(seen)
        self._answers(seen, line, key)
        return ended

    def _answers(self, seen: Sighting, line: Line, key: int) -> None:
        order = seen.cl_ord_id
        if order is None or seen.poss_dup:
            return
        session = id(line.session)
        if seen.msg_type in _ORDERS:
            self._open[session, order] = (seen.at, key)
        elif seen.msg_type in _ANSWERS:
            asked = self._open.get((session, order))
            if asked is not None:
                self._open.pop((session, order))
                asker = self._spans.get(asked[1])
                if asker is not None:
                    asker[1].answered(max(seen.at - asked[0], 0))

    def over(self, at: int) -> Iterator[tuple[Line, Span]]:
        """Those that ended before `at`; they are forgotten."""
        ended = [key for key, (_, span) in self._spans.items() if span.at + self.width <= at]
        for key in ended:
            yield self._spans.pop(key)


def named(vector: tuple[float, ...]) -> Mapping[str, float]:
    return {
        feature.name: value
        for feature, value in zip(FEATURES, vector, strict=True)
        if not math.isnan(value)
    }


def _number(value: bytes | None) -> float:
    try:
        found = float(value) if value else 0.0
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0
