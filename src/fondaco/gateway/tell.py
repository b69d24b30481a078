"""Committed entries of an account as messages for those who watch it, each encoded once."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.orders import RefsNow, status_after
from fondaco.domain.trading.model import OrdStatus, account_of, order_id
from fondaco.kernel.event import Entry
from fondaco.kernel.money import format_scaled

Channel = Literal["executions", "orders", "balances"]
CHANNELS: Final[tuple[Channel, ...]] = ("executions", "orders", "balances")
_encode: Final = msgspec.json.Encoder().encode


class ExecutionMessage(
    msgspec.Struct, frozen=True, gc=False, tag_field="channel", tag="executions"
):
    """FIX ExecutionReport (35=8), ExecType (150) = F."""

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


class OrderMessage(
    msgspec.Struct, frozen=True, gc=False, tag_field="channel", tag="orders", omit_defaults=True
):
    """Where an order stands after an entry about it."""

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


class BalanceMessage(msgspec.Struct, frozen=True, gc=False, tag_field="channel", tag="balances"):
    """What an entry moved; add it to what you have."""

    position: int
    account_id: str
    changes: dict[str, str]
    at: int


Message = ExecutionMessage | OrderMessage | BalanceMessage


class Teller:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def messages(self, entry: Entry) -> Sequence[tuple[str, bytes]]:
        """Channel and text of everything that `entry` says to a trader; nothing for others."""
        event = entry.event
        if isinstance(event, ev.OrderFilled):
            found: list[Message] = self._filled(entry, event)
        elif isinstance(event, ev.CashDeposited | ev.CashWithdrawn):
            sign = 1 if isinstance(event, ev.CashDeposited) else -1
            found = [self._moved(entry, {event.asset: sign * event.units})]
        elif isinstance(event, ev.NegativeBalanceCovered):
            found = [self._moved(entry, {each.asset: each.units for each in event.covered})]
        elif isinstance(event, ev.OrderCompleted):
            found = [self._completed(entry, event)]
        elif isinstance(event, ev.OrderAccepted | ev.OrderRejected):
            found = [self._decided(entry, event)]
        elif hasattr(event, "number"):
            found = [self._changed(entry, event)]
        else:
            return ()
        return [(str(type(each).__struct_config__.tag), _encode(each)) for each in found]

    def _filled(self, entry: Entry, event: ev.OrderFilled) -> list[Message]:
        instrument = self._refs().instruments[event.symbol]
        account = account_of(entry.stream)
        order = order_id(account, event.number)
        is_buy = event.side == "buy"
        fee = format_scaled(event.fee, self._decimals(instrument.quote))
        executed = ExecutionMessage(
            entry.position,
            account,
            order,
            event.exec_number,
            event.symbol,
            event.side,
            instrument.qty_text(event.last_lots),
            instrument.px_text(event.last_px),
            fee,
            instrument.quote,
            "maker" if event.is_maker else "taker",
            instrument.qty_text(event.cum_lots),
            instrument.qty_text(event.leaves_lots),
            event.ord_status,
            entry.at,
        )
        changed = OrderMessage(
            entry.position,
            account,
            order,
            _kind(event),
            entry.at,
            event.ord_status,
            symbol=event.symbol,
            side=event.side,
            leaves_qty=executed.leaves_qty,
        )
        base = event.base_units if is_buy else -event.base_units
        quote = (-event.gross if is_buy else event.gross) - event.fee
        moved = {instrument.base: base, instrument.quote: quote}
        if event.is_contract:
            moved = {instrument.quote: event.realized - event.fee}
        return [executed, changed, self._moved(entry, moved)]

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
        order = event.order
        instrument = self._refs().instruments[order.symbol]
        return OrderMessage(
            entry.position,
            account,
            order_id(account, order.number),
            _kind(event),
            entry.at,
            order.ord_status,
            order.cl_ord_id,
            order.symbol,
            order.side,
            instrument.qty_text(order.lots),
            instrument.px_text(order.px) if order.px else "",
            instrument.qty_text(order.leaves_lots),
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
        return OrderMessage(
            entry.position,
            account,
            order_id(account, event.number),
            _kind(event),
            entry.at,
            status,
            getattr(event, "cl_ord_id", ""),
            text=getattr(event, "reason", "") or getattr(event, "text", ""),
        )

    def _decimals(self, asset: Any) -> int:
        return self._refs().assets[asset].decimals


def _kind(event: Any) -> str:
    return str(type(event).__struct_config__.tag)
