"""A running house: the kernel with its doors, its follower and its feed, until told to stop."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
)
from functools import partial
from pathlib import Path
from typing import Any, Final

from fondaco import __version__
from fondaco.app.agents_door import agents_door
from fondaco.app.answering import House
from fondaco.app.at_rest import begin_encrypted
from fondaco.app.candles import candles_of
from fondaco.app.certificates import CertificatesDesk
from fondaco.app.child import CommandLine
from fondaco.app.demo import seed_accounts
from fondaco.app.erasure import ErasureDesk
from fondaco.app.files import Files, make_root, tape_lock
from fondaco.app.fix.desk import fix_desk
from fondaco.app.fix.door import applications, set_routes
from fondaco.app.fix.messages import messages
from fondaco.app.follower import Follower
from fondaco.app.greeting import announce, greet, tell_switch, url
from fondaco.app.health import OPERATIONS as HEALTH
from fondaco.app.health import Health
from fondaco.app.keeping import keep_running
from fondaco.app.kinds import ROOMS
from fondaco.app.kyc import KycPart
from fondaco.app.leaderboard import Boards, LeaderboardDesk
from fondaco.app.listening import bind, on_signals, run
from fondaco.app.machines import (
    MEMORY,
    house_lock,
    open_cache,
    open_records,
    open_views,
    rates_of,
    refuse_lost_end,
)
from fondaco.app.notices.part import notices
from fondaco.app.numbers import numbers
from fondaco.app.oidc import provider_part
from fondaco.app.outbound import outbound
from fondaco.app.own_records import OwnDesk
from fondaco.app.payments.part import payments
from fondaco.app.people import MINUTE_NS, people_part
from fondaco.app.performance import sheets
from fondaco.app.proofs import publish_last, verifier_text
from fondaco.app.queries import queries
from fondaco.app.referred import check_references, referred
from fondaco.app.reports import reports_desk
from fondaco.app.say import say
from fondaco.app.server import certificates_of, make_server
from fondaco.app.shipping import shipping, writer_of
from fondaco.app.test_clock.opening import open_kernel
from fondaco.app.test_clock.works import works_of
from fondaco.app.topics.catalog import channels
from fondaco.app.topics.publishing import topics
from fondaco.app.tracing import house_watch, keep_times, tracing
from fondaco.app.upkeep import arm_house, tell_journal, upkeep, wait_for_views
from fondaco.app.vault import VaultDesk
from fondaco.app.versions import OPERATIONS as VERSIONS
from fondaco.app.webhooks.part import webhooks
from fondaco.domain.evaluation.leaderboard import api as leaderboard_api
from fondaco.domain.identity.directory import Directory, seed_demo
from fondaco.domain.identity.vault.tokens import TokenVault
from fondaco.domain.market import api as market_api
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.spec import chosen, feed
from fondaco.domain.market.intake import Intake
from fondaco.domain.performance import api as performance_api
from fondaco.domain.reports.certificates import api as certificates_api
from fondaco.domain.trading import api as trading_api
from fondaco.domain.trading.rules import decider as trading_law
from fondaco.domain.venues import api as venues_api
from fondaco.domain.venues.pooling import api as pooling_api
from fondaco.gateway import terminal
from fondaco.gateway.certificates import CertificatesDoor
from fondaco.gateway.door import Door
from fondaco.gateway.graphql.serving import Graph
from fondaco.gateway.guard.filter import Filter
from fondaco.gateway.idempotency import Replies
from fondaco.gateway.kept import StoreReplies
from fondaco.gateway.logs import Log
from fondaco.gateway.mapping import mapped_door
from fondaco.gateway.oidc.routes import ProviderDoor
from fondaco.gateway.payments import PaymentsDoor
from fondaco.gateway.streams import Streams
from fondaco.gateway.tls import keep_renewed
from fondaco.gateway.uses import KeptUses
from fondaco.kernel.operation import Operation
from fondaco.ports.cache import Cache
from fondaco.ports.store import Store
from fondaco.ports.tape import Tape
from fondaco.ports.tape.segments import SegmentTape
from fondaco.runtime.tracing.prices import PricePath
from fondaco.settings import Settings

READERS: Final = 4


def make_door(
    house: House, replies: Replies, readers: ThreadPoolExecutor, settings: Settings
) -> tuple[Door, Streams]:
    """Every operation of every room behind one door, and its WebSockets."""
    kernel = house.kernel
    streams: list[Streams] = []
    listed = settings.graphql_documents
    house.graph = Graph(Path(listed) if listed else None)
    door = Door(
        house,
        house.approvals.guarded(operations(house)),
        replies=replies,
        readers=readers,
        log=Log(settings.log_level, house.now, writer_of(house.shipping)),
        body_max=settings.body_max_bytes,
        version=__version__,
        topics=channels,
        checks=house.checks,
        numbers=lambda: numbers(house, streams[0]),
        uses=house.uses.counted,
        rules=Filter(settings.request_filter),
        **({"note": house.watch.note} if settings.traces_quota_bytes else {}),
        doors=(
            house.graph.open,
            agents_door(house, settings),
            mapped_door(settings.request_maps),
        ),
        routes=[
            *terminal.routes(),
            *ProviderDoor(house, lambda: house.applications).routes(),
            *PaymentsDoor(house, lambda: house.payments).routes(),
            *CertificatesDoor(house, lambda: house.certificates, verifier_text).routes(),
        ],
    )
    streams.append(Streams(door, house.refs, kernel.board, position=kernel.committer.position))
    kernel.listeners.append(streams[0].publish)
    house.graph.listen(streams[0])
    house.health = Health(house, door, streams[0])
    house.policy.know(each.action for each in door.endpoints)
    return door, streams[0]


def operations(house: House) -> list[Operation[Any, Any]]:
    """What the rooms offer. Those of trading need the reference data as they are now."""
    return [
        *(operation for room in ROOMS for operation in room.operations),
        *market_api.OPERATIONS,
        *HEALTH,
        *VERSIONS,
        *trading_api.operations(house.refs, trading_law.decide),
        *venues_api.operations(house.refs),
        *pooling_api.operations(house.refs),
        *trading_api.looks(house.refs, trading_law, queries(house.beside), house.tenant_of),
        *performance_api.operations(sheets(lambda: house.kernel.board)),
        *leaderboard_api.OPERATIONS,
        *certificates_api.OPERATIONS,
    ]


def serve(settings: Settings, command: CommandLine | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then let requests under way end. Returns the exit status.

    `command` runs a command of `fondaco`; with it the follower is a fork of this process.
    """
    follower = Follower(settings)
    if command:
        follower.fork(command)
    try:
        return run(_serve(settings, follower))
    finally:
        follower.end()


async def _serve(settings: Settings, follower: Follower) -> int:
    starting = asyncio.current_task()
    assert starting  # noqa: S101  # a coroutine runs in a task
    failed = ""

    def give_up() -> None:
        on_signals(_ignore)  # what was begun is taken back in peace
        starting.cancel()

    on_signals(give_up)
    certificates = certificates_of(settings)
    try:
        with bind(settings.host, settings.port) as bound:
            async with running(settings, follower) as (house, door, streams):
                server = make_server(settings, door, streams, certificates)

                def drain() -> None:
                    server.force_exit = house.draining  # asked twice: do not wait
                    server.should_exit = house.draining = True

                on_signals(drain)
                issuer = house.applications.issuer
                issuer.url = issuer.url or url(bound, settings)
                house.people.served_at(issuer.url)
                greet(house.kernel, bound)
                parts = {"announcement": announce(house.checks, url(bound, settings))}
                if certificates:
                    parts["certificates"] = keep_renewed(certificates, say)
                tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
                for task in tasks:
                    task.add_done_callback(house.part_ended)
                try:
                    await server.serve(sockets=[bound])
                finally:
                    on_signals(_ignore)
                    for task in tasks:
                        task.cancel()
                    failed = house.failed
    except asyncio.CancelledError:
        if starting.uncancel():
            raise
    return 1 if failed else 0


def _ignore() -> None:
    """It is ending already."""


@asynccontextmanager
async def running(
    settings: Settings, follower: Follower
) -> AsyncIterator[tuple[House, Door, Streams]]:
    """Everything that makes a house, until the block ends. Raises before anything is served."""
    files = Files(Path(settings.data), settings.journal, settings.store)
    make_root(files)
    check_references(files, settings)
    begin_encrypted(files, settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(house_lock(files))
        watch = house_watch(settings, files)
        noting = watch if settings.traces_quota_bytes else None
        kernel, wall = await open_kernel(settings, files, noting, _feed)
        kernel.board.path = PricePath(time.perf_counter_ns)
        stack.callback(publish_last, files)  # behind everything that ends, and is written then
        tracer = stack.enter_context(tracing(settings, files, kernel.committer.position))
        stack.callback(watch.close)
        stack.push_async_callback(kernel.stop)
        records = stack.enter_context(closing(open_records(files)))
        views = stack.enter_context(closing(open_views(files)))
        refuse_lost_end(files, views, kernel.committer.position)
        readers = stack.enter_context(ThreadPoolExecutor(READERS, "reader"))
        shared = referred(files, "cache", settings.cache)
        cache = stack.enter_context(closing(open_cache(shared, wall)))
        idle_ns = settings.session_idle_min * MINUTE_NS
        directory = Directory(records, cache, wall, os.urandom, idle_ns)
        stack.callback(follower.end)
        follower.begin()
        rates = rates_of(settings, cache, wall)
        house = House(kernel, directory, rates, views, follower, watch)
        house.tracer = tracer
        house.shipping = stack.enter_context(shipping(settings, files))
        house.outbound = outbound(settings)
        stack.push_async_callback(house.outbound.close)
        _know_people(house, settings, files, records, cache)
        house.shared_cache = None if settings.cache == MEMORY else cache
        await kernel.start(house.part_ended)
        await arm_house(house)
        if settings.demo:
            await _seed(house)
        house.fix = await stack.enter_async_context(
            fix_desk(settings, files, kernel, applications(house))
        )
        await set_routes(kernel, [line.application for line in house.fix.switchboard])
        await house.approvals.open()
        await house.tiers.open()
        house.payments = await stack.enter_async_context(
            payments(house, settings, files, records, house.part_ended)
        )
        house.fix_messages = stack.enter_context(messages(kernel, records, house.fix))
        replies = StoreReplies(records)
        _set_desks(stack, house, settings, files, records, replies)
        uses = house.uses = KeptUses(records)
        stack.callback(lambda: uses.keep(uses.counted.taken(), kernel.now()))
        doors = make_door(house, replies, readers, settings)
        stack.push_async_callback(house.close)
        await stack.enter_async_context(_moving(house, records, replies))
        stack.callback(house.graph.close)
        parts = {
            "upkeep": upkeep(house, replies),
            "outbox": tell_journal(records, house),
            "times": keep_times(watch),
        }
        if kernel.feed:
            parts |= _fed(stack, house, settings, kernel.feed)
        tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
        for task in tasks:
            task.add_done_callback(house.part_ended)
        stack.push_async_callback(_cancel, tasks)
        yield house, *doors


def _moving(
    house: House, records: Store, replies: StoreReplies
) -> AbstractAsyncContextManager[None]:
    """A sandbox's time, and all that it has to do with."""
    seen = partial(wait_for_views, house)
    return house.test_clock.moving(partial(works_of, house, records, replies, seen))


def _set_desks(
    stack: AsyncExitStack,
    house: House,
    settings: Settings,
    files: Files,
    records: Store,
    replies: StoreReplies,
) -> None:
    """Those that forget people, tell others, and make reports."""
    people, journal = house.people.sealing, house.kernel.journal
    house.erasure = ErasureDesk(settings, files, records, house.directory, people, journal, replies)
    house.own_data = OwnDesk(
        records, house.directory, house.people, house.erasure, house.approvals, journal,
        house.reading,
    )  # fmt: skip
    house.webhooks = stack.enter_context(webhooks(house, settings, records, people))
    house.topics = stack.enter_context(topics(settings, files))
    house.notices = stack.enter_context(notices(house, settings, records, people))
    house.reports = stack.enter_context(reports_desk(house, files))


def _know_people(
    house: House, settings: Settings, files: Files, records: Store, cache: Cache
) -> None:
    """Who they are, what they let applications do, and what is known about them."""
    directory = house.directory
    house.people = people_part(settings, files, records, directory, cache)
    house.people.second = house.approvals.second
    house.people.chain = house.chain.shown
    house.people.ask_roles = partial(house.approvals.ask_besides, "identity.set_roles")
    house.applications = provider_part(
        settings, files, records, directory, house.people, cache, house.outbound
    )
    tokens = TokenVault(house.people.sealing.keys)
    house.vault = VaultDesk(house.kernel, directory, records, house.reading, tokens)
    house.leaderboard = LeaderboardDesk(
        directory, records, house.reading, Boards(cache, house.kernel.journal)
    )
    house.certificates = CertificatesDesk(
        directory, records, house.reading, house.kernel.journal, house.proofs,
        house.tiers.shelf.by_fingerprint, lambda: house.applications.issuer.url,
    )  # fmt: skip
    house.kyc = KycPart(house, settings, records)


async def _seed(house: House) -> None:
    seed_demo(house.directory)
    await seed_accounts(house.kernel)
    await wait_for_views(house, house.kernel.committer.position)  # who asks at once finds them


def _fed(
    stack: AsyncExitStack, house: House, settings: Settings, source: Feed
) -> dict[str, Coroutine[Any, Any, None]]:
    """What a feed needs: its tape, the candles of what it says, and to be kept running."""
    kernel = house.kernel
    tape = stack.enter_context(_tape(settings, kernel.files))
    house.tape_lost = lambda: tape.lost
    kernel.board.on_switch.append(tell_switch)
    candles = stack.enter_context(candles_of(kernel.board, kernel.files))
    intake = Intake(kernel.board, tape, source.listings, source.wire)
    return {
        "candles": candles.run(kernel.now),
        "feed": keep_running(partial(source.run, kernel.now, intake), house.feed_died),
    }


async def _feed(settings: Settings) -> Feed | None:
    if settings.feed == "none":
        return None
    return feed(await chosen(settings.feed), open_tape=SegmentTape)


@contextmanager
def _tape(settings: Settings, files: Files) -> Iterator[Tape]:
    with (
        tape_lock(files),
        closing(
            SegmentTape(
                files.tape,
                quota_bytes=settings.tape_quota_bytes,
                retention_days=settings.retention_tape_days,
            )
        ) as tape,
    ):
        yield tape


async def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
