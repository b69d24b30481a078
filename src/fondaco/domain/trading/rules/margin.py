"""What a margin account is worth, what its positions need, and what it may still take on. Exact.

Cross margin: everything that the account has covers everything that it has taken on, in its
currency. With `v` the worth of a balance at its rate, rounded down:

    equity      = sum of (v > 0: v less the asset's haircut, rounded down; v < 0: v)
                + sum of what open contracts have gained or lost at their marks, rounded down
    requirement = sum over positions of the rates of their tier times |v|, rounded up

A position is a balance in anything but the account's currency, long or short, and every contract.
Its rates are those of its instrument; of an asset, those of the instrument that is its home. What
has no rates must be paid for in full, which is a rate of 100 %, and cannot be sold short; cash in
another currency without rates needs nothing, as its haircut covers what it may lose.

A working order counts at its worst: it executes as a whole, beside any or none of the others. That
never costs more than the sum of what each may lose against its mark (its hold) and, of each
position, the requirement at the further end of where orders may take it. Both are kept as running
sums: free margin costs as much to work out as there are assets, at any number of orders.
"""

from typing import Final

import msgspec

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import RATE_SCALE, Instrument, InstrumentKind, Margin, Symbol
from fondaco.domain.trading.model import AccountState, OpenLots, Rate, Side, TradingRefs
from fondaco.kernel.money import AssetCode

LINEAR: Final = InstrumentKind.LINEAR
BUY: Final = Side.BUY
SELL: Final = Side.SELL
CASH: Final = "cash"  # the asset class that needs no margin of its own


class Stand(msgspec.Struct, frozen=True, gc=False):
    """Where a margin account stands, working orders apart: ledger units of its currency."""

    equity: int
    initial: int
    maintenance: int
    marks: tuple[Mark, ...]  # that this was worked out from


def equity_of(state: AccountState, refs: TradingRefs) -> int | None:
    """After haircuts, with the gains and losses of open contracts. None: something that the account
    has, or owes, has no price."""
    found = stand(state, refs)
    return None if found is None else found.equity


def requirement_of(state: AccountState, refs: TradingRefs) -> tuple[int, int] | None:
    """Initial and maintenance requirement of the positions. None as for `equity_of`."""
    found = stand(state, refs)
    return None if found is None else (found.initial, found.maintenance)


def stand(state: AccountState, refs: TradingRefs) -> Stand | None:
    """Both at once. None as for `equity_of`."""
    equity = initial = maintenance = 0
    marks: list[Mark] = []
    for asset, units in state.balances.items():
        if not units:
            continue
        rate = refs.rates.get(asset)
        if rate is None:
            return None
        worth = units * rate.num // rate.den
        equity += collateral(refs, asset, worth)
        needs = required(refs, asset, worth)
        initial += needs[0]
        maintenance += needs[1]
        if rate.mark is not None:
            marks.append(rate.mark)
    for symbol, position in state.positions.items():
        instrument = refs.instruments.get(symbol)
        if instrument is None or instrument.kind is not LINEAR:
            continue
        rate, mark = refs.rates.get(instrument.quote), refs.marks.get(symbol)
        if rate is None or mark is None:
            return None
        worth = contract_worth(instrument, mark, position.lots)
        equity += (worth - position.cost) * rate.num // rate.den
        margin = refs.margins.get(symbol)
        needs = _required(margin, abs(worth * rate.num // rate.den))
        initial += needs[0]
        maintenance += needs[1]
        marks.append(mark)
        if rate.mark is not None:  # of what it is quoted in
            marks.append(rate.mark)
    return Stand(equity, initial, maintenance, tuple(dict.fromkeys(marks)))


def collateral(refs: TradingRefs, asset: AssetCode, worth: int) -> int:
    """What of `worth` in `asset` counts: less its haircut; all of what is owed."""
    if worth <= 0:
        return worth
    return worth * (RATE_SCALE - refs.haircuts.get(asset, 0)) // RATE_SCALE


def required(refs: TradingRefs, asset: AssetCode, worth: int) -> tuple[int, int]:
    """Initial and maintenance requirement of a balance in `asset` that is worth so much."""
    if asset == refs.currency:
        return 0, 0
    home = refs.homes.get(asset)
    margin = None if home is None else refs.margins.get(home)
    if margin is None:
        known = refs.assets.get(asset)
        if known is not None and known.asset_class == CASH:
            return 0, 0
    return _required(margin, abs(worth))


def _required(margin: Margin | None, notional: int) -> tuple[int, int]:
    return (notional, notional) if margin is None else margin.required(notional)


def contract_worth(instrument: Instrument, mark: Mark, lots: int) -> int:
    """What `lots` of a contract trade for, in ledger units of its quote asset, rounded down."""
    return mark.px * lots * instrument.cost_num // instrument.cost_den


# --- What it may still take on ------------------------------------------------------------------


class Spans(msgspec.Struct, gc=False):
    """How far working orders may take each balance, in ledger units, and each contract, in lots:
    [lowest, highest]. `held` is what they may lose against their marks, by quote asset."""

    assets: dict[AssetCode, list[int]]
    contracts: dict[Symbol, list[int]]
    held: dict[AssetCode, int]

    def widen(self, refs: TradingRefs, symbol: Symbol, buys: int, sells: int) -> bool:
        """With more lots to buy and to sell. False: the instrument has no mark."""
        instrument, mark = refs.instruments.get(symbol), refs.marks.get(symbol)
        if instrument is None or mark is None:
            return False
        if instrument.kind is LINEAR:
            _stretch(self.contracts.setdefault(symbol, [0, 0]), sells, buys)
            return True
        per_lot = instrument.base_per_lot
        _stretch(self.assets.setdefault(instrument.base, [0, 0]), sells * per_lot, buys * per_lot)
        if instrument.quote != refs.currency:
            paid = -contract_worth(instrument, mark, -buys)
            brought = -contract_worth(instrument, mark, -sells)
            _stretch(self.assets.setdefault(instrument.quote, [0, 0]), paid, brought)
        return True


def _stretch(span: list[int], down: int, up: int) -> None:
    span[0] -= down
    span[1] += up


def spans_of(
    state: AccountState,
    refs: TradingRefs,
    more: dict[Symbol, OpenLots] | None = None,
    more_held: dict[AssetCode, int] | None = None,
) -> Spans | None:
    """Of all working orders, and `more` that this turn has accepted. None: one has no mark."""
    contracts = {
        symbol: [position.lots, position.lots]
        for symbol, position in state.positions.items()
        if (found := refs.instruments.get(symbol)) is not None and found.kind is LINEAR
    }
    assets = {asset: [units, units] for asset, units in state.balances.items()}
    spans = Spans(assets, contracts, dict(state.held))
    for lots in (state.open_lots, more or {}):
        for symbol, each in lots.items():
            if not spans.widen(refs, symbol, each.buys, each.sells):
                return None
            quote = refs.instruments[symbol].quote
            spans.held[quote] = spans.held.get(quote, 0) - each.orders
    for asset, units in (more_held or {}).items():  # each order's hold is one beyond its loss
        spans.held[asset] = spans.held.get(asset, 0) + units
    return spans


def free_margin(state: AccountState, refs: TradingRefs) -> int | None:
    """Equity less the initial requirement, with every working order at its worst."""
    spans = spans_of(state, refs)
    return None if spans is None else margin_left(state, refs, spans)


def margin_left(state: AccountState, refs: TradingRefs, spans: Spans) -> int | None:
    """The same of these spans: net worth, less what orders may lose, less what each balance and
    contract is charged at the further end of its span."""
    left = 0
    for asset, span in spans.assets.items():
        rate = refs.rates.get(asset)
        if rate is None:
            if state.balances.get(asset, 0) or span[0] or span[1]:
                return None
            continue
        left += state.balances.get(asset, 0) * rate.num // rate.den
        left -= max(charge(refs, asset, rate, span[0]), charge(refs, asset, rate, span[1]))
    for symbol, span in spans.contracts.items():
        instrument, mark = refs.instruments[symbol], refs.marks.get(symbol)
        rate = refs.rates.get(instrument.quote)
        if rate is None or mark is None:
            return None
        position = state.positions.get(symbol)
        if position is not None:
            gained = contract_worth(instrument, mark, position.lots) - position.cost
            left += gained * rate.num // rate.den
        margin = refs.margins.get(symbol)
        left -= max(
            _required(margin, abs(contract_worth(instrument, mark, lots) * rate.num // rate.den))[0]
            for lots in span
        )
    for asset, units in spans.held.items():
        if units:
            rate = refs.rates.get(asset)
            if rate is None:
                return None
            left += -units * rate.num // rate.den
    return left


def left_with(
    state: AccountState,
    refs: TradingRefs,
    spans: Spans,
    instrument: Instrument,
    side: Side,
    lots: int,
    hold: int,
) -> int | None:
    """Free margin with one more order, which may lose `hold` against its mark."""
    more = Spans(
        {asset: span.copy() for asset, span in spans.assets.items()},
        {symbol: span.copy() for symbol, span in spans.contracts.items()},
        {**spans.held, instrument.quote: spans.held.get(instrument.quote, 0) + hold},
    )
    buys, sells = (lots, 0) if side is BUY else (0, lots)
    if not more.widen(refs, instrument.symbol, buys, sells):
        return None
    return margin_left(state, refs, more)


def charge(refs: TradingRefs, asset: AssetCode, rate: Rate, units: int) -> int:
    """What having `units` of an asset costs beside what they are worth: haircut and initial
    requirement."""
    worth = units * rate.num // rate.den
    return worth - collateral(refs, asset, worth) + required(refs, asset, worth)[0]


# --- Positions ----------------------------------------------------------------------------------


def position_lots(state: AccountState, instrument: Instrument) -> int:
    """Signed: of a spot pair the whole lots in the balance of its base asset."""
    if instrument.kind is LINEAR:
        position = state.positions.get(instrument.symbol)
        return 0 if position is None else position.lots
    units = state.balances.get(instrument.base, 0)
    lots = abs(units) // instrument.base_per_lot
    return lots if units > 0 else -lots


def reducible(state: AccountState, refs: TradingRefs, instrument: Instrument, side: Side) -> int:
    """Lots that an order of `side` can take off the position, beside those that work already."""
    lots = position_lots(state, instrument)
    room = -lots if side is BUY else lots
    if instrument.kind is LINEAR:
        return room - _working(state, instrument.symbol, side)
    for symbol in state.open_lots:
        other = refs.instruments.get(symbol)
        if other is not None and other.kind is not LINEAR and other.base == instrument.base:
            units = _working(state, symbol, side) * other.base_per_lot
            room -= -(-units // instrument.base_per_lot)
    return room


def _working(state: AccountState, symbol: Symbol, side: Side) -> int:
    lots = state.open_lots.get(symbol)
    return 0 if lots is None else lots.buys if side is BUY else lots.sells


class Closing(msgspec.Struct, frozen=True, gc=False):
    """What would close a position: an order of `side` for `lots` of an instrument."""

    instrument: Instrument
    side: Side
    lots: int
    initial: int  # requirement of the whole position, in the account's currency


def closings(state: AccountState, refs: TradingRefs) -> list[Closing]:
    """Every position that can be closed, the one with the largest requirement first. Less than a
    lot cannot be, nor what has no instrument or no price."""
    found: list[Closing] = []
    for asset, units in state.balances.items():
        instrument = refs.instruments.get(refs.homes.get(asset, Symbol("")))
        rate = refs.rates.get(asset)
        if instrument is None or rate is None or asset == refs.currency:
            continue
        needs = required(refs, asset, units * rate.num // rate.den)[0]
        lots = abs(units) // instrument.base_per_lot
        if lots and needs:
            found.append(Closing(instrument, SELL if units > 0 else BUY, lots, needs))
    for symbol, position in state.positions.items():
        instrument, mark = refs.instruments.get(symbol), refs.marks.get(symbol)
        if instrument is None or mark is None or instrument.kind is not LINEAR:
            continue
        rate = refs.rates.get(instrument.quote)
        if rate is not None:
            worth = contract_worth(instrument, mark, position.lots) * rate.num // rate.den
            needs = _required(refs.margins.get(symbol), abs(worth))[0]
            side = SELL if position.lots > 0 else BUY
            found.append(Closing(instrument, side, abs(position.lots), needs))
    return sorted(found, key=lambda each: (-each.initial, each.instrument.symbol))
