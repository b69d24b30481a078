"""Alerts as records: the same finding keeps its name, whoever finds it and however often."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.surveillance import store
from fondaco.domain.surveillance.model import Alert, Severity

MINUTE = 60_000_000_000
at_minute = st.integers(0, 100)


def alert(
    first: int, last: int, *, key: str = "", severity: Severity = Severity.MEDIUM, count: int = 1
) -> Alert:
    return Alert(
        "F08", "Sequence jump", (), severity, "A to B", "why", first * MINUTE, last * MINUTE,
        count, [], key=key,
    )  # fmt: skip


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'records'}")
    store.metadata.create_all(engine)
    with engine.begin() as opened:
        yield opened


def kept(conn: sa.Connection) -> list[tuple[int, int, int]]:
    rows = conn.execute(
        sa.select(store.alerts.c.first_at, store.alerts.c.last_at, store.alerts.c.count)
        .order_by(store.alerts.c.number)
    )  # fmt: skip
    return [(first // MINUTE, last // MINUTE, count) for first, last, count in rows]


def record(conn: sa.Connection, *found: Alert) -> None:
    for each in found:
        store.record(conn, each, "s", [], 0, capture=1)


def test_who_forgot_how_an_alert_began_goes_on_with_it(conn: sa.Connection) -> None:
    record(conn, alert(1, 1), alert(1, 5, count=3))
    assert kept(conn) == [(1, 5, 3)]
    record(conn, alert(8, 8), alert(8, 9, count=2))  # after a restart
    assert kept(conn) == [(1, 9, 4)]


def test_after_its_time_it_is_another(conn: sa.Connection) -> None:
    record(conn, alert(1, 5), alert(21, 21))
    assert kept(conn) == [(1, 5, 1), (21, 21, 1)]


def test_what_weighs_nothing_is_told_once(conn: sa.Connection) -> None:
    record(conn, alert(1, 5, severity=Severity.LOW), alert(90, 90, severity=Severity.LOW))
    assert len(kept(conn)) == 1


def test_two_things_of_one_subject_stay_two(conn: sa.Connection) -> None:
    record(conn, alert(1, 5, key="jump"), alert(2, 3, key="rewind"))
    assert len(kept(conn)) == 2


@given(at_minute, at_minute, st.sampled_from(["", "jump"]))
def test_a_name_is_made_of_what_was_found_and_when(first: int, other: int, key: str) -> None:
    one, two = alert(first, first, key=key), alert(first, first + other, key=key, count=9)
    assert store.name_of(one) == store.name_of(two)
    assert (store.name_of(one) == store.name_of(alert(other, other, key=key))) == (first == other)
    assert store.name_of(one) != store.name_of(one, capture=3)
    assert len(store.name_of(one)) <= 40
