"""What reviewers may ask: the queue, a case, its documents, and to decide.

There is no free text in what they send: a case is decided by codes, since what is written of a
person would be personal, and the journal of approvals keeps what waits for a second person.
"""

import asyncio
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.kyc.api import NoKycRequest
from fondaco.domain.identity.kyc.assessing import Assessing
from fondaco.domain.identity.kyc.desk import CaseDesk
from fondaco.domain.identity.kyc.model import (
    Basis,
    CaseId,
    DocumentId,
    HitId,
    Kind,
    Refusal,
    Reopening,
)
from fondaco.domain.identity.kyc.risk import BUILT_IN, Band, Question, Questionnaire
from fondaco.domain.identity.kyc.shown import (
    CaseLine,
    CaseShown,
    CasesReply,
    DocumentReply,
    ListsReply,
    PublishedQuestionnaire,
    RescreenedReply,
)
from fondaco.domain.identity.kyc.uploads import Uploads
from fondaco.domain.identity.model import Caller, Scope
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp


class CasesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: Literal["documents_needed", "in_review", "approved", "refused", "expired", "all"] = (
        "in_review"
    )
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class KycCaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId


class CaseDocumentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId
    document_id: DocumentId


class DecideKycRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` says why somebody is refused, and is "" for who is approved."""

    case_id: CaseId
    decision: Literal["approve", "refuse"]
    reason: Refusal | Literal[""] = ""


class ClearHitRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`basis` is how you know that the list names somebody else."""

    case_id: CaseId
    hit_id: HitId
    basis: Basis


class AskDocumentsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId
    kinds: Annotated[list[Kind], Meta(min_length=1, max_length=5)]


class ReopenKycRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case_id: CaseId
    reason: Reopening


class PublishQuestionnaireRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of it, in the place of the one before."""

    questions: Annotated[list[Question], Meta(min_length=1, max_length=40)]
    bands: Annotated[list[Band], Meta(min_length=2, max_length=10)]


class Reviewing(Protocol):
    """What the door is given to answer from."""

    @property
    def desk(self) -> CaseDesk: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def assessing(self) -> Assessing: ...

    def caller(self, stamp: Stamp) -> Caller: ...

    def cases(self, tenant: str, state: str, limit: int) -> CasesReply: ...

    def case(self, caller: Caller, case_id: str) -> CaseShown: ...

    def line(self, tenant: str, case_id: str) -> CaseLine: ...

    def second(self, stamp: Stamp) -> str:
        """Who has agreed to what is done now; "" where one person does both halves."""
        ...

    def lists(self) -> ListsReply: ...

    def rescreen(self, tenant: str) -> RescreenedReply: ...


async def _cases(ask: CasesRequest, stamp: Stamp, on: Reviewing) -> CasesReply:
    return await asyncio.to_thread(on.cases, stamp.tenant, ask.state, ask.limit)


async def _case(ask: KycCaseRequest, stamp: Stamp, on: Reviewing) -> CaseShown:
    return await asyncio.to_thread(on.case, on.caller(stamp), ask.case_id)


async def _document(ask: CaseDocumentRequest, stamp: Stamp, on: Reviewing) -> DocumentReply:
    caller = on.caller(stamp)
    return await asyncio.to_thread(on.uploads.read, caller, ask.case_id, ask.document_id)


async def _decide(ask: DecideKycRequest, stamp: Stamp, on: Reviewing) -> CaseLine:
    caller = on.caller(stamp)
    if (ask.decision == "refuse") != bool(ask.reason):
        raise Invalid("reason says why somebody is refused, and is left out of an approval")
    if ask.decision == "approve":
        await asyncio.to_thread(on.desk.approve, caller, ask.case_id)
    else:
        await asyncio.to_thread(on.desk.refuse, caller, ask.case_id, ask.reason)
    return await asyncio.to_thread(on.line, stamp.tenant, ask.case_id)


async def _check_clear(ask: ClearHitRequest, stamp: Stamp, on: Reviewing) -> None:
    await asyncio.to_thread(on.desk.check_clear, on.caller(stamp), ask.case_id, ask.hit_id)


async def _clear(ask: ClearHitRequest, stamp: Stamp, on: Reviewing) -> CaseLine:
    caller, second = on.caller(stamp), on.second(stamp)
    await asyncio.to_thread(on.desk.clear_hit, caller, ask.case_id, ask.hit_id, ask.basis, second)
    return await asyncio.to_thread(on.line, stamp.tenant, ask.case_id)


async def _ask_documents(ask: AskDocumentsRequest, stamp: Stamp, on: Reviewing) -> CaseLine:
    await asyncio.to_thread(on.desk.ask_documents, on.caller(stamp), ask.case_id, ask.kinds)
    return await asyncio.to_thread(on.line, stamp.tenant, ask.case_id)


async def _reopen(ask: ReopenKycRequest, stamp: Stamp, on: Reviewing) -> CaseLine:
    await asyncio.to_thread(on.desk.reopen, on.caller(stamp), ask.case_id, ask.reason)
    return await asyncio.to_thread(on.line, stamp.tenant, ask.case_id)


async def _lists(_: NoKycRequest, __: Stamp, on: Reviewing) -> ListsReply:
    return await asyncio.to_thread(on.lists)


async def _rescreen(_: NoKycRequest, stamp: Stamp, on: Reviewing) -> RescreenedReply:
    return await asyncio.to_thread(on.rescreen, stamp.tenant)


async def _check_publish(ask: PublishQuestionnaireRequest, _: Stamp, on: Reviewing) -> None:
    on.assessing.check(Questionnaire(ask.questions, ask.bands))


async def _publish(
    ask: PublishQuestionnaireRequest, stamp: Stamp, on: Reviewing
) -> PublishedQuestionnaire:
    asked = Questionnaire(ask.questions, ask.bands)
    return await asyncio.to_thread(on.assessing.publish, stamp.tenant, asked, stamp.caller)


def _reviewers(
    name: str,
    summary: str,
    way: tuple[str, str],
    types: tuple[Any, Any],
    answer: Any,
    **more: Any,
) -> Operation[Any, Any]:
    method, path = way
    request, reply = types
    return Do(
        name=f"kyc.{name}",
        summary=summary,
        method=method,  # type: ignore[arg-type]
        path=path,
        request=request,
        reply=reply,
        scope=Scope.KYC_READ if method == "GET" else Scope.KYC_WRITE,
        errors=(Denied, Invalid, Conflict, NotFound, Unavailable),
        source="kyc",
        answer=answer,
        **more,
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    _reviewers(
        "cases",
        "Cases that wait for a reviewer, or are in another state.",
        ("GET", "/kyc/cases"),
        (CasesRequest, CasesReply),
        _cases,
    ),
    _reviewers(
        "case",
        "All that a case is decided by; that you have looked is noted in the journal.",
        ("GET", "/kyc/cases/{case_id}"),
        (KycCaseRequest, CaseShown),
        _case,
    ),
    _reviewers(
        "document",
        "One document of a case; that you have looked is noted in the journal.",
        ("GET", "/kyc/cases/{case_id}/documents/{document_id}"),
        (CaseDocumentRequest, DocumentReply),
        _document,
    ),
    _reviewers(
        "decide",
        "Approve somebody, or refuse them; never oneself.",
        ("POST", "/kyc/cases/{case_id}/decide"),
        (DecideKycRequest, CaseLine),
        _decide,
        example={"decision": "refuse", "reason": "documents_unreadable"},
    ),
    _reviewers(
        "clear_hit",
        "Say that a list names somebody else, which takes two.",
        ("POST", "/kyc/cases/{case_id}/hits/{hit_id}/clear"),
        (ClearHitRequest, CaseLine),
        _clear,
        needs_second=True,
        check=_check_clear,
        example={"basis": "birth_date"},
    ),
    _reviewers(
        "ask_documents",
        "Ask somebody for documents that are missing.",
        ("POST", "/kyc/cases/{case_id}/ask-documents"),
        (AskDocumentsRequest, CaseLine),
        _ask_documents,
        example={"kinds": ["source_of_funds"]},
    ),
    _reviewers(
        "reopen",
        "Look at a decided case again; who was approved is not, until it is decided.",
        ("POST", "/kyc/cases/{case_id}/reopen"),
        (ReopenKycRequest, CaseLine),
        _reopen,
        example={"reason": "new_facts"},
    ),
    _reviewers(
        "lists",
        "The lists in which people are looked up.",
        ("GET", "/kyc/lists"),
        (NoKycRequest, ListsReply),
        _lists,
    ),
    _reviewers(
        "rescreen",
        "Look everybody up again now, who is approved or in review.",
        ("POST", "/kyc/rescreen"),
        (NoKycRequest, RescreenedReply),
        _rescreen,
    ),
    _reviewers(
        "publish_questionnaire",
        "Ask other questions about risk; all who have answered are scored anew.",
        ("PUT", "/risk-assessment/questionnaire"),
        (PublishQuestionnaireRequest, PublishedQuestionnaire),
        _publish,
        needs_second=True,
        check=_check_publish,
        example=msgspec.to_builtins(BUILT_IN),
    ),
)
