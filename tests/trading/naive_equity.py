"""What the equity kernel works out, slowly and exactly: in fractions, and anew each time."""

from fractions import Fraction
from typing import NamedTuple

Tier = tuple[int, int, int, int]  # notional_max, initial_ppm, maintenance_ppm, deduction


class NaiveSlot(NamedTuple):
    tiers: list[Tier]
    keeps_ppm: int = 1_000_000
    long_needs: bool = True


class NaiveEquity:
    """Amounts in marking units; a slot without a price counts nothing."""

    def __init__(self, warning_bps: list[int]) -> None:
        self.warnings = [Fraction(bps, 10_000) for bps in warning_bps]
        self.slots: list[NaiveSlot] = []
        self.prices: list[Fraction] = []
        self.cash: list[int] = []
        self.qty: dict[tuple[int, int], int] = {}

    def add_account(self) -> int:
        self.cash.append(0)
        return len(self.cash) - 1

    def add_slot(self, slot: NaiveSlot) -> int:
        self.slots.append(slot)
        self.prices.append(Fraction(0))
        return len(self.slots) - 1

    def sums(self, account: int) -> tuple[Fraction, Fraction, Fraction]:
        """Equity, initial and maintenance requirement."""
        equity = Fraction(self.cash[account])
        initial = maintenance = Fraction(0)
        for (holder, number), qty in self.qty.items():
            if holder != account:
                continue
            slot, value = self.slots[number], qty * self.prices[number]
            equity += value * Fraction(slot.keeps_ppm, 1_000_000) if value > 0 else value
            notional = abs(value)
            if not notional or not slot.tiers or (qty > 0 and not slot.long_needs):
                continue
            tier = next((each for each in slot.tiers if notional <= each[0]), slot.tiers[-1])
            initial += notional * tier[1] / 1_000_000
            maintenance += max(notional * tier[2] / 1_000_000 - tier[3], Fraction(0))
        return equity, initial, maintenance

    def level(self, account: int) -> int:
        """How many warnings the share of equity that maintenance takes has reached; one more than
        all where it takes everything."""
        equity, _, maintenance = self.sums(account)
        if equity < 0 or equity < maintenance:
            return len(self.warnings) + 1
        return sum(maintenance >= equity * share for share in self.warnings) if maintenance else 0
