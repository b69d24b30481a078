"""What may be asked about certificates by those who have them. Who has a link asks
`GET /api/certificates/{certificate_id}` and `/certificates/{certificate_id}`, without a key."""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.reports.api import AssessmentText
from fondaco.domain.reports.certificates.model import Kind, ShownAs, Standing
from fondaco.kernel.errors import Conflict, NotFound, Refused, Unavailable
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
    pass


class ShareCertificateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate_id: CertificateText
    is_public: bool


class CertificateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate_id: CertificateText


class CertificateReply(msgspec.Struct, frozen=True, kw_only=True):
    """`standing` is as it is now, and `why`; what it says never changes. `url` is its page, which
    also leads to it as PDF, SVG and PNG, and to the proof of entry `position`."""

    certificate_id: str
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

    async def list(self, by: Stamp) -> CertificatesReply: ...

    async def share(self, certificate_id: str, by: Stamp, *, is_public: bool) -> Any: ...

    async def withdraw(self, certificate_id: str, by: Stamp) -> Any: ...


async def _make(ask: MakeCertificateRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.make(ask, stamp)


async def _list(_: CertificatesRequest, stamp: Stamp, part: CertificatesPart) -> Any:
    return await part.list(stamp)


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
        summary="Your certificates, and how each stands now.",
        method="GET",
        path="/certificates",
        request=CertificatesRequest,
        reply=CertificatesReply,
        scope=Scope.EVALUATION_READ,
        source="certificates",
        answer=_list,
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
