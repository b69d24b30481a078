"""Profiles: what people say of who they are. Kept sealed under each one's own key."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.kyc import store
from fondaco.domain.identity.kyc.events import PersonLookedAt, ProfileChanged
from fondaco.domain.identity.kyc.model import Person
from fondaco.domain.identity.kyc.rules import wrong
from fondaco.domain.identity.kyc.shown import ProfileShown
from fondaco.domain.identity.model import DEMO, Caller, Scope, TenantId, UserId
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.people.desk import Sealing
from fondaco.kernel.errors import Changed, Denied, Invalid, Unconditional
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

_read: Final = msgspec.json.Decoder(Person).decode
_write: Final = msgspec.json.Encoder().encode


def day_of(at: Instant) -> date:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).date()


def may_see(caller: Caller, user: str, scope: Scope = Scope.KYC_READ) -> bool:
    """Whether it is their own. Raises `Denied` for somebody else without the scope, and for a key
    or an application of one's own: they act for a person, and need not know who it is."""
    is_own = caller.user == user and (caller.is_session or caller.name == DEMO)
    if not is_own and not caller.may(scope):
        said = "sign in: keys and applications are not told" if caller.user == user else ""
        raise Denied(said or f"this is about somebody else; it takes {scope}", code="forbidden")
    return is_own


class Profiles:
    """Safe to call from any thread."""

    def __init__(self, records: Store, clock: Callable[[], Instant], sealing: Sealing) -> None:
        self._records, self._clock, self._sealing = records, clock, sealing
        self.on_change: Callable[[str, str, Person, Person], None] = _nobody
        records.create(store.metadata)

    def shown(self, caller: Caller, user: str) -> ProfileShown:
        """Raises `NotFound`, `Denied`. That somebody else has looked is told to the journal."""
        tenant, is_own = caller.tenant, may_see(caller, user)
        with self._records.reading() as conn:
            identity.user(conn, tenant, UserId(user))
            row, known = store.profile(conn, tenant, user), people.person(conn, tenant, user)
        if not is_own:
            self.looked(tenant, user, "profile", caller.name)
        return self._shown(tenant, user, row, known)

    def looked(self, tenant: str, user: str, what: str, by: str) -> None:
        with self._records.writing() as conn:
            store.tell(conn, PersonLookedAt(tenant, user, what, by), self._clock())

    def set(self, caller: Caller, user: str, person: Person, version: int | None) -> ProfileShown:
        """Raises `Unconditional` without a version, `Changed` where it is another by now."""
        may_see(caller, user, Scope.KYC_WRITE)
        if version is None:
            raise Unconditional(
                "say which version you change: the header If-Match with the ETag of GET, or the "
                "field version; 0 where there is none yet"
            )
        at, tenant = self._clock(), caller.tenant
        if said := wrong(person, day_of(at)):
            raise Invalid(said)
        with self._records.writing() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            row = store.profile(conn, tenant, user)
            now = row.version if row else 0
            if now != version:
                raise Changed(
                    f"the profile is at version {now}, you have seen {version}: read it again",
                    state={"version": now},
                )
            before = self._opened(tenant, user, row)
            sealed = self._sealing.seal(_write(person), f"{tenant}/{user}")
            row = {"version": now + 1, "person": sealed, "changed_at": at}
            store.put(conn, store.profiles, tenant, user, **row)
            store.tell(conn, ProfileChanged(tenant, user, now + 1, caller.name), at)
        self.on_change(tenant, user, before, person)
        with self._records.reading() as conn:
            row, known = store.profile(conn, tenant, user), people.person(conn, tenant, user)
        return self._shown(tenant, user, row, known)

    def person(self, conn: Any, tenant: str, user: str) -> tuple[int, Person]:
        """Version and what it says; 0 and nothing."""
        row = store.profile(conn, tenant, user)
        return (row.version if row else 0), self._opened(tenant, user, row)

    def email(self, conn: Any, tenant: str, user: str) -> str:
        """ "" of who has none."""
        known = people.person(conn, tenant, user)
        return self._text(known.email, tenant, user) if known else ""

    def _opened(self, tenant: str, user: str, row: Any) -> Person:
        return _read(self._sealing.unseal(row.person, f"{tenant}/{user}")) if row else Person()

    def _text(self, sealed: bytes, tenant: str, user: str) -> str:
        return self._sealing.unseal(sealed, f"{tenant}/{user}").decode()

    def _shown(self, tenant: str, user: str, row: Any, known: Any) -> ProfileShown:
        return ProfileShown(
            user=user,
            version=row.version if row else 0,
            email=self._text(known.email, tenant, user) if known else "",
            name=self._text(known.name, tenant, user) if known else "",
            is_verified=known is not None and known.verified_at is not None,
            person=self._opened(tenant, user, row),
        )


def _nobody(_: str, __: str, ___: Person, ____: Person) -> None:
    """Nobody is told."""
