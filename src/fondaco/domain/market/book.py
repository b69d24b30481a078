# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""The order book kernel: two ladders of price levels, and a reader of decimal text. Hot.

Cython's pure-Python mode: compiled where there is a compiler, and run as it is where there is none.
All numbers are signed 64-bit; whatever does not fit raises `OverflowError` either way.
"""

from array import array
from zlib import crc32

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
BID = 0
ASK = 1


@cython.final
@cython.cclass
class Ladder:
    """One side, sorted with the best level last, because that is where nearly every update falls.

    A key is the price, negative on the ask side. `ver` is the book's version when the level was
    last written, which tells a reader whether it has been refreshed since.
    """

    key = cython.declare(cython.longlong[::1])
    qty = cython.declare(cython.longlong[::1])
    ver = cython.declare(cython.longlong[::1])
    n = cython.declare(cython.Py_ssize_t)
    room = cython.declare(cython.Py_ssize_t)
    sign = cython.declare(cython.longlong)

    def __init__(self, sign: cython.longlong) -> None:
        self.sign = sign
        self.n = 0
        self.room = 64
        self.key = array("q", bytes(8 * 64))
        self.qty = array("q", bytes(8 * 64))
        self.ver = array("q", bytes(8 * 64))

    @cython.cfunc
    def find(self, key: cython.longlong) -> cython.Py_ssize_t:
        """The first place whose key is not below `key`."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.n
        middle: cython.Py_ssize_t
        while low < high:
            middle = (low + high) >> 1
            if self.key[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low

    @cython.cfunc
    def grow(self) -> None:
        more = bytes(8 * self.room)
        self.key = array("q", bytes(self.key) + more)
        self.qty = array("q", bytes(self.qty) + more)
        self.ver = array("q", bytes(self.ver) + more)
        self.room = 2 * self.room

    @cython.cfunc
    def put(self, px: cython.longlong, qty: cython.longlong, version: cython.longlong) -> None:
        """Set the level at `px` to `qty`; zero removes it."""
        key: cython.longlong = px * self.sign
        at: cython.Py_ssize_t = self.find(key)
        i: cython.Py_ssize_t
        n: cython.Py_ssize_t = self.n
        if at < n and self.key[at] == key:
            if qty != 0:
                self.qty[at] = qty
                self.ver[at] = version
                return
            for i in range(at, n - 1):
                self.key[i] = self.key[i + 1]
                self.qty[i] = self.qty[i + 1]
                self.ver[i] = self.ver[i + 1]
            self.n = n - 1
            return
        if qty == 0:
            return  # the exchange also removes levels that its snapshot was too short to show
        if n == self.room:
            self.grow()
        i = n
        while i > at:
            self.key[i] = self.key[i - 1]
            self.qty[i] = self.qty[i - 1]
            self.ver[i] = self.ver[i - 1]
            i -= 1
        self.key[at] = key
        self.qty[at] = qty
        self.ver[at] = version
        self.n = n + 1


@cython.final
@cython.cclass
class Book:
    """Price levels in ticks and lots. The scales say how the exchange's decimals become them.

    Exchanges show quantities finer than a lot: what is left of orders from before the lot was this
    large. Nobody can trade that part, so it is cut off; `cut` counts how often. `stamp_us` is the
    newest time, in microseconds, that stood beside the levels read last; 0 where none did.
    """

    bids = cython.declare(Ladder)
    asks = cython.declare(Ladder)
    px_decimals = cython.declare(cython.Py_ssize_t)
    tick_units = cython.declare(cython.longlong)
    qty_decimals = cython.declare(cython.Py_ssize_t)
    lot_units = cython.declare(cython.longlong)
    cut = cython.declare(cython.longlong, visibility="readonly")
    stamp_us = cython.declare(cython.longlong, visibility="readonly")
    _after = cython.declare(cython.Py_ssize_t)

    def __init__(
        self,
        px_decimals: cython.Py_ssize_t = 0,
        tick_units: cython.longlong = 1,
        qty_decimals: cython.Py_ssize_t = 0,
        lot_units: cython.longlong = 1,
    ) -> None:
        if tick_units < 1 or lot_units < 1 or px_decimals < 0 or qty_decimals < 0:
            raise ValueError("a tick and a lot are at least one unit")
        self.px_decimals = px_decimals
        self.tick_units = tick_units
        self.qty_decimals = qty_decimals
        self.lot_units = lot_units
        self._after = 0
        self.cut = 0
        self.stamp_us = 0
        self.bids = Ladder(1)
        self.asks = Ladder(-1)

    @cython.cfunc
    def _ladder(self, side: cython.Py_ssize_t) -> Ladder:
        return self.bids if side == 0 else self.asks

    def apply(
        self,
        side: cython.Py_ssize_t,
        px: cython.longlong,
        qty: cython.longlong,
        version: cython.longlong = 0,
    ) -> None:
        """Set one level; zero removes it, whether or not it is there."""
        if qty < 0 or px < 0:
            raise ValueError("neither a price nor a quantity is below zero")
        self._ladder(side).put(px, qty, version)

    def clear(self) -> None:
        self.bids.n = 0
        self.asks.n = 0

    def best_bid(self) -> cython.longlong:
        """In ticks; -1 where there is none."""
        return self.bids.key[self.bids.n - 1] if self.bids.n > 0 else -1

    def best_ask(self) -> cython.longlong:
        """In ticks; -1 where there is none."""
        return -self.asks.key[self.asks.n - 1] if self.asks.n > 0 else -1

    def crossed(self) -> cython.bint:
        if self.bids.n == 0 or self.asks.n == 0:
            return False
        return self.bids.key[self.bids.n - 1] >= -self.asks.key[self.asks.n - 1]

    def qty(self, side: cython.Py_ssize_t, px: cython.longlong) -> cython.longlong:
        """Lots at `px`; zero where there is no level."""
        ladder: Ladder = self._ladder(side)
        at: cython.Py_ssize_t = ladder.find(px * ladder.sign)
        if at < ladder.n and ladder.key[at] == px * ladder.sign:
            return ladder.qty[at]
        return 0

    def version(self, side: cython.Py_ssize_t, px: cython.longlong) -> cython.longlong:
        """The version under which the level at `px` was last written; -1 where there is none."""
        ladder: Ladder = self._ladder(side)
        at: cython.Py_ssize_t = ladder.find(px * ladder.sign)
        if at < ladder.n and ladder.key[at] == px * ladder.sign:
            return ladder.ver[at]
        return -1

    def size(self, side: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """How many levels there are."""
        return self._ladder(side).n

    def depth(self, side: cython.Py_ssize_t, limit: cython.Py_ssize_t) -> list:  # type: ignore[type-arg]
        """Up to `limit` levels as (px, qty), best first."""
        ladder: Ladder = self._ladder(side)
        i: cython.Py_ssize_t
        stop: cython.Py_ssize_t = max(ladder.n - max(limit, 0), 0)
        levels = []
        i = ladder.n - 1
        while i >= stop:
            levels.append((ladder.key[i] * ladder.sign, ladder.qty[i]))
            i -= 1
        return levels

    def digits(
        self,
        side: cython.Py_ssize_t,
        limit: cython.Py_ssize_t,
        px_num: cython.longlong,
        px_den: cython.longlong,
        qty_num: cython.longlong,
        qty_den: cython.longlong,
    ) -> str:
        """The best levels as one run of digits: what exchanges take checksums of.

        A tick is `px_num / px_den` of the last place of the exchange's own text, a lot likewise;
        so "0.05000" and "0.00000500" become "5000500".
        """
        if px_den < 1 or qty_den < 1:
            raise ValueError("a denominator is at least 1")
        ladder: Ladder = self._ladder(side)
        i: cython.Py_ssize_t = ladder.n - 1
        stop: cython.Py_ssize_t = max(ladder.n - max(limit, 0), 0)
        px: cython.longlong
        qty: cython.longlong
        parts = []
        while i >= stop:
            px = ladder.key[i] * ladder.sign * px_num // px_den
            qty = ladder.qty[i] * qty_num // qty_den
            parts.append(f"{px}{qty}")
            i -= 1
        return "".join(parts)

    def truncate(self, limit: cython.Py_ssize_t) -> None:
        """Keep the best `limit` levels a side: an exchange that shows so many does not say what
        becomes of the others."""
        for each in (self.bids, self.asks):
            ladder: Ladder = each
            i: cython.Py_ssize_t
            over: cython.Py_ssize_t = ladder.n - max(limit, 0)
            if over > 0:
                for i in range(over, ladder.n):
                    ladder.key[i - over] = ladder.key[i]
                    ladder.qty[i - over] = ladder.qty[i]
                    ladder.ver[i - over] = ladder.ver[i]
                ladder.n -= over

    def digest(self) -> int:
        """CRC-32 of every level of both sides, prices and quantities."""
        value = 0
        for ladder in (self.bids, self.asks):
            side: Ladder = ladder
            size = 8 * side.n
            value = crc32(bytes(memoryview(side.key).cast("B")[:size]), value)
            value = crc32(bytes(memoryview(side.qty).cast("B")[:size]), value)
        return value

    def read_levels(
        self, side: cython.Py_ssize_t, text: bytes, version: cython.longlong = 0
    ) -> int:
        """Apply `[["61737.63","0.5"],…]` as it came off the wire; gives the number of levels.

        More texts may follow in a level: the first is its time in seconds, others are passed over.
        Raises `ValueError` at the first thing that is wrong; levels before it have been applied.
        """
        return self._read(self._ladder(side), text, version, False)

    def read_changes(self, text: bytes, version: cython.longlong = 0) -> int:
        """Apply `[["buy","61737.63","0.5"],…]`; gives the number of levels, raises likewise."""
        i: cython.Py_ssize_t = 1
        count: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t = len(text) - 1
        px: cython.longlong
        qty: cython.longlong
        ladder: Ladder
        if end < 1 or text[0] != 91 or text[end] != 93:  # [ ]
            raise ValueError("changes are a list")
        while i < end:
            if count > 0:
                if text[i] != 44:  # ,
                    raise ValueError("changes are parted by commas")
                i += 1
            if text[i : i + 7] == b'["buy",':
                ladder = self.bids
                i += 7
            elif text[i : i + 8] == b'["sell",':
                ladder = self.asks
                i += 8
            else:
                raise ValueError("a change begins with its side")
            px = self._number(text, i, end, self.px_decimals, self.tick_units, False)
            i = self._after
            if i >= end or text[i] != 44:
                raise ValueError("a change is a side, a price and a quantity")
            qty = self._number(text, i + 1, end, self.qty_decimals, self.lot_units, True)
            i = self._after
            if i >= end or text[i] != 93:
                raise ValueError("a change is a side, a price and a quantity")
            i += 1
            count += 1
            ladder.put(px, qty, version)
        return count

    def load_levels(
        self, side: cython.Py_ssize_t, text: bytes, version: cython.longlong = 0
    ) -> int:
        """Replace one side by a snapshot's levels, which come best first."""
        ladder: Ladder = self._ladder(side)
        ladder.n = 0
        return self._read(ladder, text, version, True)

    @cython.cfunc
    def _read(  # noqa: C901 - one pass over the levels
        self, ladder: Ladder, text: bytes, version: cython.longlong, load: cython.bint
    ) -> cython.Py_ssize_t:
        i: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t = len(text)
        px: cython.longlong
        qty: cython.longlong
        self.stamp_us = 0
        if end < 2 or text[0] != 91 or text[end - 1] != 93:  # [ ]
            raise ValueError("levels are a list")
        i = 1
        end -= 1
        while i < end:
            if count > 0:
                if text[i] != 44:  # ,
                    raise ValueError("levels are parted by commas")
                i += 1
                while i < end and text[i] == 32:
                    i += 1
            if i >= end or text[i] != 91:
                raise ValueError("a level is a list")
            px = self._number(text, i + 1, end, self.px_decimals, self.tick_units, False)
            i = self._after
            if i >= end or text[i] != 44:
                raise ValueError("a level is a price and a quantity")
            i += 1
            while i < end and text[i] == 32:
                i += 1
            qty = self._number(text, i, end, self.qty_decimals, self.lot_units, True)
            i = self._after
            if i < end and text[i] == 44:
                i = self._beside(text, i, end)
            if i >= end or text[i] != 93:
                raise ValueError("a level is a price and a quantity")
            i += 1
            count += 1
            if load:
                _append(ladder, px, qty, version)
            else:
                ladder.put(px, qty, version)
        if load:
            _sort_best_first(ladder)
        return count

    @cython.cfunc
    def _beside(
        self, text: bytes, i: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Pass over what stands beside a price and a quantity; gives where the level ends."""
        when: cython.longlong = self._number(text, i + 1, end, 6, 1, True)
        if when > self.stamp_us:
            self.stamp_us = when
        i = self._after
        while i < end and text[i] != 93 and text[i] != 91:
            i += 1
        return i

    @cython.cfunc
    def _number(  # noqa: C901 - one pass over the digits
        self,
        text: bytes,
        i: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        decimals: cython.Py_ssize_t,
        units: cython.longlong,
        floor: cython.bint,
    ) -> cython.longlong:
        """Read `"12.50"` at `i` as a whole number of `units` x 10^-decimals; leaves `_after`.

        `floor` says what becomes of anything finer: cut off and counted, or refused.
        """
        value: cython.longlong = 0
        digits: cython.Py_ssize_t = 0
        places: cython.Py_ssize_t = -1  # after the point; -1 while there was none
        finer: cython.bint = False
        byte: cython.uchar
        if i >= end or text[i] != 34:  # "
            raise ValueError("a number is quoted")
        i += 1
        while i < end:
            byte = text[i]
            i += 1
            if 48 <= byte <= 57:
                if places < decimals:
                    value = 10 * value + (byte - 48)
                    digits += 1
                    if digits > 18:  # any eighteen digits fit 64 bits
                        raise ValueError("a number has at most 18 digits")
                    if places >= 0:
                        places += 1
                elif byte != 48:
                    finer = True
            elif byte == 46 and places < 0 and digits > 0:  # .
                places = 0
            elif byte == 34 and digits > 0:
                break
            else:
                raise ValueError("a number is digits with one point at most, between quotes")
        else:
            raise ValueError("a number ends with a quote")
        places = 0 if places < 0 else places
        if digits + decimals - places > 18:
            raise ValueError("a number has at most 18 digits")
        while places < decimals:
            value *= 10
            places += 1
        if units != 1:
            finer = finer or value % units != 0
            value //= units
        if finer:
            if not floor:
                raise ValueError("a price is a whole number of ticks")
            self.cut += 1
        self._after = i
        return value

    def read_px(self, text: bytes) -> int:
        """A quoted decimal off the wire in ticks."""
        px: int = self._number(text, 0, len(text), self.px_decimals, self.tick_units, False)
        return px

    def read_qty(self, text: bytes) -> int:
        """A quoted decimal off the wire in whole lots."""
        qty: int = self._number(text, 0, len(text), self.qty_decimals, self.lot_units, True)
        return qty


@cython.cfunc
def _append(
    ladder: Ladder, px: cython.longlong, qty: cython.longlong, version: cython.longlong
) -> None:
    """Add a level behind all others, wherever it belongs."""
    if qty == 0:
        return
    if ladder.n == ladder.room:
        ladder.grow()
    ladder.key[ladder.n] = px * ladder.sign
    ladder.qty[ladder.n] = qty
    ladder.ver[ladder.n] = version
    ladder.n += 1


@cython.cfunc
def _sort_best_first(ladder: Ladder) -> None:
    """Turn levels that came best first around; where they did not, put them in one by one."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    n: cython.Py_ssize_t = ladder.n
    held: cython.longlong
    for i in range(1, n):
        if ladder.key[i] >= ladder.key[i - 1]:
            levels = [(ladder.key[j], ladder.qty[j], ladder.ver[j]) for j in range(n)]
            ladder.n = 0
            for key, qty, version in levels:
                ladder.put(key * ladder.sign, qty, version)
            return
    i = 0
    j = n - 1
    while i < j:
        held = ladder.key[i]
        ladder.key[i] = ladder.key[j]
        ladder.key[j] = held
        held = ladder.qty[i]
        ladder.qty[i] = ladder.qty[j]
        ladder.qty[j] = held
        held = ladder.ver[i]
        ladder.ver[i] = ladder.ver[j]
        ladder.ver[j] = held
        i += 1
        j -= 1
