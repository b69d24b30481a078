"""What people need of machines: a key that seals what is said of them, a place for messages, and
what a browser is given."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import segno

from fondaco.app.files import Files
from fondaco.app.notices.mails import HouseMail
from fondaco.app.say import say
from fondaco.app.secrets import SubjectSealing, sealing_at
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.chain import LinkShown
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Role, TenantId, User, UserId
from fondaco.domain.identity.people import overview
from fondaco.domain.identity.people import store as people_store
from fondaco.domain.identity.people.api import RolesRequest
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.domain.identity.people.devices import Devices
from fondaco.domain.identity.people.inviting import Inviting
from fondaco.domain.identity.people.locking import Locking
from fondaco.domain.identity.people.overview import UserShown
from fondaco.domain.identity.people.passkeys import Passkeys
from fondaco.domain.identity.people.passwords import Hashing
from fondaco.gateway.cookies import csrf_of, set_cookie
from fondaco.kernel.errors import Denied, NotFound
from fondaco.kernel.operation import Stamp
from fondaco.ports.breached import breached
from fondaco.ports.cache import Cache
from fondaco.ports.store import Store
from fondaco.settings import LOOPBACK, Settings

MINUTE_NS: Final = 60_000_000_000


class PeoplePart:
    """What operations on people are answered from."""

    def __init__(
        self,
        records: Store,
        directory: Directory,
        desk: PeopleDesk,
        sealing: SubjectSealing,
        passkeys: Passkeys,
        mail: HouseMail,
    ) -> None:
        self._records, self._directory, self.desk = records, directory, desk
        self.sealing, self.passkeys, self.mail = sealing, passkeys, mail
        self.url = ""
        self.inviting: Inviting
        self.locking = Locking(records, directory, desk)
        self.second: Callable[[Stamp], str] = lambda _: ""  # who agreed; set where cases are kept
        self.ask_roles: Callable[[RolesRequest, Stamp], Awaitable[str]]
        self.sign_out_at: Callable[[Caller], str] = lambda _: ""  # where they are signed in, too
        self.devices = Devices(records, directory, desk, directory.clock)
        self.chain: Callable[[Caller, str], tuple[bool, list[LinkShown]]]  # set by the house

    def served_at(self, url: str) -> None:
        """Passkeys belong to a name, and an address of this machine has only one: localhost."""
        self.url, found = url, urlsplit(url)
        host = found.hostname or ""
        self.passkeys.rp_id, self.passkeys.origins = host, (url,)
        if host in LOOPBACK:
            self.passkeys.rp_id = "localhost"
            self.passkeys.origins = (url, f"{found.scheme}://localhost:{found.port}")

    def caller(self, stamp: Stamp) -> Caller:
        """Raises `Denied` for nobody: these operations are open to any role, not to strangers."""
        if not stamp.caller:
            raise Denied("sign in first", code="unauthenticated")
        caller = self._directory.caller_named(stamp.tenant, stamp.caller)
        if caller.behind:
            raise Denied(
                f"you ask in the name of {caller.user}: what is their own is theirs alone",
                code="forbidden",
            )
        return caller

    def known_caller(self, stamp: Stamp) -> Caller:
        """Anybody who is known, also by a key. Raises `Denied`."""
        if not stamp.caller:
            raise Denied("sign in first", code="unauthenticated")
        return self._directory.caller_named(stamp.tenant, stamp.caller)

    def cookie(self, token: str, seconds: int) -> tuple[bytes, bytes]:
        return set_cookie(token, seconds)

    def csrf(self, token: str) -> str:
        return csrf_of(token)

    def picture(self, uri: str) -> str:
        return str(segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="#fff"))

    def still(self, stamp: Stamp) -> Caller:
        return self._directory.still(stamp.tenant, stamp.caller)

    def users(self, tenant: str) -> list[UserShown]:
        with self._records.reading() as conn:
            return overview.users(conn, tenant, self._directory.clock())

    def user(self, tenant: str, user: str) -> UserShown:
        """Raises `NotFound`."""
        found = [each for each in self.users(tenant) if each.user == user]
        if not found:
            raise NotFound(f"there is no user {user} in tenant {tenant}")
        return found[0]

    def check_roles(self, tenant: str, user: str, roles: list[Role]) -> None:
        """Raises `NotFound`, and `Conflict` where nobody would be left to run the house."""
        with self._records.reading() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            people_store.check_not_last_admin(conn, tenant, user, "something else", roles)

    def set_roles(self, tenant: str, user: str, roles: list[Role]) -> UserShown:
        """Raises `NotFound`, `Conflict`."""
        wanted = User(TenantId(tenant), UserId(user), tuple(sorted(frozenset(roles))))
        with self._records.writing() as conn:
            identity.user(conn, wanted.tenant, wanted.user)
            people_store.check_not_last_admin(conn, tenant, user, "something else", roles)
            identity.put_user(conn, wanted, self._directory.clock())
        self._directory.refresh()
        say(f"{user} of {tenant} is now {', '.join(wanted.roles) or 'nothing'}")
        return self.user(tenant, user)


def people_part(
    settings: Settings, files: Files, records: Store, directory: Directory, cache: Cache
) -> PeoplePart:
    directory.sealing = sealing = sealing_at(files, settings)
    mail = HouseMail(files, settings, sealing)
    desk = PeopleDesk(
        records,
        directory,
        directory.clock,
        os.urandom,
        sealing=sealing,
        mail=mail,
        hashing=Hashing(settings.password_memory_mib * 1_024),
        session_ns=settings.session_max_min * MINUTE_NS,
        idle_ns=settings.session_idle_min * MINUTE_NS,
    )
    if settings.password_breached:
        desk.breached = breached(Path(settings.password_breached))
    if moved := sealing.move(records):
        say(f"{moved} fields of people are sealed under keys of their own now")
    passkeys = Passkeys(records, desk, cache, directory.clock, os.urandom)
    part = PeoplePart(records, directory, desk, sealing, passkeys, mail)
    part.inviting = Inviting(records, directory, desk, os.urandom, mail, lambda: part.url)
    return part
