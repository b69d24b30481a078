"""An account as an assessment sees it: balance, equity, what is open, and the marks of all that."""

from fondaco.domain.evaluation.assessments.model import Look
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import InstrumentKind, Symbol
from fondaco.domain.trading.model import AccountState, Rate, Side, TradingRefs
from fondaco.domain.trading.rules.margin import contract_worth
from fondaco.domain.trading.rules.margin_limits import net_worth
from fondaco.domain.trading.rules.trades import lots_of, position_risk, stops_of
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode


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
        lots += lots_of(instrument, position.lots)
        notional += abs(_in_currency(contract_worth(instrument, mark, position.lots), rate))
        side = Side.BUY if position.lots > 0 else Side.SELL
        stops = stops_of(state.working.values(), symbol, side)
        risks[symbol] = _in_currency(position_risk(instrument, position, stops), rate)
    bad = any(mark.quality is not Quality.OK for mark in marks.values())
    return Look(
        at, balance, equity, count, tuple(marks.values()), lots, notional, len(state.working),
        risks, version, bad, state.trade_rules is not None,
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
