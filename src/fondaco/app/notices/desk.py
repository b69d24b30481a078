"""What operations on notices are answered from, the mails that the house sends of itself, and the
process that carries both, as a house has it."""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fondaco.app.at_rest import open_sqlite
from fondaco.app.house import Kernel
from fondaco.app.notices.carriers import has_server, house_name, push_number
from fondaco.app.notices.catalog import BY_EVENT, kinds_of
from fondaco.app.notices.child import Carrying
from fondaco.app.notices.engine import DIRECT, JOURNAL, TEST, rendered
from fondaco.app.notices.known import DEMO_EMAIL, opened, sealed_subscription
from fondaco.app.secrets import SubjectSealing, open_ring
from fondaco.app.webhooks.catalog import Telling
from fondaco.app.webhooks.sender import check_url
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Caller, Scope
from fondaco.domain.identity.people import store as persons
from fondaco.domain.notify.notices import api, store
from fondaco.domain.notify.notices.model import (
    DEFAULTS,
    SUBSCRIPTIONS_MAX,
    TOPICS,
    USUAL,
    Preferences,
    check,
)
from fondaco.kernel.errors import Denied, NotFound, Taken
from fondaco.kernel.event import Entry
from fondaco.kernel.operation import Stamp
from fondaco.ports.notices.web_push import Subscription, b64, private_key_of, public_bytes
from fondaco.ports.notices.web_push import check as check_keys
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.settings import Settings

KINDS: Final = frozenset(BY_EVENT)
LOOKS_S: Final = 1.0


class NoticesDesk:
    def __init__(
        self,
        settings: Settings,
        kernel: Kernel,
        directory: Directory,
        records: Store,
        sealing: SubjectSealing,
    ) -> None:
        self._settings, self._kernel, self._directory = settings, kernel, directory
        self._records, self._sealing = records, sealing
        self._child = Carrying(kernel.files, settings)
        self._is_begun = False
        self._heard_at = -1
        self._queue: SqliteStore | None = None
        self._ring = open_ring(kernel.files, settings)
        self._push_key = ""
        records.create(store.records_metadata)

    # --- The process that carries -----------------------------------------------------------------

    def begin_if_needed(self) -> None:
        """When a house starts: where there is somebody to tell, or something to tell them by."""
        settings = self._settings
        is_configured = has_server(settings) or settings.pager != "none"
        with self._records.reading() as conn:
            is_chosen = bool(store.chosen(conn)) or bool(store.subscribed(conn))
            has_people = bool(persons.addresses(conn))
        if is_configured or is_chosen or has_people:
            self.begin()
        else:
            self._kernel.listeners.append(self._hear)

    def _hear(self, entries: Sequence[Entry]) -> None:
        """Until the process runs: whether something was written of which people are told. Fills
        come by the thousand where nobody is to be told: it is looked at once a second."""
        if self._is_begun or self._heard_at >= 0:
            return
        if any(type(entry.event) in KINDS for entry in entries):
            self._heard_at = entries[0].position - 1
            asyncio.get_running_loop().call_later(LOOKS_S, self._look_beside)

    def _look_beside(self) -> None:
        after, self._heard_at = self._heard_at, -1  # what comes from here on is looked at again
        asyncio.get_running_loop().run_in_executor(None, self._look, after)

    def _look(self, after: int) -> None:
        with self._records.reading() as conn:
            has_people = bool(persons.addresses(conn))
        if has_people:
            self.begin(after)

    def begin(self, after: int = -1) -> None:
        """People hear of what is written behind the position `after`; of -1, from now on."""
        if self._is_begun:
            return
        self._is_begun = True
        self._public_key()  # made before the process looks for it
        queue = self._opened()
        since = self._kernel.committer.position if after < 0 else after
        with queue.writing() as conn:
            if store.place(conn, JOURNAL) is None:
                store.stand(conn, JOURNAL, since)
        self._child.begin()

    def keep_alive(self) -> None:
        if self._is_begun:
            self._child.keep_alive()

    def end(self) -> None:
        if self._is_begun:
            self._child.end()
        if self._queue is not None:
            self._queue.close()

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Never a reason to take the house away from those who trade."""
        if not self._is_begun:
            return {}
        return {"notices": (True, self._child.trouble or "are carried")}

    def _opened(self) -> SqliteStore:
        if self._queue is None:
            self._queue = open_sqlite(self._kernel.files, self._kernel.files.notices)
            self._queue.create(store.queue_metadata)
        return self._queue

    # --- What is asked ----------------------------------------------------------------------------

    async def shown(self, stamp: Stamp) -> api.PreferencesShown:
        return await asyncio.to_thread(self._shown, self._caller(stamp))

    def _shown(self, caller: Caller) -> api.PreferencesShown:
        with self._records.reading() as conn:
            chosen = store.chosen_by(conn, caller.tenant, caller.user) or USUAL
            rows = store.subscribed(conn, caller.tenant, caller.user)
        return api.PreferencesShown(
            topics=[
                api.TopicShown(each, list(chosen.of(each)), list(DEFAULTS[each]), kinds_of(each))
                for each in TOPICS
            ],
            quiet=chosen.quiet,
            accounts=None if chosen.accounts is None else list(chosen.accounts),
            email=self._email(caller),
            mail="server" if has_server(self._settings) else "folder",
            has_pager=self._settings.pager != "none",
            push_key=self._public_key(),
            subscriptions=[self._subscription(row) for row in rows],
        )

    def _public_key(self) -> str:
        if not self._push_key:
            key = private_key_of(push_number(self._ring))
            self._push_key = b64(public_bytes(key.public_key()))
        return self._push_key

    def _email(self, caller: Caller) -> str:
        who = f"{caller.tenant}/{caller.user}"
        with self._records.reading() as conn:
            row = persons.person(conn, caller.tenant, caller.user)
        if row is None:
            is_demo = self._settings.demo and who == f"{DEMO}/{DEMO}"
            return DEMO_EMAIL if is_demo else ""
        return self._sealing.unseal(row.email, who).decode()

    def _subscription(self, row: Any) -> api.SubscriptionShown:
        where = self._sealing.unseal(row.sealed, f"{row.tenant}/{row.user}")
        host = urlsplit(_subscription_of(where).endpoint).hostname or ""
        return api.SubscriptionShown(row.subscription_id, host, str(row.created_at))

    async def choose(self, ask: api.ChoosePreferences, stamp: Stamp) -> api.PreferencesShown:
        caller = self._caller(stamp)
        for account in ask.accounts or ():
            if self._kernel.accounts.get(account) != caller.tenant or not caller.may_use(account):
                raise NotFound(f"there is no account {account[:64]}")
        ways = {topic: tuple(dict.fromkeys(each)) for topic, each in ask.ways.items()}
        accounts = None if ask.accounts is None else tuple(sorted(set(ask.accounts)))
        asked = Preferences(ways, ask.quiet, accounts)
        check(asked)

        def keep() -> api.PreferencesShown:
            with self._records.writing() as conn:
                store.choose(conn, caller.tenant, caller.user, asked, stamp.at)
            self.begin()
            return self._shown(caller)

        return await asyncio.to_thread(keep)

    async def subscribe(self, ask: api.Subscribe, stamp: Stamp) -> api.SubscriptionShown:
        caller = self._caller(stamp)
        check_url(ask.endpoint, self._settings)
        where = Subscription(ask.endpoint, ask.p256dh, ask.auth)
        check_keys(where)
        who = f"{caller.tenant}/{caller.user}"
        digest = blake2b(f"{who} {ask.endpoint}".encode(), digest_size=8).hexdigest()

        def keep() -> api.SubscriptionShown:
            sealed = sealed_subscription(self._sealing, where, caller.tenant, caller.user)
            with self._records.writing() as conn:
                mine = store.subscribed(conn, caller.tenant, caller.user)
                if len([row for row in mine if row.subscription_id != f"sub_{digest}"]) >= (
                    SUBSCRIPTIONS_MAX
                ):
                    raise Taken(f"you have {SUBSCRIPTIONS_MAX}, which is the most: remove one")
                store.subscribe(
                    conn,
                    subscription_id=f"sub_{digest}",
                    tenant=caller.tenant,
                    user=caller.user,
                    sealed=sealed,
                    created_at=stamp.at,
                )
            self.begin()
            host = urlsplit(ask.endpoint).hostname or ""
            return api.SubscriptionShown(f"sub_{digest}", host, str(stamp.at))

        return await asyncio.to_thread(keep)

    async def unsubscribe(self, ask: api.NamedSubscription, stamp: Stamp) -> api.Unsubscribed:
        caller = self._caller(stamp)

        def drop() -> None:
            with self._records.writing() as conn:
                mine = store.subscribed(conn, caller.tenant, caller.user)
                if ask.subscription_id not in {row.subscription_id for row in mine}:
                    raise NotFound(f"you have no subscription {ask.subscription_id}")
                store.unsubscribe(conn, ask.subscription_id)

        await asyncio.to_thread(drop)
        return api.Unsubscribed(ask.subscription_id)

    async def send_test(self, ask: api.TestRequest, stamp: Stamp) -> api.TestQueued:
        caller = self._caller(stamp)
        if ask.way == "pager":
            if not caller.may(Scope.HOUSE_WRITE):
                raise Denied("the pager is tested by who runs the house", code="forbidden")
            if self._settings.pager == "none":
                raise Taken("there is no pager: the setting `pager` names one")
        return await asyncio.to_thread(self._test, ask.way, caller, stamp)

    def _test(self, way: str, caller: Caller, stamp: Stamp) -> api.TestQueued:
        targets: list[str] = [""]
        if way == "push":
            with self._records.reading() as conn:
                rows = store.subscribed(conn, caller.tenant, caller.user)
            targets = [row.subscription_id for row in rows]
            if not targets:
                raise Taken("no browser of yours is told by push: subscribe one first")
        if way == "email" and not self._email(caller):
            raise Taken("no address of yours is known: people have one, and keys have none")
        self.begin()
        digest = blake2b(f"{stamp.request_id}/{stamp.caller}".encode(), digest_size=14)
        usual: dict[str, Any] = {
            "notice_id": f"ntc_{digest.hexdigest()}", "tenant": caller.tenant,
            "user": caller.user, "kind": TEST, "topic": "house", "way": way,
            "queued_at": stamp.at, "due_at": stamp.at,
        }  # fmt: skip
        if way == "inbox":
            usual |= {"state": "delivered", "finished_at": stamp.at}
        with self._opened().writing() as conn:
            store.queue(conn, [{**usual, "target": each} for each in targets])
            rows = store.log(conn, caller.tenant, user=caller.user, way=way, limit=len(targets))
        return api.TestQueued(sorted(row.number for row in rows))

    async def inbox(self, ask: api.InboxRequest, stamp: Stamp) -> api.Inbox:
        return await asyncio.to_thread(self._inbox, ask, self._caller(stamp))

    def _inbox(self, ask: api.InboxRequest, caller: Caller) -> api.Inbox:
        who = (caller.tenant, caller.user)
        with self._opened().reading() as conn:
            up_to = store.seen_up_to(conn, *who)
            unseen = store.unseen_count(conn, *who, up_to)
            rows = store.log(
                conn, who[0], user=who[1], way="inbox", before=ask.before, limit=ask.limit + 1
            )
        telling = Telling(self._kernel.journal)
        items = [self._line(row, up_to, telling) for row in rows[: ask.limit]]
        return api.Inbox(items, unseen, items[-1].number if len(rows) > ask.limit else 0)

    def _line(self, row: Any, up_to: int, telling: Telling) -> api.InboxLine:
        entry = None
        if row.kind not in (TEST, DIRECT):
            entry = self._kernel.journal.read(row.stream, row.version - 1, 1)[0]
        said = rendered(
            row, entry, telling, house_name(self._settings), lambda b: opened(self._sealing, b)
        )
        at = entry.at if entry else row.queued_at
        return api.InboxLine(
            row.number, row.notice_id, row.kind, row.topic, said.subject,
            said.text.partition("\n\n-- \n")[0], str(at), row.position, row.number <= up_to,
            said.leads_to,
        )  # fmt: skip

    async def see(self, ask: api.SeeRequest, stamp: Stamp) -> api.Seen:
        caller = self._caller(stamp)

        def note() -> api.Seen:
            who = (caller.tenant, caller.user)
            with self._opened().writing() as conn:
                up_to = max(ask.up_to, store.seen_up_to(conn, *who))
                store.see(conn, *who, up_to)
                return api.Seen(store.unseen_count(conn, *who, up_to))

        return await asyncio.to_thread(note)

    async def log(self, ask: api.LogRequest, stamp: Stamp) -> api.LogReply:
        caller = self._caller(stamp)
        if ask.everybody:
            caller.require(Scope.HOUSE_READ)

        def look() -> api.LogReply:
            with self._opened().reading() as conn:
                rows = store.log(
                    conn,
                    caller.tenant,
                    user="" if ask.everybody else caller.user,
                    way=ask.way or "",
                    state=ask.state or "",
                    before=ask.before,
                    limit=ask.limit + 1,
                )
            page = rows[: ask.limit]
            rest = page[-1].number if len(rows) > ask.limit else 0
            return api.LogReply([_log_line(row) for row in page], rest)

        return await asyncio.to_thread(look)

    def _caller(self, stamp: Stamp) -> Caller:
        """Raises `Denied` for nobody, and for who asks in another's name."""
        if not stamp.caller:
            raise Denied("sign in first", code="unauthenticated")
        caller = self._directory.still(stamp.tenant, stamp.caller)
        if caller.behind:
            raise Denied(
                f"you ask in the name of {caller.user}: what is their own is theirs alone",
                code="forbidden",
            )
        return caller


def _subscription_of(text: bytes) -> Subscription:
    return msgspec.json.decode(text, type=Subscription)


def _log_line(row: Any) -> api.LogLine:
    return api.LogLine(
        number=row.number,
        notice_id=row.notice_id,
        user=row.user,
        kind=row.kind,
        topic=row.topic,
        way=row.way,
        state=row.state,
        attempts=row.attempts,
        detail=row.detail,
        position=row.position,
        queued_at=str(row.queued_at),
        next_at=str(row.due_at) if row.state == "waiting" else "",
        finished_at=str(row.finished_at) if row.finished_at else "",
    )
