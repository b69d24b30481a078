"""Carries the journal into views. A view's rows and its position commit together, so that a
projector may die anywhere and go on where the rows are.

A view is never migrated: its name ends in a number, and a new number is another view that fills
beside the old one. `retire` drops what no build reads any more, once everything new stands at the
journal's end; until then a build of yesterday still finds its tables.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Entry
from fondaco.ports.journal import Journal

STEP: Final = 2_048  # entries in one transaction: what a reader may have to wait for under load
IDLE_MIN_S: Final = 0.0005  # the first wait after the journal's end was reached; it doubles
IDLE_MAX_S: Final = 0.004
_NAME: Final = re.compile(r"[a-z][a-z_]*_v[0-9]+")


class Connection(Protocol):
    """What a projector needs of a store's connection; a view knows more about it."""

    def exec_driver_sql(self, statement: str) -> Any: ...


class Store(Protocol):
    """Where views live. `writing` is a transaction; `reading` sees one state of all tables."""

    def writing(self) -> AbstractContextManager[Any]: ...

    def reading(self) -> AbstractContextManager[Any]: ...


class Stop(Protocol):
    """A `threading.Event`, or one of `multiprocessing`."""

    def wait(self, timeout: float | None = None) -> bool: ...


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


# The three statements below are written out, since runtime knows no SQL library; names are checked
# against `_NAME` and positions are ints, so nothing in them needs quoting in any dialect.


def positions(conn: Connection) -> dict[str, int]:
    """Where each view stands. Readers that were promised a position wait for it here."""
    found = conn.exec_driver_sql("SELECT name, position FROM fondaco_views")
    return dict(tuple(row) for row in found)


def _stand(conn: Connection, name: str, position: int) -> None:
    conn.exec_driver_sql(
        f"UPDATE fondaco_views SET position = {position:d} WHERE name = '{name}'"  # noqa: S608
    )


def _enter(conn: Connection, name: str) -> None:
    conn.exec_driver_sql(
        f"INSERT INTO fondaco_views (name, position) VALUES ('{name}', 0)"  # noqa: S608
    )


def _strike(conn: Connection, name: str) -> None:
    conn.exec_driver_sql(f"DELETE FROM fondaco_views WHERE name = '{name}'")  # noqa: S608


class Projector:
    """The only writer of its views. Not for several threads at a time."""

    def __init__(self, journal: Journal, store: Store, views: Sequence[View]) -> None:
        for view in views:
            if not _NAME.fullmatch(view.name):
                raise ValueError(f"a view is called {view.name!r}, must end in a number: orders_v1")
        self._journal = journal
        self._store = store
        self._views = {view.name: view for view in views}
        self._index_more = getattr(journal, "index_more", None)
        self._positions: dict[str, int] = {}
        with store.writing() as conn:
            conn.exec_driver_sql(
                "CREATE TABLE IF NOT EXISTS fondaco_views"
                " (name VARCHAR(64) PRIMARY KEY, position BIGINT NOT NULL)"
            )
            known = positions(conn)
            for name, view in self._views.items():
                if name not in known:
                    view.create(conn)
                    _enter(conn, name)
                self._positions[name] = known.get(name, 0)

    @property
    def position(self) -> int:
        """The journal as far as every view shows it."""
        return min(self._positions.values(), default=self._journal.head())

    def step(self, limit: int = STEP) -> int:
        """Carry on by about `limit` entries and say by how many; 0 at the journal's end.

        A view that fills from the start takes its own turns, so that it holds up nobody else, and
        joins the others where they stand.
        """
        front = max(self._positions.values(), default=0)
        behind = sorted({position for position in self._positions.values() if position < front})
        carried = 0
        for position in [*behind, front]:  # who reaches the front goes on with the others
            views = [self._views[name] for name, at in self._positions.items() if at == position]
            entries: Sequence[Entry] = self._journal.follow(position, limit)
            if position < front:
                entries = [entry for entry in entries if entry.position <= front]
            if entries and views:
                self._carry(views, entries)
                carried += len(entries)
        return carried

    def _carry(self, views: Sequence[View], entries: Sequence[Entry]) -> None:
        end = entries[-1].position
        carried = False
        try:
            with self._store.writing() as conn:
                for view in views:
                    view.apply(conn, entries)
                    _stand(conn, view.name, end)
            carried = True
        finally:
            if not carried:  # rolled back: what a view remembers never became true
                for view in views:
                    view.forget()
        self._positions.update((view.name, end) for view in views)

    def run(self, stop: Stop) -> None:
        """Follow the journal until `stop` is set. The journal's own index is kept up in between."""
        idle_s = IDLE_MIN_S
        while not stop.wait(0):
            try:
                carried = self.step()
            except Unavailable:
                carried = 0  # the disk is full, or locked: nothing is lost, it is tried again
            if self._index_more is not None:
                self._index_more()
            if carried:
                idle_s = IDLE_MIN_S
            else:
                stop.wait(idle_s)
                idle_s = min(2 * idle_s, IDLE_MAX_S)

    def catch_up(self) -> int:
        """Carry everything there is; for tools and tests. Returns how many entries."""
        total = 0
        while carried := self.step():
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

    def retire(self, old: Sequence[View]) -> list[str]:
        """Drop those of `old` that nobody reads any more, and return their names.

        Does nothing while a view of this build is behind the journal: its readers are still served
        by the numbers before it.
        """
        if self.position < self._journal.head():
            return []
        gone = []
        with self._store.writing() as conn:
            known = positions(conn)
            for view in old:
                if view.name in known and view.name not in self._views:
                    view.drop(conn)
                    _strike(conn, view.name)
                    gone.append(view.name)
        return gone
