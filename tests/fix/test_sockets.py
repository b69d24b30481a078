"""Acceptor and initiator over real sockets: many sessions, failover, strangers, TLS."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.fix.runner import fixify
from fix.certificates import Pair, make_pair
from fix.sockets import agreed, connecting, is_dropped, listening, notes, until
from fondaco.gateway.fix.line import Forgetful
from fondaco.gateway.fix.tls import client_context, pin_of, server_context
from fondaco.kernel.errors import Invalid, Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def logon(sender: bytes = b"BROKER") -> bytes:
    """Of this moment: two minutes later it would be refused for its SendingTime."""
    return fixify(
        b"8=FIX.4.4\x0135=A\x0134=1\x0149=%s\x0152=<TIME>\x0156=HOUSE\x0198=0\x01108=30\x01"
        % sender
    )


def order(n: int) -> list[tuple[int, bytes]]:
    return [(11, b"%d" % n)]


async def test_many_sessions_share_a_port_and_lose_nothing() -> None:
    names = [f"B{n}" for n in range(20)]
    async with listening(*(agreed(name) for name in names)) as port:
        talks = [connecting([port.port], name) for name in names]
        lines = [await talk.__aenter__() for talk in talks]
        try:
            for nth, line in enumerate(lines):
                line.send("D", order(nth))  # before it is connected: it is asked for
            await until(lambda: all(line.is_up for line in lines))
            for nth, line in enumerate(lines):
                line.send("D", order(100 + nth))
            await until(lambda: all(len(notes(port.line(name)).got) == 2 for name in names))
            for nth, name in enumerate(names):
                assert notes(port.line(name)).got == [b"%d" % nth, b"%d" % (100 + nth)]
        finally:
            for talk in talks:
                await talk.__aexit__(None, None, None)


async def test_a_connection_that_is_cut_comes_back_with_what_was_missed() -> None:
    async with listening(agreed()) as port, connecting([port.port]) as line:
        await until(lambda: line.is_up and port.line().is_up)
        for n in range(5):
            line.send("D", order(2 * n))
            port.line().send("8", order(2 * n))
            assert line._transport
            line._transport.abort()
            line.send("D", order(2 * n + 1))
            await until(lambda: not port.line().is_connected or line.is_up)
            await until(lambda: line.is_up and port.line().is_up)
        await until(lambda: len(notes(port.line()).got) == 10 and len(notes(line).got) == 5)
        assert notes(port.line()).got == [b"%d" % n for n in range(10)]
        assert notes(line).got == [b"%d" % (2 * n) for n in range(5)]


async def test_nothing_leaves_that_could_not_be_kept() -> None:
    class Full(Forgetful):
        def flush(self) -> None:
            raise Unavailable("no space left on device")

    async with listening(agreed()) as port:
        port.line()._keeper = Full()
        assert await is_dropped(port.port, logon())
        assert "no space left" in port.line().state_reason


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    async with listening(agreed()) as first, listening(agreed()) as second:
        await first.acceptor.close()
        async with connecting([first.port, second.port]) as line:
            await until(lambda: line.is_up)
            assert second.line().is_connected


async def test_a_template_makes_a_session_of_whoever_logs_on() -> None:
    async with listening(agreed("FUND*")) as port:
        async with connecting([port.port], "FUND7") as line:
            await until(lambda: line.is_up)
            assert port.line("FUND7").is_up
        assert await is_dropped(port.port, logon())
        assert await is_dropped(port.port, logon(b"FUND**"))


@pytest.mark.parametrize("of_port", [True, False])
async def test_an_address_that_is_not_allowed_is_dropped_at_once(of_port: bool) -> None:
    elsewhere, here = ("192.0.2.0/24",), ("127.0.0.0/8", "::1/128")
    for addresses, let_in in ((elsewhere, False), (here, True)):
        terms = agreed() if of_port else agreed(addresses=addresses)
        async with listening(terms, addresses=addresses if of_port else ()) as port:
            assert await is_dropped(port.port, logon(), within_s=0.3 if let_in else 2.0) != let_in
            if of_port and not let_in:
                assert await is_dropped(port.port), "before it has said anything"


@pytest.mark.parametrize(
    "says",
    [
        lambda: b"GET / HTTP/1.1\r\n\r\n8=",
        lambda: logon(b"BROKEN"),
        lambda: logon().replace(b"108=30", b"108=31"),
        lambda: b"8=FIX.4.4\x019=70000\x01" + b"x" * 70_100,
        lambda: b"",
    ],
    ids=["http", "unknown", "garbled", "too long", "silent"],
)
async def test_strangers_are_dropped_without_a_word(says: Callable[[], bytes]) -> None:
    async with listening(agreed(), logon_timeout_s=0.2) as port:
        assert await is_dropped(port.port, says())
        await until(lambda: not port.acceptor.knocking)
        assert not port.line().is_connected


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: make_pair(folder, name) for name in ("house", "broker", "other")}


def bundle(folder: Path, *pairs: Pair) -> Path:
    path = folder / "trusted.pem"
    path.write_text("".join(pair.certificate.read_text() for pair in pairs))
    return path


async def test_tls_with_pinned_certificates_on_both_sides(
    tmp_path: Path, pairs: dict[str, Pair]
) -> None:
    """FIXS: who has another session's certificate is not let in, though it is trusted."""
    ours, theirs, other = pairs["house"], pairs["broker"], pairs["other"]
    tls = server_context(ours.certificate, ours.key, trusts=bundle(tmp_path, theirs, other))
    terms = agreed(pins=(pin_of(theirs.certificate),))
    async with listening(terms, tls=tls) as port:
        for pair, pins, let_in in (
            (theirs, [pin_of(ours.certificate)], True),
            (other, [], False),
            (theirs, [pin_of(other.certificate)], False),
        ):
            client = client_context(
                trusts=ours.certificate, certificate=pair.certificate, key=pair.key
            )
            async with connecting([port.port], tls=client, pins=pins) as line:
                if let_in:
                    await until(lambda line=line: line.is_up)  # type: ignore[misc]
                else:
                    await asyncio.sleep(0.3)
                assert line.is_up == let_in
            await until(lambda: not port.line().is_connected)
    assert any("certificate" in told for told in port.told)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
async def test_who_shows_no_certificate_or_speaks_old_tls_is_not_let_in(
    tmp_path: Path, pairs: dict[str, Pair]
) -> None:
    ours, theirs = pairs["house"], pairs["broker"]
    tls = server_context(ours.certificate, ours.key, trusts=bundle(tmp_path, theirs))
    bare = client_context(trusts=ours.certificate)
    old = client_context(trusts=ours.certificate, certificate=theirs.certificate, key=theirs.key)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(agreed(), tls=tls) as port:
        for client in (bare, old):
            async with connecting([port.port], tls=client) as line:
                await asyncio.sleep(0.2)
                assert not line.is_up
        assert await is_dropped(port.port, logon()), "without TLS"


def test_certificates_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be used"):
        server_context(tmp_path / "none.pem", tmp_path / "none.key")
    with pytest.raises(Invalid, match="no certificate"):
        pin_of(tmp_path / "none.pem")
