"""What the account can carry: the rules that measure. Reasons from DUPLICATE_WINDOW on.

Each rule gives one number, its ceiling: the largest quantity, in lots, that it lets pass. An order
is refused by the first rule whose ceiling is below it, and the smallest ceiling is what its sender
is told would have passed; so the two cannot disagree. A rule that is off, or that does not concern
the order, has the ceiling `AMOUNT_MAX`.

In a cash account a sell makes nothing larger but the cash: position, concentration and daily loss
measure buys alone. Exposure is what the account has of the base asset plus what its working buys
may still bring, in whichever pair.
"""

from typing import Final

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Instrument, Limits
from fondaco.domain.trading.events import Ask, OrderAccepted, OrderRejected
from fondaco.domain.trading.model import (
    AccountState,
    Excess,
    Order,
    Rate,
    Reason,
    TradingRefs,
)
from fondaco.domain.trading.rules.entry import (
    LIMIT,
    ON_MARGIN,
    STOP_LIMIT,
    Wrong,
    compares_equity,
    limits_of,
    read,
    refuse,
    unvalued,
)
from fondaco.domain.trading.rules.holds import (
    AMOUNT_MAX,
    BPS,
    BUY,
    MS,
    PACE_SLOTS,
    SELL,
    hold_for,
    lots_for,
    protected,
    same_order,
    without_fees,
)
from fondaco.domain.trading.rules.margin_limits import (
    contracts_gain,
    exposure_rate,
    weigh_on_margin,
)
from fondaco.domain.trading.rules.trades import OF_TRADES
from fondaco.domain.trading.rules.weighed import (
    ALL_OFF,
    CLASS,
    COLLAR,
    CONCENTRATION,
    ISSUER,
    LOSS,
    MARGIN,
    MEASURES,
    NO_CEILINGS,
    NOTIONAL,
    ORDERS,
    PACE,
    POSITION,
    POWER,
    QTY,
    RISK,
    VENUE,
    Ahead,
    Weighed,
)
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode, format_scaled

_UNVALUED: Final[Wrong] = (Reason.NO_MARK, "the equity of the account is not known")


def judge(
    state: AccountState,
    order: Order,
    ask: Ask,
    refs: TradingRefs,
    at: Instant,
    ahead: Ahead | None = None,
    *,
    covered: bool = False,
) -> OrderAccepted | OrderRejected:
    """Accepts a sound order, with its hold, or refuses it.

    `covered`: another order of its group holds what this one may need.
    """
    instrument = refs.instruments[order.symbol]
    limits = limits_of(state, refs)
    if limits.duplicate_window_ms:
        wrong = _again(state, order, limits, at, ahead)
        if wrong is not None:
            return refuse(order.number, ask, unvalued(state, order, refs, limits) or wrong)
    weighed = weigh(state, order, instrument, refs, limits, at, ahead, covered=covered)
    if weighed is None:
        wrong = unvalued(state, order, refs, limits) or _UNVALUED
        return refuse(order.number, ask, wrong)
    lots = order.lots
    for ceiling in weighed.ceilings:
        if lots > ceiling:
            return _refused(state, order, ask, refs, limits, weighed)
    if not covered:
        order.hold = hold_for(order, instrument)
    pace_on = limits.orders_max or limits.notional_max
    return OrderAccepted(
        order,
        weighed.headroom(),
        weighed.marks,
        weighed.notional,
        slot_ms(limits) if pace_on else 0,
        limits.duplicate_window_ms,
    )


def order_qty_max(state: AccountState, ask: Ask, refs: TradingRefs, at: Instant) -> int:
    """The largest quantity, in lots, that `ask` could have had; 0 where no quantity passes.

    Of an `ask` by notional it is the most lots that it could have needed.
    """
    order = read(state, ask, refs, state.order_count + 1, at)
    if isinstance(order, OrderRejected):
        return 0
    instrument, limits = refs.instruments[order.symbol], limits_of(state, refs)
    weighed = weigh(state, order, instrument, refs, limits, at, None, exact=True)
    return 0 if weighed is None else largest(state, order, limits, at, weighed)


def largest(
    state: AccountState, order: Order, limits: Limits, at: Instant, weighed: Weighed
) -> int:
    """The smallest ceiling; or less, where the duplicate window has just seen that very order."""
    lots = max(min(weighed.ceilings), 0)
    if limits.duplicate_window_ms:
        asked = order.lots
        while lots:
            order.lots = lots
            if _again(state, order, limits, at, None) is None:
                break
            lots -= 1
        order.lots = asked
    return lots


# --- The ceilings -------------------------------------------------------------------------------


def weigh(
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    limits: Limits,
    at: Instant,
    ahead: Ahead | None,
    *,
    covered: bool = False,
    exact: bool = False,
) -> Weighed | None:
    """Every rule's ceiling. None: a rule needs the account's equity, and it cannot be valued.

    `exact`: even that of margin, which is searched for, where it is not in the way.
    """
    symbol = order.symbol
    mark = refs.marks.get(symbol)
    w = Weighed(
        NO_CEILINGS.copy(),
        ALL_OFF.copy(),
        () if mark is None else (mark,),
        _value_px(order, limits, mark),
    )
    most = limits.order_qty_max.get(symbol)
    if most is not None:
        w.ceilings[QTY] = w.left[QTY] = most
    rate = refs.rates.get(instrument.quote)
    _weigh_notional(w, order, instrument, limits, rate)
    if limits.orders_max or limits.notional_max:
        _weigh_pace(w, state, instrument, limits, rate, at, ahead)
    if limits.collar_bps:
        _weigh_collar(w, order, limits, mark)
    if state.account_type is ON_MARGIN:
        valued_ = weigh_on_margin(
            w, state, order, instrument, refs, limits, ahead, covered=covered, exact=exact
        )
        return w if valued_ else None
    if order.side is BUY and not _weigh_exposure(w, state, order, instrument, refs, limits, ahead):
        return None
    if not covered:
        _weigh_power(w, state, order, instrument, ahead)
    return w


def _value_px(order: Order, limits: Limits, mark: Mark | None) -> int:
    """What a buy costs at most; what a sell brings, for all we know; what cash is spent at."""
    if order.cash_qty and mark is not None:
        return protected(mark.px, SELL, limits.market_protection_bps)
    if order.side is BUY or order.ord_type is LIMIT or order.ord_type is STOP_LIMIT:
        return order.hold_px
    if order.stop_px:
        return order.stop_px
    return order.px if mark is None else mark.px


def _weigh_notional(
    w: Weighed, order: Order, instrument: Instrument, limits: Limits, rate: Rate | None
) -> None:
    """The order's notional, rounded up twice: into ledger units of the quote, then the currency.

    The ledger has an end too: with the rule off, nothing may be worth more than it can count.
    """
    px, cost_den = w.value_px, instrument.cost_den
    of_lot = px * instrument.cost_num
    room = limits.order_notional_max
    if room:
        w.left[NOTIONAL] = room
    else:
        room = AMOUNT_MAX
    num = 0 if rate is None else rate.num
    if rate is not None and num:
        den, mark = rate.den, rate.mark
        gross = -(-of_lot * order.lots // cost_den)
        w.notional = -(-gross * num // den)
        if mark is not None and mark not in w.marks:
            w.marks += (mark,)
        room = room * den // num
    if room > AMOUNT_MAX:
        room = AMOUNT_MAX
    w.ceilings[NOTIONAL] = room * cost_den // of_lot


def _weigh_pace(
    w: Weighed,
    state: AccountState,
    instrument: Instrument,
    limits: Limits,
    rate: Rate | None,
    at: Instant,
    ahead: Ahead | None,
) -> None:
    """Orders and notional within the rate window, in slots of an eighth of it."""
    orders, notional = state.pace_orders, state.pace_notional
    oldest = at - (PACE_SLOTS + 1) * slot_ms(limits) * MS
    for begin, count, worth in state.pace:
        if begin > oldest:
            break
        orders -= count
        notional -= worth
    if ahead is not None:
        orders += ahead.orders
        notional += ahead.notional
    w.orders, w.paced = orders, notional
    orders_max, notional_max = limits.orders_max, limits.notional_max
    if orders_max:
        left = orders_max - orders
        w.left[ORDERS] = left if left > 0 else 0
        if left <= 0:
            w.ceilings[ORDERS] = 0
    if notional_max:
        left = notional_max - notional
        w.left[PACE] = left if left > 0 else 0
        num = 0 if rate is None else rate.num
        if rate is not None and num:
            w.ceilings[PACE] = lots_for(instrument, w.value_px, left * rate.den // num)


def _weigh_collar(w: Weighed, order: Order, limits: Limits, mark: Mark | None) -> None:
    """A limit may not be further from the market than this, on the side that executes worse; that
    of a stop-limit from its stop. A market order has its protection instead."""
    ord_type, side = order.ord_type, order.side
    if ord_type is LIMIT and mark is not None:
        bound = protected(mark.px, side, limits.collar_bps)
    elif ord_type is STOP_LIMIT:
        bound = protected(order.stop_px, side, limits.collar_bps)
    else:
        return
    left = bound - order.px if side is BUY else order.px - bound
    if left >= 0:
        w.left[COLLAR] = left
    else:
        w.left[COLLAR] = w.ceilings[COLLAR] = 0


def _weigh_exposure(
    w: Weighed,
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    limits: Limits,
    ahead: Ahead | None,
) -> bool:
    """Position, concentration and daily loss. False: the account cannot be valued."""
    base, per_lot = instrument.base, instrument.base_per_lot
    has = state.balances.get(base, 0) + state.coming.get(base, 0)
    if ahead is not None:
        has += ahead.coming.get(base, 0)
    w.has = has
    most = limits.position_max.get(order.symbol)
    if most is not None:
        left = (most * per_lot - has) // per_lot
        w.ceilings[POSITION] = left
        w.left[POSITION] = left if left > 0 else 0
    asset_class = instrument.asset_class
    by_class = limits.class_concentration_max_bps.get(asset_class, 0)
    if not compares_equity(limits, instrument):
        return True
    rate = refs.rates.get(base)
    worth = valued(state, refs, asset_class, ahead)
    if worth is None or rate is None:
        return False
    w.equity, w.in_class, marks = worth
    used = w.marks
    for mark in marks:
        if mark not in used:
            used += (mark,)
    w.marks = used
    _weigh_shares(w, limits.concentration_max_bps, by_class, rate, per_lot)
    if limits.issuer_concentration_max_bps or limits.venue_concentration_max_bps:
        _weigh_origin(w, state, instrument, refs, limits, rate, ahead)
    if limits.daily_loss_max:
        _weigh_loss(w, state, refs, limits)
    return True


def _weigh_shares(w: Weighed, of_asset: int, of_class: int, rate: Rate, per_lot: int) -> None:
    """How much of equity may be in one asset, and in its class."""
    num, den, equity = rate.num, rate.den, w.equity
    if of_asset:
        has = w.has
        w.left[CONCENTRATION] = _bps_left(of_asset, has * num // den, equity)
        if num:
            room = equity * of_asset * den // (num * BPS) - has
            w.ceilings[CONCENTRATION] = room // per_lot
    if of_class:
        in_class = w.in_class
        w.left[CLASS] = _bps_left(of_class, in_class, equity)
        if num:
            room = equity * of_class // BPS - in_class
            w.ceilings[CLASS] = room * den // num // per_lot


def _weigh_origin(
    w: Weighed,
    state: AccountState,
    instrument: Instrument,
    refs: TradingRefs,
    limits: Limits,
    rate: Rate,
    ahead: Ahead | None,
) -> None:
    """How much of equity may depend on one issuer, and on one venue."""
    by_issuer, by_venue = limits.issuer_concentration_max_bps, limits.venue_concentration_max_bps
    num, den, per_lot = rate.num, rate.den, instrument.base_per_lot
    if by_issuer and instrument.issuer:
        members = refs.by_issuer.get(instrument.issuer, (instrument.base,))
        w.in_issuer = _worth_of(state, refs, members, ahead)
        w.left[ISSUER] = _bps_left(by_issuer, w.in_issuer, w.equity)
        if num:
            room = w.equity * by_issuer // BPS - w.in_issuer
            w.ceilings[ISSUER] = room * den // num // per_lot
    if by_venue:
        members = refs.by_venue.get(instrument.mic, (instrument.base,))
        w.in_venue = _worth_of(state, refs, members, ahead)
        w.left[VENUE] = _bps_left(by_venue, w.in_venue, w.equity)
        if num:
            room = w.equity * by_venue // BPS - w.in_venue
            w.ceilings[VENUE] = room * den // num // per_lot


def _worth_of(
    state: AccountState, refs: TradingRefs, assets: tuple[AssetCode, ...], ahead: Ahead | None
) -> int:
    """Open buys included; whoever has one of them has been valued."""
    worth = 0
    for asset in assets:
        units = state.balances.get(asset, 0) + state.coming.get(asset, 0)
        if ahead is not None:
            units += ahead.coming.get(asset, 0)
        rate = refs.rates.get(asset)
        if rate is not None:
            worth += units * rate.num // rate.den
    return worth


def _weigh_loss(w: Weighed, state: AccountState, refs: TradingRefs, limits: Limits) -> None:
    """Once the day has lost so much, nothing may be bought. A new session begins with this turn."""
    if refs.session_day <= state.session_day:
        w.loss = state.session_equity - w.equity
    left = limits.daily_loss_max - w.loss
    if left > 0:
        w.left[LOSS] = left
    else:
        w.left[LOSS] = w.ceilings[LOSS] = 0


def _weigh_power(
    w: Weighed, state: AccountState, order: Order, instrument: Instrument, ahead: Ahead | None
) -> None:
    """What pays for the order: quote for a buy, fees included; the base itself for a sell."""
    is_buy = order.side is BUY
    asset = instrument.quote if is_buy else instrument.base
    free = state.balances.get(asset, 0) - state.held.get(asset, 0)
    if ahead is not None:
        free -= ahead.held.get(asset, 0)
    w.free = free
    w.left[POWER] = free if free > 0 else 0
    if not is_buy:
        w.ceilings[POWER] = free // instrument.base_per_lot
        return
    px, cash_qty = w.value_px, order.cash_qty
    room = without_fees(instrument, free - order.spare, 0 if cash_qty else px)
    if cash_qty and cash_qty <= room:
        return
    ceiling = lots_for(instrument, px, room)
    if cash_qty and ceiling >= order.lots:
        ceiling = order.lots - 1
    w.ceilings[POWER] = ceiling


def valued(
    state: AccountState, refs: TradingRefs, asset_class: str = "", ahead: Ahead | None = None
) -> tuple[int, int, list[Mark]] | None:
    """Equity at marks; what of it is in `asset_class`, open buys included; the marks used.

    None where an asset that the account has, or has coming, has no rate.
    """
    gain = contracts_gain(state, refs) if state.positions else 0
    if gain is None:
        return None
    equity, in_class = gain, 0
    marks: list[Mark] = []
    coming, rates, assets = state.coming, refs.rates, refs.assets
    for asset, units in state.balances.items():
        more = coming.get(asset, 0)
        if ahead is not None:
            more += ahead.coming.get(asset, 0)
        if not units and not more:
            continue
        rate = rates.get(asset)
        if rate is None:
            return None
        num, den, mark = rate.num, rate.den, rate.mark
        worth = units * num // den
        equity += worth
        named = assets.get(asset)
        if named is not None and named.asset_class == asset_class:
            in_class += (units + more) * num // den if more else worth
        if mark is not None:
            marks.append(mark)
    return equity, in_class, marks


def _bps_left(limit: int, value: int, equity: int) -> int:
    left = limit - value * BPS // equity if equity > 0 else 0
    return left if left > 0 else 0


def slot_ms(limits: Limits) -> int:
    """Width of a slot of the rate window."""
    return (limits.rate_window_ms + PACE_SLOTS - 1) // PACE_SLOTS or 1


def _again(
    state: AccountState, order: Order, limits: Limits, at: Instant, ahead: Ahead | None
) -> tuple[Reason, str] | None:
    key = same_order(order)
    came = state.recent.get(key)
    if came is None:
        came = state.recent_before.get(key)
    since = at - limits.duplicate_window_ms * MS
    if (came is not None and came > since) or (ahead is not None and key in ahead.keys):
        text = f"the same order came within {limits.duplicate_window_ms} ms"
        return Reason.DUPLICATE_WINDOW, text
    return None


# --- What a refusal says ------------------------------------------------------------------------


def _refused(
    state: AccountState,
    order: Order,
    ask: Ask,
    refs: TradingRefs,
    limits: Limits,
    w: Weighed,
) -> OrderRejected:
    """The first rule that is exceeded, by how much, and what would have passed all of them."""
    instrument = refs.instruments[order.symbol]
    index = next(i for i in range(len(MEASURES)) if order.lots > w.ceilings[i])
    reason = MEASURES[index]
    if index == POWER and (order.ref_px or order.side is not BUY):
        reason = Reason.EXCEEDS_POSITION
    value, limit, unit, decimals = _measured(index, order, instrument, refs, limits, w)
    most = instrument.qty_text(largest(state, order, limits, order.transact_time, w))
    excess = Excess(
        format_scaled(value, decimals),
        format_scaled(limit, decimals),
        format_scaled(value - limit, decimals),
        unit,
        most,
    )
    text = f"{excess.value} {unit}, limit {excess.limit}; order at most {most}{w.hint}"
    return OrderRejected(
        order.number,
        ask.cl_ord_id,
        ask.symbol,
        ask.side,
        reason,
        text,
        excess,
        w.headroom(),
        w.marks,
        ask.order_qty,
        ask.price,
        ask.ord_type,
    )


def _measured(
    index: int,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    limits: Limits,
    w: Weighed,
) -> tuple[int, int, str, int]:
    """Value, limit, their unit and its decimals, for the rule at `index` of `MEASURES`."""
    money, cents = refs.currency, decimals_of(refs, refs.currency)
    base, units, per_lot = instrument.base, decimals_of(refs, instrument.base), order.base_per_lot
    adds = order.lots * per_lot
    if index == QTY:
        return adds, limits.order_qty_max[order.symbol] * per_lot, base, units
    if index == COLLAR:
        reference = order.stop_px or w.marks[0].px
        away = abs(order.px - reference)
        return -(-away * BPS // reference), limits.collar_bps, "bps", 0
    if index == POSITION:
        return w.has + adds, limits.position_max[order.symbol] * per_lot, base, units
    if index == ORDERS:
        return w.orders + 1, limits.orders_max, "orders", 0
    if index == POWER:
        if order.ref_px or order.side is SELL:
            return adds, w.free, base, units
        return hold_for(order, instrument), w.free, order.quote, decimals_of(refs, order.quote)
    if index >= RISK:
        unit, decimals = OF_TRADES.get(index, (money, cents))
        return *w.told, unit, decimals
    return *_measured_money(index, order, refs, limits, w), money, cents


def _measured_money(
    index: int, order: Order, refs: TradingRefs, limits: Limits, w: Weighed
) -> tuple[int, int]:
    """The rules that compare worth in the account's currency."""
    if index == NOTIONAL:
        return w.notional, limits.order_notional_max or AMOUNT_MAX
    if index == PACE:
        return w.paced + w.notional, limits.notional_max
    if index == LOSS:
        return w.loss, limits.daily_loss_max
    if index == MARGIN:
        return w.needed, w.available
    instrument = refs.instruments[order.symbol]
    rate = exposure_rate(refs, instrument) or refs.rates[order.base]
    adds = order.lots * order.base_per_lot
    if index in (ISSUER, VENUE):
        is_issuer = index == ISSUER
        bps = limits.venue_concentration_max_bps
        if is_issuer:
            bps = limits.issuer_concentration_max_bps
        value = w.in_issuer if is_issuer else w.in_venue
        return value - (-adds * rate.num // rate.den), w.equity * bps // BPS
    if index == CONCENTRATION:
        limit = w.equity * limits.concentration_max_bps // BPS
        return -(-(w.has + adds) * rate.num // rate.den), limit
    limit = w.equity * limits.class_concentration_max_bps[instrument.asset_class] // BPS
    return w.in_class - (-adds * rate.num // rate.den), limit


def decimals_of(refs: TradingRefs, asset: AssetCode) -> int:
    """Of the ledger's units of `asset`."""
    known = refs.assets.get(asset)
    return 0 if known is None else known.decimals
