"""Calls over real sockets, to a server of this test."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fix.certificates import make_pair
from fondaco.kernel.errors import FondacoError, Invalid, Unavailable
from fondaco.ports.outbound import Reply, Request
from fondaco.ports.outbound.addresses import LOOPBACK
from fondaco.ports.outbound.http import HttpWire

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def ask(
    serve: Serve, path: str = "/", *, wire: HttpWire | None = None, host: str = "127.0.0.1",
    within_s: float = 5.0, tls: ssl.SSLContext | None = None, **more: object,
) -> tuple[Reply | FondacoError, list[bytes]]:  # fmt: skip
    """What comes back, and the heads that the server read."""
    heads: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            await serve(head, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def go() -> Reply | FondacoError:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        called = wire or HttpWire(LOOPBACK)
        request = Request("GET", f"http{'s' if tls else ''}://{host}:{port}{path}", **more)  # type: ignore[arg-type]
        try:
            return await called.carry(request, within_s)
        except FondacoError as error:
            return error
        finally:
            await called.close()
            server.close()

    return asyncio.run(go()), heads


async def ok(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi")
    await writer.drain()


def test_a_call_and_what_it_sends() -> None:
    found, [head] = ask(ok, "/p?q=1", headers=(("X-Own", "v"),), idempotency_key="k")
    assert isinstance(found, Reply)
    assert (found.status, found.headers["x-a"], found.body) == (200, "1", b"hi")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"get /p?q=1 http/1.1"
    assert {b"x-own: v", b"idempotency-key: k", b"accept-encoding: identity"} <= set(lines)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433"])
def test_what_is_ours_is_not_called_whatever_it_is_named(host: str) -> None:
    found, heads = ask(ok, wire=HttpWire(), host=host)
    assert isinstance(found, FondacoError)
    assert found.code in ("address_refused", "no_answer")  # or it does not resolve at all
    assert heads == []


def test_what_is_ours_is_refused_by_name() -> None:
    found, _ = ask(ok, wire=HttpWire(), host="localhost")
    assert isinstance(found, Invalid)
    assert "outbound_networks" in found.message
    with pytest.raises(Invalid, match="no public address"):
        asyncio.run(HttpWire().check("https://[::ffff:169.254.169.254]/latest/meta-data"))
    with pytest.raises(Invalid, match="https"):
        asyncio.run(HttpWire().check("http://1.1.1.1/"))
    asyncio.run(HttpWire().check("https://1.1.1.1/"))


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def away(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        )
        await writer.drain()

    found, heads = ask(away)
    assert isinstance(found, Reply)
    assert (found.status, len(heads)) == (302, 1)


def test_no_more_is_read_than_was_agreed() -> None:
    async def much(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()

    found, _ = ask(much, body_max=100_000)
    assert isinstance(found, Unavailable)
    assert "100000 bytes" in found.message


def test_who_drips_is_cut_off() -> None:
    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    found, _ = ask(drip, within_s=0.2)
    assert isinstance(found, Unavailable)
    assert "in time" in found.message


def test_nobody_there_and_no_http_are_no_answer() -> None:
    async def other(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp\r\n\r\n")
        await writer.drain()

    found, _ = ask(other)
    assert isinstance(found, Unavailable)

    async def nobody() -> None:
        await HttpWire(LOOPBACK).carry(Request("GET", "http://127.0.0.1:1/"), 5.0)

    with pytest.raises(Unavailable):
        asyncio.run(nobody())


def test_a_header_cannot_hold_another_one() -> None:
    found, heads = ask(ok, headers=(("X-A", "1\r\nX-B: 2"),))
    assert isinstance(found, Invalid)
    assert heads == []


@pytest.mark.parametrize(("host", "is_known"), [("127.0.0.1", True), ("localhost", False)])
def test_a_certificate_must_be_for_the_name(host: str, is_known: bool, tmp_path: Path) -> None:
    """The name goes to TLS though an address was called: else any certificate would do."""
    pair = make_pair(tmp_path, "far")
    far = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    far.load_cert_chain(*pair)
    wire = HttpWire(LOOPBACK, ssl.create_default_context(cafile=str(pair.certificate)))
    found, _ = ask(ok, wire=wire, host=host, tls=far)
    if is_known:
        assert isinstance(found, Reply)
    else:
        assert isinstance(found, Unavailable)
        assert "ertificate" in found.message


def test_who_signs_themselves_is_not_believed(tmp_path: Path) -> None:
    far = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    far.load_cert_chain(*make_pair(tmp_path, "far"))
    found, _ = ask(ok, tls=far)
    assert isinstance(found, Unavailable)
