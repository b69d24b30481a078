"""What FIX must remember of an account's orders, so that each entry becomes a whole report.

An entry says what changed; an ExecutionReport says everything. The blotter is a memory of the
account's stream and nothing else: it is read again from the journal whenever a house starts.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache, singledispatchmethod
from typing import Any, Final

import msgspec

from fondaco.domain.reference.model import OWN_MICS, Instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import Order, OrdStatus, TradingRefs, account_of, order_id
from fondaco.gateway.fix.trading.naming import CANCEL, LIST, name_in
from fondaco.gateway.fix.trading.words import (
    CXL_REJ_REASONS,
    EXCEEDS,
    ORD_REJ_REASONS,
    ORD_STATUSES,
    Report,
)
from fondaco.kernel.event import Entry, StreamId
from fondaco.kernel.money import format_scaled

ENDED_MAX: Final = 10_000  # orders that are done and may still be asked about
LIST_DONE: Final = "6"  # ListOrderStatus (431): nothing of it is open
_AVG_PLACES: Final = 6  # of AvgPx, beyond the tick's own
_REFUSALS_MAX: Final = 1_000
_ANSWERS: Final = {"1": ("6", "4"), "2": ("E",)}  # ExecTypes that answer a cancel, a replace
_text: Final = lru_cache(maxsize=4_096)(format_scaled)  # sizes and prices come again
_OPEN: Final = frozenset(
    (
        OrdStatus.PENDING_NEW,
        OrdStatus.NEW,
        OrdStatus.PARTIALLY_FILLED,
        OrdStatus.PENDING_CANCEL,
        OrdStatus.PENDING_REPLACE,
        OrdStatus.SUSPENDED,
        OrdStatus.UNKNOWN,
    )
)


class Asked(msgspec.Struct, frozen=True):
    """A cancel ("1") or a replace ("2") of an order: CxlRejResponseTo (434)."""

    cl_ord_id: str
    kind: str


class CancelReject(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel or replace that will not be: FIX OrderCancelReject (9)."""

    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: str
    kind: str
    reason: str
    text: str
    account: str
    position: int = 0


class ListRow(msgspec.Struct, frozen=True):
    """One order of a list, in text."""

    cl_ord_id: str
    cum_qty: str
    ord_status: str
    leaves_qty: str
    cxl_qty: str
    avg_px: str
    text: str = ""


class ListTold(msgspec.Struct, frozen=True):
    """How a list stands: FIX ListStatus (N). `kind` is ListStatusType (429), `status` is
    ListOrderStatus (431)."""

    list_id: str
    kind: str
    status: str
    rows: list[ListRow]
    account: str
    at: int
    text: str = ""
    position: int = 0


class Known(msgspec.Struct, gc=False):
    """An order as the journal has it so far. Lots and ticks."""

    number: int
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str
    lots: int
    px: int
    stop_px: int
    mic: str
    status: OrdStatus
    cum_lots: int = 0
    paid: int = 0  # ticks x lots
    asked: Asked | None = None
    replacing: str = ""  # cl_ord_id of a replace that the venue must answer
    list_id: str = ""  # ListID (66) of the NewOrderList that it came in
    exec_ids: dict[int, int] = {}  # of a venue elsewhere: ExecIDs by its number of the execution

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN


Told = Report | CancelReject | ListTold


class Blotter:
    """One account's orders. `hear` is given every entry of its stream, once and in order."""

    def __init__(self, stream: StreamId, refs: Callable[[], TradingRefs]) -> None:
        self.account = account_of(stream)
        self.version = 0
        self.orders: dict[int, Known] = {}
        self.numbers: dict[str, int] = {}  # by every cl_ord_id that an order has had
        self.asked: dict[str, Asked] = {}  # replaces by their cl_ord_id, until they are decided
        self.lists: dict[str, list[int]] = {}  # numbers of the orders of each, by ListID
        self._refs = refs
        self._ended: list[int] = []
        self._over: list[str] = []  # lists whose last order may have ended with this entry

    def hear(self, entry: Entry) -> list[Told]:
        """What the entry says to a counterparty: mostly one thing, or nothing."""
        if entry.version <= self.version:
            return []
        self.version = entry.version
        event = entry.event
        if type(event) is ev.OrderAccepted:
            return [self._accepted(event.order, entry)]
        told = self._of(event, entry)
        found = [] if told is None else [told]
        if self._over:
            found += self._over_now(entry)
        return found

    def _over_now(self, entry: Entry) -> list[Told]:
        over, self._over = dict.fromkeys(self._over), []
        told = [self.list_told(each, "5", entry.at, entry.position) for each in over]
        return [each for each in told if each is not None and each.status == LIST_DONE]

    def find(self, cl_ord_id: str, order: str = "") -> Known | None:
        """An order by its OrderID, or by any ClOrdID that it has had."""
        if not order:
            return self.orders.get(self.numbers.get(cl_ord_id, 0))
        account, _, number = order.rpartition(".")
        is_ours = account == self.account and number.isdecimal()
        return self.orders.get(int(number)) if is_ours else None

    def status(self, known: Known, at: int) -> Report:
        """Where an order stands: ExecType I."""
        return self._report(known, None, "I", known.status, exec_id="0", at=at)

    def open_in(self, list_id: str) -> list[Known]:
        """What is open of a list, in its order."""
        found = [self.orders.get(number) for number in self.lists.get(list_id, ())]
        return [known for known in found if known is not None and known.is_open]

    def list_told(self, list_id: str, kind: str, at: int, position: int = 0) -> ListTold | None:
        """How a list stands; None where there is none."""
        found = [self.orders.get(number) for number in self.lists.get(list_id, ())]
        orders = [known for known in found if known is not None]
        if not orders:
            return None
        status = LIST_DONE
        if any(known.is_open for known in orders):
            is_canceling = any(known.status is OrdStatus.PENDING_CANCEL for known in orders)
            status = "4" if is_canceling else "3"
        rows = [self._row(known) for known in orders]
        return ListTold(list_id, kind, status, rows, self.account, at, position=position)

    def _row(self, known: Known) -> ListRow:
        instrument = self._instrument(known.symbol)
        left = max(known.lots - known.cum_lots, 0)
        return ListRow(
            known.cl_ord_id,
            instrument.qty_text(known.cum_lots),
            ORD_STATUSES[known.status],
            instrument.qty_text(left if known.is_open else 0),
            instrument.qty_text(0 if known.is_open else left),
            self._avg_px(known, instrument),
        )

    def open_orders(self) -> list[Known]:
        return [known for known in self.orders.values() if known.is_open]

    # --- One entry ------------------------------------------------------------------------------

    @singledispatchmethod
    def _of(self, event: Any, entry: Entry) -> Told | None:
        return None

    def _accepted(self, order: Order, entry: Entry) -> Report:
        known = self._known(order)
        self.orders[known.number] = known
        self.numbers[known.cl_ord_id] = known.number
        if entry.caused_by[:1] == "!":
            known.list_id = name_in(entry.caused_by, LIST)
        if known.list_id:
            self.lists.setdefault(known.list_id, []).append(known.number)
        if order.stop_px or known.list_id or not known.is_open:
            return self._report(known, entry, "0")
        # The same at a fraction of the cost: there is one for every order.
        instrument = self._instrument(known.symbol)
        qty = _text(known.lots * instrument.lot_units, instrument.qty_decimals)
        px = known.px if known.ord_type.endswith("limit") else 0
        return Report(
            order_id=order_id(self.account, known.number),
            account=self.account,
            cl_ord_id=known.cl_ord_id,
            symbol=known.symbol,
            side=known.side,
            ord_type=known.ord_type,
            time_in_force=known.time_in_force,
            order_qty=qty,
            price=_text(px * instrument.tick_units, instrument.px_decimals) if px else "",
            leaves_qty=qty,
            exec_type="0",
            ord_status=ORD_STATUSES[known.status],
            exec_id=str(entry.position),
            mic=known.mic,
            at=entry.at,
            position=entry.position,
            is_new=True,
        )

    @_of.register
    def _(self, event: ev.OrderRejected, entry: Entry) -> Told:
        asked = self.asked.pop(event.cl_ord_id, None)
        text = f"{event.reason}: {event.text}"
        if asked is not None:  # the new terms of a replace break a rule
            known = self.find(asked.cl_ord_id)
            if known is not None:
                known.asked = None
                return CancelReject(
                    order_id=order_id(self.account, known.number),
                    cl_ord_id=event.cl_ord_id,
                    orig_cl_ord_id=known.cl_ord_id,
                    ord_status=ORD_STATUSES[known.status],
                    kind="2",
                    reason="2",
                    text=text,
                    account=self.account,
                    position=entry.position,
                )
        return Report(
            order_id=order_id(self.account, event.number),
            account=self.account,
            cl_ord_id=event.cl_ord_id,
            symbol=event.symbol,
            side=event.side,
            ord_type=event.ord_type,
            order_qty=event.order_qty or "0",
            price=event.price,
            exec_type="8",
            ord_status="8",
            exec_id=str(entry.position),
            reason=ORD_REJ_REASONS.get(event.reason, EXCEEDS),
            text=text,
            at=entry.at,
            position=entry.position,
            list_id=name_in(entry.caused_by, LIST),
        )

    @_of.register
    def _(self, event: ev.OrderFilled, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        if known.mic not in OWN_MICS:
            known.exec_ids[event.exec_number] = entry.position
        return self._traded(known, event, entry, "F")

    @_of.register
    def _(self, event: ev.FillBusted, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        self._took_back(known, event)
        told = self._report(known, entry, "H", text=event.text)
        return self._amounts(told, event, known.exec_ids.pop(event.ref_number, 0))

    @_of.register
    def _(self, event: ev.FillCorrected, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        self._took_back(known, event.bust)
        ref = known.exec_ids.pop(event.bust.ref_number, 0)
        known.exec_ids[event.fill.exec_number] = entry.position
        told = self._traded(known, event.fill, entry, "G")
        told.text, told.ref_id = event.bust.text, str(ref) if ref else ""
        return told

    def _took_back(self, known: Known, event: ev.FillBusted) -> None:
        known.cum_lots -= event.last_lots
        known.paid -= event.last_lots * event.last_px
        known.status = event.ord_status  # what was done is so still

    def _traded(self, known: Known, event: ev.OrderFilled, entry: Entry, exec_type: str) -> Report:
        known.cum_lots += event.last_lots
        known.paid += event.last_lots * event.last_px
        self._now(known, event.ord_status)
        return self._amounts(self._report(known, entry, exec_type), event)

    def _amounts(self, told: Report, event: ev.OrderFilled | ev.FillBusted, ref: int = 0) -> Report:
        instrument = self._instrument(event.symbol)
        asset = instrument.settle if event.is_contract and instrument.settle else instrument.quote
        told.last_qty = instrument.qty_text(event.last_lots)
        told.last_px = instrument.px_text(event.last_px)
        told.fee_asset = asset
        told.fee = format_scaled(event.fee, self._refs().assets[instrument.quote].decimals)
        told.liquidity = "1" if event.is_maker else "2"
        told.ref_id = str(ref) if ref else ""
        return told

    @_of.register
    def _(self, event: ev.OrderTriggered | ev.OrderReleased, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        known.px, known.lots = event.order.px, event.order.lots
        self._now(known, OrdStatus.NEW if not known.cum_lots else OrdStatus.PARTIALLY_FILLED)
        return self._report(known, entry, "L")

    @_of.register
    def _(self, event: ev.OrderTrailed, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        known.stop_px = event.stop_px
        return self._report(known, entry, "D", restated="3")

    @_of.register
    def _(self, event: ev.CancelRequested, entry: Entry) -> Told | None:
        self._remember(event.number, entry)
        return self._ask(event.number, OrdStatus.PENDING_CANCEL, entry, "6")

    @_of.register
    def _(self, event: ev.OrderCanceled, entry: Entry) -> Told | None:
        self._remember(event.number, entry)
        return self._ask(event.number, OrdStatus.CANCELED, entry, "4", event.reason)

    @_of.register
    def _(self, event: ev.OrderExpired, entry: Entry) -> Told | None:
        return self._ask(event.number, OrdStatus.EXPIRED, entry, "C")

    @_of.register
    def _(self, event: ev.OrderUnknown, entry: Entry) -> Told | None:
        return self._ask(event.number, OrdStatus.UNKNOWN, entry, "I", "the venue is silent")

    @_of.register
    def _(self, event: ev.OrderResolved, entry: Entry) -> Told | None:
        return self._ask(event.number, event.ord_status, entry, "I", "the venue has answered")

    @_of.register
    def _(self, event: ev.OrderRefused, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        self._now(known, OrdStatus.REJECTED)
        return self._report(known, entry, "8", text=event.text, reason="0")

    @_of.register
    def _(self, event: ev.OrderCompleted, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        known.lots = event.cum_lots
        self._now(known, OrdStatus.FILLED)
        return self._report(known, entry, "D", text=ev.CASH_SPENT, restated="5")

    @_of.register
    def _(self, event: ev.ReplaceRequested, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        self.asked.pop(event.cl_ord_id, None)
        known.asked = Asked(event.cl_ord_id, "2")
        known.replacing = event.cl_ord_id
        self.numbers[event.cl_ord_id] = known.number
        self._now(known, OrdStatus.PENDING_REPLACE)
        return self._report(known, entry, "E")

    @_of.register
    def _(self, event: ev.OrderReplaced, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None:
            return None
        self.asked.pop(event.cl_ord_id, None)
        is_restated = event.cl_ord_id == known.cl_ord_id
        before, known.cl_ord_id = known.cl_ord_id, event.cl_ord_id
        self.numbers[event.cl_ord_id] = known.number
        known.lots, known.px, known.stop_px = event.lots, event.px, event.stop_px
        known.asked, known.replacing = None, ""
        self._now(known, event.ord_status)
        if is_restated:
            return self._report(known, entry, "D", restated="5")
        return self._report(known, entry, "5", orig=before)

    @_of.register
    def _(self, event: ev.ChangeDenied, entry: Entry) -> Told | None:
        known = self.orders.get(event.number)
        if known is None or known.asked is None:
            return None
        asked, known.asked, known.replacing = known.asked, None, ""
        self._now(known, event.ord_status)
        return CancelReject(
            order_id=order_id(self.account, known.number),
            cl_ord_id=asked.cl_ord_id,
            orig_cl_ord_id=known.cl_ord_id,
            ord_status=ORD_STATUSES[event.ord_status],
            kind=asked.kind,
            reason=CXL_REJ_REASONS.get(event.text, "2"),
            text=event.text,
            account=self.account,
            position=entry.position,
        )

    # --- Made of what is known ------------------------------------------------------------------

    def _ask(
        self, number: int, status: OrdStatus, entry: Entry, exec_type: str, text: str = ""
    ) -> Told | None:
        known = self.orders.get(number)
        if known is None:
            return None
        self._now(known, status)
        told = self._report(known, entry, exec_type, text=text)
        if not known.is_open:
            known.asked = None
        return told

    def _remember(self, number: int, entry: Entry) -> None:
        """What the request to cancel is called, where it came over FIX."""
        known, cl_ord_id = self.orders.get(number), name_in(entry.caused_by, CANCEL)
        if known is not None and known.asked is None and cl_ord_id:
            known.asked = Asked(cl_ord_id, "1")

    def _known(self, order: Order) -> Known:
        return Known(
            order.number,
            order.cl_ord_id,
            order.symbol,
            order.side,
            order.ord_type,
            order.time_in_force,
            order.lots,
            order.px,
            order.stop_px,
            order.mic,
            order.ord_status,
        )

    def _now(self, known: Known, status: OrdStatus) -> None:
        known.status = status
        if known.is_open:
            return
        if known.list_id:
            self._over.append(known.list_id)
        self._ended.append(known.number)
        if len(self._ended) > ENDED_MAX + _REFUSALS_MAX:
            for number in self._ended[:_REFUSALS_MAX]:
                self.orders.pop(number, None)
            self._ended = self._ended[_REFUSALS_MAX:]
            kept = self.orders
            self.numbers = {name: each for name, each in self.numbers.items() if each in kept}
            of_lists = self.lists.items()
            self.lists = {name: its for name, its in of_lists if any(each in kept for each in its)}

    def _report(
        self,
        known: Known,
        entry: Entry | None,
        exec_type: str,
        status: OrdStatus | None = None,
        *,
        text: str = "",
        orig: str = "",
        reason: str = "",
        restated: str = "",
        exec_id: str = "",
        at: int = 0,
    ) -> Report:
        instrument = self._instrument(known.symbol)
        px, qty = instrument.px_text, instrument.qty_text
        asked = known.asked
        is_answer = asked is not None and exec_type in _ANSWERS[asked.kind]
        if asked is not None and is_answer:
            orig = known.cl_ord_id
        leaves = max(known.lots - known.cum_lots, 0) if known.is_open else 0
        return Report(
            order_id=order_id(self.account, known.number),
            account=self.account,
            cl_ord_id=asked.cl_ord_id if asked is not None and is_answer else known.cl_ord_id,
            orig_cl_ord_id=orig,
            symbol=known.symbol,
            side=known.side,
            ord_type=known.ord_type,
            time_in_force=known.time_in_force,
            order_qty=qty(known.lots),
            price=px(known.px) if known.px and known.ord_type.endswith("limit") else "",
            stop_px=px(known.stop_px) if known.stop_px else "",
            cum_qty=qty(known.cum_lots),
            leaves_qty=qty(leaves),
            avg_px=self._avg_px(known, instrument),
            exec_type=exec_type,
            ord_status=ORD_STATUSES[status or known.status],
            exec_id=exec_id or str(entry.position if entry else 0),
            mic=known.mic,
            reason=reason,
            restated=restated,
            text=text,
            at=entry.at if entry else at,
            position=entry.position if entry else 0,
            list_id=known.list_id,
        )

    def _avg_px(self, known: Known, instrument: Instrument) -> str:
        if not known.cum_lots:
            return "0"
        ticks = Decimal(known.paid) / known.cum_lots * instrument.tick_units
        places = instrument.px_decimals + _AVG_PLACES
        exact = ticks.scaleb(-instrument.px_decimals)
        return f"{exact.quantize(Decimal(1).scaleb(-places)).normalize():f}"

    def _instrument(self, symbol: str) -> Instrument:
        return self._refs().instruments[symbol]  # type: ignore[index]
