"""Committed entries of an account as messages for those who watch it, each encoded once."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.orders import RefsNow, status_after
from fondaco.domain.trading.model import Order, OrdStatus, account_of, order_id
from fondaco.kernel.event import Entry
from fondaco.kernel.instants import moment
from fondaco.kernel.money import format_scaled

Channel = Literal["executions", "orders", "balances", "margin"]
CHANNELS: Final[tuple[Channel, ...]] = ("executions", "orders", "balances", "margin")
Alert = Literal["warned", "eased", "liquidation_began", "liquidation_ended"]
_ALERTS: Final[dict[type[Any], Alert]] = {
    ev.MarginWarned: "warned",
    ev.MarginEased: "eased",
    ev.LiquidationBegan: "liquidation_began",
    ev.LiquidationEnded: "liquidation_ended",
}
_encode: Final = msgspec.json.Encoder().encode


class ExecutionMessage(
    msgspec.Struct,
    frozen=True,
    gc=False,
    tag_field="channel",
    tag="executions",
    omit_defaults=True,
):
    """FIX ExecutionReport (35=8), ExecType (150) = F; H or G where a venue takes one back."""

    position: int
    account_id: str
    order_id: str
    exec_number: int
    symbol: str
    side: str
    last_qty: str
    last_px: str
    fee: str
    fee_asset: str
    liquidity: Literal["maker", "taker"]
    cum_qty: str
    leaves_qty: str
    ord_status: OrdStatus
    at: int
    exec_type: str = "trade"  # or "trade_cancel": `ref_number` was none; or "trade_correct"
    ref_number: int = 0  # the execution that is taken back, or corrected by this one


class OrderMessage(
    msgspec.Struct, frozen=True, gc=False, tag_field="channel", tag="orders", omit_defaults=True
):
    """Where an order stands after an entry about it. Its terms come with the entry that sets them:
    accepted, triggered, released; a trailing stop's price with every step. Those of a replace stand
    in GET /api/orders/{order_id}."""

    position: int
    account_id: str
    order_id: str
    kind: str  # of the event: "trading.order_accepted.v1"
    at: int
    ord_status: OrdStatus | None = None  # absent where the entry leaves it as it was
    cl_ord_id: str = ""
    symbol: str = ""
    side: str = ""
    order_qty: str = ""
    price: str = ""
    leaves_qty: str = ""
    text: str = ""
    ord_type: str = ""
    time_in_force: str = ""
    stop_px: str = ""
    trail_offset: str = ""
    display_qty: str = ""
    cash_order_qty: str = ""
    expire_time: str = ""
    post_only: bool = False
    reduce_only: bool = False
    list_id: str = ""  # of an OCO or a bracket: the order_id of its first
    contingency: str = ""
    at_venue: bool = True


class BalanceMessage(msgspec.Struct, frozen=True, gc=False, tag_field="channel", tag="balances"):
    """What an entry moved; add it to what you have."""

    position: int
    account_id: str
    changes: dict[str, str]
    at: int


class MarginMessage(
    msgspec.Struct, frozen=True, gc=False, tag_field="channel", tag="margin", omit_defaults=True
):
    """Where a margin account stood when it was warned, or when its liquidation began or ended; in
    the accounts' currency. A level is of the maintenance requirement over equity: it was reached,
    or is where the account stands after it has eased; 0 is below all."""

    position: int
    account_id: str
    alert: Alert
    currency: str
    equity: str
    maintenance: str
    used_bps: int | None  # maintenance over equity; null: there is no equity
    at: int
    initial: str = ""  # absent of warnings
    level_bps: int = -1  # absent of liquidations


Message = ExecutionMessage | OrderMessage | BalanceMessage | MarginMessage


class Teller:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def messages(self, entry: Entry) -> Sequence[tuple[str, bytes]]:
        """Channel and text of everything that `entry` says to a trader; nothing for others."""
        event = entry.event
        if isinstance(event, ev.OrderFilled):
            found: list[Message] = self._filled(entry, event)
        elif isinstance(event, ev.FillBusted):
            found = self._busted(entry, event)
        elif isinstance(event, ev.FillCorrected):
            found = self._corrected(entry, event)
        elif (moves := _moves(event)) is not None:
            found = [self._moved(entry, moves)] if moves else []
        elif type(event) in _ALERTS:
            found = [self._alert(entry, event)]
        elif isinstance(event, ev.OrderCompleted):
            found = [self._completed(entry, event)]
        elif isinstance(event, ev.OrderAccepted | ev.OrderRejected):
            found = [self._decided(entry, event)]
        elif hasattr(event, "number"):
            found = [self._changed(entry, event)]
        else:
            return ()
        return [(str(type(each).__struct_config__.tag), _encode(each)) for each in found]

    def _filled(
        self, entry: Entry, event: ev.OrderFilled, exec_type: str = "trade", ref_number: int = 0
    ) -> list[Message]:
        executed, changed = self._executed(entry, event, exec_type, ref_number)
        return [executed, changed, self._moved(entry, _traded(event))]

    def _busted(self, entry: Entry, event: ev.FillBusted) -> list[Message]:
        """Of the execution that was none; what it had moved moves back."""
        executed, changed = self._executed(entry, event, "trade_cancel", event.ref_number)
        return [executed, changed, self._moved(entry, _taken_back(event))]

    def _corrected(self, entry: Entry, event: ev.FillCorrected) -> list[Message]:
        found = self._executed(entry, event.fill, "trade_correct", event.bust.ref_number)
        moved = _taken_back(event.bust)
        for asset, units in _traded(event.fill).items():
            moved[asset] = moved.get(asset, 0) + units
        return [*found, self._moved(entry, moved)]

    def _executed(
        self,
        entry: Entry,
        event: ev.OrderFilled | ev.FillBusted,
        exec_type: str,
        ref_number: int,
    ) -> tuple[ExecutionMessage, OrderMessage]:
        instrument = self._refs().instruments[event.symbol]
        account = account_of(entry.stream)
        order = order_id(account, event.number)
        executed = ExecutionMessage(
            entry.position,
            account,
            order,
            event.exec_number,
            event.symbol,
            event.side,
            instrument.qty_text(event.last_lots),
            instrument.px_text(event.last_px),
            format_scaled(event.fee, self._decimals(instrument.quote)),
            instrument.quote,
            "maker" if event.is_maker else "taker",
            instrument.qty_text(event.cum_lots),
            instrument.qty_text(event.leaves_lots),
            event.ord_status,
            entry.at,
            exec_type,
            ref_number,
        )
        changed = OrderMessage(
            entry.position,
            account,
            order,
            _kind(entry.event),
            entry.at,
            event.ord_status,
            symbol=event.symbol,
            side=event.side,
            leaves_qty=executed.leaves_qty,
        )
        return executed, changed

    def _alert(self, entry: Entry, event: Any) -> MarginMessage:
        currency = self._refs().currency
        decimals = self._decimals(currency)
        is_level = isinstance(event, ev.MarginWarned | ev.MarginEased)
        maintenance = event.requirement if is_level else event.maintenance
        return MarginMessage(
            entry.position,
            account_of(entry.stream),
            _ALERTS[type(event)],
            currency,
            format_scaled(event.equity, decimals),
            format_scaled(maintenance, decimals),
            maintenance * 10_000 // event.equity if event.equity > 0 else None,
            entry.at,
            "" if is_level else format_scaled(event.initial, decimals),
            event.level if is_level else -1,
        )

    def _moved(self, entry: Entry, units: dict[Any, int]) -> BalanceMessage:
        changes = {
            asset: format_scaled(moved, self._decimals(asset)) for asset, moved in units.items()
        }
        return BalanceMessage(entry.position, account_of(entry.stream), changes, entry.at)

    def _decided(self, entry: Entry, event: ev.OrderAccepted | ev.OrderRejected) -> OrderMessage:
        account = account_of(entry.stream)
        if isinstance(event, ev.OrderRejected):
            return OrderMessage(
                entry.position,
                account,
                order_id(account, event.number),
                _kind(event),
                entry.at,
                OrdStatus.REJECTED,
                event.cl_ord_id,
                event.symbol,
                event.side,
                event.order_qty,
                event.price,
                "0",
                f"{event.reason}: {event.text}",
            )
        return self._terms(entry, event.order, event.order.ord_status)

    def _terms(self, entry: Entry, order: Order, status: OrdStatus | None) -> OrderMessage:
        """Everything that an order asks for, as it stands from here on."""
        account = account_of(entry.stream)
        instrument = self._refs().instruments[order.symbol]
        px, qty = instrument.px_text, instrument.qty_text
        cash = format_scaled(order.cash_qty, self._decimals(order.quote)) if order.cash_qty else ""
        return OrderMessage(
            entry.position,
            account,
            order_id(account, order.number),
            _kind(entry.event),
            entry.at,
            status,
            order.cl_ord_id,
            order.symbol,
            order.side,
            qty(order.lots),
            px(order.px) if order.px else "",
            qty(order.leaves_lots),
            ord_type=order.ord_type,
            time_in_force=order.time_in_force,
            stop_px=px(order.stop_px) if order.stop_px else "",
            trail_offset=px(order.trail) if order.trail else "",
            display_qty=qty(order.display_lots) if order.display_lots else "",
            cash_order_qty=cash,
            expire_time=moment(order.expire_time) if order.expire_time else "",
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            list_id=order_id(account, order.group) if order.group else "",
            contingency=order.contingency or "",
            at_venue=order.at_venue,
        )

    def _completed(self, entry: Entry, event: ev.OrderCompleted) -> OrderMessage:
        """Also what is restated: the order was for what it has executed."""
        account = account_of(entry.stream)
        return OrderMessage(
            entry.position,
            account,
            order_id(account, event.number),
            _kind(event),
            entry.at,
            OrdStatus.FILLED,
            symbol=event.symbol,
            order_qty=self._refs().instruments[event.symbol].qty_text(event.cum_lots),
            leaves_qty="0",
            text=ev.CASH_SPENT,
        )

    def _changed(self, entry: Entry, event: Any) -> OrderMessage:
        account = account_of(entry.stream)
        status = event.ord_status if isinstance(event, ev.ChangeDenied) else status_after(event)
        if isinstance(event, ev.OrderTriggered | ev.OrderReleased):
            return self._terms(entry, event.order, status)
        stop_px = ""
        if isinstance(event, ev.OrderTrailed):
            stop_px = self._refs().instruments[event.mark.symbol].px_text(event.stop_px)
        return OrderMessage(
            entry.position,
            account,
            order_id(account, event.number),
            _kind(event),
            entry.at,
            status,
            getattr(event, "cl_ord_id", ""),
            text=getattr(event, "reason", "") or getattr(event, "text", ""),
            stop_px=stop_px,
        )

    def _decimals(self, asset: Any) -> int:
        return self._refs().assets[asset].decimals


def _traded(event: ev.OrderFilled) -> dict[Any, int]:
    """Ledger units by asset that an execution has moved."""
    if event.is_contract:
        return {event.quote: event.realized - event.fee}
    sign = 1 if event.side == "buy" else -1
    return {
        event.base: sign * event.base_units,
        event.quote: -sign * event.gross - event.fee,
    }


def _taken_back(event: ev.FillBusted) -> dict[Any, int]:
    if event.is_contract:
        return {event.quote: event.fee - event.realized}
    sign = 1 if event.side == "buy" else -1
    return {
        event.base: -sign * event.base_units,
        event.quote: sign * event.gross + event.fee,
    }


def _moves(event: Any) -> dict[Any, int] | None:
    """Ledger units by asset of what moves a balance besides executions, or is told of a transfer
    that has moved it before; None for other events."""
    moved: dict[Any, int] = {}
    if isinstance(event, ev.CashDeposited | ev.CashWithdrawn):
        moved[event.asset] = event.units if isinstance(event, ev.CashDeposited) else -event.units
    elif isinstance(event, _BETWEEN):
        moved = _between(event)
    elif isinstance(event, ev.NegativeBalanceCovered):
        moved = {each.asset: each.units for each in event.covered}
    elif isinstance(event, ev.ContractPaid):
        moved = {event.base: -event.base_units, event.quote: event.cash}
    elif isinstance(event, ev.GainConverted):
        moved = {event.quote: -event.units, event.settle: event.settle_units}
    elif isinstance(event, ev.AllocationBooked):
        sign = -1 if event.side == "buy" else 1
        moved = {event.base: sign * event.base_units, event.quote: -sign * event.cash}
    elif isinstance(event, ev.FillFailed):
        match = event.match
        sign = 1 if match.side == "buy" else -1
        moved[match.base] = -sign * match.base_units
        moved[match.quote] = sign * match.gross + match.fee
    elif isinstance(event, ev.SwapCharged):
        for each in event.charged:
            moved[each.asset] = moved.get(each.asset, 0) - each.units
    else:
        return None
    return moved


_BETWEEN: Final = (
    ev.TransferSent,
    ev.TransferReceived,
    ev.TransferVoided,
    ev.TransferPosted,
    ev.TransferReturned,
    ev.AccountReset,
)


def _between(event: Any) -> dict[Any, int]:
    """Of transfers between accounts; nothing of those that say what has become of one."""
    match event:
        case ev.TransferSent():
            return {event.asset: -event.units}
        case ev.TransferReceived() | ev.TransferVoided():
            return {event.asset: event.units}
        case ev.AccountReset():
            return {each.asset: each.after - each.before for each in event.balances}
        case _:
            return {}


def _kind(event: Any) -> str:
    return str(type(event).__struct_config__.tag)
