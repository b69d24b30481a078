"""What is known of a person, of their case, and of what risk suits them. Pure."""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from fondaco.domain.identity.kyc.countries import COUNTRIES
from fondaco.kernel.event import Instant

Text = Annotated[str, Meta(max_length=200)]
CountryText = Annotated[str, Meta(pattern=r"^([A-Z]{2})?$", examples=["IT"])]
DateText = Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", examples=["1990-02-28"])]
CaseId = Annotated[str, Meta(pattern=r"^kyc_[0-9a-f]{16}$", examples=["kyc_5f2c9a1b4d3e6078"])]
DocumentId = Annotated[str, Meta(pattern=r"^doc_[0-9a-f]{16}$", examples=["doc_5f2c9a1b4d3e6078"])]
HitId = Annotated[str, Meta(pattern=r"^hit_[0-9a-f]{16}$", examples=["hit_5f2c9a1b4d3e6078"])]

State: TypeAlias = Literal[
    "none", "submitted", "documents_needed", "in_review", "approved", "refused", "expired"
]
Kind: TypeAlias = Literal["identity", "address", "selfie", "source_of_funds", "other"]
MediaType: TypeAlias = Literal["application/pdf", "image/jpeg", "image/png"]
Refusal: TypeAlias = Literal[
    "documents_unreadable", "documents_do_not_match", "listed", "risk_too_high", "not_accepted"
]
Basis: TypeAlias = Literal["birth_date", "nationality", "documents", "other_person"]
Reopening: TypeAlias = Literal["new_facts", "complaint", "mistake", "periodic"]

DOCUMENT_MAX: Final = 10 * 1_048_576  # bytes
PIECE_MAX: Final = 700_000  # bytes of one upload, so that its request is within body_max_bytes
DOCUMENTS_MAX: Final = 12  # of a case
NEEDED: Final[tuple[Kind, ...]] = ("identity", "address")
_MAGIC: Final[dict[MediaType, bytes]] = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who somebody is. Countries are ISO 3166-1 alpha-2, the date is ISO 8601; "" is not said."""

    given_name: Text = ""
    family_name: Text = ""
    other_names: Text = ""  # earlier ones, or in another script; parted by semicolons
    birth_date: DateText = ""
    nationality: CountryText = ""
    residence: CountryText = ""
    street: Text = ""
    city: Text = ""
    postal_code: Text = ""
    phone: Text = ""


NEEDED_FIELDS: Final = (
    "given_name", "family_name", "birth_date", "nationality", "residence", "street", "city",
)  # fmt: skip
# A change of one of these makes another person of somebody, as far as lists and rules go.
IDENTIFYING: Final = (*NEEDED_FIELDS[:5], "other_names")


class Facts(msgspec.Struct, frozen=True):
    """What of a document is kept sealed beside it. `expires_on` is a day, or ""."""

    sha256: str
    expires_on: str


class OpenHit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on a list who is called like this person. `basis` is "" until it is cleared."""

    hit_id: str
    list_name: str
    entry_id: str
    topic: str
    name: str
    score: int
    why: tuple[str, ...]
    basis: str = ""
    cleared_by: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One ask to be accepted, as its events have made it. `needed` are documents that are missing,
    `codes` what a reviewer must look at; `refusal` is "" unless it was refused."""

    case_id: str = ""
    state: State = "none"
    profile_version: int = 0
    needed: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    hits: int = 0
    open_hits: int = 0
    documents: int = 0
    until: Instant = Instant(0)
    refusal: str = ""
    by: str = ""


def fits(media_type: MediaType, content: bytes) -> bool:
    """Whether a document begins as one of its kind does."""
    return content.startswith(_MAGIC[media_type])


def is_country(code: str) -> bool:
    return code in COUNTRIES
