"""Histories written by hand: entries as the account and its venue leave them."""

from pathlib import Path
from typing import get_args

from fondaco.domain.reference.events import InstrumentListed, ReferenceEvent
from fondaco.domain.reference.model import HOUSE_STREAM, Symbol, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    ClOrdId,
    Headroom,
    Order,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    account_of,
)
from fondaco.domain.venues.events import OrderBooked, VenueEvent
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Decision, Entry, Event, Instant, StreamId, message_id
from fondaco.kernel.money import Asset, AssetCode
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore

DEMO = StreamId("account/demo")
OTHER = StreamId("account/other")
VENUE = StreamId("venue/PAPER/BTC-USD")
USD = Asset(AssetCode("USD"), 8, 2, "cash")
BTC = Asset(AssetCode("BTC"), 9, 8, "crypto")
ETH = Asset(AssetCode("ETH"), 9, 8, "crypto")
BTC_USD = instrument("BTC-USD", BTC, USD, tick="0.01", lot="0.00001", maker=1000, taker=2000)
ETH_USD = instrument("ETH-USD", ETH, USD, tick="0.01", lot="0.001", maker=1000, taker=2000)
INSTRUMENTS = {terms.symbol: terms for terms in (BTC_USD, ETH_USD)}
KINDS = tuple({*get_args(ev.TradingEvent), *get_args(VenueEvent), *get_args(ReferenceEvent)})
CODEC = Codec(ev.TradingEvent | VenueEvent | ReferenceEvent)


def store(folder: Path, name: str = "views.db") -> SqliteStore:
    return SqliteStore(folder / name, durable=False)


class History:
    """A journal, and the words to fill it with. Every call is one decision."""

    def __init__(self) -> None:
        self.journal = MemoryJournal(CODEC)
        self.versions: dict[StreamId, int] = {}
        self.at = 1_700_000_000_000_000_000
        self.orders: dict[tuple[StreamId, int], Order] = {}
        self.count: dict[StreamId, int] = {}
        self.listed()

    def write(self, stream: StreamId, *events: Event, cause: str = "") -> list[Entry]:
        version = self.versions.get(stream, 0)
        self.at += 1_000_000
        caused_by = CommandId(cause or f"r{self.at}#{version}")
        decision = Decision(stream, version, caused_by, Instant(self.at), 1, events)
        self.versions[stream] = version + len(events)
        return self.journal.append([decision])

    def listed(self) -> None:
        self.write(HOUSE_STREAM, InstrumentListed(BTC_USD, BTC, USD, "test"))
        self.write(HOUSE_STREAM, InstrumentListed(ETH_USD, ETH, USD, "test"))

    def open(self, stream: StreamId = DEMO, tenant: str = "demo") -> "History":
        self.write(stream, ev.AccountOpened(tenant, USD.code, account_of(stream)))
        return self

    def deposit(self, units: int, asset: Asset = USD, stream: StreamId = DEMO) -> "History":
        self.write(stream, ev.CashDeposited(asset.code, units, 0))
        return self

    def withdraw(self, units: int, asset: Asset = USD, stream: StreamId = DEMO) -> "History":
        self.write(stream, ev.CashWithdrawn(asset.code, units, 0))
        return self

    def accept(
        self,
        cl_ord_id: str = "",
        *,
        stream: StreamId = DEMO,
        symbol: str = "BTC-USD",
        side: Side = Side.BUY,
        lots: int = 100,
        px: int = 5_000_000,
        ord_type: OrdType = OrdType.LIMIT,
        stop_px: int = 0,
        expire_time: int = 0,
        at_venue: bool = True,
    ) -> int:
        number = self.count[stream] = self.count.get(stream, 0) + 1
        terms = INSTRUMENTS[Symbol(symbol)]
        cost = terms.cost_up(px, lots) if side is Side.BUY else lots * terms.base_per_lot
        order = Order(
            number, ClOrdId(cl_ord_id or f"c{number}"), terms.symbol, side, ord_type,
            TimeInForce.GTC, lots, px, cost, Instant(self.at), stop_px=stop_px,
            expire_time=Instant(expire_time), at_venue=at_venue,
        )  # fmt: skip
        self.orders[stream, number] = order
        (entry,) = self.write(stream, ev.OrderAccepted(order, Headroom(power=7), ()))
        if at_venue:
            cause = message_id(entry.stream, entry.version)
            booked = OrderBooked(stream, number, side, px, lots, lots, 0, 0, 0)
            self.write(StreamId(f"venue/PAPER/{symbol}"), booked, cause=cause)
        return number

    def reject(self, cl_ord_id: str, *, stream: StreamId = DEMO) -> int:
        number = self.count[stream] = self.count.get(stream, 0) + 1
        self.write(
            stream,
            ev.OrderRejected(
                number, ClOrdId(cl_ord_id), BTC_USD.symbol, Side.BUY,
                Reason.EXCEEDS_BUYING_POWER, "too much", None, Headroom(), (), "1e9", "x",
            ),
        )  # fmt: skip
        return number

    def fill(
        self, number: int, *lots: int, px: int = 0, stream: StreamId = DEMO, maker: bool = False
    ) -> "History":
        """One report of the venue, with an execution for each of `lots`."""
        order = self.orders[stream, number]
        terms = INSTRUMENTS[order.symbol]
        order.last_exec += 1
        events = []
        for part in lots:
            at = px or order.px
            gross = terms.cost_up(at, part) if order.side is Side.BUY else terms.cost_down(at, part)
            fee = -(-gross * (terms.maker_fee_ppm if maker else terms.taker_fee_ppm) // 1_000_000)
            order.cum_lots += part
            leaves = max(order.lots - order.cum_lots, 0)
            if order.side is Side.BUY:
                order.hold = terms.cost_up(order.px, leaves)
            else:
                order.hold = leaves * terms.base_per_lot
            status = OrdStatus.PARTIALLY_FILLED if leaves else OrdStatus.FILLED
            order.ord_status = status
            sign = 1 if order.side is Side.BUY else -1
            residue = sign * (gross - terms.cost_down(at, part))
            event = ev.OrderFilled(
                number, order.symbol, order.side, order.last_exec, part, at, maker, gross,
                part * terms.base_per_lot, fee, residue, order.hold, order.cum_lots, leaves,
                status,
            )  # fmt: skip
            events.append(event)
        self.write(stream, *events)
        return self

    def replace(self, number: int, cl_ord_id: str, lots: int, px: int) -> "History":
        order = self.orders[DEMO, number]
        order.lots, order.px = lots, px
        order.hold = BTC_USD.cost_up(px, order.leaves_lots)
        self.write(
            DEMO,
            ev.OrderReplaced(number, ClOrdId(cl_ord_id), lots, px, 0, order.hold, OrdStatus.NEW),
        )
        return self

    def cancel(self, number: int, *, stream: StreamId = DEMO) -> "History":
        order = self.orders[stream, number]
        order.hold, order.ord_status = 0, OrdStatus.CANCELED
        self.write(stream, ev.OrderCanceled(number, "requested", order.cum_lots))
        return self
