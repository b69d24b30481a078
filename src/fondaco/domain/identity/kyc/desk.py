"""Where cases are worked on: what a person asks, what rules and lists say, what reviewers decide.

A file of its own because it joins records, rules and lists. Each change of a case and the event
that tells of it commit together; the case kept is the fold of its events.
"""

from collections.abc import Callable, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.kyc import events as ev
from fondaco.domain.identity.kyc import rules, store
from fondaco.domain.identity.kyc.countries import COUNTRIES
from fondaco.domain.identity.kyc.model import (
    IDENTIFYING,
    NEEDED,
    Case,
    Facts,
    OpenHit,
    Person,
)
from fondaco.domain.identity.kyc.profiles import Profiles, day_of
from fondaco.domain.identity.kyc.words import NOTICES
from fondaco.domain.identity.model import Caller, TenantId, UserId
from fondaco.domain.identity.people.desk import Mail, Sealing
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.screening import Screening, Sought
from fondaco.ports.store import Store

EPOCH: Final = date(1970, 1, 1)
DAY_NS: Final = 86_400_000_000_000
RULE: Final = "rule"
_hits: Final = msgspec.json.Decoder(tuple[OpenHit, ...]).decode
_facts: Final = msgspec.json.Decoder(Facts).decode
_write: Final = msgspec.json.Encoder().encode


class Terms(NamedTuple):
    """What a house says of whom it accepts. Countries are ISO 3166-1 alpha-2."""

    valid_ns: int
    refused: frozenset[str]
    watched: frozenset[str]


class Decided(Protocol):
    """Told of each case that has changed."""

    def __call__(self, tenant: str, user: str, case: Case) -> None: ...


class Work:
    """One case while it is changed: what has happened is told when all of it is kept."""

    def __init__(
        self, conn: Any, tenant: str, user: str, case: Case, hits: Sequence[OpenHit]
    ) -> None:
        self.conn, self.tenant, self.user = conn, tenant, user
        self.case, self.hits = case, tuple(hits)
        self.told: list[ev.CaseEvent] = []

    def add(self, event: ev.CaseEvent) -> None:
        self.case = rules.after(self.case, event)
        self.told.append(event)

    @property
    def names(self) -> tuple[str, str, str]:
        return self.tenant, self.user, self.case.case_id


class CaseDesk:
    """Safe to call from any thread."""

    def __init__(
        self,
        records: Store,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes],
        *,
        sealing: Sealing,
        mail: Mail,
        screening: Callable[[], Screening],
        profiles: Profiles,
        terms: Terms,
    ) -> None:
        self._records, self._clock, self._random = records, clock, random
        self.sealing, self._mail, self._screening = sealing, mail, screening
        self.profiles, self.terms = profiles, terms
        self.on_change: Decided = _nobody
        profiles.on_change = self._profile_changed

    # --- What a person does -----------------------------------------------------------------------

    def submit(self, tenant: str, user: str) -> Case:
        """Raises `Invalid` for a profile that lacks something, `Conflict` while a case is open."""
        with self._records.writing() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            version, person = self.profiles.person(conn, tenant, user)
            _, before = store.case_of(conn, tenant, user)
            rules.check(before, ev.KycSubmitted)
            if lacking := rules.missing(person):
                raise Invalid(
                    f"the profile lacks {', '.join(lacking)}: PUT /users/{user}/profile first",
                    code="kyc_incomplete",
                    missing=lacking,
                )
            work = Work(conn, tenant, user, Case(), ())
            case_id = f"kyc_{self._random(8).hex()}"
            work.add(ev.KycSubmitted(tenant, user, case_id, version))
            if not self._barred(work, person):
                work.add(ev.DocumentsAsked(*work.names, NEEDED, RULE))
            self._keep(work)
        return self._done(work)

    def document_added(
        self, conn: Any, row: Any, case: Case, document_id: str, kind: str, digest: str
    ) -> Work:
        """Within the transaction that keeps it; `finish` follows it."""
        work = self._work(conn, row, case)
        work.add(ev.DocumentAdded(*work.names, document_id, kind, digest))
        if work.case.state == "documents_needed" and not work.case.needed:
            self._look(work, "submitted")
        self._keep(work)
        return work

    def finish(self, work: Work) -> Case:
        return self._done(work)

    def _profile_changed(self, tenant: str, user: str, before: Person, now: Person) -> None:
        """Whoever is somebody else by now is looked at again."""
        if all(getattr(before, name) == getattr(now, name) for name in IDENTIFYING):
            return
        with self._records.writing() as conn:
            row, case = store.case_of(conn, tenant, user)
            if case.state not in ("documents_needed", "in_review", "approved"):
                return
            work = self._work(conn, row, case)
            if case.state == "approved":
                work.add(ev.KycReopened(*work.names, "profile_changed", RULE))
            if rules.missing(now):
                work.add(ev.KycRefused(*work.names, "profile_incomplete", RULE))
            elif not self._barred(work, now) and work.case.state == "in_review":
                self._look(work, "profile", now)
            self._keep(work)
        self._done(work)

    def _barred(self, work: Work, person: Person) -> bool:
        code, _ = rules.barred(person, day_of(self._clock()), self.terms.refused)
        if code:
            work.add(ev.KycRefused(*work.names, code, RULE))
        return bool(code)

    # --- Screening --------------------------------------------------------------------------------

    def _look(self, work: Work, cause: str, person: Person | None = None) -> None:
        """Through the lists, and then into a reviewer's queue."""
        if person is None:
            _, person = self.profiles.person(work.conn, work.tenant, work.user)
        self._screen(work, person, cause)
        if work.case.state == "approved":
            if work.case.open_hits:
                work.add(ev.KycReopened(*work.names, "listed", RULE))
            else:
                return
        codes = rules.to_look_at(person, work.case, self.terms.watched)
        if work.case.codes and work.case.codes[0] in ("profile_changed", "listed"):
            codes = (work.case.codes[0], *codes)
        work.add(ev.ReviewBegun(*work.names, tuple(dict.fromkeys(codes))))

    def _screen(self, work: Work, person: Person, cause: str) -> None:
        screening = self._screening()
        found = screening.screen(sought_of(person))
        cleared = {(each.hit_id, each.name): each for each in work.hits if each.basis}
        hits = []
        for hit in found:
            name = sha256(f"{hit.list_name}/{hit.entry_id}".encode()).hexdigest()[:16]
            known = cleared.get((f"hit_{name}", hit.name))
            still = known is not None and cause != "profile"
            hits.append(
                OpenHit(
                    hit_id=f"hit_{name}",
                    list_name=hit.list_name,
                    entry_id=hit.entry_id,
                    topic=hit.topic,
                    name=hit.name,
                    score=hit.score,
                    why=hit.why,
                    basis=known.basis if known and still else "",
                    cleared_by=known.cleared_by if known and still else "",
                )
            )
        work.hits = tuple(hits)
        lists = tuple(each.digest for each in screening.lists())
        left = sum(not each.basis for each in hits)
        work.add(ev.PersonScreened(*work.names, lists, len(hits), left, cause))

    def rescreen(self, tenant: str = "", cause: str = "lists_changed") -> tuple[int, int]:
        """Everybody who is approved or in review; how many that were, and how many of them are in
        review again. Each in a transaction of their own."""
        with self._records.reading() as conn:
            chosen = store.cases_in(conn, ("approved", "in_review"), tenant)
        reopened = 0
        for row, _ in chosen:
            with self._records.writing() as conn:
                row, case = store.case_named(conn, row.tenant, row.case_id)
                if row is None or case.state not in ("approved", "in_review"):
                    continue
                work = self._work(conn, row, case)
                self._look(work, cause)
                self._keep(work)
            reopened += case.state == "approved" and work.case.state != "approved"
            self._done(work)
        return len(chosen), reopened

    # --- What reviewers do ------------------------------------------------------------------------

    def approve(self, caller: Caller, case_id: str) -> Case:
        """Raises `Conflict` while a hit is open, or where nobody was screened."""
        with self._records.writing() as conn:
            work = self._open(conn, caller, case_id)
            rules.check(work.case, ev.KycApproved)
            if not work.case.lists:
                raise Conflict(
                    "nobody can be approved who was not looked up: name lists in the setting "
                    "screening_lists, then POST /kyc/rescreen",
                    code="not_screened",
                )
            if work.case.open_hits:
                raise Conflict(
                    f"{work.case.open_hits} of {work.case.hits} hits are open: clear each, which "
                    "takes two, or refuse",
                    code="hits_open",
                    state={"open_hits": work.case.open_hits},
                )
            _, person = self.profiles.person(conn, work.tenant, work.user)
            code, said = rules.barred(person, day_of(self._clock()), self.terms.refused)
            if code:
                raise Conflict(f"nobody like this is accepted: {said}", code="kyc_state")
            until = self._until(conn, case_id)
            work.add(ev.KycApproved(*work.names, until, caller.name))
            self._keep(work)
        return self._done(work)

    def _until(self, conn: Any, case_id: str) -> Instant:
        """For as long as the house says, and no longer than an identity document is valid."""
        rows = [row for row in store.documents_of(conn, case_id) if row.kind == "identity"]
        days = [day for row in rows if (day := self.facts(row).expires_on)]
        ends = [(date.fromisoformat(day) - EPOCH).days * DAY_NS for day in days]
        return Instant(min([self._clock() + self.terms.valid_ns, *ends]))

    def refuse(self, caller: Caller, case_id: str, code: str) -> Case:
        return self._step(caller, case_id, lambda names: ev.KycRefused(*names, code, caller.name))

    def reopen(self, caller: Caller, case_id: str, code: str) -> Case:
        return self._step(caller, case_id, lambda names: ev.KycReopened(*names, code, caller.name))

    def ask_documents(self, caller: Caller, case_id: str, kinds: Sequence[str]) -> Case:
        asked = tuple(dict.fromkeys(kinds))
        return self._step(
            caller, case_id, lambda names: ev.DocumentsAsked(*names, asked, caller.name)
        )

    def check_clear(self, caller: Caller, case_id: str, hit_id: str) -> None:
        """What is wrong with it, told before a second person is asked."""
        with self._records.reading() as conn:
            work = self._open(conn, caller, case_id)
        rules.check(work.case, ev.HitCleared)
        self._hit(work, hit_id)

    def clear_hit(self, caller: Caller, case_id: str, hit_id: str, basis: str, second: str) -> Case:
        """`second` is the user who has agreed; "" where one person may do both halves."""
        with self._records.writing() as conn:
            work = self._open(conn, caller, case_id)
            if second == work.user:
                raise Denied("nobody agrees to a hit of their own", code="own_case")
            number = self._hit(work, hit_id)
            work.add(ev.HitCleared(*work.names, hit_id, basis, caller.name))
            hits = list(work.hits)
            hits[number] = msgspec.structs.replace(
                hits[number], basis=basis, cleared_by=caller.name
            )
            work.hits = tuple(hits)
            self._keep(work)
        return self._done(work)

    @staticmethod
    def _hit(work: Work, hit_id: str) -> int:
        for number, hit in enumerate(work.hits):
            if hit.hit_id == hit_id:
                if hit.basis:
                    raise Conflict(f"{hit_id} was cleared by {hit.cleared_by}", code="kyc_state")
                return number
        raise NotFound(f"the case has no hit {hit_id}")

    def _step(
        self, caller: Caller, case_id: str, event: Callable[[tuple[str, str, str]], ev.CaseEvent]
    ) -> Case:
        with self._records.writing() as conn:
            work = self._open(conn, caller, case_id)
            work.add(event(work.names))
            self._keep(work)
        return self._done(work)

    def _open(self, conn: Any, caller: Caller, case_id: str) -> Work:
        """Raises `NotFound`, and `Denied` for one's own, and for one that has another after it."""
        row, case = store.case_named(conn, caller.tenant, case_id)
        if row is None:
            raise NotFound(f"there is no case {case_id}; GET /kyc/cases lists them")
        if row.user == caller.user:
            raise Denied("nobody decides a case of their own: somebody else must", code="own_case")
        if store.case_of(conn, row.tenant, row.user)[0].case_id != case_id:
            raise Conflict(f"{case_id} is over: its person has a newer case", code="kyc_state")
        return self._work(conn, row, case)

    # --- Over time --------------------------------------------------------------------------------

    def expire(self) -> int:
        """What was approved until now; how many that were."""
        now, gone = self._clock(), 0
        with self._records.reading() as conn:
            chosen = [row for row, case in store.cases_in(conn, ("approved",)) if case.until <= now]
        for each in chosen:
            with self._records.writing() as conn:
                row, case = store.case_named(conn, each.tenant, each.case_id)
                if row is None or case.state != "approved":
                    continue
                work = self._work(conn, row, case)
                work.add(ev.KycExpired(*work.names))
                self._keep(work)
            self._done(work)
            gone += 1
        return gone

    # --- All of it --------------------------------------------------------------------------------

    def hits(self, row: Any) -> tuple[OpenHit, ...]:
        return _hits(self.sealing.unseal(row.hits, f"{row.tenant}/{row.user}"))

    def facts(self, row: Any) -> Facts:
        """Of a document."""
        return _facts(self.sealing.unseal(row.facts, f"{row.tenant}/{row.user}"))

    def _work(self, conn: Any, row: Any, case: Case) -> Work:
        return Work(conn, row.tenant, row.user, case, self.hits(row))

    def _keep(self, work: Work) -> None:
        at, about = self._clock(), f"{work.tenant}/{work.user}"
        sealed = self.sealing.seal(_write(work.hits), about)
        store.put_case(work.conn, work.tenant, work.user, work.case, sealed, at)
        for event in work.told:
            store.tell(work.conn, event, at)

    def _done(self, work: Work) -> Case:
        """Once it is kept: gates hear of it, and its person is written to."""
        self.on_change(work.tenant, work.user, work.case)
        for event in reversed(work.told):
            if (text := NOTICES.get(type(event))) is not None:
                self._write_to(work.tenant, work.user, text)
                break
        return work.case

    def _write_to(self, tenant: str, user: str, text: str) -> None:
        with self._records.reading() as conn:
            address = self.profiles.email(conn, tenant, user)
        if address:
            self._mail.send(address, "Your verification", f"{text}\n\nGET /users/{user}/kyc\n")


def sought_of(person: Person) -> Sought:
    """Whom to look for: every name, and what tells people apart who are called the same."""
    whole = f"{person.given_name} {person.family_name}".strip()
    others = [each.strip() for each in person.other_names.split(";") if each.strip()]
    names = [
        whole,
        *others,
        *(f"{each} {person.family_name}" for each in others if " " not in each),
    ]
    year = int(person.birth_date[:4]) if person.birth_date else 0
    countries = tuple(
        dict.fromkeys(each for each in (person.nationality, person.residence) if each)
    )
    return Sought(tuple(dict.fromkeys(names)), year, countries)


def countries_of(text: str) -> frozenset[str]:
    """Of a setting: codes parted by blanks. Raises `Invalid`."""
    found = frozenset(text.replace(",", " ").upper().split())
    if strange := found - COUNTRIES:
        raise Invalid(f"{', '.join(sorted(strange))} is no country of ISO 3166-1")
    return found


def _nobody(tenant: str, user: str, case: Case) -> None:
    """Nobody is told."""
