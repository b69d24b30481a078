"""FIX messages as columns: carried from the tape into a lake, partitioned by day and session.

The lake needs Polars (the extra `lake`); without it there is none, and whoever asks for series is
answered from the index of messages, as far back as that reaches.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fondaco.app.fix.taped import Taped
from fondaco.domain.fix.search.model import Asked
from fondaco.domain.fix.search.redaction import redacted
from fondaco.domain.fix.series import (
    ANSWERS,
    REJECTED,
    REJECTS,
    REPORT,
    REQUESTS,
    Point,
    Row,
    row_of,
    series,
)
from fondaco.domain.fix.store import messages as kept
from fondaco.ports.at_rest import AtRest
from fondaco.ports.lake import Column, Lake, Table
from fondaco.ports.tape import Frame
from fondaco.ports.tape.tail import SegmentTail

if TYPE_CHECKING:
    import polars as pl

TABLE: Final = Table(
    (
        Column("id", "whole"),
        Column("at", "time"),
        Column("session", "text"),
        Column("direction", "text"),
        Column("msg_type", "text"),
        Column("seq_num", "whole"),
        Column("symbol", "text"),
        Column("side", "text"),
        Column("qty", "decimal"),
        Column("price", "decimal"),
        Column("cl_ord_id", "text"),
        Column("exec_type", "text"),
        Column("raw", "bytes"),
    ),
    key="session",
    time="at",
)
AT_ONCE: Final = 50_000  # messages of a batch
SERIES: Final = ["id", "at", "session", "direction", "msg_type", "cl_ord_id", "exec_type"]
DAY_NS: Final = 86_400_000_000_000


def has_lake() -> bool:
    return find_spec("polars") is not None


def open_lake(folder: Path, at_rest: AtRest | None = None) -> Lake:
    from fondaco.ports.lake.parquet import ParquetLake

    return ParquetLake(folder, TABLE, at_rest)


class Columns:
    """Carries the tape into the lake. Belongs to the one who writes the index."""

    def __init__(
        self, lake: Lake, tape: Path, keep_days: int, at_rest: AtRest | None = None
    ) -> None:
        self._lake, self._taped, self._keep_days = lake, Taped(tape), keep_days
        self._tail = SegmentTail(tape, lake.positions(), at_rest)

    def step(self, now: int) -> bool:
        """Carry a batch; whether there may be more. After an error another one of us goes on from
        the lake's positions."""
        frames: list[Frame] = []
        for frame in self._tail.step():
            frames.append(frame)
            if len(frames) == AT_ONCE:
                break
        if frames:
            rows = [_row(*each) for each in self._taped.messages(frames)]
            positions = {frame.source: frame.position for frame in frames}
            self._lake.append(columns_of(rows), positions)
        if len(frames) < AT_ONCE:
            self._lake.compact(_day(now))
            self._lake.forget(_day(now - self._keep_days * DAY_NS))
        return len(frames) == AT_ONCE

    def close(self) -> None:
        self._tail.close()


def _row(position: int, asked: Asked) -> Row:
    raw = redacted(asked.raw)
    return row_of(position, Asked(asked.at, asked.session, asked.direction, raw))


def columns_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {each.name: [getattr(row, each.name) for row in rows] for each in TABLE.columns}


def _day(at: int) -> str:
    from fondaco.ports.lake.parquet import day_of

    return day_of(at)


def indexed(
    conn: Any, after: int, before: int, session: str | None, behind: Callable[[str], int]
) -> Iterator[Row]:
    """Messages of the index in that time, in their order, but for those that the lake has: up to
    `behind` of their session."""
    for each in kept.within(conn, after, before, session):
        if each.id > behind(each.session):
            yield row_of(each.id, each.asked)


def series_of(
    lake: Lake | None, conn: Any, after: int, before: int, width: int, session: str | None
) -> tuple[list[Point], int]:
    """Points, and how many messages came from the lake; the others were in the index alone."""
    if lake is None:
        return series(indexed(conn, after, before, session, lambda _: -1), after, before, width), 0
    frame = _scanned(lake, after, before, session, SERIES)
    known: dict[str, int] = dict(frame.group_by("session").agg(_max_id()).iter_rows())
    young = list(indexed(conn, after, before, session, lambda name: known.get(name, -1)))
    return _points(_together(frame, young), after, width), frame.height


def refused_of(
    lake: Lake | None, conn: Any, after: int, before: int
) -> Iterator[tuple[str, bytes]]:
    """Session and bytes of each message that refuses something in that time."""
    behind: dict[str, int] = {}
    if lake is not None:
        frame = _scanned(lake, after, before, None, [*SERIES, "raw"])
        behind = dict(frame.group_by("session").agg(_max_id()).iter_rows())
        yield from frame.filter(_refuses()).select("session", "raw").iter_rows()
    for row in indexed(conn, after, before, None, lambda name: behind.get(name, -1)):
        if row.is_reject:
            yield row.session, row.raw


def _refuses() -> "pl.Expr":
    import polars as pl

    kind = pl.col("msg_type")
    is_rejected = (pl.col("exec_type") == REJECTED).fill_null(value=False)
    return kind.is_in(list(REJECTS)) | ((kind == REPORT) & is_rejected)


def _max_id() -> "pl.Expr":
    import polars as pl

    return pl.col("id").max()


def _scanned(
    lake: Lake, after: int, before: int, session: str | None, names: Sequence[str]
) -> "pl.DataFrame":
    try:
        return _scanned_once(lake, after, before, session, names)
    except FileNotFoundError:  # put together with others since the manifest was read
        return _scanned_once(lake, after, before, session, names)


def _scanned_once(
    lake: Lake, after: int, before: int, session: str | None, names: Sequence[str]
) -> "pl.DataFrame":
    import polars as pl

    at = pl.col("at").to_physical()
    frames = [
        pl.scan_parquet(lake.opened(part), hive_partitioning=False)
        .select(names)
        .filter(at >= after, at < before)
        .collect()
        for part in lake.parts(after, before, session)
    ]
    return pl.concat(frames) if frames else _frame([]).with_columns(raw=pl.lit(b"")).select(names)


def _frame(rows: Sequence[Row]) -> "pl.DataFrame":
    import polars as pl

    kinds: dict[str, Any] = dict.fromkeys(SERIES, pl.String)
    kinds |= {"id": pl.Int64, "at": pl.Datetime("ns", "UTC")}
    return pl.DataFrame(
        {name: [getattr(row, name) for row in rows] for name in SERIES}, schema=kinds
    )


def _together(frame: "pl.DataFrame", young: Sequence[Row]) -> "pl.DataFrame":
    import polars as pl

    return pl.concat([frame, _frame(young)]).with_columns(pl.col("at").to_physical())


def _points(frame: "pl.DataFrame", after: int, width: int) -> list[Point]:
    """What `domain.fix.series.series` says of the same rows, by columns."""
    import polars as pl

    begin = (after + (pl.col("at") - after) // width * width).alias("begin")
    is_in = pl.col("direction") == "in"
    counts = (
        frame.with_columns(begin)
        .group_by("begin", "session")
        .agg(
            is_in.sum().alias("in"), (~is_in).sum().alias("out"), _refuses().sum().alias("rejects")
        )
    )
    waits = _latencies(frame).with_columns(begin).group_by("begin", "session")
    rank = {percent: (pl.len() * percent + 99) // 100 - 1 for percent in (50, 99)}
    sorted_waits = pl.col("wait").sort()
    measured = waits.agg(
        pl.len().alias("answered"),
        sorted_waits.get(rank[50]).alias("p50"),
        sorted_waits.get(rank[99]).alias("p99"),
        pl.col("wait").max().alias("longest"),
    )
    found = counts.join(measured, on=["begin", "session"], how="left").with_columns(
        pl.col("answered").fill_null(0), pl.col("p50", "p99", "longest").fill_null(-1)
    )
    return [Point(*row) for row in found.sort("begin", "session").iter_rows()]


def _latencies(frame: "pl.DataFrame") -> "pl.DataFrame":
    """`at` of each request that was answered, and how long it waited."""
    import polars as pl

    named = frame.filter(pl.col("cl_ord_id").is_not_null()).sort("id")
    on = ["session", "direction", "cl_ord_id"]
    requests = (
        named.filter(pl.col("msg_type").is_in(list(REQUESTS)))
        .group_by(on)
        .agg(pl.col("id").first(), pl.col("at").first())
    )
    other = pl.when(pl.col("direction") == "in").then(pl.lit("out")).otherwise(pl.lit("in"))
    answers = named.filter(pl.col("msg_type").is_in(list(ANSWERS))).with_columns(
        other.alias("direction")
    )
    return (
        requests.join(answers.select(*on, "id", "at"), on=on, suffix="_answered")
        .filter(pl.col("id_answered") > pl.col("id"))
        .sort("id_answered")
        .group_by(on)
        .agg(pl.col("at").first(), pl.col("at_answered").first())
        .with_columns((pl.col("at_answered") - pl.col("at")).clip(0).alias("wait"))
    )
