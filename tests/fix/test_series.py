"""Series by columns say what a plain scan says; a session's messages lie in its own partitions."""

from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fondaco.app.fix.columns import Columns, columns_of, open_lake, series_of
from fondaco.domain.fix import encode
from fondaco.domain.fix.search.model import Asked, Direction
from fondaco.domain.fix.series import Point, Row, row_of, series
from fondaco.domain.fix.store.messages import Keeper, create
from fondaco.gateway.fix.keeping import RECEIVED, SENT
from fondaco.kernel.event import Instant
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.ports.tape.segments import SegmentTape

S = 1_000_000_000
DAY = 86_400 * S


def message(kind: str, seq: int, **fields: str) -> bytes:
    tags = {"cl": 11, "symbol": 55, "side": 54, "qty": 38, "price": 44, "exec_type": 150}
    more = [(tags[name], value.encode()) for name, value in fields.items()]
    return encode("FIX.4.4", [(35, kind.encode()), (34, b"%d" % seq), (49, b"A"), *more])


def naive(rows: list[Row], after: int, before: int, width: int) -> list[Point]:
    """By the words of the definition, each point by itself."""
    inside = [row for row in rows if after <= row.at < before]

    def wait(request: Row) -> int | None:
        same = [
            row
            for row in inside
            if (row.session, row.cl_ord_id) == (request.session, request.cl_ord_id)
        ]
        firsts = [r for r in same if r.msg_type in "DFG" and r.direction == request.direction]
        answers = [
            r
            for r in same
            if r.msg_type in "89" and r.direction != request.direction and r.id > request.id
        ]
        if firsts[0] is not request or not answers:
            return None
        return max(answers[0].at - request.at, 0)

    points = []
    spans = {((row.at - after) // width, row.session) for row in inside}
    for number, session in sorted(spans):
        of = [
            row for row in inside if ((row.at - after) // width, row.session) == (number, session)
        ]
        requests = [row for row in of if row.cl_ord_id is not None and row.msg_type in "DFG"]
        waits = sorted(each for each in map(wait, requests) if each is not None)

        def rank(share: float, waits: list[int] = waits) -> int:
            enough = [w for w in waits if sum(v <= w for v in waits) >= share * len(waits)]
            return enough[0] if waits else -1

        rejects = [
            row
            for row in of
            if row.msg_type in ("3", "9", "j", "Y")
            or (row.msg_type == "8" and row.exec_type == "8")
        ]
        came = sum(row.direction == "in" for row in of)
        points.append(
            Point(
                after + number * width,
                session,
                came,
                len(of) - came,
                len(rejects),
                len(waits),
                rank(0.5),
                rank(0.99),
                waits[-1] if waits else -1,
            )
        )
    return points


cells = st.tuples(
    st.integers(-2, 12),  # at
    st.sampled_from(["A/1", "B>2"]),
    st.sampled_from(["in", "out"]),
    st.sampled_from(["0", "D", "D", "G", "8", "8", "9", "3", "j"]),
    st.sampled_from([None, "x", "x", "y"]),
    st.sampled_from([None, "0", "8"]),
)


def as_rows(drawn: list[tuple[int, str, Direction, str, str | None, str | None]]) -> list[Row]:
    rows = []
    for id, (at, session, way, kind, cl, exec_type) in enumerate(drawn, 1):
        named = {"cl": cl, "exec_type": exec_type}
        raw = message(kind, id, **{name: text for name, text in named.items() if text})
        rows.append(row_of(id, Asked(10 * DAY + at * S, session, way, raw)))
    return rows


@settings(deadline=None, max_examples=25)
@given(drawn=st.lists(cells, max_size=25), cuts=st.tuples(st.integers(0, 25), st.integers(0, 25)))
@example(drawn=[(1, "A/1", "in", "D", "x", None), (0, "A/1", "out", "8", "x", "8")], cuts=(1, 1))
def test_columns_and_index_together_say_what_a_plain_scan_says(
    drawn: list[tuple[int, str, Direction, str, str | None, str | None]],
    cuts: tuple[int, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Each session is carried into the lake up to another place; the index may have all or only
    what the lake has not."""
    rows = as_rows(drawn)
    folder = tmp_path_factory.mktemp("series")
    lake = open_lake(folder / "lake")
    carried = [row for row in rows if row.id <= cuts[row.session == "B>2"]]
    for begin in range(0, len(carried), 7):
        lake.append(columns_of(carried[begin : begin + 7]), {})
    store = SqliteStore(folder / "messages.db", durable=False)
    with store.writing() as conn:
        create(conn)
        indexed = [row for row in rows if row not in carried or row.id % 2]
        kept = [(r.id, Asked(r.at, r.session, r.direction, r.raw)) for r in indexed]
        Keeper().keep(conn, kept)
    after, before, width = 10 * DAY, 10 * DAY + 10 * S, 3 * S
    with store.reading() as conn:
        found, _ = series_of(lake, conn, after, before, width, None)
        one, _ = series_of(lake, conn, after, before, width, "A/1")
    store.close()
    plain = series(rows, after, before, width)
    assert found == plain
    assert plain == naive(rows, after, before, width)
    assert one == [point for point in plain if point.session == "A/1"]


def test_a_tape_becomes_typed_columns_without_secrets_each_session_in_its_partition(
    tmp_path: Path,
) -> None:
    """F18, F31. Batches end anywhere; a carrier that dies goes on where the lake stands."""
    tape = SegmentTape(tmp_path / "fix")
    (tmp_path / "fix").mkdir(exist_ok=True)
    for source, name in (("s1", "FIX.4.4:A->B"), ("s2", "FIX.4.4:A->C/x")):
        (tmp_path / "fix" / f"{source}.name").write_text(name)
    order = {
        "cl": "c1",
        "symbol": "EUR/USD",
        "side": "1",
        "qty": "100.25",
        "price": "1.000000000001",
    }
    for number in range(1, 41):
        source = "s1" if number % 3 else "s2"
        at = Instant(20 * DAY + number * 3_600 * S)
        tape.append(source, at, RECEIVED + message("D", number, **order))
    secret = encode("FIX.4.4", [(35, b"A"), (34, b"41"), (554, b"hunter2"), (38, b"x")])
    tape.append("s1", Instant(22 * DAY), SENT + bytes(8) + secret)
    tape.append("s1", Instant(22 * DAY), RECEIVED + b"no message at all")
    tape.append("s1", Instant(22 * DAY), b"N not a message of the wire")
    tape.close()

    lake = open_lake(tmp_path / "lake")
    for _ in range(2):
        columns = Columns(lake, tmp_path / "fix", 10_000)
        assert not columns.step(22 * DAY)
        columns.close()
    parts = lake.parts(0, 2**62)
    assert {(part.day, part.key) for part in parts} == {
        (day, name)
        for day in ("1970-01-21", "1970-01-22")
        for name in ("FIX.4.4:A->B", "FIX.4.4:A->C/x")
    } | {("1970-01-23", "FIX.4.4:A->B")}
    assert sum(part.rows for part in parts) == 42
    for part in parts:
        _, session, _ = part.path.split("/")
        assert unquote(session) == f"session={part.key}"
        frame = pl.read_parquet(lake.path(part))
        assert set(frame["session"]) == {part.key}
        assert frame["id"].is_sorted()
    (last,) = lake.parts(22 * DAY, 23 * DAY)
    logon, garbled = pl.read_parquet(lake.path(last), hive_partitioning=False).iter_rows(named=True)
    assert (logon["msg_type"], logon["seq_num"], logon["qty"]) == ("A", 41, None)
    assert (b"hunter2" in logon["raw"], logon["direction"]) == (False, "out")
    assert (garbled["msg_type"], garbled["seq_num"]) == ("", None)
    first = pl.read_parquet(lake.path(parts[0]), hive_partitioning=False).row(0, named=True)
    assert (first["qty"], first["price"]) == (Decimal("100.25"), Decimal("1.000000000001"))
    assert (first["symbol"], first["side"], first["cl_ord_id"]) == ("EUR/USD", "1", "c1")

    # Retention: a day goes when it is too old, and days that are over are one file each.
    Columns(lake, tmp_path / "fix", 1).step(23 * DAY)
    assert {part.day for part in lake.parts(0, 2**62)} == {"1970-01-23"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1E5", None),
        ("0.0000000000001", None),
        ("123456789012345678901234567", None),
        ("-12.5", Decimal("-12.5")),
        ("00012.50", Decimal("12.5")),
        ("nan", None),
    ],
)
def test_numbers_are_exact_or_left_to_the_bytes(text: str, kept: Decimal | None) -> None:
    asked = Asked(0, "S", "in", message("D", 1, price=text))
    assert row_of(1, asked).price == kept
