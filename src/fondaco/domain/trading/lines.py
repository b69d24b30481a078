"""What accounts on margin hold, as lines of the equity kernel, priced at the market.

A slot is an asset, a contract, or what contracts have cost in an asset. Who feeds a kernel says
what a line of each slot counts for; here is which slots there are, and what they are priced at.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import PEGS, InstrumentKind, Symbol
from fondaco.domain.trading.equity import Equity, fixed
from fondaco.domain.trading.model import AccountState, Rate, TradingRefs
from fondaco.kernel.money import AssetCode

MARKING_DECIMALS: Final = 4  # of the currency, in the kernel: a hundredth of a cent


class Slot(NamedTuple):
    """One slot of the kernel: an asset, a contract, or what contracts have cost in an asset."""

    number: int
    asset: AssetCode  # whose rate it moves with
    contract: Symbol | None = None
    is_cost: bool = False


def marking_unit(refs: TradingRefs) -> int:
    """Ledger units of the accounts' currency in one of the kernel's."""
    currency = refs.assets.get(refs.currency)
    unit: int = 10 ** max((8 if currency is None else currency.decimals) - MARKING_DECIMALS, 0)
    return unit


class PricedLines:
    """`terms` gives what `Equity.add_slot` is told of a slot. `unit` is `marking_unit` by now."""

    def __init__(
        self, refs: TradingRefs, kernel: Equity, terms: Callable[[Slot], dict[str, Any]]
    ) -> None:
        self.unit = 1
        self._refs, self._kernel, self._terms = refs, kernel, terms
        self._assets: dict[AssetCode, Slot] = {}
        self._costs: dict[AssetCode, Slot] = {}
        self._contracts: dict[Symbol, Slot] = {}
        self._priced: dict[int, tuple[Rate | None, int]] = {}  # by slot: what it was priced at

    def of(self, state: AccountState) -> tuple[dict[int, int], int]:
        """Quantity by slot, and what the account's contracts in the currency have cost."""
        currency, lines, costs = self._refs.currency, dict[int, int](), 0
        for asset, units in state.balances.items():
            if units and asset != currency:
                lines[self._asset(asset).number] = units
        for symbol, position in state.positions.items():
            instrument = self._refs.instruments.get(symbol)
            if instrument is None or instrument.kind is not InstrumentKind.LINEAR:
                continue
            if position.lots:
                lines[self._contract(symbol, instrument.quote).number] = position.lots
            if instrument.quote == currency:
                costs += position.cost
            elif position.cost:
                slot = self._cost(instrument.quote).number
                lines[slot] = lines.get(slot, 0) - position.cost
        return lines, costs

    def retune(self) -> list[int]:
        """Terms or instruments have changed: the accounts whose level that has changed."""
        changed: list[int] = []
        for slot in (*self._assets.values(), *self._costs.values(), *self._contracts.values()):
            terms = self._terms(slot)
            changed += self._kernel.set_terms(slot.number, terms.pop("tiers"), **terms)
            changed += self._price(slot)
        return changed

    def see(self, mark: Mark) -> list[int]:
        """The instrument has another mark, and the rates have followed it: the accounts whose level
        that has changed."""
        contract = self._contracts.get(mark.symbol)
        if contract is not None:
            return self._price(contract)
        instrument = self._refs.instruments.get(mark.symbol)
        if instrument is None or instrument.kind is InstrumentKind.LINEAR:
            return []
        moved = [instrument.base]
        if instrument.base in PEGS:  # others are rated through it
            moved = list(dict.fromkeys((*moved, *self._assets, *self._costs)))
        slots = [slot for asset in moved for slot in self._with(asset)]
        return [number for slot in slots for number in self._price(slot)]

    def _with(self, asset: AssetCode) -> Iterator[Slot]:
        """Slots that move with the rate of an asset."""
        for slots in (self._assets, self._costs):
            slot = slots.get(asset)
            if slot is not None:
                yield slot
        for slot in self._contracts.values():
            if slot.asset == asset:
                yield slot

    def _asset(self, asset: AssetCode) -> Slot:
        slot = self._assets.get(asset)
        if slot is None:
            slot = self._assets[asset] = self._new(Slot(len(self._priced), asset))
        return slot

    def _cost(self, asset: AssetCode) -> Slot:
        slot = self._costs.get(asset)
        if slot is None:
            slot = self._costs[asset] = self._new(Slot(len(self._priced), asset, is_cost=True))
        return slot

    def _contract(self, symbol: Symbol, quote: AssetCode) -> Slot:
        slot = self._contracts.get(symbol)
        if slot is None:
            slot = self._contracts[symbol] = self._new(Slot(len(self._priced), quote, symbol))
        return slot

    def _new(self, slot: Slot) -> Slot:
        terms = self._terms(slot)
        self._kernel.add_slot(terms.pop("tiers"), **terms)
        self._priced[slot.number] = (None, 0)
        self._price(slot)
        return slot

    def _price(self, slot: Slot) -> list[int]:
        """At its rate and its mark; the accounts whose level that has changed."""
        rate, px = self._refs.rates.get(slot.asset), 0
        if rate is None:
            return []
        num, den = rate.num, rate.den * self.unit
        if slot.contract is not None:
            mark = self._refs.marks.get(slot.contract)
            instrument = self._refs.instruments.get(slot.contract)
            if mark is None or instrument is None:
                return []
            px = mark.px
            num, den = num * px * instrument.cost_num, den * instrument.cost_den
        was = self._priced[slot.number]
        if was[0] is rate and was[1] == px:
            return []
        self._priced[slot.number] = (rate, px)
        try:
            low, high, shift = fixed(num, den)
        except OverflowError:  # a unit of it is worth more than a continent: suspect its holders
            low, high, shift = fixed((1 << 61) - 1, 1)
        changed: list[int] = self._kernel.set_price(slot.number, low, high, shift)
        return changed
