"""Nouns of assessments: a stream each, and each of its stages trades on an account of its own.

Amounts are whole 10^-8 of the tier's currency, as in `evaluation.model`.
"""

from collections.abc import Callable
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

import msgspec

from fondaco.domain.evaluation.model import MONEY_DECIMALS, Payout, ScalingStep, Tier
from fondaco.domain.evaluation.rules import RuleName, Standing, Verdict
from fondaco.domain.market.model import Mark
from fondaco.domain.trading.model import RESERVED, AccountId
from fondaco.kernel.event import Instant, StreamId
from fondaco.kernel.money import format_scaled

PREFIX: Final = "assessment/"
ID_PREFIX: Final = RESERVED  # also of the accounts: "asm-0123456789abcdef-1"
PPM: Final = 1_000_000
CENT: Final = 1_000_000  # in 10^-8

State: TypeAlias = Literal[
    "purchased", "active", "passed", "failed", "abandoned", "expired", "funded"
]
# Nothing follows them. "passed" is one of a tier without a funded stage.
PAYMENTS: Final = "payments"  # who gives up what was paid back
ENDED: Final[frozenset[str]] = frozenset({"passed", "failed", "abandoned", "expired"})


class Look(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An account as it was seen. `balance` has open positions at what they cost, `equity` at their
    marks; `notional` and `lots` (whole 10^-4) are of all that is open. `risks`, by symbol, are what
    positions lose if their stops are met; all of what they are worth where they have none."""

    at: Instant
    balance: int
    equity: int
    open_positions: int
    marks: tuple[Mark, ...] = ()
    lots: int = 0
    notional: int = 0
    working: int = 0  # orders
    risks: dict[str, int] = {}
    account_version: int = 0  # its last entry that is in this
    bad: bool = False  # a mark is not of an OK book: nobody is judged by it
    ruled: bool = False  # the account itself sees to the rules of trades


class Numbers(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Everything of a `Standing` that changes."""

    began_at: Instant
    verdict: Verdict
    balance: int
    equity: int
    open_positions: int
    day: int
    resets_at: Instant
    day_from: int
    day_limit: int
    day_balance: int
    best_day: int
    peak: int
    overall_limit: int
    days_traded: int
    last_day_traded: int
    trades: int
    last_trade_at: Instant
    warned: tuple[RuleName, ...]


_numbers: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*Numbers.__struct_fields__)


def numbers_of(standing: Standing) -> Numbers:
    fields = dict(zip(Numbers.__struct_fields__, _numbers(standing), strict=True))
    fields["warned"] = tuple(standing.warned)
    return Numbers(**fields)


def standing_of(tier: Tier, stage: int, numbers: Numbers) -> Standing:
    """A standing of one's own, to be marked."""
    fields = dict(zip(Numbers.__struct_fields__, _numbers(numbers), strict=True))
    fields["warned"] = list(numbers.warned)
    return Standing(terms=tier.stages[stage], tier=tier, **fields)


class PayoutRecord(msgspec.Struct, gc=False):
    """`profit` is what the account had made, `amount` what of it is the trader's."""

    number: int
    profit: int
    amount: int
    asked_at: Instant
    asked_by: str
    state: Literal["asked", "agreed", "refused", "paid", "failed"] = "asked"
    decided_by: str = ""
    reason: str = ""
    tries: int = 0  # at the provider


class Violation(msgspec.Struct, frozen=True, gc=False):
    """The evidence of a broken rule, as `RuleViolated` has it."""

    rule: str
    at: Instant
    value: int
    limit: int
    equity: int
    day: int
    day_from: int


class Assessment(msgspec.Struct):
    """One assessment. Only `evolve` writes to it."""

    assessment_id: str = ""
    tenant: str = ""
    user: str = ""
    source: str = ""  # the purchase, or who gave it away
    tier: Tier | None = None  # frozen; its account is that of the stage once it was scaled
    fingerprint: str = ""
    state: State = "purchased"
    stage: int = 0
    accounts: int = 0  # so many were begun; the last one trades
    account: AccountId = AccountId("")
    opening: bool = False  # its money is on its way
    numbers: Numbers | None = None
    counted: int = 0  # the last order of the account that was counted as a trade
    closing: dict[str, int] = {}  # accounts that are being closed, and how often that was asked
    created_at: Instant = Instant(0)
    ended_at: Instant = Instant(0)
    violation: Violation | None = None
    frozen: str = ""  # why nobody may trade on it: a refund, a dispute
    more_days: int = 0  # by which the time limit was extended
    funded_at: Instant = Instant(0)
    paid_at: Instant = Instant(0)  # of the last payout that was agreed
    profit: int = 0  # of all payouts that were agreed
    payouts: list[PayoutRecord] = []

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED

    @property
    def is_funded_stage(self) -> bool:
        return self.tier is not None and self.stage >= len(self.tier.phases)


class AssessmentRefs:
    """What a decision is given beside state and command. `seen` is the account of the stage, where
    it is in memory and everything that it has can be valued; it is looked at once it is asked for,
    since most decisions bring what they are about."""

    __slots__ = ("_seen", "version")

    def __init__(self, version: int, seen: Look | Callable[[], Look | None] | None = None) -> None:
        self.version, self._seen = version, seen

    @property
    def seen(self) -> Look | None:
        if callable(self._seen):
            self._seen = self._seen()
        return self._seen


def assessment_stream(assessment_id: str) -> StreamId:
    return StreamId(PREFIX + assessment_id)


def assessment_id_of(source: str) -> str:
    """The same source, a purchase say, can only make the same assessment."""
    return ID_PREFIX + blake2b(source.encode(), digest_size=8).hexdigest()


def account_id(assessment_id: str, nth: int) -> AccountId:
    return AccountId(f"{assessment_id}-{nth}")


def assessment_of(account: str) -> str | None:
    """Whose account it is; None: of no assessment."""
    if not account.startswith(ID_PREFIX):
        return None
    found, mark, _ = account[len(ID_PREFIX) :].partition("-")
    return ID_PREFIX + found if mark else None


def payout_name(assessment_id: str, number: int, nth: int) -> str:
    """Of a payout at the payments room; each try is one."""
    name = f"{assessment_id}-{number}"
    return name if nth == 1 else f"{name}-{nth}"


def payout_number(payout_id: str) -> int:
    """Of the assessment's payouts, whichever try it was."""
    return int(payout_id[len(ID_PREFIX) :].split("-")[1])


def size_of(tier: Tier, profit: int) -> ScalingStep:
    """The account's size, and the split, after so much profit in all."""
    split = tier.payout.split_ppm if tier.payout else 0
    found = ScalingStep(0, tier.account, split)
    for step in tier.scaling:
        if profit >= step.profit:
            found = step
    return found


def may_ask_from(assessment: Assessment, terms: Payout) -> Instant:
    """When the next payout may be asked for."""
    days = 86_400_000_000_000
    if assessment.paid_at:
        return Instant(assessment.paid_at + terms.every_days * days)
    return Instant(assessment.funded_at + terms.first_after_days * days)


_COUNTED: Final = frozenset({"max_positions", "weekend", "instruments", "news"})


def measured(rule: str, value: int) -> str:
    """What a rule measures, and its limit, as text: a count, lots, or money."""
    if rule in _COUNTED:
        return str(value)
    return format_scaled(value, 4 if rule == "max_lots" else MONEY_DECIMALS)
