"""A day's report counts what a walk over the day's messages counts, whoever kept them."""

import re
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from fondaco.app.files import Files
from fondaco.app.fix.columns import columns_of, open_lake
from fondaco.app.fix.daily import lines_of, page_of_day, report_in
from fondaco.app.fix.store import open_messages
from fondaco.app.machines import open_records
from fondaco.domain.fix import encode
from fondaco.domain.fix.search.model import Asked, Direction
from fondaco.domain.fix.series import row_of
from fondaco.domain.fix.store.messages import Keeper, create
from fondaco.domain.surveillance import store as alerts
from fondaco.domain.surveillance.model import Alert, Evidence, Severity
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.ports.store import outbox_metadata

DAY = 86_400_000_000_000
HOUR = DAY // 24
BEGIN = 20_779 * DAY  # 2026-11-22
ONE, TWO = "FIX.4.4:HOUSE->BROKER", "FIX.4.2:HOUSE->BROKER"


def line(at: int, session: str, way: Direction, *fields: tuple[int, bytes]) -> Asked:
    return Asked(BEGIN + at, session, way, encode("FIX.4.4", [*fields]))


def day() -> list[Asked]:
    found = [line(-1, ONE, "in", (35, b"D"), (11, b"x")), line(DAY, ONE, "in", (35, b"D"))]
    for number in range(1, 101):
        at, name = number * HOUR // 5, b"c%d" % number
        refused = number % 10 == 0
        said = ((58, b"<b>over the limit</b>"),) if number % 20 else ((103, b"3"),)
        found.append(line(at, ONE, "in", (35, b"D"), (11, name)))
        report = ((35, b"8"), (11, name), (150, b"8" if refused else b"0"))
        answer = (*report, *said) if refused else report
        found.append(line(at + number * 1_000, ONE, "out", *answer))
    found.append(line(HOUR, TWO, "in", (35, b"3"), (58, b"no such tag")))
    return found


@pytest.mark.parametrize("carried", [0, 77, 203])
def test_a_day_is_counted_by_session_counterparty_hour_and_reason(
    tmp_path: Path, carried: int
) -> None:
    files = Files(tmp_path)
    rows = list(enumerate(day(), 1))
    with closing(open_messages(files)) as store, store.writing() as conn:
        create(conn)
        Keeper().keep(conn, [row for row in rows if row[0] > carried or row[0] % 2])
    if carried:
        open_lake(files.fix_lake).append(
            columns_of([row_of(*row) for row in rows if row[0] <= carried]), {}
        )
    proof = Evidence("fix", 1, BEGIN, "c", "A", 1, "D", "8=FIX", "0" * 64)
    alert = Alert(
        "F10", "Storm", (), Severity.HIGH, "B & C", "often", BEGIN + 5, BEGIN + 9, 2, [proof]
    )
    with closing(open_records(files)) as records:
        records.create(outbox_metadata)
        records.create(alerts.metadata)
        with records.writing() as conn:
            alerts.record(conn, alert, ONE, ["1"], 1)

    report = report_in(files, "2026-11-22")
    inside = [each for _, each in rows if 0 <= each.at - BEGIN < DAY]
    assert (report.messages, report.rejects) == (len(inside), 11)
    two, one = report.sessions
    assert (one.session, one.received, one.sent, one.rejects) == (ONE, 100, 100, 10)
    assert (one.answered, one.p50_us, one.p99_us, one.max_us) == (100, 50.0, 99.0, 100.0)
    assert (two.session, two.received, two.rejects, two.p50_us) == (TWO, 1, 1, None)
    [broker] = report.counterparties
    assert (broker.counterparty, broker.received, broker.alerts) == ("BROKER", 101, 1)
    hours = Counter((each.at - BEGIN) // HOUR for each in inside)
    assert [each.messages for each in report.hours] == [hours[each] for each in sorted(hours)]
    assert [(each.name, each.text, each.count) for each in report.reasons] == [
        ("ExecutionReport", "<b>over the limit</b>", 5),
        ("ExecutionReport", "OrdRejReason 3", 5),
        ("Reject", "no such tag", 1),
    ]
    assert report.by_severity == {"critical": 0, "high": 1, "medium": 0, "low": 0}
    page = page_of_day(report)
    assert "&lt;b&gt;over the limit" in page
    assert "B &amp; C" in page
    assert not re.search(r"<b>over|https?://|<script", page)
    assert "5 × ExecutionReport: OrdRejReason 3" in "\n".join(lines_of(report))
    empty = report_in(files, "2026-11-25")
    assert (empty.messages, list(empty.sessions)) == (0, [])


def test_what_is_no_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no messages"):
        report_in(Files(tmp_path), "2026-11-22")
    open_messages(Files(tmp_path)).close()
    with pytest.raises(Invalid, match="must be a day"):
        report_in(Files(tmp_path), "2026-02-30")
    with pytest.raises(Invalid, match="between 1970 and 2261"):
        report_in(Files(tmp_path), "2999-01-01")
