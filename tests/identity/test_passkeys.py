"""Passkeys: an authenticator in software, and what is no answer of its."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from fondaco.app.files import Files
from fondaco.app.secrets import sealing_at
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Role
from fondaco.domain.identity.oidc.jwt import generated
from fondaco.domain.identity.people import webauthn
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.domain.identity.people.passkeys import Assertion, Passkeys
from fondaco.domain.identity.people.passwords import Hashing
from fondaco.kernel.errors import Conflict, Denied, FondacoError, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore

PASSWORD: Final = "correct horse battery staple"
ORIGIN: Final = "https://fondaco.example.com"
RP: Final = "fondaco.example.com"
SECOND: Final = 1_000_000_000


class Authenticator:
    """One passkey, and how its browser answers. What is set on it is what a test makes wrong."""

    def __init__(self, kind: str = "ES256") -> None:
        self.private: Any = generated(kind)  # type: ignore[arg-type]
        self.credential_id = os.urandom(32)
        self.count = 0
        self.origin, self.rp_id, self.flags = ORIGIN, RP, webauthn.PRESENT | webauthn.VERIFIED
        self.cross_origin = False

    def client_data(self, kind: str, challenge: bytes) -> bytes:
        said = {
            "type": f"webauthn.{kind}",
            "challenge": urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        }
        return msgspec.json.encode(said)

    def data(self, more: int = 0) -> bytes:
        self.count += 1
        head = sha256(self.rp_id.encode()).digest() + bytes([self.flags | more])
        found = head + self.count.to_bytes(4, "big")
        if more:
            size = len(self.credential_id).to_bytes(2, "big")
            found += bytes(16) + size + self.credential_id + b"\xa0"
        return found

    def made(self, challenge: bytes) -> tuple[bytes, bytes, bytes]:
        public = self.private.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return self.client_data("create", challenge), self.data(webauthn.HAS_CREDENTIAL), der

    def answer(self, challenge: bytes) -> Assertion:
        client_data, data = self.client_data("get", challenge), self.data()
        text = data + sha256(client_data).digest()
        if isinstance(self.private, Ed25519PrivateKey):
            signature = self.private.sign(text)
        elif isinstance(self.private, rsa.RSAPrivateKey):
            signature = self.private.sign(text, padding.PKCS1v15(), SHA256())
        else:
            signature = self.private.sign(text, ec.ECDSA(SHA256()))
        return Assertion(self.credential_id, client_data, data, signature)


class House:
    def __init__(self, folder: Path) -> None:
        self.now = 1_750_000_000 * SECOND
        self.store = SqliteStore(folder / "records.db")
        clock = lambda: Instant(self.now)  # noqa: E731
        cache = MemoryCache(clock)
        self.directory = Directory(self.store, cache, clock, os.urandom)
        self.desk = PeopleDesk(
            self.store,
            self.directory,
            clock,
            os.urandom,
            sealing=sealing_at(Files(folder)),
            mail=SimpleNamespace(send=lambda *_: None),
            hashing=Hashing(memory_kib=64, passes=1),
            session_ns=3_600 * SECOND,
            idle_ns=3_600 * SECOND,
        )
        self.passkeys = Passkeys(self.store, self.desk, cache, clock, os.urandom)
        self.passkeys.rp_id, self.passkeys.origins = RP, (ORIGIN,)
        for user in ("ada", "bob"):
            self.directory.create_user("acme", user, [Role.TRADER])
            self.desk.add("acme", user, PASSWORD, f"{user}@example.com", user)

    def password(self, user: str = "ada", code: str = "") -> Any:
        said = {"address": "here", "device": "", "device_name": "Firefox"}
        return self.desk.sign_in("acme", user, PASSWORD, code, **said)

    def enrolled(self, kind: str = "ES256") -> tuple[Caller, Authenticator, list[str]]:
        caller = self.directory.authenticate(self.password().token)
        device = Authenticator(kind)
        handle, challenge, _ = self.passkeys.begin(caller, PASSWORD, "here")
        shown, codes = self.passkeys.add(caller, handle, "laptop", *device.made(challenge))
        assert shown.name == "laptop"
        return caller, device, codes

    def sign_in(self, device: Authenticator, **wrong: Any) -> Any:
        handle, challenge = self.passkeys.ask()
        for name, value in wrong.items():
            setattr(device, name, value)
        answer = device.answer(challenge)
        return self.passkeys.sign_in(handle, answer, address="here", device_name="Firefox")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.store.close()


@pytest.mark.parametrize("kind", ["ES256", "EdDSA", "RS256"])
def test_a_passkey_alone_signs_in(house: House, kind: str) -> None:
    _, device, _ = house.enrolled(kind)
    for _ in range(2):
        found = house.sign_in(device)
        assert found.second_factor == "passkey"
        assert house.directory.authenticate(found.token).user == "ada"


def test_with_a_passkey_a_password_is_not_enough(house: House) -> None:
    caller, device, codes = house.enrolled()
    assert house.password() is None, "a code is asked for"
    assert house.password(code=codes[0]).second_factor == "recovery"
    with pytest.raises(Denied):
        house.password(code=codes[0])
    with pytest.raises(Denied):
        house.password(code="123456")
    (shown,) = house.passkeys.of(caller)
    with pytest.raises(Denied):
        house.passkeys.remove(caller, shown.passkey_id, "wrong", "here")
    house.passkeys.remove(caller, shown.passkey_id, PASSWORD, "here")
    assert house.password()
    with pytest.raises(Denied):
        house.sign_in(device)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"rp_id": "evil.example"},
        {"cross_origin": True},
        {"flags": webauthn.PRESENT},
        {"flags": webauthn.VERIFIED},
        {"flags": webauthn.PRESENT | webauthn.VERIFIED | webauthn.IS_COPIED},
        {"private": Ed25519PrivateKey.generate()},
        {"credential_id": b"another"},
        {"count": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_is_no_answer_of_its_is_refused(house: House, wrong: dict[str, Any]) -> None:
    _, device, _ = house.enrolled()
    house.sign_in(device)
    with pytest.raises(Denied):
        house.sign_in(device, **wrong)


def test_an_answer_is_good_once_and_for_one_ask(house: House) -> None:
    caller, device, _ = house.enrolled()
    handle, challenge = house.passkeys.ask()
    answer = device.answer(challenge)

    def act(to: str) -> Any:
        return house.passkeys.sign_in(to, answer, address="here", device_name="")

    assert act(handle)
    with pytest.raises(Denied):
        act(handle)
    with pytest.raises(Denied):
        act(house.passkeys.ask()[0])
    late, challenge = house.passkeys.ask()
    answer = device.answer(challenge)
    house.now += 301 * SECOND
    with pytest.raises(Denied):
        act(late)
    other, challenge, _ = house.passkeys.begin(caller, PASSWORD, "here")
    answer = device.answer(challenge)
    with pytest.raises(Denied):
        act(other)


def test_a_passkey_is_of_one_person(house: House) -> None:
    _, device, _ = house.enrolled()
    bob = house.directory.authenticate(house.password("bob").token)
    handle, challenge, _ = house.passkeys.begin(bob, PASSWORD, "here")
    with pytest.raises(Conflict):
        house.passkeys.add(bob, handle, "mine", *device.made(challenge))
    (shown,) = house.passkeys.of(house.directory.authenticate(house.sign_in(device).token))
    with pytest.raises(NotFound):
        house.passkeys.remove(bob, shown.passkey_id, PASSWORD, "here")
    handle, challenge, _ = house.passkeys.begin(bob, PASSWORD, "here")
    ada = house.directory.authenticate(house.sign_in(device).token)
    with pytest.raises(Denied):
        house.passkeys.add(ada, handle, "hers", *Authenticator().made(challenge))


def test_the_operator_gives_a_new_start(house: House) -> None:
    _, device, _ = house.enrolled()
    house.desk.add("acme", "ada", PASSWORD, "ada@example.com", "Ada")
    with pytest.raises(Denied):
        house.sign_in(device)
    assert house.password()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_break_the_reading(first: bytes, second: bytes) -> None:
    with pytest.raises(FondacoError):
        webauthn.check_client(first, "webauthn.get", second, (ORIGIN,))
    with pytest.raises(FondacoError):
        webauthn.read(first, RP)
    with pytest.raises(FondacoError):
        webauthn.check_signature(first, second, first, second)
    head = sha256(RP.encode()).digest() + bytes([0x45])
    with suppress(Denied):
        assert len(webauthn.read(head + first, RP).credential_id) <= webauthn.ID_MAX
