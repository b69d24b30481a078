# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""The simulation's kernel: traders of a kind, tick by tick, through the stages of a tier. Hot.

Every path has dice of its own, made of the seed and its number: what comes out is the same bytes in
any order and among any number of workers. The dice are SplitMix64 (Steele, Lea, Flood 2014); two
paths may come upon the same stretch of it, with odds of about 1 in 5,000 for a million paths.

A trade moves in *steps* of 2^-20 of its risk, five to a draw, each one of 2,048 equally likely
ones from a table. It ends at its stop, at its aim, at its last tick, or where a limit is broken,
which is found at the very tick. Money is whole 10^-4; every product is kept within 64 bits by
`traders`.

The last trade of a day may be held over the night: half of its ticks are walked before it, a gap
opens the next day that is traded, and the rest follows. Days of a journal are drawn in stretches
(the stationary bootstrap of Politis and Romano 1994); each trade of it goes to its worst, and then
to its result. Whoever trades with the crowd takes the steps of their book's dice for that day and
trade. The rules are those of `evaluation.rules`, of which tests hold this to be the twin.

Cython's pure-Python mode: compiled where there is a compiler, and run as it is where there is none.
"""

from array import array
from typing import TypeAlias

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled

Row: TypeAlias = "array[int]"

# How a path ended.
OPEN = 0  # neither passed nor failed within the days that were asked for
DAILY = 1
OVERALL = 2
EXPIRED = 3
PASSED = 4  # all phases, and there is no funded stage; or that one lasted as long as was asked for
ABANDONED = 5  # so many days without a trade

STEP = 1 << 20  # a trade's whole risk
TABLE = 2_048
# Columns of a stage; amounts in 10^-4, a limit that is not there has amount -1.
TARGET, DAILY_AMOUNT, DAILY_PPM, BASIS, OVERALL_AMOUNT, FOLLOWS, LOCKS_AT = range(7)
MIN_DAYS, MIN_TRADES, TIME_LIMIT, CONSISTENCY, IS_FUNDED, RISK_MAX = range(7, 13)
INACTIVITY, NEWS, IS_FLAT, COLUMNS = range(13, 17)

_MASK = cython.declare(cython.ulonglong, 0xFFFF_FFFF_FFFF_FFFF)
_GOLDEN = cython.declare(cython.ulonglong, 0x9E37_79B9_7F4A_7C15)
_ONE = cython.declare(cython.ulonglong, 0xBF58_476D_1CE4_E5B9)
_TWO = cython.declare(cython.ulonglong, 0x94D0_49BB_1331_11EB)
# 4611686018427387904 is 2^62: beyond every step and every amount.


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _mixed(s: cython.ulonglong) -> cython.ulonglong:
    z: cython.ulonglong = s
    z = ((z ^ (z >> 30)) * _ONE) & _MASK
    z = ((z ^ (z >> 27)) * _TWO) & _MASK
    return z ^ (z >> 31)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _part(value: cython.longlong, ppm: cython.longlong) -> cython.longlong:
    """`value` x `ppm` / 1,000,000, rounded down; neither is negative."""
    whole: cython.longlong = value // 1000000
    rest: cython.longlong = value - whole * 1000000
    return whole * ppm + rest * ppm // 1000000


@cython.final
@cython.cclass
class Paths:
    """One kind of trader in one tier. Raises nothing: what it is given was checked by `traders`."""

    coin = cython.declare(cython.ulonglong)
    per_day = cython.declare(cython.longlong)
    ticks = cython.declare(cython.longlong)
    stop = cython.declare(cython.longlong)
    aim = cython.declare(cython.longlong)
    cost = cython.declare(cython.longlong)
    week = cython.declare(cython.longlong)
    account = cython.declare(cython.longlong)
    touch = cython.declare(cython.longlong)
    horizon = cython.declare(cython.longlong)
    funded_days = cython.declare(cython.longlong)
    split = cython.declare(cython.longlong)
    pays_after = cython.declare(cython.longlong)
    pays_every = cython.declare(cython.longlong)
    pays_from = cython.declare(cython.longlong)
    fee = cython.declare(cython.longlong)
    refund = cython.declare(cython.longlong)
    reach = cython.declare(cython.longlong)  # millionths of the balance, by the leverage
    pause = cython.declare(cython.ulonglong)
    pause_days = cython.declare(cython.longlong)
    hold = cython.declare(cython.ulonglong)
    gap = cython.declare(cython.longlong)  # steps x 2^10
    crowd = cython.declare(cython.ulonglong)
    sales = cython.declare(cython.ulonglong)  # of a book
    a_day = cython.declare(cython.ulonglong)  # of them
    restart = cython.declare(cython.ulonglong)
    table = cython.declare(cython.longlong[::1])
    stages = cython.declare(cython.longlong[::1])
    risks = cython.declare(cython.longlong[::1])
    scaling = cython.declare(cython.longlong[::1])  # profit, account, millionths of it, split
    results = cython.declare(cython.longlong[::1])
    lows = cython.declare(cython.longlong[::1])
    ends = cython.declare(cython.longlong[::1])  # of days, in `results`
    n_drawn = cython.declare(cython.longlong)  # days of a journal, 0: there is none
    n_scaling = cython.declare(cython.longlong)
    n_stages = cython.declare(cython.longlong)
    levels = cython.declare(cython.longlong)
    # Of the path that is under way.
    dice = cython.declare(cython.ulonglong)
    stage = cython.declare(cython.Py_ssize_t)  # where its columns begin
    balance = cython.declare(cython.longlong)
    day_from = cython.declare(cython.longlong)
    day_limit = cython.declare(cython.longlong)
    peak = cython.declare(cython.longlong)
    limit = cython.declare(cython.longlong)
    best_day = cython.declare(cython.longlong)
    level = cython.declare(cython.longlong)
    day = cython.declare(cython.longlong)  # of the path
    day_balance = cython.declare(cython.longlong)
    days_traded = cython.declare(cython.longlong)  # in the stage
    trades = cython.declare(cython.longlong)  # likewise
    broken = cython.declare(cython.longlong)
    traded = cython.declare(cython.longlong)
    paid = cython.declare(cython.longlong)
    payouts = cython.declare(cython.longlong)
    size = cython.declare(cython.longlong)  # of the account
    size_ppm = cython.declare(cython.longlong)
    part = cython.declare(cython.longlong)  # of a profit, that is paid
    earned = cython.declare(cython.longlong)  # all profits that a part was paid of
    traded_day = cython.declare(cython.longlong)  # the last one
    away_until = cython.declare(cython.longlong)
    held = cython.declare(cython.longlong)  # what a trade risks that is open, 0: none is
    held_at = cython.declare(cython.longlong)
    drawn = cython.declare(cython.longlong)  # the day of a journal
    offset = cython.declare(cython.longlong)  # of days, from the first sale of a book
    book = cython.declare(cython.ulonglong)
    flows = cython.declare(cython.longlong[::1])
    ticked = cython.declare(cython.longlong)

    def __init__(
        self, given: "Row", table: "Row", stages: "Row", risks: "Row", scaling: "Row",
        results: "Row", lows: "Row", ends: "Row",
    ) -> None:  # fmt: skip
        """The last three are of a journal; one zero each where there is none."""
        (
            self.coin, self.per_day, self.ticks, self.stop, self.aim, self.cost, self.week,
            self.account, self.touch, self.horizon, self.funded_days, self.split,
            self.pays_after, self.pays_every, self.pays_from, self.fee, self.refund, self.reach,
            self.pause, self.pause_days, self.hold, self.gap, self.crowd, self.sales,
            self.a_day, self.restart,
        ) = given  # fmt: skip
        self.table = table
        self.stages = stages
        self.risks = risks
        self.n_stages = len(stages) // COLUMNS
        self.levels = len(risks) // self.n_stages
        self.scaling, self.n_scaling = scaling, len(scaling) // 4
        self.results, self.lows, self.ends = results, lows, ends
        self.n_drawn = len(ends) if ends[len(ends) - 1] else 0
        self.ticked = 0

    def run(self, seed: int, first: int, count: int, found: "Row", flows: "Row") -> int:
        """Paths `first` … of a seed into `found`, six numbers each: how it ended, phases passed,
        days until the last phase was passed or the path ended, what was paid, how often, trades.
        What the firm has of them is added to the days of `flows`, counted from the first sale of
        their book, the last of which takes all that comes later. Gives back the ticks walked."""
        rows: cython.longlong[::1] = found
        n: cython.Py_ssize_t = count
        i: cython.Py_ssize_t
        number: cython.ulonglong = first
        base: cython.ulonglong = seed
        base = _mixed((base + _GOLDEN) & _MASK)
        self.ticked = 0
        self.flows = flows
        for i in range(n):
            self.dice = _mixed((base + ((number * _TWO) & _MASK)) & _MASK)
            self.book = _mixed(base ^ (((number // self.sales + 1) * _ONE) & _MASK))
            self.offset = number % self.sales // self.a_day
            number += 1
            self._path(rows, i * 6)
        return self.ticked

    @cython.cfunc
    def _path(self, rows: cython.longlong[::1], at: cython.Py_ssize_t) -> cython.void:
        """All stages of one trader."""
        passed: cython.longlong = 0
        ended: cython.longlong = PASSED
        passed_day: cython.longlong = 0
        nth: cython.longlong
        self.day = self.traded = self.paid = self.payouts = self.level = self.earned = 0
        self.away_until, self.drawn = 0, -1
        self._flow(self.fee)
        for nth in range(self.n_stages):
            self.stage = nth * 16
            self._fresh()
            ended = self._toss_stage(nth) if self._is_plain() else self._walk_stage(nth)
            if self.stages[self.stage + 11]:  # funded
                break
            passed_day = self.day
            if ended != 4:
                break
            passed += 1
        rows[at], rows[at + 1], rows[at + 2] = ended, passed, passed_day
        rows[at + 3], rows[at + 4], rows[at + 5] = self.paid, self.payouts, self.traded

    @cython.cfunc
    def _walk_stage(self, nth: cython.longlong) -> cython.longlong:
        """Day by day, until it ends."""
        of: cython.Py_ssize_t = self.stage
        is_funded: cython.longlong = self.stages[of + 11]
        days: cython.longlong = self.funded_days if is_funded else self.horizon
        limit: cython.longlong = self.stages[of + 9]
        d: cython.longlong = 0
        ended: cython.longlong
        next_payout: cython.longlong = self.pays_after if self.pays_after > 0 else 1
        self.days_traded = self.trades = 0
        while True:
            if is_funded and d > 0 and d >= next_payout:
                next_payout = self._pay(d, next_payout)
            self._reset()
            if self.broken:
                return self.broken
            if limit and d >= limit:
                return 3
            if self.stages[of + 13] and self.day - self.traded_day >= self.stages[of + 13]:
                return 5
            if days and d >= days:
                return 4 if is_funded else 0
            ended = self._walk_day(nth) if self._is_there() else 0
            self.day += 1
            if ended:
                return ended
            d += 1

    @cython.cfunc
    def _walk_day(self, nth: cython.longlong) -> cython.longlong:
        """All trades of a day; 0 where the stage goes on."""
        k: cython.longlong = 0
        last: cython.longlong = self.per_day
        news: cython.ulonglong = self.stages[self.stage + 14]
        if self.held:
            self._resume()
            if self.broken:
                return self.broken
            if self._is_passed():
                return 4
        if self.n_drawn:
            self._draw()
            k = self.ends[self.drawn - 1] if self.drawn else 0
            last = self.ends[self.drawn]
        while k < last:
            k += 1
            if news and self._throw() < news:
                continue
            if self.traded_day != self.day or self.days_traded == 0:
                self.days_traded += 1
            self.traded_day = self.day
            self.trades += 1
            self.traded += 1
            self._trade(self._risk(nth), k, last)
            if self.broken:
                return self.broken
            if self.held == 0 and self._is_passed():
                return 4
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _throw(self) -> cython.ulonglong:
        """53 bits."""
        self.dice = (self.dice + _GOLDEN) & _MASK
        return _mixed(self.dice) >> 11

    @cython.cfunc
    def _is_there(self) -> cython.bint:
        """Whether the day is one that the trader trades on."""
        if self.day % 7 >= self.week or self.day < self.away_until:
            return False
        if self.pause and self.held == 0 and self._throw() < self.pause:
            self.away_until = self.day + self.pause_days
            return False
        return True

    @cython.cfunc
    def _draw(self) -> cython.void:
        """The next day of the journal, or now and then any."""
        n: cython.ulonglong = self.n_drawn
        if self.crowd and self._throw() < self.crowd:
            self.drawn = (self.book + self.day + self.offset) % n
        elif self.drawn < 0 or self._throw() < self.restart:
            self.drawn = self._throw() % n
        else:
            self.drawn = (self.drawn + 1) % self.n_drawn

    @cython.cfunc
    def _flow(self, amount: cython.longlong) -> cython.void:
        at: cython.Py_ssize_t = self.day + self.offset
        if at >= self.flows.shape[0]:
            at = self.flows.shape[0] - 1
        self.flows[at] += amount

    @cython.cfunc
    def _is_plain(self) -> cython.bint:
        """Whether nothing counts but the tosses of a coin, between a target and a static limit."""
        of: cython.Py_ssize_t = self.stage
        k: cython.Py_ssize_t
        for k in range(7, 16):
            if self.stages[of + k]:
                return False
        if self.horizon or self.week < 7 or self.levels > 1 or self.stages[of + 5]:
            return False
        if self.pause or self.crowd or not self.coin:
            return False
        return self.stages[of] > 0 and self.stages[of + 1] < 0

    @cython.cfunc
    def _toss_stage(self, nth: cython.longlong) -> cython.longlong:
        """What `_walk_stage` does, for what is plain: a toss is a draw and two comparisons."""
        balance: cython.longlong = self.balance
        target: cython.longlong = self.account + self.stages[self.stage]
        # Without an overall loss the limit is far beneath everything.
        low: cython.longlong = self.limit - 1 + self.touch
        risk: cython.longlong = self.risks[nth]
        s: cython.ulonglong = self.dice
        tosses: cython.longlong = 0
        while True:
            s = (s + _GOLDEN) & _MASK
            tosses += 1
            if (_mixed(s) >> 11) < self.coin:
                balance += risk
                if balance >= target:
                    break
            else:
                balance -= risk
                if balance <= low:
                    break
        self.dice = s
        self.ticked += tosses
        self.traded += tosses
        self.day += (tosses + self.per_day - 1) // self.per_day
        return 4 if balance >= target else 2

    @cython.cfunc
    def _fresh(self) -> cython.void:
        """An account at the beginning of a stage, or after a payout."""
        k: cython.Py_ssize_t
        self.size, self.size_ppm, self.part = self.account, 1000000, self.split
        if self.stages[self.stage + 11]:
            for k in range(self.n_scaling):
                if self.earned >= self.scaling[4 * k]:
                    self.size = self.scaling[4 * k + 1]
                    self.size_ppm = self.scaling[4 * k + 2]
                    self.part = self.scaling[4 * k + 3]
        self.balance = self.day_balance = self.peak = self.size
        self.best_day = self.held = self.broken = 0
        self.traded_day = self.day
        self.limit = -4611686018427387904
        self.day_limit = -4611686018427387904
        self._set_overall()

    @cython.cfunc
    def _reset(self) -> cython.void:
        of: cython.Py_ssize_t = self.stage
        basis: cython.longlong = self.stages[of + 3]
        equity: cython.longlong = self.balance
        amount: cython.longlong
        if self.held:
            equity += (self.held_at * self.held) >> 20
        if self.stages[of + 5] == 2 and self.balance > self.peak:
            self.peak = self.balance
            self._set_overall()
        if self.balance - self.day_balance > self.best_day:
            self.best_day = self.balance - self.day_balance
        self.day_balance = self.balance
        self.day_from = self.balance
        if basis == 1:
            self.day_from = self.size
        elif basis == 2 or (basis == 3 and equity > self.balance):
            self.day_from = equity
        amount = self.stages[of + 1]
        if amount >= 0:
            if self.stages[of + 2]:
                amount = _part(self.day_from, self.stages[of + 2]) if self.day_from > 0 else 0
            self.day_limit = self.day_from - amount
        if equity - self.touch < self.limit or equity - self.touch < self.day_limit:
            self.broken = 2 if self.limit >= self.day_limit else 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def _set_overall(self) -> cython.void:
        level: cython.longlong
        if self.stages[self.stage + 4] >= 0:
            level = self.peak - self.stages[self.stage + 4]
            if level > self.stages[self.stage + 6]:
                level = self.stages[self.stage + 6]
            if level > self.limit:
                self.limit = level

    @cython.cfunc
    def _risk(self, nth: cython.longlong) -> cython.longlong:
        """What the next trade risks: nothing where only days or trades are missing."""
        of: cython.Py_ssize_t = self.stage
        target: cython.longlong = self.stages[of]
        risk: cython.longlong
        most: cython.longlong = self.stages[of + 12]
        if target and self.balance - self.size >= target and self._is_even():
            return 0
        risk = self.risks[nth * self.levels + self.level]
        if self.size_ppm != 1000000:
            risk = _part(risk, self.size_ppm)
        if most and risk > most:
            risk = most
        if self.reach:
            most = _part(self.balance, self.reach) if self.balance > 0 else 0
            if risk > most:
                risk = most
        return risk

    @cython.cfunc
    def _is_even(self) -> cython.bint:
        """Whether no day made more than its share of the profit."""
        profit: cython.longlong = self.balance - self.size
        best: cython.longlong = self.balance - self.day_balance
        share: cython.longlong = self.stages[self.stage + 10]
        if share == 0:
            return True
        if self.best_day > best:
            best = self.best_day
        return profit > 0 and best <= _part(profit, share)

    @cython.cfunc
    def _is_passed(self) -> cython.bint:
        of: cython.Py_ssize_t = self.stage
        if self.stages[of] == 0 or self.balance - self.size < self.stages[of]:
            return False
        if self.days_traded < self.stages[of + 7] or self.trades < self.stages[of + 8]:
            return False
        return self._is_even()

    @cython.cfunc
    def _pay(self, d: cython.longlong, due: cython.longlong) -> cython.longlong:
        """A payout that is due; the account begins anew. Gives back when the next one is."""
        profit: cython.longlong = self.balance - self.size
        amount: cython.longlong = _part(profit, self.part) if profit > 0 else 0
        if self.held or profit <= 0 or profit < self.pays_from or not self._is_even():
            return due  # asked again tomorrow
        self.paid += amount
        self._flow(-amount - (0 if self.payouts else self.refund))
        self.payouts += 1
        self.earned += profit
        self._fresh()
        return d + self.pays_every

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _breaks_at(self, risk: cython.longlong) -> cython.longlong:
        """The highest step at which a limit is broken: equity is the balance and
        step x risk / 2^20, rounded down."""
        level: cython.longlong = self.limit if self.limit >= self.day_limit else self.day_limit
        over: cython.longlong = level - self.balance + self.touch  # equity must be this, at least
        if over < -4398046511104:  # 2^42: no trade loses as much
            return -4611686018427387904
        if over > 4398046511104:
            return 4611686018427387904
        if over <= 0:
            return -((-over << 20) // risk) - 1
        return ((over << 20) + risk - 1) // risk - 1

    @cython.cfunc
    def _trade(
        self, risk: cython.longlong, k: cython.longlong, last: cython.longlong
    ) -> cython.void:
        """The `k`th trade of a day; with nothing at risk nothing happens."""
        x: cython.longlong
        near: cython.longlong = self.ticks
        own: cython.ulonglong
        z: cython.ulonglong
        follows: cython.bint = False
        if risk == 0:
            return
        if self.hold and k == last and self._throw() < self.hold:
            near = (near + 1) // 2
        if self.crowd and self.n_drawn == 0:
            follows = self._throw() < self.crowd
        own = self.dice
        if follows:
            z = (self.day + self.offset) * 1024 + k
            self.dice = _mixed((self.book + ((z * _TWO) & _MASK)) & _MASK)
        if self.coin:
            x = 1048576 if self._throw() < self.coin else -1048576
            self.ticked += 1
            self._rise((x * risk) >> 20)
        elif self.n_drawn:
            x = self.lows[k - 1]
            self.ticked += 2
            if x > self._breaks_at(risk):
                x = self.results[k - 1]
                self._rise((x * risk) >> 20)
        else:
            x = self._walk(risk, -self.cost, near)
        if follows:
            self.dice = own
        if near < self.ticks and self._goes_on(risk, x) and not self._must_close():
            self.held, self.held_at = risk, x
            return
        self._close(risk, x)

    @cython.cfunc
    def _resume(self) -> cython.void:
        """The trade that was held over the night, from the gap on."""
        risk: cython.longlong = self.held
        x: cython.longlong = self.held_at
        at: cython.Py_ssize_t = self._throw() & 2047
        x += (self.table[at] * self.gap) >> 10
        self.held = 0
        self._rise((x * risk) >> 20)
        if self._goes_on(risk, x):
            x = self._walk(risk, x, self.ticks - (self.ticks + 1) // 2)
        self._close(risk, x)

    @cython.cfunc
    def _goes_on(self, risk: cython.longlong, x: cython.longlong) -> cython.bint:
        if (self.stop and x <= -self.stop) or (self.aim and x >= self.aim):
            return False
        return x > self._breaks_at(risk)

    @cython.cfunc
    def _must_close(self) -> cython.bint:
        """Nothing may be open when tomorrow, a Saturday, begins."""
        return self.stages[self.stage + 15] and (self.day + 1) % 7 == 5

    @cython.cfunc
    def _close(self, risk: cython.longlong, x: cython.longlong) -> cython.void:
        if x <= self._breaks_at(risk):
            # The limit that stands higher is met first; of two equal ones the overall one.
            self.broken = 2 if self.limit >= self.day_limit else 1
        self.balance += (x * risk) >> 20
        if x < 0:
            if self.level < self.levels - 1:
                self.level += 1
        else:
            self.level = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def _rise(self, gain: cython.longlong) -> cython.void:
        """A limit that trails follows the highest equity."""
        if self.stages[self.stage + 5] == 1 and self.balance + gain > self.peak:
            self.peak = self.balance + gain
            self._set_overall()

    @cython.cfunc
    def _walk(
        self, risk: cython.longlong, begun: cython.longlong, ticks: cython.longlong
    ) -> cython.longlong:
        """Where a trade ends. A limit that trails follows it up; others stand still."""
        table: cython.longlong[::1] = self.table
        x: cython.longlong = begun
        stop: cython.longlong = -self.stop if self.stop else -4611686018427387904
        high: cython.longlong = self.aim if self.aim else 4611686018427387904
        breaks: cython.longlong = self._breaks_at(risk)
        low: cython.longlong = max(stop, breaks)
        top: cython.longlong = 0 if self.stages[self.stage + 5] == 1 else 4611686018427387904
        left: cython.longlong = ticks
        n: cython.longlong
        s: cython.ulonglong = self.dice
        z: cython.ulonglong
        while left > 0:
            s = (s + _GOLDEN) & _MASK
            z = _mixed(s)
            n = 5 if left > 5 else left
            left -= n
            while n > 0:
                x += table[z & 2047]
                n -= 1
                if x > top:
                    top = x
                    self._rise((x * risk) >> 20)
                    breaks = self._breaks_at(risk)
                    low = stop if stop > breaks else breaks
                if x <= low or x >= high:
                    self.ticked -= left + n
                    left = 0
                    break
                z >>= 11
        self.ticked += ticks
        self.dice = s
        return x
