"""API keys: where they may be used, how they are rotated, what signs, and for whom."""

import asyncio
import os
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256
from hmac import digest
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from fondaco.app.files import Files
from fondaco.app.secrets import sealing_at
from fondaco.domain.identity import api, signatures
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.key_terms import Terms, _is_within, networks_of, next_name
from fondaco.domain.identity.model import Role, Scope, SignedRequest
from fondaco.domain.identity.room import room
from fondaco.domain.identity.signatures import SKEW_S, Nonces, Signature
from fondaco.gateway.door import Door
from fondaco.gateway.idempotency import MemoryReplies
from fondaco.kernel.errors import Conflict, Denied, FondacoError, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Stamp
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore
from gateway.desk import desk

SECOND: Final = 1_000_000_000
NOW_S: Final = 1_750_000_000


class House:
    def __init__(self, folder: Path) -> None:
        self.now = NOW_S * SECOND
        self.store = SqliteStore(folder / "records.db")
        clock = lambda: Instant(self.now)  # noqa: E731
        self.directory = Directory(self.store, MemoryCache(clock), clock, os.urandom)
        self.directory.sealing = sealing_at(Files(folder))
        self.directory.create_user("acme", "ada", [Role.TRADER])
        self.directory.create_user("acme", "bob", [Role.TRADER])
        self.directory.create_user("acme", "root", [Role.ADMIN])

    def key(self, user: str = "ada", name: str = "first", **more: Any) -> tuple[Any, str]:
        return self.directory.create_key("acme", user, name, **more)

    def ask(self, operation: Any, request: Any, name: str = "ada/first") -> Any:
        stamp = Stamp(Instant(self.now), "r", name, "acme")
        return asyncio.run(operation.answer(request, stamp, self.directory))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.store.close()


# --- Networks -------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_an_address_is_within_a_network_by_its_first_bits(
    address: int, network: int, bits: int
) -> None:
    net = IPv4Network((network >> (32 - bits) << (32 - bits), bits))
    same = address >> (32 - bits) == network >> (32 - bits)
    assert _is_within(str(IPv4Address(address)), [net]) is same
    assert _is_within(f"::ffff:{IPv4Address(address)}", [net]) is same


def test_a_key_is_good_from_its_networks_alone(house: House) -> None:
    terms = Terms(networks_of(["203.0.113.0/24", "2001:db8::/32"]))
    key, token = house.key(terms=terms)
    for good in ("203.0.113.7", "2001:db8::1"):
        assert house.directory.authenticate(token, good).key_id == key.key_id
    for bad in ("198.51.100.1", "2001:db9::1", "", "somewhere"):
        with pytest.raises(Denied) as found:
            house.directory.authenticate(token, bad)
        assert found.value.code == "address_not_allowed"
    ticket = house.directory.issue_ticket(house.directory.authenticate(token, "203.0.113.7"))
    with pytest.raises(Denied):
        house.directory.redeem(ticket.ticket, "198.51.100.1")
    for wrong in ("203.0.113.7/24", "nowhere", "10.0.0.0/33"):
        with pytest.raises(Invalid):
            networks_of([wrong])


def test_a_bound_key_makes_none_that_is_free(house: House) -> None:
    house.key(terms=Terms(networks_of(["203.0.113.0/24"])))
    made = house.ask(api.create_key, api.CreateKey("inherits"))
    assert made.key.networks == ("203.0.113.0/24",)
    within = house.ask(api.create_key, api.CreateKey("within", networks=["203.0.113.8/29"]))
    assert within.key.networks == ("203.0.113.8/29",)
    for beyond in ("0.0.0.0/0", "198.51.100.0/24", "::/0"):
        with pytest.raises(Invalid):
            house.ask(api.create_key, api.CreateKey("beyond", networks=[beyond]))
        with pytest.raises(Invalid):
            house.ask(api.rotate_key, api.RotateKey(within.key.key_id, networks=[beyond]))


# --- Rotation -------------------------------------------------------------------------------------


def test_a_rotated_key_has_a_time_of_grace(house: House) -> None:
    ends = Instant(house.now + 100 * SECOND)
    old, first = house.key(scopes=[Scope.MARKET_READ, Scope.KEYS_WRITE], expires_at=ends)
    made = house.ask(api.rotate_key, api.RotateKey(old.key_id, grace_s=30))
    assert (made.key.name, made.key.replaces, made.key.scopes) == (
        "first.2",
        old.key_id,
        old.scopes,
    )
    assert made.key.expires_at == ends, "as long after its beginning as the old one"
    for token in (first, made.token):
        house.directory.authenticate(token)
    house.now += 30 * SECOND
    with pytest.raises(Denied):
        house.directory.authenticate(first)
    assert house.directory.authenticate(made.token).name == "ada/first.2"
    with pytest.raises(Conflict):
        house.ask(api.rotate_key, api.RotateKey(old.key_id), "ada/first.2")
    at_once = house.ask(api.rotate_key, api.RotateKey(made.key.key_id, grace_s=0), "ada/first.2")
    with pytest.raises(Denied):
        house.directory.authenticate(made.token)
    assert house.directory.authenticate(at_once.token).name == "ada/first.3"


@given(st.lists(st.sampled_from(["bot", "bot.2", "bot.3", "bot.5"]), unique=True))
def test_the_next_name_is_free(taken: list[str]) -> None:
    for name in taken:
        assert next_name(name, set(taken)) not in taken


def test_nobody_is_given_more_by_rotating(house: House) -> None:
    house.key(name="small", scopes=[Scope.KEYS_WRITE])
    large, _ = house.key(name="large")
    with pytest.raises(Denied):
        house.ask(api.rotate_key, api.RotateKey(large.key_id), "ada/small")
    house.key(name="confined", accounts=["a1"])
    with pytest.raises(Denied):
        house.ask(api.rotate_key, api.RotateKey(large.key_id), "ada/confined")
    house.key("root")
    house.key("bob")
    for other in ("root/first", "bob/first"):
        with pytest.raises(NotFound):
            house.ask(api.rotate_key, api.RotateKey(large.key_id), other)


# --- Machines -------------------------------------------------------------------------------------


def test_a_service_account_has_keys_that_its_owner_makes(house: House) -> None:
    house.key("root")
    ask = api.CreateMachine("svc-bot", [Role.TRADER], "trades the model", "ada")
    assert house.ask(api.create_service_account, ask, "root/first").owner == "ada"
    with pytest.raises(Conflict):
        house.ask(api.create_service_account, ask, "root/first")
    house.key()
    made = house.ask(api.create_key, api.CreateKey("one", user="svc-bot"))
    assert house.directory.authenticate(made.token).name == "svc-bot/one"
    rotated = house.ask(api.rotate_key, api.RotateKey(made.key.key_id))
    assert house.directory.authenticate(rotated.token).user == "svc-bot"
    house.key("bob")
    with pytest.raises(NotFound):
        house.ask(api.create_key, api.CreateKey("two", user="svc-bot"), "bob/first")
    with pytest.raises(NotFound):
        house.ask(api.rotate_key, api.RotateKey(made.key.key_id), "root/first")
    house.key(name="part", scopes=[Scope.KEYS_WRITE])
    with pytest.raises(Denied):
        house.ask(api.create_key, api.CreateKey("three", user="svc-bot"), "ada/part")
    assert api.create_service_account.needs_second


# --- Signatures -----------------------------------------------------------------------------------

# RFC 9421, appendix B.2: the request, B.2.5 and B.2.6.
HEADERS: Final = {
    b"host": b"example.com",
    b"date": b"Tue, 20 Apr 2021 02:07:55 GMT",
    b"content-type": b"application/json",
    b"content-length": b"18",
}
SHARED: Final = (
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)


@pytest.mark.parametrize(
    ("names", "key_id", "signing", "secret", "value"),
    [
        (
            ("date", "@authority", "content-type"),
            "test-shared-secret",
            "hmac-sha256",
            SHARED,
            "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
        ),
        (
            ("date", "@method", "@path", "@authority", "content-type", "content-length"),
            "test-key-ed25519",
            "ed25519",
            "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=",
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
        ),
    ],
)
def test_the_published_signatures_fit(
    names: tuple[str, ...], key_id: str, signing: Any, secret: str, value: str
) -> None:
    from base64 import b64decode

    request = SignedRequest("POST", "/foo?param=Value&Pet=dog", HEADERS, b'{"hello": "world"}')
    covered = " ".join(f'"{name}"' for name in names)
    parameters = f'({covered});created=1618884473;keyid="{key_id}"'
    text = signatures.text_of(request, names, parameters)
    found = Signature(key_id, "", 1618884473, None, "", names, text, b64decode(value))
    signatures.check_value(found, signing, b64decode(secret))
    other = text.replace(b"example.com", b"example.org")
    with pytest.raises(Denied):
        signatures.check_value(
            Signature(key_id, "", 1618884473, None, "", names, other, b64decode(value)),
            signing,
            b64decode(secret),
        )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-90, 90)), max_size=30))
def test_a_nonce_is_good_once(uses: list[tuple[int, int]]) -> None:
    now = NOW_S
    nonces = Nonces(lambda: Instant(now * SECOND))
    taken: set[str] = set()
    for nonce, age in uses:
        now += 1
        signature = Signature("k", str(nonce), now - age, None, "", (), b"", b"")
        good = abs(age) <= SKEW_S and now - age >= NOW_S and str(nonce) not in taken
        try:
            nonces.use(signature)
        except Denied:
            assert not good
        else:
            assert good
            taken.add(str(nonce))


def signed_headers(
    method: str, target: str, body: bytes, key_id: str, sign: Any, **change: Any
) -> dict[str, str]:
    names = ["@method", "@path", "@query"]
    headers = {"content-type": "application/json"}
    if body:
        names.append("content-digest")
        headers["content-digest"] = f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"
    names = change.get("names", names)
    covered = " ".join(f'"{name}"' for name in names)
    created, nonce = change.get("created", NOW_S), change.get("nonce", os.urandom(8).hex())
    parameters = f'({covered});created={created};keyid="{key_id}";nonce="{nonce}"'
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    text = signatures.text_of(SignedRequest(method, target, raw, body), names, parameters)
    headers["signature-input"] = f"sig1={parameters}"
    headers["signature"] = f"sig1=:{b64encode(sign(text)).decode()}:"
    return headers


@asynccontextmanager
async def a_client(directory: Directory) -> AsyncIterator[AsyncClient]:
    with ThreadPoolExecutor(2) as readers:
        async with desk(identity=directory) as running:
            running.authenticate = directory.authenticate  # type: ignore[assignment, method-assign]
            running.signed = directory.signed  # type: ignore[assignment, method-assign]
            door = Door(running, room.operations, replies=MemoryReplies(), readers=readers)
            async with AsyncClient(transport=ASGITransport(door), base_url="http://test") as it:
                yield it


def pair(signing: str) -> tuple[dict[str, str], Any]:
    """What is asked for with the key, and how its holder signs, given the token."""
    if signing == "hmac-sha256":
        return {"signing": signing}, lambda token, text: digest(token.encode(), text, "sha256")
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    named = {"signing": signing, "public_key": urlsafe_b64encode(public).decode().rstrip("=")}
    return named, lambda _, text: private.sign(text)


@pytest.mark.parametrize("signing", ["hmac-sha256", "ed25519"])
def test_a_signed_request_is_good_once_and_only_as_it_is(house: House, signing: str) -> None:
    _, bearer = house.key()
    asked, signer = pair(signing)

    async def journey() -> None:
        async with a_client(house.directory) as client:
            own = {"Authorization": f"Bearer {bearer}"}
            made = await client.post("/api/keys", json={"name": "signs", **asked}, headers=own)
            assert made.status_code == 201, made.text
            key_id, token = made.json()["key"]["key_id"], made.json()["token"]
            assert bool(token) is (signing == "hmac-sha256")
            sign = lambda text: signer(token, text)  # noqa: E731

            async def ask(target: str, headers: dict[str, str], body: bytes = b"") -> int:
                method = "POST" if body else "GET"
                return (
                    await client.request(method, target, headers=headers, content=body)
                ).status_code

            get, body = "/api/session", b'{"name":"other"}'
            good = signed_headers("GET", get, b"", key_id, sign)
            assert await ask(get, good) == 200
            assert await ask(get, good) == 401, "the nonce was used"
            post = signed_headers("POST", "/api/keys", body, key_id, sign)
            assert await ask("/api/keys", post, body.replace(b"other", b"mine!")) == 401
            assert await ask("/api/keys", post, body) == 201
            bad: list[tuple[str, dict[str, Any]]] = [
                ("/api/v1/session", {}),
                ("/api/session?x=1", {}),
                (get, {"created": NOW_S - SKEW_S - 1}),
                (get, {"created": NOW_S + SKEW_S + 1}),
                (get, {"names": ["@method", "@path"]}),
                (get, {"names": ["@path", "@query"]}),
            ]
            for target, change in bad:
                headers = signed_headers("GET", get, b"", key_id, sign, **change)
                assert await ask(target, headers) == 401, (target, change)
            for other in ("key_0000000000000000", key_id):
                wrong = signed_headers("GET", get, b"", other, lambda text: bytes(64))
                assert await ask(get, wrong) == 401
            if token:
                assert await ask(get, {"Authorization": f"Bearer {token}"}) == 401

    asyncio.run(journey())


def test_the_secret_of_a_key_that_signs_is_sealed(house: House, tmp_path: Path) -> None:
    _, token = house.key(name="signs", terms=Terms(signing="hmac-sha256"))
    house.directory.refresh()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("records.db*"))
    assert b"identity_key_terms" in kept
    assert token.encode() not in kept


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_of_a_signature_break_it(given_input: bytes, value: bytes) -> None:
    headers = {b"signature-input": given_input, b"signature": value}
    with pytest.raises(FondacoError) as found:
        signatures.read(SignedRequest("GET", "/", headers, b""))
    assert found.value.code == "unauthenticated"
