"""Somebody is shut out, or let in again; and what a person is helped with who lost a device.

What they began ends for good: sessions, and what applications were given. Their keys are refused
for as long as they are locked. Whoever is told of it is told by a message, too.
"""

from typing import Final

import sqlalchemy as sa

from fondaco.domain.identity import events as ev
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, TenantId, UserId
from fondaco.domain.identity.oidc import store as oidc
from fondaco.domain.identity.people import store
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.kernel.errors import Denied, Taken
from fondaco.ports.store import Store

OWN: Final = "you cannot lock yourself: ask another admin, or end your sessions"


class Locking:
    def __init__(self, records: Store, directory: Directory, desk: PeopleDesk) -> None:
        self._records, self._directory, self._desk = records, directory, desk
        self._clock = directory.clock

    def lock(self, caller: Caller, user: str, reason: str) -> None:
        """Again changes nothing. Raises `NotFound`, `Conflict` for oneself and the last admin."""
        tenant, at = caller.tenant, self._clock()
        if user == caller.user:
            raise Taken(OWN, code="own_lock")
        with self._records.writing() as conn:
            identity.user(conn, tenant, UserId(user))
            store.check_not_last_admin(conn, tenant, user, "locked")
            if not identity.put_lock(conn, tenant, user, reason, caller.name, at):
                return
            self._desk.end_all(conn, tenant, user, caller.name)
            self._revoke(conn, tenant, user, caller.name)
        self._directory.refresh()
        self._write(tenant, user, "You are locked out", f"{caller.user} has locked {user}.")

    def unlock(self, caller: Caller, user: str, reason: str) -> None:
        """Again changes nothing. Raises `NotFound`."""
        with self._records.writing() as conn:
            identity.user(conn, caller.tenant, UserId(user))
            who = (caller.tenant, user)
            lifted = identity.lift_lock(conn, *who, reason, caller.name, self._clock())
        self._directory.refresh()
        if lifted:
            self._write(*who, "You may come in again", f"{caller.user} has unlocked {user}.")

    def end_sessions(self, caller: Caller, user: str) -> tuple[int, int]:
        """Of another or oneself: how many sessions ended, and how many applications lost what they
        were given. Raises `NotFound`."""
        who = (caller.tenant, user)
        with self._records.writing() as conn:
            identity.user(conn, caller.tenant, UserId(user))
            found = self._desk.end_all(conn, *who, caller.name)
            revoked = self._revoke(conn, *who, caller.name)
        self._directory.refresh()
        if found + revoked:
            self._write(*who, "You are signed out", f"{caller.user} has ended {user}'s sessions.")
        return found, revoked

    def check_reset(self, tenant: str, user: str) -> None:
        """Raises `NotFound`, or `Conflict` where there is nothing to reset."""
        with self._records.reading() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            row = store.person(conn, tenant, user)
            has = bool(store.passkeys_of(conn, tenant, user))
        if not has and (row is None or row.totp_at is None):
            raise Taken(f"{user} has no second factor", code="nothing_to_confirm")

    def reset(self, caller: Caller, user: str, agreed: str) -> None:
        """Authenticator, recovery codes and passkeys go, and every session ends. Whoever it is
        about is not the one who agrees: a thief of one of their keys would let themselves in."""
        if agreed and agreed == user != caller.user:
            raise Denied(
                f"{user} cannot agree to it themselves: somebody else must", code="own_approval"
            )
        self.check_reset(caller.tenant, user)
        tenant, at = caller.tenant, self._clock()
        with self._records.writing() as conn:
            store.change_person(conn, tenant, user, totp=None, totp_at=None)
            store.put_codes(conn, tenant, user, ())
            store.remove_passkeys(conn, tenant, user)
            store.tell(conn, ev.SecondFactorReset(tenant, user, caller.name, agreed), at)
            self._desk.end_all(conn, tenant, user, caller.name)
            self._revoke(conn, tenant, user, caller.name)
        self._directory.refresh()
        text = f"{caller.user} has reset your second factor. Sign in, and set up another."
        self._write(tenant, user, "Your second factor is gone", text)

    def _revoke(self, conn: sa.Connection, tenant: str, user: str, by: str) -> int:
        """What applications were given; a machine's own client asks by itself, and is locked with
        its user."""
        at, count = self._clock(), 0
        for grant in oidc.grants_of(conn, tenant, user, at):
            is_own = grant.grant_id == grant.client_id
            if not is_own and oidc.revoke_grant(conn, grant.grant_id, at):
                store.tell(conn, ev.AccessRevoked(grant.grant_id, by), at)
                count += 1
        return count

    def _write(self, tenant: str, user: str, subject: str, text: str) -> None:
        more = "If you know of no reason, ask whoever runs the house."
        self._desk.write_to(tenant, user, subject, f"{text}\n\n{more}")
