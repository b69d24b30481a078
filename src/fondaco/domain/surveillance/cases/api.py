"""What may be asked about cases, and done to them."""

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.surveillance.cases.model import CaseState, Outcome
from fondaco.kernel.errors import NotFound, Refused
from fondaco.kernel.operation import Do, Operation, Stamp

HOUSE_READ: Final = "house:read"  # identity.model.Scope
HOUSE_WRITE: Final = "house:write"

CaseId = Annotated[str, Meta(pattern=r"^case-[1-9][0-9]{0,14}$", examples=["case-7"])]
CaseText = Annotated[str, Meta(min_length=3, max_length=2_000, examples=["asked their desk"])]
Person = Annotated[str, Meta(max_length=100, examples=["ada"])]
AlertText = Annotated[str, Meta(min_length=1, max_length=40, examples=["f10-1f2e3d4c5b6a7988"])]
SubjectText = Annotated[str, Meta(min_length=1, max_length=300)]


class CasesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`alert` and `subject` ask for those that have it."""

    state: Literal["open", "closed", "all"] = "all"
    alert: AlertText | None = None
    subject: SubjectText | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200


class CaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId


class AssignRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`to` "" takes it from whoever has it."""

    case_id: CaseId
    to: Person


class CommentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId
    text: CaseText


class CloseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId
    outcome: Outcome
    reason: CaseText


class ReopenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId
    reason: CaseText


class GatheredLine(msgspec.Struct, frozen=True):
    alert: str
    at: str
    pattern: str
    title: str
    severity: str
    session: str


class NoteLine(msgspec.Struct, frozen=True):
    """What was done; `by` "" is the house."""

    at: str
    by: str
    what: str
    text: str


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one subject; `severity` is the worst of them, `count` how many. Times are ISO 8601
    in UTC."""

    case_id: str
    subject: str
    title: str
    state: CaseState
    severity: str
    opened_at: str
    assignee: str
    count: int
    outcome: str
    reason: str
    closed_by: str
    closed_at: str | None


class CaseReply(CaseLine, frozen=True, kw_only=True):
    """`alerts` and `notes` are the newest, in their order."""

    alerts: Sequence[GatheredLine]
    notes: Sequence[NoteLine]


class CasesReply(msgspec.Struct, frozen=True):
    """The newest first."""

    items: Sequence[CaseLine]


class CaseDesk(Protocol):
    """The part of a house that keeps cases. What is asked of one that is not there raises
    `NotFound`, what it does not allow `Refused`."""

    async def list(self, asked: CasesRequest) -> CasesReply: ...

    async def one(self, case_id: str) -> CaseReply: ...

    async def assign(self, asked: AssignRequest, by: Stamp) -> CaseReply: ...

    async def comment(self, asked: CommentRequest, by: Stamp) -> CaseReply: ...

    async def close(self, asked: CloseRequest, by: Stamp) -> CaseReply: ...

    async def reopen(self, asked: ReopenRequest, by: Stamp) -> CaseReply: ...


def _list(asked: CasesRequest, _: Stamp, desk: CaseDesk) -> Awaitable[CasesReply]:
    return desk.list(asked)


def _one(asked: CaseRequest, _: Stamp, desk: CaseDesk) -> Awaitable[CaseReply]:
    return desk.one(asked.case_id)


def _assign(asked: AssignRequest, stamp: Stamp, desk: CaseDesk) -> Awaitable[CaseReply]:
    return desk.assign(asked, stamp)


def _comment(asked: CommentRequest, stamp: Stamp, desk: CaseDesk) -> Awaitable[CaseReply]:
    return desk.comment(asked, stamp)


def _close(asked: CloseRequest, stamp: Stamp, desk: CaseDesk) -> Awaitable[CaseReply]:
    return desk.close(asked, stamp)


def _reopen(asked: ReopenRequest, stamp: Stamp, desk: CaseDesk) -> Awaitable[CaseReply]:
    return desk.reopen(asked, stamp)


def _do(name: str, summary: str, path: str, request: Any, answer: Any) -> Operation[Any, Any]:
    return Do(
        name=f"fix.{name}",
        summary=summary,
        method="POST",
        path=f"/fix/cases/{{case_id}}/{path}",
        request=request,
        reply=CaseReply,
        scope=HOUSE_WRITE,
        errors=(NotFound, Refused),
        source="fix_cases",
        answer=answer,
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="fix.cases",
        summary="Cases that alerts of FIX sessions were gathered in; the newest first.",
        method="GET",
        path="/fix/cases",
        request=CasesRequest,
        reply=CasesReply,
        scope=HOUSE_READ,
        source="fix_cases",
        answer=_list,
        example={"state": "open"},
    ),
    Do(
        name="fix.case",
        summary="One case with its alerts, and what was done about it.",
        method="GET",
        path="/fix/cases/{case_id}",
        request=CaseRequest,
        reply=CaseReply,
        scope=HOUSE_READ,
        errors=(NotFound,),
        source="fix_cases",
        answer=_one,
    ),
    _do("assign_case", "Give a case to somebody.", "assign", AssignRequest, _assign),
    _do("comment_case", "Write something to a case.", "comments", CommentRequest, _comment),
    _do("close_case", "Close a case, and say what it was.", "close", CloseRequest, _close),
    _do("reopen_case", "Open a closed case again.", "reopen", ReopenRequest, _reopen),
)
