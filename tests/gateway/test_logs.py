"""What is logged: one JSON line an event, at the level asked for, and never a secret."""

import errno
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.gateway.logs import Log
from fondaco.kernel.event import Instant
from gateway.desk import ORDER, a_door

pytestmark = pytest.mark.anyio
CASES: list[tuple[dict[str, str], str, int]] = [
    ({}, "ada", 201),
    ({"side": "by"}, "ada", 422),
    ({}, "not-a-token-anybody-may-see", 401),
    ({"cl_ord_id": "poison"}, "ada", 500),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        ("INFO", [("INFO", 201), ("INFO", 422), ("WARN", 401), ("ERROR", None), ("INFO", 500)]),
        ("WARN", [("WARN", 401), ("ERROR", None)]),
        ("ERROR", [("ERROR", None)]),
    ],
)
async def test_each_level_has_its_lines(level: str, logged: list[Any]) -> None:
    lines: list[bytes] = []
    log = Log(level, lambda: Instant(1_700_000_000_123_456_789), lines.append)
    async with (
        a_door(log=log) as (door, _),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as client,
    ):
        for change, token, status in CASES:
            headers = {"Authorization": f"Bearer {token}", "X-Correlation-Id": "c1"}
            answer = await client.post("/api/orders", json=ORDER | change, headers=headers)
            assert answer.status_code == status
    found = [msgspec.json.decode(line) for line in lines]
    assert [(line["level"], line.get("status")) for line in found] == logged
    for line in found:
        assert line["time"] == "2023-11-14T22:13:20.123Z"
        assert (line["correlation_id"], line["operation"]) == ("c1", "trading.place_order")
        assert line["request_id"]
    assert not any(b"not-a-token" in line or b"Bearer" in line for line in lines)
    assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in lines)


async def test_a_log_that_cannot_be_written_is_counted_and_stops_nobody() -> None:
    def write(_: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    log = Log("DEBUG", write=write)
    async with (
        a_door(log=log) as (door, _),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as client,
    ):
        for change, token, status in CASES:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post("/api/orders", json=ORDER | change, headers=headers)
            assert answer.status_code == status
        text = (await client.get("/metrics")).text
    assert log.lost == len(CASES) + 1  # the failure has a line of its own
    assert f"\nfondaco_log_lost_total {log.lost}\n" in text


def test_a_failure_of_ours_is_logged_with_where_it_happened() -> None:
    lines: list[bytes] = []
    log = Log("ERROR", lambda: Instant(0), lines.append)
    log.line("ERROR", "failure", text="one")
    log.line("DEBUG", "noise")
    assert [msgspec.json.decode(line)["text"] for line in lines] == ["one"]
