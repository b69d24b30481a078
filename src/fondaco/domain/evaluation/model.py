"""What a tier is: the terms under which somebody trades to be funded. Values, and frozen.

Money is in whole 10^-8 of the tier's currency, parts are in millionths, days are calendar days in
the tier's own time zone.
"""

from hashlib import sha256
from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.reference.model import Importance

MONEY_DECIMALS: Final = 8
LOT_DECIMALS: Final = 4
PPM: Final = 1_000_000
AMOUNT_STEP: Final = 10_000  # amounts of terms are whole 10^-4
NEVER: Final = (1 << 63) - 1

# Where the loss of a day is counted from, at its reset. "higher": of balance and equity.
DayBasis: TypeAlias = Literal["initial", "balance", "equity", "higher"]
# What the limit of the overall loss follows. "trailing": the highest equity ever seen;
# "end_of_day": the highest balance that a day was closed with.
Follows: TypeAlias = Literal["static", "trailing", "end_of_day"]
# Whether a limit may be touched: "below" breaks it beneath, "touch" breaks it at the limit.
BrokenAt: TypeAlias = Literal["below", "touch"]
Weekend: TypeAlias = Literal["allowed", "flat"]


class DailyLoss(msgspec.Struct, frozen=True):
    """At most `amount` is lost from where the day began, or `part_ppm` of that, rounded down to
    10^-4; one of the two is 0."""

    amount: int
    part_ppm: int
    basis: DayBasis


class OverallLoss(msgspec.Struct, frozen=True):
    """Equity stays over its limit: `amount` under what it `follows`. The limit rises to `locks_at`
    and no further; `NEVER` is no lock."""

    amount: int
    follows: Follows
    locks_at: int


class NewsWindow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nothing is opened so near to an announcement that is at least so important. What terms from
    before importance was written say is "high", and their fingerprint stays."""

    before_minutes: int
    after_minutes: int
    importance: Importance = Importance.HIGH


class PhaseTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one phase. 0 and None are no rule."""

    name: str
    target: int = 0  # profit over the account's size
    daily_loss: DailyLoss | None = None
    overall_loss: OverallLoss | None = None
    min_trading_days: int = 0
    min_trades: int = 0
    time_limit_days: int = 0
    inactivity_days: int = 0
    max_risk_per_trade: int = 0
    max_positions: int = 0
    max_lots: int = 0  # open at the same time, in whole 10^-4
    consistency_ppm: int = 0  # the best day's share of all profit, at most
    news: NewsWindow | None = None
    weekend: Weekend = "allowed"


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """What a funded trader is paid of their profit, and when they may first ask, and again."""

    split_ppm: int
    first_after_days: int
    every_days: int
    minimum: int = 0
    refunds_fee: bool = False


class ScalingStep(msgspec.Struct, frozen=True):
    """Once as much profit was made in all, the account is of this size, and the split is this."""

    profit: int
    account: int
    split_ppm: int


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold. A version never changes: other terms are another version, from another day.

    `effective_from` is counted from 1970-01-01. Without `phases` it is instant funding; without
    `funded` it ends when the last phase is passed.
    """

    name: str
    title: str
    version: int
    effective_from: int
    effective_until: int
    currency: str
    account: int
    fee: int
    time_zone: str
    reset_minute: int
    broken_at: BrokenAt
    leverage: int
    instruments: tuple[str, ...]  # none: all
    phases: tuple[PhaseTerms, ...]
    funded: PhaseTerms | None
    payout: Payout | None
    scaling: tuple[ScalingStep, ...]

    @property
    def stages(self) -> tuple[PhaseTerms, ...]:
        """All phases in their order, the funded one last."""
        return (*self.phases, self.funded) if self.funded else self.phases


def fingerprint(tier: Tier) -> str:
    """The SHA-256 of all terms, by which a buyer's frozen tier is known."""
    return sha256(msgspec.json.encode(tier)).hexdigest()
