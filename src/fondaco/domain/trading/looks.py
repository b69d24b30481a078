"""Accounts as their own states show them, now or as of any position: for replies to clients."""

import msgspec

from fondaco.domain.trading.model import AccountState, Limits, Rate, TradingRefs
from fondaco.domain.trading.replies import Terms
from fondaco.domain.trading.rules.holds import MS, PACE_SLOTS
from fondaco.domain.trading.rules.risk import slot_ms
from fondaco.kernel.instants import moment
from fondaco.kernel.money import AssetCode, format_scaled


class MarkLine(msgspec.Struct, frozen=True, gc=False):
    """Where a value comes from."""

    symbol: str
    px: str
    quality: str
    source: str
    at: str


class Holding(msgspec.Struct, frozen=True, gc=False):
    """One asset of an account; `value` is in the account's currency, None without a price."""

    asset: str
    balance: str
    held: str
    free: str
    value: str | None
    mark: MarkLine | None


class AccountReply(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """`equity` is None where a holding has no price: a part of it would mislead."""

    account_id: str
    name: str
    currency: str
    trading_state: str
    balances: list[Holding]
    equity: str | None
    session_equity: str
    open_orders: int
    position: int  # of the journal, as far as this shows it


class LimitLine(msgspec.Struct, frozen=True, gc=False):
    """One limit with what of it is used; both in `unit`."""

    name: str
    limit: str
    used: str
    unit: str
    about: str = ""  # the symbol or the asset class


def account_reply(
    account_id: str,
    state: AccountState,
    rates: dict[AssetCode, Rate],
    printing: Terms,
    position: int,
) -> AccountReply:
    """Balances of `state`, valued at `rates`, which are into the currency of the account."""
    holdings: list[Holding] = []
    equity: int | None = 0
    for asset, balance in sorted(state.balances.items()):
        value = _value(balance, rates.get(asset), asset == state.currency)
        equity = None if value is None or equity is None else equity + value
        rate = rates.get(asset)
        holdings.append(
            Holding(
                asset,
                printing.amount(balance, asset),
                printing.amount(state.held.get(asset, 0), asset),
                printing.amount(state.free(asset), asset),
                None if value is None else printing.amount(value, state.currency),
                _mark_line(rate, printing) if rate is not None else None,
            )
        )
    printed = state.opened and state.currency
    return AccountReply(
        account_id=account_id,
        name=state.name,
        currency=state.currency,
        trading_state=state.trading_state.value,
        balances=holdings,
        equity=printing.amount(equity, state.currency) if equity is not None and printed else None,
        session_equity=printing.amount(state.session_equity, state.currency) if printed else "0",
        open_orders=len(state.working),
        position=position,
    )


def limit_lines(
    state: AccountState, refs: TradingRefs, at: int, limits: Limits | None = None
) -> list[LimitLine]:
    """The limits that are on, with their use at `at`; per order limits are used by nothing. Those
    of the account, or of the house, or others that somebody thinks of."""
    if limits is None:
        limits = refs.limits if state.limits is None else state.limits
    currency = refs.assets[state.currency]

    def money(units: int) -> str:
        return format_scaled(units, currency.decimals)

    lines = _per_order(limits, refs, money_unit=currency.code, decimals=currency.decimals)
    for symbol, lots_max in sorted(limits.position_max.items()):
        terms = refs.instruments.get(symbol)
        if terms is not None:
            units = state.balances.get(terms.base, 0) + state.coming.get(terms.base, 0)
            limit, used = (
                terms.qty_text(lots_max),
                format_scaled(units, refs.assets[terms.base].decimals),
            )
            lines.append(LimitLine("position_max", limit, used, terms.base, symbol))
    if limits.daily_loss_max:
        equity = _equity(state, refs)
        lost = max(state.session_equity - equity, 0) if equity is not None else None
        used = "" if lost is None else money(lost)
        lines.append(LimitLine("daily_loss_max", money(limits.daily_loss_max), used, currency.code))
    oldest = at - (PACE_SLOTS + 1) * slot_ms(limits) * MS  # as the rule counts
    recent = [slot for slot in state.pace if slot[0] > oldest]
    if limits.orders_max:
        used = str(sum(slot[1] for slot in recent))
        lines.append(LimitLine("orders_max", str(limits.orders_max), used, "orders"))
    if limits.notional_max:
        used = money(sum(slot[2] for slot in recent))
        lines.append(LimitLine("notional_max", money(limits.notional_max), used, currency.code))
    return lines


def _per_order(
    limits: Limits, refs: TradingRefs, *, money_unit: str, decimals: int
) -> list[LimitLine]:
    lines = [
        LimitLine(
            "order_qty_max",
            refs.instruments[symbol].qty_text(lots),
            "",
            refs.instruments[symbol].base,
            symbol,
        )
        for symbol, lots in sorted(limits.order_qty_max.items())
        if symbol in refs.instruments
    ]
    if limits.order_notional_max:
        limit = format_scaled(limits.order_notional_max, decimals)
        lines.append(LimitLine("order_notional_max", limit, "", money_unit))
    ratios = [("collar_bps", limits.collar_bps, "")]
    ratios.append(("concentration_max_bps", limits.concentration_max_bps, ""))
    ratios.append(("issuer_concentration_max_bps", limits.issuer_concentration_max_bps, ""))
    ratios.append(("venue_concentration_max_bps", limits.venue_concentration_max_bps, ""))
    ratios += [
        ("class_concentration_max_bps", bps, name)
        for name, bps in sorted(limits.class_concentration_max_bps.items())
    ]
    lines += [LimitLine(name, str(bps), "", "bps", about) for name, bps, about in ratios if bps]
    return lines


def _equity(state: AccountState, refs: TradingRefs) -> int | None:
    values = [
        _value(units, refs.rates.get(asset), asset == state.currency)
        for asset, units in state.balances.items()
    ]
    found = [value for value in values if value is not None]
    return sum(found) if len(found) == len(values) else None


def _value(units: int, rate: Rate | None, is_currency: bool) -> int | None:
    """In the account's currency, rounded down; None without a rate, except of nothing."""
    if is_currency:
        return units
    if rate is None:
        return None if units else 0
    return units * rate.num // rate.den


def _mark_line(rate: Rate, printing: Terms) -> MarkLine | None:
    mark = rate.mark
    if mark is None:
        return None
    px = printing.instrument(mark.symbol).px_text(mark.px)
    return MarkLine(mark.symbol, px, mark.quality.value, mark.source, moment(mark.at))
