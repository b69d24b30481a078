"""What is asked of an account on margin and what happens to it; see `rules/liquidation.py`."""

import msgspec

from fondaco.domain.market.model import Mark
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import AssetCode


class CheckEquity(Command, frozen=True, gc=False):
    """Somebody who watches equity suspects that a margin account no longer covers what it must, or
    that its liquidation can go on. The account looks itself: of each instrument at the newer of the
    mark given here and its own."""

    marks: tuple[Mark, ...] = ()


class MarginWarned(Event, frozen=True, gc=False, tag="trading.margin_warned.v1"):
    """The maintenance requirement has come to `level` of equity, in basis points: a level of the
    house's. It is said again only after it has been well below."""

    level: int
    equity: int  # ledger units of the account's currency, as all amounts here
    requirement: int  # maintenance
    marks: tuple[Mark, ...]


class MarginEased(Event, frozen=True, gc=False, tag="trading.margin_eased.v1"):
    """The requirement is well below the level that was warned of; `level` is where it stands, or 0
    below all."""

    level: int
    equity: int
    requirement: int
    marks: tuple[Mark, ...]


class LiquidationBegan(Event, frozen=True, gc=False, tag="trading.liquidation_began.v1"):
    """Equity does not cover the maintenance requirement. From here on only orders that reduce pass,
    all that work are canceled, and positions are closed until equity covers the initial one."""

    equity: int
    initial: int
    maintenance: int
    marks: tuple[Mark, ...]


class LiquidationEnded(Event, frozen=True, gc=False, tag="trading.liquidation_ended.v1"):
    """Equity covers the initial requirement again, or nothing is left."""

    equity: int
    initial: int
    maintenance: int
    marks: tuple[Mark, ...]


class Covered(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Ledger units of one asset that the house puts into an account; negative: takes out of it."""

    asset: AssetCode
    units: int


class NegativeBalanceCovered(
    Event, frozen=True, gc=False, tag="trading.negative_balance_covered.v1"
):
    """All that could be closed is closed, and the account still owes more than it has. The house
    takes over what there is and pays what is owed: every balance is zero after it."""

    shortage: int  # in the account's currency, as the house valued it
    covered: tuple[Covered, ...]
    marks: tuple[Mark, ...]
