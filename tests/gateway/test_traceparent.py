"""Who brings a trace gets it back; who brings none is told the one that the journal tells."""

import asyncio
import json
from typing import Any

import pytest
import websockets

from fondaco.gateway.streams import Streams
from fondaco.kernel import trace
from fondaco.runtime.tracing.rows import Request
from gateway.desk import ORDER, REFS, a_door
from gateway.server import Wire, serving, wired

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{SPAN}-00"


async def place(wire: Wire, query: str = "", **more: str) -> tuple[int, dict[str, str]]:
    body = json.dumps(ORDER).encode()
    lines = {"authorization": "Bearer ada", "content-length": str(len(body)), **more}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    await wire.send(f"POST /api/orders{query} HTTP/1.1\r\n{head}\r\n".encode() + body)
    status, headers, _ = await wire.response()
    return status, headers


@pytest.mark.parametrize("query", ["", "?"])  # by callbacks alone, and through the framework
def test_a_request_is_part_of_the_callers_trace(query: str) -> None:
    async def run() -> None:
        noted: list[Request] = []
        async with a_door(note=noted.append) as (door, desk), serving(door) as port:
            async with wired(port) as wire:
                status, headers = await place(wire, query, traceparent=GIVEN)
            (entry,) = desk.entries()
        assert status == 201
        span = trace.request_span(entry.at)
        assert headers["traceparent"] == f"00-{TRACE}-{span}-01"
        [request] = noted
        assert (request.at, request.trace_id, request.parent_id) == (entry.at, TRACE, SPAN)
        assert request.operation == "trading.place_order"

    asyncio.run(run())


@pytest.mark.parametrize("query", ["", "?"])
def test_a_trace_follows_from_the_journal_and_a_retry_is_the_same(query: str) -> None:
    async def run() -> None:
        noted: list[Request] = []
        async with a_door(note=noted.append) as (door, desk), serving(door) as port:
            async with wired(port) as wire:
                told = [
                    await place(wire, query),
                    await place(wire, query, traceparent="00-nonsense"),
                ]
            (entry,) = desk.entries()
        trace_id = trace.trace_of(entry.stream, entry.caused_by)
        expected = trace.traceparent(trace_id, trace.request_span(entry.at))
        assert [headers["traceparent"] for _, headers in told] == [expected] * 2
        assert noted == []  # nothing is kept of what follows from the entries

    asyncio.run(run())


def test_a_correlation_id_names_the_trace_of_all_that_it_is_on() -> None:
    async def run() -> None:
        async with a_door() as (door, _), serving(door) as port, wired(port) as wire:
            named = trace.trace_of_correlation("flow-7")
            more = {"x-correlation-id": "flow-7"}
            for bearer in ("Bearer ada", "Bearer nobody"):  # accepted, and turned away
                _, headers = await place(wire, authorization=bearer, **more)
                assert headers["traceparent"].startswith(f"00-{named}-")

    asyncio.run(run())


def test_an_order_over_a_websocket_is_part_of_a_trace_too() -> None:
    async def run() -> None:
        noted: list[Request] = []
        async with a_door(note=noted.append) as (door, desk):
            streams = Streams(door, lambda: REFS, None)
            async with serving(door, ws=streams.socket()) as port:
                url = f"ws://127.0.0.1:{port}/ws/trading"
                bearer = {"Authorization": "Bearer ada"}
                async with websockets.connect(url, additional_headers=bearer) as peer:

                    async def asked(**more: str) -> Any:
                        await peer.send(json.dumps({"op": "place", "id": 1, **ORDER, **more}))
                        return json.loads(await peer.recv())

                    told = await asked(traceparent=GIVEN)
                    plain = await asked(cl_ord_id="o2")
                    wrong = await asked(cl_ord_id="o3", traceparent="nonsense")
            first = desk.entries()[0]
        assert told["traceparent"] == f"00-{TRACE}-{trace.request_span(first.at)}-01"
        assert [(each.at, each.trace_id) for each in noted] == [(first.at, TRACE)]
        assert "traceparent" not in plain
        assert "traceparent" not in wrong
        assert wrong["status"] == 201

    asyncio.run(run())
