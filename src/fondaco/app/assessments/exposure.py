"""The firm's risk book: what all traders on assessments hold together, at the marks of now."""

from typing import Final

from fondaco.app.house import Kernel
from fondaco.domain.evaluation.assessments import api
from fondaco.domain.evaluation.assessments.model import PPM, Assessment, size_of
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.evaluation.rules import WARNS_AT_PPM, distances
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import AccountState
from fondaco.domain.trading.rules.margin import contract_worth
from fondaco.kernel.event import Instant
from fondaco.kernel.money import format_scaled

_LONG: Final = 0
_SHORT: Final = 1


def risk_book(kernel: Kernel, tenant: str, at: Instant) -> api.RiskBookReply:
    """Of the assessments of a tenant that are traded now."""
    sums: dict[tuple[Symbol, bool], list[int]] = {}
    count = funded = near = profits = owed = 0
    for stream, account, standing in kernel.assessments.watched():
        memory, held = kernel.peek(stream), kernel.peek(account)
        if memory is None or held is None or memory.state.tenant != tenant:
            continue
        state: Assessment = memory.state
        is_funded = state.state == "funded"
        count += 1
        funded += is_funded
        near += any(each.used_ppm >= WARNS_AT_PPM for each in distances(standing))
        if is_funded and state.tier is not None:
            profit = standing.equity - state.tier.account
            profits += profit
            owed += max(profit, 0) * size_of(state.tier, state.profit).split_ppm // PPM
        _add(sums, held.state, is_funded)
    items = [_exposure(kernel, *key, found) for key, found in sorted(sums.items())]
    return api.RiskBookReply(
        assessments=count,
        funded=funded,
        profit_funded=format_scaled(profits, MONEY_DECIMALS),
        owed_funded=format_scaled(owed, MONEY_DECIMALS),
        near=near,
        items=items,
    )


def _add(sums: dict[tuple[Symbol, bool], list[int]], held: AccountState, is_funded: bool) -> None:
    for symbol, position in held.positions.items():
        if position.lots:
            found = sums.setdefault((symbol, is_funded), [0, 0, 0])
            found[_LONG if position.lots > 0 else _SHORT] += abs(position.lots)
            found[2] += 1


def _exposure(kernel: Kernel, symbol: Symbol, is_funded: bool, found: list[int]) -> api.Exposure:
    refs = kernel.refs
    instrument, mark = refs.instruments[symbol], refs.marks.get(symbol)
    long, short, holders = found
    rate = refs.rates.get(instrument.quote)
    notional = 0
    if mark is not None and rate is not None:
        notional = contract_worth(instrument, mark, long - short) * rate.num // rate.den
    decimals = refs.assets[refs.currency].decimals
    return api.Exposure(
        symbol=symbol,
        is_funded=is_funded,
        assessments=holders,
        long_qty=instrument.qty_text(long),
        short_qty=instrument.qty_text(short),
        net_qty=instrument.qty_text(long - short),
        net_notional=format_scaled(notional, decimals),
        currency=refs.currency,
    )
