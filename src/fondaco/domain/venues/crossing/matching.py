# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: infer_types=True, legacy_implicit_noexcept=True
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore,valid-type,misc"
# mypy: disable-error-code="return,name-defined"
"""The matching kernel: one instrument's orders in price-time priority. Hot.

Cython's pure-Python mode: compiled where there is a compiler, and run as it is where there is none.
Every number is a signed 64-bit integer; prices are ticks and quantities lots, both above zero, and
ids are the caller's, from 1 on. Orders live in a pool of records that are linked into the queue of
their level; levels are a sorted list a side, the best one last; an open-addressing table finds an
order by its id. All of it doubles before it is written beyond its end, and the lots of a side stay
within `LOTS_MAX` together, so that no sum overflows. What is a C function without a `return` gives
0; what may grow something gives an error back, the rest cannot fail.

A taker's steps are written down, then done: `plan` shows those of a decision that nobody has taken
yet, `enter` takes it. An iceberg shows `display` lots, then the next ones behind everybody else at
its price; where only such parts are left, whole rounds of them are had at once.
"""

from array import array

try:
    import cython
    from cython import longlong as i64
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]
    from fondaco.kernel.nocython import longlong as i64  # type: ignore[no-redef,assignment]


COMPILED = cython.compiled
LOTS_MAX = 2**62  # of all orders of a side
WIDTH, ENTER, TAKE_OFF = 8, 1, 2  # numbers in a command of a batch, and kinds: see `run`
# Self-match prevention; 0 lets an owner trade with itself.
CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH, DECREMENT = 1, 2, 3, 4
FILLED, CANCELED, CUT = 0, 1, 2  # steps
WHY = ("", "requested", "would_take", "no_liquidity", "not_at_once", "self_match", "refused")

_MAX = cython.declare(cython.longlong, 2**62)
_AHEAD = cython.declare(cython.Py_ssize_t, 16)  # commands of a batch: memory is asked for so early
_MIX = cython.declare(cython.ulonglong, 0x1E3779B97F4A7C15)  # spreads ids over the table
_LOW = cython.declare(cython.ulonglong, 2**63 - 1)
# Places in an order's record, behind its id, and in a level's, behind its key; handle 0 is nobody.
# The compiler has them from matching.pxd.
if not cython.compiled:
    _OWNER, _LEAVES, _SHOWN, _DISPLAY, _NEXT, _PREV, _LEVEL = range(1, 8)
    _HEAD, _TAIL, _VISIBLE = range(1, 4)


@cython.cfunc
def _wider(numbers: cython.longlong[::1]) -> cython.longlong[::1]:
    """The same numbers, and as many zeros behind them."""
    wider: cython.longlong[::1] = array("q", [0]) * (2 * len(numbers))
    wider[: len(numbers)] = numbers
    return wider


@cython.final
@cython.cclass
class Pool:
    """Records of `width` numbers. The first number of a free one is the next that is free."""

    cells = cython.declare(cython.longlong[::1])
    end = cython.declare(cython.Py_ssize_t)
    free = cython.declare(cython.Py_ssize_t)
    width = cython.declare(cython.Py_ssize_t)

    def __init__(self, width: i64, end: i64, count: i64 = 64) -> None:
        self.width = width
        self.cells = array("q", [0]) * (count * width)
        self.end = end
        self.free = 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def take(self) -> i64:
        """The place of a record that is nobody's."""
        at: i64 = self.free
        if at != 0:
            self.free = self.cells[at]
            return at
        at = self.end
        if at == len(self.cells):
            self.cells = _wider(self.cells)
        self.end = at + self.width
        return at

    @cython.cfunc
    def give(self, at: i64) -> i64:
        self.cells[at] = self.free
        self.free = at


@cython.final
@cython.cclass
class Rungs:
    """The levels of one side by price. A key is the price, negative on the ask side."""

    key = cython.declare(cython.longlong[::1])
    level = cython.declare(cython.longlong[::1])
    n = cython.declare(cython.Py_ssize_t)
    sign = cython.declare(cython.longlong)
    total = cython.declare(cython.longlong, visibility="readonly")  # lots, hidden ones included

    def __init__(self, sign: i64) -> None:
        self.sign = sign
        self.n = 0
        self.total = 0
        self.key = array("q", [0]) * 64
        self.level = array("q", [0]) * 64

    @cython.cfunc
    def find(self, key: i64) -> cython.Py_ssize_t:
        """The first place whose key is not below `key`."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.n
        while low < high:
            middle: cython.Py_ssize_t = (low + high) >> 1
            if self.key[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def put(self, at: cython.Py_ssize_t, key: i64, level: i64) -> i64:
        i: cython.Py_ssize_t = self.n
        if i == len(self.key):
            self.key = _wider(self.key)
            self.level = _wider(self.level)
        while i > at:
            self.key[i] = self.key[i - 1]
            self.level[i] = self.level[i - 1]
            i -= 1
        self.key[at] = key
        self.level[at] = level
        self.n += 1

    @cython.cfunc
    def drop(self, key: i64) -> i64:
        i: cython.Py_ssize_t = self.find(key)
        self.n -= 1
        while i < self.n:
            self.key[i] = self.key[i + 1]
            self.level[i] = self.level[i + 1]
            i += 1


@cython.final
@cython.cclass
class MatchingBook:
    """One instrument. `side` is 0 to buy and 1 to sell; an `owner` of 0 never meets itself."""

    bids = cython.declare(Rungs, visibility="readonly")
    asks = cython.declare(Rungs, visibility="readonly")
    orders = cython.declare(Pool)
    levels = cython.declare(Pool)
    table = cython.declare(cython.longlong[::1])  # an id and a handle; a handle of 0 is free
    mask = cython.declare(cython.Py_ssize_t)
    count = cython.declare(cython.Py_ssize_t, visibility="readonly")
    # Kind, handle, id of the maker, price, lots, what the maker has left, id of the taker.
    log = cython.declare(Pool)
    begin = cython.declare(cython.Py_ssize_t)  # where the last plan begins in it
    again = cython.declare(Pool)  # icebergs that a plan has come to: handle, lots still hidden
    is_stopped = cython.declare(cython.bint)  # the plan, by its own owner
    cut = cython.declare(cython.longlong)  # lots of the taker in the plan that will not execute
    why = cython.declare(cython.Py_ssize_t, visibility="readonly")  # the last order ended
    rested = cython.declare(cython.longlong, visibility="readonly")  # lots of the last order

    def __init__(self, room: i64 = 64) -> None:
        """`room`: orders that it has room for before it grows for the first time."""
        self.bids = Rungs(1)
        self.asks = Rungs(-1)
        self.orders = Pool(8, 8, room + 1)  # so that no handle is 0
        self.levels = Pool(8, 8)
        self.log = Pool(8, 0)
        self.again = Pool(2, 0)
        self.mask = 127
        while self.mask < 2 * room:
            self.mask = 2 * self.mask + 1
        self.table = array("q", [0]) * (2 * (self.mask + 1))
        self.count = self.begin = self.why = self.cut = self.rested = 0
        self.is_stopped = False

    @cython.cfunc
    def _home(self, order_id: i64) -> cython.Py_ssize_t:
        h: cython.ulonglong = order_id
        h = (h * _MIX) & _LOW
        return (h ^ (h >> 31)) & self.mask

    @cython.cfunc
    def _seek(self, order_id: i64) -> cython.Py_ssize_t:
        """Where the table has this id, or would have it."""
        i: cython.Py_ssize_t = self._home(order_id)
        while self.table[2 * i + 1] != 0 and self.table[2 * i] != order_id:
            i = (i + 1) & self.mask
        return i

    @cython.cfunc
    def _handle(self, order_id: i64) -> i64:
        return self.table[2 * self._seek(order_id) + 1]

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _note(self, order_id: i64, o: i64) -> i64:
        """Put an id into the table, of which at most half is in use."""
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t
        if 2 * (self.count + 1) > self.mask:
            old: cython.longlong[::1] = self.table
            self.table = array("q", [0]) * (4 * (self.mask + 1))
            self.mask = 2 * self.mask + 1
            for i in range(len(old) // 2):
                if old[2 * i + 1] != 0:
                    at = self._seek(old[2 * i])
                    self.table[2 * at] = old[2 * i]
                    self.table[2 * at + 1] = old[2 * i + 1]
        i = self._seek(order_id)
        self.table[2 * i] = order_id
        self.table[2 * i + 1] = o
        self.count += 1

    @cython.cfunc
    def _forget(self, order_id: i64) -> i64:
        """Take an id that is there out of the table, and let those behind it move up."""
        i: cython.Py_ssize_t = self._seek(order_id)
        j: cython.Py_ssize_t = (i + 1) & self.mask
        while self.table[2 * j + 1] != 0:
            home: cython.Py_ssize_t = self._home(self.table[2 * j])
            stays: cython.bint = (i < home <= j) if i <= j else (i < home or home <= j)
            if not stays:
                self.table[2 * i] = self.table[2 * j]
                self.table[2 * i + 1] = self.table[2 * j + 1]
                i = j
            j = (j + 1) & self.mask
        self.table[2 * i + 1] = 0
        self.count -= 1

    @cython.cfunc
    def _rungs(self, side: i64) -> Rungs:
        return self.bids if side == 0 else self.asks

    @cython.cfunc
    def _link(self, o: i64, level: i64) -> i64:
        """Stand at the back."""
        tail: i64 = self.levels.cells[level + _TAIL]
        self.orders.cells[o + _PREV] = tail
        self.orders.cells[o + _NEXT] = 0
        if tail != 0:
            self.orders.cells[tail + _NEXT] = o
        else:
            self.levels.cells[level + _HEAD] = o
        self.levels.cells[level + _TAIL] = o

    @cython.cfunc
    def _unlink(self, o: i64, level: i64) -> i64:
        before: i64 = self.orders.cells[o + _PREV]
        behind: i64 = self.orders.cells[o + _NEXT]
        if before != 0:
            self.orders.cells[before + _NEXT] = behind
        else:
            self.levels.cells[level + _HEAD] = behind
        if behind != 0:
            self.orders.cells[behind + _PREV] = before
        else:
            self.levels.cells[level + _TAIL] = before

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _rest(self, order: i64, owner: i64, side: i64, px: i64, leaves: i64, display: i64) -> i64:
        """At the back of its level. The id is new, and the side has room for the lots."""
        rungs: Rungs = self._rungs(side)
        key: i64 = px * rungs.sign
        at: cython.Py_ssize_t = rungs.find(key)
        level: i64
        if at < rungs.n and rungs.key[at] == key:
            level = rungs.level[at]
        else:
            level = self.levels.take()
            rungs.put(at, key, level)
            self.levels.cells[level] = key
        shown: i64 = display if 0 < display < leaves else leaves
        o: i64 = self.orders.take()
        self.orders.cells[o] = order
        self.orders.cells[o + _OWNER] = owner
        self.orders.cells[o + _LEAVES] = leaves
        self.orders.cells[o + _SHOWN] = shown
        self.orders.cells[o + _DISPLAY] = display
        self.orders.cells[o + _LEVEL] = level
        self._link(o, level)
        self.levels.cells[level + _VISIBLE] += shown
        rungs.total += leaves
        return self._note(order, o)

    @cython.cfunc
    def _show(self, o: i64, leaves: i64, shown: i64) -> i64:
        """New quantities; at none, the order goes, and its level once that is empty."""
        shown = leaves if leaves < shown else shown
        level: i64 = self.orders.cells[o + _LEVEL]
        rungs: Rungs = self._rungs(0 if self.levels.cells[level] > 0 else 1)
        self.levels.cells[level + _VISIBLE] += shown - self.orders.cells[o + _SHOWN]
        rungs.total += leaves - self.orders.cells[o + _LEAVES]
        self.orders.cells[o + _LEAVES] = leaves
        self.orders.cells[o + _SHOWN] = shown
        if leaves == 0:
            self._unlink(o, level)
            if self.levels.cells[level + _HEAD] == 0:
                rungs.drop(self.levels.cells[level])
                self.levels.give(level)
            self._forget(self.orders.cells[o])
            self.orders.give(o)

    @cython.cfunc
    def _execute(self, o: i64, lots: i64) -> i64:
        """`lots`, at most its leaves, are had of a maker."""
        leaves: i64 = self.orders.cells[o + _LEAVES] - lots
        shown: i64 = self.orders.cells[o + _SHOWN]
        if leaves == 0:
            return self._show(o, 0, 0)
        if lots < shown:
            return self._show(o, leaves, shown - lots)
        # Only an iceberg has more than it shows. It has shown that often, and stands at the back.
        display: i64 = self.orders.cells[o + _DISPLAY]
        shown = display - (lots - shown) % display
        self._show(o, leaves, shown)
        self._unlink(o, self.orders.cells[o + _LEVEL])
        return self._link(o, self.orders.cells[o + _LEVEL])

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _step(self, kind: i64, o: i64, key: i64, lots: i64) -> i64:
        at: i64 = self.log.take()
        self.log.cells[at] = kind
        self.log.cells[at + 1] = o
        self.log.cells[at + 2] = self.orders.cells[o]
        self.log.cells[at + 3] = key if key > 0 else -key
        self.log.cells[at + 4] = lots

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _plan(self, side: i64, px: i64, lots: i64, owner: i64, mode: i64) -> i64:
        """Write down what a taker has; gives the lots that it cannot have. A `px` of 0 is any."""
        rungs: Rungs = self._rungs(1 - side)
        bound: i64 = px * rungs.sign if px > 0 else -_MAX - 1
        i: cython.Py_ssize_t = rungs.n - 1
        self.is_stopped = False
        self.cut = 0
        while i >= 0 and lots > 0 and not self.is_stopped and rungs.key[i] >= bound:
            lots = self._plan_level(rungs.level[i], lots, owner, mode)
            i -= 1
        return lots

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _plan_level(self, level: i64, left: i64, owner: i64, mode: i64) -> i64:
        o: i64 = self.levels.cells[level + _HEAD]
        key: i64 = self.levels.cells[level]
        self.again.end = 0
        while o != 0 and left > 0 and not self.is_stopped:
            lots: i64 = self.orders.cells[o + _SHOWN]
            if mode != 0 and owner != 0 and self.orders.cells[o + _OWNER] == owner:
                left = self._plan_self(o, key, left, mode)
            else:
                hidden: i64 = self.orders.cells[o + _LEAVES] - lots
                if hidden > 0:
                    at: i64 = self.again.take()
                    self.again.cells[at] = o
                    self.again.cells[at + 1] = hidden
                lots = min(left, lots)
                self._step(0, o, key, lots)
                left -= lots
            o = self.orders.cells[o + _NEXT]
        while left > 0 and self.again.end > 0 and not self.is_stopped:
            left = self._plan_round(key, left)
        return left

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _plan_self(self, o: i64, key: i64, left: i64, mode: i64) -> i64:
        """A taker has come to an order of its own owner."""
        lots: i64 = self.orders.cells[o + _LEAVES]
        if mode == 1:
            self.is_stopped = True
        elif mode == 4:
            lots = min(left, lots)
            self._step(2, o, key, lots)
            self.cut += lots
            left -= lots
            self.is_stopped = left == 0
        else:
            self._step(1, o, key, lots)
            self.is_stopped = mode == 3
        return left

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _plan_round(self, key: i64, left: i64) -> i64:
        """Each iceberg that is left at the level shows its next part, or many if all go whole."""
        part: i64 = 0
        rounds: i64 = _MAX
        kept: i64 = 0
        at: i64 = 0
        while at < self.again.end:
            display: i64 = self.orders.cells[self.again.cells[at] + _DISPLAY]
            hidden: i64 = self.again.cells[at + 1]
            rounds = min(rounds, hidden // display)
            part += display if display < hidden else hidden
            at += 2
        rounds = min(rounds, left // part)
        at = 0
        while at < self.again.end:
            lots: i64 = self.orders.cells[self.again.cells[at] + _DISPLAY]
            hidden = self.again.cells[at + 1]
            lots = min(lots * max(rounds, 1), hidden, left)
            if lots > 0:
                self._step(0, self.again.cells[at], key, lots)
                left -= lots
            if lots < hidden:
                self.again.cells[kept] = self.again.cells[at]
                self.again.cells[kept + 1] = hidden - lots
                kept += 2
            at += 2
        self.again.end = kept
        return left

    @cython.cfunc
    def _do_steps(self, taker: i64) -> i64:
        at: i64 = self.begin
        while at < self.log.end:
            o: i64 = self.log.cells[at + 1]
            lots: i64 = self.log.cells[at + 4]
            self.log.cells[at + 5] = self.orders.cells[o + _LEAVES] - lots
            self.log.cells[at + 6] = taker
            if self.log.cells[at] == 0:
                self._execute(o, lots)
            else:
                lots = self.orders.cells[o + _LEAVES] - lots
                self._show(o, lots, self.orders.cells[o + _SHOWN])
            at += 8

    @cython.cfunc
    @cython.exceptval(-2, check=False)
    def _enter(  # noqa: C901 - every way in which an order may end
        self, order: i64, owner: i64, manner: i64, px: i64, lots: i64, display: i64
    ) -> i64:
        """Lots executed, or -1: refused, and nothing has changed. Leaves `why`, `rested` and steps.

        `manner` is side + 2 * (0 rests, 1 IOC, 2 FOK) + 8 * post-only + 16 * self-match prevention.
        """
        side: i64 = manner & 1
        tif: i64 = (manner >> 1) & 3
        self.begin = self.log.end
        self.rested = 0
        self.why = 6
        if order < 1 or order > _MAX or px > _MAX or lots < 1 or manner < 0 or manner >> 4 > 4:
            return -1
        if display < 0 or px < 0 or tif == 3 or (tif == 0 and px == 0):
            return -1
        if lots > _MAX - self._rungs(side).total or self._handle(order) != 0:
            return -1
        self.why = 0
        other: Rungs = self._rungs(1 - side)
        if other.n == 0 or (px > 0 and other.key[other.n - 1] < px * other.sign):
            if tif != 0:
                self.why = 3
            else:
                self._rest(order, owner, side, px, lots, display)
                self.rested = lots
            return 0
        if manner & 8:
            self.why = 2
            return -1
        left: i64 = self._plan(side, px, lots, owner, manner >> 4)
        if tif == 2 and left + self.cut > 0:
            self.log.end = self.begin
            self.why = 4
            return 0
        self._do_steps(order)
        if self.is_stopped:
            self.why = 5
        elif left > 0 and tif == 0:
            self._rest(order, owner, side, px, left, display)
            self.rested = left
        elif left > 0:
            self.why = 3
        return lots - left - self.cut

    def enter(self, order: i64, owner: i64, manner: i64, px: i64, lots: i64, display: i64) -> i64:
        """Lots executed, or -1; what else there is to say is in `why`, `rested` and `steps`."""
        self.log.end = 0
        return self._enter(order, owner, manner, px, lots, display)

    @cython.cfunc
    def _approach(self, order_id: i64, nearer: cython.bint) -> i64:
        """Ask for memory that a cancel to come will touch: its record, or then its neighbours."""
        o: i64 = self._handle(order_id)
        if not nearer:
            fondaco_prefetch(cython.address(self.orders.cells[o]))
        else:
            fondaco_prefetch(cython.address(self.orders.cells[self.orders.cells[o + _PREV]]))
            fondaco_prefetch(cython.address(self.orders.cells[self.orders.cells[o + _NEXT]]))

    def run(self, commands: cython.longlong[::1], results: cython.longlong[::1]) -> int:
        """A batch: `WIDTH` numbers a command, a number of `results` for each; gives their count.

        ENTER id owner manner px lots display, or TAKE_OFF id lots; zeros behind. A result is what
        `enter` and `take_off` give. `steps` has those of the whole batch.
        """
        n: cython.Py_ssize_t = len(commands) // 8
        if len(results) < n:
            raise ValueError(f"results are {len(results)}, must be at least {n}")
        self.log.end = 0
        for i in range(n):
            at: cython.Py_ssize_t = 8 * i
            if cython.compiled and i + _AHEAD < n:
                home: cython.Py_ssize_t = self._home(commands[at + 8 * _AHEAD + 1])
                fondaco_prefetch(cython.address(self.table[2 * home]))
                self._approach(commands[at + 4 * _AHEAD + 1], False)
                self._approach(commands[at + 2 * _AHEAD + 1], True)
            if commands[at] == 1:
                results[i] = self._enter(
                    commands[at + 1], commands[at + 2], commands[at + 3], commands[at + 4],
                    commands[at + 5], commands[at + 6],
                )  # fmt: skip
            elif commands[at] == 2:
                results[i] = self.take_off(commands[at + 1], commands[at + 2], False)
            else:
                results[i] = -1
        return n

    def plan(self, side: i64, px: i64, lots: i64, owner: i64, mode: i64) -> list:  # type: ignore[type-arg]
        """The steps of a taker that does not come: (kind, id, px, lots). Nothing changes."""
        self.log.end = self.begin = 0
        self._plan(side, px, lots, owner, mode)
        return [step[:4] for step in self.steps()]

    def steps(self) -> list:  # type: ignore[type-arg]
        """Of the last order or batch: (kind, id of the maker, px, lots, its leaves, taker)."""
        cells = self.log.cells
        return [
            (cells[at], cells[at + 2], cells[at + 3], cells[at + 4], cells[at + 5], cells[at + 6])
            for at in range(0, self.log.end, 8)
        ]

    def add(
        self, order: i64, owner: i64, side: i64, px: i64, leaves: i64, display: i64, shown: i64 = 0
    ) -> None:
        """An order rests, whatever stands opposite. `shown`: what is left of its visible part."""
        fits = 0 < order <= _MAX and 0 < px <= _MAX and 0 < leaves <= _MAX - self._rungs(side).total
        if not fits or self._handle(order) != 0 or side & ~1 or display < 0:
            raise ValueError(f"order {order} of {leaves} lots at {px} cannot rest here")
        self._rest(order, owner, side, px, leaves, display)
        o: i64 = self._handle(order)
        if 0 < shown < self.orders.cells[o + _SHOWN]:
            self._show(o, leaves, shown)

    @cython.ccall
    def take_off(self, order: i64, lots: i64, executed: cython.bint) -> i64:
        """`lots` of an order (0: all) are executed, or will not be. Gives how many, or -1: none."""
        o: i64 = self._handle(order)
        if o == 0 or lots < 0 or lots > self.orders.cells[o + _LEAVES]:
            return -1
        if lots == 0:
            lots = self.orders.cells[o + _LEAVES]
        if executed:
            self._execute(o, lots)
        else:
            self._show(o, self.orders.cells[o + _LEAVES] - lots, self.orders.cells[o + _SHOWN])
        return lots

    def find(self, order: i64) -> tuple | None:  # type: ignore[type-arg]
        """(id, owner, side, px, leaves, display, shown), or None."""
        o: i64 = self._handle(order)
        if o == 0:
            return None
        cells = self.orders.cells
        key: i64 = self.levels.cells[cells[o + _LEVEL]]
        return (
            order, cells[o + _OWNER], 0 if key > 0 else 1, abs(key), cells[o + _LEAVES],
            cells[o + _DISPLAY], cells[o + _SHOWN],
        )  # fmt: skip

    def rows(self, side: i64, px: i64 = 0) -> list:  # type: ignore[type-arg]
        """A side's orders as far as `px`, the best first, by time within it; see `find`."""
        rungs: Rungs = self._rungs(side)
        found = []
        for i in range(rungs.n - 1, rungs.find(px * rungs.sign) - 1 if px > 0 else -1, -1):
            o: i64 = self.levels.cells[rungs.level[i] + _HEAD]
            while o != 0:
                found.append(self.find(self.orders.cells[o]))
                o = self.orders.cells[o + _NEXT]
        return found

    def qty(self, side: i64, px: i64) -> i64:
        """Lots shown at `px`."""
        rungs: Rungs = self._rungs(side)
        at: cython.Py_ssize_t = rungs.find(px * rungs.sign)
        if at < rungs.n and rungs.key[at] == px * rungs.sign:
            return self.levels.cells[rungs.level[at] + _VISIBLE]
        return 0
