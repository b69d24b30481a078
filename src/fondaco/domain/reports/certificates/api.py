"""What may be asked about certificates by those who have them. Who has a link asks
`GET /api/certificates/{certificate_id}` and `/certificates/{certificate_id}`, without a key."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.reports.api import AssessmentText
from fondaco.domain.reports.certificates.model import Kind, ShownAs, Standing
from fondaco.kernel.errors import Conflict, Denied, NotFound, Refused, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

CertificateText = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{24}$", examples=["0f3a5b7c9d1e2f405162738a"])
]
NameText = Annotated[
    str, Meta(pattern=r"^$|^\w[\w .'-]{0,58}\w$", max_length=60, examples=["Ada Lovelace"])
]


class MakeCertificateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of one's own assessment. `shown_as` "public_name": that of the leaderboard; "name": `name`.
    Nobody else sees any of it unless `is_public`. `number` is the payout's."""

    assessment_id: AssessmentText
    kind: Kind = "passed"
    number: Annotated[int, Meta(ge=0, le=10_000)] = 0
    shown_as: ShownAs = "nobody"
    name: NameText = ""
    is_public: bool = False


class CertificatesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`of` "everybody" is for who may look after assessments; names that their owners show to
    nobody are left out."""

    of: Literal["me", "everybody"] = "me"


class ShareCertificateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate_id: CertificateText
    is_public: bool


class CertificateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate_id: CertificateText


class RevokeCertificateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` is shown to whoever has the link."""

    certificate_id: CertificateText
    reason: Annotated[str, Meta(min_length=3, max_length=200, examples=["made by mistake"])]


class CertificateDocument(msgspec.Struct, frozen=True):
    """`pdf` is in base64; `sha256` is of the file itself."""

    certificate_id: str
    file_name: str
    sha256: str
    pdf: str


class CertificateReply(msgspec.Struct, frozen=True, kw_only=True):
    """`standing` is as it is now, and `why`; what it says never changes. `url` is its page, which
    also leads to it as PDF, SVG and PNG, and to the proof of entry `position`. `user` is "" for who
    has the link alone."""

    certificate_id: str
    user: str
    kind: Kind
    assessment_id: str
    name: str
    tier: str
    tier_version: int
    result: str
    happened_at: str
    made_at: str
    position: int
    sha256: str
    standing: Standing
    why: str
    is_public: bool
    url: str


class CertificatesReply(msgspec.Struct, frozen=True):
    items: list[CertificateReply]


class CertificatesPart(Protocol):
    """What the source "certificates" is."""

    async def make(self, ask: MakeCertificateRequest, by: Stamp) -> CertificateReply: ...

    async def list(self, by: Stamp, *, of: str = "me") -> CertificatesReply: ...

    async def document(self, certificate_id: str, by: Stamp) -> CertificateDocument: ...

    async def revoke(self, certificate_id: str, by: Stamp, *, reason: str) -> Any: ...

    async def share(self, certificate_id: str, by: Stamp, *, is_public: bool) -> Any: ...

    async def withdraw(self, certificate_id: str, by: Stamp) -> Any: ...


async def _make(ask: MakeCertificateRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.make(ask, stamp)


async def _list(ask: CertificatesRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.list(stamp, of=ask.of)


async def _document(ask: CertificateRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.document(ask.certificate_id, stamp)


async def _revoke(ask: RevokeCertificateRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.revoke(ask.certificate_id, stamp, reason=ask.reason)


async def _share(ask: ShareCertificateRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.share(ask.certificate_id, stamp, is_public=ask.is_public)


async def _withdraw(ask: CertificateRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.withdraw(ask.certificate_id, stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="certificates.make",
        summary="A certificate of what you have come to: passed, funded, or paid.",
        method="POST",
        path="/certificates",
        request=MakeCertificateRequest,
        reply=CertificateReply,
        scope=Scope.EVALUATION_ASK,
        errors=(NotFound, Conflict, Refused, Unavailable),
        status=201,
        source="certificates",
        answer=_make,
    ),
    Do(
        name="certificates.list",
        summary="Your certificates and how each stands now; everybody's for who looks after them.",
        method="GET",
        path="/certificates",
        request=CertificatesRequest,
        reply=CertificatesReply,
        scope=Scope.EVALUATION_READ,
        errors=(Denied,),
        source="certificates",
        answer=_list,
    ),
    Do(
        name="certificates.document",
        summary="A certificate of yours as PDF, also while nobody else may see it.",
        method="GET",
        path="/certificates/{certificate_id}/document",
        request=CertificateRequest,
        reply=CertificateDocument,
        scope=Scope.EVALUATION_READ,
        errors=(NotFound, Refused),
        source="certificates",
        answer=_document,
    ),
    Do(
        name="certificates.revoke",
        summary="Say for the firm that a certificate holds no more, and why, to whoever has it.",
        method="POST",
        path="/certificates/{certificate_id}/revoke",
        request=RevokeCertificateRequest,
        reply=CertificateReply,
        scope=Scope.EVALUATION_WRITE,
        errors=(NotFound, Refused),
        source="certificates",
        answer=_revoke,
    ),
    Do(
        name="certificates.share",
        summary="Let whoever has its link see it, or nobody.",
        method="PUT",
        path="/certificates/{certificate_id}",
        request=ShareCertificateRequest,
        reply=CertificateReply,
        scope=Scope.EVALUATION_ASK,
        errors=(NotFound, Conflict),
        source="certificates",
        answer=_share,
    ),
    Do(
        name="certificates.withdraw",
        summary="Take it back for good: what it says is deleted.",
        method="DELETE",
        path="/certificates/{certificate_id}",
        request=CertificateRequest,
        reply=CertificatesReply,
        scope=Scope.EVALUATION_ASK,
        errors=(NotFound,),
        source="certificates",
        answer=_withdraw,
    ),
)
