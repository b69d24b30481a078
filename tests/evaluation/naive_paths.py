"""The simulation's kernel once more, slowly: its dice, and `evaluation.rules` at every tick."""

from copy import deepcopy
from typing import Any

from msgspec.structs import replace

from fondaco.domain.evaluation.assessments.model import size_of
from fondaco.domain.evaluation.model import AMOUNT_STEP, PPM, ScalingStep, Tier
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
from fondaco.domain.evaluation.simulation.paths import (
    ABANDONED,
    DAILY,
    EXPIRED,
    OPEN,
    OVERALL,
    PASSED,
)
from fondaco.domain.evaluation.simulation.traders import ALONE, Crowd, Trader, news_odds, risk_max
from fondaco.kernel.event import Instant
from fondaco.kernel.seeded import Seeded

GOLDEN = 0x9E3779B97F4A7C15
ONE = 0xBF58476D1CE4E5B9
MASK = (1 << 64) - 1
NUMBERS = 0x94D049BB133111EB
DAY_NS = 86_400_000_000_000
ENDS = {"daily_loss": DAILY, "overall_loss": OVERALL}


class Dice(Seeded):
    def __init__(self, seed: int, number: int) -> None:
        base = Seeded(seed).bits()
        super().__init__(Seeded(base + number * NUMBERS - GOLDEN).bits())

    @classmethod
    def at(cls, place: int) -> "Dice":
        found = cls(0, 0)
        Seeded.__init__(found, Seeded(place - GOLDEN).bits())
        return found


SATURDAY = 4  # days from 1970-01-01 to the first Monday: then day 5 of a path is a Saturday


class Held:
    """A trade that is open over the night."""

    def __init__(self, risk: int, x: int) -> None:
        self.risk, self.x = risk, x

    @property
    def floating(self) -> int:
        return (self.x * self.risk >> 20) * AMOUNT_STEP


class Walk:
    """One trader in one tier, whose time zone is UTC."""

    def __init__(
        self, tier: Tier, trader: Trader, days: int, funded_days: int, crowd: Crowd = ALONE
    ) -> None:
        self.tier, self.trader = tier, trader
        self.days, self.funded_days, self.crowd = days, funded_days, crowd
        # What a trader does is an input of the law, not its claim: these come from the house.
        self.table = None if trader.win or trader.ends else traders._table(trader)
        self.risks = traders._risks(tier, trader)
        self.levels = len(self.risks) // len(tier.stages)
        self.distance = 0 if trader.win else traders._distance(trader)
        self.journal = list(
            zip(
                (each * (1 << 20) // 10_000 for each in trader.lows),
                (each * (1 << 20) // 10_000 for each in trader.results),
                strict=True,
            )
        )

    def path(self, seed: int, number: int) -> list[int]:
        self.dice = Dice(seed, number)
        base = Seeded(seed).bits()
        self.book = Seeded((base ^ (number // self.crowd.sales + 1) * ONE & MASK) - GOLDEN).bits()
        self.offset = number % self.crowd.sales // self.crowd.a_day
        self.day = self.level = self.traded = self.paid = self.payouts = self.earned = 0
        self.away_until, self.drawn = 0, -1
        self.flows = {self.offset: self.tier.fee // AMOUNT_STEP}
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

    def fresh(self, nth: int) -> Standing:
        """An account as large as what was earned has made it."""
        self.held: Held | None = None
        self.step = ScalingStep(0, self.tier.account, 0)
        if self.tier.payout:
            self.step = size_of(self.tier, self.earned if nth >= len(self.tier.phases) else -1)
        return begin(replace(self.tier, account=self.step.account), nth, self.at())

    def pay(self, standing: Standing) -> bool:
        payout, profit = self.tier.payout, standing.balance - self.step.account
        best = max(standing.best_day, standing.balance - standing.day_balance)
        share = standing.terms.consistency_ppm
        is_even = not share or best * PPM <= share * profit
        if not payout or self.held or profit < max(payout.minimum, 10**6) or not is_even:
            return False
        amount = profit // AMOUNT_STEP * self.step.split_ppm // PPM
        back = self.tier.fee // AMOUNT_STEP if payout.refunds_fee and not self.payouts else 0
        at = self.day + self.offset
        self.flows[at] = self.flows.get(at, 0) - amount - back
        self.paid += amount
        self.payouts += 1
        self.earned += profit
        return True

    def stage(self, nth: int) -> int:
        is_funded = nth >= len(self.tier.phases)
        began = self.day
        payout = self.tier.payout
        due = max(payout.first_after_days, 1) if payout else 0
        standing = self.fresh(nth)
        while True:
            passed_days = self.day - began
            if is_funded and payout and passed_days and passed_days >= due and self.pay(standing):
                due = passed_days + payout.every_days
                standing = self.fresh(nth)
            floating = self.held.floating if self.held else 0
            equity = standing.balance + floating
            found = mark(
                standing, EquityMark(self.at(), standing.balance, equity, int(bool(self.held)))
            )
            if standing.verdict == "failed":
                return self.why(found)
            limit = standing.terms.time_limit_days
            if limit and passed_days >= limit:
                # Where it began anew after a payout, the time limit is still the stage's own.
                return EXPIRED
            if standing.verdict == "abandoned":
                return ABANDONED
            if passed_days >= (self.funded_days if is_funded else self.days or 1 << 60):
                return PASSED if is_funded else OPEN
            if self.is_there():
                found = self.whole_day(standing, nth)
                if standing.verdict != "active":
                    self.day += 1
                    return self.why(found)
            self.day += 1

    @staticmethod
    def why(found: list[Any]) -> int:
        broken = [each for each in found if isinstance(each, RuleBroken)]
        return ENDS[broken[0].rule] if broken else PASSED

    def throw(self, part: float) -> bool:
        return self.dice.bits() >> 11 < round(part * 2**53)

    def is_there(self) -> bool:
        if self.day % 7 >= self.trader.week or self.day < self.away_until:
            return False
        if self.trader.pause and not self.held and self.throw(self.trader.pause):
            self.away_until = self.day + self.trader.pause_days
            return False
        return True

    def whole_day(self, standing: Standing, nth: int) -> list[Any]:
        found: list[Any] = []
        if self.held:
            found = self.resume(standing)
        numbers = self.numbers() if standing.verdict == "active" else range(0)
        for k in numbers:
            part = news_odds(self.tier, nth, self.trader)
            if part and self.throw(part):
                news = TradeOpened(at=self.at(), announcements=(self.at(),))
                assert isinstance(trade_opened(deepcopy(standing), news)[-2], RuleBroken)
                continue
            found = self.trade(standing, nth, k, is_last=k == numbers[-1])
            if standing.verdict != "active":
                break
        return found

    def numbers(self) -> range:
        """Which trades are traded on this day, counted from one."""
        ends = self.trader.ends
        if not ends:
            return range(1, self.trader.trades + 1)
        if self.crowd.part and self.throw(self.crowd.part):
            self.drawn = (self.book + self.day + self.offset & MASK) % len(ends)
        elif self.drawn < 0 or self.throw(1 / self.trader.block):
            self.drawn = (self.dice.bits() >> 11) % len(ends)
        else:
            self.drawn = (self.drawn + 1) % len(ends)
        return range((ends[self.drawn - 1] if self.drawn else 0) + 1, ends[self.drawn] + 1)

    def at(self) -> Instant:
        return Instant((self.day + SATURDAY) * DAY_NS)

    def risk(self, standing: Standing, nth: int) -> int:
        """As much as the rules let be risked, in 10^-4."""
        waits = [each.is_met for each in conditions(standing) if each.name[:3] != "min"]
        if all(waits):
            return 0
        wanted = self.risks[nth * self.levels + self.level]
        wanted = wanted * (self.step.account * PPM // self.tier.account) // PPM
        most = risk_max(self.tier, nth, self.trader)
        wanted = min(wanted, most) if most else wanted
        if self.distance:
            reach = self.tier.leverage * self.distance
            wanted = min(wanted, max(standing.balance, 0) // AMOUNT_STEP * reach // PPM)
        return wanted

    def opened(self, standing: Standing, risk: int) -> TradeOpened:
        notional = risk * PPM // self.distance if self.distance else 0
        return TradeOpened(
            at=self.at(),
            risk=0 if self.journal else risk * AMOUNT_STEP,
            open_positions=1,
            lots=notional // int(self.trader.lot) if self.distance else 0,  # both 10^-4
            notional=notional * AMOUNT_STEP,
        )

    def trade(self, standing: Standing, nth: int, k: int, *, is_last: bool) -> list[Any]:
        self.traded += 1
        risk = self.risk(standing, nth)
        found: list[Any] = [*trade_opened(standing, self.opened(standing, risk))]
        if not risk:
            return found + mark(standing, EquityMark(self.at(), standing.balance, standing.balance))
        is_walk = self.table is not None
        near, own = self.trader.ticks, self.dice
        if is_walk and self.trader.hold and is_last and self.throw(self.trader.hold):
            near = (near + 1) // 2
        if self.crowd.part and not self.journal and self.throw(self.crowd.part):
            at = ((self.day + self.offset) * 1024 + k) * NUMBERS
            self.dice = Dice.at(self.book + at)
        if self.journal:
            steps: Any = self.journal[k - 1]
        else:
            steps = self.steps(near, -round(self.trader.cost * (1 << 20)))
        trade = Held(risk, 0)
        more, is_done = self.walk(standing, trade, steps)
        self.dice = own
        found += more
        must_close = self.tier.stages[nth].weekend == "flat" and (self.day + 1) % 7 == 5
        if near < self.trader.ticks and not is_done and not must_close:
            self.held = trade
            return found
        return found + self.close(standing, trade)

    def resume(self, standing: Standing) -> list[Any]:
        trade, self.held = self.held, None
        assert trade is not None
        assert self.table is not None
        gap = self.table[self.dice.bits() >> 11 & 2047] * round(self.trader.gap * 1024) >> 10
        found, is_done = self.walk(standing, trade, [trade.x + gap])
        if not is_done:
            rest = self.trader.ticks - (self.trader.ticks + 1) // 2
            more, _ = self.walk(standing, trade, self.steps(rest, trade.x))
            found += more
        return found + self.close(standing, trade)

    def walk(self, standing: Standing, trade: Held, steps: Any) -> tuple[list[Any], bool]:
        balance, found = standing.balance, []
        for x in steps:
            trade.x = x
            seen = EquityMark(self.at(), balance, balance + trade.floating, 1)
            found += mark(standing, seen)
            if standing.verdict != "active" or self.closes(x):
                return found, True
        return found, False

    def close(self, standing: Standing, trade: Held) -> list[Any]:
        self.level = min(self.level + 1, self.levels - 1) if trade.x < 0 else 0
        after = standing.balance + trade.floating
        return mark(standing, EquityMark(self.at(), after, after))

    def closes(self, x: int) -> bool:
        if self.trader.win:
            return True
        stop, aim = round(self.trader.stop * (1 << 20)), round(self.trader.aim * (1 << 20))
        return bool((stop and x <= -stop) or (aim and x >= aim))

    def steps(self, ticks: int, x: int) -> Any:
        if self.table is None:
            won = self.dice.bits() >> 11 < traders._won_below(self.trader.win)
            yield (1 << 20) if won else -(1 << 20)
            return
        bits = 0
        for tick in range(ticks):
            bits = self.dice.bits() if tick % 5 == 0 else bits >> 11
            x += self.table[bits & 2047]
            yield x
