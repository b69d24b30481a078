"""What operations on webhooks are answered from, and the process that delivers, as a house has it.

Records, and the events that tell of them, change in one transaction; what an endpoint is asked to
do goes to the journal, where whoever delivers reads it.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import msgspec

from fondaco.app.at_rest import open_sqlite
from fondaco.app.house import Kernel
from fondaco.app.secrets import SubjectSealing, open_ring
from fondaco.app.webhooks.catalog import NAMES, Telling, event_types
from fondaco.app.webhooks.child import Deliverer
from fondaco.app.webhooks.config import SigningSecret, ring_name, secrets_of
from fondaco.app.webhooks.engine import replayed
from fondaco.app.webhooks.sender import check_url
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Scope
from fondaco.domain.notify import api, store
from fondaco.domain.notify.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookEvent,
    WebhookRemoved,
    WebhookReplayAsked,
    WebhookSecretRotated,
    WebhookTestAsked,
)
from fondaco.domain.notify.model import (
    SECOND_NS,
    Endpoint,
    matches,
    message_name,
    normal,
    stream_of,
)
from fondaco.domain.notify.rules import TellWebhook
from fondaco.domain.notify.signatures import secret_of
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Taken
from fondaco.kernel.event import Entry, Instant, fingerprint, request_id
from fondaco.kernel.operation import Stamp
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.settings import Settings

WEBHOOKS_MAX: Final = 50  # of a tenant
REPLAY_MAX: Final = 20_000  # messages of one replay
SECRET_BYTES: Final = 32


class WebhooksDesk:
    def __init__(
        self,
        settings: Settings,
        kernel: Kernel,
        directory: Directory,
        records: Store,
        sealing: SubjectSealing,
    ) -> None:
        self._kernel, self._directory = kernel, directory
        self._records, self._sealing = records, sealing
        self._ring = open_ring(kernel.files, settings)
        self._settings = settings
        self._child = Deliverer(kernel.files, settings)
        self._is_begun = False
        self._queue: SqliteStore | None = None
        self._disabled: list[str] = []
        self.limit_of: Callable[[Caller], int] = lambda _: WEBHOOKS_MAX
        records.create(store.records_metadata)

    # --- The process that delivers ----------------------------------------------------------------

    def begin(self) -> None:
        """Where there is something to deliver to."""
        with self._records.reading() as conn:
            found = store.rows(conn)
        self._disabled = [
            each.endpoint.webhook_id for each in found if each.endpoint.state == "disabled"
        ]
        if found and not self._is_begun:
            self._opened()
            self._child.begin()
            self._is_begun = True

    def keep_alive(self) -> None:
        if self._is_begun:
            self._child.keep_alive()

    def tick(self) -> None:
        """Called now and then: who was disabled is told at /ready."""
        if self._is_begun:
            self.begin()

    def end(self) -> None:
        if self._is_begun:
            self._child.end()
        if self._queue is not None:
            self._queue.close()

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Never a reason to take the house away from those who trade."""
        if not self._is_begun:
            return {}
        if self._child.trouble:
            return {"webhooks": (True, self._child.trouble)}
        if self._disabled:
            return {"webhooks": (True, f"DISABLED: {', '.join(self._disabled)}; see /api/webhooks")}
        return {"webhooks": (True, "are delivered")}

    def _opened(self) -> SqliteStore:
        if self._queue is None:
            self._queue = open_sqlite(self._kernel.files, self._kernel.files.webhooks)
            self._queue.create(store.queue_metadata)
        return self._queue

    # --- What is asked ----------------------------------------------------------------------------

    async def event_types(self) -> api.EventTypes:
        return api.EventTypes(event_types())

    async def create(self, ask: api.CreateWebhook, stamp: Stamp) -> api.CreatedWebhook:
        caller = self._caller(stamp)
        check_url(ask.url, self._settings)
        _check_events(ask.events)
        return await asyncio.to_thread(self._create, ask, caller, stamp)

    def _create(self, ask: api.CreateWebhook, caller: Caller, stamp: Stamp) -> api.CreatedWebhook:
        webhook_id, secret = f"wh_{os.urandom(8).hex()}", secret_of(os.urandom(SECRET_BYTES))
        endpoint = Endpoint(
            webhook_id=webhook_id,
            tenant=caller.tenant,
            owner=caller.user,
            url=ask.url,
            events=normal(ask.events),
            accounts=self._accounts(caller, ask.accounts),
            scopes=frozenset(caller.scopes),
            description=ask.description,
            state="active",
            reason="",
            since=self._kernel.committer.position,
            created_at=stamp.at,
            changed_at=stamp.at,
        )
        self._put_secrets(endpoint, [SigningSecret(secret, Instant(0))], caller.name)
        with self._records.writing() as conn:
            most = self.limit_of(caller)
            if len(store.rows(conn, caller.tenant)) >= most:
                raise Conflict(
                    f"{caller.tenant} has {most} webhooks, which is the most: remove one"
                )
            self._put(conn, endpoint)
            event = WebhookAdded(
                endpoint.tenant, webhook_id, endpoint.host, endpoint.events, endpoint.accounts,
                endpoint.owner, endpoint.since, caller.name,
            )  # fmt: skip
            store.tell(conn, endpoint.tenant, event, stamp.at)
        self.begin()
        return api.CreatedWebhook(secret, self._shown(endpoint))

    async def listed(self, stamp: Stamp) -> api.WebhooksReply:
        caller = self._caller(stamp)

        def look() -> api.WebhooksReply:
            with self._records.reading() as conn:
                found = store.rows(conn, caller.tenant)
            mine = [self._whole(row) for row in found if _may_see(caller, row.endpoint)]
            return api.WebhooksReply([self._shown(each) for each in mine])

        return await asyncio.to_thread(look)

    async def shown(self, ask: api.NamedWebhook, stamp: Stamp) -> api.WebhookShown:
        return await asyncio.to_thread(
            lambda: self._shown(self._endpoint(self._caller(stamp), ask.webhook_id))
        )

    async def change(self, ask: api.ChangeWebhook, stamp: Stamp) -> api.WebhookShown:
        caller = self._caller(stamp)
        if ask.url is not None:
            check_url(ask.url, self._settings)
        if ask.events is not None:
            _check_events(ask.events)
        return await asyncio.to_thread(self._change, ask, caller, stamp)

    def _change(self, ask: api.ChangeWebhook, caller: Caller, stamp: Stamp) -> api.WebhookShown:
        was = self._own(caller, ask.webhook_id)
        changed = msgspec.structs.replace(
            was,
            url=was.url if ask.url is None else ask.url,
            events=was.events if ask.events is None else normal(ask.events),
            description=was.description if ask.description is None else ask.description,
            state=ask.state or was.state,
            reason="" if ask.state else was.reason,
            since=self._kernel.committer.position if ask.from_now else was.since,
            changed_at=stamp.at,
        )
        event = WebhookChanged(
            changed.tenant, changed.webhook_id, changed.host, changed.events, changed.state,
            changed.since, caller.name,
        )  # fmt: skip
        with self._records.writing() as conn:
            self._put(conn, changed)
            store.tell(conn, changed.tenant, event, stamp.at)
        self.begin()
        return self._shown(changed)

    async def remove(self, ask: api.NamedWebhook, stamp: Stamp) -> api.Gone:
        caller = self._caller(stamp)

        def drop() -> None:
            endpoint = self._own(caller, ask.webhook_id)
            event = WebhookRemoved(endpoint.tenant, endpoint.webhook_id, caller.name)
            with self._records.writing() as conn:
                store.drop(conn, endpoint.webhook_id)
                store.tell(conn, endpoint.tenant, event, stamp.at)
            with suppress(NotFound):
                self._ring.remove(ring_name(endpoint.webhook_id), caller.name)

        await asyncio.to_thread(drop)
        return api.Gone(ask.webhook_id)

    async def rotate(self, ask: api.RotateSecret, stamp: Stamp) -> api.RotatedSecret:
        caller = self._caller(stamp)
        until = Instant(stamp.at + ask.overlap_s * SECOND_NS)
        secret = secret_of(os.urandom(SECRET_BYTES))

        def change() -> None:
            endpoint = self._own(caller, ask.webhook_id)
            before = secrets_of(self._ring, endpoint.webhook_id, caller.name)[:1]
            kept = [SigningSecret(each.secret, until) for each in before if ask.overlap_s]
            self._put_secrets(endpoint, [SigningSecret(secret, Instant(0)), *kept], caller.name)
            event = WebhookSecretRotated(endpoint.tenant, endpoint.webhook_id, until, caller.name)
            with self._records.writing() as conn:
                self._put(conn, msgspec.structs.replace(endpoint, changed_at=stamp.at))
                store.tell(conn, endpoint.tenant, event, stamp.at)

        await asyncio.to_thread(change)
        return api.RotatedSecret(secret, str(until))

    async def send_test(self, ask: api.NamedWebhook, stamp: Stamp) -> api.TestSent:
        caller = self._caller(stamp)
        endpoint = await asyncio.to_thread(self._own, caller, ask.webhook_id)
        _must_be_active(endpoint)
        entry = await self._ask(
            stamp, WebhookTestAsked(endpoint.tenant, endpoint.webhook_id, caller.name)
        )
        return api.TestSent(message_name(entry.stream, entry.version), entry.position)

    async def replay(self, ask: api.ReplayRequest, stamp: Stamp) -> api.ReplayReply:
        caller = self._caller(stamp)
        if (ask.after is None) == (ask.since is None):
            raise Invalid("say from where on: either after, a position, or since, a time")
        if ask.events is not None:
            _check_events(ask.events)
        endpoint = await asyncio.to_thread(self._own, caller, ask.webhook_id)
        events = normal(ask.events or ())
        end = self._kernel.committer.position
        until = min(ask.until or end, end)
        after, counts = await asyncio.to_thread(self._counted, endpoint, ask, until, events)
        total = sum(counts.values())
        is_whole = total <= REPLAY_MAX
        if not ask.dry_run:
            _must_be_active(endpoint)
            if not is_whole:
                raise Taken(f"that is more than {REPLAY_MAX} messages: ask for less at a time")
            event = WebhookReplayAsked(
                endpoint.tenant, endpoint.webhook_id, after, until, events, caller.name
            )
            await self._ask(stamp, event)
        return api.ReplayReply(ask.dry_run, after, until, total, counts, is_whole)

    def _counted(
        self, endpoint: Endpoint, ask: api.ReplayRequest, until: int, events: tuple[str, ...]
    ) -> tuple[int, dict[str, int]]:
        """Behind which position it begins, and how many of each type there are."""
        journal = self._kernel.journal
        after = ask.after
        if after is None:
            after = _position_at(journal, Instant(ask.since or 0), until)
        counts: dict[str, int] = {}
        telling = Telling(journal)
        for found, (_, __, name) in enumerate(
            replayed(journal, telling, endpoint, after, until, events), 1
        ):
            counts[name] = counts.get(name, 0) + 1
            if found > REPLAY_MAX:
                break
        return after, counts

    async def deliveries(self, ask: api.DeliveriesRequest, stamp: Stamp) -> api.DeliveriesReply:
        caller = self._caller(stamp)

        def look() -> api.DeliveriesReply:
            mine = self._endpoint(caller, ask.webhook_id).webhook_id
            with self._opened().reading() as conn:
                found = store.log(
                    conn, mine, ask.state or "", ask.resource, ask.before or 0, ask.limit + 1
                )
            page = found[: ask.limit]
            rest = page[-1].number if len(found) > ask.limit else 0
            return api.DeliveriesReply([api.DeliveryLine(**_line(row)) for row in page], rest)

        return await asyncio.to_thread(look)

    async def delivery(self, ask: api.DeliveryRequest, stamp: Stamp) -> api.DeliveryReply:
        caller = self._caller(stamp)

        def look() -> api.DeliveryReply:
            mine = self._endpoint(caller, ask.webhook_id).webhook_id
            with self._opened().reading() as conn:
                row = store.message(conn, mine, ask.number)
                tries = store.attempts_of(conn, [row.number])
            return api.DeliveryReply(**_line(row), tries=[_attempt(each) for each in tries])

        return await asyncio.to_thread(look)

    # --- Who may what -----------------------------------------------------------------------------

    def _caller(self, stamp: Stamp) -> Caller:
        return self._directory.still(stamp.tenant, stamp.caller)

    def _endpoint(self, caller: Caller, webhook_id: str) -> Endpoint:
        """Raises `NotFound`, also for one that the caller may not know of."""
        with self._records.reading() as conn:
            row = store.row(conn, caller.tenant, webhook_id)
        if not _may_see(caller, row.endpoint):
            raise NotFound(f"there is no webhook {webhook_id}")
        return self._whole(row)

    def _own(self, caller: Caller, webhook_id: str) -> Endpoint:
        """Raises `Denied` for one of somebody else, but to who runs the house."""
        endpoint = self._endpoint(caller, webhook_id)
        if endpoint.owner != caller.user and not caller.may(Scope.HOUSE_WRITE):
            raise Denied(f"{webhook_id} is {endpoint.owner}'s", code="forbidden")
        return endpoint

    def _accounts(self, caller: Caller, asked: list[str] | None) -> tuple[str, ...] | None:
        if asked is None:
            return None if caller.accounts is None else tuple(sorted(caller.accounts))
        for account in asked:
            if self._kernel.accounts.get(account) != caller.tenant or not caller.may_use(account):
                raise NotFound(f"there is no account {account[:64]}")
        return normal(asked)

    # --- What is kept -----------------------------------------------------------------------------

    def _whole(self, row: store.Row) -> Endpoint:
        url = self._sealing.unseal(row.sealed_url, store.SEALED_ABOUT).decode()
        return msgspec.structs.replace(row.endpoint, url=url)

    def _put(self, conn: Any, endpoint: Endpoint) -> None:
        sealed = self._sealing.seal(endpoint.url.encode(), store.SEALED_ABOUT)
        store.put(conn, endpoint, sealed)

    def _put_secrets(self, endpoint: Endpoint, kept: list[SigningSecret], by: str) -> None:
        self._ring.put(ring_name(endpoint.webhook_id), msgspec.json.encode(kept), by)

    async def _ask(self, stamp: Stamp, event: WebhookEvent) -> Entry:
        key = stamp.idempotency_key or stamp.request_id
        command_id = request_id(
            f"!webhooks/{stamp.tenant}/{stamp.caller}/{key}", fingerprint(event)
        )
        stream = stream_of(stamp.tenant)
        entries = await self._kernel.submit(stream, TellWebhook(command_id, stamp.at, event))
        return entries[0]

    def _shown(self, endpoint: Endpoint) -> api.WebhookShown:
        with self._opened().reading() as conn:
            counts = store.counts(conn, endpoint.webhook_id)
            stand = store.stands(conn).get(endpoint.webhook_id)
        failing = stand.failing_since if stand else 0
        return api.WebhookShown(
            webhook_id=endpoint.webhook_id,
            url=endpoint.url,
            events=list(endpoint.events),
            accounts=None if endpoint.accounts is None else list(endpoint.accounts),
            description=endpoint.description,
            owner=endpoint.owner,
            state=endpoint.state,
            reason=endpoint.reason,
            created_at=str(endpoint.created_at),
            changed_at=str(endpoint.changed_at),
            since=endpoint.since,
            position=stand.position if stand else endpoint.since,
            waiting=counts.get("waiting", 0),
            delivered=counts.get("delivered", 0),
            given_up=counts.get("given_up", 0),
            withheld=counts.get("withheld", 0),
            failing_since=str(failing) if failing else "",
        )


def _may_see(caller: Caller, endpoint: Endpoint) -> bool:
    if caller.accounts is None:
        return True
    return endpoint.accounts is not None and caller.accounts >= set(endpoint.accounts)


def _must_be_active(endpoint: Endpoint) -> None:
    if endpoint.state != "active":
        raise Taken(f"{endpoint.webhook_id} is {endpoint.state}: set its state to active first")


def _check_events(patterns: list[str]) -> None:
    for pattern in patterns:
        if not any(matches(pattern, name) for name in NAMES):
            raise Invalid(
                f"there is no event {pattern}: GET /api/webhooks/event-types lists them, and * or "
                "order.* stand for several"
            )


def _position_at(journal: Any, since: Instant, until: int) -> int:
    """Behind which position entries are of `since` or later. Positions grow with time, but for the
    moments by which clocks are set back."""
    low, high = 0, until
    while low < high:
        middle = (low + high) // 2
        found = journal.follow(middle, 1)
        if not found or found[0].at >= since:
            high = middle
        else:
            low = max(found[-1].position, middle + 1)
    return min(low, until)


def _line(row: Any) -> dict[str, Any]:
    return {
        "number": row.number,
        "msg_id": row.msg_id,
        "type": row.type,
        "resource": row.resource,
        "position": row.position,
        "is_replay": bool(row.is_replay),
        "state": row.state,
        "queued_at": str(row.queued_at),
        "attempts": row.attempts,
        "next_at": str(row.due_at) if row.state == "waiting" else "",
        "finished_at": str(row.finished_at) if row.finished_at else "",
        "last_status": row.last_status,
        "last_error": row.last_error,
    }


def _attempt(row: Any) -> api.AttemptLine:
    return api.AttemptLine(
        row.nth, str(row.at), row.status, row.error, row.latency_ms, row.body_bytes,
        row.body_sha256,
    )  # fmt: skip
