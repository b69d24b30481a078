"""Reads a tier's text: TOML with exact numbers, compiled into the terms that rules are made of.

    name = "two-step-100k"
    account = "100000"
    [[phases]]
    name = "Challenge"
    target = "10%"
    daily_loss = { limit = "5%", from = "balance" }
    overall_loss = { limit = "10%", follows = "static" }

Numbers that are money or parts stand in quotes, since TOML would make floats of them. `"5%"` of an
amount is five hundredths of the account's size.
"""

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from fondaco.domain.evaluation.model import (
    LOT_DECIMALS,
    MONEY_DECIMALS,
    NEVER,
    PPM,
    BrokenAt,
    DailyLoss,
    DayBasis,
    Follows,
    NewsWindow,
    OverallLoss,
    Payout,
    PhaseTerms,
    ScalingStep,
    Tier,
    Weekend,
)
from fondaco.domain.reference.api import check_time_zone
from fondaco.domain.reference.model import Importance
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import parse_scaled

TIERS: Final = Path(__file__).with_name("tiers")
ACCOUNT_MAX: Final = 10**8  # of the currency; what the simulation's numbers hold
TEXT_MAX: Final = 65_536
_AMOUNT_DECIMALS: Final = 4  # beyond that no currency pays; what the simulation counts in
_EPOCH: Final = date(1970, 1, 1)

_Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]
_Days = Annotated[int, Meta(ge=0, le=3_660)]
_Minutes = Annotated[int, Meta(ge=0, le=1_440)]
_Text = Annotated[str, Meta(min_length=1, max_length=100)]


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class _Daily(_Written, frozen=True, kw_only=True):
    limit: str
    of: Literal["account", "day_start"] = "account"
    basis: DayBasis = msgspec.field(default="balance", name="from")


class _Overall(_Written, frozen=True, kw_only=True):
    limit: str
    follows: Follows = "static"
    locks_at: str = ""


class _News(_Written, frozen=True, kw_only=True):
    before_minutes: _Minutes = 0
    after_minutes: _Minutes = 0
    importance: Importance = Importance.HIGH


class _Phase(_Written, frozen=True, kw_only=True):
    name: _Text
    target: str = "0"
    daily_loss: _Daily | None = None
    overall_loss: _Overall | None = None
    min_trading_days: _Days = 0
    min_trades: _Count = 0
    time_limit_days: _Days = 0
    inactivity_days: _Days = 0
    max_risk_per_trade: str = "0"
    max_positions: _Count = 0
    max_lots: str = "0"
    consistency: str = "0"
    news: _News | None = None
    weekend: Weekend = "allowed"


class _Payout(_Written, frozen=True, kw_only=True):
    split: str
    first_after_days: _Days = 0
    every_days: Annotated[int, Meta(ge=1, le=3_660)] = 30
    minimum: str = "0"
    refunds_fee: bool = False


class _Step(_Written, frozen=True, kw_only=True):
    profit: str
    account: str = "100%"
    split: str = ""


class _Tier(_Written, frozen=True, kw_only=True):
    name: _Name
    title: _Text
    version: Annotated[int, Meta(ge=1)] = 1
    effective_from: date
    effective_until: date | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3,10}$")] = "USD"
    account: str
    fee: str = "0"
    time_zone: _Text = "UTC"
    reset_at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:00"
    broken_at: BrokenAt = "below"
    leverage: Annotated[int, Meta(ge=1, le=1_000)] = 1
    instruments: Annotated[tuple[_Text, ...], Meta(max_length=1_000)] = ()
    phases: Annotated[tuple[_Phase, ...], Meta(max_length=3)] = ()
    funded: _Phase | None = None
    payout: _Payout | None = None
    scaling: Annotated[tuple[_Step, ...], Meta(max_length=20)] = ()


T = TypeVar("T")


def tier_of(text: str) -> Tier:
    """The tier that a text says. Raises `Invalid`, which names the key, its value and the limit."""
    if len(text) > TEXT_MAX:
        raise Invalid(f"a tier's text has {len(text)} characters, must have at most {TEXT_MAX}")
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"a tier's text is no TOML: {error}") from error
    return _compiled(_convert(found, _Tier))


def built_in() -> Sequence[str]:
    """Names of the tiers that come with the house."""
    return sorted(path.stem for path in TIERS.glob("*.toml"))


def text_of(name_or_path: str) -> str:
    """The text of a built-in tier, or of a file. Raises `Invalid`."""
    if name_or_path in built_in():
        return (TIERS / f"{name_or_path}.toml").read_text("utf-8")
    path = Path(name_or_path)
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise Invalid(
            f"{name_or_path} is neither a file nor a built-in tier: {', '.join(built_in())}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{name_or_path}: {error}") from error


def _convert(found: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        hint = ": numbers with a point stand in quotes" if "float" in str(error) else ""
        raise Invalid(f"a tier's text: {error}{hint}") from error


def _compiled(text: _Tier) -> Tier:
    account = _money(text.account, "account")
    if not 0 < account <= ACCOUNT_MAX * 10**MONEY_DECIMALS:
        raise Invalid(f"account is {text.account}, must be above 0 and at most {ACCOUNT_MAX}")
    check_time_zone(text.time_zone)
    if not text.phases and text.funded is None:
        raise Invalid("a tier's text has neither [[phases]] nor [funded], must have one of them")
    if (text.funded is None) != (text.payout is None):
        raise Invalid("[funded] and [payout] go together: one says how to trade, one what is paid")
    if text.scaling and text.payout is None:
        raise Invalid("[[scaling]] needs [funded] and [payout]: only funded accounts grow")
    hour, _, minute = text.reset_at.partition(":")
    until = text.effective_until
    return Tier(
        name=text.name,
        title=text.title,
        version=text.version,
        effective_from=(text.effective_from - _EPOCH).days,
        effective_until=(until - _EPOCH).days if until else NEVER,
        currency=text.currency,
        account=account,
        fee=_money(text.fee, "fee"),
        time_zone=text.time_zone,
        reset_minute=int(hour) * 60 + int(minute),
        broken_at=text.broken_at,
        leverage=text.leverage,
        instruments=text.instruments,
        phases=tuple(
            _phase(each, account, f"phases[{nth}]") for nth, each in enumerate(text.phases)
        ),
        funded=_phase(text.funded, account, "funded") if text.funded else None,
        payout=_payout(text.payout, account) if text.payout else None,
        scaling=_scaling(text, account),
    )


def _phase(text: _Phase, account: int, at: str) -> PhaseTerms:
    daily, overall = text.daily_loss, text.overall_loss
    return PhaseTerms(
        name=text.name,
        target=_amount(text.target, account, f"{at}.target", up=True),
        daily_loss=_daily(daily, account, f"{at}.daily_loss") if daily else None,
        overall_loss=_overall(overall, account, f"{at}.overall_loss") if overall else None,
        min_trading_days=text.min_trading_days,
        min_trades=text.min_trades,
        time_limit_days=text.time_limit_days,
        inactivity_days=text.inactivity_days,
        max_risk_per_trade=_amount(text.max_risk_per_trade, account, f"{at}.max_risk_per_trade"),
        max_positions=text.max_positions,
        max_lots=_positive(parse_scaled(text.max_lots, LOT_DECIMALS, f"{at}.max_lots"), at),
        consistency_ppm=_part(text.consistency, f"{at}.consistency") if text.consistency else 0,
        news=_news(text.news) if text.news else None,
        weekend=text.weekend,
    )


def _news(text: _News) -> NewsWindow:
    return NewsWindow(text.before_minutes, text.after_minutes, text.importance)


def _daily(text: _Daily, account: int, at: str) -> DailyLoss:
    if text.of == "day_start":
        return DailyLoss(0, _above_0(_part(text.limit, f"{at}.limit"), f"{at}.limit"), text.basis)
    amount = _above_0(_amount(text.limit, account, f"{at}.limit"), f"{at}.limit")
    return DailyLoss(amount, 0, text.basis)


def _overall(text: _Overall, account: int, at: str) -> OverallLoss:
    amount = _above_0(_amount(text.limit, account, f"{at}.limit"), f"{at}.limit")
    if text.follows == "static" and text.locks_at:
        raise Invalid(f"{at}.locks_at is {text.locks_at}, but a static limit does not move")
    if not text.locks_at:
        locks_at = NEVER
    elif text.locks_at == "account":
        locks_at = account
    else:
        locks_at = _amount(text.locks_at, account, f"{at}.locks_at")
    return OverallLoss(amount, text.follows, locks_at)


def _payout(text: _Payout, account: int) -> Payout:
    return Payout(
        split_ppm=_part(text.split, "payout.split"),
        first_after_days=text.first_after_days,
        every_days=text.every_days,
        minimum=_amount(text.minimum, account, "payout.minimum"),
        refunds_fee=text.refunds_fee,
    )


def _scaling(text: _Tier, account: int) -> tuple[ScalingStep, ...]:
    steps: list[ScalingStep] = []
    for nth, step in enumerate(text.scaling):
        at = f"scaling[{nth}]"
        split = step.split or (text.payout.split if text.payout else "0%")
        size = _amount(step.account, account, f"{at}.account")
        if size > ACCOUNT_MAX * 10**MONEY_DECIMALS:
            raise Invalid(f"{at}.account is {step.account}, must be at most {ACCOUNT_MAX}")
        profit = _amount(step.profit, account, f"{at}.profit")
        steps.append(ScalingStep(profit, size, _part(split, f"{at}.split")))
    return tuple(steps)


def _amount(text: str, account: int, what: str, *, up: bool = False) -> int:
    """An amount, or a part of the account's size: to 10^-4, never to the trader's good."""
    if not text.endswith("%"):
        return _money(text, what)
    exact = account * _ppm(text, what)
    step = PPM * 10 ** (MONEY_DECIMALS - _AMOUNT_DECIMALS)
    whole = -(-exact // step) if up else exact // step
    return int(whole * (step // PPM))


def _money(text: str, what: str) -> int:
    amount = parse_scaled(text, _AMOUNT_DECIMALS, what) * 10 ** (MONEY_DECIMALS - _AMOUNT_DECIMALS)
    return _positive(amount, what)


def _part(text: str, what: str) -> int:
    """ "80%" as 800,000 millionths; "0" is none."""
    if text == "0":
        return 0
    if not text.endswith("%"):
        raise Invalid(f'{what} is {text[:40]}, must be a part, such as "80%"')
    return _ppm(text, what)


def _ppm(text: str, what: str) -> int:
    return _positive(parse_scaled(text.removesuffix("%"), 4, what), what)


def _positive(amount: int, what: str) -> int:
    if amount < 0:
        raise Invalid(f"{what} is below 0, must be 0 or more")
    return amount


def _above_0(amount: int, what: str) -> int:
    if amount <= 0:
        raise Invalid(f"{what} is 0, must be above it; a rule that is not wanted is left out")
    return amount
