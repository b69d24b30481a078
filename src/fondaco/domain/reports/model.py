"""A report as it is kept: a document of blocks, from which its page and its PDF are made.

The document is what is hashed. It holds everything that is shown, as text, so that the same
document always gives the same bytes; and what it was made of.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Final, Literal

import msgspec

from fondaco.kernel.event import StreamId

PREFIX: Final = "reports/"
ID_LENGTH: Final = 24
DRAWN_MAX: Final = 200  # rows of one table on a page or on paper


class ReportKind(StrEnum):
    """The documents' five."""

    ASSESSMENT_SUMMARY = "assessment_summary"
    TRADE_HISTORY = "trade_history"
    PERFORMANCE_METRICS = "performance_metrics"
    RISK_ANALYSIS = "risk_analysis"
    COMPLIANCE = "compliance"


TITLES: Final = {
    ReportKind.ASSESSMENT_SUMMARY: "Assessment summary",
    ReportKind.TRADE_HISTORY: "Trade history",
    ReportKind.PERFORMANCE_METRICS: "Performance",
    ReportKind.RISK_ANALYSIS: "Risk analysis",
    ReportKind.COMPLIANCE: "Compliance",
}

Tone = Literal["", "good", "bad"]


class Tile(msgspec.Struct, frozen=True, gc=False):
    """One figure that is told first."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


class Column(msgspec.Struct, frozen=True, gc=False):
    """`decimals`: to how many its numbers are shown, half to even; -1: as they are."""

    title: str
    is_number: bool = False
    decimals: int = -1


class Table(msgspec.Struct, frozen=True, gc=False, tag="table"):
    """Cells as text. `empty` is said where there are no rows; `csv` names the file that it is
    exported as."""

    title: str
    columns: list[Column]
    rows: list[list[str]]
    empty: str = "None."
    csv: str = ""


class Chart(msgspec.Struct, frozen=True, gc=False, tag="chart", kw_only=True):
    """`form` "line": `values` over equal steps, filled to nought where `is_below`. "bars": signed
    bars. "days": a calendar, a value for each day from `first_day` on. Labels are of the first, the
    middle and the last value, or of each bar."""

    title: str
    form: Literal["line", "bars", "days"]
    values: list[float]
    labels: list[str]
    unit: str = ""
    first_day: int = 0  # since 1970-01-01
    is_below: bool = False


class Words(msgspec.Struct, frozen=True, gc=False, tag="words"):
    """A paragraph."""

    text: str


class Section(msgspec.Struct, frozen=True, gc=False):
    title: str
    blocks: list[Table | Chart | Words]


class Document(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Times are ISO 8601, UTC."""

    kind: ReportKind
    title: str
    subject: str  # of whom
    facts: list[tuple[str, str]]  # account, currency, since when …
    tiles: list[Tile]
    sections: list[Section]
    notes: list[str]
    as_of: str
    position: int  # of the journal: everything up to there, and nothing behind it
    made_of: dict[str, str]  # what decides its bytes besides the position


def drawn(table: Table) -> tuple[list[list[str]], str]:
    """Its newest rows as they are shown, and what is said of the others."""
    rows = table.rows[-DRAWN_MAX:]
    places = [number for number, column in enumerate(table.columns) if column.decimals >= 0]
    if places:
        rows = [list(row) for row in rows]
        for row in rows:
            for number in places:
                row[number] = amount(row[number], table.columns[number].decimals)
    left = len(table.rows) - len(rows)
    return rows, f"{left} older ones are in its CSV, {table.csv}." if left else ""


def amount(text: str, decimals: int, *, sign: bool = False) -> str:
    """1,234.50, rounded half to even, with a minus that is as wide as a digit."""
    shown = Decimal(text).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return f"{shown:{'+' if sign and shown else ''},}".replace("-", "−")


def encoded(document: Document) -> bytes:
    """The bytes that are hashed."""
    return msgspec.json.encode(document)


def decoded(content: bytes) -> Document:
    return msgspec.json.decode(content, type=Document)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def stream_of(tenant: str) -> StreamId:
    return StreamId(PREFIX + tenant)


class ReportsState(msgspec.Struct, gc=False):
    """How many a tenant has had made; which, their hashes tell."""

    made: int = 0
