"""Laws of both wires: however the bytes are cut, the same is understood, in the same order."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from fondaco.bench.doors import frame, next_frame
from fondaco.gateway.door import Door
from fondaco.gateway.protocol import Protocol, protocol_of
from fondaco.gateway.streams import Streams
from gateway.desk import ORDER, REFS, Desk, a_door

HEAD = b"Host: t\r\nAuthorization: Bearer ada\r\nContent-Type: application/json\r\n"
HANDSHAKE = (
    b"GET /ws/trading HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer ada\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """Everything was given already."""

    def resume_reading(self) -> None:
        """Everything was given already."""


def order(name: str) -> bytes:
    return msgspec.json.encode({**ORDER, "cl_ord_id": name})


def hot(name: str) -> bytes:
    body = order(name)
    return b"POST /api/orders HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (HEAD, len(body), body)


def chunked(name: str) -> bytes:
    body = order(name)
    parts = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    return b"POST /api/orders HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n%b" % (HEAD, parts)


def framed(name: str) -> bytes:
    """The same order the framework's way."""
    return hot(name).replace(b"Host", b"Idempotency-Key: %b\r\nHost" % name.encode(), 1)


def malformed(name: str) -> bytes:
    return hot(name).replace(b'"buy"', b'"bye"')


KINDS: list[Callable[[str], bytes]] = [hot, chunked, framed, malformed]


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(whole) + 1) for place in places} | {len(whole)})
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_requests_are_answered_in_order_however_they_are_cut(
    kinds: list[Callable[[str], bytes]], places: list[int]
) -> None:
    whole = b"".join(kind(f"o{nth}") for nth, kind in enumerate(kinds))
    asyncio.run(_requests(kinds, cut(whole, places)))


@pytest.mark.parametrize(
    "place", [b"GET /health?%b HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nX: %b\r\n"]
)
@pytest.mark.parametrize("places", [[], [60], [100, 200], [50_000], [40_000, 69_000], [60_000]])
@pytest.mark.parametrize(("size", "status"), [(60_000, b"200"), (70_000, b"431"), (99_999, b"431")])
def test_a_head_above_the_limit_is_refused_however_it_is_cut(
    place: bytes, places: list[int], size: int, status: bytes
) -> None:
    """Also where it is whole at once, or ends in the piece that goes above."""
    head = place % (b"a" * size) + b"Host: t\r\n\r\n"
    assert asyncio.run(_one(cut(head, places))) == status


@pytest.mark.parametrize(
    "lines", [[b"X-%d: 1\r\n" % nth for nth in range(101)], [b"X: ", *[b"a" * 10_000] * 20]]
)
def test_lines_without_end_after_a_body_are_refused(lines: list[bytes]) -> None:
    """HTTP lets headers follow a body that comes in chunks."""
    begun = b"POST /api/orders HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % HEAD
    pieces = [begun + b"2\r\n{}\r\n0\r\n", *lines]
    assert asyncio.run(_one(pieces, body_max=4_096)) == b"431"


def test_a_body_in_chunks_of_one_byte_is_read() -> None:
    body = msgspec.json.encode({**ORDER, "cl_ord_id": "o" * 60})
    begun = b"POST /api/orders HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % HEAD
    pieces = [begun, *(b"1\r\n%c\r\n" % byte for byte in body), b"0\r\n\r\n"]
    assert asyncio.run(_one(pieces, body_max=len(body))) == b"201"


async def _one(pieces: list[bytes], **knobs: int) -> bytes:
    """The status that is answered to one request."""
    async with a_door(**knobs) as (door, _):
        wire, transport = _wire(door)
        for piece in pieces:
            wire.data_received(piece)
        await _until(lambda: b"\r\n\r\n" in transport.written)
        wire.connection_lost(None)
        return transport.written.split(b" ")[1]


def _wire(door: Door) -> tuple[Protocol, Transport]:
    """A connection of its own to the door."""
    config = uvicorn.Config(door, log_level="critical", lifespan="off", access_log=False)
    config.load()
    kind = protocol_of(door, request_timeout_s=5.0)
    wire, transport = kind(config, ServerState(), {}, asyncio.get_running_loop()), Transport()
    wire.connection_made(transport)
    return wire, transport


async def _requests(kinds: list[Callable[[str], bytes]], pieces: list[bytes]) -> None:
    async with a_door() as (door, house):
        wire, transport = _wire(door)
        for piece in pieces:
            wire.data_received(piece)
            await asyncio.sleep(0)
        await _until(lambda: transport.written.count(b"HTTP/1.1 ") == len(kinds))
        said = [part.partition(b"\r\n\r\n") for part in transport.written.split(b"HTTP/1.1 ")[1:]]
        for nth, (asked, (head, _, body)) in enumerate(zip(kinds, said, strict=True)):
            found = msgspec.json.decode(body)
            if asked is malformed:
                assert (head[:3], found["code"]) == (b"422", "invalid")
            else:
                assert (head[:3], found["cl_ord_id"]) == (b"201", f"o{nth}")
        wire.connection_lost(None)
        assert len(house.entries()) == sum(asked is not malformed for asked in kinds)


@given(
    st.lists(st.sampled_from(["place", "batch", "ping", "fragments"]), min_size=1, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=12),
    st.binary(min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_messages_are_acknowledged_in_order_however_they_are_cut(
    kinds: list[str], places: list[int], mask: bytes
) -> None:
    asyncio.run(_messages(kinds, places, mask))


async def _messages(kinds: list[str], places: list[int], mask: bytes) -> None:
    async with a_door() as (door, house):
        streams = Streams(door, lambda: REFS, None)
        config = uvicorn.Config(door, lifespan="off", log_level="critical")
        config.load()
        socket = streams.socket()(config, ServerState(), {}, asyncio.get_running_loop())
        transport = Transport()
        socket.connection_made(transport)
        socket.data_received(HANDSHAKE)
        sent, expected = _script(kinds, mask)
        start = len(transport.written)
        for piece in cut(sent, places):
            socket.data_received(piece)
            await asyncio.sleep(0)
        await _until(lambda: len(_texts(transport.written[start:])) == len(expected))
        assert _texts(transport.written[start:]) == expected
        assert _orders(house) == expected
        socket.connection_lost(None)


def _script(kinds: list[str], mask: bytes) -> tuple[bytes, list[str]]:
    """Frames, and the orders that they ask for."""
    sent, expected = b"", list[str]()
    for nth, kind in enumerate(kinds):
        text = b'{"op":"place","id":%d,%b' % (nth, order(f"o{nth}")[1:])
        if kind == "ping":
            sent += frame(b"hello", opcode=9)
            continue
        expected.append(f"o{nth}")
        if kind == "batch":
            text = b"[%b]" % text
        if kind == "fragments":
            sent += (
                b"\x01" + frame(text[:20])[1:] + frame(b"", opcode=9) + frame(text[20:], opcode=0)
            )
        else:
            sent += _masked(frame(text), mask)
    return sent, expected


def _masked(whole: bytes, mask: bytes) -> bytes:
    """The same frame under another key than zeros."""
    start = 8 if whole[1] & 127 == 126 else 6
    payload = bytes(byte ^ mask[nth % 4] for nth, byte in enumerate(whole[start:]))
    return whole[: start - 4] + mask + payload


def _texts(written: bytes) -> list[str]:
    """Which orders were acknowledged."""
    found, at = list[str](), 0
    while (one := next_frame(written, at)) is not None:
        opcode, start, at = one
        if opcode == 1:
            found.append(msgspec.json.decode(written[start:at])["cl_ord_id"])
    return found


def _orders(house: Desk) -> list[str]:
    events: list[Any] = [entry.event for entry in house.entries()]
    return [event.order.cl_ord_id for event in events]


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.001)
