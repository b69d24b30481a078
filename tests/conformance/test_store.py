"""One suite for every store, one test a promise. An adapter not in `OPEN` does not exist."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Signal
from typing import TypeAlias

import pytest
import sqlalchemy as sa

from fondaco.kernel.errors import Conflict, Corrupt, Unavailable
from fondaco.kernel.event import Event, Instant
from fondaco.ports.store import Store, outbox_metadata, publish, sqlite, take_away, told
from fondaco.ports.store.postgres import PostgresStore
from fondaco.ports.store.sqlite import SqliteStore
from servers import postgres

Open: TypeAlias = Callable[[Path], Store]
OPEN: dict[str, Open] = {
    "sqlite": lambda folder: SqliteStore(folder / "store.db"),
    "encrypted sqlite": lambda folder: SqliteStore(folder / "store.db", key="17" * 32),
    "postgres": lambda folder: PostgresStore(postgres().database(str(folder.resolve()))),
}
each = pytest.mark.parametrize("store", OPEN, indirect=True)

metadata = sa.MetaData()
people = sa.Table(
    "people",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("age", sa.Integer, nullable=False),
)


class PersonJoined(Event, frozen=True, tag="test.person_joined.v1"):
    name: str


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = OPEN[request.param](tmp_path)
    store.create(metadata)
    store.create(outbox_metadata)
    yield store
    store.close()


def join(conn: sa.Connection, name: str, age: int = 1) -> None:
    conn.execute(people.insert().values(name=name, age=age))


def names(conn: sa.Connection) -> list[str]:
    return list(conn.scalars(sa.select(people.c.name).order_by(people.c.name)))


def test_an_encrypted_file_that_is_open_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing it would give up the locks of who has it open in this process (POSIX)."""
    first = SqliteStore(tmp_path / "store.db", key="17" * 32)
    monkeypatch.setattr(sqlite, "is_plain_sqlite", lambda _: pytest.fail("it was opened"))
    second = SqliteStore(tmp_path / "store.db", key="17" * 32)
    second.create(metadata)
    second.close()
    with first.writing() as conn:
        join(conn, "ada")
    first.close()


@each
def test_1_a_block_is_committed_whole(store: Store) -> None:
    with store.writing() as conn:
        join(conn, "ada")
        join(conn, "bob")
    with store.reading() as conn:
        assert names(conn) == ["ada", "bob"]


@each
@pytest.mark.parametrize("error", [ValueError, Conflict, KeyboardInterrupt])
def test_1_a_block_that_raises_leaves_neither_record_nor_event(
    store: Store, error: type[BaseException]
) -> None:
    def broken() -> None:
        with store.writing() as conn:
            join(conn, "ada")
            publish(conn, "people", PersonJoined("ada"), Instant(1))
            raise error("half way")

    with pytest.raises(error):
        broken()
    with store.reading() as conn:
        assert (names(conn), told(conn, 10)) == ([], [])


@each
def test_1_events_are_told_in_order_under_numbers_that_are_never_used_again(store: Store) -> None:
    def tell(name: str) -> None:
        with store.writing() as conn:
            join(conn, name)
            publish(conn, "people", PersonJoined(name), Instant(5))

    tell("ada")
    tell("bob")
    with store.writing() as conn:
        first, second = told(conn, 10)
        assert b"ada" in first.event
        assert b"test.person_joined.v1" in first.event
        take_away(conn, second.number)
    tell("cy")
    with store.reading() as conn:
        [third] = told(conn, 10)
    assert first.number < second.number < third.number
    assert (third.stream, third.at) == ("people", 5)


@each
def test_2_a_reader_sees_one_state_of_whole_transactions(store: Store) -> None:
    with store.reading() as early:  # began before, and has not looked yet
        with store.writing() as conn:
            join(conn, "ada")
            with store.reading() as meanwhile:
                assert names(meanwhile) == []
        with store.reading() as late:
            assert names(late) == ["ada"]
        assert names(early) == []


@each
def test_3_a_reader_changes_nothing(store: Store) -> None:
    with pytest.raises(Unavailable), store.reading() as conn:
        join(conn, "ada")
    with store.reading() as conn:
        assert names(conn) == []


@pytest.mark.parametrize("adapter", OPEN)
def test_4_what_was_committed_survives_the_process(adapter: str, tmp_path: Path) -> None:
    script = (
        "import os, sys; sys.path[:0] = eval(sys.argv[2]); from pathlib import Path; "
        "from test_store import *; store = OPEN[sys.argv[1]](Path('.')); store.create(metadata)\n"
        "with store.writing() as conn: join(conn, 'ada')\n"
        "os.kill(os.getpid(), 9)"
    )
    path = [str(Path(__file__).parent), *sys.path]
    ran = subprocess.run([sys.executable, "-c", script, adapter, str(path)], cwd=tmp_path)
    assert ran.returncode == -9
    with OPEN[adapter](tmp_path).reading() as conn:
        assert names(conn) == ["ada"]


@each
def test_5_writers_take_turns_and_lose_nothing(store: Store) -> None:
    with store.writing() as conn:
        join(conn, "ada", age=0)

    def grow(_: int) -> None:
        with store.writing() as conn:
            age = conn.scalars(sa.select(people.c.age)).one()
            conn.execute(people.update().values(age=age + 1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(grow, range(40)))
    with store.reading() as conn:
        assert conn.scalars(sa.select(people.c.age)).one() == 40


@each
def test_5_a_reader_waits_for_no_writer_and_no_writer_for_a_reader(store: Store) -> None:
    has_read, has_written = Signal(), Signal()

    def read() -> list[str]:
        with store.reading() as conn:
            before = names(conn)
            has_read.set()
            assert has_written.wait(10)
            return before + names(conn)

    with ThreadPoolExecutor(1) as threads, store.writing() as conn:
        reading = threads.submit(read)
        assert has_read.wait(10)
        join(conn, "ada")
        conn.commit()
        has_written.set()
        assert reading.result(10) == []


@each
def test_6_create_leaves_what_is_there_and_drop_takes_it_away(store: Store) -> None:
    with store.writing() as conn:
        join(conn, "ada")
    store.create(metadata)
    with store.reading() as conn:
        assert names(conn) == ["ada"]
    store.drop(metadata)
    store.drop(metadata)
    store.create(metadata)
    with store.reading() as conn:
        assert names(conn) == []


@each
def test_7_a_row_that_is_there_is_a_conflict(store: Store) -> None:
    with store.writing() as conn:
        join(conn, "ada")
    with pytest.raises(Conflict), store.writing() as conn:
        join(conn, "ada")


@each
def test_7_a_table_that_is_missing_is_corrupt_and_nothing_to_try_again(store: Store) -> None:
    store.drop(metadata)
    with pytest.raises(Corrupt, match="people"), store.reading() as conn:
        names(conn)


def test_7_a_file_that_is_no_store_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(Corrupt):
        SqliteStore(tmp_path / "store.db")


def test_7_a_place_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SqliteStore(tmp_path / "nowhere" / "store.db")


def test_7_a_full_disk_is_unavailable_and_serves_again_afterwards(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.create(metadata)
    with store.writing() as conn:  # the engine's own limit says what a full disk says
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="full"), store.writing() as conn:
        join(conn, "x" * 100_000)
    with store.writing() as conn:
        assert names(conn) == []
        conn.exec_driver_sql("PRAGMA max_page_count = 1000000")
        join(conn, "ada")
    with store.reading() as conn:
        assert names(conn) == ["ada"]


@each
def test_8_a_copy_is_one_whole_moment(store: Store, tmp_path: Path) -> None:
    with store.writing() as conn:
        join(conn, "ada")
    with ThreadPoolExecutor(1) as threads, store.writing() as conn:
        join(conn, "bob")
        threads.submit(store.copy, tmp_path / "copy.db").result(10)
    copy = SqliteStore(tmp_path / "copy.db", key="17" * 32)  # where it is encrypted
    with copy.reading() as conn:
        assert names(conn) == ["ada"]
    with pytest.raises(Conflict):
        store.copy(tmp_path / "copy.db")


# --- Views are not synced ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settled", "another_boot", "is_there"),
    [(False, False, True), (False, True, False), (True, True, True), (True, False, True)],
)
def test_what_is_not_synced_is_begun_anew_after_another_boot_unless_it_was_settled(
    tmp_path: Path, settled: bool, another_boot: bool, is_there: bool
) -> None:
    marker = tmp_path / "views.db.boot"
    store = SqliteStore(tmp_path / "views.db", durable=False)
    store.create(metadata)
    assert marker.exists(), "nothing warns of a power cut"
    if settled:
        store.settle()
        assert not marker.exists()
    store.close()
    if another_boot and marker.exists():
        marker.write_text("another boot")
    again = SqliteStore(tmp_path / "views.db", durable=False)
    with again.reading() as conn:
        found = sa.inspect(conn).get_table_names()
    again.close()
    assert bool(found) is is_there
    assert marker.read_text() != "another boot"


def test_records_are_synced_and_never_begun_anew(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "records.db")
    store.create(metadata)
    with store.writing() as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()
    assert not (tmp_path / "records.db.boot").exists()


@each
def test_9_what_was_deleted_is_nowhere_once_it_is_scrubbed(store: Store, tmp_path: Path) -> None:
    with store.writing() as conn:
        for number in range(200):
            join(conn, f"Lovelace {number}")
        join(conn, "Moneypenny")
    with store.writing() as conn:
        conn.execute(people.delete().where(people.c.name != "Moneypenny"))
    store.scrub()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"Lovelace" not in kept
    with store.reading() as conn:
        assert names(conn) == ["Moneypenny"]
