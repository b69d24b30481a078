"""An account as an assessment sees it: balance, equity, what is open, and the marks of all that."""

from typing import Final

from fondaco.domain.evaluation.assessments.model import Look
from fondaco.domain.evaluation.model import LOT_DECIMALS
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Instrument, InstrumentKind, Symbol
from fondaco.domain.trading.model import AccountState, OrdType, Position, Rate, Side, TradingRefs
from fondaco.domain.trading.rules.margin import contract_worth
from fondaco.domain.trading.rules.margin_limits import net_worth
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode

_STOPS: Final = frozenset({OrdType.STOP, OrdType.STOP_LIMIT, OrdType.TRAILING_STOP})


def look_at(state: AccountState, refs: TradingRefs, at: Instant, version: int = 0) -> Look | None:
    """None: something that it has has no price. Net worth, before haircuts; `balance` is what that
    would be if every open position were worth what it has cost."""
    equity = net_worth(state, refs)
    balance = _balance(state, refs)
    if equity is None or balance is None:
        return None
    marks: dict[Symbol, Mark] = {}
    risks: dict[str, int] = {}
    count = lots = notional = 0
    for symbol, position in state.positions.items():
        instrument, mark = refs.instruments.get(symbol), refs.marks.get(symbol)
        if instrument is None or not position.lots:
            continue
        rate = refs.rates.get(instrument.quote)
        if mark is None or rate is None:
            return None
        marks[symbol] = mark
        if rate.mark is not None:
            marks[rate.mark.symbol] = rate.mark
        count += 1
        lots += _lots(instrument, position.lots)
        notional += abs(_in_currency(contract_worth(instrument, mark, position.lots), rate))
        risks[symbol] = _risk(state, instrument, position, rate)
    bad = any(mark.quality is not Quality.OK for mark in marks.values())
    return Look(
        at, balance, equity, count, tuple(marks.values()), lots, notional, len(state.working),
        risks, version, bad,
    )  # fmt: skip


def _in_currency(units: int, rate: Rate) -> int:
    return units * rate.num // rate.den


def _balance(state: AccountState, refs: TradingRefs) -> int | None:
    """Cash, and what is in open spot positions at what it has cost; contracts cost nothing."""
    total = 0
    held: set[AssetCode] = set()
    for symbol, position in state.positions.items():
        instrument = refs.instruments.get(symbol)
        if instrument is None or instrument.kind is InstrumentKind.LINEAR or not position.lots:
            continue
        rate = refs.rates.get(instrument.quote)
        if rate is None:
            return None
        held.add(instrument.base)
        total += _in_currency(position.cost, rate)
    for asset, units in state.balances.items():
        if not units or asset in held:
            continue
        rate = refs.rates.get(asset)
        if rate is None:
            return None
        total += _in_currency(units, rate)
    return total


def _lots(instrument: Instrument, lots: int) -> int:
    """Of the base asset, in whole 10^-4, rounded up."""
    units = abs(lots) * instrument.lot_units * 10**LOT_DECIMALS
    return -(-units // int(10**instrument.qty_decimals))


def _risk(state: AccountState, instrument: Instrument, position: Position, rate: Rate) -> int:
    """What is lost if the stops of a position are met, from what it has cost. What no stop covers
    is at risk as a whole."""
    is_long, bare = position.lots > 0, abs(position.lots)
    cost_of_all, lost = abs(position.cost), 0
    stops = sorted(
        (
            order
            for order in state.working.values()
            if order.symbol == instrument.symbol
            and order.ord_type in _STOPS
            and (order.side is Side.SELL) == is_long
        ),
        key=lambda order: order.stop_px,
        reverse=is_long,  # the one that is met first
    )
    for order in stops:
        lots = min(order.leaves_lots, bare)
        bare -= lots
        cost = cost_of_all * lots // abs(position.lots)
        worth = instrument.cost_down(order.stop_px, lots)
        lost += max(cost - worth if is_long else worth - cost, 0)
    lost += cost_of_all * bare // abs(position.lots)
    return _in_currency(lost, rate)
