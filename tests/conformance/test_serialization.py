"""Writers that meet in PostgreSQL: one is told 40001, and does again what it was about (P73)."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from faults.noted import CODEC, A, decision
from fondaco.kernel.event import Entry
from fondaco.ports.journal.postgres import PostgresJournal
from fondaco.ports.store.postgres import PostgresStore
from servers import postgres

TABLE = sa.Table("words", sa.MetaData(), sa.Column("word", sa.Text, primary_key=True))


@contextlib.contextmanager
def meeting(url: str, moves: str, writes: Callable[[], Any]) -> Iterator["Future[Any]"]:
    """`writes` begins while another has moved the row that it must move, and not committed; the
    other commits once it waits there."""
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(url) as other,
        psycopg.connect(url, autocommit=True) as looking,
    ):
        assert other.execute(moves).rowcount == 1
        result = pool.submit(writes)
        waits = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        until = time.monotonic() + 30
        while not (looking.execute(waits).fetchone() or (0,))[0]:
            assert not result.done(), "it did not wait for the other"
            assert time.monotonic() < until
            time.sleep(0.01)
        other.commit()
        yield result


@pytest.fixture
def url(tmp_path: Path) -> str:
    return postgres().database(str(tmp_path))


def test_an_append_that_cannot_be_serialised_is_made_again_and_stands_once(url: str) -> None:
    with contextlib.closing(PostgresJournal(url, CODEC)) as journal:
        first = journal.append([decision(A, 0, "before")])
        moves = "UPDATE fondaco_head SET position = position"
        with meeting(url, moves, lambda: journal.append([decision(A, 1, "after")])) as made:
            found: list[Entry] = made.result(30)
        assert [each.version for each in (*first, *found)] == [1, 2]
        assert [each.version for each in journal.read(A)] == [1, 2]


def test_a_block_of_records_that_cannot_be_serialised_begins_again_and_is_there_once(
    url: str,
) -> None:
    with contextlib.closing(PostgresStore(url)) as store:
        store.create(TABLE.metadata)

        def write() -> None:
            with store.writing() as conn:
                conn.execute(TABLE.insert().values(word="once"))

        with meeting(url, "UPDATE fondaco_store_turn SET turn = turn", write) as made:
            made.result(30)
        with store.reading() as conn:
            assert list(conn.scalars(sa.select(TABLE.c.word))) == ["once"]


def test_everything_is_written_serialisably(url: str) -> None:
    with contextlib.closing(PostgresStore(url)) as store:
        said = sa.text("SHOW transaction_isolation")
        with store.writing() as conn:
            assert conn.scalar(said) == "serializable"
