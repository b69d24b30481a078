"""A small house in memory: a desk that accepts what it can afford, to test doors with.

It runs the product's actors and committer over a journal in a list; only its law is its own, so
that no change of a trading rule moves a test of the gateway.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fondaco.domain.reference.model import instrument
from fondaco.domain.trading.api import operations
from fondaco.domain.trading.events import (
    OrderAccepted,
    OrderRejected,
    PlaceOrder,
    TradingEvent,
)
from fondaco.domain.trading.model import (
    ClOrdId,
    Excess,
    Headroom,
    Limits,
    Order,
    Reason,
    TradingRefs,
)
from fondaco.gateway.door import Door
from fondaco.gateway.guard.rates import Rates
from fondaco.gateway.house import Caller
from fondaco.gateway.idempotency import MemoryReplies
from fondaco.kernel.codec import Codec
from fondaco.kernel.decider import Decider
from fondaco.kernel.errors import Denied, FondacoError
from fondaco.kernel.event import Command, Entry, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.actor import Host
from fondaco.runtime.committer import Answer, Committer
from gateway.deciding import ByScope

USD = Asset(AssetCode("USD"), 8, 2, "cash")
BTC = Asset(AssetCode("BTC"), 9, 8, "crypto")
BTC_USD = instrument("BTC-USD", BTC, USD, tick="0.01", lot="0.000001")
INSTRUMENTS = {BTC_USD.symbol: BTC_USD}
REFS = TradingRefs(
    version=1,
    assets={USD.code: USD, BTC.code: BTC},
    instruments=INSTRUMENTS,
    limits=Limits(),
    marks={},
    rates={},
)
LOTS_MAX = 10_000_000  # ten coins
ORDER = {
    "account_id": "demo",
    "cl_ord_id": "o1",
    "symbol": "BTC-USD",
    "side": "buy",
    "ord_type": "limit",
    "order_qty": "0.001",
    "price": "50000.00",
    "time_in_force": "gtc",
}


@dataclass(frozen=True)
class Person:
    name: str
    tenant: str
    scopes: frozenset[str]
    accounts: frozenset[str] | None = None


ALL = frozenset({"orders:write", "orders:read", "accounts:read", "accounts:write", "risk:write"})
PEOPLE = {
    "ada": Person("ada", "demo", ALL),
    "reader": Person("reader", "demo", frozenset({"orders:read"})),
    "confined": Person("confined", "demo", ALL, frozenset({"second"})),
    "stranger": Person("stranger", "other", ALL),
}
TENANTS = {"demo": "demo", "second": "demo", "theirs": "other"}


@dataclass
class Refs:
    version: int = 1


def decide(state: list[int], command: Command, refs: Refs) -> tuple[TradingEvent, ...]:
    assert isinstance(command, PlaceOrder)
    ask, number = command.ask, state[0] + 1
    if ask.cl_ord_id == "poison":
        raise ZeroDivisionError
    listed = INSTRUMENTS.get(ask.symbol)
    lots = listed.lots(ask.order_qty) if listed else 0
    if listed is None or lots > LOTS_MAX:
        reason = Reason.EXCEEDS_ORDER_QTY if listed else Reason.UNKNOWN_INSTRUMENT
        excess = Excess("11", "10", "1", "BTC", "10") if listed else None
        why = (number, ask.cl_ord_id, ask.symbol, ask.side, reason, reason.value, excess)
        return (OrderRejected(*why, Headroom(), ()),)
    px = listed.ticks(ask.price)
    order = Order(
        number,
        ask.cl_ord_id,
        ask.symbol,
        ask.side,
        ask.ord_type,
        ask.time_in_force,
        lots,
        px,
        0,
        command.at,
    )
    return (OrderAccepted(order, Headroom(), ()),)


def evolve(state: list[int], event: TradingEvent) -> list[int]:
    state[0] += 1
    return state


def keys(event: TradingEvent) -> tuple[ClOrdId, ...]:
    return (event.order.cl_ord_id,) if isinstance(event, OrderAccepted) else ()


DECIDER = Decider(lambda _: [0], decide, evolve, list, keys_used=keys)


@dataclass
class Desk(ByScope):
    """A `House`. `pressed` is what a test wants it to say."""

    host: Host[Any, Any, Any, Any]
    journal: MemoryJournal
    committer: Committer
    pressed: FondacoError | None = None
    draining: bool = False
    rates: Rates = field(default_factory=lambda: Rates(lambda: 0))
    at: int = 1_000
    views: int = 0
    sources: dict[str, Any] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    listeners: list[Callable[[Sequence[Entry]], None]] = field(default_factory=list)

    def publish(self, entries: Sequence[Entry]) -> None:
        for listener in self.listeners:
            listener(entries)

    def now(self) -> Instant:
        self.at += 1
        return Instant(self.at)

    def authenticate(self, token: str, address: str = "") -> Person:
        if found := PEOPLE.get(token):
            return found
        raise Denied("this token is unknown or has expired", code="unauthenticated")

    def tenant_of(self, account_id: str) -> str | None:
        return TENANTS.get(account_id)

    def submit(self, stream: StreamId, command: Command) -> Answer:
        return self.host.submit(stream, command)

    def pressure(self) -> FondacoError | None:
        return self.pressed

    @contextmanager
    def reading(self) -> Iterator[Any]:
        yield self.sources.get("store")

    def views_at(self) -> int:
        return self.views

    def source(self, name: str) -> Any:
        return {"house": self, "journal": self.journal, **self.sources}[name]

    def signed(self, request: Any, address: str) -> Person:
        raise Denied("nobody signs here", code="unauthenticated")

    def redeem(self, ticket: str, address: str = "") -> Person:
        return self.authenticate(self.tickets.pop(ticket, ""))

    def changes(self) -> int:
        return len(self.revoked)

    def recheck(self, caller: Caller) -> None:
        self.authenticate(caller.name if caller.name not in self.revoked else "")

    def peek(self, stream: StreamId) -> Any:
        memory = self.host.peek(stream)
        return memory.state if memory else None

    async def wake(self, stream: StreamId) -> None:
        await self.host.wake(stream)

    def entries(self) -> list[Entry]:
        return self.journal.follow(0, 1_000_000)


@asynccontextmanager
async def desk(**sources: Any) -> AsyncIterator[Desk]:
    journal = MemoryJournal(Codec(TradingEvent))
    found: list[Desk] = []
    committer = Committer(journal, lambda entries: found[0].publish(entries))
    refs = Refs()
    host: Host[Any, Any, Any, Any] = Host(DECIDER, lambda _: refs, journal, committer)
    commits = asyncio.create_task(committer.run())
    try:
        found.append(Desk(host, journal, committer, sources=sources))
        yield found[0]
    finally:
        committer.close()
        await commits


@asynccontextmanager
async def a_door(**knobs: Any) -> AsyncIterator[tuple[Door, Desk]]:
    with ThreadPoolExecutor(2) as readers:
        async with desk() as house:
            offered = operations(lambda: REFS, decide)  # type: ignore[arg-type]
            yield Door(house, offered, replies=MemoryReplies(), readers=readers, **knobs), house
