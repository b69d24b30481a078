"""People sign in, and whoever is not they does not: laws, and the attacks that are usual."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.model import TooMany
from fondaco.domain.identity.people import passwords, totp
from fondaco.domain.identity.people.attempts import FREE, FREE_TOGETHER, WAIT_MAX_S, Attempts
from fondaco.domain.identity.people.passwords import Hashing
from fondaco.gateway import cookies
from fondaco.gateway.errors import MEANINGS
from fondaco.kernel.errors import Conflict, Denied, FondacoError, Invalid, NotFound
from fondaco.kernel.event import Instant
from identity.house import MINUTE, PASSWORD, SECOND, START, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.store.close()


def test_register_verify_sign_in_and_out(house: House) -> None:
    house.desk.register("acme", "ada", PASSWORD, "ada@example.com", "Ada Lovelace")
    with pytest.raises(Denied):
        house.sign_in()
    with pytest.raises(Denied):
        house.desk.verify("acme", "ada", "WRONG", "here")
    code = house.sent[-1][2].split("    ")[1].split()[0]
    house.desk.verify("acme", "ada", code, "here")
    with pytest.raises(Denied):
        house.desk.verify("acme", "ada", code, "here")
    caller = house.caller()
    assert (caller.user, caller.scopes) == ("ada", frozenset()), "nobody gets a role by themselves"
    (shown,) = house.desk.sessions(caller)
    assert (shown.device, shown.address, shown.is_this) == ("Firefox", "here", True)
    house.desk.end_session(caller, caller.key_id)
    with pytest.raises(Denied):
        house.directory.caller_named("acme", caller.name)


def test_nothing_personal_reaches_the_journal_or_the_records_in_clear(
    house: House, tmp_path: Path
) -> None:
    house.register()
    house.enrolled()
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    for secret in (b"ada@example.com", b"Lovelace", b"Firefox", PASSWORD.encode()):
        assert all(secret not in each for each in house.said())
        assert all(secret not in each for each in files)


def test_whether_somebody_is_known_is_not_told(house: House) -> None:
    house.register()
    answers = set()
    for user, password in (("ada", "wrong"), ("nobody", "wrong"), ("root", "wrong")):
        with pytest.raises(FondacoError) as found:
            house.sign_in(password, user=user)
        answers.add((type(found.value), found.value.code, found.value.message))
    assert len(answers) == 1
    house.desk.register("acme", "ada", PASSWORD, "eve@example.com", "Eve")
    assert house.sent[-1][0] == "ada@example.com", "whose name it is hears of it"
    house.desk.register("acme", "root", PASSWORD, "eve@example.com", "Eve")
    with pytest.raises(Denied):
        house.sign_in(user="root")
    house.desk.register("nowhere", "eve", PASSWORD, "eve@example.com", "Eve")


def test_who_is_not_known_costs_a_hash_as_well(house: House) -> None:
    """Counted rather than timed: one verification each."""
    house.register()
    hashing, seen = house.desk._hashing, []
    fits = hashing.fits
    hashing.fits = lambda kept, password: seen.append(kept[:12]) or fits(kept, password)  # type: ignore
    for user in ("ada", "nobody"):
        with pytest.raises(Denied):
            house.sign_in("wrong", user=user)
    assert len(seen) == 2
    assert seen[0] == seen[1] == "$argon2id$v="


def test_a_second_factor_is_asked_for_and_good_once(house: House) -> None:
    house.register()
    secret, codes = house.enrolled()
    assert house.sign_in() is None
    code = house.code(secret)
    assert house.sign_in(code=code)
    with pytest.raises(Denied):
        house.sign_in(code=code)
    house.now += 30 * SECOND
    early = totp.code_at(secret, totp.step_of(house.now) - 2)
    with pytest.raises(Denied):
        house.sign_in(code=early)
    found = house.sign_in(code=codes[0].lower())
    assert found
    assert found.second_factor == "recovery"
    with pytest.raises(Denied):
        house.sign_in(code=codes[0])
    caller = house.caller(code=codes[1])
    assert house.desk.has_second_factor(caller) == (True, 8)
    with pytest.raises(Denied):
        house.desk.remove(caller, PASSWORD, "000000", "here")
    with pytest.raises(Conflict):
        house.desk.enrol(caller, PASSWORD, "here")
    house.now += 120 * SECOND
    house.desk.remove(caller, PASSWORD, house.code(secret), "here")
    assert house.sign_in()


def test_a_session_ends_when_idle_and_in_any_case(house: House) -> None:
    house.register()
    found = house.sign_in()
    assert found
    for _ in range(47):
        house.now += 30 * MINUTE - 1
        house.directory.authenticate(found.token)
        house.directory.note_use()
        house.directory.refresh()
    house.now += 30 * MINUTE
    with pytest.raises(Denied):
        house.directory.authenticate(found.token)
    again = house.sign_in()
    assert again
    house.now += 30 * MINUTE
    with pytest.raises(Denied):
        house.directory.authenticate(again.token)
    house.directory.refresh()
    with pytest.raises(Denied):
        house.directory.authenticate(again.token)


def test_every_sign_in_is_a_session_of_its_own(house: House) -> None:
    """Nobody can be given a session that somebody else knows."""
    house.register()
    first, second = house.sign_in(), house.sign_in()
    assert first and second  # noqa: PT018
    assert first.token != second.token
    caller = house.directory.authenticate(second.token)
    assert house.desk.end_sessions(caller, but_this=True) == 1
    with pytest.raises(Denied):
        house.directory.authenticate(first.token)
    house.register("bob")
    bob = house.caller(user="bob")
    with pytest.raises(NotFound):
        house.desk.end_session(bob, second.session_id)


def test_a_new_password_ends_every_other_session(house: House) -> None:
    house.register()
    stolen, caller = house.sign_in(), house.caller()
    assert stolen
    new = "another seven words for the house"
    with pytest.raises(Denied):
        house.desk.change_password(caller, "wrong", new, "here")
    house.desk.change_password(caller, PASSWORD, new, "here")
    with pytest.raises(Denied):
        house.directory.authenticate(stolen.token)
    assert house.directory.caller_named("acme", caller.name)
    with pytest.raises(Denied):
        house.sign_in()
    assert house.sign_in(new)


def guess(house: House, times: int, **more: Any) -> int:
    """How many of them were looked at."""
    looked = 0
    for _ in range(times):
        try:
            house.sign_in("wrong", **more)
        except TooMany:
            continue
        except Denied:
            looked += 1
    return looked


def test_who_guesses_waits_longer_and_longer(house: House) -> None:
    house.register()
    assert guess(house, 100) == FREE
    with pytest.raises(TooMany) as known:
        house.sign_in()
    assert guess(house, 100, user="nobody") == FREE
    with pytest.raises(TooMany) as unknown:
        house.sign_in(user="nobody")
    assert known.value.message == unknown.value.message
    waits = []
    for _ in range(12):
        with pytest.raises(TooMany) as found:
            house.sign_in()
        waits.append(int(str(found.value.details["retry_after_s"])))
        house.now += waits[-1] * SECOND
        assert guess(house, 100) == 1
    assert waits == sorted(waits)
    assert waits[-1] == WAIT_MAX_S


def test_nobody_can_lock_somebody_else_out_of_their_own_device(house: House) -> None:
    house.register()
    found = house.sign_in()
    assert found
    for nth in range(200):
        guess(house, 10, address=f"10.0.0.{nth}")
    with pytest.raises(TooMany):
        house.sign_in(address="elsewhere")
    assert house.sign_in(device=found.device, address="elsewhere")
    assert guess(house, 100, device=found.device) == FREE, "a stolen device does not guess freely"
    house.now += WAIT_MAX_S * SECOND
    assert house.sign_in(address="elsewhere"), "no wait is longer"
    assert guess(house, 1, device="invented", address="new") == 1, "and is no known device"


def test_codes_are_guessed_no_more_than_passwords(house: House) -> None:
    house.register()
    house.enrolled()
    looked = 0
    for nth in range(100):
        try:
            house.sign_in(code=f"{nth:06}")
        except TooMany:
            continue
        except Denied:
            looked += 1
    assert looked == FREE


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.integers(0, 2)), max_size=60))
def test_no_wait_is_longer_than_said_and_an_honest_place_is_free(steps: list[Any]) -> None:
    at, waits = [START], [1]
    attempts = Attempts(lambda: Instant(at[0]))
    for later, is_device, place in steps:
        at[0] += later * SECOND
        device = f"d{place}" if is_device else ""
        try:
            attempts.check("acme/ada", f"10.0.0.{place}", device)
        except TooMany as error:
            waits.append(int(str(error.details["retry_after_s"])))
        else:
            attempts.failed("acme/ada", f"10.0.0.{place}", device)
    assert min(waits) > 0
    assert max(waits) <= WAIT_MAX_S
    attempts.check("acme/ada", "", "a device that has not failed")
    assert FREE_TOGETHER > FREE


@pytest.mark.parametrize(
    "password",
    [
        "short", "aaaaaaaaaaaaaa", "123456789012", "qwertyuiopas", "Password1234", "iloveyou!!!!",
        "ada-ada-ada-ada", "adalovelace1", "x" * 129,
    ],
)  # fmt: skip
def test_passwords_that_are_tried_first(password: str) -> None:
    with pytest.raises(Invalid) as found:
        passwords.check(password, "ada", "adalovelace")
    assert password not in found.value.message


def test_passwords_are_the_same_however_they_were_typed() -> None:
    hashing = Hashing(memory_kib=64, passes=1)
    kept = hashing.hash("naïve café with ﬁve words")
    assert hashing.fits(kept, "nai\u0308ve cafe\u0301 with five words")
    assert not hashing.fits(kept, "naive cafe with five words")
    assert not hashing.fits("not a hash", "x")
    assert Hashing(memory_kib=128, passes=1).is_old(kept)


def test_a_person_whose_hash_is_old_gets_a_new_one(house: House) -> None:
    house.register()
    house.desk._hashing = Hashing(memory_kib=128, passes=1)
    assert house.sign_in()
    with house.store.reading() as conn:
        from fondaco.domain.identity.people import store

        assert "m=128" in store.person(conn, "acme", "ada").password
    assert house.sign_in()


@pytest.mark.parametrize(
    ("sent", "token"),
    [
        (b"fondaco_session=abc", "abc"),
        (b"a=b; fondaco_session=abc; c=d", "abc"),
        (b"fondaco_session=abc; fondaco_session=def", ""),
        (b"xfondaco_session=abc", ""),
        (b"", ""),
    ],
)
def test_the_cookie_is_found_once_or_not(sent: bytes, token: str) -> None:
    assert cookies.token_in(sent) == token


def test_a_change_by_cookie_needs_the_header() -> None:
    right = cookies.csrf_of("token").encode()
    cookies.check_csrf("token", {b"x-csrf-token": right})
    for headers in ({}, {b"x-csrf-token": b""}, {b"x-csrf-token": cookies.csrf_of("x").encode()}):
        with pytest.raises(Denied) as found:
            cookies.check_csrf("token", headers)
        assert found.value.code == "csrf"
    assert {"csrf", "sign_in_failed", "weak_password", "wrong_code"} <= MEANINGS.keys()
    assert right not in b"token"
