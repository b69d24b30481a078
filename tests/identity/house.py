"""A tenant with a clock to turn, for tests of people."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Role
from fondaco.domain.identity.people import totp
from fondaco.domain.identity.people.desk import PeopleDesk, SignedIn
from fondaco.domain.identity.people.passwords import Hashing
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store import told
from fondaco.ports.store.sqlite import SqliteStore

PASSWORD: Final = "correct horse battery staple"
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
START: Final = 1_750_000_000 * SECOND


class Sealed:
    """Seals by turning around, so that a test can see what was kept."""

    def seal(self, text: bytes, about: str) -> bytes:
        return (about.encode() + b"|" + text)[::-1]

    def unseal(self, sealed: bytes, about: str) -> bytes:
        whose, _, text = sealed[::-1].partition(b"|")
        if whose != about.encode():
            raise Unavailable("another's")
        return text


class House:
    """One tenant with a clock to turn."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.sent: list[tuple[str, str, str]] = []
        self.store = SqliteStore(folder / "records.db")
        clock = lambda: Instant(self.now)  # noqa: E731
        drawn = iter(range(1, 100_000))
        random = lambda size: next(drawn).to_bytes(size, "big")  # noqa: E731
        self.directory = Directory(self.store, MemoryCache(clock), clock, random, 30 * MINUTE)
        self.directory.create_user("acme", "root", [Role.ADMIN])
        self.desk = PeopleDesk(
            self.store,
            self.directory,
            clock,
            random,
            sealing=Sealed(),
            mail=SimpleNamespace(send=lambda *text: self.sent.append(text)),
            hashing=Hashing(memory_kib=64, passes=1),
            session_ns=24 * 60 * MINUTE,
            idle_ns=30 * MINUTE,
        )

    def register(self, user: str = "ada") -> None:
        self.desk.register("acme", user, PASSWORD, f"{user}@example.com", "Ada Lovelace")
        code = self.sent[-1][2].split("    ")[1].split()[0]
        self.desk.verify("acme", user, code, "here")

    def sign_in(self, password: str = PASSWORD, code: str = "", **more: Any) -> SignedIn | None:
        said = {"address": "here", "device": "", "device_name": "Firefox", **more}
        user = said.pop("user", "ada")
        return self.desk.sign_in("acme", user, password, code, **said)

    def caller(self, code: str = "", **more: Any) -> Caller:
        found = self.sign_in(code=code, **more)
        assert found
        return self.directory.authenticate(found.token)

    def enrolled(self) -> tuple[bytes, list[str]]:
        caller = self.caller()
        secret = self.desk.enrol(caller, PASSWORD, "here")
        codes = self.desk.confirm(caller, self.code(secret), "here")
        self.now += 60 * SECOND
        return secret, codes

    def code(self, secret: bytes) -> str:
        return totp.code_at(secret, totp.step_of(self.now))

    def said(self) -> list[bytes]:
        with self.store.reading() as conn:
            return [row.event for row in told(conn, 1_000)]
