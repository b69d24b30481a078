"""Where a margin account stands now: equity, requirements, and each position with the price that
would have it liquidated."""

from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference.model import RATE_SCALE, InstrumentKind, Margin
from fondaco.domain.trading.api.house import House
from fondaco.domain.trading.api.orders import AccountText, RefsNow, account_of_ask
from fondaco.domain.trading.api.risk import state_of
from fondaco.domain.trading.model import AccountState, AccountType, Side, TradingRefs
from fondaco.domain.trading.rules.liquidation_px import Bracket, Exposed, Others, nearest_px
from fondaco.domain.trading.rules.margin import (
    Closing,
    Stand,
    closings,
    contract_worth,
    free_margin,
    stand,
)
from fondaco.kernel.errors import NotFound, Refused
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Do, Operation, Stamp

LINEAR: Final = InstrumentKind.LINEAR
_PAID_IN_FULL: Final = (Bracket(Fraction(10**40), Fraction(1)),)


class MarginAccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText


class MarginPositionLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`entry_px` is the average of what was traded here; what was deposited has none. At
    `liquidation_px` of this instrument alone the account would be liquidated; absent: at none."""

    symbol: str
    kind: str
    side: str  # "buy" is long
    qty: str
    mark_px: str
    quality: str
    notional: str
    initial: str
    entry_px: str | None = None
    unrealized: str | None = None  # in the quote asset
    liquidation_px: str | None = None


class MarginReply(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in the account's currency. `available` is what new orders may use, those that work
    counted at their worst; `used_bps` is maintenance over equity, and at 10000 it is liquidated."""

    account_id: str
    currency: str
    equity: str
    initial: str
    maintenance: str
    available: str
    used_bps: Annotated[int, Meta(ge=0)] | None  # null: there is no equity
    warned_bps: int
    liquidating: bool
    positions: list[MarginPositionLine]


class MarginShown:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    async def answer(self, ask: MarginAccountRequest, stamp: Stamp, house: House) -> MarginReply:
        """Raises `NotFound` for a cash account, `Refused` while something has no price."""
        state, refs = await state_of(house, ask), self._refs()
        if state.account_type is not AccountType.MARGIN:
            raise NotFound(f"{ask.account_id} is a cash account", code="cash_account")
        found, available = stand(state, refs), free_margin(state, refs)
        if found is None or available is None:
            raise Refused("something in the account has no price now; try again", code="no_mark")
        decimals = refs.assets[refs.currency].decimals

        def money(units: int) -> str:
            return format_scaled(units, decimals)

        return MarginReply(
            account_id=ask.account_id,
            currency=refs.currency,
            equity=money(found.equity),
            initial=money(found.initial),
            maintenance=money(found.maintenance),
            available=money(available),
            used_bps=found.maintenance * 10_000 // found.equity if found.equity > 0 else None,
            warned_bps=state.warned_bps,
            liquidating=state.liquidating,
            positions=[
                _line(state, refs, found, each)
                for each in closings(state, refs)
                if each.instrument.symbol in refs.marks
            ],
        )


def _line(
    state: AccountState, refs: TradingRefs, found: Stand, each: Closing
) -> MarginPositionLine:
    instrument, symbol = each.instrument, each.instrument.symbol
    mark, sign = refs.marks[symbol], 1 if each.side is Side.SELL else -1
    traded = state.positions.get(symbol)
    rate = refs.rates[instrument.quote]
    decimals = refs.assets[refs.currency].decimals
    worth = contract_worth(instrument, mark, each.lots)
    entry = gained = None
    if traded is not None:
        quote = refs.assets[instrument.quote].decimals
        gained = format_scaled(contract_worth(instrument, mark, traded.lots) - traded.cost, quote)
        px = traded.cost * instrument.cost_den // (traded.lots * instrument.cost_num)
        entry = instrument.px_text(px)
    closed_at = liquidation_ticks(state, refs, found, each)
    return MarginPositionLine(
        symbol=symbol,
        kind=instrument.kind.value,
        side="buy" if sign > 0 else "sell",
        qty=instrument.qty_text(each.lots),
        mark_px=instrument.px_text(mark.px),
        quality=mark.quality.value,
        notional=format_scaled(worth * rate.num // rate.den, decimals),
        initial=format_scaled(each.initial, decimals),
        entry_px=entry,
        unrealized=gained,
        liquidation_px=None if closed_at is None else instrument.px_text(closed_at),
    )


def liquidation_ticks(
    state: AccountState, refs: TradingRefs, found: Stand, each: Closing
) -> int | None:
    """The price of this position's instrument, all others standing still, at which equity no longer
    covers maintenance: the first whole tick that does. None: at no price.

    Prices are ticks, so that one lot of quantity is the worth of a lot at a tick: what follows is
    in ledger units of the account's currency, as the formulas of `rules/liquidation_px.py` want.
    A haircut of a long spot position takes from equity as a rate does.
    """
    instrument = each.instrument
    rate, mark = refs.rates[instrument.quote], refs.marks[instrument.symbol]
    per_tick = Fraction(instrument.cost_num * rate.num, instrument.cost_den * rate.den)
    side = Side.BUY if each.side is Side.SELL else Side.SELL
    held = Fraction(each.lots)
    if instrument.kind is not LINEAR:  # less than a lot cannot be closed, but counts
        held = Fraction(abs(state.balances[instrument.base]), instrument.base_per_lot)
    position = Exposed(side, held * per_tick, Fraction(0))
    keeps = Fraction(0)
    if instrument.kind is not LINEAR and side is Side.BUY:
        keeps = Fraction(refs.haircuts.get(instrument.base, 0), RATE_SCALE)
    margin = refs.margins.get(instrument.symbol)
    notional = position.qty * mark.px
    own = notional if margin is None else margin.required(int(notional))[1]
    wallet = found.equity - position.pnl(Fraction(mark.px)) + notional * keeps
    others = Others(maintenance=Fraction(found.maintenance - own))
    px = nearest_px(wallet, position, _brackets(margin, keeps), Fraction(mark.px), others)
    if px is None:
        return None
    return -(-px.numerator // px.denominator) if side is Side.BUY else int(px)


def _brackets(margin: Margin | None, keeps: Fraction) -> tuple[Bracket, ...]:
    if margin is None:
        return _PAID_IN_FULL
    return tuple(
        Bracket(
            Fraction(tier.notional_max or 10**40),
            Fraction(tier.maintenance_ppm, RATE_SCALE) + keeps,
            Fraction(tier.deduction),
        )
        for tier in margin.tiers
    )


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    return (
        Do(
            name="trading.margin",
            summary="Where a margin account stands: equity, requirements, liquidation prices.",
            method="GET",
            path="/accounts/{account_id}/margin",
            request=MarginAccountRequest,
            reply=MarginReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound, Refused),
            account=account_of_ask,
            source="house",
            answer=MarginShown(refs).answer,
        ),
    )
