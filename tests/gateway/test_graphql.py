"""GraphQL over HTTP: documents, relations, limits, persisted queries, who may see the schema."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from graphql import get_introspection_query
from httpx2 import ASGITransport, AsyncClient

from fondaco.gateway.graphql.serving import Graph
from gateway.desk import ORDER
from gateway.whole import Whole, a_house

pytestmark = pytest.mark.anyio
PLACE = """mutation ($account_id: ID!, $cl_ord_id: ID!, $symbol: String!, $side: Side!,
  $ord_type: OrdType!, $order_qty: Decimal, $price: Decimal) {
  trading_place_order(account_id: $account_id, cl_ord_id: $cl_ord_id, symbol: $symbol, side: $side,
    ord_type: $ord_type, order_qty: $order_qty, price: $price) { order_id ord_status position }
}"""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Client:
    """Sends documents, and says what status was expected."""

    def __init__(self, http: AsyncClient, house: Whole) -> None:
        self.http, self.house = http, house

    async def __call__(
        self, query: str | None, status: int = 200, who: str = "ada", key: str = "", **more: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        headers |= {"Idempotency-Key": key} if key else {}
        body = {"query": query, **more}
        answer = await self.http.post("/graphql", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def code(self, query: str | None, status: int, **more: Any) -> str:
        errors = (await self(query, status, **more))["errors"]
        assert errors[0]["message"] == errors[0]["extensions"]["message"]
        return str(errors[0]["extensions"]["code"])


@pytest.fixture(scope="module")
async def ask(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    graph = Graph()
    folder: Path = tmp_path_factory.mktemp("house")
    async with (
        a_house(folder, doors=(graph.open,)) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        client = Client(http, house)
        for name in ("demo", "second"):
            opened = f'trading_open_account(account_id: "{name}", name: "Demo") {{ account_id }}'
            paid = f'(account_id: "{name}", asset: "USD", amount: "100000", transfer_id: "t{name}")'
            said = await client(f"mutation {{ {opened} trading_deposit{paid} {{ amount }} }}")
            assert "errors" not in said
        for nth in range(3):
            said = await client(PLACE, variables={**ORDER, "cl_ord_id": f"o{nth}"})
            assert said["data"]["trading_place_order"]["ord_status"] == "new"
        await house.settled()
        yield client
        graph.close()


async def test_relations_are_asked_for_in_batches(ask: Client) -> None:
    said = await ask(
        """{ trading_orders(account_id: "demo") { items {
              order_id post_only account { name balances { asset held } }
              instrument { symbol tick_size } executions { exec_id } } } }"""
    )
    items = said["data"]["trading_orders"]["items"]
    assert [item["order_id"] for item in items] == ["demo.3", "demo.2", "demo.1"]
    for item in items:
        assert item["post_only"] is False  # which REST leaves out
        assert item["account"]["name"] == "Demo"
        assert item["instrument"]["symbol"] == "BTC-USD"
        assert item["executions"] == []
    asked = sorted(each["operation"] for each in said["extensions"]["operations"])
    assert asked == [
        "reference.instruments",
        "trading.account",
        "trading.executions",
        "trading.orders",
    ]


async def test_an_account_leads_to_whatever_is_asked_of_one(ask: Client) -> None:
    said = await ask(
        """{ trading_accounts { items { account_id
              orders(limit: 2, ord_status: "new") { items { order_id } next }
              positions { equity } statement } } }"""
    )
    demo, second = said["data"]["trading_accounts"]["items"]
    assert [item["order_id"] for item in demo["orders"]["items"]] == ["demo.3", "demo.2"]
    assert demo["orders"]["next"]
    assert second["orders"] == {"items": [], "next": None}
    assert demo["statement"].startswith("time,kind,")
    assert demo["positions"]["equity"] == "100000"


async def test_one_field_that_fails_leaves_the_others_their_answers(ask: Client) -> None:
    said = await ask(
        """{ trading_accounts { items { account_id } }
             trading_account(account_id: "no") { name } }"""
    )
    assert said["data"]["trading_account"] is None
    assert len(said["data"]["trading_accounts"]["items"]) == 2
    (error,) = said["errors"]
    assert error["path"] == ["trading_account"]
    assert error["extensions"]["code"] == "unknown_account"
    assert error["extensions"]["reached_venue"] == "no"


async def test_a_key_is_each_mutations_own(ask: Client) -> None:
    order = {**ORDER, "cl_ord_id": "keyed"}
    first = await ask(PLACE, key="k", variables=order)
    again = await ask(PLACE, key="k", variables=order)
    assert first["data"] == again["data"]
    assert again["extensions"]["operations"][0]["replayed"] == "true"
    moved = 'trading_deposit(account_id: "demo", asset: "USD", amount: "1", transfer_id: "%s")'
    two = f"mutation {{ a: {moved % 'a'} {{ amount }} b: {moved % 'b'} {{ amount }} }}"
    assert (await ask(two, key="two"))["data"] == (await ask(two, key="two"))["data"]


DEEP = "account { orders { items { " * 5 + "order_id" + "} } }" * 5
TOO_MUCH = {
    "depth": (f"{{ trading_orders {{ items {{ {DEEP} }} }} }}", "query_too_deep"),
    "cost": (
        "{ trading_accounts(limit: 1000) { items { orders(limit: 1000) { items { side } } } } }",
        "query_too_costly",
    ),
    "cost by a variable": (
        "query ($n: Int = 1000) { trading_accounts(limit: $n) { items"
        " { orders(limit: $n) { items { side } } } } }",
        "query_too_costly",
    ),
    "aliases": (
        "{ " + " ".join(f"a{nth}: journal_root {{ size }}" for nth in range(60)) + " }",
        "query_too_large",
    ),
    "repeats": ("{ " + "journal_root { size } " * 60 + " }", "query_too_large"),
    "fragments": (
        "{ __typename } " + " ".join(f"fragment f{n} on Query {{ __typename }}" for n in range(60)),
        "query_too_large",
    ),
    "a fragment in itself": (
        "{ ...f } fragment f on Query { ...f }",
        "invalid",
    ),
    "fragments that double": (
        "{ ...f0 } "
        + " ".join(
            f"fragment f{n} on Query {{ a: __typename ...f{n + 1} b: __typename }}"
            for n in range(40)
        )
        + " fragment f40 on Query { __typename }",
        "query_too_large",
    ),
    "characters": ("{ __typename " + " " * 100_000 + "}", "too_large"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
async def test_what_asks_for_too_much_is_told_what_and_how_much(ask: Client, case: str) -> None:
    query, code = TOO_MUCH[case]
    status = {"too_large": 413}.get(code, 422)
    assert await ask.code(query, status) == code


MALFORMED: dict[str, tuple[dict[str, Any], int]] = {
    "syntax": ({"query": "{"}, 400),
    "braces": ({"query": "{a" * 3_000}, 400),
    "tokens": ({"query": "{" + " __typename" * 5_000 + "}"}, 400),
    "an unknown field": ({"query": "{ nothing }"}, 400),
    "a missing argument": ({"query": "{ trading_order { order { side } } }"}, 400),
    "a wrong variable": (
        {
            "query": "query ($n: Int) { trading_orders(limit: $n) { next } }",
            "variables": {"n": "x"},
        },
        400,
    ),
    "no query": ({}, 422),
    "no such operation": ({"query": "query a { __typename }", "operationName": "b"}, 422),
    "a subscription": ({"query": "subscription { __typename }"}, 400),
    "an array": ([], 422),  # type: ignore[dict-item]
    "a version": ({"extensions": {"persistedQuery": {"version": 2}}}, 422),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_what_is_malformed_is_told_so(ask: Client, case: str) -> None:
    body, status = MALFORMED[case]
    answer = await ask.http.post("/api/graphql", json=body, headers={"Authorization": "Bearer ada"})
    assert answer.status_code == status, answer.text
    for error in answer.json()["errors"]:
        assert error["extensions"]["code"] in ("invalid", "too_large")
        assert error["extensions"]["status"] == status
        assert error["extensions"]["request_id"] == answer.headers["x-request-id"]


async def test_what_rest_refuses_is_refused_with_the_same_words(ask: Client) -> None:
    said = await ask('{ trading_orders(ord_status: "odd", min_position: 0) { next } }')
    answer = await ask.http.get(
        "/api/orders?ord_status=odd", headers={"Authorization": "Bearer ada"}
    )
    mine, rest = said["errors"][0]["extensions"], answer.json()
    for name in ("type", "status", "code", "message", "retryable", "reached_venue", "details"):
        assert mine[name] == rest[name]


async def test_the_schema_is_shown_to_who_is_known(ask: Client) -> None:
    query = get_introspection_query()
    types = (await ask(query))["data"]["__schema"]["types"]
    assert {"OrderLine", "Decimal", "Long", "OrderLinePage"} <= {each["name"] for each in types}
    assert await ask.code(query, 401, who="") == "unauthenticated"
    assert await ask.code('{ __type(name: "Query") { name } }', 401, who="") == "unauthenticated"
    assert (await ask("{ __typename }", who=""))["data"] == {"__typename": "Query"}
    hint = await ask("{ trading_order { x } }", 400, who="")
    assert "Did you mean" not in hint["errors"][0]["message"]
    assert await ask.code("{ __typename }", 401, who="nobody") == "unauthenticated"


async def test_a_document_is_known_by_its_hash_once_it_was_left(ask: Client) -> None:
    query = "{ journal_root { size } }"
    told = {"persistedQuery": {"version": 1, "sha256Hash": sha256(query.encode()).hexdigest()}}
    assert await ask.code(None, 200, extensions=told) == "PERSISTED_QUERY_NOT_FOUND"
    await ask(query, 200, who="", extensions=told)  # who is not known leaves nothing
    assert await ask.code(None, 200, extensions=told) == "PERSISTED_QUERY_NOT_FOUND"
    first = await ask(query, extensions=told)
    assert (await ask(None, extensions=told))["data"] == first["data"]
    assert await ask.code("{ __typename }", 422, extensions=told) == "invalid"


async def test_a_query_may_be_asked_with_get_and_a_change_may_not(ask: Client) -> None:
    headers = {"Authorization": "Bearer ada"}
    query = {"query": "query ($n: Int) { trading_orders(limit: $n) { items { side } } }"}
    answer = await ask.http.get(
        "/graphql", params={**query, "variables": '{"n": 1}'}, headers=headers
    )
    assert answer.json()["data"]["trading_orders"]["items"] == [{"side": "buy"}]
    change = {"query": 'mutation { risk_kill(reason: "x") { position } }'}
    refused = await ask.http.get("/graphql", params=change, headers=headers)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    other = await ask.http.put("/graphql", json={}, headers=headers)
    assert (other.status_code, other.headers["allow"]) == (405, "GET, POST")
    typed = await ask.http.post(
        "/graphql",
        json={"query": "{ __typename }"},
        headers={**headers, "Accept": "application/graphql-response+json"},
    )
    assert typed.headers["content-type"] == "application/graphql-response+json"


async def test_a_list_lets_nothing_else_be_executed(tmp_path: Path) -> None:
    listed = tmp_path / "documents.json"
    allowed, other = "{ journal_root { size } }", "{ __typename }"
    listed.write_bytes(msgspec.json.encode({"root": allowed}))
    graph = Graph(listed)
    async with (
        a_house(tmp_path, doors=(graph.open,)) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        ask = Client(http, house)
        named = {
            "persistedQuery": {"version": 1, "sha256Hash": sha256(allowed.encode()).hexdigest()}
        }
        assert "data" in await ask(allowed)
        assert "data" in await ask(None, extensions=named)
        assert await ask.code(other, 403) == "document_not_listed"
        graph.close()
