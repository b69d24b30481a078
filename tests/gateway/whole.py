"""A house with the real laws and real views, in memory: for tests of what operations do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fondaco.domain.ledger.events import BookEvent
from fondaco.domain.ledger.model import PREFIX as BOOKS
from fondaco.domain.ledger.room import room as ledger
from fondaco.domain.ledger.store import BooksView
from fondaco.domain.market.api import OPERATIONS as MARKET
from fondaco.domain.market.board import Board
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.events import ListInstrument, ReferenceEvent
from fondaco.domain.reference.model import HOUSE_STREAM, HouseState
from fondaco.domain.reference.rules import decider as house_decider
from fondaco.domain.trading import api, why
from fondaco.domain.trading.events import AccountOpened, CancelOrders, TradingEvent
from fondaco.domain.trading.model import AccountId, account_of, account_stream
from fondaco.domain.trading.refs import refresh, refs_of, update_rates
from fondaco.domain.trading.rules import decider
from fondaco.domain.trading.store import (
    TradingView,
    queries,
    sent,
    settlements,
    standing,
    statements,
    stops,
)
from fondaco.domain.trading.store.days import DaysView
from fondaco.domain.trading.store.settlements import SettlementsView
from fondaco.domain.trading.store.standing import StandingView
from fondaco.gateway.door import Door
from fondaco.gateway.guard.rates import Rates
from fondaco.gateway.house import Caller
from fondaco.gateway.idempotency import MemoryReplies
from fondaco.gateway.metrics import Metric
from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Denied, FondacoError
from fondaco.kernel.event import Command, CommandId, Entry, Instant, StreamId
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.actor import Host
from fondaco.runtime.committer import Answer, Committer
from fondaco.runtime.projector import Projector, positions
from gateway.deciding import ByScope
from gateway.desk import BTC, BTC_USD, USD, Person

SCOPES = frozenset(
    f"{what}:{how}"
    for what in ("orders", "accounts", "market", "limits", "house", "journal", "keys")
    for how in ("read", "write")
)
PEOPLE = {
    "ada": Person("ada", "demo", SCOPES),
    "stranger": Person("stranger", "other", SCOPES),
    "confined": Person("confined", "demo", SCOPES, frozenset({"demo"})),
}
QUESTIONS = SimpleNamespace(
    filter=queries.OrderFilter,
    orders=queries.orders,
    order=queries.order,
    executions=queries.executions,
    accounts=queries.accounts,
    account=queries.account,
    positions=queries.positions,
    terms=queries.terms,
    statement=statements.statement,
    statement_csv=statements.statement_csv,
    cash_movements=statements.transfers,
    daily=statements.daily,
    daily_csv=statements.daily_csv,
    sent=sent.sent,
    is_virtual=sent.is_virtual,
    settlements=settlements.lines,
    waiting=standing.waiting,
    restrictions=standing.restrictions,
    at_work=stops.at_work,
    positions_left=stops.positions_left,
    accounts_of=stops.accounts_of,
    stands=stops.stands,
    why=lambda conn, journal, tenant, about, account_id: why.why(
        conn, journal, about, tenant=tenant, account_id=account_id
    ),
)


class Whole(ByScope):
    """A `House` whose views are carried on whenever somebody asks how far they are."""

    def __init__(self, folder: Path) -> None:
        codec = Codec(TradingEvent | ReferenceEvent | BookEvent)
        self.journal = MemoryJournal(codec)
        self.committer = Committer(self.journal, self._publish)
        self.board = Board({BTC_USD.symbol: BTC_USD})
        self.at = 1_700_000_000_000_000_000
        mark = Mark(BTC_USD.symbol, 5_000_000, Quality.OK, "test", 1, Instant(self.at))
        self.board.marks[BTC_USD.symbol] = mark
        self.reference = refs_of(HouseState(), self.board.marks, self.now())
        self.pressed: FondacoError | None = None  # what a test wants it to say
        self.draining = False
        self.rates = Rates(lambda: 0)
        self.listeners: list[Callable[[Sequence[Entry]], None]] = []
        self.accounts: dict[str, str] = {}
        self.hosts: dict[str, Host[Any, Any, Any, Any]] = {
            prefix: Host(law, lambda _: self.reference, self.journal, self.committer)
            for prefix, law in (
                ("account/", decider),
                (HOUSE_STREAM, house_decider),
                (BOOKS, ledger.decider),
            )
            if law
        }
        self.store = SqliteStore(folder / "views.db", durable=False)
        self.projector = Projector(
            self.journal,
            self.store,
            [TradingView(), BooksView(), DaysView(), SettlementsView(), StandingView()],
        )
        update_rates(self.reference, mark)

    def now(self) -> Instant:
        self.at += 1_000
        return Instant(self.at)

    def refs(self) -> Any:
        return self.reference

    def authenticate(self, token: str, address: str = "") -> Person:
        if found := PEOPLE.get(token):
            return found
        raise Denied("this token is unknown or has expired", code="unauthenticated")

    redeem = authenticate

    def signed(self, request: Any, address: str) -> Person:
        raise Denied("nobody signs here", code="unauthenticated")

    def changes(self) -> int:
        return 0

    def recheck(self, caller: Caller) -> None:
        """Nobody is revoked here."""

    def tenant_of(self, account_id: str) -> str | None:
        return self.accounts.get(account_id)

    def _host(self, stream: StreamId) -> Host[Any, Any, Any, Any]:
        return next(host for prefix, host in self.hosts.items() if stream.startswith(prefix))

    def submit(self, stream: StreamId, command: Command) -> Answer:
        return self._host(stream).submit(stream, command)

    def peek(self, stream: StreamId) -> Any:
        memory = self._host(stream).peek(stream)
        return memory.state if memory else None

    async def wake(self, stream: StreamId) -> None:
        await self._host(stream).wake(stream)

    def cancel_as_killed(self, account: str) -> None:
        """What the kernel of a running house does once it is killed."""
        now = self.now()
        command = CancelOrders(CommandId(f"kill/{now}"), now, reason="kill")
        self.submit(account_stream(AccountId(account)), command)

    async def settled(self) -> None:
        """Until everything that was asked is written, and shown by the views."""
        while self.committer.queued_count or self.committer.busy_since:
            await asyncio.sleep(0.001)
        self.views_at()

    def streams(self) -> list[StreamId]:
        return [stream for host in self.hosts.values() for stream in host.streams()]

    async def accounts_at_work(self, symbol: str, position: int) -> list[str]:
        self.views_at()
        with self.store.reading() as conn:
            return [account for account, _, _ in stops.at_work(conn, None, symbol)]

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None:
        self.submit(stream, command)

    def pressure(self) -> FondacoError | None:
        return self.pressed

    def standing(self) -> Any:
        return None, {}

    @contextmanager
    def reading(self) -> Iterator[Any]:
        with self.store.reading() as conn:
            yield conn

    def views_at(self) -> int:
        self.projector.catch_up()
        with self.store.reading() as conn:
            return min(positions(conn).values())

    def source(self, name: str) -> Any:
        return {"house": self, "journal": self.journal, "market": self.board}[name]

    def _publish(self, entries: Sequence[Entry]) -> None:
        for listener in self.listeners:
            listener(entries)
        for entry in entries:
            if isinstance(entry.event, AccountOpened):
                self.accounts[account_of(entry.stream)] = entry.event.tenant
            if entry.stream == HOUSE_STREAM:
                refresh(self.reference, self.peek(HOUSE_STREAM), self.now())


@asynccontextmanager
async def a_house(folder: Path, **knobs: Any) -> AsyncIterator[tuple[Door, Whole]]:
    with ThreadPoolExecutor(2) as readers:
        house = Whole(folder)
        commits = asyncio.create_task(house.committer.run())
        await house.submit(
            HOUSE_STREAM, ListInstrument(CommandId("list"), house.now(), BTC_USD, BTC, USD)
        )
        operations = [
            *api.operations(house.refs, decider.decide),
            *api.looks(house.refs, decider, QUESTIONS, house.tenant_of),
            *MARKET,
            *ledger.operations,
        ]
        numbers = [Metric("fondaco_journal_position", "The last entry.", "gauge", 7)]
        try:
            yield (
                Door(
                    house,
                    operations,
                    replies=MemoryReplies(),
                    readers=readers,
                    checks=lambda: {"journal": (True, "takes entries"), **house_checks},
                    numbers=lambda: numbers,
                    **knobs,
                ),
                house,
            )
        finally:
            house.committer.close()
            await commits
            house.store.close()


house_checks: dict[str, tuple[bool, str]] = {}
