"""The part of a house that makes reports, keeps them, and notes each in the journal.

A report is written to its store before the journal says that it is ready: what the journal tells of
can be fetched. One that was written and not noted, because the house died in between, is noted when
it is asked for again.
"""

import asyncio
import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from io import StringIO
from typing import Any, Final

from fondaco.app.answering import House
from fondaco.app.assessments.summary import Summaries
from fondaco.app.at_rest import open_sqlite
from fondaco.app.files import Files
from fondaco.app.performance import sheets
from fondaco.domain.performance.api import Sheets
from fondaco.domain.performance.sheet import Asked
from fondaco.domain.reports import assessment, store
from fondaco.domain.reports.api import MakeReportRequest, ReportReply, ReportsReply, ReportsRequest
from fondaco.domain.reports.assessment import Summary
from fondaco.domain.reports.content import Writer
from fondaco.domain.reports.events import NoteReport
from fondaco.domain.reports.model import (
    ID_LENGTH,
    Document,
    ReportKind,
    Table,
    decoded,
    digest,
    encoded,
    stream_of,
)
from fondaco.domain.reports.page import html
from fondaco.domain.reports.paper import has_paper, pdf
from fondaco.kernel.errors import NotFound, Unavailable
from fondaco.kernel.event import request_id
from fondaco.kernel.instants import moment
from fondaco.kernel.operation import Stamp
from fondaco.ports.store.sqlite import SqliteStore

_OF_ASSESSMENTS: Final = (ReportKind.ASSESSMENT_SUMMARY, ReportKind.COMPLIANCE)
VIEWS_WAIT_S: Final = 5.0
POLL_S: Final = 0.02


class ReportsDesk:
    """What the source "reports" is: `fondaco.domain.reports.api.ReportsPart`."""

    def __init__(self, house: House, kept: SqliteStore, sheets: Sheets) -> None:
        self._house = house
        shelf = house.tiers.shelf
        self._summaries = Summaries(
            house.kernel.journal, lambda: house.kernel.refs, shelf.by_fingerprint
        )
        self._kept = kept
        self._sheets = sheets
        kept.create(store.metadata)

    # --- Made -------------------------------------------------------------------------------------

    async def make(self, ask: MakeReportRequest, by: Stamp) -> tuple[ReportReply, bool]:
        """And whether it is new."""
        await self._seen(ask.min_position)
        head = self._house.journal.head()
        try:
            kept, is_new = await asyncio.to_thread(self._write, ask, by)
        except NotFound:  # of an account that was opened a moment ago
            with suppress(Unavailable):
                await self._seen(head)
            kept, is_new = await asyncio.to_thread(self._write, ask, by)
        note = NoteReport(
            request_id(f"report/{kept.report_id}", kept.sha256), by.at, kept.report_id, kept.kind,
            kept.account_id, kept.assessment_id, kept.position, kept.sha256, kept.html_sha256,
            kept.pdf_sha256, kept.made_by,
        )  # fmt: skip
        await self._house.submit(stream_of(by.tenant), note)
        return await asyncio.to_thread(self._shown, kept), is_new

    async def _seen(self, position: int) -> None:
        """Until the views have reached what was asked for."""
        left = VIEWS_WAIT_S
        while await asyncio.to_thread(self._house.seen_views_at) < position:
            if left <= 0.0:
                raise Unavailable(f"the views have not reached {position} yet; ask again")
            await asyncio.sleep(POLL_S)
            left -= POLL_S

    def _write(self, ask: MakeReportRequest, by: Stamp) -> tuple[store.Kept, bool]:
        asked = Asked(currency=ask.currency or "", zone=ask.time_zone)
        with self._house.reading() as conn:
            sheet = self._sheets.sheet(conn, by.tenant, ask.account_id, asked, 0)
            summary = None
            if ask.kind in _OF_ASSESSMENTS:
                summary = self._summaries.of_account(conn, by.tenant, ask.account_id)
        if summary is None and ask.kind is ReportKind.ASSESSMENT_SUMMARY:
            raise NotFound(
                f"{ask.account_id} is the account of no assessment", code="unknown_assessment"
            )
        position = sheet.history.position
        name = (
            f"{by.tenant}/{ask.account_id}/{ask.kind}/{sheet.currency}/{ask.time_zone}/{position}"
        )
        report_id = blake2b(name.encode(), digest_size=ID_LENGTH // 2).hexdigest()
        with self._kept.reading() as conn:
            try:
                return store.one(conn, by.tenant, report_id), False
            except NotFound:
                pass
        sheet.now = self._at(position)
        writer = Writer(sheet, position, sheet.now, self._prices())
        document = _document(writer, ask.kind, summary)
        return self._keep(document, report_id, ask, by, summary.assessment_id if summary else "")

    def _at(self, position: int) -> int:
        """When the journal had come so far: what happened later is not in a report."""
        found = self._house.journal.follow(position - 1, 1) if position else []
        return int(found[0].at) if found else 0

    def _prices(self) -> str:
        feed = self._house.kernel.feed
        return feed.label if feed else "own fills"

    def _keep(
        self,
        document: Document,
        report_id: str,
        ask: MakeReportRequest,
        by: Stamp,
        assessment_id: str,
    ) -> tuple[store.Kept, bool]:
        content = encoded(document)
        sha256 = digest(content)
        page = html(document, sha256).encode()
        paper = pdf(document, sha256) if has_paper() else b""
        kept = store.Kept(
            number=0,
            report_id=report_id,
            tenant=by.tenant,
            account_id=ask.account_id,
            assessment_id=assessment_id,
            kind=ask.kind.value,
            position=document.position,
            made_at=by.at,
            made_by=by.caller,
            sha256=sha256,
            html_sha256=digest(page),
            pdf_sha256=digest(paper) if paper else "",
        )
        with self._kept.writing() as conn:
            is_new = store.keep(conn, kept, {"document": content, "html": page, "pdf": paper})
            return store.one(conn, by.tenant, report_id), is_new

    # --- Read -------------------------------------------------------------------------------------

    def list(self, ask: ReportsRequest, tenant: str, accounts: Any) -> ReportsReply:
        with self._kept.reading() as conn:
            found = store.page(
                conn, tenant, account_id=ask.account_id, kind=ask.kind.value if ask.kind else None,
                below=ask.cursor, limit=ask.limit + 1, accounts=accounts,
            )  # fmt: skip
        items = found[: ask.limit]
        more = items[-1].number if len(found) > ask.limit else None
        return ReportsReply([self._shown(each) for each in items], more)

    def one(self, report_id: str, tenant: str, accounts: Any) -> ReportReply:
        with self._found(report_id, tenant, accounts) as (_, kept):
            return self._shown(kept)

    def html(self, report_id: str, tenant: str, accounts: Any) -> str:
        with self._found(report_id, tenant, accounts) as (conn, kept):
            return store.part(conn, kept, "html").decode()

    def pdf(self, report_id: str, tenant: str, accounts: Any) -> bytes:
        with self._found(report_id, tenant, accounts) as (conn, kept):
            if kept.pdf_sha256:
                return store.part(conn, kept, "pdf")
        raise Unavailable("it was made where PDFs could not be; its page is there")

    def csv(self, report_id: str, table: str, tenant: str, accounts: Any) -> str:
        with self._found(report_id, tenant, accounts) as (conn, kept):
            document = decoded(store.part(conn, kept, "document"))
        for each in _tables(document):
            if each.csv == table:
                return _csv(each)
        known = ", ".join(each.csv for each in _tables(document))
        raise NotFound(f"the report has no table {table}; it has {known}")

    @contextmanager
    def _found(
        self, report_id: str, tenant: str, accounts: Any
    ) -> Iterator[tuple[Any, store.Kept]]:
        with self._kept.reading() as conn:
            kept = store.one(conn, tenant, report_id)
            if accounts is not None and kept.account_id not in accounts:
                raise NotFound(f"there is no report {report_id}; GET /reports lists them")
            yield conn, kept

    def _shown(self, kept: store.Kept) -> ReportReply:
        where = f"/api/reports/{kept.report_id}"
        with self._kept.reading() as conn:
            document = decoded(store.part(conn, kept, "document"))
        return ReportReply(
            report_id=kept.report_id,
            kind=ReportKind(kept.kind),
            account_id=kept.account_id,
            assessment_id=kept.assessment_id or None,
            state="ready",
            position=kept.position,
            made_at=moment(kept.made_at),
            made_by=kept.made_by,
            sha256=kept.sha256,
            html_sha256=kept.html_sha256,
            pdf_sha256=kept.pdf_sha256 or None,
            html_url=f"{where}/html",
            pdf_url=f"{where}/pdf" if kept.pdf_sha256 else None,
            tables=[each.csv for each in _tables(document)],
        )


def _document(writer: Writer, kind: ReportKind, summary: Summary | None) -> Document:
    if summary is None:
        return writer.write(kind)
    if kind is ReportKind.COMPLIANCE:
        return writer.write(kind, [assessment.violations(writer, summary)])
    return writer.document(
        kind,
        assessment.tiles(writer, summary),
        assessment.sections(writer, summary),
        assessment.facts(summary),
    )


def _tables(document: Document) -> list[Table]:
    return [
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Table) and block.csv
    ]


def _csv(table: Table) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow([column.title.lower().replace(" ", "_") for column in table.columns])
    writer.writerows(table.rows)
    return text.getvalue()


@contextmanager
def reports_desk(house: House, files: Files) -> Iterator[ReportsDesk]:
    kept = open_sqlite(files, files.reports, durable=True)
    try:
        yield ReportsDesk(house, kept, sheets(lambda: house.kernel.board))
    finally:
        kept.close()
