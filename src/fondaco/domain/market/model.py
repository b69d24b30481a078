"""Nouns of the market. A price is whole ticks and a quantity whole lots of its instrument."""

from enum import StrEnum
from typing import Literal

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Instant

BookSide = Literal["bid", "ask"]
Aggressor = Literal["buy", "sell"]


class Quality(StrEnum):
    """Whether a book may be traded on. Anything but OK may only reduce risk."""

    OK = "ok"
    STALE = "stale"  # nothing was heard for too long
    GAPPED = "gapped"  # an update is missing, or one did not make sense
    CROSSED = "crossed"  # best bid at or above best ask
    RECOVERING = "recovering"  # waiting for a snapshot to start from
    CLOSED = "closed"  # an event contract that does not trade now, or never again
    UNCONFIRMED = "unconfirmed"  # of a source that took over, and far from the price before it


class Mark(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one instrument is worth now, and where that was seen.

    `px` is the middle of the touch, rounded half to even, or the last trade where a side of the
    book is empty. `at` is when that was received: a mark that turned STALE keeps its time.
    """

    symbol: Symbol
    px: int
    quality: Quality
    source: str  # "binance", "replay:binance", "synthetic"
    tape_position: int
    at: Instant


class Indicative(msgspec.Struct, frozen=True, gc=False):
    """What a call auction would give if it ended now: FIX MDEntryType (269) = Q.

    `surplus` lots would buy (above 0) or sell (below 0) at `px` and find nobody.
    """

    px: int
    qty: int
    surplus: int


class Trade(msgspec.Struct, frozen=True, gc=False):
    symbol: Symbol
    px: int
    qty: int
    aggressor: Aggressor
    trade_id: int
    event_at: Instant  # as the exchange says, but never after `at`
    at: Instant  # received
    source: str


class Bar(msgspec.Struct, frozen=True, gc=False):
    """Trades of one interval that starts at `start`; quantities in lots."""

    start: Instant
    open: int
    high: int
    low: int
    close: int
    volume: int
    buy_volume: int  # of which buyers were the aggressors
    trades: int


class Quote(msgspec.Struct, frozen=True, gc=False):
    """One price with its origin. `age_ns` is counted from its receipt."""

    px: int
    source: str
    age_ns: int


class Price(msgspec.Struct, frozen=True, gc=False):
    """Every answer to "what is the price?", each of which may be missing."""

    symbol: Symbol
    quality: Quality
    last: Quote | None
    mid: Quote | None
    mark: Quote | None


class Switch(msgspec.Struct, gc=False):
    """Another source of an instrument is shown from `at` on. Prices are whole ticks.

    `reason` is the quality of the source that was shown before. `confirmed_at` is 0 while nobody
    has confirmed a price that is far from the one before it.
    """

    symbol: Symbol
    at: Instant
    before: str
    after: str
    reason: Quality
    px_before: int
    px_after: int
    jump_bps: int
    confirmed_at: Instant


class Finality(StrEnum):
    """What a trade on a chain has become, by the names of Polymarket's user channel: matched off
    the chain, mined, tried again; and in the end confirmed, or failed, which leaves nothing."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    RETRYING = "RETRYING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"


class Delays(msgspec.Struct, gc=False):
    """How long bad books looked good: from the last good update to the change of quality."""

    count: int = 0
    last_ns: int = 0
    max_ns: int = 0
    total_ns: int = 0

    def add(self, delay_ns: int) -> None:
        self.count += 1
        self.last_ns = delay_ns
        self.max_ns = max(self.max_ns, delay_ns)
        self.total_ns += delay_ns


class Tallies(msgspec.Struct, gc=False):
    """What was counted of one instrument's feed, for metrics and for the House page."""

    messages: int = 0
    diffs: int = 0
    snapshots: int = 0
    tickers: int = 0
    trades: int = 0
    gaps: int = 0
    crossed: int = 0
    stale: int = 0
    recoveries: int = 0
    malformed: int = 0
    outliers: int = 0  # trades too far from the book to be true: on the tape, and nowhere else
    snapshots_late: int = 0  # older than the diffs that were there to go on from
    tickers_compared: int = 0
    tickers_different: int = 0
    checksums: int = 0  # that the exchange sent along, and that were computed from the book
    checksums_different: int = 0
    latency_negative: int = 0  # received before it happened: clocks differ; counted as zero
    latency_last_ns: int = 0
    latency_max_ns: int = 0
