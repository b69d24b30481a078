"""Documents, pages, health and metrics: all rendered from what is declared and counted."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient
from openapi_spec_validator import validate

from fondaco.domain.trading.model import Reason
from fondaco.gateway.door import Door
from fondaco.gateway.editions import FIRST
from fondaco.gateway.errors import CODES, MEANINGS
from fondaco.gateway.rest import parameters_of
from fondaco.gateway.streams import Streams
from gateway import whole
from gateway.desk import ORDER
from gateway.whole import a_house

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_house(tmp_path, version="9.9") as (opened, house):
        Streams(opened, house.refs, house.board)
        yield opened


@pytest.fixture
async def client(door: Door) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        transport=ASGITransport(door),
        base_url="http://test",
        headers={"Authorization": "Bearer ada"},
    ) as it:
        yield it


async def test_the_openapi_document_is_valid_and_names_every_path(client: AsyncClient) -> None:
    answer = await client.get("/api/openapi.json")
    document = answer.json()
    validate(document)
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", FIRST.version)
    named = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert named >= {
        ("POST", "/api/orders"),
        ("GET", "/api/orders"),
        ("DELETE", "/api/orders"),
        ("GET", "/api/orders/{order_id}"),
        ("DELETE", "/api/orders/{order_id}"),
        ("PATCH", "/api/orders/{order_id}"),
        ("POST", "/api/orders/bulk"),
        ("POST", "/trades/execute"),
        ("GET", "/trades/{order_id}/status"),
        ("POST", "/trades/bulk"),
        ("GET", "/trades/history"),
        ("POST", "/api/risk/validate"),
        ("GET", "/api/risk/positions"),
        ("GET", "/api/risk/limits"),
        ("GET", "/api/market-data/prices/{symbol}"),
        ("GET", "/api/market-data/orderbook/{symbol}"),
        ("GET", "/api/market-data/bars/{symbol}"),
        ("GET", "/api/why/{about}"),
        ("GET", "/api/journal"),
        ("GET", "/api/instruments"),
        ("GET", "/api/accounts/{account_id}/statement.csv"),
    }
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    ]
    assert len(names) == len(set(names))
    post = document["paths"]["/api/orders"]["post"]
    assert (sorted(post["responses"])[0], post["x-scope"]) == ("201", "orders:write")
    patch = document["paths"]["/api/orders/{order_id}"]["patch"]
    body = patch["requestBody"]["content"]["application/json"]["schema"]
    assert "order_id" not in body["properties"]  # the path says it


async def test_every_operation_shows_a_request_that_can_be_read(
    door: Door, client: AsyncClient
) -> None:
    document = (await client.get("/api/openapi.json")).json()
    endpoints = {each.operation.name: each for each in door.endpoints}
    seen = 0
    for item in document["paths"].values():
        for shown in item.values():
            endpoint = endpoints.get(shown["operationId"])
            if endpoint is None:
                continue  # an alias
            given = {p["name"]: p["example"] for p in shown["parameters"] if "example" in p}
            for each in shown["parameters"]:
                assert not each["required"] or each["name"] in given, shown["operationId"]
            body = shown.get("requestBody", {}).get("content", {}).get("application/json", {})
            path = {name: given.pop(name) for name in parameters_of(endpoint.operation.path)}
            content = msgspec.json.encode(body["example"]) if body else b""
            endpoint.convert(path, urlencode(given).encode(), content)
            seen += 1
    assert seen == len(endpoints)


async def test_the_order_that_documents_show_is_accepted(client: AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()
    await client.post("/api/accounts", json={"account_id": "demo"})
    rich = {"asset": "USD", "amount": "1000000"}
    await client.post("/api/accounts/demo/deposits", json=rich)
    body = document["paths"]["/api/orders"]["post"]["requestBody"]["content"]["application/json"]
    assert (await client.post("/api/orders", json=body["example"])).status_code == 201


async def test_the_asyncapi_document_names_what_is_said_on_each_socket(client: AsyncClient) -> None:
    document = (await client.get("/api/asyncapi.json")).json()
    assert document["asyncapi"] == "3.0.0"
    alerts = document["channels"]["trading"]["messages"]["MarginMessage"]["payload"]
    name = alerts["$ref"].rpartition("/")[2]
    assert {"alert", "equity", "maintenance"} <= {
        *document["components"]["schemas"][name]["required"]
    }
    assert {each["address"] for each in document["channels"].values()} == {
        "/ws/trading",
        "/ws/market-data",
    }
    for text in _references(document):
        found: Any = document
        for part in text.removeprefix("#/").split("/"):
            found = found[part]
    assert {"Place", "Snapshot", "ExecutionMessage"} <= document["channels"]["trading"][
        "messages"
    ].keys()


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [text for each in value.values() for text in _references(each)]
    if isinstance(value, list):
        return [text for each in value for text in _references(each)]
    return []


async def test_pages_show_every_operation_and_need_nothing_from_elsewhere(
    client: AsyncClient,
) -> None:
    answer = await client.get("/docs")
    document = (await client.get("/api/openapi.json")).json()
    for path in document["paths"]:
        assert f"<code>{path}</code>" in answer.text
    assert "<script" not in answer.text
    assert not re.findall(r'(?:src|href)="https?:', answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_every_code_is_explained_where_errors_point_to(client: AsyncClient) -> None:
    page = (await client.get("/docs/errors")).text
    kinds = [code for code in CODES if code != "error"]
    for code in [*kinds, *MEANINGS, *(reason.value for reason in Reason)]:
        assert f'id="{code}"' in page, code
    problem = (await client.get("/api/orders", params={"limit": 0})).json()
    anchor = problem["type"].partition("#")[2]
    assert f'id="{anchor}"' in page


async def test_health_is_life_and_ready_is_every_check(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for prefix in ("", "/api", "/api/v1"):
        assert (await client.get(f"{prefix}/health")).status_code == 200
    assert (await client.get("/ready")).status_code == 200
    monkeypatch.setitem(whole.house_checks, "market", (False, "BTC-USD stale"))
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["market"] == {"ok": False, "text": "BTC-USD stale"}
    assert (await client.get("/health")).status_code == 200


async def test_metrics_count_requests_refusals_and_what_the_house_says(
    client: AsyncClient,
) -> None:
    await client.post("/api/accounts", json={"account_id": "demo"})
    await client.post("/api/orders", json=ORDER)  # nothing to pay with
    await client.get("/api/orders", params={"limit": 0})
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    place = 'operation="trading.place_order"'
    assert f'fondaco_requests_total{{{place},door="http",status="409"}} 1' in lines
    assert f'fondaco_errors_total{{{place},code="exceeds_buying_power"}} 1' in lines
    assert f"fondaco_request_seconds_count{{{place}}} 1" in lines
    assert f'fondaco_request_seconds_bucket{{{place},le="+Inf"}} 1' in lines
    assert "fondaco_journal_position 7" in lines
    sample = re.compile(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+')
    kinds = re.compile(r"# (HELP|TYPE) [a-z_]+ .+")
    for line in lines:
        assert sample.fullmatch(line) or kinds.fullmatch(line), line


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/metrics", "/openmetrics", "/docs", "/api/openapi.json"]
)
async def test_pages_have_ids_and_are_read_only(client: AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"X-Request-Id": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "mine")
    refused = await client.post(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json()["code"] == "method_not_allowed"


async def test_a_browser_that_names_no_page_finds_the_documents(client: AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert (await client.get(answer.headers["location"])).status_code == 200
    icon = await client.get("/favicon.ico")
    assert (icon.status_code, icon.content) == (204, b"")
    for path in ("/", "/favicon.ico"):
        assert (await client.post(path)).status_code == 405
