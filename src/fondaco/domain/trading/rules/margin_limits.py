"""The rules that measure an order of a margin account, long and short alike.

Exposure is signed: how far the position and the open orders of the order's own side may go in its
direction. An order that only takes off what there is passes every rule but those about the order
itself, so that nobody is kept in a position by a limit.
"""

from collections.abc import Callable, Iterator
from typing import Final

from fondaco.domain.market.model import Quality
from fondaco.domain.reference.model import Instrument, Limits, Symbol, TradingState
from fondaco.domain.trading.model import AccountState, Order, Rate, TradingRefs
from fondaco.domain.trading.rules.entry import compares_equity, strictest
from fondaco.domain.trading.rules.holds import AMOUNT_MAX, BPS, BUY, margin_hold
from fondaco.domain.trading.rules.margin import (
    LINEAR,
    Spans,
    contract_worth,
    left_with,
    margin_left,
    reducible,
    spans_of,
)
from fondaco.domain.trading.rules.trades import weigh_trade
from fondaco.domain.trading.rules.weighed import (
    CLASS,
    CONCENTRATION,
    ISSUER,
    LEVERAGE,
    LOSS,
    LOTS,
    MARGIN,
    POSITION,
    POSITIONS,
    POWER,
    RISK,
    VENUE,
    Ahead,
    Weighed,
)
from fondaco.kernel.money import AssetCode

OK: Final = Quality.OK
REDUCING: Final = TradingState.REDUCING
_NOT_OF_REDUCING: Final = (
    POSITION, CONCENTRATION, CLASS, LOSS, MARGIN, ISSUER, VENUE, RISK, POSITIONS, LOTS, LEVERAGE,
)  # fmt: skip


def weigh_on_margin(
    w: Weighed,
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    limits: Limits,
    ahead: Ahead | None,
    *,
    covered: bool,
    exact: bool,
) -> bool:
    """Ceilings and what is left. False: the account cannot be valued, and the order may not only
    reduce. `exact`: the ceiling of margin even where it is not in the way."""
    room = reducible(state, refs, instrument, order.side)
    more_lots, more_held = ({}, {}) if ahead is None else (ahead.open_lots, ahead.held)
    if ahead is not None:
        room -= ahead.lots(order.symbol, order.side)
    room = max(room, 0)
    if not covered and _must_reduce(state, order, instrument, refs):
        w.ceilings[POWER] = room
        w.free = w.left[POWER] = room * instrument.base_per_lot
    spans = spans_of(state, refs, more_lots, more_held)
    left = None if spans is None else margin_left(state, refs, spans)
    if spans is None or left is None:
        return covered or order.lots <= room
    w.available, w.left[MARGIN] = left, max(left, 0)
    if not _weigh_shares(w, state, order, instrument, refs, limits, spans):
        return order.lots <= room
    if not covered:
        _weigh_margin(w, state, order, instrument, refs, spans, exact=exact)
    if state.trade_rules is not None:
        weigh_trade(w, state, order, instrument, refs, state.trade_rules, ahead, exact=exact)
    for index in _NOT_OF_REDUCING:
        w.ceilings[index] = max(w.ceilings[index], room)
    return True


def _must_reduce(
    state: AccountState, order: Order, instrument: Instrument, refs: TradingRefs
) -> bool:
    """Said of it, or so by the state of things; and what has no rates is not sold short."""
    mark = refs.marks.get(order.symbol)
    if order.reduce_only or mark is None or mark.quality is not OK:
        return True
    if strictest(state, refs, order.symbol) is REDUCING:
        return True
    if instrument.kind is LINEAR:
        return order.symbol not in refs.margins
    return order.side is not BUY and refs.homes.get(instrument.base) not in refs.margins


def _weigh_margin(
    w: Weighed,
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    spans: Spans,
    *,
    exact: bool,
) -> None:
    """Free margin may not fall below zero. It falls with every lot, so the most is searched for."""

    def left(lots: int) -> int:
        hold = margin_hold(order, instrument, lots) - 1
        found = left_with(state, refs, spans, instrument, order.side, lots, hold)
        return -1 if found is None else found

    after = left(order.lots)
    w.needed = w.available - after
    if after >= 0 and not exact:
        return
    passes, fails = (order.lots, AMOUNT_MAX) if after >= 0 else (0, order.lots)
    if passes == 0 and w.available < 0:
        w.ceilings[MARGIN] = 0
        return
    most = min(w.ceilings)
    if after >= 0:
        if left(max(most, order.lots)) >= 0:
            return
        fails = max(most, order.lots)
    while fails - passes > 1:
        middle = (passes + fails) // 2
        passes, fails = (middle, fails) if left(middle) >= 0 else (passes, middle)
    w.ceilings[MARGIN] = passes


# --- How much of one thing ----------------------------------------------------------------------


def _weigh_shares(
    w: Weighed,
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    limits: Limits,
    spans: Spans,
) -> bool:
    """Position, concentrations and daily loss. False: the account cannot be valued."""
    per_lot, is_buy = instrument.base_per_lot, order.side is BUY
    if instrument.kind is LINEAR:
        low, high = spans.contracts.get(order.symbol, (0, 0))
        low, high = low * per_lot, high * per_lot
    else:
        low, high = spans.assets.get(instrument.base, (0, 0))
    w.has = high if is_buy else -low
    most = limits.position_max.get(order.symbol)
    if most is not None:
        w.ceilings[POSITION] = (most * per_lot - w.has) // per_lot
        w.left[POSITION] = max(w.ceilings[POSITION], 0)
    if not compares_equity(limits, instrument):
        return True
    rate, worth = exposure_rate(refs, instrument), net_worth(state, refs)
    if rate is None or worth is None:
        return False
    w.equity = worth
    for index, bps, others in _groups(refs, limits, instrument, spans):
        _weigh_share(w, index, bps, others, rate, per_lot)
    if limits.daily_loss_max:
        if refs.session_day <= state.session_day:
            w.loss = state.session_equity - worth
        w.left[LOSS] = max(limits.daily_loss_max - w.loss, 0)
        if not w.left[LOSS]:
            w.ceilings[LOSS] = 0
    return True


def _weigh_share(w: Weighed, index: int, bps: int, others: int, rate: Rate, per_lot: int) -> None:
    """One group: `others` is what everything else takes of it."""
    inside = others + w.has * rate.num // rate.den
    w.left[index] = _bps_left(bps, inside, w.equity)
    if rate.num:
        room = w.equity * bps // BPS - others
        w.ceilings[index] = (room * rate.den // rate.num - w.has) // per_lot
    if index == CLASS:
        w.in_class = inside
    elif index == ISSUER:
        w.in_issuer = inside
    elif index == VENUE:
        w.in_venue = inside


def _groups(
    refs: TradingRefs, limits: Limits, own: Instrument, spans: Spans
) -> Iterator[tuple[int, int, int]]:
    """The limits of shares of equity that are on: which, how much, and what others take of it."""
    if limits.concentration_max_bps:
        yield CONCENTRATION, limits.concentration_max_bps, 0
    by_class = limits.class_concentration_max_bps.get(own.asset_class, 0)
    if by_class:
        of_class = own.asset_class
        others = _others(
            refs,
            spans,
            own,
            lambda a: _class_of(refs, a) == of_class,
            lambda i: i.asset_class == of_class,
        )
        yield CLASS, by_class, others
    if limits.issuer_concentration_max_bps and own.issuer:
        issued = refs.by_issuer.get(own.issuer, ())
        others = _others(refs, spans, own, lambda a: a in issued, lambda i: i.issuer == own.issuer)
        yield ISSUER, limits.issuer_concentration_max_bps, others
    if limits.venue_concentration_max_bps:
        traded = refs.by_venue.get(own.mic, ())
        others = _others(refs, spans, own, lambda a: a in traded, lambda i: i.mic == own.mic)
        yield VENUE, limits.venue_concentration_max_bps, others


def _bps_left(limit: int, value: int, equity: int) -> int:
    left = limit - value * BPS // equity if equity > 0 else 0
    return max(left, 0)


def _class_of(refs: TradingRefs, asset: AssetCode) -> str:
    known = refs.assets.get(asset)
    return "" if known is None else known.asset_class


def _others(
    refs: TradingRefs,
    spans: Spans,
    own: Instrument,
    has_asset: Callable[[AssetCode], bool],
    has_contract: Callable[[Instrument], bool],
) -> int:
    """What everything else in a group may be worth at most, long or short."""
    return sum(
        worth
        for key, worth in exposures(refs, spans, has_asset, has_contract)
        if key != (own.symbol if own.kind is LINEAR else own.base)
    )


def exposures(
    refs: TradingRefs,
    spans: Spans,
    has_asset: Callable[[AssetCode], bool],
    has_contract: Callable[[Instrument], bool],
) -> Iterator[tuple[AssetCode | Symbol, int]]:
    for asset, (low, high) in spans.assets.items():
        rate = refs.rates.get(asset)
        if rate is not None and has_asset(asset):
            yield asset, max(abs(low), abs(high)) * rate.num // rate.den
    for symbol, (low, high) in spans.contracts.items():
        instrument = refs.instruments[symbol]
        rate = exposure_rate(refs, instrument)
        if rate is not None and has_contract(instrument):
            units = max(abs(low), abs(high)) * instrument.base_per_lot
            yield symbol, units * rate.num // rate.den


def exposure_rate(refs: TradingRefs, instrument: Instrument) -> Rate | None:
    """What a ledger unit of its base asset is worth, to who is exposed to this instrument."""
    if instrument.kind is not LINEAR:
        return refs.rates.get(instrument.base)
    quote, mark = refs.rates.get(instrument.quote), refs.marks.get(instrument.symbol)
    if quote is None or mark is None:
        return None
    num = mark.px * instrument.cost_num * quote.num
    return Rate(num, instrument.cost_den * instrument.base_per_lot * quote.den, mark)


def net_worth(state: AccountState, refs: TradingRefs) -> int | None:
    """Before haircuts: what shares are shares of."""
    worth = contracts_gain(state, refs)
    for asset, units in state.balances.items():
        if units and worth is not None:
            rate = refs.rates.get(asset)
            worth = None if rate is None else worth + units * rate.num // rate.den
    return worth


def contracts_gain(state: AccountState, refs: TradingRefs) -> int | None:
    """What open contracts have gained or lost. None: one has no mark."""
    gain = 0
    for symbol, position in state.positions.items():
        instrument = refs.instruments.get(symbol)
        if instrument is not None and instrument.kind is LINEAR:
            rate, mark = refs.rates.get(instrument.quote), refs.marks.get(symbol)
            if rate is None or mark is None:
                return None
            value = contract_worth(instrument, mark, position.lots) - position.cost
            gain += value * rate.num // rate.den
    return gain
