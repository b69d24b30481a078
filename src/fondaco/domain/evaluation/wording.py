"""The rules of a tier in words, made of its terms: what a trader is shown is what is enforced."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from fondaco.domain.evaluation.model import (
    LOT_DECIMALS,
    MONEY_DECIMALS,
    NEVER,
    DailyLoss,
    OverallLoss,
    PhaseTerms,
    Tier,
)
from fondaco.domain.reference.model import Importance
from fondaco.kernel.money import format_scaled

_EPOCH: Final = date(1970, 1, 1)
_LEAST: Final = {
    Importance.HIGH: "of high importance",
    Importance.MEDIUM: "of medium or high importance",
    Importance.LOW: "of any importance",
}
_FROM: Final = {
    "initial": "the account's size",
    "balance": "the balance at that time",
    "equity": "the equity at that time",
    "higher": "the balance or the equity at that time, whichever is higher",
}


def wording(tier: Tier) -> list[tuple[str, list[str]]]:
    """Headings, the tier's own and one a stage, each with its sentences."""
    found = [("The account", list(_account(tier)))]
    for nth, terms in enumerate(tier.stages):
        is_funded = nth >= len(tier.phases)
        heading = terms.name if is_funded else f"Phase {nth + 1}: {terms.name}"
        found.append((heading, list(_stage(tier, terms, is_funded=is_funded))))
    if tier.payout:
        found.append(("Payouts", list(_paid(tier))))
    return found


def _account(tier: Tier) -> Iterator[str]:
    size = _money(tier, tier.account)
    yield f"The account begins with {size}, at a leverage of 1:{tier.leverage}."
    yield (
        f"An order that would take all that is open over {tier.leverage} times the equity is "
        "refused; the margin that the house asks for an instrument may allow less."
    )
    yield f"It costs {_money(tier, tier.fee)}, once." if tier.fee else "It costs nothing."
    yield (
        f"A day begins when clocks in {tier.time_zone} show {_clock(tier)}, "
        "also on the days when they are changed."
    )
    traded = ", ".join(tier.instruments)
    yield f"These may be traded: {traded}." if traded else "Every instrument may be traded."
    yield (
        "Equity counts open positions and their costs, at every price. A limit is broken by equity "
        + (
            "that touches it."
            if tier.broken_at == "touch"
            else "beneath it; to touch it is allowed."
        )
    )
    sold = f"Sold from {_day(tier.effective_from)}"
    if tier.effective_until != NEVER:
        sold += f" to {_day(tier.effective_until)}"
    yield f"{sold}. Version {tier.version} stays as it is for whoever bought it."


def _stage(tier: Tier, terms: PhaseTerms, *, is_funded: bool) -> Iterator[str]:
    if terms.daily_loss:
        yield _daily(tier, terms.daily_loss)
    if terms.overall_loss:
        yield _overall(tier, terms.overall_loss)
    if not terms.daily_loss and not terms.overall_loss:
        yield "No loss ends it but that of the whole account, which nothing can be traded with."
    yield from _trades(tier, terms)
    if terms.time_limit_days:
        yield f"It ends after {_count(terms.time_limit_days, 'day')} of the calendar."
    elif not is_funded:
        yield "There is no time limit."
    if terms.inactivity_days:
        yield f"It ends after {_count(terms.inactivity_days, 'day')} without a trade."
    if terms.target:
        yield from _target(tier, terms)
    elif terms.consistency_ppm:
        part = _part(terms.consistency_ppm)
        yield f"Paid only while the best day made at most {part} of all profit."


def _daily(tier: Tier, daily: DailyLoss) -> str:
    amount = _money(tier, daily.amount) if daily.amount else f"{_part(daily.part_ppm)} of that"
    if daily.basis == "initial":
        return (
            f"On no day may equity fall {amount} under the account's size: the limit is the same "
            "every day."
        )
    return (
        f"Daily loss: equity may fall at most {amount} under {_FROM[daily.basis]}, "
        f"taken once a day at {_clock(tier)} ({tier.time_zone})."
    )


def _overall(tier: Tier, overall: OverallLoss) -> str:
    amount, first = _money(tier, overall.amount), tier.account - overall.amount
    limit = _money(tier, min(first, overall.locks_at))
    if overall.follows == "static":
        return f"Overall loss: at most {amount}. The limit is {limit} and never moves."
    highest = (
        "the highest equity there ever was, open positions counted"
        if overall.follows == "trailing"
        else "the highest balance that any day was closed with; open positions do not move it"
    )
    lock = f" until it is {_money(tier, overall.locks_at)}" if overall.locks_at != NEVER else ""
    return (
        f"Overall loss: at most {amount} under {highest}. The limit begins at {limit}, rises with "
        f"it{lock}, and never falls."
    )


def _trades(tier: Tier, terms: PhaseTerms) -> Iterator[str]:
    if terms.max_risk_per_trade:
        risk = _money(tier, terms.max_risk_per_trade)
        yield f"No trade may risk more than {risk} between its price and its stop."
        yield "What has no stop, in the order's own bracket say, risks all that it costs."
        yield (
            "An order that would risk more is refused, and breaks nothing. A stop that a position "
            "needs for it may be moved nearer; to cancel it or move it away is refused too."
        )
    if terms.max_positions:
        yield (
            f"At most {_count(terms.max_positions, 'position')} may be open at a time; an order "
            "that could open more is refused."
        )
    if terms.max_lots:
        yield (
            f"At most {format_scaled(terms.max_lots, LOT_DECIMALS)} lots may be open at a time; an "
            "order that could open more is refused."
        )
    if terms.news:
        before, after = terms.news.before_minutes, terms.news.after_minutes
        yield (
            f"Nothing is opened from {_count(before, 'minute')} before to "
            f"{_count(after, 'minute')} after an announcement for its instrument that is "
            f"{_LEAST[terms.news.importance]} in this house's calendar: an order that could open "
            "or increase a position is refused, and one that still works is canceled when the "
            "time begins. What is open may stay open, and may be closed."
        )
    if terms.weekend == "flat":
        yield "No position may be open when the weekend begins."


def _target(tier: Tier, terms: PhaseTerms) -> Iterator[str]:
    goal = _money(tier, tier.account + terms.target)
    yield (
        f"Passed with a profit of {_money(tier, terms.target)}: a balance of {goal} with nothing "
        "open."
    )
    if terms.min_trading_days:
        yield f"To pass, trades were opened on at least {_count(terms.min_trading_days, 'day')}."
    if terms.min_trades:
        yield f"To pass, at least {_count(terms.min_trades, 'trade')} were opened."
    if terms.consistency_ppm:
        part = _part(terms.consistency_ppm)
        yield f"To pass, the best day made at most {part} of all profit."
    if terms.min_trading_days or terms.min_trades or terms.consistency_ppm:
        yield "What is still missing to pass breaks no rule."


def _paid(tier: Tier) -> Iterator[str]:
    payout = tier.payout
    if payout is None:
        return
    yield f"You are paid {_part(payout.split_ppm)} of the profit."
    yield (
        f"First after {_count(payout.first_after_days, 'day')}, then every "
        f"{_count(payout.every_days, 'day')}."
    )
    if payout.minimum:
        yield f"From a profit of {_money(tier, payout.minimum)} on."
    if payout.refunds_fee and tier.fee:
        yield f"The first payout gives back the {_money(tier, tier.fee)} that it cost."
    for step in tier.scaling:
        yield (
            f"From {_money(tier, step.profit)} of profit in all the account has "
            f"{_money(tier, step.account)} and {_part(step.split_ppm)} is paid."
        )


def _money(tier: Tier, amount: int) -> str:
    """ "USD 100,000", with cents where there are any."""
    whole, _, fraction = format_scaled(amount, MONEY_DECIMALS).partition(".")
    return f"{tier.currency} {int(whole):,}" + (f".{fraction.ljust(2, '0')}" if fraction else "")


def _part(ppm: int) -> str:
    return f"{format_scaled(ppm, 4)} %"  # a hundredth is 10,000 millionths


def _clock(tier: Tier) -> str:
    return f"{tier.reset_minute // 60:02}:{tier.reset_minute % 60:02}"


def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
