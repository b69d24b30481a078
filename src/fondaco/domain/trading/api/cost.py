"""What an order would cost, as text: for who is about to send it."""

from typing import Final

import msgspec

from fondaco.domain.market.api import Board
from fondaco.domain.reference.model import Instrument, InstrumentKind
from fondaco.domain.trading.api.standing import liquidation_ticks
from fondaco.domain.trading.events import Ask
from fondaco.domain.trading.model import AccountState, AccountType, Order, Side, TradingRefs
from fondaco.domain.trading.rules.costs import Cost, cost_of, executed
from fondaco.domain.trading.rules.entry import read
from fondaco.domain.trading.rules.holds import hold_for, margin_hold
from fondaco.domain.trading.rules.margin import closings, left_with, spans_of, stand
from fondaco.domain.trading.rules.risk import order_qty_max
from fondaco.kernel.event import Instant
from fondaco.kernel.money import format_scaled

DEPTH: Final = 1_000  # levels that are looked at: all that are displayed, of any book we know


class MarginAfterReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where a margin account would stand after all of the order has executed, in the account's
    currency; `available` with every other order at its worst, as the rule counts it. At
    `liquidation_px` of this instrument alone it would be liquidated; null: at none."""

    currency: str
    equity: str
    initial: str
    maintenance: str
    available: str
    used_bps: int | None  # maintenance over equity; null: there is no equity
    liquidation_px: str | None
    liquidation_bps: int | None  # how far that is from the mark


class CostReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the order would cost if it were placed now, against what the market displays.

    `notional` and `fee`, in `currency`, are of what executes at once and of what rests or waits: it
    is taken to execute at its own price, a resting limit as a maker. `slippage` is what executes at
    once pays beyond the middle of the touch. `qty_max` is the largest order that would pass every
    rule; of an order by cash the most that it could have needed.
    """

    currency: str
    qty: str
    at_once_qty: str
    unfilled_qty: str  # what ends without having executed
    avg_px: str | None  # of what executes at once
    notional: str
    fee: str
    slippage: str | None
    slippage_bps: str | None  # two decimals
    hold: str  # set aside while it works
    hold_asset: str
    qty_max: str
    margin: MarginAfterReply | None


def preview(
    state: AccountState, ask: Ask, refs: TradingRefs, at: Instant, board: Board
) -> CostReply | None:
    """None for an order that makes no sense, or that nothing can be said about now."""
    order = read(state, ask, refs, state.order_count + 1, at)
    if not isinstance(order, Order):
        return None
    instrument = refs.instruments[order.symbol]
    book = board.books.get(order.symbol)
    bids, asks = ([], []) if book is None else (book.bids(DEPTH), book.asks(DEPTH))
    touch = bids[0][0] + asks[0][0] if bids and asks else None
    cost = cost_of(order, instrument, asks if order.side is Side.BUY else bids, touch)
    quote = refs.assets[instrument.quote]
    pays = instrument.quote if order.side is Side.BUY or order.ref_px else instrument.base

    def money(units: int) -> str:
        return format_scaled(units, quote.decimals)

    return CostReply(
        currency=instrument.quote,
        qty=instrument.qty_text(cost.lots),
        at_once_qty=instrument.qty_text(cost.at_once),
        unfilled_qty=instrument.qty_text(cost.unfilled),
        avg_px=_avg_px(instrument, cost),
        notional=money(cost.gross),
        fee=money(cost.fees),
        slippage=None if cost.slippage is None else money(cost.slippage),
        slippage_bps=_slippage_bps(order, cost, touch),
        hold=format_scaled(hold_for(order, instrument), refs.assets[pays].decimals),
        hold_asset=pays,
        qty_max=instrument.qty_text(order_qty_max(state, ask, refs, at)),
        margin=_margin_after(state, order, instrument, refs, cost),
    )


def _avg_px(instrument: Instrument, cost: Cost) -> str | None:
    """To a hundredth of a tick's decimals, rounded half up."""
    if not cost.at_once:
        return None
    scaled = (cost.paid * instrument.tick_units * 200 + cost.at_once) // (2 * cost.at_once)
    return format_scaled(scaled, instrument.px_decimals + 2)


def _slippage_bps(order: Order, cost: Cost, touch: int | None) -> str | None:
    """Against the middle, in hundredths of a basis point."""
    if touch is None or not cost.at_once:
        return None
    middle = touch * cost.at_once
    away = 2 * cost.paid - middle if order.side is Side.BUY else middle - 2 * cost.paid
    return format_scaled(away * 1_000_000 // middle, 2)


def _margin_after(
    state: AccountState, order: Order, instrument: Instrument, refs: TradingRefs, cost: Cost
) -> MarginAfterReply | None:
    """None of a cash account, or while something has no price."""
    if state.account_type is not AccountType.MARGIN or not cost.lots:
        return None
    after = executed(state, order, instrument, cost)
    found, spans = stand(after, refs), spans_of(state, refs)
    if found is None or spans is None:
        return None
    hold = margin_hold(order, instrument, cost.lots) - 1
    available = left_with(state, refs, spans, instrument, order.side, cost.lots, hold)
    if available is None:
        return None
    decimals = refs.assets[refs.currency].decimals
    liquidation_px, liquidation_bps = _liquidated_at(after, instrument, refs)
    return MarginAfterReply(
        currency=refs.currency,
        equity=format_scaled(found.equity, decimals),
        initial=format_scaled(found.initial, decimals),
        maintenance=format_scaled(found.maintenance, decimals),
        available=format_scaled(available, decimals),
        used_bps=found.maintenance * 10_000 // found.equity if found.equity > 0 else None,
        liquidation_px=liquidation_px,
        liquidation_bps=liquidation_bps,
    )


def _liquidated_at(
    state: AccountState, instrument: Instrument, refs: TradingRefs
) -> tuple[str | None, int | None]:
    """Of the position in this instrument, or in its base asset, whose home may be another pair."""
    symbol = instrument.symbol
    if instrument.kind is not InstrumentKind.LINEAR:
        symbol = refs.homes.get(instrument.base, symbol)
    found, mark = stand(state, refs), refs.marks.get(symbol)
    if found is None or mark is None:
        return None, None
    for each in closings(state, refs):
        if each.instrument.symbol == symbol:
            px = liquidation_ticks(state, refs, found, each)
            if px is not None:
                return each.instrument.px_text(px), abs(px - mark.px) * 10_000 // mark.px
    return None, None
