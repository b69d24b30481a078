"""What can be asked of reports."""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.reports.model import ReportKind
from fondaco.domain.trading.api.orders import AccountText
from fondaco.kernel.errors import Conflict, NotFound, Unavailable
from fondaco.kernel.operation import Answered, Do, Look, Operation, Stamp

ReportText = Annotated[str, Meta(pattern=r"^[0-9a-f]{24}$", examples=["0f3a5b7c9d1e2f405162738a"])]
AssessmentText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["a-5f2c"])]
ZoneText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", examples=["Europe/Prague"])]
CurrencyText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$", examples=["USD"])]
CsvText = Annotated[str, Meta(pattern=r"^[a-z]{1,32}$", examples=["executions"])]
Cursor = Annotated[int, Meta(ge=0, le=2**53)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Position = Annotated[int, Meta(ge=0, le=2**62)]


class MakeReportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of an account as it is now. Asked again while nothing has happened it is the same report."""

    kind: ReportKind
    account_id: AccountText
    currency: CurrencyText | None = None
    time_zone: ZoneText = "UTC"
    min_position: Position = 0


class ReportsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first. `cursor` is the `next` of the page before."""

    account_id: AccountText | None = None
    kind: ReportKind | None = None
    cursor: Cursor = 0
    limit: Limit = 100


class ReportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    report_id: ReportText


class ReportCsvRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`table` is one of a report's `tables`."""

    report_id: ReportText
    table: CsvText = "executions"


class ReportReply(msgspec.Struct, frozen=True, kw_only=True):
    """A report that can be fetched. The hashes stand in the journal, too; `position` is that of the
    journal up to which everything counts."""

    report_id: str
    kind: ReportKind
    account_id: str
    assessment_id: str | None
    state: str  # "ready"
    position: int
    made_at: str
    made_by: str
    sha256: str  # of the document
    html_sha256: str
    pdf_sha256: str | None
    html_url: str
    pdf_url: str | None
    tables: list[str]  # that can be had as CSV


class ReportsReply(msgspec.Struct, frozen=True):
    items: list[ReportReply]
    next: int | None


class ReportsPart(Protocol):
    """What the source "reports" is."""

    async def make(self, ask: MakeReportRequest, by: Stamp) -> tuple[ReportReply, bool]: ...

    def list(self, ask: ReportsRequest, tenant: str, accounts: Any) -> ReportsReply: ...

    def one(self, report_id: str, tenant: str, accounts: Any) -> ReportReply: ...

    def html(self, report_id: str, tenant: str, accounts: Any) -> str: ...

    def pdf(self, report_id: str, tenant: str, accounts: Any) -> bytes: ...

    def csv(self, report_id: str, table: str, tenant: str, accounts: Any) -> str: ...


async def _make(ask: MakeReportRequest, by: Stamp, part: Any) -> Any:
    reply, is_new = await part.make(ask, by)
    return Answered(reply, 201 if is_new else 200)


def _list(ask: ReportsRequest, on: Any) -> ReportsReply:
    reply: ReportsReply = on.source.list(ask, on.tenant, on.accounts)
    return reply


def _one(ask: ReportRequest, on: Any) -> ReportReply:
    reply: ReportReply = on.source.one(ask.report_id, on.tenant, on.accounts)
    return reply


def _html(ask: ReportRequest, on: Any) -> str:
    page: str = on.source.html(ask.report_id, on.tenant, on.accounts)
    return page


def _pdf(ask: ReportRequest, on: Any) -> bytes:
    paper: bytes = on.source.pdf(ask.report_id, on.tenant, on.accounts)
    return paper


def _csv(ask: ReportCsvRequest, on: Any) -> str:
    text: str = on.source.csv(ask.report_id, ask.table, on.tenant, on.accounts)
    return text


def _account(ask: Any) -> str | None:
    account_id: str | None = ask.account_id
    return account_id


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="reports.make",
        summary="Make a report of an account: five kinds, as a page and a PDF, hashed for ever.",
        method="POST",
        path="/reports",
        request=MakeReportRequest,
        reply=ReportReply,
        scope=Scope.REPORTS_WRITE,
        errors=(NotFound, Conflict, Unavailable),
        account=_account,
        status=201,
        source="reports",
        answer=_make,
    ),
    Look(
        name="reports.overview",
        summary="Reports that were made, newest first.",
        method="GET",
        path="/reports",
        request=ReportsRequest,
        reply=ReportsReply,
        scope=Scope.REPORTS_READ,
        account=_account,
        source="reports",
        answer=_list,
    ),
    Look(
        name="reports.one",
        summary="One report: its hashes, and where it is.",
        method="GET",
        path="/reports/{report_id}",
        request=ReportRequest,
        reply=ReportReply,
        scope=Scope.REPORTS_READ,
        errors=(NotFound,),
        source="reports",
        answer=_one,
    ),
    Look(
        name="reports.html",
        summary="A report as a page that needs nothing but itself.",
        method="GET",
        path="/reports/{report_id}/html",
        request=ReportRequest,
        reply=str,
        media_type="text/html",
        scope=Scope.REPORTS_READ,
        errors=(NotFound,),
        source="reports",
        answer=_html,
    ),
    Look(
        name="reports.pdf",
        summary="A report as a PDF.",
        method="GET",
        path="/reports/{report_id}/pdf",
        request=ReportRequest,
        reply=bytes,
        media_type="application/pdf",
        scope=Scope.REPORTS_READ,
        errors=(NotFound, Unavailable),
        source="reports",
        answer=_pdf,
    ),
    Look(
        name="reports.csv",
        summary="A table of a report as CSV, with every digit.",
        method="GET",
        path="/reports/{report_id}/csv",
        request=ReportCsvRequest,
        reply=str,
        media_type="text/csv",
        scope=Scope.REPORTS_READ,
        errors=(NotFound,),
        source="reports",
        answer=_csv,
    ),
)
