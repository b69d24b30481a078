"""Round trips and what is still held. Amounts are ledger units of the instrument's quote asset, and
quantities lots; all of them are plain ints, and nothing is lost when a fill is divided.
"""

from enum import StrEnum

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode


class Method(StrEnum):
    """What a round trip is."""

    AVERAGE = "average"  # from flat to flat, its costs averaged, as traders' journals have it
    FIFO = "fifo"  # each part of an exit with the entry that it closes, the oldest first


class Leg(msgspec.Struct, frozen=True, gc=False):
    """What was held from `at` on: at a price that makes it worth `value`, its open gain is `value`
    plus `offset`; `lots` are negative where it was sold short."""

    at: Instant
    lots: int
    offset: int


class Trip(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A round trip that has ended."""

    symbol: Symbol
    currency: AssetCode
    side: str  # "long" or "short"
    opened_at: Instant
    closed_at: Instant
    lots: int  # that were opened and closed
    entry: int  # what entries cost, or brought in where it was short
    exit: int
    gross: int  # gained or lost before fees
    fees: int
    financing: int  # received less paid for keeping it overnight
    fills: int
    opened_by: str  # exec_id
    closed_by: str
    position: int  # of the journal, where it ended
    legs: tuple[Leg, ...]

    @property
    def net(self) -> int:
        return self.gross - self.fees + self.financing

    @property
    def held_ns(self) -> int:
        return self.closed_at - self.opened_at


class Held(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A round trip that has not ended. `cost` is of `lots`, negative where they were sold short;
    `realized` is what parts of it that are closed have gained."""

    symbol: Symbol
    currency: AssetCode
    lots: int
    cost: int
    realized: int
    fees: int
    financing: int
    opened_at: Instant
    opened_by: str
    legs: tuple[Leg, ...]


class TripBook(msgspec.Struct, frozen=True, gc=False):
    """Ended ones in the order in which they ended; `unassigned` is financing of nothing held."""

    trips: list[Trip]
    held: list[Held]
    unassigned: dict[AssetCode, int]
