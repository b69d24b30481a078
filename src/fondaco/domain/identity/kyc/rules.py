"""The law of cases: which step follows which, who may be accepted, and for how long. Pure.

A case's state is what its events make of it, and nothing else: records keep the fold, the journal
the events.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from fondaco.domain.identity.kyc.countries import AGE_MIN, AGE_MIN_BY_RESIDENCE
from fondaco.domain.identity.kyc.events import (
    CaseEvent,
    DocumentAdded,
    DocumentsAsked,
    HitCleared,
    KycApproved,
    KycExpired,
    KycRefused,
    KycReopened,
    KycSubmitted,
    PersonScreened,
    ReviewBegun,
)
from fondaco.domain.identity.kyc.model import NEEDED_FIELDS, Case, Person, is_country
from fondaco.kernel.errors import Conflict

# Which states an event may be told in. What is not here cannot happen.
STEPS: Final[Mapping[type, tuple[str, ...]]] = {
    KycSubmitted: ("none", "refused", "expired"),
    DocumentsAsked: ("submitted", "documents_needed", "in_review"),
    DocumentAdded: ("documents_needed", "in_review"),
    PersonScreened: ("documents_needed", "in_review", "approved"),
    ReviewBegun: ("documents_needed", "in_review"),
    HitCleared: ("in_review",),
    KycApproved: ("in_review",),
    KycRefused: ("submitted", "documents_needed", "in_review"),
    KycExpired: ("approved",),
    KycReopened: ("approved", "refused"),
}
STATES: Final = ("documents_needed", "in_review", "approved", "refused", "expired")
_WORDS: Final[Mapping[type, str]] = {
    KycSubmitted: "submitted",
    DocumentsAsked: "asked for documents",
    DocumentAdded: "given a document",
    HitCleared: "cleared of a hit",
    KycApproved: "approved",
    KycRefused: "refused",
    KycReopened: "opened again",
}


def check(case: Case, step: type) -> None:
    """Raises `Conflict` "kyc_state" where the case cannot take this step now."""
    if case.state not in STEPS[step]:
        allowed = " or ".join(each.replace("_", " ") for each in STEPS[step])
        said = _WORDS.get(step, "changed so")
        raise Conflict(
            f"the case is {case.state.replace('_', ' ')}; it can be {said} only while it is "
            f"{allowed}",
            code="kyc_state",
            state={"kyc_state": case.state},
        )


def after(case: Case, event: CaseEvent) -> Case:
    """The case once that has happened."""
    check(case, type(event))
    return _AFTER[type(event)](case, event)


def _submitted(_: Case, event: KycSubmitted) -> Case:
    return Case(case_id=event.case_id, state="submitted", profile_version=event.profile_version)


def _asked(case: Case, event: DocumentsAsked) -> Case:
    return _with(case, state="documents_needed", needed=event.kinds, by=event.by)


def _added(case: Case, event: DocumentAdded) -> Case:
    needed = tuple(each for each in case.needed if each != event.kind)
    return _with(case, needed=needed, documents=case.documents + 1)


def _screened(case: Case, event: PersonScreened) -> Case:
    return _with(case, lists=event.lists, hits=event.hits, open_hits=event.open_hits)


def _reviewed(case: Case, event: ReviewBegun) -> Case:
    return _with(case, state="in_review", codes=event.codes)


def _cleared(case: Case, _: HitCleared) -> Case:
    return _with(case, open_hits=case.open_hits - 1)


def _approved(case: Case, event: KycApproved) -> Case:
    return _with(case, state="approved", until=event.until, by=event.by, codes=())


def _refused(case: Case, event: KycRefused) -> Case:
    return _with(case, state="refused", refusal=event.code, by=event.by, needed=())


def _expired(case: Case, _: KycExpired) -> Case:
    return _with(case, state="expired", until=Instant0)


def _reopened(case: Case, event: KycReopened) -> Case:
    codes = (event.code,)
    return _with(case, state="in_review", until=Instant0, refusal="", codes=codes, by=event.by)


Instant0: Final = Case().until
_with: Final = msgspec.structs.replace
_AFTER: Final[Mapping[type, Callable[[Case, Any], Case]]] = {
    KycSubmitted: _submitted,
    DocumentsAsked: _asked,
    DocumentAdded: _added,
    PersonScreened: _screened,
    ReviewBegun: _reviewed,
    HitCleared: _cleared,
    KycApproved: _approved,
    KycRefused: _refused,
    KycExpired: _expired,
    KycReopened: _reopened,
}


# --- Who may be accepted ----------------------------------------------------------------------


def missing(person: Person) -> list[str]:
    """Fields of a profile that a case needs and that say nothing."""
    return [name for name in NEEDED_FIELDS if not getattr(person, name).strip()]


def wrong(person: Person, today: date) -> str:
    """What in a profile cannot be; "" if nothing. Said when it is written, not when it is used."""
    for name in ("nationality", "residence"):
        code = getattr(person, name)
        if code and not is_country(code):
            return f"{name} is {code}, which is no country of ISO 3166-1: GB, not UK"
    if person.birth_date:
        try:
            born = date.fromisoformat(person.birth_date)
        except ValueError:
            return f"birth_date is {person.birth_date}, which is no day: YYYY-MM-DD"
        if not 0 <= age_on(born, today) <= 120:
            return f"birth_date is {person.birth_date}: nobody of that age can be accepted"
    return ""


def age_on(born: date, today: date) -> int:
    """Whole years. Who was born on 29 February is a year older on 1 March of other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def barred(person: Person, today: date, refused: Collection[str]) -> tuple[str, str]:
    """Code and reason for which nobody like this is accepted, whatever else; "" where there is
    none. `refused` are countries."""
    age = age_on(date.fromisoformat(person.birth_date), today)
    least = AGE_MIN_BY_RESIDENCE.get(person.residence, AGE_MIN)
    if age < least:
        return "under_age", f"you are {age}; in {person.residence} one must be {least}"
    for name in ("residence", "nationality"):
        code = getattr(person, name)
        if code in refused:
            return "country_refused", f"{name} is {code}, from where the house accepts nobody"
    return "", ""


def to_look_at(person: Person, case: Case, watched: Collection[str]) -> tuple[str, ...]:
    """What a reviewer is told to look at in particular. `watched` are countries."""
    found = []
    if case.open_hits:
        found.append("hits")
    if {person.residence, person.nationality} & set(watched):
        found.append("country_watched")
    if person.nationality != person.residence:
        found.append("lives_abroad")
    return tuple(found)
