"""What people need of machines: a key that seals what is said of them, a place for messages, and
what a browser is given."""

import os
import time
from pathlib import Path
from typing import Final

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fondaco.app.files import Files
from fondaco.app.say import say
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Role, TenantId, User, UserId
from fondaco.domain.identity.people.api import UserShown
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.domain.identity.people.passwords import Hashing
from fondaco.gateway.cookies import csrf_of, set_cookie
from fondaco.kernel.errors import Denied, Unavailable
from fondaco.kernel.operation import Stamp
from fondaco.ports.store import Store
from fondaco.settings import Settings

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MINUTE_NS: Final = 60_000_000_000


class KeyFile:
    """AES-256-GCM under one key in a file that no backup has. `about` is bound to what is sealed,
    so that nobody's row can be given to somebody else."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
        self._path = path
        self._key = AESGCM(path.read_bytes())

    def seal(self, text: bytes, about: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, text, about.encode())

    def unseal(self, sealed: bytes, about: str) -> bytes:
        try:
            found = self._key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
        except InvalidTag as error:
            raise Unavailable(
                f"what is kept of {about} was sealed with another key than {self._path.name}: put "
                "back the one that belongs to these records"
            ) from error
        return found


class MailFolder:
    """Messages as files, which whatever sends mail here takes away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, to: str, subject: str, text: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns()}-{os.urandom(4).hex()}.eml"
        content = (
            f"To: {to}\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        )
        part = self._folder / f".{name}"
        part.write_text(content, "utf-8")
        part.rename(self._folder / name)


class PeoplePart:
    """What operations on people are answered from."""

    def __init__(self, records: Store, directory: Directory, desk: PeopleDesk) -> None:
        self._records, self._directory, self.desk = records, directory, desk

    def caller(self, stamp: Stamp) -> Caller:
        """Raises `Denied` for nobody: these operations are open to any role, not to strangers."""
        if not stamp.caller:
            raise Denied("sign in first", code="unauthenticated")
        return self._directory.caller_named(stamp.tenant, stamp.caller)

    def cookie(self, token: str, seconds: int) -> tuple[bytes, bytes]:
        return set_cookie(token, seconds)

    def csrf(self, token: str) -> str:
        return csrf_of(token)

    def picture(self, uri: str) -> str:
        return str(segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="#fff"))

    def users(self, tenant: str) -> list[UserShown]:
        with self._records.reading() as conn:
            return [_shown(each) for each in identity.users_of(conn, TenantId(tenant))]

    def set_roles(self, tenant: str, user: str, roles: list[Role]) -> UserShown:
        """Raises `NotFound`."""
        wanted = User(TenantId(tenant), UserId(user), tuple(sorted(frozenset(roles))))
        with self._records.writing() as conn:
            identity.user(conn, wanted.tenant, wanted.user)
            identity.put_user(conn, wanted, self._directory.clock())
        self._directory.refresh()
        say(f"{user} of {tenant} is now {', '.join(wanted.roles) or 'nothing'}")
        return _shown(wanted)


def _shown(user: User) -> UserShown:
    return UserShown(user.user, [str(each) for each in user.roles], sorted(user.scopes))


def people_part(
    settings: Settings, files: Files, records: Store, directory: Directory
) -> PeoplePart:
    directory.sealing = sealing = KeyFile(files.root / "records.key")
    desk = PeopleDesk(
        records,
        directory,
        directory.clock,
        os.urandom,
        sealing=sealing,
        mail=MailFolder(files.root / "mail"),
        hashing=Hashing(settings.password_memory_mib * 1_024),
        session_ns=settings.session_max_min * MINUTE_NS,
        idle_ns=settings.session_idle_min * MINUTE_NS,
    )
    return PeoplePart(records, directory, desk)
