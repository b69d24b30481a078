"""The simulation's kernel once more, slowly: its dice, and `evaluation.rules` at every tick."""

from typing import Any

from fondaco.domain.evaluation.model import AMOUNT_STEP, PPM, Tier
from fondaco.domain.evaluation.rules import (
    EquityMark,
    RuleBroken,
    Standing,
    TradeOpened,
    begin,
    conditions,
    mark,
    trade_opened,
)
from fondaco.domain.evaluation.simulation import traders
from fondaco.domain.evaluation.simulation.paths import DAILY, EXPIRED, OPEN, OVERALL, PASSED
from fondaco.domain.evaluation.simulation.traders import Trader
from fondaco.kernel.event import Instant
from fondaco.kernel.seeded import Seeded

GOLDEN = 0x9E3779B97F4A7C15
NUMBERS = 0x94D049BB133111EB
DAY_NS = 86_400_000_000_000
ENDS = {"daily_loss": DAILY, "overall_loss": OVERALL}


class Dice(Seeded):
    def __init__(self, seed: int, number: int) -> None:
        base = Seeded(seed).bits()
        super().__init__(Seeded(base + number * NUMBERS - GOLDEN).bits())


class Walk:
    """One trader in one tier, whose time zone is UTC."""

    def __init__(self, tier: Tier, trader: Trader, days: int, funded_days: int) -> None:
        self.tier, self.trader = tier, trader
        self.days, self.funded_days = days, funded_days
        # What a trader does is an input of the law, not its claim: these come from the house.
        self.table = None if trader.win else traders._table(trader)
        self.risks = traders._risks(tier, trader)
        self.levels = len(self.risks) // len(tier.stages)

    def path(self, seed: int, number: int) -> list[int]:
        self.dice = Dice(seed, number)
        self.day = self.level = self.traded = self.paid = self.payouts = 0
        ended, passed, passed_day = PASSED, 0, 0
        for nth, _ in enumerate(self.tier.stages):
            ended = self.stage(nth)
            if nth >= len(self.tier.phases):
                break
            passed_day = self.day
            if ended != PASSED:
                break
            passed += 1
        return [ended, passed, passed_day, self.paid, self.payouts, self.traded]

    def stage(self, nth: int) -> int:
        is_funded = nth >= len(self.tier.phases)
        began = self.day
        payout = self.tier.payout
        due = max(payout.first_after_days, 1) if payout else 0
        standing = begin(self.tier, nth, self.at())
        while True:
            passed_days = self.day - began
            if is_funded and payout and passed_days and passed_days >= due:
                profit = standing.balance - self.tier.account
                best = max(standing.best_day, standing.balance - standing.day_balance)
                share = standing.terms.consistency_ppm
                is_even = not share or best * PPM <= share * profit
                if profit > 0 and profit >= payout.minimum and is_even:
                    self.paid += profit // AMOUNT_STEP * payout.split_ppm // PPM
                    self.payouts += 1
                    due = passed_days + payout.every_days
                    standing = begin(self.tier, nth, self.at())
            mark(standing, EquityMark(self.at(), standing.balance, standing.balance))
            limit = standing.terms.time_limit_days
            if limit and passed_days >= limit:
                # Where it began anew after a payout, the time limit is still the stage's own.
                return EXPIRED
            if passed_days >= (self.funded_days if is_funded else self.days or 1 << 60):
                return PASSED if is_funded else OPEN
            if self.day % 7 < self.trader.week:
                for _ in range(self.trader.trades):
                    found = self.trade(standing, nth)
                    if standing.verdict != "active":
                        self.day += 1
                        broken = [each for each in found if isinstance(each, RuleBroken)]
                        return ENDS[broken[0].rule] if broken else PASSED
            self.day += 1

    def at(self) -> Instant:
        return Instant(self.day * DAY_NS)

    def trade(self, standing: Standing, nth: int) -> list[Any]:
        self.traded += 1
        waits = [each.is_met for each in conditions(standing) if each.name[:3] != "min"]
        risk = 0 if all(waits) else self.risks[nth * self.levels + self.level]
        balance = standing.balance
        opened = TradeOpened(at=self.at(), risk=risk * AMOUNT_STEP, open_positions=1)
        found: list[Any] = [*trade_opened(standing, opened)]
        x = 0
        if risk:
            for x in self.steps():
                floating = (x * risk >> 20) * AMOUNT_STEP
                found += mark(standing, EquityMark(self.at(), balance, balance + floating, 1))
                if standing.verdict != "active" or self.closes(x):
                    break
            self.level = min(self.level + 1, self.levels - 1) if x < 0 else 0
        after = balance + (x * risk >> 20) * AMOUNT_STEP
        return found + mark(standing, EquityMark(self.at(), after, after))

    def closes(self, x: int) -> bool:
        if self.trader.win:
            return True
        stop, aim = round(self.trader.stop * (1 << 20)), round(self.trader.aim * (1 << 20))
        return bool((stop and x <= -stop) or (aim and x >= aim))

    def steps(self) -> Any:
        if self.table is None:
            won = self.dice.bits() >> 11 < traders._won_below(self.trader.win)
            yield (1 << 20) if won else -(1 << 20)
            return
        x = -round(self.trader.cost * (1 << 20))
        bits = 0
        for tick in range(self.trader.ticks):
            bits = self.dice.bits() if tick % 5 == 0 else bits >> 11
            x += self.table[bits & 2047]
            yield x
