"""A version of a tier as doors show it: amounts as decimal text, rules in words, odds in short."""

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
from fondaco.domain.evaluation.offering.api import (
    DailyLossShown,
    NewsShown,
    OddsOfTrader,
    OddsShown,
    OfferState,
    OverallLossShown,
    PayoutShown,
    RuleEffectShown,
    ScalingShown,
    StageShown,
    TierShown,
    TierVersionShown,
)
from fondaco.domain.evaluation.offering.model import AttachedOdds, Offered, Offers
from fondaco.domain.evaluation.simulation import attached
from fondaco.domain.evaluation.wording import wording
from fondaco.kernel.event import Instant
from fondaco.kernel.money import format_scaled

PERCENT_DECIMALS: Final = 4  # a hundredth is 10,000 millionths
_MEDIAN: Final = 1  # of the quantiles that a simulation keeps


def state_of(offers: Offers, offered: Offered, now: Instant) -> OfferState:
    if not offered.is_published:
        return "draft"
    ends_at = offers.ends_at(offered)
    if now < min(offered.effective_at, ends_at):
        return "waiting"
    if now < ends_at:
        return "published"
    return "retired" if offered.is_retired and ends_at == offered.ends_at else "past"


def tier_shown(offers: Offers, offered: Offered, tier: Tier, now: Instant) -> TierShown:
    payout = tier.payout
    return TierShown(
        tier=offered.name,
        version=offered.version,
        title=tier.title,
        state=state_of(offers, offered, now),
        currency=tier.currency,
        account=money(tier.account),
        fee=money(tier.fee),
        effective_from=_instant(offered.effective_at),
        effective_until=_instant(offers.ends_at(offered)) if offered.is_published else "",
        fingerprint=offered.fingerprint,
        time_zone=tier.time_zone,
        reset_at=f"{tier.reset_minute // 60:02}:{tier.reset_minute % 60:02}",
        broken_at=tier.broken_at,
        leverage=tier.leverage,
        instruments=list(tier.instruments),
        phases=[_stage(tier, each) for each in tier.phases],
        funded=_stage(tier, tier.funded) if tier.funded else None,
        payout=PayoutShown(
            split=percent(payout.split_ppm),
            first_after_days=payout.first_after_days,
            every_days=payout.every_days,
            minimum=money(payout.minimum),
            refunds_fee=payout.refunds_fee,
        )
        if payout
        else None,
        scaling=[
            ScalingShown(
                profit=money(each.profit),
                account=money(each.account),
                split=percent(each.split_ppm),
            )
            for each in tier.scaling
        ],
        wording=[each for _, sentences in wording(tier) for each in sentences],
        odds=odds_shown(offered.simulation) if offered.simulation else None,
    )


def version_shown(offers: Offers, offered: Offered, now: Instant) -> TierVersionShown:
    return TierVersionShown(
        version=offered.version,
        state=state_of(offers, offered, now),
        fingerprint=offered.fingerprint,
        effective_from=_instant(offered.effective_at),
        effective_until=_instant(offers.ends_at(offered)) if offered.is_published else "",
        defined_at=str(offered.defined_at),
        defined_by=offered.defined_by,
        published_by=offered.published_by,
        contradictions=list(offered.contradictions),
        simulated=offered.simulation is not None,
    )


def odds_shown(simulation: AttachedOdds) -> OddsShown:
    found = attached.read(simulation.odds)
    return OddsShown(
        paths=simulation.paths,
        seed=str(simulation.seed),
        days=simulation.days,
        funded_days=simulation.funded_days,
        sales=simulation.sales,
        sales_a_day=found[0].odds.sales_a_day if found else 0,
        crowd=found[0].odds.crowd if found else 0.0,
        capital=simulation.capital,
        simulated_at=str(simulation.at),
        traders=traders_shown(found),
    )


def traders_shown(found: list[attached.TraderOdds]) -> list[OddsOfTrader]:
    return [
        OddsOfTrader(
            trader=each.trader,
            title=each.title,
            pass_probability=each.odds.pass_probability,
            pass_se=each.odds.pass_se,
            ruin_probability=each.odds.ruin_probability,
            ruin_se=each.odds.ruin_se,
            median_days=each.odds.days_to_pass[_MEDIAN] if each.odds.days_to_pass else None,
            paid_probability=each.odds.paid_probability,
            payout_mean=each.odds.payout_mean,
            firm_profit_mean=each.odds.firm_profit_mean,
            firm_profit_se=each.odds.firm_profit_se,
            firm_ruin_probability=each.odds.firm_ruin_probability,
            firm_ruin_se=each.odds.firm_ruin_se,
            firm_capital_99=each.odds.firm_capital_99,
            abandoned_probability=each.odds.abandoned_probability,
            effects=[
                RuleEffectShown(
                    rule=effect.rule,
                    change=effect.change,
                    pass_probability=effect.pass_probability,
                    pass_change=effect.pass_change,
                    pass_change_se=effect.pass_change_se,
                    payout_mean=effect.payout_mean,
                    payout_change=effect.payout_change,
                    firm_profit_mean=effect.firm_profit_mean,
                    firm_profit_change=effect.firm_profit_change,
                )
                for effect in each.effects
            ],
        )
        for each in found
    ]


def money(amount: int) -> str:
    return format_scaled(amount, MONEY_DECIMALS)


def percent(ppm: int) -> str:
    return format_scaled(ppm, PERCENT_DECIMALS)


def _instant(at: Instant) -> str:
    return "" if at == NEVER else str(at)


def _stage(tier: Tier, terms: PhaseTerms) -> StageShown:
    news = terms.news
    return StageShown(
        name=terms.name,
        target=money(terms.target) if terms.target else None,
        daily_loss=_daily(terms.daily_loss),
        overall_loss=_overall(tier, terms.overall_loss),
        min_trading_days=terms.min_trading_days,
        min_trades=terms.min_trades,
        time_limit_days=terms.time_limit_days,
        inactivity_days=terms.inactivity_days,
        max_risk_per_trade=money(terms.max_risk_per_trade) if terms.max_risk_per_trade else None,
        max_positions=terms.max_positions,
        max_lots=format_scaled(terms.max_lots, LOT_DECIMALS) if terms.max_lots else None,
        consistency=percent(terms.consistency_ppm) if terms.consistency_ppm else None,
        news=NewsShown(
            before_minutes=news.before_minutes,
            after_minutes=news.after_minutes,
            importance=news.importance,
        )
        if news
        else None,
        weekend=terms.weekend,
    )


def _daily(daily: DailyLoss | None) -> DailyLossShown | None:
    if daily is None:
        return None
    return DailyLossShown(
        amount=money(daily.amount) if daily.amount else None,
        part=percent(daily.part_ppm) if daily.part_ppm else None,
        counted_from=daily.basis,
    )


def _overall(tier: Tier, overall: OverallLoss | None) -> OverallLossShown | None:
    if overall is None:
        return None
    return OverallLossShown(
        amount=money(overall.amount),
        limit=money(min(tier.account - overall.amount, overall.locks_at)),
        follows=overall.follows,
        locks_at=money(overall.locks_at) if overall.locks_at != NEVER else None,
    )
