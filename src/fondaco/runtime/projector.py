"""Carries the journal into views. A view's rows and its position commit together, so that a
projector may die anywhere and go on where the rows are.

A view is never migrated: its name ends in a number, and a new number is another view that fills
beside the old one. `retire` drops what no build reads any more, once everything new stands at the
journal's end; until then a build of yesterday still finds its tables.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final, Protocol

from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Entry
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store

STEP: Final = 2_048  # entries in one transaction: what a reader may have to wait for under load
IDLE_MIN_S: Final = 0.0005  # the first wait after the journal's end was reached; it doubles
IDLE_MAX_S: Final = 0.004
# A commit writes whole pages, so few large steps cost half of many small ones. The more the last
# step carried, the longer the next one gathers; a reader waits for it no longer than that.
GATHER_S: Final = 0.000_04  # for each entry of the last step
GATHER_MAX_S: Final = 0.02
_NAME: Final = re.compile(r"[a-z][a-z_]*_v[0-9]+")


class Stop(Protocol):
    """A `threading.Event`, or one of `multiprocessing`."""

    def wait(self, timeout: float | None = None) -> bool: ...


class Watch(Protocol):
    """Told what all views have just shown, and how long each of them took, ns."""

    def now(self) -> int: ...

    def shown(self, entries: Sequence[Entry], began: int, parts: dict[str, int]) -> None: ...


class View(Protocol):
    """Tables of one room, and how a batch of entries changes them."""

    @property
    def name(self) -> str:
        """Permanent, with its number: "trading_v1"."""
        ...

    def create(self, conn: Any) -> None: ...

    def drop(self, conn: Any) -> None: ...

    def apply(self, conn: Any, entries: Sequence[Entry]) -> None:
        """Give the same rows however a history is cut into batches."""
        ...

    def forget(self) -> None:
        """Drop whatever is remembered of the tables: they are not what they were."""
        ...

    @property
    def tables(self) -> Sequence[str]:
        """Their names, to be compared with what a replay gives."""
        ...


# The three statements below are written out, since runtime knows no SQL library; names are checked
# against `_NAME` and positions are ints, so nothing in them needs quoting in any dialect.


def positions(conn: Any) -> dict[str, int]:
    """Where each view stands. Readers that were promised a position wait for it here."""
    found = conn.exec_driver_sql("SELECT name, position FROM fondaco_views")
    return dict(tuple(row) for row in found)


def _stand(conn: Any, name: str, position: int) -> None:
    conn.exec_driver_sql(
        f"UPDATE fondaco_views SET position = {position:d} WHERE name = '{name}'"  # noqa: S608
    )


def _enter(conn: Any, name: str, tables: Sequence[str]) -> None:
    conn.exec_driver_sql(
        "INSERT INTO fondaco_views (name, position, tables)"  # noqa: S608
        f" VALUES ('{name}', 0, '{' '.join(tables)}')"
    )


def _strike(conn: Any, name: str) -> None:
    """Drop a view of another build, of which nothing is known but what it noted of itself."""
    noted = conn.exec_driver_sql(f"SELECT tables FROM fondaco_views WHERE name = '{name}'")  # noqa: S608
    for table in noted.scalar_one().split():
        conn.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    conn.exec_driver_sql(f"DELETE FROM fondaco_views WHERE name = '{name}'")  # noqa: S608


class Projector:
    """The only writer of its views. Not for several threads at a time."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        views: Sequence[View],
        watch: Watch | None = None,
    ) -> None:
        for view in views:
            if not _NAME.fullmatch(view.name):
                raise ValueError(f"a view is called {view.name!r}, must end in a number: orders_v1")
        self._journal = journal
        self._store = store
        self._views = {view.name: view for view in views}
        self._watch = watch
        self.trouble = ""  # why nothing is carried just now
        self._positions: dict[str, int] = {}
        with store.writing() as conn:
            conn.exec_driver_sql(
                "CREATE TABLE IF NOT EXISTS fondaco_views"
                " (name VARCHAR(64) PRIMARY KEY, position BIGINT NOT NULL, tables TEXT NOT NULL)"
            )
            known = positions(conn)
            for name, view in self._views.items():
                if name not in known:
                    view.create(conn)
                    _enter(conn, name, view.tables)
                self._positions[name] = known.get(name, 0)

    @property
    def position(self) -> int:
        """The journal as far as every view shows it."""
        return min(self._positions.values(), default=self._journal.head())

    def step(self, limit: int = STEP, until: int | None = None) -> int:
        """Carry on by about `limit` entries and say by how many; 0 at the end of the journal, or
        at the position `until`.

        A view that fills from the start takes its own turns, so that it holds up nobody else, and
        joins the others where they stand.
        """
        front = max(self._positions.values(), default=0)
        behind = sorted({position for position in self._positions.values() if position < front})
        carried = 0
        for position in [*behind, front]:  # who reaches the front goes on with the others
            views = [self._views[name] for name, at in self._positions.items() if at == position]
            entries: Sequence[Entry] = self._journal.follow(position, limit)
            last = until if position == front else front
            if last is not None and entries and entries[-1].position > last:
                entries = [entry for entry in entries if entry.position <= last]
            if entries and views and self._carry(views, position, entries):
                carried += len(entries)
        return carried

    def _carry(self, views: Sequence[View], position: int, entries: Sequence[Entry]) -> bool:
        """False where somebody else has carried these views meanwhile; then theirs counts."""
        end = entries[-1].position
        watch = self._watch if len(views) == len(self._views) else None
        began = ended = watch.now() if watch else 0
        parts: dict[str, int] = {}
        carried = False
        try:
            with self._store.writing() as conn:
                found = positions(conn)
                if all(found.get(view.name) == position for view in views):
                    for view in views:
                        view.apply(conn, entries)
                        _stand(conn, view.name, end)
                        if watch:
                            before, ended = ended, watch.now()
                            parts[view.name] = ended - before
                    carried = True
        except BaseException:
            carried = False
            raise
        finally:
            if not carried:  # what a view remembers never became true, or is true no more
                for view in views:
                    view.forget()
        if carried:
            self._positions.update((view.name, end) for view in views)
            if watch:
                watch.shown(entries, began, parts)
        else:
            self._positions.update((view.name, found.get(view.name, 0)) for view in views)
        return carried

    def run(self, stop: Stop, beside: Callable[[], bool] = lambda: False) -> None:
        """Follow the journal until `stop` is set. The journal's own index is kept up in between,
        and `beside` is called, which does a little of something and says whether it has more."""
        idle_s = IDLE_MIN_S
        index_more = getattr(self._journal, "index_more", None)
        more = index_more is not None
        retired = False
        while not stop.wait(0):
            try:
                carried = self.step()
                if not (carried or retired) and self.position >= self._journal.head():
                    self.retire()
                    retired = True
                self.trouble = ""
            except Unavailable as error:
                # The disk is full, or the file is locked: nothing is lost, it is tried again.
                carried, self.trouble = 0, error.message
            if index_more is not None and (carried or more):
                more = index_more()
            if beside():
                continue
            if carried:
                idle_s = IDLE_MIN_S
                if carried < STEP:  # else it is behind, and goes on at once
                    stop.wait(min(carried * GATHER_S, GATHER_MAX_S))
            else:
                stop.wait(idle_s)
                idle_s = min(2 * idle_s, IDLE_MAX_S)

    def catch_up(self, until: int | None = None) -> int:
        """Carry everything there is; for tools and tests. Returns how many entries."""
        total = 0
        while carried := self.step(until=until):
            total += carried
        return total

    def rebuild(self, name: str) -> None:
        """Empty one view; the next steps fill it again."""
        view = self._views[name]
        with self._store.writing() as conn:
            view.drop(conn)
            view.create(conn)
            _stand(conn, name, 0)
        view.forget()
        self._positions[name] = 0

    def retire(self) -> list[str]:
        """Drop the views that this build does not have, and return their names.

        Does nothing while a view of this build is behind the journal: readers of the build before
        are still served by its numbers.
        """
        if self.position < self._journal.head():
            return []
        with self._store.writing() as conn:
            gone = sorted(positions(conn).keys() - self._views.keys())
            for name in gone:
                _strike(conn, name)
        return gone


def digests(conn: Any, views: Sequence[View]) -> dict[str, str]:
    """A hash of the rows of every table, whatever order they were written in."""
    found: dict[str, str] = {}
    for view in views:
        for table in view.tables:
            rows = conn.exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608  # our own name
            # Rows are added up rather than sorted: a table need not fit into memory.
            total = count = 0
            for row in rows:
                digest = blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
                total = (total + int.from_bytes(digest, "big")) % 2**128
                count += 1
            found[table] = f"{count} rows {total:032x}"
    return found


def views_equal_replay(
    journal: Journal, store: Store, scratch: Store, views: Callable[[], Sequence[View]]
) -> list[str]:
    """Tables of `store` that differ from what the journal gives when it is replayed into `scratch`.

    `store` is only read, as of one moment, so that this may run beside whoever carries it on.
    Raises `Unavailable` while one of its views is still filling.
    """
    made = views()
    with store.reading() as conn:
        found = positions(conn)
        stand = {found.get(view.name, 0) for view in made}
        if len(stand) != 1:
            raise Unavailable(f"views stand at {found}; compare them once all stand at the same")
        Projector(journal, scratch, made).catch_up(until=stand.pop())
        with scratch.reading() as replayed:
            kept, again = digests(conn, made), digests(replayed, made)
    return [
        f"{name}: {rows}, replayed {again[name]}"
        for name, rows in kept.items()
        if rows != again[name]
    ]
