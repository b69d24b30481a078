"""HTTP/1.1 byte by byte: order of answers, partial input, limits and time."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from fondaco.gateway import protocol
from fondaco.gateway.door import Door
from gateway.desk import ORDER, Desk, a_door
from gateway.server import Wire, serving, wired

pytestmark = pytest.mark.anyio
HEAD = b"Host: test\r\nAuthorization: Bearer ada\r\nContent-Type: application/json\r\n"
MISSING = b"GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[Door, Desk]]:
    async with a_door(body_max=4_096) as found:
        yield found


@pytest.fixture
async def wire(opened: tuple[Door, Desk]) -> AsyncIterator[Wire]:
    async with serving(opened[0]) as port, wired(port) as found:
        yield found


def place(cl_ord_id: str, *, head: bytes = HEAD, version: bytes = b"1.1") -> bytes:
    body = msgspec.json.encode({**ORDER, "cl_ord_id": cl_ord_id})
    start = b"POST /api/orders HTTP/%b\r\n" % version
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (start, head, len(body), body)


async def names(wire: Wire, count: int) -> list[str]:
    """`cl_ord_id` or code of the next answers."""
    found = []
    for _ in range(count):
        _, _, body = await wire.response()
        said = msgspec.json.decode(body)
        found.append(said.get("cl_ord_id") or said["code"])
    return found


async def test_answers_leave_in_the_order_of_requests_whichever_way_they_went(wire: Wire) -> None:
    keyed = HEAD + b"Idempotency-Key: k\r\n"
    sent = [place("a"), place("b"), MISSING, place("c"), place("d", head=keyed), place("e")]
    await wire.send(b"".join(sent))
    assert await names(wire, 6) == ["a", "b", "not_found", "c", "d", "e"]


async def test_many_pipelined_orders_are_all_answered(wire: Wire) -> None:
    count = 3 * protocol.PIPELINED_MAX
    await wire.send(b"".join(place(f"p{nth}") for nth in range(count)))
    assert await names(wire, count) == [f"p{nth}" for nth in range(count)]


async def test_a_request_may_come_in_any_pieces(wire: Wire) -> None:
    whole = place("a") + place("b")
    for start in range(0, len(whole), 7):
        await wire.send(whole[start : start + 7])
        await asyncio.sleep(0)
    assert await names(wire, 2) == ["a", "b"]


async def test_a_chunked_body_is_a_body(wire: Wire) -> None:
    body = msgspec.json.encode(ORDER)
    parts = [body[:10], body[10:50], body[50:]]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    head = b"POST /api/orders HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % HEAD
    await wire.send(head + chunks)
    assert await names(wire, 1) == ["o1"]


async def test_expect_100_continue_is_answered_before_the_body_is_sent(wire: Wire) -> None:
    whole = place("a", head=HEAD + b"Expect: 100-continue\r\n")
    head, _, body = whole.partition(b"\r\n\r\n")
    await wire.send(head + b"\r\n\r\n")
    status, _, _ = await wire.response()
    assert status == 100
    await wire.send(body)
    assert await names(wire, 1) == ["a"]


async def test_connection_close_and_http_10_close_after_the_answer(
    opened: tuple[Door, Desk],
) -> None:
    async with serving(opened[0]) as port:
        for sent in (
            place("a", head=HEAD + b"Connection: close\r\n"),
            place("b", version=b"1.0"),
        ):
            async with wired(port) as wire:
                await wire.send(sent)
                status, headers, _ = await wire.response()
                assert (status, headers["connection"]) == (201, "close")
                assert await wire.is_closed()


async def test_head_has_no_body_and_the_connection_goes_on(wire: Wire) -> None:
    await wire.send(b"HEAD /health HTTP/1.1\r\nHost: test\r\n\r\n")
    status, _, body = await wire.response(has_body=False)
    assert (status, body) == (200, b"")
    await wire.send(place("a"))
    assert await names(wire, 1) == ["a"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GARBAGE\r\n\r\n", 400, "malformed_http"),
        (
            b"POST /api/orders HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n",
            400,
            "malformed_http",
        ),
        (
            b"GET /health HTTP/1.1\r\n"
            + b"".join(b"X-%d: 1\r\n" % n for n in range(101))
            + b"\r\n",
            431,
            "headers_too_large",
        ),
        (b"GET /health HTTP/1.1\r\nX: " + b"a" * 400_000, 431, "headers_too_large"),
        (
            b"POST /api/orders HTTP/1.1\r\n%bContent-Length: 9000\r\n\r\n" % HEAD,
            413,
            "too_large",
        ),
        (
            b"POST /api/orders HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n1388\r\n" % HEAD
            + b" " * 5_000,
            413,
            "too_large",
        ),
        (
            b"POST /api/accounts HTTP/1.1\r\n%bContent-Length: 9000\r\n\r\n" % HEAD,
            413,
            "too_large",
        ),
    ],
)
async def test_what_is_too_much_or_no_http_is_answered_and_the_house_goes_on(
    opened: tuple[Door, Desk], sent: bytes, status: int, code: str
) -> None:
    async with serving(opened[0]) as port:
        async with wired(port) as wire:
            await wire.send(place("a"))
            assert await names(wire, 1) == ["a"]
            await wire.send(sent)
            found, _, body = await wire.response()
            assert (found, msgspec.json.decode(body)["code"]) == (status, code)
        async with wired(port) as other:
            await other.send(place("b"))
            assert await names(other, 1) == ["b"]


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /api/orders HTTP/1.1\r\nHost: te",
        b"POST /api/orders HTTP/1.1\r\n%bContent-Length: 50\r\n\r\n{" % HEAD,
        b"POST /api/accounts HTTP/1.1\r\n%bContent-Length: 50\r\n\r\n{" % HEAD,
    ],
)
async def test_who_sends_slowly_is_told_so_and_cut_off(
    opened: tuple[Door, Desk], begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_SWEEP_S", 0.02)
    async with serving(opened[0], request_timeout_s=0.1) as port, wired(port) as wire:
        await wire.send(begun)
        status, _, body = await wire.response()
        assert (status, msgspec.json.decode(body)["code"]) == (408, "timed_out")
        assert await wire.is_closed()


async def test_who_says_nothing_is_closed(
    opened: tuple[Door, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "_SWEEP_S", 0.02)
    async with serving(opened[0], idle_timeout_s=0.1) as port, wired(port) as wire:
        assert await wire.is_closed()


async def test_beyond_the_limit_of_connections_the_answer_is_come_back_later(
    opened: tuple[Door, Desk],
) -> None:
    async with (
        serving(opened[0], connections_max=1) as port,
        wired(port) as first,
        wired(port) as second,
    ):
        status, headers, _ = await second.response()
        assert (status, headers["retry-after"]) == (503, "1")
        assert await second.is_closed()
        await first.send(place("a"))
        assert await names(first, 1) == ["a"]


async def test_what_was_asked_before_the_end_is_answered(opened: tuple[Door, Desk]) -> None:
    async with serving(opened[0]) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(place("a"))
        while not opened[1].entries():
            await asyncio.sleep(0)
    assert await names(Wire(reader, writer), 1) == ["a"]
    writer.close()


async def test_who_does_not_read_answers_can_ask_no_more(opened: tuple[Door, Desk]) -> None:
    many = place("a", head=HEAD.replace(b"ada", b"eve")) * 200
    limit = (64 << 20) // len(many)
    async with serving(opened[0]) as port, wired(port) as wire:
        sent = await _sent_until_stuck(wire, many, limit)
        assert sent < limit
        for _ in range(200 * sent - 200):
            status, _, _ = await wire.response()
            assert status == 401


async def _sent_until_stuck(wire: Wire, many: bytes, limit: int) -> int:
    for sent in range(1, limit):
        try:
            async with asyncio.timeout(0.3):
                await wire.send(many)
        except TimeoutError:
            return sent
    return limit


async def test_a_client_that_leaves_early_disturbs_nobody(opened: tuple[Door, Desk]) -> None:
    async with serving(opened[0]) as port:
        for nth in range(10):
            async with wired(port) as wire:
                await wire.send(place(f"gone{nth}"))
        async with wired(port) as wire:
            await wire.send(place("a"))
            assert await names(wire, 1) == ["a"]


async def test_one_address_has_so_many_connections_and_others_have_theirs(
    opened: tuple[Door, Desk],
) -> None:
    async with serving(opened[0], per_address_max=2) as port:
        async with wired(port) as first, wired(port) as second:
            async with wired(port) as third:
                status, headers, body = await third.response()
                assert (status, headers["retry-after"]) == (503, "1")
                assert "2 connections from your address" in msgspec.json.decode(body)["message"]
                assert await third.is_closed()
            for nth, wire in enumerate((first, second)):
                await wire.send(place(f"here-{nth}"))
                assert await names(wire, 1) == [f"here-{nth}"]
        found = [""]
        for _ in range(100):  # until the house has heard that they are gone
            async with wired(port) as later:
                await later.send(place("later"))
                found = await names(later, 1)
            if found == ["later"]:
                break
            await asyncio.sleep(0.02)
        assert found == ["later"]
