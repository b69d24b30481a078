# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""The equity kernel: every margin account, marked at every tick, outside the actors. Hot.

It suspects; the account decides. What it says of an account is never better than what is true:
equity is rounded down, requirements are rounded up, and whatever does not fit its numbers makes the
account a suspect. So a breach is never missed, and a false alarm costs one question.

A *slot* is one thing with a price of its own that accounts hold: an asset, or a contract. A *line*
is what one account holds of one slot. A tick of a slot touches its own lines and nobody else's.

Amounts are *marking units*, a fixed part of the accounts' currency that whoever feeds the kernel
chooses. A price is between `low` and `high`, each below 2^31, over 2^`shift` marking units per unit
of quantity; `fixed` makes it from a fraction. All numbers are signed 64-bit, and every product is
kept within by construction, so that compiled and source agree to the last unit.

Cython's pure-Python mode: compiled where there is a compiler, and run as it is where there is none.
"""

from array import array
from heapq import nsmallest

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled

SOUND = 0  # the level of an account that is below every warning
BPS = 10_000

QTY_MAX = 1 << 62  # of a line, either way
CASH_MAX = 1 << 60  # of an account, in marking units
SLOTS_MAX = 1_024
SLACK = 3  # a rounding of the rule's own, of a tier's boundary and of its deduction
SHIFT_MIN = -30
SHIFT_MAX = 90

# Numbers of the arithmetic below, where they stand as literals: a name would be an object to C.
# 2147483647 is 2^31 - 1, a mask. 1125899906842624 is 2^50: no line counts for more, so that sums
# over all slots stay below 2^60; one unit beyond it stands for whatever is beyond.


def fixed(num: int, den: int) -> tuple[int, int, int]:
    """`num / den` marking units per unit of quantity as (low, high, shift), 2^-30 apart at most.

    Raises `OverflowError` for a price from 2^61 on.
    """
    if num < 0 or den <= 0:
        raise ValueError(f"a price is {num} / {den}, must be a fraction of at least 0")
    if not num:
        return 0, 0, 0
    shift = min(31 - num.bit_length() + den.bit_length(), SHIFT_MAX)
    while True:
        scaled_num, scaled_den = num << max(shift, 0), den << max(-shift, 0)
        low = scaled_num // scaled_den
        high = -(-scaled_num // scaled_den)
        if high <= 2147483647:
            break
        shift -= 1
    if shift < SHIFT_MIN:
        raise OverflowError(f"a price is {num // den} marking units, must be below 2^61")
    return low, high, shift


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _value(q: cython.longlong, p: cython.longlong, shift: cython.longlong) -> cython.longlong:
    """floor(q x p / 2^shift); 2^50 + 1, with its sign, where that is beyond 2^50.

    |q| <= 2^62 and 0 <= p < 2^31, so both partial products fit.
    """
    part: cython.longlong = (q & 2147483647) * p
    t: cython.longlong = (q >> 31) * p + (part >> 31)  # the product over 2^31, rounded down
    rest: cython.longlong = part & 2147483647
    by: cython.longlong = shift - 31
    one: cython.longlong = 1
    cap: cython.longlong = 1125899906842624
    if by >= 0:
        t = t >> by
    else:
        by = -by
        if t > (cap >> by) or t < -(cap >> by):
            return 1125899906842625 if t > 0 else -1125899906842625
        t = t * (one << by)
        if shift >= 0:
            t += rest >> shift
        else:
            t += rest * (one << -shift)
    if t > cap:
        return 1125899906842625
    if t < -cap:
        return -1125899906842625
    return t


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _part_up(value: cython.longlong, ppm: cython.longlong) -> cython.longlong:
    """`value` x `ppm` / 1,000,000, rounded up; `value` is not negative."""
    whole: cython.longlong = value // 1000000
    rest: cython.longlong = value - whole * 1000000
    return whole * ppm + (rest * ppm + 1000000 - 1) // 1000000


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _part_down(value: cython.longlong, ppm: cython.longlong) -> cython.longlong:
    whole: cython.longlong = value // 1000000
    rest: cython.longlong = value - whole * 1000000
    return whole * ppm + rest * ppm // 1000000


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _takes(needs: cython.longlong, equity: cython.longlong, bps: cython.longlong) -> cython.bint:
    """Whether `needs` is at least `bps` / 10,000 of `equity`; neither is negative."""
    most: cython.longlong = 281474976710656  # 2^48: below it both products fit
    whole: cython.longlong
    rest: cython.longlong
    if needs < most and equity < most:
        return equity * bps <= needs * 10_000
    whole = needs // bps
    rest = needs - whole * bps
    if whole > 461168601832000:  # then it is worth 2^62 and more, which no equity is
        return True
    return equity <= whole * 10_000 + (rest * 10_000 + bps - 1) // bps


@cython.final
@cython.cclass
class Slot:
    """One thing with a price, and every account that holds it."""

    account = cython.declare(cython.longlong[::1])
    qty = cython.declare(cython.longlong[::1])
    equity = cython.declare(cython.longlong[::1])  # what each line counts for
    initial = cython.declare(cython.longlong[::1])
    maintenance = cython.declare(cython.longlong[::1])
    doubt = cython.declare(cython.longlong[::1])  # 1: the line does not fit our numbers
    bound = cython.declare(cython.longlong[::1])  # of the tiers
    initial_ppm = cython.declare(cython.longlong[::1])
    maintenance_ppm = cython.declare(cython.longlong[::1])
    deduction = cython.declare(cython.longlong[::1])
    place = cython.declare(dict)
    n = cython.declare(cython.Py_ssize_t)
    room = cython.declare(cython.Py_ssize_t)
    tiers = cython.declare(cython.Py_ssize_t)
    low = cython.declare(cython.longlong)
    high = cython.declare(cython.longlong)
    shift = cython.declare(cython.longlong)
    keeps_ppm = cython.declare(cython.longlong)
    slack = cython.declare(cython.longlong)
    long_needs = cython.declare(cython.bint)

    def __init__(self) -> None:
        self.n = 0
        self.room = 16
        self.place = {}
        self.low = 0
        self.high = 0
        self.shift = 0
        self.account = _numbers(16)
        self.qty = _numbers(16)
        self.equity = _numbers(16)
        self.initial = _numbers(16)
        self.maintenance = _numbers(16)
        self.doubt = _numbers(16)

    @cython.cfunc
    def grow(self) -> None:
        self.account = _doubled(self.account)
        self.qty = _doubled(self.qty)
        self.equity = _doubled(self.equity)
        self.initial = _doubled(self.initial)
        self.maintenance = _doubled(self.maintenance)
        self.doubt = _doubled(self.doubt)
        self.room = 2 * self.room


def _numbers(room: int) -> object:
    return array("q", bytes(8 * room))


def _doubled(old: object) -> object:
    """A copy with as much room again; `old` cannot grow while a memoryview looks at it."""
    kept = bytes(old)  # type: ignore[call-overload]
    return array("q", kept + bytes(len(kept)))


@cython.final
@cython.cclass
class Equity:
    """Running equity and requirements of every account, and its level.

    `warning_bps` are shares of equity, in basis points, that the maintenance requirement may take:
    the level of an account is how many of them it has reached, and `breached`, one more than all,
    once the requirement takes everything. Levels are suspicions, and sums bounds on the safe side.
    """

    cash = cython.declare(cython.longlong[::1])
    equity = cython.declare(cython.longlong[::1])  # cash included
    initial = cython.declare(cython.longlong[::1])
    maintenance = cython.declare(cython.longlong[::1])
    doubts = cython.declare(cython.longlong[::1])
    levels = cython.declare(cython.longlong[::1])
    n = cython.declare(cython.Py_ssize_t)
    room = cython.declare(cython.Py_ssize_t)
    warnings = cython.declare(cython.longlong[::1])
    breached = cython.declare(cython.longlong, visibility="readonly")
    slots = cython.declare(list)
    counts = cython.declare(list)

    def __init__(self, warning_bps: list) -> None:  # type: ignore[type-arg]
        self.slots = []
        self.n = 0
        self.room = 16
        self.cash = _numbers(16)
        self.equity = _numbers(16)
        self.initial = _numbers(16)
        self.maintenance = _numbers(16)
        self.doubts = _numbers(16)
        self.levels = _numbers(16)
        self.set_warnings(warning_bps)

    @cython.cfunc
    def _grow(self) -> None:
        self.cash = _doubled(self.cash)
        self.equity = _doubled(self.equity)
        self.initial = _doubled(self.initial)
        self.maintenance = _doubled(self.maintenance)
        self.doubts = _doubled(self.doubts)
        self.levels = _doubled(self.levels)
        self.room = 2 * self.room

    # What there is

    def add_account(self) -> int:
        """The number of a new account, without cash or lines."""
        if self.n == self.room:
            self._grow()
        self.n += 1
        self.counts[SOUND] += 1
        return self.n - 1

    def add_slot(
        self,
        tiers: list,  # type: ignore[type-arg]
        *,
        keeps_ppm: int = 1_000_000,
        long_needs: bool = True,
        slack: int = SLACK,
    ) -> int:
        """The number of a new slot, without a price: until it has one its lines count nothing.

        `tiers` are (notional_max, initial_ppm, maintenance_ppm, deduction), amounts in marking
        units; beyond the last, the last counts. `keeps_ppm`: what a long line is worth as
        collateral. `long_needs`: whether a long line has a requirement, as a short one does.
        `slack`: what the exact rule, and the tiers in marking units, may be off by a line.
        """
        if len(self.slots) == SLOTS_MAX:
            raise OverflowError(f"there are {SLOTS_MAX} slots already")
        slot: Slot = Slot()
        self._set_terms(slot, tiers, keeps_ppm, long_needs, slack)
        self.slots.append(slot)
        return len(self.slots) - 1

    def set_terms(
        self,
        number: int,
        tiers: list,  # type: ignore[type-arg]
        *,
        keeps_ppm: int = 1_000_000,
        long_needs: bool = True,
        slack: int = SLACK,
    ) -> list:  # type: ignore[type-arg]
        """Other tiers or another haircut from now on; answers as `set_price` does."""
        slot: Slot = self.slots[number]
        self._set_terms(slot, tiers, keeps_ppm, long_needs, slack)
        return self._mark_all(slot)

    @cython.cfunc
    def _set_terms(
        self,
        slot: Slot,
        tiers: list,  # type: ignore[type-arg]
        keeps_ppm: object,
        long_needs: bool,
        slack: object,
    ) -> None:
        _check_terms(tiers, keeps_ppm, slack)
        slot.tiers = len(tiers)
        slot.bound = array("q", [min(each[0], 1 << 51) for each in tiers] or [0])
        slot.initial_ppm = array("q", [each[1] for each in tiers] or [0])
        slot.maintenance_ppm = array("q", [each[2] for each in tiers] or [0])
        slot.deduction = array("q", [each[3] for each in tiers] or [0])
        slot.keeps_ppm = keeps_ppm
        slot.slack = slack
        slot.long_needs = long_needs

    def set_warnings(self, warning_bps: list) -> list:  # type: ignore[type-arg]
        """Other shares to warn at from now on; the accounts that have another level."""
        if sorted(set(warning_bps)) != warning_bps or not all(
            0 < bps <= BPS for bps in warning_bps
        ):
            raise ValueError(f"warning_bps are {warning_bps}, must go up from 1 to {BPS}")
        i: cython.Py_ssize_t
        was = self.breached
        self.warnings = array("q", warning_bps or [0])
        self.breached = len(warning_bps) + 1
        self.counts = [0] * (self.breached + 1)
        levels = [self.levels[i] for i in range(self.n)]
        for i in range(self.n):
            self.levels[i] = 0
            self.counts[SOUND] += 1
            self._judge(i)
        return [i for i in range(self.n) if self.levels[i] != levels[i] or was != self.breached]

    # What accounts have

    def set_cash(self, account: cython.Py_ssize_t, units: cython.longlong) -> cython.bint:
        """Marking units of the currency itself, rounded down; whether the level has changed."""
        self._known(account)
        if units > CASH_MAX:
            units = CASH_MAX  # more is no worse
        if units < -CASH_MAX:
            raise OverflowError(f"cash is {units}, must be at least {-CASH_MAX}")
        self.equity[account] += units - self.cash[account]
        self.cash[account] = units
        return self._judge(account)

    def set_qty(
        self, account: cython.Py_ssize_t, number: cython.Py_ssize_t, qty: cython.longlong
    ) -> cython.bint:
        """What the account has of a slot now; whether its level has changed."""
        at: cython.Py_ssize_t
        self._known(account)
        if qty > QTY_MAX or qty < -QTY_MAX:
            raise OverflowError(f"a quantity is {qty}, must be within {QTY_MAX} either way")
        slot: Slot = self._slot(number)
        found = slot.place.get(account)
        if found is None:
            if qty == 0:
                return False
            if slot.n == slot.room:
                slot.grow()
            at = slot.n
            slot.n += 1
            slot.place[account] = at
            slot.account[at] = account
            slot.equity[at] = 0
            slot.initial[at] = 0
            slot.maintenance[at] = 0
            slot.doubt[at] = 0
        else:
            at = found
        slot.qty[at] = qty
        self._mark(slot, at)
        if qty == 0:
            self._remove(slot, at)
        return self._judge(account)

    @cython.cfunc
    def _remove(self, slot: Slot, at: cython.Py_ssize_t) -> None:
        """The line counts nothing any more; the last one takes its place."""
        last: cython.Py_ssize_t = slot.n - 1
        del slot.place[slot.account[at]]
        if at != last:
            slot.account[at] = slot.account[last]
            slot.qty[at] = slot.qty[last]
            slot.equity[at] = slot.equity[last]
            slot.initial[at] = slot.initial[last]
            slot.maintenance[at] = slot.maintenance[last]
            slot.doubt[at] = slot.doubt[last]
            slot.place[slot.account[at]] = at
        slot.n = last

    def set_doubt(self, account: cython.Py_ssize_t, doubt: cython.bint) -> cython.bint:
        """Suspect an account whatever the numbers say; whether its level has changed."""
        self._known(account)
        was: cython.longlong = self.doubts[account]
        self.doubts[account] = (was >> 1 << 1) + (1 if doubt else 0)
        return self._judge(account)

    # What the market does

    def set_price(
        self,
        number: cython.Py_ssize_t,
        low: cython.longlong,
        high: cython.longlong,
        shift: cython.longlong,
    ) -> list:  # type: ignore[type-arg]
        """A tick. Marks every line of the slot; the accounts whose level has changed by it."""
        slot: Slot = self._slot(number)
        if low < 0 or high < low or high > 2147483647 or shift < SHIFT_MIN or shift > SHIFT_MAX:
            raise ValueError(f"a price is {low} to {high} over 2^{shift}, which is none")
        slot.low = low
        slot.high = high
        slot.shift = shift
        return self._mark_all(slot)

    @cython.cfunc
    def _mark_all(self, slot: Slot) -> list:  # type: ignore[type-arg]
        i: cython.Py_ssize_t
        changed = []
        for i in range(slot.n):
            self._mark(slot, i)
            if self._judge(slot.account[i]):
                changed.append(slot.account[i])
        return changed

    @cython.cfunc
    @cython.exceptval(check=False)
    def _mark(self, slot: Slot, i: cython.Py_ssize_t) -> cython.longlong:
        """What the line counts for, in place of what it counted for; answers its equity."""
        account: cython.Py_ssize_t = slot.account[i]
        q: cython.longlong = slot.qty[i]
        worth: cython.longlong = 0
        notional: cython.longlong = 0  # not below the true one
        initial: cython.longlong = 0
        maintenance: cython.longlong = 0
        doubt: cython.longlong = 0
        k: cython.Py_ssize_t = 0
        if q > 0:
            worth = _value(q, slot.low, slot.shift)
            if worth > 1125899906842624:
                worth = 1125899906842624  # more is no worse
            worth = _part_down(worth, slot.keeps_ppm)
            if slot.long_needs:
                notional = -_value(-q, slot.high, slot.shift)
        elif q < 0:
            notional = -_value(q, slot.high, slot.shift)
            worth = -notional
        if notional > 1125899906842624:
            doubt = 1
        elif notional > 0 and slot.tiers > 0:
            notional += slot.slack
            while k < slot.tiers - 1 and notional > slot.bound[k]:
                k += 1
            initial = _part_up(notional, slot.initial_ppm[k]) + slot.slack
            maintenance = _part_up(notional, slot.maintenance_ppm[k]) - slot.deduction[k]
            maintenance = slot.slack + (maintenance if maintenance > 0 else 0)
        if q < 0 or worth > slot.slack:
            worth -= slot.slack
        else:
            worth = 0  # what one has is worth something, or nothing
        self.equity[account] += worth - slot.equity[i]
        self.initial[account] += initial - slot.initial[i]
        self.maintenance[account] += maintenance - slot.maintenance[i]
        self.doubts[account] += 2 * (doubt - slot.doubt[i])
        slot.equity[i] = worth
        slot.initial[i] = initial
        slot.maintenance[i] = maintenance
        slot.doubt[i] = doubt
        return worth

    @cython.cfunc
    def _judge(self, account: cython.Py_ssize_t) -> cython.bint:
        """Whether the account has another level than before."""
        level: cython.longlong = 0
        equity: cython.longlong = self.equity[account]
        needs: cython.longlong = self.maintenance[account]
        if self.doubts[account] != 0 or equity < 0 or (needs > 0 and equity <= needs):
            level = self.breached
        elif needs > 0:
            while level < self.breached - 1 and _takes(needs, equity, self.warnings[level]):
                level += 1
        if level == self.levels[account]:
            return False
        self.counts[self.levels[account]] -= 1
        self.counts[level] += 1
        self.levels[account] = level
        return True

    # What is known

    @cython.cfunc
    def _known(self, account: cython.Py_ssize_t) -> None:
        if account < 0 or account >= self.n:
            raise IndexError(f"there is no account {account}")

    @cython.cfunc
    def _slot(self, number: cython.Py_ssize_t) -> Slot:
        if number < 0 or number >= len(self.slots):
            raise IndexError(f"there is no slot {number}")
        return self.slots[number]

    def level(self, account: cython.Py_ssize_t) -> int:
        self._known(account)
        return self.levels[account]

    def sums(self, account: cython.Py_ssize_t) -> tuple:  # type: ignore[type-arg]
        """(equity at least, initial at most, maintenance at most) in marking units."""
        self._known(account)
        return (self.equity[account], self.initial[account], self.maintenance[account])

    def count(self, level: int) -> int:
        """Accounts of a level."""
        return self.counts[level]

    def holders(self, number: cython.Py_ssize_t) -> int:
        """Accounts that hold a slot."""
        return self._slot(number).n

    def nearest(self, limit: int) -> list:  # type: ignore[type-arg]
        """Up to `limit` accounts with a requirement, those with the least equity for it first."""
        i: cython.Py_ssize_t
        needy = []
        for i in range(self.n):
            if self.doubts[i] != 0:
                needy.append((float("-inf"), i))
            elif self.maintenance[i] > 0 or self.equity[i] < 0:
                needy.append((float(self.equity[i]) / float(max(self.maintenance[i], 1)), i))
        return [i for _, i in nsmallest(limit, needy)]


def _check_terms(tiers: list, keeps_ppm: object, slack: object) -> None:  # type: ignore[type-arg]
    """Raises `ValueError` for terms under which more notional could need less."""
    if not 0 <= keeps_ppm <= 1_000_000 or not 0 <= slack <= 1_000_000:  # type: ignore[operator]
        raise ValueError(f"keeps_ppm is {keeps_ppm} and slack {slack}, must be 0 to 1000000")
    before = 0
    for nth, (bound, initial, maintenance, deduction) in enumerate(tiers):
        if not 0 <= maintenance <= 1_000_000 or not 0 <= initial <= 1_000_000:
            raise ValueError(f"tier {nth} asks for {initial} and {maintenance} ppm of 1000000")
        if bound <= before or not 0 <= deduction <= 1 << 50:
            raise ValueError(f"tier {nth} ends at {bound} with a deduction of {deduction}")
        if nth:
            _, initial_before, maintenance_before, deduction_before = tiers[nth - 1]
            ended = before * maintenance_before - deduction_before * 1_000_000
            begins = before * maintenance - deduction * 1_000_000
            # Neither boundary nor deduction need be whole marking units: that is `SLACK`.
            if initial < initial_before or max(begins, 0) + 2_000_000 < max(ended, 0):
                raise ValueError(f"tier {nth} asks for less than the tier before it")
        before = bound
