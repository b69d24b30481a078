"""What the journal is told of who people are: that something happened, and nothing of what it was.

Each names a user, so its record is sealed under that person's key and forgotten with it.
"""

from typing import TypeAlias

from fondaco.kernel.event import Event, Instant


class ProfileChanged(Event, frozen=True, gc=False, tag="identity.profile_changed.v1"):
    tenant: str
    user: str
    version: int
    by: str


class PersonLookedAt(Event, frozen=True, gc=False, tag="identity.person_looked_at.v1"):
    """Somebody else has read what is personal: `what` is "profile", "case" or a document's id."""

    tenant: str
    user: str
    what: str
    by: str


class KycSubmitted(Event, frozen=True, gc=False, tag="identity.kyc_submitted.v1"):
    tenant: str
    user: str
    case_id: str
    profile_version: int


class DocumentsAsked(Event, frozen=True, gc=False, tag="identity.kyc_documents_asked.v1"):
    """`kinds` are all that are missing now. `by` is a reviewer, or "rule"."""

    tenant: str
    user: str
    case_id: str
    kinds: tuple[str, ...]
    by: str


class DocumentAdded(Event, frozen=True, gc=False, tag="identity.kyc_document_added.v1"):
    """`digest` is the SHA-256 of what was uploaded, which is kept under its person's key."""

    tenant: str
    user: str
    case_id: str
    document_id: str
    kind: str
    digest: str


class PersonScreened(Event, frozen=True, gc=False, tag="identity.kyc_screened.v1"):
    """`lists` are the SHA-256 of those that were looked through; `open_hits` nobody has cleared."""

    tenant: str
    user: str
    case_id: str
    lists: tuple[str, ...]
    hits: int
    open_hits: int
    cause: str


class ReviewBegun(Event, frozen=True, gc=False, tag="identity.kyc_review_begun.v1"):
    """Everything is there: a person must look. `codes` say at what in particular."""

    tenant: str
    user: str
    case_id: str
    codes: tuple[str, ...]


class HitCleared(Event, frozen=True, gc=False, tag="identity.kyc_hit_cleared.v1"):
    """Two people say that a list names somebody else; `basis` is how they know."""

    tenant: str
    user: str
    case_id: str
    hit_id: str
    basis: str
    by: str


class KycApproved(Event, frozen=True, gc=False, tag="identity.kyc_approved.v1"):
    tenant: str
    user: str
    case_id: str
    until: Instant
    by: str


class KycRefused(Event, frozen=True, gc=False, tag="identity.kyc_refused.v1"):
    """`by` is a reviewer, or "rule"."""

    tenant: str
    user: str
    case_id: str
    code: str
    by: str


class KycExpired(Event, frozen=True, gc=False, tag="identity.kyc_expired.v1"):
    tenant: str
    user: str
    case_id: str


class KycReopened(Event, frozen=True, gc=False, tag="identity.kyc_reopened.v1"):
    """What was decided holds no more until it is decided again."""

    tenant: str
    user: str
    case_id: str
    code: str
    by: str


class RiskAssessed(Event, frozen=True, gc=False, tag="identity.risk_assessed.v1"):
    """Answers, score and profile are in the records. `cause` is "answers" or "questionnaire";
    `is_changed` says whether another profile came of it."""

    tenant: str
    user: str
    questionnaire: int
    cause: str
    is_changed: bool


class QuestionnairePublished(
    Event, frozen=True, gc=False, tag="identity.questionnaire_published.v1"
):
    """`digest` is the SHA-256 of its text, which is in the records."""

    tenant: str
    version: int
    digest: str
    by: str


CaseEvent: TypeAlias = (
    KycSubmitted
    | DocumentsAsked
    | DocumentAdded
    | PersonScreened
    | ReviewBegun
    | HitCleared
    | KycApproved
    | KycRefused
    | KycExpired
    | KycReopened
)
KycEvent: TypeAlias = (
    CaseEvent | ProfileChanged | PersonLookedAt | RiskAssessed | QuestionnairePublished
)
