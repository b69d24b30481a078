"""Nouns of a sandbox's time."""

from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.kernel.event import Instant, StreamId

STREAM: Final = StreamId("test-clock/house")
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
ADVANCE_MAX_NS: Final = 3_660 * DAY_NS  # ten years, by one call
PRICES_MAX: Final = 10_000  # by one call

Stage: TypeAlias = Literal["ready", "advancing", "failed"]


class Posted(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A price that somebody has made up: from `at` on, `bid` and `ask` are what is quoted."""

    at: Instant
    symbol: str
    bid: str
    ask: str


class ClockState(msgspec.Struct):
    """`number` counts the advances; `since` and `to` are of the last one, and `prices` what it has
    to play. `quotes` are the last prices of each instrument that were played to their end."""

    is_sandbox: bool = False
    stage: Stage = "ready"
    number: int = 0
    since: Instant = Instant(0)
    to: Instant = Instant(0)
    at: Instant = Instant(0)  # where it stood when the last one ended
    prices: tuple[Posted, ...] = ()
    quotes: dict[str, Posted] = {}
    what: str = ""  # the timer that failed
    error: str = ""
