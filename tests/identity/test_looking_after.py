"""People are invited, locked and helped: laws of who can come in, and who is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.identity.model import Caller, Role, Scope, SignedRequest, UserId
from fondaco.domain.identity.people import overview
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.people.attempts import FREE
from fondaco.domain.identity.people.inviting import HOUR_NS, Inviting
from fondaco.domain.identity.people.locking import Locking
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.store import told
from identity.house import MINUTE, PASSWORD, House

OTHER: Final = "seven quiet rivers meet"


class Office(House):
    """The same, with an admin who signs in, and what an admin does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        drawn = iter(range(500_000, 600_000))
        self.inviting = Inviting(
            self.store,
            self.directory,
            self.desk,
            lambda size: next(drawn).to_bytes(size, "big"),
            self.desk._mail,
            lambda: "https://house.example",
        )
        self.locking = Locking(self.store, self.directory, self.desk)
        self.desk.add("acme", "root", PASSWORD, "root@example.com", "")
        self.root = self.caller(user="root")

    def invited(self, user: str = "ada", hours: int = 2) -> str:
        """The code of the link that was sent."""
        self.inviting.invite(self.root, user, f"{user}@example.com", "Ada Lovelace", hours)
        return self.sent[-1][2].split(f"/{user}/")[1].split()[0]

    def shown(self, user: str) -> overview.UserShown:
        with self.store.reading() as conn:
            found = overview.users(conn, "acme", Instant(self.now))
        return next(each for each in found if each.user == user)

    def kinds(self) -> list[str]:
        with self.store.reading() as conn:
            rows = [row.event for row in told(conn, 1_000)]
        return [row.split(b"identity.")[1].split(b".v1")[0].decode() for row in rows]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def test_an_invited_person_chooses_their_password_once(office: Office) -> None:
    code = office.invited()
    assert office.shown("ada").state == "invited"
    with pytest.raises(Denied, match="wrong"):
        office.sign_in()
    with pytest.raises(Invalid, match="password"):
        office.inviting.accept("acme", "ada", code, "short", "here")
    office.inviting.accept("acme", "ada", code, PASSWORD, "here")
    assert office.shown("ada").state == "active"
    assert office.caller().user == "ada"
    with pytest.raises(Denied) as again:
        office.inviting.accept("acme", "ada", code, OTHER, "here")
    assert again.value.code == "invitation_over"
    assert office.caller().user == "ada", "the first password stands"
    assert {"person_invited", "person_verified"} <= set(office.kinds())


@pytest.mark.parametrize("how", ["late", "withdrawn", "replaced", "another's", "guessed"])
def test_a_link_that_is_good_no_more(office: Office, how: str) -> None:
    code = office.invited(hours=2)
    match how:
        case "late":
            office.now += 2 * HOUR_NS
        case "withdrawn":
            office.inviting.withdraw(office.root, "ada")
        case "replaced":
            office.invited()
        case "another's":
            code = office.invited("bob")
        case "guessed":
            code = code[:-1] + ("A" if code[-1] != "A" else "B")
    with pytest.raises(Denied) as refused:
        office.inviting.accept("acme", "ada", code, PASSWORD, "here")
    with pytest.raises(Denied) as nobody:
        office.inviting.accept("acme", "nobody", code, PASSWORD, "there")
    assert str(refused.value) == str(nobody.value), "whether somebody is known is not told"


def test_a_link_leads_into_nobody_elses_name(office: Office) -> None:
    office.register("ada")
    office.directory.create_user("acme", "keyed", [Role.RISK])
    for taken in ("ada", "keyed", "root"):
        with pytest.raises(Conflict) as refused:
            office.invited(taken)
        assert refused.value.code == "user_taken"


def test_guesses_at_a_link_make_somebody_wait(office: Office) -> None:
    code = office.invited()
    for _ in range(FREE):
        with pytest.raises(Denied, match=r"wrong|too old"):
            office.inviting.accept("acme", "ada", "guess", PASSWORD, "here")
    with pytest.raises(Exception, match="try again in"):
        office.inviting.accept("acme", "ada", code, PASSWORD, "here")


def ways_in(office: Office) -> dict[str, Callable[[], object]]:
    """Every way in which a token becomes a caller, of somebody who has all of them."""
    office.register("ada")
    office.directory.create_user("acme", "ada", [Role.TRADER])
    found = office.sign_in()
    assert found
    _, token = office.directory.create_key("acme", "ada", "laptop")
    key = office.directory.authenticate(token)
    ticket = office.directory.issue_ticket(key).ticket
    session = office.directory.authenticate(found.token)
    name = session.name
    return {
        "session": lambda: office.directory.authenticate(found.token),
        "key": lambda: office.directory.authenticate(token),
        "key not seen": lambda: office.directory.authenticate(token + ""),
        "ticket": lambda: office.directory.redeem(ticket),
        "a socket that is open": lambda: office.directory.caller_named("acme", name),
        "what waits for a second person": lambda: office.directory.still("acme", name),
        "what waits, by key": lambda: office.directory.still("acme", key.name),
        "whom a key stands for": lambda: office.directory.holder(key.key_id),
        "password": lambda: office.sign_in(),
    }


def is_open(way: Callable[[], object]) -> bool:
    try:
        way()
    except Denied:
        return False
    return True


def test_who_is_locked_is_refused_every_way_at_once_and_comes_back_by_key(office: Office) -> None:
    ways = ways_in(office)
    office.locking.lock(office.root, "ada", "left the firm")
    assert [name for name, way in ways.items() if is_open(way)] == []
    office.directory.refresh()  # as after a restart, or in another process
    assert [name for name, way in ways.items() if is_open(way)] == []
    shown = office.shown("ada")
    assert (shown.state, shown.lock_reason, shown.sessions) == ("locked", "left the firm", 0)
    office.locking.lock(office.root, "ada", "again")
    assert office.kinds().count("person_locked") == 1
    office.locking.unlock(office.root, "ada", "a mistake")
    assert isinstance(ways["key"](), Caller)
    assert office.sign_in() is not None
    with pytest.raises(Denied):
        ways["session"]()
    assert any("locked" in text for _, _, text in office.sent)


def test_a_locked_person_is_told_so_only_by_their_own_password(office: Office) -> None:
    office.register("ada")
    office.locking.lock(office.root, "ada", "left the firm")
    with pytest.raises(Denied) as theirs:
        office.sign_in()
    with pytest.raises(Denied) as guessed:
        office.sign_in("not their password")
    assert (theirs.value.code, guessed.value.code) == ("user_locked", "sign_in_failed")


def test_nobody_locks_themselves_out(office: Office) -> None:
    with pytest.raises(Conflict) as own:
        office.locking.lock(office.root, "root", "a joke")
    assert own.value.code == "own_lock"
    office.register("ada")
    office.directory.create_user("acme", "ada", [Role.ADMIN])
    ada = office.caller()
    office.locking.lock(ada, "root", "on leave")
    office.invited("bob")
    office.directory.create_user("acme", "bob", [Role.ADMIN])
    with pytest.raises(Conflict) as last:
        office.locking.lock(Caller("x", ada.tenant, UserId("x"), (), frozenset()), "ada", "why not")
    assert last.value.code == "last_admin", "one is locked, one has not come yet"
    with pytest.raises(NotFound):
        office.locking.lock(ada, "nobody", "why not")


ADMIN_STEPS: Final = st.lists(
    st.tuples(st.sampled_from(["lock", "unlock", "demote"]), st.sampled_from("abc")), max_size=12
)


@settings(max_examples=12)
@given(ADMIN_STEPS)
def test_whatever_admins_do_somebody_can_still_run_the_house(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    """Law: after any steps that were let through there is an admin who is not locked."""
    office = Office(tmp_path_factory.mktemp("law"))
    for name in "abc":
        office.directory.create_user("acme", name, [Role.ADMIN])
    office.directory.create_user("acme", "root", [Role.AUDITOR])
    outsider = Caller("x", office.root.tenant, UserId("x"), (), frozenset())
    for step, name in steps:
        try:
            if step == "demote":
                with office.store.writing() as conn:
                    people.check_not_last_admin(conn, "acme", name, "demoted")
                office.directory.create_user("acme", name, [Role.TRADER])
            else:
                getattr(office.locking, step)(outsider, name, "some reason")
        except Conflict:
            pass
        left = [office.shown(each) for each in "abc"]
        assert any("admin" in each.roles and each.state != "locked" for each in left)
    office.store.close()


def test_every_session_ends_and_keys_go_on(office: Office) -> None:
    ways = ways_in(office)
    assert office.locking.end_sessions(office.root, "ada") == (1, 0)
    with pytest.raises(Denied):
        ways["session"]()
    assert isinstance(ways["key"](), Caller)
    assert office.sign_in() is not None
    with pytest.raises(NotFound):
        office.locking.end_sessions(office.root, "nobody")


def test_a_second_factor_is_reset_for_another_than_who_agrees(office: Office) -> None:
    office.register("ada")
    with pytest.raises(Conflict, match="no second factor"):
        office.locking.check_reset("acme", "ada")
    office.enrolled()
    assert office.shown("ada").second_factor
    assert office.sign_in() is None, "a code is asked for"
    with pytest.raises(Denied) as own:
        office.locking.reset(office.root, "ada", "ada")
    assert own.value.code == "own_approval"
    office.locking.reset(office.root, "ada", "reba")
    assert not office.shown("ada").second_factor
    assert office.shown("ada").sessions == 0
    assert office.sign_in() is not None
    assert "second_factor_reset" in office.kinds()


def test_the_house_is_shown_who_can_come_in_and_not_who_they_are(office: Office) -> None:
    office.register("ada")
    office.directory.create_service_account("acme", "svc", "root", [Role.TRADER], "root")
    assert office.shown("svc").is_machine
    assert office.shown("svc").state == "no_password"
    shown = str(office.shown("ada"))
    assert "ada@example.com" not in shown
    assert "Lovelace" not in shown


def test_a_signed_request_of_somebody_locked_is_refused(office: Office) -> None:
    office.register("ada")
    office.directory.create_user("acme", "ada", [Role.TRADER])
    key, _ = office.directory.create_key("acme", "ada", "signer", scopes=[Scope.MARKET_READ])
    office.locking.lock(office.root, "ada", "left the firm")
    request = SignedRequest(
        "GET",
        "/api/orders",
        {
            b"signature-input": b'sig=("@method" "@path" "@query");created=%d;keyid="%s"'
            b';nonce="n";alg="hmac-sha256"' % (office.now // 1_000_000_000, key.key_id.encode()),
            b"signature": b"sig=:AAAA:",
        },
        b"",
    )
    with pytest.raises(Denied):
        office.directory.signed(request, "here")


def test_a_link_is_for_hours(office: Office) -> None:
    until = office.inviting.invite(office.root, "ada", "ada@example.com", "", 5)
    assert until == office.now + 5 * 60 * MINUTE
