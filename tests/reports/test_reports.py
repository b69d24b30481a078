"""Reports: the API's own figures, in the same bytes whenever they are made of the same."""

import csv
import zlib
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from fondaco.app.reports import _csv, _tables
from fondaco.domain.reports import store
from fondaco.domain.reports.charts import PAGE, PAPER, short, svg
from fondaco.domain.reports.content import Writer, percent, plain, span
from fondaco.domain.reports.model import (
    Chart,
    Column,
    Document,
    ReportKind,
    Section,
    Table,
    amount,
    decoded,
    digest,
    drawn,
    encoded,
)
from fondaco.domain.reports.page import html
from fondaco.domain.reports.paper import pdf
from fondaco.kernel.errors import Corrupt, NotFound
from fondaco.kernel.instants import moment
from fondaco.ports.store.sqlite import SqliteStore
from performance.test_statistics import Known

KINDS = [kind for kind in ReportKind if kind is not ReportKind.ASSESSMENT_SUMMARY]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    made = Known(tmp_path_factory.mktemp("reports"))
    yield made
    made.store.close()


def written(known: Known, kind: ReportKind) -> Document:
    sheet = known.sheet()
    return Writer(sheet, sheet.history.position, known.history.at, "test").write(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_position_gives_the_same_bytes(known: Known, kind: ReportKind) -> None:
    first, again = (written(known, kind) for _ in range(2))
    content = encoded(first)
    assert encoded(again) == content
    assert decoded(content) == first
    sha = digest(content)
    page, paper = html(first, sha), pdf(first, sha)
    assert html(decoded(content), sha) == page
    assert pdf(decoded(content), sha) == paper
    assert paper.startswith(b"%PDF-1.7")
    assert sha in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")  # it needs nobody


def test_tiles_are_the_figures_of_the_api(known: Known) -> None:
    found = known.reply()
    tiles = {tile.label: tile.value for tile in written(known, KINDS[1]).tiles}
    assert tiles["Net result"] == "+15.56"
    assert tiles["Net result"].lstrip("+") == amount(found.total.net, 2)
    assert tiles["Win rate"] == "50.00 %"
    assert tiles["Profit factor"] == f"{found.total.profit_factor:.2f}"
    assert tiles["Equity"] == amount(found.equity, 2)


def test_a_performance_report_prints_the_ratios_and_weighted_returns_of_the_api(
    known: Known,
) -> None:
    found = known.reply()
    [returns] = [
        each
        for each in written(known, ReportKind.PERFORMANCE_METRICS).sections
        if each.title == "Returns"
    ]
    tables = [block for block in returns.blocks if isinstance(block, Table)]
    printed = {row[nth]: row[nth + 1] for table in tables for row in table.rows for nth in (0, 2)
               if nth + 1 < len(row)}  # fmt: skip
    ratios, weighted = found.ratios, found.weighted
    for label, value in {
        "Sharpe ratio": plain(ratios.sharpe), "Sortino ratio": plain(ratios.sortino),
        "Deepest drawdown": percent(ratios.max_drawdown), "Burke ratio": plain(ratios.burke),
        "Time-weighted": percent(weighted.time_weighted),
        "Money-weighted": percent(weighted.money_weighted),
        "Modified Dietz": percent(weighted.modified_dietz),
        "Internal rate, a year": percent(weighted.irr),
    }.items():  # fmt: skip
        assert printed[label] == value, label
    assert weighted.modified_dietz == 0.001456, "14.56 of 10,000 that came at the beginning"
    assert weighted.irr is None, "a day and no year"


def test_the_history_as_csv_reconciles_with_the_ledger_to_the_unit(known: Known) -> None:
    document = written(known, ReportKind.TRADE_HISTORY)
    tables = {table.csv: list(csv.DictReader(StringIO(_csv(table)))) for table in _tables(document)}
    cash = sum(Decimal(row["amount"]) for row in tables["movements"] if row["in"] == "USD")
    for row in tables["executions"]:
        sign = -1 if row["side"] == "buy" else 1
        cash += sign * Decimal(row["amount"]) - Decimal(row["fee"])
    (ledger,) = (row for row in tables["reconciliation"] if row["asset"] == "USD")
    assert cash == Decimal(ledger["ledger"]) == Decimal("9514.56")
    assert ledger["difference"] == "0"
    net = sum(Decimal(row["net"]) for row in tables["trades"])
    assert net == Decimal(known.reply().total.net)


def test_what_somebody_is_called_is_never_markup(known: Known) -> None:
    name = '<img src=x onerror="alert(1)"> #panic() $x$ *b*'
    document = written(known, ReportKind.COMPLIANCE)
    hostile = Document(
        kind=document.kind, title=document.title, subject=name, facts=document.facts,
        tiles=document.tiles, sections=[Section(name, [Table(name, [Column(name)], [[name]])])],
        notes=[name], as_of=document.as_of, position=1, made_of={"a": name},
    )  # fmt: skip
    assert "<img" not in html(hostile, "")
    assert len(pdf(hostile, "0" * 64)) > 1_000


def test_a_long_table_shows_its_newest_rows_and_says_where_the_others_are() -> None:
    columns = [Column("N", is_number=True, decimals=2)]
    table = Table("", columns, [[f"{number}.005"] for number in range(1_203)], csv="all")
    rows, others = drawn(table)
    assert (len(rows), rows[-1]) == (200, ["1,202.00"])
    assert others == "1003 older ones are in its CSV, all."
    assert len(_csv(table).splitlines()) == 1_204


def test_a_chart_is_drawn_alike_every_time_and_holds_what_it_was_given() -> None:
    line = Chart(title="a<b", form="line", values=[float(n % 97) for n in range(5_000)], labels=[])
    assert svg(line, PAPER) == svg(line, PAPER)
    assert "a&lt;b" in svg(line, PAGE)
    assert len(svg(line, PAPER)) < 40_000
    days = Chart(title="", form="days", values=[1.0, -1.0, 0.0], labels=[], first_day=20_000)
    assert svg(days, PAGE).count("<rect") == 3
    assert "2024-10-04: 1.00" in svg(days, PAGE)
    assert svg(Chart(title="", form="bars", values=[], labels=[]), PAGE) == ""
    assert [short(*each) for each in ((1_250_000, 250_000), (-40, 20), (0, 1))] == [
        "1.25M",
        "-40",
        "0",
    ]
    assert [span(each) for each in (0.25, 59, 3_600, 100_000)] == [
        "250 ms",
        "59 s",
        "1 h",
        "1 d 3 h",
    ]


def test_a_report_that_was_altered_is_not_shown(tmp_path: Path) -> None:
    kept = SqliteStore(tmp_path / "reports.db", durable=False)
    kept.create(store.metadata)
    made: Any = store.Kept(
        number=0, report_id="a" * 24, tenant="t", account_id="a", assessment_id="", kind="k",
        position=1, made_at=1, made_by="b", sha256=digest(b"x"), html_sha256=digest(b"y"),
        pdf_sha256="",
    )  # fmt: skip
    parts = {"document": b"x", "html": b"y", "pdf": b""}
    with kept.writing() as conn:
        assert store.keep(conn, made, parts)
        assert not store.keep(conn, made, parts)
        found = store.one(conn, "t", "a" * 24)
        assert store.part(conn, found, "html") == b"y"
        with pytest.raises(NotFound):
            store.one(conn, "other", "a" * 24)
        conn.execute(store.reports.update().values(html=zlib.compress(b"z")))
        with pytest.raises(Corrupt):
            store.part(conn, found, "html")
    kept.close()
    assert moment(0) == "1970-01-01T00:00:00Z"
