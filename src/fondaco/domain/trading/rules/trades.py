"""What may be opened on an account that has rules of trades: how much a position may risk, how many
positions and lots may be open, and over how much equity.

All of it is looked at as it would be once the order has executed, alone and with everything else
that works on its side. A limit counts at its price. What executes at the market counts at what the
book shows for its size, and a stop at its own price: what is held for it, at the end of the collar,
is what it may cost, and not what anybody expects it to. What a position risks is its cost less what
its stops bring; what no stop covers it risks as a whole. The stop of an order's own bracket covers
it already.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.events import NothingToDo, SetTradeRules, TradeRulesSet, TradingEvent
from fondaco.domain.trading.model import (
    AccountState,
    Order,
    OrdType,
    Position,
    Side,
    TimeInForce,
    TradeRules,
    TradingRefs,
)
from fondaco.domain.trading.rules.holds import AMOUNT_MAX, BUY
from fondaco.domain.trading.rules.weighed import (
    LEVERAGE,
    LOTS,
    POSITIONS,
    RISK,
    Ahead,
    Weighed,
)
from fondaco.kernel.money import format_scaled

LOT_DECIMALS: Final = 4
LEVELS_MAX: Final = 100  # of a book, that a market order is looked through
STOPS: Final = (OrdType.STOP, OrdType.STOP_LIMIT, OrdType.TRAILING_STOP)
# Units of the rules that are not of money, and their decimals.
OF_TRADES: Final = {POSITIONS: ("positions", 0), LOTS: ("lots", LOT_DECIMALS)}
_NONE: Final = Position(0, 0)


def set_rules(
    state: AccountState, command: SetTradeRules, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    if not state.opened:
        return (NothingToDo("no such account was opened"),)
    if state.trade_rules == command.rules:
        return (NothingToDo("these are its rules"),)
    return (TradeRulesSet(command.rules, command.reason),)


# --- What a position risks ------------------------------------------------------------------------


def position_risk(
    instrument: Instrument, position: Position, stops: Iterable[tuple[int, int]]
) -> int:
    """Ledger units of the quote asset that are lost if `stops`, each a price and lots, are met; the
    one that is met first covers first."""
    is_long, bare = position.lots > 0, abs(position.lots)
    if not bare:
        return 0
    cost_of_all, lost, all_lots = abs(position.cost), 0, bare
    for px, most in sorted(stops, reverse=is_long):
        lots = min(most, bare)
        bare -= lots
        cost = cost_of_all * lots // all_lots
        worth = instrument.cost_down(px, lots)
        lost += max(cost - worth if is_long else worth - cost, 0)
    return lost + cost_of_all * bare // all_lots


def stops_of(orders: Iterable[Order], symbol: Symbol, side: Side) -> list[tuple[int, int]]:
    """Prices and lots of the stops that close a position which `side` has opened. One that ends
    with a day, or at a date, covers nothing: the position may be there for longer."""
    return [
        (order.stop_px, order.leaves_lots)
        for order in orders
        if order.symbol == symbol
        and order.ord_type in STOPS
        and order.side is not side
        and order.time_in_force is TimeInForce.GTC
    ]


def lots_of(instrument: Instrument, lots: int) -> int:
    """Of the base asset, in whole 10^-4, rounded up."""
    units = abs(lots) * instrument.lot_units * 10**LOT_DECIMALS
    return -(-units // int(10**instrument.qty_decimals))


def bared(
    state: AccountState,
    refs: TradingRefs,
    order: Order,
    gone: Iterable[int],
    new: Order | None = None,
) -> str:
    """Why a position still needs the stop that `order` is: without the orders of `gone`, and with
    `new` in its place, it would risk more than it may, and more than now. "" where it may go."""
    rules, position = state.trade_rules, state.positions.get(order.symbol, _NONE)
    side = Side.BUY if position.lots > 0 else Side.SELL
    instrument = refs.instruments.get(order.symbol)
    if rules is None or not rules.risk_max or not position.lots or instrument is None:
        return ""
    rate = refs.rates.get(instrument.quote)
    left = [each for each in state.working.values() if each.number not in gone]
    if new is not None:
        left.append(new)
    was, risk = (
        position_risk(instrument, position, stops_of(orders, order.symbol, side))
        for orders in (state.working.values(), left)
    )
    if rate is None or risk <= was:
        return ""
    value = -(-risk * rate.num // rate.den)
    if value <= rules.risk_max:
        return ""
    known = refs.assets.get(refs.currency)
    decimals = 0 if known is None else known.decimals
    least = format_scaled(rules.risk_max, decimals)
    return (
        f"exceeds_trade_risk: {format_scaled(value, decimals)} {refs.currency} would be at risk, "
        f"limit {least}; close the position, or place a nearer stop first"
    )


# --- What an order may be -------------------------------------------------------------------------


def weigh_trade(
    w: Weighed,
    state: AccountState,
    order: Order,
    instrument: Instrument,
    refs: TradingRefs,
    rules: TradeRules,
    ahead: Ahead | None,
    *,
    exact: bool = False,
) -> None:
    """The ceilings of an order that opens something. Of a bracket the entry is looked at: what
    follows it only closes. `exact`: also those that are not in the way."""
    if order.group and order.number != order.group and not order.at_venue and not order.hold:
        return
    plan = _Plan(state, order, instrument, refs, ahead)
    measures = list(_measures(w, plan, instrument, refs, rules))
    for index, limit, measure in measures:
        w.left[index] = max(limit - measure(0), 0)
        value = measure(order.lots)
        if value > limit:
            w.ceilings[index] = _most(measure, limit, order.lots)
            if w.told == (0, 0):
                w.told = value, limit
                w.hint = plan.hint(limit) if index == RISK else ""
        elif exact:
            w.ceilings[index] = _beyond(measure, limit, order.lots, min(w.ceilings))
    if w.hint and any(  # where another rule is in the way no stop helps
        ceiling < order.lots for n, ceiling in enumerate(w.ceilings) if n != RISK
    ):
        w.hint = ""
    most = min(w.ceilings)
    if 0 < most < order.lots:  # what is suggested passes all of them, and not the nearest alone
        for _, limit, measure in measures:
            if measure(most) > limit:
                most = _most(measure, limit, most)
        refused = next(n for n, ceiling in enumerate(w.ceilings) if ceiling < order.lots)
        w.ceilings[refused] = most


_Measure: TypeAlias = Callable[[int], int]


def _measures(
    w: Weighed, plan: "_Plan", instrument: Instrument, refs: TradingRefs, rules: TradeRules
) -> Iterator[tuple[int, int, _Measure]]:
    """The rules that are on: which, its limit, and what so many lots would make of it."""
    counts = {symbol: lots for symbol, lots in plan.others().items() if lots}
    held = sum(lots_of(refs.instruments[symbol], lots) for symbol, lots in counts.items())
    if rules.risk_max:
        yield RISK, rules.risk_max, plan.risk
    if rules.positions_max:
        yield POSITIONS, rules.positions_max, lambda n: len(counts) + bool(plan.open_with(n))
    if rules.lots_max:
        yield LOTS, rules.lots_max, lambda n: held + lots_of(instrument, plan.open_with(n))
    if rules.leverage and w.equity:
        yield LEVERAGE, max(w.equity, 0) * rules.leverage, plan.notional


def _most(measure: Callable[[int], int], limit: int, fails: int) -> int:
    """The largest that passes where the next one fails; 0 where even nothing more is too much."""
    passes = 0
    if measure(1) > limit:
        return 0
    while fails - passes > 1:
        middle = (passes + fails) // 2
        passes, fails = (middle, fails) if measure(middle) <= limit else (passes, middle)
    return passes


def _beyond(measure: Callable[[int], int], limit: int, passes: int, others: int) -> int:
    """The same for an order that passes: only where no other rule is nearer does it matter."""
    fails = passes + 1
    while fails <= others and measure(fails) <= limit:
        passes, fails = fails, fails * 2
    if fails > others and measure(others) <= limit:
        return AMOUNT_MAX
    fails = min(fails, others)
    while fails - passes > 1:
        middle = (passes + fails) // 2
        passes, fails = (middle, fails) if measure(middle) <= limit else (passes, middle)
    return passes


class _Plan:
    """The account once the order has executed, alone or with what else works on its side."""

    def __init__(
        self,
        state: AccountState,
        order: Order,
        instrument: Instrument,
        refs: TradingRefs,
        ahead: Ahead | None,
    ) -> None:
        self._state, self._order, self._instrument, self._refs = state, order, instrument, refs
        beside = [] if ahead is None else [o for o in ahead.beside if o.number != order.number]
        working = [o for o in state.working.values() if o.number != order.number]
        self._all = working + beside
        # Stops of the list that this order is of are as large as it is, whatever that will be.
        self._own = [o for o in beside if o.group and o.group == order.group]
        self._stops = stops_of(
            [o for o in self._all if o not in self._own], order.symbol, order.side
        )
        self._own_stops = [px for px, _ in stops_of(self._own, order.symbol, order.side)]
        same = [o for o in self._all if o.symbol == order.symbol and o.side is order.side]
        self._same = [o for o in same if not (o.reduce_only or _closes(o, state))]
        mark, book = refs.marks.get(order.symbol), refs.books.get(order.symbol)
        self._market = order.hold_px if mark is None else mark.px
        self._levels: list[tuple[int, int]] = []
        if book is not None:
            read = book.asks if order.side is BUY else book.bids
            self._levels = read(LEVELS_MAX)

    def _planned(self, lots: int, *, alone: bool) -> Position:
        """The position, with `lots` of the order at the price that is expected."""
        instrument, order = self._instrument, self._order
        sign = 1 if order.side is BUY else -1
        now = self._state.positions.get(order.symbol, _NONE)
        more = [(lots, order)] if lots else []
        if not alone:
            more += [(o.leaves_lots, o) for o in self._same]
        adds = sum(n for n, _ in more)
        cost = sum(instrument.cost_down(px, n) for m, o in more for px, n in self._fills(o, m))
        if now.lots * sign >= 0:
            return Position(now.lots + sign * adds, now.cost + sign * cost)
        opens = adds - abs(now.lots)
        if opens <= 0:
            return _NONE
        return Position(sign * opens, sign * cost * opens // adds)

    def _fills(self, order: Order, lots: int) -> list[tuple[int, int]]:
        """Prices and lots at which so much of `order` is expected to execute."""
        if order.ord_type is not OrdType.MARKET:
            is_stop = order.ord_type in (OrdType.STOP, OrdType.TRAILING_STOP)
            return [(order.stop_px if is_stop else order.hold_px or order.px, lots)]
        if not self._levels:
            return [(self._market, lots)]
        found: list[tuple[int, int]] = []
        for px, shown in self._levels:
            taken = min(shown, lots)
            if not taken or not self._in_reach(px, order.hold_px):
                break
            found.append((px, taken))
            lots -= taken
        return [*found, (order.hold_px, lots)] if lots else found

    def _in_reach(self, px: int, end: int) -> bool:
        return px <= end if self._order.side is BUY else px >= end

    def risk(self, lots: int, stops: tuple[int, ...] = ()) -> int:
        """In the account's currency; `stops` are further ones of as many lots."""
        own = [(px, lots) for px in (*self._own_stops, *stops)]
        worst = max(
            position_risk(self._instrument, self._planned(lots, alone=alone), self._stops + own)
            for alone in (True, False)
        )
        rate = self._refs.rates.get(self._instrument.quote)
        return worst if rate is None else -(-worst * rate.num // rate.den)

    def others(self) -> dict[Symbol, int]:
        """Of every other instrument, the most that its position may be, in lots."""
        found = dict.fromkeys((*self._state.positions, *self._state.open_lots), 0)
        found.update(dict.fromkeys(o.symbol for o in self._all))  # type: ignore[arg-type]
        return {s: self._largest(s) for s in found if s != self._order.symbol}

    def _largest(self, symbol: Symbol) -> int:
        lots = self._state.positions.get(symbol, _NONE).lots
        buys = sells = 0
        for each in self._all:
            if each.symbol == symbol and each.hold:
                if each.side is BUY:
                    buys += each.leaves_lots
                else:
                    sells += each.leaves_lots
        return max(abs(lots + buys), abs(lots - sells), abs(lots))

    def open_with(self, lots: int) -> int:
        """The most that the position in the order's own instrument may be."""
        own = abs(self._planned(lots, alone=False).lots)
        return max(own, abs(self._state.positions.get(self._order.symbol, _NONE).lots))

    def notional(self, lots: int) -> int:
        """Of all that may be open, in the account's currency."""
        total = 0
        for symbol, count in (*self.others().items(), (self._order.symbol, self.open_with(lots))):
            instrument, mark = self._refs.instruments.get(symbol), self._refs.marks.get(symbol)
            rate = None if instrument is None else self._refs.rates.get(instrument.quote)
            if instrument is None or mark is None or rate is None or not count:
                continue
            px = mark.px
            if symbol == self._order.symbol and self._order.side is BUY:
                px = max(px, self._order.hold_px)
            total += -(-instrument.cost_up(px, count) * rate.num // rate.den)
        return total

    def hint(self, limit: int) -> str:
        """The stop with which all of the order would pass, where there is one: on the side of the
        market where it waits, and of what is paid, with a tick between."""
        order, instrument = self._order, self._instrument
        is_buy = order.side is BUY
        entry = self._fills(order, 1)[0][0]
        if is_buy:
            far, near = 0, min(entry, self._market) - 1
        else:
            far, near = 2 * order.hold_px, max(entry, self._market) + 1
        if near <= 0 or self.risk(order.lots, (near,)) > limit:
            return ""
        while abs(near - far) > 1:
            middle = (near + far) // 2
            near, far = (
                (middle, far) if self.risk(order.lots, (middle,)) <= limit else (near, middle)
            )
        way = "higher" if is_buy else "lower"
        return f", or give it a stop at {instrument.px_text(near)} or {way}{self._no_cover()}"

    def _no_cover(self) -> str:
        """What to say of stops that end by themselves."""
        short = [
            order
            for order in self._all
            if order.symbol == self._order.symbol
            and order.ord_type in STOPS
            and order.side is not self._order.side
            and order.time_in_force is not TimeInForce.GTC
        ]
        if not short:
            return ""
        return f"; its stop is {short[0].time_in_force} and covers nothing: make it gtc"


def _closes(order: Order, state: AccountState) -> bool:
    """Whether it can only close: a child of a bracket, or on the other side of its position."""
    is_child = bool(order.group) and order.number != order.group and not order.at_venue
    lots = state.positions.get(order.symbol, _NONE).lots
    return is_child or (lots < 0 if order.side is BUY else lots > 0)
