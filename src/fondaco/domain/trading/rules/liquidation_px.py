"""The price at which a position is closed by force, as exchanges publish it. Exact: nothing rounds.

Every result is a `Fraction` in the units that went in; `printed` rounds as the sources do. Sources:
Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" (support FAQ); Kraken,
"Margin level, margin call and liquidation level" (support article 203053156).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import msgspec

from fondaco.domain.trading.model import Side
from fondaco.kernel.money import half_even_div

CALL_LEVEL: Final = Fraction(80, 100)  # Kraken's, as parts of the used margin
LIQUIDATION_LEVEL: Final = Fraction(40, 100)


class Bracket(msgspec.Struct, frozen=True):
    """One tier of maintenance: requirement = notional x rate - deduction, up to `notional_max`.

    Exchanges print the deduction as "maintenance amount", or "cum": what makes the requirement of
    neighbouring tiers meet at the boundary.
    """

    notional_max: Fraction
    rate: Fraction
    deduction: Fraction = Fraction(0)

    def requirement(self, notional: Fraction) -> Fraction:
        return notional * self.rate - self.deduction


class Exposed(msgspec.Struct, frozen=True):
    """One position in a linear contract; `qty` is positive, `side` says which way."""

    side: Side
    qty: Fraction
    entry_px: Fraction

    @property
    def signed(self) -> Fraction:
        return self.qty if self.side is Side.BUY else -self.qty

    def pnl(self, px: Fraction) -> Fraction:
        return self.signed * (px - self.entry_px)


class Others(msgspec.Struct, frozen=True):
    """What the other positions of a cross account bring in, at their own marks."""

    maintenance: Fraction = Fraction(0)  # TMM: the sum of their requirements
    pnl: Fraction = Fraction(0)  # UPNL: the sum of what they have won or lost


ALONE: Final = Others()  # an isolated position: nobody else counts


def liquidation_px(
    wallet: Fraction, position: Exposed, bracket: Bracket, others: Others = ALONE
) -> Fraction | None:
    """Where equity meets the maintenance requirement, taken from one bracket alone.

    `wallet` is the balance that stands behind the position: of the account in cross mode, of the
    position where it is isolated. None: no price above zero closes it.

    Binance: (WB - TMM + UPNL + cum - side x qty x entry) / (qty x rate - side x qty).
    """
    slope = position.qty * bracket.rate - position.signed
    if not slope:
        return None
    equity_at_zero = wallet + others.pnl - position.signed * position.entry_px
    px = (equity_at_zero - others.maintenance + bracket.deduction) / slope
    return px if px > 0 else None


def nearest_px(
    wallet: Fraction,
    position: Exposed,
    brackets: Sequence[Bracket],
    mark_px: Fraction,
    others: Others = ALONE,
) -> Fraction | None:
    """The first price on the way against the position at which its own tier closes it.

    The tier is that of the notional at the price found, not of the notional now: a short that loses
    climbs into dearer tiers. `mark_px` itself, where it is closed already; None where no price
    above zero closes it. `brackets` are in order; the last one has no end.
    """
    if _room(wallet, position, maintenance(mark_px * position.qty, brackets), mark_px, others) <= 0:
        return mark_px
    is_long = position.side is Side.BUY
    found: list[Fraction] = []
    floor = Fraction(0)
    for nth, bracket in enumerate(brackets):
        px = liquidation_px(wallet, position, bracket, others)
        notional = position.qty * (px or 0)
        is_last = nth == len(brackets) - 1
        if px is not None and floor <= notional and (is_last or notional <= bracket.notional_max):
            found.append(px)
        edge = floor / position.qty  # where a tier asks for more at once, that may be the price
        if _room(wallet, position, bracket.requirement(floor), edge, others) < 0:
            found.append(edge)
        floor = bracket.notional_max
    against = [px for px in found if px > 0 and (px < mark_px) == is_long]
    return (max if is_long else min)(against, default=None)


def maintenance(notional: Fraction, brackets: Sequence[Bracket]) -> Fraction:
    """The requirement of the tier that holds `notional`; beyond the last, that of the last."""
    held = next((each for each in brackets if notional <= each.notional_max), brackets[-1])
    return held.requirement(notional)


def _room(
    wallet: Fraction, position: Exposed, requirement: Fraction, px: Fraction, others: Others
) -> Fraction:
    equity = wallet + others.pnl + position.pnl(px)
    return equity - others.maintenance - requirement


# --- Spot on margin -----------------------------------------------------------------------------


class Leveraged(msgspec.Struct, frozen=True):
    """A spot position on margin: `qty` of the base asset at `leverage`; Kraken's terms."""

    side: Side
    qty: Fraction
    entry_px: Fraction
    leverage: Fraction

    @property
    def used_margin(self) -> Fraction:
        """In units of the base asset: what the position binds, at any price."""
        return self.qty / self.leverage

    def pnl(self, px: Fraction) -> Fraction:
        return (px - self.entry_px) * (self.qty if self.side is Side.BUY else -self.qty)


def margin_level(balance: Fraction, position: Leveraged, px: Fraction) -> Fraction:
    """Equity over used margin at `px`: 1 is 100 %. `balance` is equity without the position."""
    return (balance + position.pnl(px)) / (position.used_margin * px)


def px_at_level(balance: Fraction, position: Leveraged, level: Fraction) -> Fraction | None:
    """The price at which the margin level is `level`; None where no price above zero has it."""
    signed = position.qty if position.side is Side.BUY else -position.qty
    slope = level * position.used_margin - signed
    if not slope:
        return None
    px = (balance - signed * position.entry_px) / slope
    return px if px > 0 else None


def printed(px: Fraction, decimals: int = 2) -> Fraction:
    """Rounded half to even, as the sources print a price."""
    scale = 10**decimals
    return Fraction(half_even_div(px.numerator * scale, px.denominator), scale)
