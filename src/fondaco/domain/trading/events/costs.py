"""What an account pays besides prices: fees of its own, and positions that are kept overnight."""

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import AssetCode


class OwnFees(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Rates of one account, in parts per million, in place of the instrument's."""

    maker_fee_ppm: int
    taker_fee_ppm: int


class SetOwnFees(Command, frozen=True, gc=False):
    """Of one instrument, or of all that have none of their own where `symbol` is ""; None: those of
    the instrument again."""

    fees: OwnFees | None
    reason: str
    symbol: Symbol = Symbol("")


class RollSession(Command, frozen=True, gc=False):
    """A session day has begun: an account that keeps positions is charged for the night."""


class OwnFeesSet(Event, frozen=True, gc=False, tag="trading.own_fees_set.v1"):
    """Executions from here on are charged by them; `symbol` is "" where they are of all."""

    symbol: Symbol
    fees: OwnFees | None
    reason: str


class GainConverted(Event, frozen=True, gc=False, tag="trading.gain_converted.v1"):
    """A contract that settles in another asset than its quote: what the fill before it has gained
    or lost, its fee included, has left as `units` of `quote`, and come as `settle_units` of
    `settle`, at the rates of that moment, rounded down."""

    number: int
    exec_number: int
    symbol: Symbol
    quote: AssetCode
    units: int
    settle: AssetCode
    settle_units: int


class Charged(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One position: `units` of `asset` were charged, below zero credited, at a mark of `px`."""

    symbol: Symbol
    lots: int
    px: int
    rate_ppm: int
    asset: AssetCode
    units: int


class SwapCharged(Event, frozen=True, gc=False, tag="trading.swap_charged.v1"):
    """Positions were kept over `days` session days, the last of which ended as `day` began."""

    day: int  # since 1970
    days: int
    charged: tuple[Charged, ...]
