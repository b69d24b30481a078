"""What people may ask about who they are: their profile, their case, and what risk suits them.

These operations hold no scope: one's own takes a session, somebody else's the scope kyc:read or
kyc:write. No door keeps what was sent or answered, and no agent is shown any of it.
"""

import asyncio
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.kyc.assessing import Assessing
from fondaco.domain.identity.kyc.model import DateText, Kind, MediaType, Person
from fondaco.domain.identity.kyc.profiles import Profiles, may_see
from fondaco.domain.identity.kyc.shown import (
    AssessmentShown,
    ProfileShown,
    QuestionnaireShown,
    StandingShown,
    UploadReply,
)
from fondaco.domain.identity.kyc.uploads import Upload, Uploads
from fondaco.domain.identity.model import Caller, NameText, Scope
from fondaco.kernel.errors import Changed, Conflict, Denied, Invalid, NotFound, Unconditional
from fondaco.kernel.operation import Answered, Do, Operation, Stamp

Size = Annotated[int, Meta(ge=0, le=2**31)]


class WhoRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: NameText


class SetProfileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of it: what is left out says nothing from here on. `version` is the one that you have
    seen, as the header If-Match says it, too; 0 where there is none yet."""

    user: NameText
    person: Person
    version: Annotated[int, Meta(ge=0, le=10**9)] | None = None


class DocumentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`content` is base64 of at most 700,000 bytes. A longer document, up to 10 MiB, comes in
    pieces: each says `size` and `sha256` (hexadecimal) of the whole, and its `offset`."""

    user: NameText
    kind: Kind
    media_type: MediaType
    content: Annotated[str, Meta(min_length=1, max_length=1_000_000)]
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    size: Size = 0
    offset: Size = 0
    expires_on: DateText = ""


class AssessRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice for every question of GET /risk-assessment/questionnaire."""

    user: NameText
    answers: Annotated[dict[str, str], Meta(max_length=40)]


class NoKycRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class AskedKyc(Protocol):
    """What the door is given to answer from."""

    @property
    def profiles(self) -> Profiles: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def assessing(self) -> Assessing: ...

    def caller(self, stamp: Stamp) -> Caller: ...

    def standing(self, caller: Caller, user: str) -> StandingShown: ...

    def submit(self, caller: Caller, user: str) -> StandingShown: ...


def _tagged(shown: ProfileShown) -> Answered:
    return Answered(shown, headers=((b"etag", b'"%d"' % shown.version),))


async def _profile(ask: WhoRequest, stamp: Stamp, on: AskedKyc) -> Any:
    return _tagged(await asyncio.to_thread(on.profiles.shown, on.caller(stamp), ask.user))


async def _set_profile(ask: SetProfileRequest, stamp: Stamp, on: AskedKyc) -> Any:
    caller = on.caller(stamp)
    return _tagged(
        await asyncio.to_thread(on.profiles.set, caller, ask.user, ask.person, ask.version)
    )


async def _standing(ask: WhoRequest, stamp: Stamp, on: AskedKyc) -> StandingShown:
    return await asyncio.to_thread(on.standing, on.caller(stamp), ask.user)


async def _submit(ask: WhoRequest, stamp: Stamp, on: AskedKyc) -> StandingShown:
    return await asyncio.to_thread(on.submit, on.caller(stamp), ask.user)


async def _upload(ask: DocumentRequest, stamp: Stamp, on: AskedKyc) -> UploadReply:
    caller = on.caller(stamp)
    may_see(caller, ask.user, Scope.KYC_WRITE)
    given = Upload(
        kind=ask.kind, media_type=ask.media_type, content=ask.content, sha256=ask.sha256,
        size=ask.size, offset=ask.offset, expires_on=ask.expires_on,
    )  # fmt: skip
    return await asyncio.to_thread(on.uploads.add, caller.tenant, ask.user, given)


async def _assessment(ask: WhoRequest, stamp: Stamp, on: AskedKyc) -> AssessmentShown:
    return await asyncio.to_thread(on.assessing.shown, on.caller(stamp), ask.user)


async def _assess(ask: AssessRequest, stamp: Stamp, on: AskedKyc) -> AssessmentShown:
    caller = on.caller(stamp)
    return await asyncio.to_thread(on.assessing.assess, caller, ask.user, ask.answers)


async def _questionnaire(_: NoKycRequest, stamp: Stamp, on: AskedKyc) -> QuestionnaireShown:
    return await asyncio.to_thread(on.assessing.asked, on.caller(stamp).tenant)


def _own(
    name: str,
    summary: str,
    way: tuple[str, str],
    types: tuple[Any, Any],
    answer: Any,
    **more: Any,
) -> Operation[Any, Any]:
    method, path = way
    request, reply = types
    errors = (Denied, Invalid, Conflict, NotFound, *more.pop("errors", ()))
    return Do(
        name=name,
        summary=summary,
        method=method,  # type: ignore[arg-type]
        path=path,
        request=request,
        reply=reply,
        scope="",
        errors=errors,
        secret=method != "GET",  # what people say of themselves
        source="kyc",
        answer=answer,
        **more,
    )


_PERSON: Final = {
    "given_name": "Ada",
    "family_name": "King",
    "birth_date": "1990-02-28",
    "nationality": "GB",
    "residence": "IT",
    "street": "Via Roma 1",
    "city": "Torino",
}
OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    _own(
        "users.profile",
        "Who somebody is, as they have said; the header ETag names the version.",
        ("GET", "/users/{user}/profile"),
        (WhoRequest, ProfileShown),
        _profile,
        versioned=True,
    ),
    _own(
        "users.set_profile",
        "Say who you are: the version that you have seen, by If-Match, is changed.",
        ("PUT", "/users/{user}/profile"),
        (SetProfileRequest, ProfileShown),
        _set_profile,
        versioned=True,
        errors=(Changed, Unconditional),
        example={"person": _PERSON, "version": 0},
    ),
    _own(
        "kyc.standing",
        "How far your verification is, and what is to be done next.",
        ("GET", "/users/{user}/kyc"),
        (WhoRequest, StandingShown),
        _standing,
    ),
    _own(
        "kyc.submit",
        "Ask to be verified, once your profile says who you are.",
        ("POST", "/users/{user}/kyc"),
        (WhoRequest, StandingShown),
        _submit,
    ),
    _own(
        "kyc.add_document",
        "Upload a document, whole or in pieces; it is kept under your own key.",
        ("POST", "/users/{user}/kyc/documents"),
        (DocumentRequest, UploadReply),
        _upload,
        example={"kind": "identity", "media_type": "application/pdf", "content": "JVBERi0xLjQK"},
    ),
    _own(
        "users.risk_assessment",
        "What risk suits somebody, with what each answer gave.",
        ("GET", "/users/{user}/risk-assessment"),
        (WhoRequest, AssessmentShown),
        _assessment,
    ),
    _own(
        "users.assess_risk",
        "Answer what risk suits you: a score, a profile, and why.",
        ("POST", "/users/{user}/risk-assessment"),
        (AssessRequest, AssessmentShown),
        _assess,
        example={"answers": {"horizon": "in_3_7y", "loss_bearable": "a_tenth"}},
    ),
    _own(
        "kyc.questionnaire",
        "What is asked to find out what risk suits somebody.",
        ("GET", "/risk-assessment/questionnaire"),
        (NoKycRequest, QuestionnaireShown),
        _questionnaire,
    ),
)
