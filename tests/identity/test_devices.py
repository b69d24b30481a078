"""RFC 8628: a device without a browser. Every error code, and what somebody would try."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.app.files import Files
from fondaco.app.secrets import sealing_at
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Role, Scope
from fondaco.domain.identity.oidc import store
from fondaco.domain.identity.oidc.bearers import Bearers
from fondaco.domain.identity.oidc.devices import (
    DEVICE_S,
    INTERVAL_S,
    LENGTH,
    LETTERS,
    SLOWER_S,
    WAITING_MAX,
    DeviceAsked,
    Devices,
    plain,
)
from fondaco.domain.identity.oidc.issuer import Issuer, Tokens
from fondaco.domain.identity.oidc.model import COMMAND_LINE, Client, OAuthRefusal
from fondaco.kernel.errors import Denied, NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore

SECOND: Final = 1_000_000_000
URL: Final = "https://fondaco.example.com"
SCOPE: Final = "offline_access orders:read limits:write"


class House:
    def __init__(self, folder: Path) -> None:
        self.now = 1_750_000_000 * SECOND
        self.store = SqliteStore(folder / "records.db")
        clock = lambda: Instant(self.now)  # noqa: E731
        self.directory = Directory(self.store, MemoryCache(clock), clock, os.urandom)
        self.directory.create_user("acme", "ada", [Role.TRADER])
        _, token = self.directory.create_key("acme", "ada", "first")
        self.ada = self.directory.authenticate(token)
        sealing = sealing_at(Files(folder))
        self.issuer = Issuer(self.store, self.directory, os.urandom, sealing, lambda *_: {}, URL)
        self.directory.bearing = Bearers(self.issuer)
        self.devices = Devices(self.issuer, self.store, os.urandom)
        self.client = self.issuer.client(COMMAND_LINE)

    def begin(self, scope: str = SCOPE) -> DeviceAsked:
        return self.devices.begin(self.client, scope, "", "203.0.113.9")

    def decide(self, user_code: str, *, agrees: bool = True) -> None:
        self.devices.decide(user_code, self.ada, "totp", Instant(self.now), agrees=agrees)

    def poll(self, begun: DeviceAsked, client: Client | None = None) -> Tokens:
        return self.devices.tokens(client or self.client, begun.device_code)

    def error(self, begun: DeviceAsked, client: Client | None = None) -> str:
        with pytest.raises(OAuthRefusal) as refused:
            self.poll(begun, client)
        return refused.value.error

    def caller(self, tokens: Tokens) -> Caller:
        return self.directory.authenticate(tokens.access_token)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()


def test_a_device_gets_what_its_person_agreed_to_and_may_do(house: House) -> None:
    begun = house.begin()
    assert begun.verification_uri == f"{URL}/oauth/device"
    assert begun.verification_uri_complete.endswith(begun.user_code)
    assert (begun.expires_in, begun.interval) == (DEVICE_S, INTERVAL_S)
    assert house.error(begun) == "authorization_pending"
    shown = house.devices.shown(begun.user_code.lower().replace("-", " "))
    assert (shown.client.name, shown.address) == ("Fondaco's command line", "203.0.113.9")
    assert shown.scopes == ("offline_access", "orders:read", "limits:write")
    house.decide(begun.user_code)
    house.now += INTERVAL_S * SECOND
    tokens = house.poll(begun)
    caller = house.caller(tokens)
    assert caller.scopes == {Scope.ORDERS_READ}, "a trader sets no limits, whoever asks"
    assert caller.name.startswith("ada/@fondaco-cli.")
    again = house.issuer.of_refresh(house.client, tokens.refresh_token, "")
    assert house.caller(again).scopes == {Scope.ORDERS_READ}


def test_who_asks_too_soon_waits_longer_each_time(house: House) -> None:
    begun = house.begin()
    assert house.error(begun) == "authorization_pending"
    house.now += INTERVAL_S * SECOND - 1
    assert house.error(begun) == "slow_down"
    house.now += (INTERVAL_S + SLOWER_S) * SECOND - 1
    assert house.error(begun) == "slow_down"
    house.now += (INTERVAL_S + 2 * SLOWER_S) * SECOND
    assert house.error(begun) == "authorization_pending"
    house.decide(begun.user_code)
    assert house.error(begun) == "slow_down", "also where somebody has agreed"
    house.now += (INTERVAL_S + 3 * SLOWER_S) * SECOND
    assert house.poll(begun).access_token


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_code_is_good_for_ten_minutes(house: House, is_decided: bool) -> None:
    begun = house.begin()
    if is_decided:
        house.decide(begun.user_code)
    house.now += DEVICE_S * SECOND
    assert house.error(begun) == "expired_token"
    with pytest.raises(NotFound):
        house.devices.shown(begun.user_code)
    with pytest.raises(NotFound):
        house.decide(begun.user_code)


def test_who_refuses_gives_nothing(house: House) -> None:
    begun = house.begin()
    house.decide(begun.user_code, agrees=False)
    assert house.error(begun) == "access_denied"
    with pytest.raises(NotFound):
        house.decide(begun.user_code)
    house.now += INTERVAL_S * SECOND
    assert house.error(begun) == "access_denied"


def test_a_code_that_comes_twice_takes_back_what_it_gave(house: House) -> None:
    begun = house.begin()
    house.decide(begun.user_code)
    tokens = house.poll(begun)
    assert house.caller(tokens)
    assert house.error(begun) == "invalid_grant"
    with pytest.raises(Denied):
        house.caller(tokens)


def test_a_code_is_its_clients_own(house: House) -> None:
    begun = house.begin()
    other, _ = house.issuer.register(
        "acme", "Other", ["https://app.example.com/back"], ["orders:read"], by="root"
    )
    house.decide(begun.user_code)
    assert house.error(begun, other) == "invalid_grant"
    guessed = msgspec.structs.replace(begun, device_code="guessed")
    assert house.error(guessed) == "invalid_grant"
    assert house.poll(begun).access_token, "and nobody else's asking took it away"


def test_a_grant_that_was_ended_before_it_was_taken_gives_nothing(house: House) -> None:
    begun = house.begin()
    house.decide(begun.user_code)
    (grant,) = house.issuer.grants_of(house.ada)
    house.issuer.revoke_grant(house.ada, grant.grant_id)
    assert house.error(begun) == "invalid_grant"


@pytest.mark.parametrize(
    ("scope", "error"),
    [("", "invalid_scope"), ("everything", "invalid_scope")],
)
def test_what_no_client_may_ask_for(house: House, scope: str, error: str) -> None:
    with pytest.raises(OAuthRefusal) as refused:
        house.begin(scope)
    assert refused.value.error == error


def test_a_machine_and_a_stranger_ask_otherwise(house: House) -> None:
    house.directory.create_service_account("acme", "svc", "ada", [Role.TRADER], "root")
    machine, _ = house.issuer.register("acme", "Bot", [], ["orders:read"], machine="svc", by="ada")
    with pytest.raises(OAuthRefusal) as refused:
        house.devices.begin(machine, "orders:read", "", "")
    assert refused.value.error == "unauthorized_client"
    with pytest.raises(OAuthRefusal) as unknown:
        house.issuer.authenticated("app_nobody", "")
    assert (unknown.value.error, unknown.value.status) == ("invalid_client", 401)
    with pytest.raises(OAuthRefusal) as elsewhere:
        house.devices.begin(house.client, SCOPE, "https://elsewhere.example", "")
    assert elsewhere.value.error == "invalid_target"


def test_too_many_do_not_wait_and_old_ones_are_forgotten(house: House) -> None:
    begun = house.begin()
    with house.store.writing() as conn:
        row = dict(conn.execute(store.devices.select()).one()._mapping)
        for nth in range(WAITING_MAX - 1):
            store.add_device(conn, **row | {"digest": f"d{nth}", "user_code": f"u{nth}"})
    with pytest.raises(Unavailable):
        house.begin()
    house.now += DEVICE_S * SECOND
    assert house.begin().user_code != begun.user_code
    with house.store.writing() as conn:
        store.forget(conn, Instant(house.now + 1))
        left: Any = conn.execute(store.devices.select()).all()
    assert len(left) == 1


@given(st.text(max_size=60))
def test_whatever_is_typed_as_a_code_is_letters_of_it(typed: str) -> None:
    """Law: what is looked up has letters of a code alone, and is no longer than one and one more,
    so that a code with something behind it is another."""
    found = plain(typed)
    assert set(found) <= set(LETTERS)
    assert len(found) <= LENGTH + 1
    assert plain(found) == found
