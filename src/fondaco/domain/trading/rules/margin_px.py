"""At which price of each position a margin account would be liquidated, everything else as it is.

The account is in cross mode: what else it has stands behind the position, and what else it needs
comes first. Exact, but for the roundings of the ledger; a price is rounded to the nearest tick.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from fondaco.domain.reference.model import RATE_SCALE, Instrument, InstrumentKind, Margin, Symbol
from fondaco.domain.trading.model import AccountState, Rate, Side, TradingRefs
from fondaco.domain.trading.rules.liquidation_px import Bracket, Exposed, Others, nearest_px
from fondaco.domain.trading.rules.margin import collateral, contract_worth, required, stand
from fondaco.kernel.money import half_even_div

NO_END: Final = Fraction(10**60)


class Closed(NamedTuple):
    """A position, and the price in ticks of its instrument at which the account is liquidated."""

    symbol: Symbol
    side: Side
    lots: int
    px: int | None  # None: no price of this instrument alone does it


def closed_at(state: AccountState, refs: TradingRefs) -> list[Closed]:
    """Of each position of a lot or more that has a price; none, where equity is not known."""
    found = stand(state, refs)
    if found is None:
        return []
    equity, needs = Fraction(found.equity), Fraction(found.maintenance)
    return [*_assets(state, refs, equity, needs), *_contracts(state, refs, equity, needs)]


def _assets(
    state: AccountState, refs: TradingRefs, equity: Fraction, needs: Fraction
) -> Iterator[Closed]:
    for asset, units in state.balances.items():
        instrument = refs.instruments.get(refs.homes.get(asset, Symbol("")))
        rate = refs.rates.get(asset)
        if instrument is None or rate is None or asset == refs.currency:
            continue
        quote, lots = refs.rates.get(instrument.quote), abs(units) // instrument.base_per_lot
        if quote is None or not lots:
            continue
        side = Side.BUY if units > 0 else Side.SELL
        worth = units * rate.num // rate.den
        # What does not count as collateral is as if it were not there: of a long, less of it.
        keeps = RATE_SCALE - refs.haircuts.get(asset, 0) if units > 0 else RATE_SCALE
        counts = Fraction(keeps, RATE_SCALE)
        value = None
        if counts:
            brackets = _brackets(refs.margins.get(instrument.symbol), counts)
            wallet = equity - collateral(refs, asset, worth)
            others = Others(needs - required(refs, asset, worth)[1])
            position = Exposed(side, abs(units) * counts, Fraction(0))
            value = nearest_px(wallet, position, brackets, Fraction(rate.num, rate.den), others)
        per_tick = Fraction(instrument.cost_num, instrument.cost_den * instrument.base_per_lot)
        yield Closed(instrument.symbol, side, lots, _ticks(value, per_tick, quote))


def _contracts(
    state: AccountState, refs: TradingRefs, equity: Fraction, needs: Fraction
) -> Iterator[Closed]:
    for symbol, held in state.positions.items():
        instrument, mark = refs.instruments.get(symbol), refs.marks.get(symbol)
        if instrument is None or instrument.kind is not InstrumentKind.LINEAR or not held.lots:
            continue
        rate = refs.rates.get(instrument.quote)
        if rate is None or mark is None:
            continue
        side = Side.BUY if held.lots > 0 else Side.SELL
        margin = refs.margins.get(symbol)
        quote, per_tick = Fraction(rate.num, rate.den), _per_tick(instrument)
        entry = held.cost * quote / held.lots
        position = Exposed(side, Fraction(abs(held.lots)), entry)
        now = mark.px * per_tick * quote
        worth = abs(contract_worth(instrument, mark, held.lots) * rate.num // rate.den)
        own = worth if margin is None else margin.required(worth)[1]
        wallet = equity - position.pnl(now)
        brackets = _brackets(margin, Fraction(1))
        value = nearest_px(wallet, position, brackets, now, Others(needs - own))
        yield Closed(symbol, side, abs(held.lots), _ticks(value, per_tick, rate))


def _per_tick(instrument: Instrument) -> Fraction:
    """Ledger units of the quote asset for a lot at one tick."""
    return Fraction(instrument.cost_num, instrument.cost_den)


def _brackets(margin: Margin | None, counts: Fraction) -> list[Bracket]:
    """For a position of which only `counts` is there, so that the same price asks for the same."""
    if margin is None:
        return [Bracket(NO_END, 1 / counts)]
    return [
        Bracket(
            tier.notional_max * counts if tier.notional_max else NO_END,
            Fraction(tier.maintenance_ppm, RATE_SCALE) / counts,
            Fraction(tier.deduction),
        )
        for tier in margin.tiers
    ]


def _ticks(value: Fraction | None, per_tick: Fraction, quote: Rate) -> int | None:
    """From ledger units of the currency to whole ticks."""
    if value is None or not quote.num:
        return None
    ticks = value / (per_tick * Fraction(quote.num, quote.den))
    return half_even_div(ticks.numerator, ticks.denominator)
