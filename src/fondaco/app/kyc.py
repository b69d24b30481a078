"""The part of a house that knows who people are, and the gate that asks before they trade."""

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

from fondaco.app.people import PeoplePart
from fondaco.app.say import say
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.kyc import rules, store, words
from fondaco.domain.identity.kyc.assessing import Assessing
from fondaco.domain.identity.kyc.desk import DAY_NS, CaseDesk, Terms, countries_of
from fondaco.domain.identity.kyc.model import Case
from fondaco.domain.identity.kyc.profiles import Profiles, day_of, may_see
from fondaco.domain.identity.kyc.shown import (
    CaseLine,
    CaseShown,
    CasesReply,
    ListLine,
    ListsReply,
    RescreenedReply,
    StandingShown,
)
from fondaco.domain.identity.kyc.uploads import Uploads
from fondaco.domain.identity.model import Action, Caller, Scope, UserId
from fondaco.kernel.errors import Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Stamp
from fondaco.ports.screening import Screening
from fondaco.ports.store import Store
from fondaco.settings import Settings

AUTO: Final = "auto"
ALL: Final = "all"
NONE: Final = "none"
LOOK_EVERY: Final = 30  # seconds between looks at whether a list has changed
# What is refused to whom the house does not know: to take on risk, and to take money out. What
# reduces risk or takes an order back is not.
GATED: Final = frozenset(
    {
        "trading.place_order",
        "trading.place_orders",
        "trading.replace_order",
        "trading.withdraw",
        "trading.transfer",
        "trading.send",
    }
)
Authorise = Callable[..., bool]


class Approving(Protocol):
    def second(self, stamp: Stamp) -> str: ...


class House(Protocol):
    """What of a house is needed here."""

    @property
    def now(self) -> Callable[[], Instant]: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def people(self) -> PeoplePart: ...

    @property
    def approvals(self) -> Approving: ...


class KycPart:
    """What operations on who people are are answered from."""

    def __init__(
        self,
        house: House,
        settings: Settings,
        records: Store,
    ) -> None:
        directory, people = house.directory, house.people
        self._records, self._directory, self._people = records, directory, people
        self.second = house.approvals.second
        self._sources = screening_sources(settings)
        self._loading = Lock()
        clock = self._clock = house.now  # that of a sandbox is moved
        self.profiles = Profiles(records, clock, people.sealing)
        self.desk = CaseDesk(
            records,
            clock,
            os.urandom,
            sealing=people.sealing,
            mail=people.mail,
            screening=lambda: self.screening,
            profiles=self.profiles,
            terms=Terms(
                settings.kyc_valid_days * DAY_NS,
                countries_of(settings.kyc_countries_refused),
                countries_of(settings.kyc_countries_watched),
            ),
        )
        self.uploads = Uploads(records, clock, os.urandom, self.desk)
        self.assessing = Assessing(records, clock, people.sealing)
        self._required = required_of(settings)
        self._owners: dict[tuple[str, str], str] = {}
        with records.reading() as conn:
            self._standing = store.standings(conn)
        self.desk.on_change = self._changed
        self._trouble = ""

    @cached_property
    def screening(self) -> Screening:
        """Read when somebody is first looked up: names of a whole list take a moment."""
        from fondaco.ports.screening.local import LocalLists

        with self._loading:
            return LocalLists(self._sources)

    # --- Who asks -------------------------------------------------------------------------------

    def caller(self, stamp: Stamp) -> Caller:
        """Raises `Denied`. Who has asked for what a second person agrees to may be gone by then."""
        if stamp.cause:
            return self._directory.still(stamp.tenant, stamp.caller)
        return self._people.caller(stamp)

    # --- One's own ------------------------------------------------------------------------------

    def standing(self, caller: Caller, user: str) -> StandingShown:
        may_see(caller, user)
        tenant = caller.tenant
        with self._records.reading() as conn:
            identity.user(conn, tenant, UserId(user))
            _, case = store.case_of(conn, tenant, user)
            _, person = self.profiles.person(conn, tenant, user)
            documents = store.documents_of(conn, case.case_id) if case.case_id else ()
        missing = rules.missing(person)
        return StandingShown(
            user=user,
            state=case.state,
            case_id=case.case_id,
            message=words.next_step(case, user, missing),
            missing=missing,
            needed=list(case.needed),
            until=str(case.until) if case.state == "approved" else "",
            documents=[self.uploads.shown(each) for each in documents],
            is_required=self.is_required(tenant),
        )

    def submit(self, caller: Caller, user: str) -> StandingShown:
        may_see(caller, user, Scope.KYC_WRITE)
        self.desk.submit(caller.tenant, user)
        return self.standing(caller, user)

    # --- What reviewers see ---------------------------------------------------------------------

    def cases(self, tenant: str, state: str, limit: int) -> CasesReply:
        states = rules.STATES if state == "all" else (state,)
        with self._records.reading() as conn:
            found = store.cases_in(conn, states, tenant, limit)
        return CasesReply([_line(row, case) for row, case in found])

    def line(self, tenant: str, case_id: str) -> CaseLine:
        with self._records.reading() as conn:
            row, case = store.case_named(conn, tenant, case_id)
        if row is None:
            raise NotFound(f"there is no case {case_id}; GET /kyc/cases lists them")
        return _line(row, case)

    def case(self, caller: Caller, case_id: str) -> CaseShown:
        """Raises `Denied` for one's own: who saw what lists say of them would be warned."""
        tenant = caller.tenant
        with self._records.reading() as conn:
            row, case = store.case_named(conn, tenant, case_id)
            if row is None:
                raise NotFound(f"there is no case {case_id}; GET /kyc/cases lists them")
            if row.user == caller.user:
                raise Denied("nobody reviews a case of their own", code="own_case")
            _, person = self.profiles.person(conn, tenant, row.user)
            email = self.profiles.email(conn, tenant, row.user)
            documents = store.documents_of(conn, case_id)
        self.profiles.looked(tenant, row.user, "case", caller.name)
        born, today = person.birth_date, day_of(self._clock())
        return CaseShown(
            case=_line(row, case),
            person=person,
            age=rules.age_on(type(today).fromisoformat(born), today) if born else 0,
            email=email,
            hits=list(self.desk.hits(row)),
            documents=[self.uploads.shown(each) for each in documents],
            may_decide=case.state == "in_review" and caller.may(Scope.KYC_WRITE),
        )

    def lists(self) -> ListsReply:
        return ListsReply(
            [
                ListLine(
                    name=each.name, form=each.form, digest=each.digest, entries=each.entries,
                    names=each.names, left_out=each.left_out,
                )
                for each in self.screening.lists()
            ]
        )  # fmt: skip

    def rescreen(self, tenant: str) -> RescreenedReply:
        changed = self.screening.look_again()
        screened, reopened = self.desk.rescreen(tenant, "asked")
        return RescreenedReply(screened=screened, reopened=reopened, lists_changed=changed)

    # --- Over time ----------------------------------------------------------------------

    def tick(self, second: int) -> None:
        """Called every second: what has expired, and lists that have changed."""
        if second % LOOK_EVERY:
            return
        self.desk.expire()
        self.uploads.forget_begun()
        if not self._standing:
            return  # nobody was ever looked up
        try:
            changed = self.screening.look_again()
        except Invalid as error:
            if error.message != self._trouble:
                say(f"the lists stay as they were: {error.message}")
            self._trouble = error.message
            return
        self._trouble = ""
        if changed:
            screened, reopened = self.desk.rescreen()
            say(f"a list has changed: {screened} people looked up again, {reopened} in review")

    def expiring(self) -> list[Instant]:
        """Until when those are known who are."""
        return [each.until for each in self._standing.values() if each.state == "approved"]

    # --- The gate ----------------------------------------------------------------------

    def _changed(self, tenant: str, user: str, case: Case) -> None:
        self._standing = {**self._standing, (tenant, user): case}

    def is_required(self, tenant: str) -> bool:
        return ALL in self._required or tenant in self._required

    def check(self, caller: Any) -> None:
        """Raises `Denied` "kyc_required" for whom the house does not know yet, or no more; a
        service account is as known as who makes its keys."""
        if not self.is_required(caller.tenant):
            return
        user = caller.user
        case = self._standing.get((caller.tenant, user))
        if case is None and (owner := self._owner(caller.tenant, user)):
            user, case = owner, self._standing.get((caller.tenant, owner))
        case = case or Case()
        if case.state == "approved" and case.until > self._clock():
            return
        raise Denied(
            f"the house must know who {user} is before this: "
            f"{words.next_step(case, user, self._missing(caller.tenant, user, case))}",
            code="kyc_required",
            state={"kyc_state": "expired" if case.state == "approved" else case.state},
        )

    def _missing(self, tenant: str, user: str, case: Case) -> list[str]:
        if case.state not in ("none", "expired"):
            return []
        with self._records.reading() as conn:
            return rules.missing(self.profiles.person(conn, tenant, user)[1])

    def _owner(self, tenant: str, user: str) -> str:
        known = self._owners.get((tenant, user))
        if known is None:
            with self._records.reading() as conn:
                known = identity.owners(conn, tenant).get(user, "")
            if known:
                self._owners[tenant, user] = known
        return known

    def forget(self, tenant: str, user: str) -> None:
        """Of who was erased."""
        self._standing = {
            key: case for key, case in self._standing.items() if key != (tenant, user)
        }


def gated(settings: Settings, authorise: Authorise, part: Callable[[], KycPart]) -> Authorise:
    """`House.authorise`, which asks who somebody is first where the house requires it; elsewhere
    `authorise` itself, so that it costs an order nothing."""
    if not required_of(settings):
        return authorise

    def asked(
        caller: Any, action: Action, accounts: Iterable[str], ask: Any, door: str, address: str
    ) -> bool:
        is_gated = action.operation in GATED
        if is_gated and caller.tenant:
            part().check(caller)
        is_same = authorise(caller, action, accounts, ask, door, address)
        return is_same and not is_gated  # it may be known no more at the next order

    return asked


def required_of(settings: Settings) -> frozenset[str]:
    """Tenants; `ALL` for every one; none."""
    return frozenset(settings.kyc_required.split()) - {NONE}


def screening_sources(settings: Settings) -> list[Path]:
    """Files of lists. Raises `Invalid` for one that is not there, before anything is served."""
    from importlib.resources import files

    found = []
    for each in settings.screening_lists.split():
        if each == NONE or (each == AUTO and not settings.demo):
            continue
        path = Path(each)
        if each == AUTO:
            path = Path(str(files("fondaco.ports.screening") / "lists" / "demo.csv"))
        if not path.is_file():
            raise Invalid(f"screening_lists names {each}, and there is no such file")
        found.append(path)
    return found


def _line(row: Any, case: Case) -> CaseLine:
    return CaseLine(
        case_id=case.case_id,
        user=row.user,
        state=case.state,
        codes=list(case.codes),
        needed=list(case.needed),
        hits=case.hits,
        open_hits=case.open_hits,
        documents=case.documents,
        submitted_at=str(row.submitted_at),
        changed_at=str(row.changed_at),
        until=str(case.until) if case.state == "approved" else "",
        refusal=case.refusal,
        decided_by=case.by,
    )
