"""Every operation through every door: the same authorisation, the same result, the same error.

A door is a function of `DOORS`; whoever opens one more adds it there.
"""

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLUnionType
from websockets.sync.client import connect

from docs.catalog import operations
from fondaco import cli
from fondaco.gateway.examples import request_of
from fondaco.gateway.graphql.schema import field_name, schema_of
from fondaco.gateway.mcp.tools import is_tool, name_of, writes
from fondaco.gateway.rest import Endpoint
from fondaco.kernel.operation import Operation
from running import TOKEN, Running, house

OPERATIONS: Final = {each.name: each for each in operations()}
ENDPOINTS: Final = [Endpoint(each, None) for each in OPERATIONS.values()]  # type: ignore[arg-type]
# Ends what a caller needs for the operations behind it, or stops everything.
LAST: Final = ("risk.kill", "risk.stop", "risk.unkill", "users.logout")


class Said(NamedTuple):
    status: int
    body: Any  # a problem, where the status says so


class Asker:
    """One caller at all doors."""

    def __init__(self, running: Running, token: str) -> None:
        self.http = running.client(token)
        self.token = token
        self.socket: Any = None
        self.closing = contextlib.ExitStack()
        self.port = running.port

    def rest(self, operation: Operation[Any, Any], fields: dict[str, Any], key: str) -> Said:
        path = "/api" + operation.path.format(**{n: quote(str(v)) for n, v in fields.items()})
        rest = {name: each for name, each in fields.items() if f"{{{name}}}" not in operation.path}
        headers = {"Idempotency-Key": key} if key else {}
        body = rest if operation.method in ("POST", "PUT", "PATCH") else None
        if body is None and rest:
            path += "?" + urlencode(rest)
        reply = self.http.ask(operation.method, path, body, headers=headers)
        content = reply.body.decode() if isinstance(reply.body, bytes) else reply.body
        return Said(reply.status, content)

    def graphql(self, operation: Operation[Any, Any], fields: dict[str, Any], key: str) -> Said:
        headers = {"Idempotency-Key": key} if key else {}
        reply = self.http.ask("POST", "/graphql", document(operation.name, fields), headers=headers)
        return self._said(reply.body)

    def socket_graphql(
        self, operation: Operation[Any, Any], fields: dict[str, Any], _: str
    ) -> Said:
        if self.socket is None:
            url = f"ws://127.0.0.1:{self.port}/graphql"
            opened = connect(url, subprotocols=["graphql-transport-ws"], max_size=4 << 20)  # type: ignore[list-item]
            self.socket = self.closing.enter_context(opened)
            self._send(
                {"type": "connection_init", "payload": {"Authorization": f"Bearer {self.token}"}}
            )
            assert self._heard()["type"] == "connection_ack"
        self._send({"type": "subscribe", "id": "1", "payload": document(operation.name, fields)})
        said = self._heard()
        if said["type"] == "error":
            return self._said({"errors": said["payload"]})
        assert self._heard() == {"type": "complete", "id": "1"}
        return self._said(said["payload"])

    def mcp(self, operation: Operation[Any, Any], fields: dict[str, Any], _: str) -> Said:
        """A tool that writes proposes, and so says nothing of the result."""
        call = {"name": name_of(operation), "arguments": fields}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        reply = self.http.ask("POST", "/mcp", asked)
        if "result" not in reply.body:
            return Said(reply.status, reply.body)
        found = reply.body["result"]["structuredContent"]
        if reply.body["result"]["isError"]:
            return Said(found["status"], found)
        if writes(operation):
            return Said(200, {"proposed": {**found, "request": None}})
        return Said(200, found["text"] if operation.reply is str else found)

    def _send(self, frame: Any) -> None:
        self.socket.send(msgspec.json.encode(frame).decode())

    def _heard(self) -> Any:
        return msgspec.json.decode(self.socket.recv(timeout=15))

    @staticmethod
    def _said(body: Any) -> Said:
        if body.get("errors"):
            problem = body["errors"][0]["extensions"]
            return Said(problem["status"], problem)
        return Said(body["extensions"]["operations"][0]["status"], body["data"]["it"])

    def close(self) -> None:
        self.closing.close()


Ask = Callable[[Asker, Operation[Any, Any], dict[str, Any], str], Said]
DOORS: Final[dict[str, Ask]] = {
    "REST": Asker.rest,
    "GraphQL": Asker.graphql,
    "GraphQL over WebSocket": Asker.socket_graphql,
    "MCP": Asker.mcp,
}


def doors_for(operation: Operation[Any, Any]) -> dict[str, Ask]:
    """Agents have no tool for what agrees to their own proposals, makes keys or shows who people
    are."""
    return {door: ask for door, ask in DOORS.items() if door != "MCP" or is_tool(operation)}


@cache
def schema() -> Any:
    return schema_of(ENDPOINTS)


def document(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the operation answers, without where it leads to."""
    is_query = OPERATIONS[name].method == "GET"
    root = schema().query_type if is_query else schema().mutation_type
    field = root.fields[field_name(name)]
    given = ", ".join(f"${each}: {field.args[each].type}" for each in fields)
    handed = ", ".join(f"{each}: ${each}" for each in fields)
    selected = selection(field.type)
    text = f"{'query' if is_query else 'mutation'} {f'({given})' if given else ''} {{ "
    text += f"it: {field_name(name)}{f'({handed})' if handed else ''} {selected} }}"
    return {"query": text, "variables": dict(fields)}


def selection(kind: Any, within: tuple[str, ...] = ()) -> str | None:
    """None for a type that holds itself."""
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    if isinstance(kind, GraphQLUnionType):
        reply = next(each for each in kind.types if each.name != "Held")
        return (
            f"{{ ... on {reply} {selection(reply, within)} ... on Held {{ held: approval_id }} }}"
        )
    if not isinstance(kind, GraphQLObjectType):
        return ""
    if kind.name in within:
        return None
    found = {
        name: selection(field.type, (*within, kind.name))
        for name, field in kind.fields.items()
        if "relation" not in field.extensions
    }
    return "{ " + " ".join(f"{n} {each}" for n, each in found.items() if each is not None) + " }"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("doors") / "house"
    with house(folder) as found:
        found.folder = folder  # type: ignore[attr-defined]
        yield found


@pytest.fixture(scope="module")
def tokens(running: Running) -> dict[str, str]:
    """Of somebody who may do all in another tenant, and of two who may do next to nothing here."""
    made = {"demo": TOKEN, "nobody": "", "wrong": "no-such-token"}
    for name, scope in (("prices", "market:read"), ("orders", "orders:read")):
        asked = {"name": name, "scopes": [scope]}
        made[name] = running.client().ask("POST", "/api/keys", asked).body["token"]
    return made


@pytest.fixture(scope="module")
def stranger(running: Running, tokens: dict[str, str]) -> str:
    """The token of an admin of another tenant."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        data = str(running.folder)  # type: ignore[attr-defined]
        cli.main(
            [
                "key",
                "create",
                "--data",
                data,
                "--tenant",
                "other",
                "--user",
                "eve",
                "--role",
                "admin",
            ]
        )
    token: str = msgspec.json.decode(told.getvalue())["token"]
    until = time.monotonic() + 10
    while running.client(token).ask("GET", "/api/session").status != 200:
        assert time.monotonic() < until, told.getvalue()
        time.sleep(0.1)
    return token


def example(operation: Operation[Any, Any]) -> dict[str, Any]:
    (found,), schemas = msgspec.json.schema_components([operation.request])
    shown = schemas[found["$ref"].rpartition("/")[2]] if "$ref" in found else found
    return request_of(operation, shown, schemas)


def in_order() -> list[Operation[Any, Any]]:
    first = [each for each in OPERATIONS.values() if each.name not in LAST]
    return [*first, *(OPERATIONS[name] for name in LAST if name in OPERATIONS)]


def test_nothing_of_another_tenant_is_read_or_changed_at_any_door(
    running: Running, stranger: str
) -> None:
    """Somebody else asks all of it, with our ids."""
    owner = running.client()
    order = {
        "account_id": "demo",
        "cl_ord_id": "mine-and-nobodys",
        "symbol": "BTC-USD",
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "0.01",
        "price": "1000.00",
    }
    placed = owner.ask("POST", "/api/orders", order).body
    position = placed["position"]
    before = owner.get(f"/api/orders/{placed['order_id']}?min_position={position}")["order"]
    asker = Asker(running, stranger)
    wrong: list[str] = []
    for operation in in_order():
        if (
            operation.name.startswith(("reference.", "risk.set_", "venues.", "market."))
            or operation.name in LAST
        ):
            continue  # the house's, not a tenant's
        fields = example(operation)
        for name in fields.keys() & {"order_id", "about"}:
            fields[name] = placed["order_id"]
        if "account_id" in {field.name for field in msgspec.structs.fields(operation.request)}:
            fields["account_id"] = "demo"
        for door, ask in doors_for(operation).items():
            said = ask(asker, operation, fields, "")
            text = msgspec.json.encode(said.body).decode()
            if said.status >= 500:
                wrong.append(f"{operation.name} at {door}: {said}")
            if said.status < 400 and ("mine-and-nobodys" in text or '"account_id":"demo"' in text):
                wrong.append(f"{operation.name} at {door} shows {text[:300]}")
            if "account_id" in fields and operation.account is not None and said.status < 400:
                wrong.append(f"{operation.name} at {door} answers {said.status}")
    asker.close()
    assert not wrong, "\n".join(wrong)
    after = running.client().get(f"/api/orders/{placed['order_id']}")["order"]
    assert {**after, "position": 0} == {**before, "position": 0}


def test_who_may_not_ask_is_told_the_same_at_every_door(
    running: Running, tokens: dict[str, str]
) -> None:
    wrong: list[str] = []
    refused = 0
    for who in ("nobody", "prices", "orders"):
        asker = Asker(running, tokens[who])
        for operation in in_order():
            if not operation.scope or operation.scope in ("market:read", "orders:read"):
                continue
            fields = example(operation)
            said = {
                door: ask(asker, operation, fields, "")
                for door, ask in doors_for(operation).items()
                if who != "nobody" or door not in ("GraphQL over WebSocket", "MCP")
            }
            first = said["REST"]
            refused += first.status in (401, 403)
            for door, other in said.items():
                if _told(other) != _told(first) or other.status not in (401, 403):
                    wrong.append(f"{who} {operation.name} at {door}: {other}, by REST {first}")
        asker.close()
    assert not wrong, "\n".join(wrong)
    assert refused > 200


def test_what_may_be_asked_is_answered_the_same_at_every_door(running: Running) -> None:
    """What reads is asked by REST before and after, and answered exactly so where nothing moves.
    What changes something is asked under one Idempotency-Key, so that it has one answer."""
    asker = Asker(running, TOKEN)
    wrong: list[str] = []
    compared = 0
    for operation in in_order():
        if operation.name in ("users.logout", "policy.decisions"):
            continue  # a key is no session; each question is one decision more
        fields, reads = example(operation), operation.method == "GET"
        is_kept = not reads and not operation.secret
        key = f"doors-{operation.name}" if is_kept else ""
        doors = {door: ask for door, ask in doors_for(operation).items() if reads or door != "MCP"}
        said = {door: ask(asker, operation, fields, key) for door, ask in doors.items()}
        first, last = said["REST"], asker.rest(operation, fields, key)
        for door, other in said.items():
            is_same = reads or (is_kept and door != "GraphQL over WebSocket")
            if not is_same and (first.status >= 400 or other.status >= 400):
                continue  # done a second time, it may be refused
            text = differs(first, other, exact=is_same and first == last)
            compared += is_same and first == last
            if text:
                wrong.append(f"{operation.name} at {door}: {text}: {str(other)[:300]}")
    asker.close()
    assert not wrong, "\n".join(wrong)
    assert compared > 200


def differs(rest: Said, other: Said, exact: bool) -> str:
    if rest.status != other.status:
        return f"{other.status}, not {rest.status}"
    if rest.status < 400:
        return _differs(rest.body, other.body, exact)
    return "" if _told(rest) == _told(other) else f"not {_told(rest)}"


def _told(said: Said) -> Any:
    return said.status, said.body["code"], said.body["message"], said.body["reached_venue"]


def _differs(rest: Any, other: Any, exact: bool, at: str = "") -> str:
    """What is said otherwise than REST says it; a struct may be an array there, and may leave out
    what is as usual."""
    if isinstance(other, dict) and isinstance(rest, list):
        rest = dict(zip(other, rest, strict=False))
    if isinstance(rest, dict) and isinstance(other, dict):
        names = rest.keys() - {"entries"}  # of a group of FIX, which may hold others
        if names - other.keys():
            return f"{at} lacks {names - other.keys()}"
        found = (_differs(rest[n], other[n], exact, f"{at}.{n}") for n in sorted(names))
        return next(filter(None, found), "")
    if isinstance(rest, list) and isinstance(other, list):
        if exact and len(rest) != len(other):
            return f"{at} has {len(other)} items, not {len(rest)}"
        pairs = zip(rest, other, strict=False)
        return next(filter(None, (_differs(*pair, exact, f"{at}[]") for pair in pairs)), "")
    if exact and rest != other:
        return f"{at} is {other!r}, not {rest!r}"
    if type(rest) is not type(other) and None not in (rest, other):
        both = isinstance(rest, int | float) and isinstance(other, int | float)
        return "" if both else f"{at} is {other!r}, not {rest!r}"
    return ""
