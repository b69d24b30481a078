"""What is shown of who people are: to themselves, and to those who review."""

from typing import Literal

import msgspec

from fondaco.domain.identity.kyc.model import OpenHit, Person, State
from fondaco.domain.identity.kyc.risk import Band, Explained, Question


class ProfileShown(msgspec.Struct, frozen=True, kw_only=True):
    """`version` 0: nothing was said yet. `email` and `name` are those of the registration."""

    user: str
    version: int
    email: str
    name: str
    is_verified: bool
    person: Person


class DocumentShown(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_on` is a day, "" where none was said; times are nanoseconds since 1970, UTC."""

    document_id: str
    kind: str
    media_type: str
    size: int
    sha256: str
    expires_on: str
    added_at: str


class DocumentReply(DocumentShown, frozen=True, kw_only=True):
    """`content` is base64."""

    content: str


class UploadReply(msgspec.Struct, frozen=True, kw_only=True):
    """`received` bytes are here; "more": go on from there."""

    state: Literal["more", "kept"]
    received: int
    document_id: str
    kyc_state: State
    needed: list[str]


class StandingShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far a person's own case is. `message` says what to do next; `missing` are fields of the
    profile, `needed` documents; `until` is nanoseconds since 1970, UTC, "" unless approved.
    `is_required`: nobody trades here without being approved."""

    user: str
    state: State
    case_id: str
    message: str
    missing: list[str]
    needed: list[str]
    until: str
    documents: list[DocumentShown]
    is_required: bool


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a queue shows it, without who it is about but by their chosen name. `codes`: what
    to look at: "hits", "country_watched", "lives_abroad", or why it was opened again."""

    case_id: str
    user: str
    state: State
    codes: list[str]
    needed: list[str]
    hits: int
    open_hits: int
    documents: int
    submitted_at: str
    changed_at: str
    until: str
    refusal: str
    decided_by: str


class CasesReply(msgspec.Struct, frozen=True):
    """Which has waited longest, first."""

    items: list[CaseLine]


class CaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """All that a reviewer decides by. `may_decide` is off for one's own case."""

    case: CaseLine
    person: Person
    age: int
    email: str
    hits: list[OpenHit]
    documents: list[DocumentShown]
    may_decide: bool


class ListLine(msgspec.Struct, frozen=True, kw_only=True):
    """`digest` is the SHA-256 of the file; `left_out` are entries that are no person."""

    name: str
    form: str
    digest: str
    entries: int
    names: int
    left_out: int


class ListsReply(msgspec.Struct, frozen=True):
    items: list[ListLine]


class RescreenedReply(msgspec.Struct, frozen=True, kw_only=True):
    """`reopened` cases were approved before, and are in review again."""

    screened: int
    reopened: int
    lists_changed: bool


class Result(msgspec.Struct, frozen=True):
    profile: str
    score: int


class AssessmentShown(msgspec.Struct, frozen=True, kw_only=True):
    """`state` "answer_again": the questionnaire has changed in a way that the answers do not fit.
    `before` is what the assessment before came to. `assessed_at` is nanoseconds since 1970, UTC."""

    user: str
    state: Literal["none", "current", "answer_again"]
    questionnaire: int = 0
    score: int = 0
    score_max: int = 0
    profile: str = ""
    by_points: str = ""
    text: str = ""
    explained: list[Explained] = []
    caps: list[str] = []
    before: Result | None = None
    assessed_at: str = ""


class QuestionnaireShown(msgspec.Struct, frozen=True, kw_only=True):
    """`version` 0 is the house's own."""

    version: int
    questions: list[Question]
    bands: list[Band]


class PublishedQuestionnaire(msgspec.Struct, frozen=True, kw_only=True):
    """`rescored` were scored anew by their answers; `to_answer_again` cannot be."""

    version: int
    rescored: int
    to_answer_again: int
