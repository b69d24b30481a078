"""Risk without trading: what each limit has left."""

from typing import Any

import msgspec

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.api.accounts import LimitsBody, LimitsReader
from fondaco.domain.trading.api.house import House
from fondaco.domain.trading.api.orders import (
    AccountText,
    PlaceOrderRequest,
    RefsNow,
    stream_of_account,
)
from fondaco.domain.trading.looks import LimitLine, limit_lines
from fondaco.domain.trading.model import AccountState, Headroom, TradingRefs, TradingState
from fondaco.kernel.errors import NotFound
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp


class HeadroomReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left of each rule before the order; a rule that is off is left out. `qty` and
    `position` in units, `collar` as a price distance, ratios in basis points, `power` of the asset
    that pays (on margin, of the base asset that can be closed), the others in the account's
    currency."""

    qty: str | None = None
    notional: str | None = None
    collar: str | None = None
    position: str | None = None
    concentration_bps: int | None = None
    class_concentration_bps: int | None = None
    daily_loss: str | None = None
    orders: int | None = None
    notional_rate: str | None = None
    power: str | None = None
    margin: str | None = None
    issuer_concentration_bps: int | None = None
    venue_concentration_bps: int | None = None
    trade_risk: str | None = None  # these four: of an account that has rules of trades
    open_positions: int | None = None
    open_lots: str | None = None
    leverage: str | None = None


class MarkReply(msgspec.Struct, frozen=True):
    symbol: str
    price: str
    quality: str
    source: str
    at: int


class RefusalReply(msgspec.Struct, frozen=True, omit_defaults=True):
    reason: str
    text: str
    value: str | None = None
    limit: str | None = None
    distance: str | None = None
    unit: str | None = None


class LimitsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText


class LimitsReply(msgspec.Struct, frozen=True):
    account_id: str
    own: bool  # the account's own limits, rather than those of the house
    limits: LimitsBody
    trading_state: TradingState
    house_state: TradingState
    instrument_states: dict[Symbol, TradingState]
    restricted: list[str]
    usage: list[LimitLine]  # of each limit that is on
    open_orders: int
    policy_version: int


def headroom_text(ask: PlaceOrderRequest, found: Headroom, refs: TradingRefs) -> HeadroomReply:
    instrument = next((i for s, i in refs.instruments.items() if s == ask.symbol), None)
    if instrument is None:
        return HeadroomReply()
    currency = refs.assets[refs.currency].decimals
    on_margin = found.margin >= 0
    pays = refs.assets[instrument.quote if ask.side == "buy" and not on_margin else instrument.base]

    def money(units: int) -> str | None:
        return None if units < 0 else format_scaled(units, currency)

    def lots(count: int) -> str | None:
        return None if count < 0 else instrument.qty_text(count)

    def number(value: int) -> int | None:
        return None if value < 0 else value

    return HeadroomReply(
        qty=lots(found.qty),
        notional=money(found.notional),
        collar=None if found.collar < 0 else instrument.px_text(found.collar),
        position=lots(found.position),
        concentration_bps=number(found.concentration),
        class_concentration_bps=number(found.class_concentration),
        daily_loss=money(found.daily_loss),
        orders=number(found.orders),
        notional_rate=money(found.notional_rate),
        power=None if found.power < 0 else format_scaled(found.power, pays.decimals),
        margin=money(found.margin),
        issuer_concentration_bps=number(found.issuer_concentration),
        venue_concentration_bps=number(found.venue_concentration),
        trade_risk=money(found.trade_risk),
        open_positions=number(found.open_positions),
        open_lots=None if found.open_lots < 0 else format_scaled(found.open_lots, 4),
        leverage=money(found.leverage),
    )


def mark_text(mark: Mark, refs: TradingRefs) -> MarkReply:
    price = refs.instruments[mark.symbol].px_text(mark.px)
    return MarkReply(mark.symbol, price, mark.quality, mark.source, mark.at)


class LimitsShown:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs
        self._reader = LimitsReader(refs)

    async def answer(self, ask: LimitsRequest, stamp: Stamp, house: House) -> LimitsReply:
        state, refs = await state_of(house, ask), self._refs()
        return LimitsReply(
            account_id=ask.account_id,
            own=state.limits is not None,
            limits=self._reader.show(state.limits or refs.limits),
            trading_state=state.trading_state,
            house_state=refs.state,
            instrument_states=dict(refs.states),
            restricted=sorted(refs.restricted),
            usage=limit_lines(state, refs, stamp.at),
            open_orders=len(state.working),
            policy_version=refs.version,
        )


async def state_of(house: House, ask: Any) -> AccountState:
    """Of the account that is asked about, as its owner has it. Raises `NotFound`."""
    stream = stream_of_account(ask)
    found = house.peek(stream)
    if found is None:
        await house.wake(stream)
        found = house.peek(stream)
    if not isinstance(found, AccountState):
        raise NotFound(f"there is no account {ask.account_id}", code="unknown_account")
    return found
