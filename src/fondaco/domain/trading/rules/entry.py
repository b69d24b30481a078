"""An order comes in: is it sound, and may it be placed now? Reasons up to WOULD_NOT_REDUCE.

Amounts are text until here; an `Order` that leaves this file is whole ticks and lots, with its
protection price worked out. A market order by notional (`cash_order_qty`, a buy or a sell) becomes
the most lots that it could need, and a budget before fees: the amount asked for covers both.
"""

from typing import Final, TypeAlias

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import (
    MIDPOINT_MIC,
    POOL_MIC,
    Instrument,
    InstrumentKind,
    Stage,
    Symbol,
)
from fondaco.domain.trading.events import Ask, OrderRejected
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    ClOrdId,
    Headroom,
    Limits,
    Order,
    OrdStatus,
    OrdType,
    Reason,
    TimeInForce,
    TradeRules,
    TradingRefs,
    TradingState,
)
from fondaco.domain.trading.rules.holds import (
    AMOUNT_MAX,
    BUY,
    SELL,
    lots_for,
    protected,
    without_fees,
)
from fondaco.domain.trading.rules.margin import reducible
from fondaco.domain.trading.rules.news import around, refusal
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.money import Asset, parse_scaled

Wrong: TypeAlias = tuple[Reason, str]

NO_HEADROOM: Final = Headroom()
MARKET: Final = OrdType.MARKET
LIMIT: Final = OrdType.LIMIT
STOP: Final = OrdType.STOP
STOP_LIMIT: Final = OrdType.STOP_LIMIT
TRAILING: Final = OrdType.TRAILING_STOP
DAY: Final = TimeInForce.DAY
GTD: Final = TimeInForce.GTD
NEW: Final = OrdStatus.NEW
NO_NAME: Final = ClOrdId("")
ACTIVE: Final = TradingState.ACTIVE
REDUCING: Final = TradingState.REDUCING
HALTED: Final = TradingState.HALTED
OK: Final = Quality.OK
OPEN: Final = Stage.OPEN
ON_MARGIN: Final = AccountType.MARGIN
SPOT: Final = InstrumentKind.SPOT

# Tuples: an enum's hash is worked out in Python, its identity is not.
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)
_PLAIN: Final = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
_TEXT_MAX: Final = 64  # digits of any amount: longer ones are nonsense, and slow to read
_TENS: Final = tuple(10**n for n in range(19))
# The prices that a type needs, of: price, stop_px, trail_offset. All others must be absent.
_PRICES: Final = {
    MARKET: (False, False, False),
    LIMIT: (True, False, False),
    STOP: (False, True, False),
    STOP_LIMIT: (True, True, False),
    TRAILING: (False, False, True),
}


def refuse(number: int, ask: Ask, wrong: Wrong, marks: tuple[Mark, ...] = ()) -> OrderRejected:
    """A refusal by a rule that measures nothing."""
    return OrderRejected(
        number,
        ask.cl_ord_id,
        ask.symbol,
        ask.side,
        wrong[0],
        wrong[1],
        None,
        NO_HEADROOM,
        marks,
        ask.order_qty,
        ask.price,
        ask.ord_type,
    )


def read(
    state: AccountState,
    ask: Ask,
    refs: TradingRefs,
    number: int,
    at: Instant,
    *,
    is_child: bool = False,
) -> Order | OrderRejected:
    """`ask` as an order, complete but for its hold; or the first reason why not.

    `is_child`: of a bracket, so that it sells what the account does not have yet.
    """
    symbol = ask.symbol
    instrument = refs.instruments.get(symbol)
    on_margin = state.account_type is ON_MARGIN
    if (
        instrument is None
        or not state.opened
        or ask.cl_ord_id in state.numbers
        or (instrument.kind is not SPOT and not on_margin)
    ):
        return refuse(number, ask, _unplaceable(state, ask, instrument))
    order = _parsed(ask, instrument, refs, number, at)
    if not isinstance(order, Order):
        return refuse(number, ask, order)
    if order.time_in_force is DAY:
        order.expire_time = refs.session_closes_at
    limits = limits_of(state, refs)
    self_match = ask.self_match or limits.self_match or refs.limits.self_match
    if self_match:
        order.self_match = self_match
    mark = refs.marks.get(symbol)
    allowed = strictest(state, refs, symbol)
    wrong = _barred(order, refs, at, allowed) or _unpriced(order, refs, limits, mark)
    if wrong is None:
        may_not = _may_only_reduce if on_margin else _cannot_reduce
        wrong = may_not(state, order, instrument, refs, mark, allowed, is_child)
        if wrong is not None:
            wrong = unvalued(state, order, refs, limits) or wrong
    if wrong is None and order.ord_type is not LIMIT:
        wrong = _price(order, instrument, limits, mark)
    if wrong is not None:
        return refuse(number, ask, wrong, () if mark is None else (mark,))
    if on_margin and mark is not None:
        order.ref_px = order.stop_px or mark.px
    return order


def _unplaceable(state: AccountState, ask: Ask, instrument: Instrument | None) -> Wrong:
    if ask.cl_ord_id in state.numbers:
        return Reason.DUPLICATE_ORDER, f"{ask.cl_ord_id} names a working order"
    if not state.opened:
        return Reason.ACCOUNT_UNKNOWN, "no such account was opened"
    if instrument is None:
        return Reason.UNKNOWN_INSTRUMENT, f"{ask.symbol} does not trade here"
    return Reason.UNSUPPORTED_ORDER, f"{ask.symbol} is a contract: it needs a margin account"


def limits_of(state: AccountState, refs: TradingRefs) -> Limits:
    """The account's own limits, or those of the house."""
    limits = state.limits
    return refs.limits if limits is None else limits


# --- Is it sound? -------------------------------------------------------------------------------


def _parsed(
    ask: Ask, instrument: Instrument, refs: TradingRefs, number: int, at: Instant
) -> Order | Wrong:
    """Lots and ticks of `ask`. The usual order is a plain limit: it is read first, and fast."""
    ord_type = ask.ord_type
    if not (
        ord_type is LIMIT
        and ask.order_qty
        and ask.price
        and ask.time_in_force in _PLAIN
        and not (
            ask.stop_px
            or ask.trail_offset
            or ask.display_qty
            or ask.cash_order_qty
            or ask.expire_time
            or ask.post_only
            or ask.midpoint
            or ask.min_qty
        )
    ):
        text = unsupported(ask, at)
        if text:
            return Reason.UNSUPPORTED_ORDER, text
    # By notional, lots are worked out when the price is known.
    order_qty, price = ask.order_qty, ask.price
    lots = lots_in(order_qty, instrument) if order_qty else 1
    if not isinstance(lots, int):
        return lots
    px = 0
    if price:
        found = ticks_in(price, instrument, "price")
        if not isinstance(found, int):
            return found
        px = found
    is_limit = ord_type is LIMIT
    order = Order(
        number, ask.cl_ord_id, ask.symbol, ask.side, ord_type, ask.time_in_force, lots, px, 0, at,
        0, 0, 0, 0, ask.expire_time, ask.post_only, ask.reduce_only, 0, None, NEW,
        is_limit or ord_type is MARKET, 0, 0, 0, 0, NO_NAME, instrument.base, instrument.quote,
        instrument.base_per_lot, px, mic=instrument.mic,
    )  # fmt: skip
    if not is_limit or ask.display_qty or ask.midpoint:
        wrong = _parse_rest(ask, instrument, refs, order)
        if wrong is not None:
            return wrong
    if instrument.round_lots:
        text = _pool(ask, order, instrument)
        if text:
            return Reason.UNSUPPORTED_ORDER, text
    return order


def _pool(ask: Ask, order: Order, instrument: Instrument) -> str:
    """What is no whole round lot goes to the pooling desk; why it cannot, or ""."""
    if ask.cash_order_qty:
        return f"{order.symbol} trades by quantity: give order_qty"
    if order.lots % instrument.round_lots:
        if ask.post_only or ask.display_qty or ask.midpoint or _is_fok(ask):
            whole = instrument.qty_text(instrument.round_lots)
            return f"fok, post_only, display_qty and midpoint need a multiple of {whole}"
        order.mic = POOL_MIC
    return ""


def _parse_rest(ask: Ask, instrument: Instrument, refs: TradingRefs, order: Order) -> Wrong | None:
    """What few orders have: a display or least quantity, an amount of cash, a stop, a trail."""
    wrong = _parse_parts(ask, instrument, order)
    if wrong is not None:
        return wrong
    if ask.cash_order_qty:
        cash = _cash_in(ask.cash_order_qty, refs.assets.get(instrument.quote))
        if not isinstance(cash, int):
            return cash
        order.cash_qty = cash
    for text, what in ((ask.stop_px, "stop_px"), (ask.trail_offset, "trail_offset")):
        if text:
            found = ticks_in(text, instrument, what)
            if not isinstance(found, int):
                return found
            if what == "stop_px":
                order.stop_px = found
            else:
                order.trail = found
    return None


def _parse_parts(ask: Ask, instrument: Instrument, order: Order) -> Wrong | None:
    """What of it is shown, or may at least execute at once."""
    display = _part_of(ask.display_qty, instrument, order, "display_qty") if ask.display_qty else 0
    if not isinstance(display, int):
        return display
    least = _part_of(ask.min_qty, instrument, order, "min_qty") if ask.min_qty else 0
    if not isinstance(least, int):
        return least
    order.display_lots, order.min_lots = display, least
    if ask.midpoint:
        order.mic = MIDPOINT_MIC
    return None


def _part_of(text: str, instrument: Instrument, order: Order, what: str) -> int | Wrong:
    """`text` as whole lots, no more than the order has."""
    lots = lots_in(text, instrument, what)
    if isinstance(lots, int) and lots > order.lots:
        return Reason.QUANTITY_OFF_LOT, f"{what} is {text}, more than the order"
    return lots


def unsupported(ask: Ask, at: Instant) -> str:
    """What makes no sense about a combination, as a text; "" for one that does."""
    given = (bool(ask.price), bool(ask.stop_px), bool(ask.trail_offset))
    if given != _PRICES[ask.ord_type]:
        needs = [
            name
            for name, needed in zip(
                ("price", "stop_px", "trail_offset"), _PRICES[ask.ord_type], strict=True
            )
            if needed
        ]
        return f"{ask.ord_type} takes exactly: {', '.join(needs) or 'no price'}"
    if bool(ask.order_qty) == bool(ask.cash_order_qty):
        return "exactly one of order_qty and cash_order_qty is needed"
    if ask.cash_order_qty and ask.ord_type is not MARKET:
        return "cash_order_qty is for market orders"
    return _unsupported_manner(ask, at)


def _unsupported_manner(ask: Ask, at: Instant) -> str:
    ord_type, at_once = ask.ord_type, ask.time_in_force in _AT_ONCE
    if (ask.time_in_force is GTD) != bool(ask.expire_time):
        return "expire_time goes with gtd, and gtd with expire_time"
    if ask.expire_time and ask.expire_time <= at:
        return "expire_time has passed"
    if ord_type is MARKET and ask.time_in_force is GTD:
        return "a market order does not wait for a date"
    if ord_type not in (MARKET, LIMIT) and at_once:
        return "a stop waits, so it cannot execute at once or not at all"
    if ask.post_only and (ord_type is not LIMIT or at_once):
        return "post_only is for limit orders that rest"
    if ask.display_qty and (ord_type is not LIMIT or at_once):
        return "display_qty is for limit orders that rest"
    return _unsupported_midpoint(ask)


def _unsupported_midpoint(ask: Ask) -> str:
    """In the dark everybody meets at the middle of the lit book: nothing is shown, nobody is first
    by price, and fill-or-kill would say what is there."""
    if not ask.midpoint:
        return "min_qty goes with midpoint" if ask.min_qty else ""
    if ask.ord_type is not LIMIT:
        return "midpoint is for limit orders"
    if ask.post_only or ask.display_qty:
        return "midpoint goes with neither post_only nor display_qty"
    return "fok does not go with midpoint: ask with ioc and min_qty" if _is_fok(ask) else ""


def _is_fok(ask: Ask) -> bool:
    return ask.time_in_force is TimeInForce.FOK


def whole_steps(text: str, decimals: int, units: int) -> int:
    """`text` as a count of `units` x 10^-`decimals`; -1 for everything that is not plainly that."""
    whole, _, fraction = text.partition(".")
    spare = decimals - len(fraction)
    digits = whole + fraction
    if spare < 0 or len(digits) > 40 or not digits.isdecimal() or not digits.isascii():
        return -1
    scaled: int = int(digits) * _TENS[spare]
    if units == 1:
        return scaled
    count, rest = divmod(scaled, units)
    return -1 if rest else count


def lots_in(text: str, instrument: Instrument, what: str = "order_qty") -> int | Wrong:
    """`text` as whole lots, at least one."""
    lots = whole_steps(text, instrument.qty_decimals, instrument.lot_units)
    if lots < 0:
        if len(text) > _TEXT_MAX:
            return Reason.QUANTITY_OFF_LOT, f"{what} is longer than {_TEXT_MAX} signs"
        try:
            lots = instrument.lots(text, what)
        except Invalid as error:
            return Reason.QUANTITY_OFF_LOT, error.message
    if 0 < lots < AMOUNT_MAX and lots * instrument.base_per_lot < AMOUNT_MAX:
        return lots
    return Reason.QUANTITY_OFF_LOT, f"{what} is {text[:40]}, must be positive and not immense"


def ticks_in(text: str, instrument: Instrument, what: str) -> int | Wrong:
    """`text` as whole ticks, at least one."""
    px = whole_steps(text, instrument.px_decimals, instrument.tick_units)
    if px < 0:
        if len(text) > _TEXT_MAX:
            return Reason.PRICE_OFF_TICK, f"{what} is longer than {_TEXT_MAX} signs"
        try:
            px = instrument.ticks(text, what)
        except Invalid as error:
            return Reason.PRICE_OFF_TICK, error.message
    if 0 < px < AMOUNT_MAX:
        return px
    return Reason.PRICE_OFF_TICK, f"{what} is {text[:40]}, must be positive and not immense"


def _cash_in(text: str, asset: Asset | None) -> int | Wrong:
    """`text` as ledger units of the quote asset."""
    if asset is None or len(text) > _TEXT_MAX:
        return Reason.QUANTITY_OFF_LOT, f"cash_order_qty is {text[:40]}: too long, or of no asset"
    try:
        cash = parse_scaled(text, asset.decimals, "cash_order_qty")
    except Invalid as error:
        return Reason.QUANTITY_OFF_LOT, error.message
    if 0 < cash < AMOUNT_MAX:
        return cash
    text = f"cash_order_qty is {text[:40]}, must be positive and not immense"
    return Reason.QUANTITY_OFF_LOT, text


# --- May it be placed now? ----------------------------------------------------------------------


def strictest(state: AccountState, refs: TradingRefs, symbol: Symbol) -> TradingState:
    """Of the house, the instrument and the account."""
    house, own, account = refs.state, refs.states.get(symbol, ACTIVE), state.trading_state
    if house is ACTIVE and own is ACTIVE and account is ACTIVE:
        return REDUCING if state.liquidating else ACTIVE
    return HALTED if house is HALTED or own is HALTED or account is HALTED else REDUCING


def _barred(order: Order, refs: TradingRefs, at: Instant, allowed: TradingState) -> Wrong | None:
    if allowed is HALTED:
        return Reason.TRADING_HALTED, "trading is halted: what works may be canceled"
    if refs.restricted and order.symbol in refs.restricted:
        return Reason.RESTRICTED, f"{order.symbol} is on the restricted list"
    if refs.contracts:
        outcome = refs.contracts.get(order.symbol)
        if outcome is not None and outcome.stage is not OPEN:
            return Reason.MARKET_CLOSED, f"the contract is {outcome.stage}"
    if order.time_in_force is DAY and 0 < refs.session_closes_at <= at:
        return Reason.MARKET_CLOSED, "the session that a day order would live in is over"
    return None


def _unpriced(order: Order, refs: TradingRefs, limits: Limits, mark: Mark | None) -> Wrong | None:
    """A sell at a limit needs no mark of its own; everything else does, if only for its quality."""
    if mark is None and (
        order.side is BUY
        or order.ord_type is MARKET
        or order.ord_type is TRAILING
        or (limits.collar_bps and order.ord_type is LIMIT)
    ):
        return Reason.NO_MARK, f"{order.symbol} has no mark"
    if (limits.order_notional_max or limits.notional_max) and order.quote not in refs.rates:
        return Reason.NO_MARK, f"{order.quote} has no rate into {refs.currency}"
    return None


def compares_equity(limits: Limits, instrument: Instrument) -> bool:
    """Whether a rule that is on needs to know what the account is worth."""
    return bool(
        limits.concentration_max_bps
        or limits.daily_loss_max
        or limits.class_concentration_max_bps.get(instrument.asset_class, 0)
        or limits.venue_concentration_max_bps
        or (limits.issuer_concentration_max_bps and instrument.issuer)
    )


def unvalued(state: AccountState, order: Order, refs: TradingRefs, limits: Limits) -> Wrong | None:
    """Whether a rule that is on compares with the account's equity, and that is not known. It is
    looked at before a reason that comes later is given; who is accepted was valued anyway."""
    if state.account_type is ON_MARGIN:
        return None  # an order that can only reduce passes; the others are told NO_MARK anyway
    if order.side is SELL or not compares_equity(limits, refs.instruments[order.symbol]):
        return None
    for asset in (order.base, *state.balances):
        if asset not in refs.rates and (asset == order.base or state.balances[asset]):
            text = f"{asset} has no rate into {refs.currency}, so the equity is not known"
            return Reason.NO_MARK, text
    return None


def _cannot_reduce(
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    mark: Mark | None,
    allowed: TradingState,
    is_child: bool,
) -> Wrong | None:
    """In a cash account the orders that reduce are sells, and they sell what is there."""
    if order.side is BUY:
        if mark is not None and mark.quality is not OK:
            text = f"the book of {order.symbol} is {mark.quality}: only reducing orders"
            return Reason.MARKET_QUALITY, text
        if allowed is REDUCING:
            return Reason.REDUCING_ONLY, "only orders that make a position smaller"
        if order.reduce_only:
            return Reason.WOULD_NOT_REDUCE, "a buy makes the position larger"
    elif (
        order.reduce_only and not is_child and state.free(instrument.base) < instrument.base_per_lot
    ):
        return Reason.WOULD_NOT_REDUCE, f"there is no {instrument.base} that is not on offer"
    return None


def _may_only_reduce(
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    mark: Mark | None,
    allowed: TradingState,
    is_child: bool,
) -> Wrong | None:
    """In a margin account either side may reduce, and everything needs a mark."""
    if mark is None:
        return Reason.NO_MARK, f"{order.symbol} has no mark"
    if state.trade_rules is not None and not is_child:
        wrong = _not_of_trades(state, order, instrument, refs, state.trade_rules)
        if wrong is not None:
            return wrong
    reason, text = Reason.WOULD_NOT_REDUCE, "there is no position that it would make smaller"
    if mark.quality is not OK:
        reason = Reason.MARKET_QUALITY
        text = f"the book of {order.symbol} is {mark.quality}: only reducing orders"
    elif allowed is REDUCING:
        reason, text = Reason.REDUCING_ONLY, "only orders that make a position smaller"
    elif not order.reduce_only:
        return None
    if is_child or reducible(state, refs, instrument, order.side) > 0:
        return None
    return reason, text


def _not_of_trades(
    state: AccountState, order: Order, instrument: Instrument, refs: TradingRefs, rules: TradeRules
) -> Wrong | None:
    """What this account may not open at all, or not now; to make a position smaller it always
    may."""
    is_strange = bool(rules.instruments) and order.symbol not in rules.instruments
    if order.reduce_only or not (is_strange or (rules.news and refs.news.get(order.symbol))):
        return None
    if order.lots <= reducible(state, refs, instrument, order.side):
        return None
    if is_strange:
        text = f"{order.symbol} may not be opened here, only: {', '.join(rules.instruments)}"
        return Reason.INSTRUMENT_NOT_ALLOWED, text
    at = order.transact_time
    found = None if rules.news is None else around(rules.news, order.symbol, refs, at)
    if found is None or rules.news is None:
        return None
    return Reason.NEWS_WINDOW, refusal(rules.news, *found, order.symbol, at)


def _price(order: Order, instrument: Instrument, limits: Limits, mark: Mark | None) -> Wrong | None:
    """The prices that the market gives an order: protection, a trailing stop, lots for cash."""
    side, bps = order.side, limits.market_protection_bps
    if order.ord_type is MARKET and mark is not None:
        order.px = order.hold_px = protected(mark.px, side, bps)
        if order.cash_qty:
            return _spend(order, instrument, protected(mark.px, SELL, bps))
    elif order.ord_type is TRAILING and mark is not None:
        order.stop_px = mark.px + order.trail if side is BUY else mark.px - order.trail
        if order.stop_px <= 0:
            return Reason.PRICE_OFF_TICK, "trail_offset is as large as the price"
    if order.ord_type is STOP or order.ord_type is TRAILING:
        order.hold_px = protected(order.stop_px, side, bps)
    return None


def _spend(order: Order, instrument: Instrument, low: int) -> Wrong | None:
    """Turns the cash of an order by notional into a budget, and the most lots that it could need:
    those of the lowest price at which it may execute."""
    if order.side is BUY:
        order.cash_qty = without_fees(instrument, order.cash_qty)
        order.lots = lots_for(instrument, low, order.cash_qty)
    else:
        order.lots = lots_for(instrument, low, order.cash_qty - 1) + 1
    if not 0 < order.lots * order.base_per_lot < AMOUNT_MAX:
        return Reason.QUANTITY_OFF_LOT, "cash_order_qty is less than one lot, or immense"
    return None
