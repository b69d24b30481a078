"""What a projector promises to readers of views, wherever it is stopped."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import sqlalchemy as sa

from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Entry
from fondaco.ports.store import Store
from fondaco.runtime.projector import Projector, digests, positions, views_equal_replay
from ledger.history import DEMO, History, store


class Seen:
    """A view that keeps what it was shown: a row per entry, in a table of its own number."""

    def __init__(self, number: int = 1, fails_at: int = 0) -> None:
        self.name = f"seen_v{number}"
        self.fails_at = fails_at
        self.forgot = 0
        self.steps: list[int] = []
        self.metadata = sa.MetaData()
        self.table = sa.Table(
            self.name, self.metadata, sa.Column("position", sa.Integer, primary_key=True)
        )

    @property
    def tables(self) -> Sequence[str]:
        return [self.name]

    def create(self, conn: sa.Connection) -> None:
        self.metadata.create_all(conn)

    def drop(self, conn: sa.Connection) -> None:
        self.metadata.drop_all(conn)

    def forget(self) -> None:
        self.forgot += 1

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        rows = [{"position": entry.position} for entry in entries]
        conn.execute(self.table.insert(), rows)
        self.steps.append(len(rows))
        if any(entry.position == self.fails_at for entry in entries):
            raise Unavailable("the disk is full")

    def rows(self, conn: Any) -> list[int]:
        return list(conn.execute(sa.select(self.table.c.position).order_by("position")).scalars())


def history(orders: int = 10) -> History:
    made = History().open()
    for _ in range(orders):
        made.accept()
    return made


def rows(views: Store, view: Seen) -> list[int]:
    with views.reading() as conn:
        return view.rows(conn)


def test_every_entry_once_and_in_order(tmp_path: Path) -> None:
    journal, view, views = history().journal, Seen(), store(tmp_path)
    projector = Projector(journal, views, [view])
    while projector.step(3):
        pass
    assert rows(views, view) == list(range(1, journal.head() + 1))
    assert max(view.steps) == 3
    assert projector.position == journal.head()


def test_rows_and_position_stand_together_when_a_view_fails(tmp_path: Path) -> None:
    journal, views, good = history().journal, store(tmp_path), Seen(1)
    bad = Seen(2, fails_at=7)
    projector = Projector(journal, views, [good, bad])
    projector.step(5)
    with pytest.raises(Unavailable):
        projector.step(5)
    assert good.forgot == bad.forgot == 1
    with views.reading() as conn:
        assert good.rows(conn) == bad.rows(conn) == [1, 2, 3, 4, 5]
        assert positions(conn) == {"seen_v1": 5, "seen_v2": 5}
    bad.fails_at = 0
    projector.catch_up()
    assert rows(views, good) == rows(views, bad) == list(range(1, journal.head() + 1))


def test_a_new_process_goes_on_where_the_rows_are(tmp_path: Path) -> None:
    journal, views = history().journal, store(tmp_path)
    Projector(journal, views, [Seen()]).step(4)
    again = Seen()
    Projector(journal, views, [again]).catch_up()
    assert rows(views, again) == list(range(1, journal.head() + 1))
    assert again.steps == [journal.head() - 4]


def test_two_projectors_of_the_same_views_carry_nothing_twice(tmp_path: Path) -> None:
    journal, views, one, other = history().journal, store(tmp_path), Seen(), Seen()
    first, second = Projector(journal, views, [one]), Projector(journal, views, [other])
    first.step(5)
    assert second.step(3) == 0, "it stands where the first was, which is no longer true"
    assert other.forgot == 1
    assert second.position == 5
    second.step(3)
    first.catch_up()
    first.catch_up()
    assert rows(views, one) == list(range(1, journal.head() + 1))


def test_a_new_number_fills_beside_the_old_one_and_then_the_old_one_goes(tmp_path: Path) -> None:
    made, views, old = history(), store(tmp_path), Seen(1)
    Projector(made.journal, views, [old]).catch_up()
    new = Seen(2)
    projector = Projector(made.journal, views, [new])
    projector.step(5)
    assert projector.retire() == [], "the new one is not there yet"
    assert len(rows(views, old)) == made.journal.head()
    projector.catch_up()
    assert projector.retire() == ["seen_v1"]
    with views.reading() as conn:
        assert positions(conn) == {"seen_v2": made.journal.head()}
        assert not sa.inspect(conn).has_table("seen_v1")


class After:
    """Says stop after so many waits."""

    def __init__(self, waits: int) -> None:
        self.waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.waits -= 1
        return self.waits < 0


def test_a_follower_drops_what_an_earlier_build_left(tmp_path: Path) -> None:
    made, views = history(), store(tmp_path)
    Projector(made.journal, views, [Seen(1)]).catch_up()
    Projector(made.journal, views, [Seen(2)]).run(After(9))
    with views.reading() as conn:
        assert positions(conn) == {"seen_v2": made.journal.head()}
        assert not sa.inspect(conn).has_table("seen_v1")


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    made, views, view = history(), store(tmp_path), Seen(fails_at=7)
    projector = Projector(made.journal, views, [view])
    projector.run(After(5))
    assert (projector.trouble, projector.position) == ("the disk is full", 0)
    view.fails_at = 0
    projector.run(After(5))
    assert (projector.trouble, projector.position) == ("", made.journal.head())


def test_a_view_that_fills_from_the_start_does_not_hold_up_the_others(tmp_path: Path) -> None:
    made, views, old, new = history(30), store(tmp_path), Seen(1), Seen(2)
    Projector(made.journal, views, [old]).catch_up()
    before = made.journal.head()
    made.accept()
    projector = Projector(made.journal, views, [old, new])
    projector.step(10)
    assert rows(views, old)[-1] == made.journal.head()
    assert len(rows(views, new)) == 10
    while projector.step(10):
        made.journal.head()
    assert rows(views, new) == rows(views, old)
    assert rows(views, new) == list(range(1, before + 3))


def test_rebuild_empties_one_view_and_fills_it_again(tmp_path: Path) -> None:
    made, views, one, other = history(), store(tmp_path), Seen(1), Seen(2)
    projector = Projector(made.journal, views, [one, other])
    projector.catch_up()
    with views.reading() as conn:
        before = digests(conn, [one, other])
    projector.rebuild("seen_v1")
    assert rows(views, one) == []
    assert len(rows(views, other)) == made.journal.head()
    projector.catch_up()
    with views.reading() as conn:
        assert digests(conn, [one, other]) == before


def test_views_equal_replay_finds_a_row_that_the_journal_did_not_make(tmp_path: Path) -> None:
    made, views, view = history(), store(tmp_path), Seen()
    projector = Projector(made.journal, views, [view])
    projector.step(6)  # of a house that is behind, too
    assert views_equal_replay(made.journal, views, store(tmp_path, "a.db"), lambda: [Seen()]) == []
    with views.writing() as conn:
        conn.execute(view.table.delete().where(view.table.c.position == 3))
    (difference,) = views_equal_replay(
        made.journal, views, store(tmp_path, "b.db"), lambda: [Seen()]
    )
    assert difference.startswith("seen_v1: 5 rows")


def test_a_view_must_have_a_number() -> None:
    view = Seen()
    view.name = "seen"
    with pytest.raises(ValueError, match="number"):
        Projector(History().journal, None, [view])  # type: ignore[arg-type]


def test_run_follows_until_stopped_and_readers_see_it_soon(tmp_path: Path) -> None:
    made, views, view = history(2), store(tmp_path), Seen()
    projector, stop = Projector(made.journal, views, [view]), Flag()
    thread = Thread(target=projector.run, args=(stop,))
    thread.start()
    lags = []
    try:
        for _ in range(20):
            made.accept(stream=DEMO)
            asked, head = monotonic(), made.journal.head()
            while projector.position < head:
                assert monotonic() - asked < 10
                sleep(0.0002)
            lags.append(monotonic() - asked)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert rows(views, view) == list(range(1, made.journal.head() + 1))
    assert sorted(lags)[len(lags) // 2] < 0.05, f"lag {lags}"
