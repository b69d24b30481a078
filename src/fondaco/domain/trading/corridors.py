"""Who has left a corridor of net worth. An observation: whoever drew the corridor decides.

Every account on margin that is watched has a lowest net worth, and may have a highest one. The
kernel of `equity.py` marks all of them at every tick, each account that holds what has moved, and
says who may be outside. What it says is on the safe side: nobody who is outside is missed, and who
is named may still be inside by a rounding. It may be thrown away: who feeds it fills it anew.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.trading.equity import CASH_MAX, QTY_MAX, Equity
from fondaco.domain.trading.lines import PricedLines, Slot, marking_unit
from fondaco.domain.trading.model import AccountState, AccountType, TradingRefs
from fondaco.kernel.event import StreamId

SLACK: Final = 3
SLACK_CONVERTED: Final = 1_000  # a contract is rounded in its quote asset, whose unit may be dear


class _Side:
    """One end of all corridors: `sign` 1 is the lower one. Of the upper one everything is the other
    way round, as who has too much has too little of what is missing to it."""

    def __init__(self, refs: TradingRefs, sign: int) -> None:
        self._refs, self._sign = refs, sign
        self._kernel = Equity([])
        self._lines = PricedLines(refs, self._kernel, self._terms)
        self._lines.unit = marking_unit(refs)
        self._numbers: dict[StreamId, int] = {}
        self._streams: list[StreamId] = []
        self._held: list[dict[int, int]] = []

    def _terms(self, slot: Slot) -> dict[str, Any]:
        converted = slot.is_cost or slot.asset != self._refs.currency
        return {"tiers": [], "slack": SLACK_CONVERTED if converted else SLACK}

    def put(self, stream: StreamId, state: AccountState, level: int) -> bool:
        """Whether it may be outside as it is."""
        number = self._numbers.get(stream)
        if number is None:
            number = self._numbers[stream] = self._kernel.add_account()
            self._streams.append(stream)
            self._held.append({})
        held, (lines, costs) = self._held[number], self._lines.of(state)
        cash = state.balances.get(self._refs.currency, 0) - costs
        doubted = False
        for slot in (*lines, *(each for each in held if each not in lines)):
            qty = lines.get(slot, 0)
            if held.get(slot, 0) == qty:
                continue
            if abs(qty) > QTY_MAX:
                doubted = True
                continue
            self._kernel.set_qty(number, slot, self._sign * qty)
            held[slot] = qty
            if not qty:
                del held[slot]
        room = self._sign * (cash - level) // self._lines.unit
        if abs(room) > CASH_MAX:
            doubted = doubted or room < 0
            room = CASH_MAX
        self._kernel.set_cash(number, room)
        self._kernel.set_doubt(number, doubted)
        return self.is_out(stream)

    def drop(self, stream: StreamId) -> None:
        """Nothing that it has can take it out any more."""
        number = self._numbers.get(stream)
        if number is not None:
            for slot in list(self._held[number]):
                self._kernel.set_qty(number, slot, 0)
            self._held[number] = {}
            self._kernel.set_doubt(number, False)
            self._kernel.set_cash(number, CASH_MAX)

    def __contains__(self, stream: StreamId) -> bool:
        return stream in self._numbers

    def is_out(self, stream: StreamId) -> bool:
        number = self._numbers.get(stream)
        return number is not None and self._kernel.level(number) > 0

    def room(self, stream: StreamId) -> int:
        """How far inside it is, at least, in marking units; less than nothing: it may be out."""
        equity: int = self._kernel.sums(self._numbers[stream])[0]
        return equity

    def see(self, mark: Mark) -> list[StreamId]:
        """Who may be outside now, and was not before."""
        return self._out(self._lines.see(mark))

    def retune(self) -> list[StreamId]:
        self._lines.unit = marking_unit(self._refs)
        return self._out(self._lines.retune())

    def _out(self, numbers: Iterable[int]) -> list[StreamId]:
        return [self._streams[n] for n in dict.fromkeys(numbers) if self._kernel.level(n) > 0]


class CorridorWatch:
    """Belongs to the loop's thread. `peek` gives the state of an account that is in memory."""

    def __init__(self, refs: TradingRefs, peek: Callable[[StreamId], AccountState | None]) -> None:
        self._peek = peek
        self._low, self._high = _Side(refs, 1), _Side(refs, -1)
        self._corridors: dict[StreamId, tuple[int, int | None]] = {}

    def __len__(self) -> int:
        return len(self._corridors)

    def __contains__(self, stream: StreamId) -> bool:
        return stream in self._corridors

    def watch(self, stream: StreamId, low: int, high: int | None) -> bool:
        """Ledger units of the currency: below `low`, or above `high`, is outside. Whether the
        account may be there now; of one that is not in memory nothing is known until `moved`."""
        before = self._corridors.get(stream)
        self._corridors[stream] = (low, high)
        if before is not None and before[1] is not None and high is None:
            self._high.drop(stream)
        return self.moved(stream)

    def forget(self, stream: StreamId) -> None:
        if self._corridors.pop(stream, None) is not None:
            self._low.drop(stream)
            self._high.drop(stream)

    def moved(self, stream: StreamId) -> bool:
        """What the account has may be another; whether it may be outside as it is."""
        corridor, state = self._corridors.get(stream), self._peek(stream)
        if corridor is None or state is None or state.account_type is not AccountType.MARGIN:
            return False
        low, high = corridor
        is_out = self._low.put(stream, state, low)
        if high is not None:
            is_out = self._high.put(stream, state, high) or is_out
        return is_out

    def see(self, mark: Mark) -> list[StreamId]:
        """Who may have left their corridor by this mark, each once. A bad mark moves nobody."""
        if mark.quality is not Quality.OK or not self._corridors:
            return []
        return list(dict.fromkeys((*self._low.see(mark), *self._high.see(mark))))

    def is_out(self, stream: StreamId) -> bool:
        return self._low.is_out(stream) or self._high.is_out(stream)

    def room(self, stream: StreamId) -> float:
        """How far it is over its lower end, as a part of that; of whom nothing is known, none."""
        low = self._corridors.get(stream, (0, None))[0]
        if stream not in self._low:
            return 0.0
        return self._low.room(stream) / max(abs(low), 1)

    def retune(self) -> list[StreamId]:
        """Instruments have changed."""
        return list(dict.fromkeys((*self._low.retune(), *self._high.retune())))
