"""Queues what people are to hear of, carries it, and notes what came of it.

One thread turns it and writes the queue; others only carry. Its place in the journal and what was
queued up to there are written together: nothing is left out, and nothing is queued twice. What came
of an attempt is noted behind it, so a crash repeats one, under its id.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Final, NamedTuple, Protocol

from fondaco.app.notices.catalog import BY_EVENT, Kind, People, shown_at, ways_of
from fondaco.app.webhooks.catalog import Telling
from fondaco.domain.notify.notices import store
from fondaco.domain.notify.notices.model import (
    HOUR_MAX,
    KEPT_S,
    SECOND_NS,
    STALE_AFTER_S,
    notice_name,
    quiet_until,
    retry_at,
)
from fondaco.domain.notify.notices.templates import (
    TEMPLATES,
    Rendered,
    leads_to,
    page,
    render,
)
from fondaco.kernel.event import Entry, Instant
from fondaco.ports.journal import Journal
from fondaco.ports.notices import Carried, Carrier, Notice
from fondaco.ports.store import Store

JOURNAL: Final = "journal"
TEST: Final = "test"
DIRECT: Final = "direct"  # text that is in no entry
STEP: Final = 1_000  # entries that are read at a time
AT_ONCE: Final = 4
PLACE_EVERY_S: Final = 5  # where nothing is queued, a place is not worth a sync
FORGET_EVERY: Final = 5_000  # turns
HOUR_NS: Final = 3_600 * SECOND_NS


class Direct(NamedTuple):
    """Text that is in no entry: sealed until it was carried."""

    to: str
    subject: str
    text: str


class Known(Protocol):
    """What the records say, as of a moment ago."""

    def people(self) -> People: ...

    def address(self, tenant: str, user: str) -> str:
        """As of now, not of a moment ago: "" for who has none, or was forgotten."""
        ...

    def subscription(self, subscription_id: str) -> str | None:
        """As JSON."""
        ...

    def unsubscribe(self, subscription_id: str) -> None: ...

    def opened(self, sealed: bytes) -> Direct: ...


class Engine:
    """`carriers` are by way; a way without one is not tried. `house` is what it is called."""

    def __init__(
        self,
        journal: Journal,
        queue: Store,
        known: Known,
        carriers: Mapping[str, Carrier],
        now: Callable[[], Instant],
        pool: ThreadPoolExecutor,
        house: str,
    ) -> None:
        queue.create(store.queue_metadata)
        self._journal, self._queue, self._known = journal, queue, known
        self._carriers, self._now, self._pool, self._house = carriers, now, pool, house
        self._telling = Telling(journal)
        self._under_way: dict[Future[Carried], Any] = {}
        self._turns = self._wrote_at = 0
        self._place = -1

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def step(self, wait_s: float = 0.0) -> bool:
        """A turn; whether there is more to do at once."""
        more = self._read()
        ended = self._ended(0.0 if more else wait_s)
        sent = self._dispatch()
        self._turns += 1
        if self._turns % FORGET_EVERY == 0:
            with self._queue.writing() as conn:
                store.forget(conn, Instant(self._now() - KEPT_S * SECOND_NS))
        return more or bool(ended) or bool(sent)

    # --- From the journal -------------------------------------------------------------------------

    def _read(self) -> bool:
        if self._place < 0:
            with self._queue.reading() as conn:
                self._place = store.place(conn, JOURNAL) or 0
        entries = self._journal.follow(self._place, STEP)
        if not entries:
            return False
        now = self._now()
        rows: list[dict[str, Any]] = []
        for entry in entries:
            kind = BY_EVENT.get(type(entry.event))
            if kind is not None and kind.told(entry):
                rows += self._rows(kind, entry, now)
        self._place = entries[-1].position
        if rows or now - self._wrote_at >= PLACE_EVERY_S * SECOND_NS:
            with self._queue.writing() as conn:
                store.queue(conn, rows)
                store.stand(conn, JOURNAL, self._place)
            self._wrote_at = now
        return len(entries) >= STEP

    def _rows(self, kind: Kind, entry: Entry, now: Instant) -> list[dict[str, Any]]:
        """What an entry has people told, one row for each, way and browser."""
        people = self._known.people()
        is_stale = now - entry.at > STALE_AFTER_S * SECOND_NS
        usual = {
            "notice_id": notice_name(entry.stream, entry.version, kind.name),
            "kind": kind.name,
            "topic": kind.topic,
            "stream": entry.stream,
            "version": entry.version,
            "position": entry.position,
            "queued_at": now,
        }
        found = []
        for one in kind.audience(entry, self._telling, people):
            held = now if kind.is_urgent else quiet_until(one.chosen.quiet, now)
            for way in ways_of(kind, entry, one):
                targets: Sequence[str] = one.subscriptions if way == "push" else ("",)
                whose = {**usual, "tenant": one.tenant, "user": one.user, "way": way}
                if way == "inbox":
                    told = {"state": "delivered", "due_at": now, "finished_at": now}
                    found.append({**whose, **told})
                elif is_stale:
                    late = {"state": "withheld", "due_at": now, "finished_at": now}
                    found += [
                        {**whose, **late, "target": t, "detail": "a day old"} for t in targets
                    ]
                else:
                    found += [{**whose, "target": each, "due_at": held} for each in targets]
        if kind.severity(entry) and "pager" in self._carriers and not is_stale:
            found.append({**usual, "tenant": "", "user": "", "way": "pager", "due_at": now})
        return found

    # --- To people --------------------------------------------------------------------------------

    def _dispatch(self) -> int:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        now = self._now()
        busy = [row.number for row in self._under_way.values()]
        with self._queue.reading() as conn:
            rows = store.due(conn, now, room, busy)
        for row in rows:
            self._begin(row, now)
        return len(rows)

    def _begin(self, row: Any, now: Instant) -> None:
        carrier = self._carriers.get(row.way)
        to = self._to(row)
        why = ""
        if carrier is None:
            why = f"there is no way {row.way} here"
        elif to is None:
            why = "there is nowhere to send it to any more"
        elif row.kind not in (TEST, DIRECT) and self._is_much(row, now):
            why = f"more than {HOUR_MAX} within an hour"
        if carrier is None or to is None or why:
            with self._queue.writing() as conn:
                store.finish(conn, row.number, "withheld", why, now)
            return
        future = self._pool.submit(carrier.carry, to, self._notice(row))
        self._under_way[future] = row

    def _is_much(self, row: Any, now: Instant) -> bool:
        if row.way == "pager":
            return False
        with self._queue.reading() as conn:
            return store.sent_since(conn, row, Instant(now - HOUR_NS)) >= HOUR_MAX

    def _to(self, row: Any) -> str | None:
        if row.way == "pager":
            return ""
        if row.way == "push":
            return self._known.subscription(row.target)
        if row.sealed is not None:
            return self._known.opened(row.sealed).to
        return self._known.address(row.tenant, row.user) or None

    def _notice(self, row: Any) -> Notice:
        entry, kind = None, None
        if row.kind not in (TEST, DIRECT):
            entry = self._journal.read(row.stream, row.version - 1, 1)[0]
            kind = BY_EVENT[type(entry.event)]
        said = rendered(row, entry, self._telling, self._house, self._known.opened)
        if entry is None or kind is None:
            is_pager = row.way == "pager"
            return Notice(
                row.notice_id, *said[:3], row.queued_at, severity="info",
                about="test" if is_pager else "",
            )  # fmt: skip
        return Notice(
            row.notice_id,
            *said[:3],
            entry.at,
            kind.is_urgent,
            kind.severity(entry) or "info",
            kind.about(entry),
            kind.is_over,
            said.leads_to,
        )

    def _ended(self, wait_s: float) -> int:
        """Note what came of what was carried; how many."""
        if not self._under_way:
            return 0
        done, _ = wait(self._under_way, wait_s, FIRST_COMPLETED)
        if not done:
            return 0
        with self._queue.writing() as conn:
            for future in done:
                self._note(conn, self._under_way[future], future.result())
        for future in done:
            row = self._under_way.pop(future)
            if future.result().is_gone:
                self._known.unsubscribe(row.target)
        return len(done)

    def _note(self, conn: Any, row: Any, came: Carried) -> None:
        now = self._now()
        if came.postponed_s:  # nothing was tried
            due_at = Instant(now + came.postponed_s * SECOND_NS)
            store.again(conn, row.number, came.detail, due_at, tried=False)
        elif came.said == "again":
            next_at = retry_at(row.attempts + 1, now, came.retry_after_s)
            if next_at is None:
                store.finish(conn, row.number, "given_up", came.detail, now)
            else:
                store.again(conn, row.number, came.detail, next_at, tried=True)
        else:
            store.finish(conn, row.number, came.said, came.detail, now)


def rendered(
    row: Any,
    entry: Entry | None,
    telling: Telling,
    house: str,
    opened: Callable[[bytes], Direct],
) -> Rendered:
    """What a row of the queue says, in the words of today."""
    if row.kind == DIRECT and row.sealed is not None:
        direct = opened(row.sealed)
        return Rendered(direct.subject, direct.text, page(direct.subject, direct.text))
    if entry is None:
        way = {"house": house, "way": row.way, "by": row.user, "at": shown_at(row.queued_at)}
        return render(TEMPLATES[TEST], way, house)
    kind = BY_EVENT[type(entry.event)]
    fields = kind.fields(entry, telling)
    said = render(TEMPLATES[kind.name], fields, house)
    return said._replace(leads_to=leads_to(kind.name, fields))
