"""A door that only reads: a process beside the house, on the same data directory, which follows the
journal and the views and answers what they say. As many as are wanted share the load of reading,
and go on answering while the house itself starts again.

It says only yes. Whatever it does not serve, does not know, or would refuse, it answers with 421
(RFC 9110, 15.5.20), and a balancer asks the house instead, whose word is the last and is written
down. So nobody is refused by a door that lags, and every denial is in the journal.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fondaco import __version__
from fondaco.app.at_rest import open_sqlite
from fondaco.app.chain import ALL, required_of
from fondaco.app.clock import Clock
from fondaco.app.files import Files
from fondaco.app.greeting import announce, url
from fondaco.app.kinds import ROOMS
from fondaco.app.listening import bind, on_signals, run
from fondaco.app.machines import open_cache, open_journal, open_records, rates_of
from fondaco.app.people import MINUTE_NS
from fondaco.app.performance import sheets
from fondaco.app.policies.authority import in_process
from fondaco.app.policies.grants import Grants
from fondaco.app.queries import queries
from fondaco.app.referred import check_references, referred
from fondaco.app.say import say
from fondaco.app.server import BACKLOG, Server, certificates_of
from fondaco.app.views import POSTS
from fondaco.domain.identity.directory import Directory, seed_demo
from fondaco.domain.identity.model import DEMO, Caller
from fondaco.domain.identity.partners.model import PARTNERS_STREAM
from fondaco.domain.identity.partners.rules import decider as partners_law
from fondaco.domain.identity.policy.model import Resource, stream_of
from fondaco.domain.identity.policy.rules import decider as policy_law
from fondaco.domain.performance import api as performance_api
from fondaco.domain.trading import api as trading_api
from fondaco.domain.trading.rules import decider as trading_law
from fondaco.domain.trading.store.queries import owners_of
from fondaco.gateway.door import Door
from fondaco.gateway.errors import problem_of
from fondaco.gateway.guard.filter import Filter
from fondaco.gateway.guard.lines import Lines
from fondaco.gateway.guard.outside import Outside, origins
from fondaco.gateway.idempotency import MemoryReplies
from fondaco.gateway.protocol import protocol_of
from fondaco.gateway.rest import PROBLEM_JSON
from fondaco.gateway.tls import keep_renewed
from fondaco.kernel.errors import Corrupt, FondacoError, Unavailable
from fondaco.kernel.operation import Look, Operation
from fondaco.ports.journal import LastingJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.loading import load
from fondaco.runtime.projector import positions
from fondaco.runtime.tracing.looking import Beside
from fondaco.settings import Settings

READERS: Final = 4
FOLLOW_S: Final = 0.25  # between looks at what has been written meanwhile
RECORDS_EVERY: Final = 4  # of these looks: keys, sessions and roles
BEHIND_MAX: Final = 5_000  # entries; more, and a balancer should ask another door
AS_OF: Final = b"fondaco-as-of"
# What a door of its own says, whatever it is.
_OWN: Final = frozenset(
    prefix + page
    for prefix in ("", "/api", "/api/v1")
    for page in ("/ready", "/health", "/metrics")
)
_PASSES: Final = frozenset({200, 304, 400, 408, 413, 422, 429, 431, 503})


class Misdirected(Unavailable):
    """The house answers this, and no door that only reads."""

    def __init__(self, what: str, owner: str = "") -> None:
        place = owner or "the house"
        super().__init__(
            f"{what} is not answered by a door that only reads: ask {place}",
            code="misdirected",
            **({"send_to": owner} if owner else {}),
        )


class ReadingHouse:
    """`fondaco.gateway.house.House`, as far as it reads."""

    def __init__(
        self,
        settings: Settings,
        files: Files,
        directory: Directory,
        journal: LastingJournal,
        views: SqliteStore,
        now: Clock,
        rates: Any,
    ) -> None:
        self._settings, self._directory = settings, directory
        self._journal, self._views, self.now, self.rates = journal, views, now, rates
        self._strict = required_of(settings)
        self._elsewhere = self._strict  # tenants whose requests more is asked of than we know
        self.draining = False
        self.authenticate = directory.authenticate
        self.changes = directory.changes
        self.reading = views.reading
        self.accounts: dict[str, str] = {}
        self.tenant_of = self.accounts.get
        nothing: Any = _NoResources()
        self._grants = Grants(in_process, nothing, self.tenant_of, now, lambda _: False, _unkept)
        self.at = self.behind = 0
        self.trouble = "nothing was read yet"

    # --- What doors ask -------------------------------------------------------------------------

    def authorise(self, caller: Any, action: Any, *asked: Any) -> bool:
        if not isinstance(caller, Caller) or caller.behind:
            raise Misdirected(f"what {caller.name or 'nobody'} asks")
        if caller.tenant in self._elsewhere or ALL in self._elsewhere:
            raise Misdirected(f"what {caller.tenant} asks, which has rules of its own,")
        return self._grants.authorise(caller, action, *asked)

    def signed(self, *_: Any) -> Any:
        raise Misdirected("a signed request, whose nonce is good once,")

    redeem = submit = signed

    def recheck(self, caller: Any) -> None:
        self._directory.caller_named(caller.tenant, caller.name)

    async def noted(self, _: Any) -> None:
        """Nothing that is asked here changes anything."""

    def denied(self, *_: Any) -> None:
        """The house is asked instead, and tells of it."""

    def pressure(self) -> FondacoError | None:
        return None

    def views_at(self) -> int:
        with self._views.reading() as conn:
            return min(positions(conn).values(), default=0)

    def source(self, name: str) -> Any:
        if name == "journal":
            return self._journal
        raise Misdirected(name)

    # --- Following ------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Until canceled: how far views and journal are, whose accounts there are, who they are."""
        count = 0
        while True:
            try:
                await asyncio.to_thread(self._look)
                if count % RECORDS_EVERY == 0:
                    await asyncio.to_thread(self._directory.refresh)
                    await asyncio.to_thread(self._read_rules)
            except FondacoError as error:
                self.trouble = error.message
            count += 1
            await asyncio.sleep(FOLLOW_S)

    def _look(self) -> None:
        at, head = self.views_at(), self._journal.head()
        if at != self.at or not self.accounts:
            with self._views.reading() as conn:
                self.accounts.update(owners_of(conn))
        self.at, self.behind = at, max(head - at, 0)
        self.trouble = ""

    def _read_rules(self) -> None:
        """Who has a policy of their own, or an agreement as a partner."""
        found = set(self._strict)
        for tenant in self._directory.tenants():
            if load(stream_of(tenant), policy_law, self._journal).state.items:
                found.add(tenant)
        partners = load(PARTNERS_STREAM, partners_law, self._journal).state.partners
        found.update(each.tenant for each in partners.values())
        self._elsewhere = frozenset(found)

    def checks(self) -> dict[str, tuple[bool, str]]:
        told = self.trouble or f"{self.behind} entries behind, as of {self.at}"
        return {
            "serving": (not self.draining, "draining" if self.draining else "reading"),
            "views": (not self.trouble and self.behind <= BEHIND_MAX, told),
        }


class _NoResources:
    """The house's own rules look at whose an account is, and no further."""

    def of(self, owned: Iterable[tuple[str, bool]], _: Any) -> list[Resource]:
        return [Resource(account, own) for account, own in owned]


def _unkept(*_: Any) -> None:
    """The log of decisions is the house's."""


class OnlyYes:
    """An ASGI application around a door: what is not a success is the house's to say."""

    def __init__(self, app: ASGIApp, house: ReadingHouse, owner: str) -> None:
        self._app, self._house, self._owner = app, house, owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OWN:
            await self._app(scope, receive, send)
            return
        # What is shown is at least of this position: views only move on while it is made.
        as_of, is_misdirected = str(self._house.at).encode(), False

        async def told(message: Message) -> None:
            nonlocal is_misdirected
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                code = message["status"]
                is_misdirected = code not in _PASSES
                if is_misdirected:
                    await self._misdirect(scope, headers, send)
                    return
                message["headers"] = [*message["headers"], (AS_OF, as_of)]
            if not is_misdirected:
                await send(message)

        await self._app(scope, receive, told)

    async def _misdirect(self, scope: Scope, given: Mapping[bytes, bytes], send: Send) -> None:
        names = (b"x-request-id", b"x-correlation-id")
        ids = [given.get(name, b"").decode() for name in names]
        error = Misdirected(f"{scope['method']} {scope['path'][:100]}", self._owner)
        body = msgspec.json.encode(problem_of(error, *ids, was_submitted=False))
        headers = [
            (b"content-type", PROBLEM_JSON),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *((name, each.encode()) for name, each in zip(names, ids, strict=True)),
        ]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def readable(beside: Beside, tenant_of: Callable[[str], str | None]) -> list[Operation[Any, Any]]:
    """Operations that are answered from views or journal alone. Those of them that turn out to need
    the market say so, and the house is asked."""
    offered = [
        *(operation for room in ROOMS for operation in room.operations),
        *trading_api.looks(_not_here, trading_law, queries(beside), tenant_of),
        *performance_api.operations(sheets(_not_here)),
    ]
    return [
        each
        for each in offered
        if isinstance(each, Look)
        and each.method == "GET"
        and each.source in ("store", "journal")
        and not each.on_loop
    ]


def paths() -> list[str]:
    """Where they are, for whoever sends requests to us."""
    nobody = SimpleNamespace()
    found = readable(nobody, lambda _: None)  # type: ignore[arg-type]  # nothing is asked of it
    return sorted({each.path for each in found})


def _not_here(*_: Any) -> Any:
    raise Misdirected("what depends on the market")


def look(settings: Settings, owner: str) -> int:
    """Serve until SIGTERM or SIGINT. `owner` is where the house is, for who asks the wrong door."""
    return run(_serve(settings, owner))


async def _serve(settings: Settings, owner: str) -> int:
    certificates = certificates_of(settings)
    with bind(settings.host, settings.port) as bound:
        async with reading(settings) as (house, door):
            allowed = origins(settings.cors_origins)
            config = uvicorn.Config(
                OnlyYes(Outside(door, allowed), house, owner),
                http=protocol_of(
                    door,
                    request_timeout_s=settings.header_timeout_s,
                    connections_max=settings.ws_connections_max + 1_000,
                    per_address_max=settings.connections_per_address,
                    rules=door.filter,
                    crossing=bool(allowed),
                    lines=Lines(settings.proxies, settings.proxy_viewer_header),
                ),
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=settings.drain_timeout_s,
                ssl_context_factory=(lambda *_: certificates.context) if certificates else None,
            )
            server = Server(config)

            def drain() -> None:
                server.force_exit = house.draining  # asked twice: do not wait
                server.should_exit = house.draining = True

            on_signals(drain)
            parts = [house.follow(), announce(house.checks, url(bound, settings))]
            if certificates:
                parts.append(keep_renewed(certificates, say))
            tasks = [asyncio.create_task(part) for part in parts]
            say(f"reads {Path(settings.data).resolve()}, listening on {url(bound, settings)}")
            try:
                await server.serve(sockets=[bound])
            finally:
                for task in tasks:
                    task.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.gather(*tasks)
    return 0


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[tuple[ReadingHouse, Door]]:
    """Everything that makes one, until the block ends. Raises where there is no house to read."""
    files = Files(Path(settings.data), settings.journal, settings.store)
    check_references(files, settings)
    async with AsyncExitStack() as stack:
        now = Clock()
        journal = stack.enter_context(closing(open_journal(files)))
        records = stack.enter_context(closing(open_records(files)))
        if not files.views.exists():
            raise Corrupt(f"{files.views} is not there: start the house first, it fills the views")
        views = stack.enter_context(closing(open_sqlite(files, files.views, durable=False)))
        readers = stack.enter_context(ThreadPoolExecutor(READERS, "reader"))
        shared = referred(files, "cache", settings.cache)
        cache = stack.enter_context(closing(open_cache(shared, now)))
        idle_ns = settings.session_idle_min * MINUTE_NS
        directory = Directory(records, cache, now, os.urandom, idle_ns)
        if settings.demo and DEMO in directory.tenants():
            seed_demo(directory)
        house = ReadingHouse(
            settings, files, directory, journal, views, now, rates_of(settings, cache, now)
        )
        door = Door(
            house,
            readable(Beside(files.traces, POSTS), house.tenant_of),
            replies=MemoryReplies(),
            readers=readers,
            body_max=settings.body_max_bytes,
            version=__version__,
            checks=house.checks,
            rules=Filter(settings.request_filter),
        )
        yield house, door
