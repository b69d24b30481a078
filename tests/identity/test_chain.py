"""The chain of zero trust: a request that lacks any link is refused for that link."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.catalog import operations
from fondaco.domain.identity.chain import WAY_IN, Facts, links, missing, refusal
from fondaco.domain.identity.model import Role, User, device_id_of, digest_of, session_caller_of
from fondaco.domain.identity.people import store
from fondaco.domain.identity.people.devices import DAY_NS, Devices
from fondaco.gateway.errors import MEANINGS
from fondaco.gateway.guard.lines import CERTIFICATE, Lines, name_said
from fondaco.kernel.errors import Denied, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.line import Line
from identity.house import MINUTE, PASSWORD, House

PEER = "spiffe://house/desk/ada"
NOW = Instant(1_750_000_000_000_000_000)
ADA = session_caller_of(
    User("acme", "ada", (Role.TRADER,)),  # type: ignore[arg-type]
    "ses_5f2c9a1b4d3e6078",
    "totp",
    device="dev_5f2c9a1b4d3e6078",
    trusted_until=NOW + 1,
    peer=PEER,
)
WHOLE = Facts(ADA, PEER, is_encrypted=True, is_sealed=True, audit="", at=NOW, is_allowed=True)


def ada(**changes: Any) -> Any:
    fields = {name: getattr(ADA, name) for name in ADA.__struct_fields__}
    return type(ADA)(**{**fields, **changes})


LACKING: dict[str, tuple[str, Facts]] = {
    "clear text": ("encryption", WHOLE._replace(is_encrypted=False)),
    "a disk in clear": ("encryption", WHOLE._replace(is_sealed=False)),
    "no certificate": ("service_mesh", WHOLE._replace(peer="", caller=ada(peer=""))),
    "nobody": ("user_authentication", WHOLE._replace(caller=None)),
    "in another's name": ("user_authentication", WHOLE._replace(caller=ada(behind="eve"))),
    "a key": ("session", WHOLE._replace(caller=ada(key_id="key_5f2c9a1b4d3e6078"))),
    "another's certificate": ("session", WHOLE._replace(peer="spiffe://house/desk/eve")),
    "a password alone": ("mfa", WHOLE._replace(caller=ada(second_factor=""))),
    "an unknown device": ("device_trust", WHOLE._replace(caller=ada(device="", trusted_until=0))),
    "a device that is only known": ("device_trust", WHOLE._replace(caller=ada(trusted_until=0))),
    "trust that has ended": ("device_trust", WHOLE._replace(at=Instant(NOW + 1))),
    "what the policy denies": ("api_authorisation", WHOLE._replace(is_allowed=False)),
    "a journal that takes nothing": ("audit", WHOLE._replace(audit="its disk is full")),
}


def test_the_whole_chain_passes() -> None:
    assert missing(WHOLE, "trading.place_order") is None
    assert all(each.holds and not each.do and not each.code for each in links(WHOLE))
    assert len(links(WHOLE)) == 8


@pytest.mark.parametrize("case", LACKING)
def test_lacking_one_link_it_is_refused_for_that_one(case: str) -> None:
    link, facts = LACKING[case]
    found = missing(facts, "trading.place_order")
    assert found is not None
    assert (found.link, found.holds) == (link, False)
    error = refusal(found)
    assert error.code in MEANINGS
    assert error.details["link"] == link
    assert all(error.details[each] for each in ("value", "do"))
    if facts.caller is not None and getattr(facts.caller, "key_id", "").startswith("ses_"):
        lacks = [each.link for each in links(facts) if not each.holds]
        assert lacks == [link], "complete but for it"


def test_the_way_in_needs_no_device_and_no_factor_yet_and_all_else() -> None:
    names = {each.name for each in operations()}
    assert names >= WAY_IN, "each is an operation"
    for case, (link, facts) in LACKING.items():
        found = missing(facts, "users.trust_device")
        later = link in ("mfa", "device_trust")
        assert (found is None) is later, case
        assert missing(facts, "users.chain") is None


# --- Devices --------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.store.close()


@pytest.fixture
def devices(house: House) -> Devices:
    return Devices(house.store, house.directory, house.desk, lambda: Instant(house.now))


def test_a_session_knows_its_device_and_whose_certificate_it_began_with(house: House) -> None:
    house.register()
    begun = house.sign_in(address=Line("10.1.2.3", PEER, is_encrypted=True))
    assert begun
    caller = house.directory.authenticate(begun.token)
    assert (caller.device, caller.peer) == (device_id_of(digest_of(begun.device)), PEER)
    assert caller.trusted_until == 0
    again = house.caller(device=begun.device)
    assert (again.device, again.peer) == (caller.device, "")
    assert house.caller().device != caller.device, "from elsewhere it is another one"
    assert {each.device_id for each in house.desk.sessions(caller)} >= {caller.device}


def test_trust_takes_a_second_factor_and_ends(house: House, devices: Devices) -> None:
    house.register()
    secret, codes = house.enrolled()
    begun = house.sign_in(code=codes[0])
    assert begun
    caller = house.directory.authenticate(begun.token)
    for code in ("", "000000", codes[0]):
        with pytest.raises(Denied):
            devices.trust(caller, caller.device, code, 1, "here")
    with pytest.raises(NotFound):
        devices.trust(caller, "dev_0000000000000000", house.code(secret), 1, "here")
    devices.trust(caller, caller.device, codes[1], 1, "here")
    now = house.directory.authenticate(begun.token)
    assert now.trusted_until == house.now + DAY_NS, "the open session too, at once"
    shown = {each.device_id: each for each in devices.of("acme", "ada", now.device)}
    assert (shown[now.device].state, shown[now.device].is_this) == ("trusted", True)
    assert [each.state for each in shown.values()].count("trusted") == 1
    house.now += DAY_NS
    assert all(each.state == "known" for each in devices.of("acme", "ada"))
    assert missing(WHOLE._replace(caller=now, at=Instant(house.now), peer=""), "any") is not None


def test_a_passkey_that_was_just_used_is_a_second_factor(house: House, devices: Devices) -> None:
    house.register()
    with house.store.reading() as conn:
        row = store.person(conn, "acme", "ada")
    begun = house.desk.begin(row, "passkey", "here", "Firefox")
    caller = house.directory.authenticate(begun.token)
    devices.trust(caller, caller.device, "", 1, "here")
    again = house.desk.begin(row, "passkey", "here", "Firefox", begun.device)
    same = house.directory.authenticate(again.token)
    assert same.device == caller.device, "a passkey does not make the device a stranger"
    house.now += 6 * MINUTE
    with pytest.raises(Denied):
        devices.trust(same, same.device, "", 1, "here")


def test_who_forgets_a_device_ends_what_is_open_on_it(house: House, devices: Devices) -> None:
    house.register()
    begun, other = house.sign_in(), house.sign_in()
    assert begun
    assert other
    caller = house.directory.authenticate(other.token)
    gone = house.directory.authenticate(begun.token).device
    with pytest.raises(NotFound):
        devices.forget(house.directory.caller_named("acme", caller.name), "dev_0000000000000000")
    assert devices.forget(caller, gone) == 1
    with pytest.raises(Denied):
        house.directory.authenticate(begun.token)
    assert gone not in {each.device_id for each in devices.of("acme", "ada")}
    again = house.caller(device=begun.device, password=PASSWORD)
    assert again.device != gone, "its token is good for nothing any more"


# --- What connections prove -----------------------------------------------------------------------

_WORDS = st.text(st.sampled_from('abc ,;="\\/:.'), max_size=12)


def _element(subject: str, digest: str, uri: str) -> str:
    quoted = subject.replace("\\", "\\\\").replace('"', '\\"')
    return f'By=spiffe://house/door;Hash={digest};Subject="{quoted}";URI={uri}'


@given(st.lists(st.tuples(_WORDS, st.sampled_from(["", PEER])), min_size=1, max_size=4))
def test_what_a_proxy_says_is_read_whatever_stands_in_the_subject(
    said: list[tuple[str, str]],
) -> None:
    digest = "ab" * 32
    header = ",".join(_element(subject, digest, uri) for subject, uri in said)
    assert name_said(header) == (said[-1][1] or f"sha256:{digest}"), "the nearest proxy's word"


@given(st.text(max_size=80))
def test_what_is_garbled_names_nobody_by_accident(header: str) -> None:
    found = name_said(header)
    assert found == "" or found.startswith(("spiffe://", "sha256:"))


ENVOY = {CERTIFICATE: f"URI={PEER}".encode(), b"x-forwarded-proto": b"https"}
HOPS: list[tuple[str, str, dict[bytes, bytes], tuple[str, str, bool]]] = [
    ("over a network in clear text", "10.0.0.9", ENVOY, ("10.0.0.9", PEER, False)),
    ("the same on this machine", "127.0.0.1", ENVOY, ("127.0.0.1", PEER, True)),
    ("it took clear text itself", "127.0.0.1", {**ENVOY, b"x-forwarded-proto": b"http"},
     ("127.0.0.1", PEER, False)),
    ("whom the last proxy saw", "127.0.0.1", {b"x-forwarded-for": b"6.6.6.6, 203.0.113.7"},
     ("203.0.113.7", "", False)),
    ("through two proxies of ours", "127.0.0.1",
     {b"x-forwarded-for": b"6.6.6.6, 203.0.113.7, 10.0.0.4"}, ("203.0.113.7", "", False)),
    ("a CDN's viewer, IPv4", "127.0.0.1", {b"cloudfront-viewer-address": b"203.0.113.7:46532"},
     ("203.0.113.7", "", False)),
    ("a CDN's viewer, IPv6", "127.0.0.1",
     {b"cloudfront-viewer-address": b"2001:db8::7:4653"}, ("2001:db8::7", "", False)),
    ("a proxy with a port", "127.0.0.1", {b"x-forwarded-for": b"[2001:db8::7]:443"},
     ("2001:db8::7", "", False)),
    ("nonsense", "127.0.0.1", {b"x-forwarded-for": b"unknown"}, ("127.0.0.1", "", False)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "at", "headers", "want"), HOPS)
def test_whose_word_is_taken(
    what: str, at: str, headers: dict[bytes, bytes], want: tuple[str, str, bool]
) -> None:
    lines = Lines("127.0.0.0/8, 10.0.0.0/8", "CloudFront-Viewer-Address")
    line = lines.behind(Line(at, is_proxy=True), headers)
    assert (str(line), line.peer, line.is_encrypted) == want, what
    assert lines.behind(Line(at, is_proxy=True), headers) == line


class _Plain:
    """A connection without TLS."""

    @staticmethod
    def get_extra_info(_: str) -> None:
        return None


def test_nobodys_word_is_taken_by_default() -> None:
    plain: Any = _Plain()
    assert not Lines().of(plain, "127.0.0.1").is_proxy
    assert not Lines("10.0.0.0/8").of(plain, "127.0.0.1").is_proxy
    assert Lines("127.0.0.0/8").of(plain, "127.0.0.1").is_proxy
    assert not Lines("spiffe://house/door").of(plain, "127.0.0.1").is_proxy
