"""Somebody is let in by a link: it is good once, ends by itself, and whoever uses it chooses their
own password, which nobody here ever knew. Roles are another matter, to which two people agree.
"""

import hmac
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from fondaco.domain.identity import events as ev
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, TenantId, User, UserId, digest_of, token_of
from fondaco.domain.identity.people import store
from fondaco.domain.identity.people.desk import Mail, PeopleDesk
from fondaco.kernel.errors import Conflict, Denied, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

HOUR_NS: Final = 3_600 * 1_000_000_000


class Inviting:
    """`url` says where the house is reached: a link leads there."""

    def __init__(
        self,
        records: Store,
        directory: Directory,
        desk: PeopleDesk,
        random: Callable[[int], bytes],
        mail: Mail,
        url: Callable[[], str],
    ) -> None:
        self._records, self._directory, self._desk = records, directory, desk
        self._clock, self._random = directory.clock, random
        self._mail, self._url = mail, url

    def invite(self, caller: Caller, user: str, email: str, name: str, hours: int) -> Instant:
        """Until when the link is good, which only their address is sent. Somebody who has not come
        yet is sent another, and the first is good no more. Raises `Conflict` for a name that is
        taken: a link would be a way into what its user may do."""
        tenant, at = caller.tenant, self._clock()
        code, until = token_of(self._random(32)), Instant(at + hours * HOUR_NS)
        hashed = self._desk.hashed(token_of(self._random(32)))  # a password that nobody knows
        with self._records.writing() as conn:
            self._make_room(conn, tenant, user)
            self._desk.keep(conn, (tenant, user), hashed, email, name)
            store.put_invitation(
                conn,
                tenant=tenant,
                user=user,
                digest=digest_of(code),
                invited_by=caller.name,
                created_at=at,
                until=until,
            )
            store.tell(conn, ev.PersonInvited(tenant, user, until, caller.name), at)
        self._directory.refresh()
        link = f"{self._url()}/#/invited/{tenant}/{user}/{code}"
        text = (
            f"You are invited to {tenant} as {user}. Choose a password within {hours} hours:\n\n"
            f"    {link}\n\nor: fondaco user accept --tenant {tenant} --user {user} --code {code}"
            "\n\nThe link is good once. If you expected nothing of the kind, do nothing."
        )
        self._mail.send(email, "You are invited", text)
        return until

    def _make_room(self, conn: sa.Connection, tenant: TenantId, user: str) -> None:
        """For a new user, or for one who was invited and has not come."""
        try:
            identity.user(conn, tenant, UserId(user))
        except NotFound:
            identity.put_user(conn, User(tenant, UserId(user), ()), self._clock())
            return
        if store.invitation(conn, tenant, user) is None:
            raise Conflict(
                f"there is a user {user} in {tenant} already; choose another name",
                code="user_taken",
            )
        store.remove_person(conn, tenant, user)

    def withdraw(self, caller: Caller, user: str) -> None:
        """Raises `NotFound`. The name stays theirs, so that nobody else bears it in the journal."""
        with self._records.writing() as conn:
            if not store.take_invitation(conn, caller.tenant, user):
                raise NotFound(f"nobody called {user} is invited")
            store.remove_person(conn, caller.tenant, user)
            identity.put_user(conn, User(caller.tenant, UserId(user), ()), self._clock())
            told = ev.InvitationWithdrawn(caller.tenant, user, caller.name)
            store.tell(conn, told, self._clock())
        self._directory.refresh()

    def accept(self, tenant: str, user: str, code: str, password: str, address: str) -> None:
        """Raises `Denied`, the same for whoever is not known; `Invalid` for a bad password, and
        then the link is as good as before."""
        self._desk.attempts.check(f"{tenant}/{user}", address, "")
        digest = digest_of(code.strip())
        with self._records.reading() as conn:
            found, row = store.invitation(conn, tenant, user), store.person(conn, tenant, user)
        is_good = found is not None and hmac.compare_digest(found.digest, digest)
        if row is None or not is_good or self._clock() >= found.until:
            self._desk.failed(tenant, user, address)
            raise _over()
        email, name = (self._desk.unsealed(each, tenant, user) for each in (row.email, row.name))
        hashed, at = self._desk.hashed(password, user, email.partition("@")[0], name), self._clock()
        with self._records.writing() as conn:
            if not store.take_invitation(conn, tenant, user, digest):
                raise _over()
            store.change_person(
                conn, tenant, user, password=hashed, password_at=at, verified_at=at,
                verify_digest="",
            )  # fmt: skip
            store.tell(conn, ev.PersonVerified(tenant, user, "invitation"), at)


def _over() -> Denied:
    return Denied(
        "the link is wrong, was used or withdrawn, or is too old: ask for another",
        code="invitation_over",
    )
