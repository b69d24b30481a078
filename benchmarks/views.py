"""How fast a follower carries entries into all views: entries a second, JSON out.

    python benchmarks/views.py --orders 50000 --accounts 200 --marketable 20

The history is what orders leave: each accepted and booked, of which some execute at once. It is
read back from a journal in memory, so that the figure is the views' own; `decode_s` is what it
takes to unpack the same entries, which a journal on a disk adds.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from fondaco.domain.ledger.store import LedgerView
from fondaco.domain.reference.events import InstrumentListed, ReferenceEvent
from fondaco.domain.reference.model import HOUSE_STREAM, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    ClOrdId,
    Headroom,
    Order,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
    account_stream,
)
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.store import TradingView
from fondaco.domain.venues.events import OrderBooked, OrderExecuted, VenueEvent
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId, message_id
from fondaco.kernel.money import Asset, AssetCode
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector, View

USD: Final = Asset(AssetCode("USD"), 8, 2, "cash")
BTC: Final = Asset(AssetCode("BTC"), 9, 8, "crypto")
TERMS: Final = instrument("BTC-USD", BTC, USD, tick="0.01", lot="0.00001", maker=1000, taker=2000)
VENUE: Final = StreamId("venue/PAPER/BTC-USD")
CODEC: Final = Codec(ev.TradingEvent | VenueEvent | ReferenceEvent)


class Written:
    """A journal's worth of decisions, in the order in which a house under load writes them."""

    def __init__(self, accounts: int) -> None:
        self.decisions: list[Decision[Event]] = []
        self._versions: dict[StreamId, int] = {}
        self._at = 1_700_000_000_000_000_000
        self.write(HOUSE_STREAM, "up#0", InstrumentListed(TERMS, BTC, USD, "bench"))
        for n in range(accounts):
            stream = account_stream(f"a{n}")  # type: ignore[arg-type]
            self.write(stream, f"o{n}#0", ev.AccountOpened("bench", USD.code, ""))
            for asset in (USD, BTC):
                self.write(stream, f"d{n}{asset.code}#0", ev.CashDeposited(asset.code, 10**16, 0))

    def write(self, stream: StreamId, cause: str, *events: Event) -> int:
        version = self._versions.get(stream, 0)
        self._at += 20_000
        self.decisions.append(
            Decision(stream, version, CommandId(cause), Instant(self._at), 1, events)
        )
        self._versions[stream] = version + len(events)
        return version + len(events)

    def order(self, stream: StreamId, number: int, *, executes: bool) -> None:
        side = Side.BUY if number % 2 else Side.SELL
        lots, px = 100, 5_000_000 + number % 1_000
        gross = lots * px * TERMS.cost_num
        hold = gross if side is Side.BUY else lots * TERMS.base_per_lot
        order = Order(
            number, ClOrdId(f"bench-{stream[8:]}-{number}"), TERMS.symbol, side, OrdType.LIMIT,
            TimeInForce.GTC, lots, px, hold, Instant(self._at),
        )  # fmt: skip
        key = f"{order.cl_ord_id}#0123456789abcdef"
        version = self.write(stream, key, ev.OrderAccepted(order, Headroom(power=1), ()))
        cause = message_id(stream, version)
        if not executes:
            booked = OrderBooked(stream, number, side, px, lots, lots, 0, 0, 0)
            self.write(VENUE, cause, booked)
            return
        fill = ev.Fill(px, lots)
        executed = OrderExecuted(stream, number, 1, TERMS.symbol, side, (fill,), False, 0)
        version = self.write(VENUE, cause, executed)
        filled = ev.OrderFilled(
            number, TERMS.symbol, side, 1, lots, px, False, gross, lots * TERMS.base_per_lot,
            gross // 500, 0, 0, lots, 0, OrdStatus.FILLED,
        )  # fmt: skip
        self.write(stream, message_id(VENUE, version), filled)


def measure(orders: int, accounts: int, marketable: int, step: int, folder: Path) -> dict[str, Any]:
    written = Written(accounts)
    numbers = dict.fromkeys(range(accounts), 0)
    for n in range(orders):
        account = n % accounts
        numbers[account] += 1
        stream = account_stream(f"a{account}")  # type: ignore[arg-type]
        written.order(stream, numbers[account], executes=n % 100 < marketable)
    journal = MemoryJournal(CODEC)
    journal.append(written.decisions)
    packed = CODEC.encode(written.decisions)
    started = time.perf_counter()
    CODEC.decode(packed)
    decode_s = time.perf_counter() - started
    views: list[View] = [TradingView(), LedgerView(Postings().posters(OrderExecuted))]
    store = SqliteStore(folder / "views.db", durable=False)
    gc.collect()
    gc.freeze()
    figures: dict[str, Any] = {"entries": journal.head(), "orders": orders, "accounts": accounts}
    projector = Projector(journal, store, views)
    slowest = 0.0
    started, started_cpu = time.perf_counter(), time.process_time()
    while True:
        before = time.perf_counter()
        if not projector.step(step):
            break
        slowest = max(slowest, time.perf_counter() - before)
    took, took_cpu = time.perf_counter() - started, time.process_time() - started_cpu
    store.close()
    return figures | {
        "entries_per_s": round(journal.head() / took),
        "us_per_order": round(1e6 * took / orders, 2),
        "cpu_us_per_order": round(1e6 * took_cpu / orders, 2),
        "slowest_step_ms": round(1e3 * slowest, 1),
        "step_entries": step,
        "decode_s": round(decode_s, 3),
        "bytes_per_order": round((folder / "views.db").stat().st_size / orders),
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    ask.add_argument("--orders", type=int, default=50_000)
    ask.add_argument("--accounts", type=int, default=200)
    ask.add_argument("--marketable", type=int, default=20, help="per cent of orders that execute")
    ask.add_argument("--step", type=int, default=2_048, help="entries in one transaction")
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(given.orders, given.accounts, given.marketable, given.step, Path(folder))
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
