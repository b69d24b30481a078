"""Promises of `ports/lake`, numbered as there."""

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.ports.lake import Column, Table
from fondaco.ports.lake.parquet import ParquetLake

DAY = 86_400_000_000_000
TABLE = Table(
    (
        Column("number", "whole"),
        Column("at", "time"),
        Column("session", "text"),
        Column("price", "decimal"),
        Column("raw", "bytes"),
    ),
    key="session",
    time="at",
)
Row = tuple[int, int, str, Decimal | None, bytes]


def columns(rows: list[Row]) -> dict[str, list[Any]]:
    return {each.name: [row[at] for row in rows] for at, each in enumerate(TABLE.columns)}


def read(lake: ParquetLake, key: str | None = None) -> list[tuple[Any, ...]]:
    return [
        row
        for part in lake.parts(0, 2**62, key)
        for row in pl.read_parquet(lake.path(part), hive_partitioning=False)
        .with_columns(pl.col("at").to_physical())
        .iter_rows()
    ]


def row(number: int, session: str = "A", day: int = 0) -> Row:
    return number, day * DAY + number, session, Decimal(number) / 8, b"%d" % number


prices = st.none() | st.decimals(-(10**20), 10**20, places=12)
rows = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 3 * DAY),
        st.sampled_from(["FIX.4.4:A->B", "x/y:%z", "é"]),
        prices,
        st.binary(max_size=20),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=15)
@given(batches=st.lists(rows, max_size=4))
def test_2_and_4_each_key_has_its_partitions_and_what_is_read_was_appended(
    batches: list[list[Row]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    lake = ParquetLake(folder, TABLE)
    for number, batch in enumerate(batches, 1):
        lake.append(columns(batch), {"tape": number})
    all_rows = [each for batch in batches for each in batch]
    for _ in range(2):
        for key in {each[2] for each in all_rows}:
            of_key = [each for each in all_rows if each[2] == key]
            by_day = sorted(of_key, key=lambda each: each[1] // DAY)  # stable: in their order
            found = sorted(read(lake, key), key=lambda each: each[1] // DAY)
            assert found == by_day
        assert len(read(lake)) == len(all_rows)
        lake.compact("9999")
    partitions = {str(Path(part.path).parent) for part in lake.parts(0, 2**62)}
    assert len(lake.parts(0, 2**62)) == len(partitions)  # one file each after `compact`
    shutil.rmtree(folder)


def test_1_a_batch_whose_writer_died_is_not_there_and_is_written_again(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path, TABLE)
    lake.append(columns([row(1)]), {"one": 7})
    before = (tmp_path / "manifest.json").read_bytes()
    lake.append(columns([row(2), row(3, "B")]), {"one": 9, "two": 3})
    (tmp_path / "manifest.json").write_bytes(before)  # it died before the manifest was replaced
    again = ParquetLake(tmp_path, TABLE)
    assert again.positions() == {"one": 7}
    assert read(again) == [row(1)]
    again.append(columns([row(2), row(3, "B"), row(4)]), {"one": 10, "two": 3})
    assert sorted(read(again)) == [row(1), row(2), row(3, "B"), row(4)]
    assert again.positions() == {"one": 10, "two": 3}
    assert again.wrong() == []


def test_3_days_are_put_together_and_forgotten_whole(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path, TABLE)
    for number in range(1, 5):
        lake.append(columns([row(number, day=0), row(number + 4, day=1)]), {})
    content = {part.path: lake.path(part).read_bytes() for part in lake.parts(0, 2**62)}
    assert lake.compact("1970-01-02") == 4
    assert [row[0] for row in read(lake)] == [5, 6, 7, 8, 1, 2, 3, 4]
    left = {part.path: lake.path(part).read_bytes() for part in lake.parts(0, 2**62)}
    assert all(content.get(path, octets) == octets for path, octets in left.items())
    assert len(list(tmp_path.rglob("*.parquet"))) == 5
    assert lake.forget("1970-01-02") == 4
    assert [row[0] for row in read(lake)] == [5, 6, 7, 8]
    assert not list(tmp_path.glob("day=1970-01-01/*/*"))


def test_5_a_file_that_was_changed_or_lost_is_named(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path, TABLE)
    lake.append(columns([row(1), row(2, "B"), row(3, "C")]), {})
    first, second, _ = lake.parts(0, 2**62)
    assert lake.wrong() == []
    lake.path(first).write_bytes(lake.path(second).read_bytes())
    lake.path(second).unlink()
    assert [line.rpartition("parquet ")[2] for line in lake.wrong()] == [
        "does not match its SHA-256 in the manifest",
        "is missing",
    ]
