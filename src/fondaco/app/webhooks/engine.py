"""Queues what the journal says for each endpoint, sends it in order, and notes what came of it.

One thread turns it and writes the queue; others only send. Its place in the journal and the
messages queued up to there are written together, and what came of an attempt before the next one of
its lane is made: after a crash a message may be sent again, under its id, and none is left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

from fondaco.app.say import say
from fondaco.app.webhooks.catalog import BY_KIND, BY_NAME, TEST, Telling
from fondaco.app.webhooks.sender import Outcome
from fondaco.app.webhooks.told import Told
from fondaco.domain.notify import store
from fondaco.domain.notify.events import (
    WebhookEvent,
    WebhookRemoved,
    WebhookReplayAsked,
    WebhookTestAsked,
)
from fondaco.domain.notify.model import (
    DISABLE_AFTER_S,
    GONE,
    OK,
    SECOND_NS,
    Endpoint,
    hold_s,
    matches,
    message_name,
    retry_at,
)
from fondaco.domain.notify.signatures import headers_of
from fondaco.kernel.event import Entry, Instant
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store

CONTROL: Final = "journal"  # stands for what endpoints are asked to do, among their places
STEP: Final = 1_000  # entries that are read at a time
BACKLOG_MAX: Final = 20_000  # messages of an endpoint that wait, before no more are queued
AT_ONCE: Final = 16  # requests under way
OF_ONE: Final = 4  # to one endpoint
KEPT_S: Final = 30 * 86_400
FORGET_EVERY: Final = 5_000  # turns
COUNT_EVERY: Final = 20  # turns
PLACE_EVERY_S: Final = 5  # where nothing is queued, a place is not worth a sync
USER_AGENT: Final = "Fondaco-Webhooks/1"


class Configured(NamedTuple):
    endpoint: Endpoint
    secrets: tuple[str, ...]  # that sign now, the newest first
    held: frozenset[str]  # scopes that its owner holds now, and its maker held


class Config(Protocol):
    """What the records and the ring say, as of a moment ago."""

    def read(self) -> Mapping[str, Configured]:
        """By id."""
        ...

    def disable(self, endpoint: Endpoint, reason: str, failing_since: Instant) -> None:
        """Send nothing there any more, and tell the journal."""
        ...


class _Sent(NamedTuple):
    message: Any
    endpoint: Endpoint
    at: Instant
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes], Outcome]


class Engine:
    def __init__(
        self,
        journal: Journal,
        queue: Store,
        config: Config,
        send: Send,
        now: Callable[[], Instant],
        pool: ThreadPoolExecutor,
        disable_after_s: int = DISABLE_AFTER_S,
    ) -> None:
        queue.create(store.queue_metadata)
        self._journal, self._queue, self._config = journal, queue, config
        self._send, self._now, self._pool = send, now, pool
        self._disable_after_ns = disable_after_s * SECOND_NS
        self._telling = Telling(journal)
        self._under_way: dict[Future[Outcome], _Sent] = {}
        self._turns = 0
        self._full: set[str] = set()
        self._places: dict[str, int] = {}
        self._unwritten: set[str] = set()  # places that were not written yet
        self._wrote_at = 0

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def step(self, wait_s: float = 0.0) -> bool:
        """A turn; whether there is more to do at once."""
        known = self._config.read()
        more = self._read(known)
        ended = self._ended(wait_s if not more else 0.0)
        sent = self._dispatch(known)
        self._turns += 1
        if self._turns % FORGET_EVERY == 0:
            with self._queue.writing() as conn:
                store.forget(conn, Instant(self._now() - KEPT_S * SECOND_NS))
        return more or bool(ended) or bool(sent)

    # --- From the journal -----------------------------------------------------------------------

    def _read(self, known: Mapping[str, Configured]) -> bool:
        """Queue what was written since; whether there may be more."""
        if not self._places:
            with self._queue.reading() as conn:
                self._places = {name: row.position for name, row in store.stands(conn).items()}
        if self._turns % COUNT_EVERY == 0:
            with self._queue.reading() as conn:
                self._full = {
                    name for name in known if store.waiting_count(conn, name) >= BACKLOG_MAX
                }
        self._begin(known)
        places, front = self._places, self._places[CONTROL]
        readers = {
            name: places[name]
            for name, each in known.items()
            if each.endpoint.state == "active" and name not in self._full
        }
        readers[CONTROL] = front
        more = False
        for place in sorted(set(readers.values())):
            names = [name for name, at in readers.items() if at == place]
            entries = self._journal.follow(place, STEP)
            if place < front:
                entries = [each for each in entries if each.position <= front]
            if entries:
                self._queue_up(known, names, entries)
                more = more or len(entries) >= STEP
        return more

    def _begin(self, known: Mapping[str, Configured]) -> None:
        """Endpoints that are new, or go on from a later position, stand where they were told to."""
        places = self._places
        wanted = {name: each.endpoint.since for name, each in known.items()}
        wanted[CONTROL] = min(wanted.values(), default=0)
        moved = {
            name: since
            for name, since in wanted.items()
            if name not in places or (name != CONTROL and since > places[name])
        }
        if moved:
            with self._queue.writing() as conn:
                for name, since in moved.items():
                    if name in places:
                        store.skip(conn, name, since, self._now())
                    store.stand(conn, name, since)
            places.update(moved)

    def _queue_up(
        self, known: Mapping[str, Configured], names: Sequence[str], entries: Sequence[Entry]
    ) -> None:
        now = self._now()
        hearing = [known[name].endpoint for name in names if name != CONTROL]
        found, asked = [], []
        for entry in entries:
            told = BY_KIND.get(type(entry.event))
            if told is not None:
                found += [
                    _row(endpoint.webhook_id, entry, told, name)
                    for endpoint in hearing
                    if (name := self._telling.hears(endpoint, entry, told))
                ]
            if CONTROL in names and isinstance(entry.event, WebhookEvent):
                asked.append(entry)
        stands = dict.fromkeys(names, entries[-1].position)
        is_due = now - self._wrote_at >= PLACE_EVERY_S * SECOND_NS
        if not (found or asked or is_due):
            self._places.update(stands)
            self._unwritten.update(names)
            return
        with self._queue.writing() as conn:
            store.queue(conn, found, now)
            for entry in asked:
                self._do(conn, known, entry)
            for name, position in {**self._unwritten_places(), **stands}.items():
                if name == CONTROL or name in known:
                    store.stand(conn, name, position)
        self._places.update(stands)
        self._unwritten.clear()
        self._wrote_at = now

    def _unwritten_places(self) -> dict[str, int]:
        return {name: self._places[name] for name in self._unwritten}

    def _do(self, conn: Any, known: Mapping[str, Configured], entry: Entry) -> None:
        """What was asked of an endpoint."""
        event = entry.event
        if isinstance(event, WebhookRemoved):
            store.forget_endpoint(conn, event.webhook_id)
            self._places.pop(event.webhook_id, None)
        elif isinstance(event, WebhookTestAsked) and event.webhook_id in known:
            row = _row(event.webhook_id, entry, BY_NAME[TEST], TEST)
            store.queue(conn, [{**row, "resource": f"test/{entry.version}"}], self._now())
        elif isinstance(event, WebhookReplayAsked) and event.webhook_id in known:
            self._replay(conn, known[event.webhook_id].endpoint, event)

    def _replay(self, conn: Any, endpoint: Endpoint, asked: WebhookReplayAsked) -> None:
        chosen = replayed(
            self._journal, self._telling, endpoint, asked.after, asked.until, asked.events
        )
        rows = [_row(endpoint.webhook_id, *each) for each in chosen]
        store.queue(conn, [{**row, "is_replay": True} for row in rows], self._now())

    # --- To the endpoints -----------------------------------------------------------------------

    def _dispatch(self, known: Mapping[str, Configured]) -> int:
        """Begin as many requests as there may be; how many."""
        room = AT_ONCE - len(self._under_way)
        if room <= 0 or not known:
            return 0
        now = self._now()
        busy = {(each.message.webhook_id, each.message.resource) for each in self._sent()}
        load = {name: sum(lane[0] == name for lane in busy) for name in known}
        with self._queue.reading() as conn:
            stands = store.stands(conn)
            ready = [
                name
                for name, each in known.items()
                if each.endpoint.state == "active"
                and name in stands
                and stands[name].held_until <= now
            ]
            lanes = store.due(conn, ready, now, AT_ONCE + len(busy) + OF_ONE * len(ready))
            heads: list[Any] = []
            for lane in lanes:
                name = lane[0]
                most = 1 if stands[name].streak else OF_ONE  # one tries for all
                if lane in busy or load[name] >= most or len(heads) >= room:
                    continue
                message = store.head(conn, *lane)
                if message is not None:
                    heads.append(message)
                    load[name] += 1
        return sum(self._begin_sending(known[each.webhook_id], each, now) for each in heads)

    def _sent(self) -> Iterable[_Sent]:
        return self._under_way.values()

    def _begin_sending(self, to: Configured, message: Any, now: Instant) -> int:
        entry = self._journal.read(message.stream, message.version - 1, 1)[0]
        told = BY_KIND.get(type(entry.event))
        if told is None or message.type not in told.names:
            told = None
        if told is None or not (
            told.name == TEST or self._telling.may_be_heard(entry, told, to.endpoint.owner, to.held)
        ):
            why = "its owner may not read it any more" if told else "a type that ended"
            with self._queue.writing() as conn:
                store.finish(conn, message, "withheld", 0, why, now)
            return 1
        body = self._telling.body(entry, told, message.type)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **headers_of(to.secrets, message.msg_id, now // SECOND_NS, body),
        }
        future = self._pool.submit(
            self._send, to.endpoint.webhook_id, to.endpoint.url, headers, body
        )
        self._under_way[future] = _Sent(message, to.endpoint, now, body)
        return 1

    def _may_hear(self, to: Configured, entry: Entry, told: Told) -> bool:
        if told.name == TEST:
            return True
        return self._telling.may_be_heard(entry, told, to.endpoint.owner, to.held)

    def _ended(self, wait_s: float) -> int:
        """Note what came of requests; how many."""
        if not self._under_way:
            return 0
        done, _ = wait(self._under_way, wait_s, FIRST_COMPLETED)
        if not done:
            return 0
        with self._queue.writing() as conn:
            for future in done:
                self._note(conn, self._under_way[future], future.result())
        for future in done:
            sent = self._under_way.pop(future)
            self._judge(sent.endpoint, future.result())
        return len(done)

    def _note(self, conn: Any, sent: _Sent, outcome: Outcome) -> None:
        message, now = sent.message, self._now()
        stand = store.stands(conn).get(message.webhook_id)
        if stand is None:
            return  # it was removed meanwhile
        if outcome.postponed_s:  # nothing was sent, so it is no attempt
            store.postpone(conn, message, Instant(now + outcome.postponed_s * SECOND_NS))
            return
        store.note(
            conn,
            {
                "number": message.number,
                "nth": message.attempts + 1,
                "at": sent.at,
                "status": outcome.status,
                "error": outcome.error,
                "latency_ms": outcome.latency_ms,
                "body_bytes": len(sent.body),
                "body_sha256": sha256(sent.body).hexdigest(),
            },
        )
        if outcome.status in OK:
            store.finish(conn, message, "delivered", outcome.status, "", now)
            store.judge(conn, message.webhook_id, 0, 0, 0)
            return
        error = outcome.error or f"answered {outcome.status}"
        due_at = retry_at(message.attempts + 1, now, message.msg_id, outcome.retry_after_s)
        if due_at is None:
            store.finish(conn, message, "given_up", outcome.status, error, now)
        else:
            store.again(conn, message, outcome.status, error, due_at)
        streak = stand.streak + 1
        held_until = now + hold_s(streak) * SECOND_NS
        store.judge(conn, message.webhook_id, streak, stand.failing_since or sent.at, held_until)

    def _judge(self, endpoint: Endpoint, outcome: Outcome) -> None:
        """An endpoint that is gone, or was dead for days, is tried no more."""
        if outcome.status in OK or outcome.postponed_s:
            return
        with self._queue.reading() as conn:
            stand = store.stands(conn).get(endpoint.webhook_id)
        if stand is None or not stand.failing_since:  # another of the same turn has arrived
            return
        now, since = self._now(), Instant(stand.failing_since)
        reason = ""
        if outcome.status == GONE:
            reason = "it answered 410: gone"
        elif now - since >= self._disable_after_ns:
            days = (now - since) / (86_400 * SECOND_NS)
            last = outcome.error or f"answered {outcome.status}"
            reason = f"it has failed for {days:.1f} days; the last time: {last}"
        if reason:
            say(f"WEBHOOK DISABLED {endpoint.webhook_id} of {endpoint.tenant}: {reason}")
            self._config.disable(endpoint, reason, since)


def replayed(
    journal: Journal,
    telling: Telling,
    endpoint: Endpoint,
    after: int,
    until: int,
    events: Sequence[str],
) -> Iterable[tuple[Entry, Told, str]]:
    """What was written behind `after` up to `until`, as far as it is for an endpoint, and by which
    name; of `events`, where there are any."""
    place = after
    while place < until:
        entries = journal.follow(place, STEP)
        if not entries:
            return
        for entry in entries:
            if entry.position > until:
                return
            told = BY_KIND.get(type(entry.event))
            name = telling.hears(endpoint, entry, told) if told is not None else ""
            if told is None or not name:
                continue
            if not events or any(matches(each, name) for each in events):
                yield entry, told, name
        place = entries[-1].position


def _row(webhook_id: str, entry: Entry, told: Told, name: str) -> dict[str, Any]:
    return {
        "webhook_id": webhook_id,
        "msg_id": message_name(entry.stream, entry.version),
        "type": name,
        "resource": told.resource(entry),
        "stream": entry.stream,
        "version": entry.version,
        "position": entry.position,
        "is_replay": False,
    }
