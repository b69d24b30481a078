"""The OpenAPI 3.1 document, and AsyncAPI 3.0 for the WebSockets: rendered from declarations."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from fondaco.domain.evaluation.api import AssessmentMessage
from fondaco.gateway import examples, following, talk, tell
from fondaco.gateway import market_stream as market
from fondaco.gateway import trading_stream as trading
from fondaco.gateway.errors import CODES, MEANINGS, Problem
from fondaco.kernel.errors import Denied
from fondaco.kernel.operation import Held, Look, Operation

REFERENCE: Final = "#/components/schemas/{name}"
PROBLEM: Final = "application/problem+json"
_FIELDS_OF_BODY: Final = ("POST", "PUT", "PATCH")
_DESCRIPTIONS: Final = {
    "400": "The request filter let it not in; `rule` says which rule.",
    "401": "Nobody knows this token.",
    "403": "The token lacks the scope.",
    "404": "There is no such thing, or you may not know that there is.",
    "409": "A rule said no, or somebody else was first; the state now is in the answer.",
    "412": "It was changed since you read it.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "422": "The request is malformed.",
    "428": "Which version is changed was not said.",
    "429": "Too many requests; Retry-After says how long to wait.",
    "500": "An error of ours, logged under the request id.",
    "503": "Something we depend on failed or is behind; ask again with the same id.",
}


def openapi(operations: Sequence[Operation[Any, Any]], version: str) -> dict[str, Any]:
    """The document. Every path is shown once, under /api; /api/v1 is the same."""
    kinds: dict[Any, None] = {Problem: None, Held: None}
    for operation in operations:
        kinds |= {operation.request: None, operation.reply: None}
    names = list(kinds)
    found, schemas = msgspec.json.schema_components(names, ref_template=REFERENCE)
    reference: dict[Any, Mapping[str, Any]] = dict(zip(names, found, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        here = [(operation.method, "/api" + operation.path, operation.name)]
        here += [
            (method, path, f"{operation.name}.{nth}")
            for nth, (method, path) in enumerate(operation.aliases, 2)
        ]
        for method, path, name in here:
            item = _operation(operation, method, path, name, reference, schemas)
            paths.setdefault(path, {})[method.lower()] = item
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fondaco",
            "version": version,
            "description": (
                "Amounts are decimals as text. Every answer has X-Request-Id. Errors say whether"
                " to retry and what is true now: /docs/errors. Paths under /api are version 1,"
                " as under /api/v1; others are at /api/versions."
            ),
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(
    operation: Operation[Any, Any],
    method: str,
    path: str,
    name: str,
    reference: Mapping[Any, Mapping[str, Any]],
    schemas: Mapping[str, Any],
) -> dict[str, Any]:
    request = resolved(reference[operation.request], schemas)
    properties: dict[str, Any] = request.get("properties", {})
    required = request.get("required", [])
    in_path = [field for field in properties if f"{{{field}}}" in path]
    has_body = method in _FIELDS_OF_BODY
    in_query = [] if has_body else [field for field in properties if field not in in_path]
    item: dict[str, Any] = {
        "operationId": name,
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "responses": _responses(operation, reference, has_body, in_path),
    }
    if doc := request.get("description"):
        item["description"] = doc
    if operation.scope:
        item["security"] = [{"bearer": []}]
        item["x-scope"] = operation.scope
    example = examples.request_of(operation, request, schemas)
    parameters = [_parameter(field, "path", properties[field], True) for field in in_path]
    parameters += [
        _parameter(field, "query", properties[field], field in required) for field in in_query
    ]
    for parameter in parameters:
        if parameter["name"] in example:
            parameter["example"] = example[parameter["name"]]
    if has_body or method == "DELETE":
        parameters.append(_idempotency_key(operation.secret))
    if operation.versioned and has_body:
        parameters.append(_IF_MATCH)
    item["parameters"] = parameters
    if has_body and (properties.keys() - in_path):
        schema: Mapping[str, Any] = reference[operation.request]
        if in_path:
            schema = _without(request, in_path)
        body = {name: value for name, value in example.items() if name not in in_path}
        item["requestBody"] = {
            "required": bool(set(required) - set(in_path)),
            "content": {"application/json": {"schema": schema, "example": body}},
        }
    return item


def _responses(
    operation: Operation[Any, Any],
    reference: Mapping[Any, Mapping[str, Any]],
    has_body: bool,
    in_path: Sequence[str],
) -> dict[str, Any]:
    problem = {PROBLEM: {"schema": reference[Problem]}}
    statuses = {"400", "422", "429", "500", "503"}
    if operation.scope:
        statuses |= {"401", "403"}
    elif Denied in operation.errors:  # whoever signs in is not known before
        statuses.add("401")
    if operation.account or in_path or hasattr(operation.request, "account_ids"):
        statuses.add("404")
    if has_body:
        statuses |= {"413", "415"}
    if not isinstance(operation, Look):
        statuses.add("409")
    statuses |= {str(CODES[error.kind].http) for error in operation.errors}
    success = {operation.media_type: {"schema": reference[operation.reply]}}
    responses: dict[str, Any] = {
        str(operation.status): {"description": operation.summary, "content": success}
    }
    if operation.needs_second:
        waits = {"application/json": {"schema": reference[Held]}}
        text = "Nothing was done yet: a second person must agree."
        responses["202"] = {"description": text, "content": waits}
    for status in sorted(statuses):
        responses[status] = {"description": _DESCRIPTIONS[status], "content": problem}
    return responses


def _parameter(name: str, where: str, schema: Any, required: bool) -> dict[str, Any]:
    shown = copy.deepcopy(schema)
    kinds = [kind for kind in shown.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:  # a parameter that is not given is left out
        shown.pop("anyOf")
        shown.pop("default", None)
        shown |= kinds[0]
    return {"name": name, "in": where, "required": required, "schema": shown}


_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that is changed, instead of the field `version`.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
}


def _idempotency_key(is_secret: bool) -> dict[str, Any]:
    kept = "is told that it was done" if is_secret else "gets the first answer again"
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": f"The same key with the same request {kept}.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "maxLength": 255},
    }


def _without(schema: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    rest = {name: kind for name, kind in schema["properties"].items() if name not in fields}
    required = [name for name in schema.get("required", []) if name not in fields]
    return {**schema, "properties": rest, "required": required}


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """What a reference names."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return schemas[name] if name else dict(schema)


class Channel(NamedTuple):
    """A topic of a bus: its records have these headers, and each type its own schema."""

    topic: str
    summary: str
    headers: Mapping[str, Any]
    types: Mapping[str, Mapping[str, Any]]


def asyncapi(version: str, topics: Sequence[Channel] = ()) -> dict[str, Any]:
    """What can be said and heard over each WebSocket, and is heard of each topic."""
    channels = {
        "trading": ("/ws/trading", _TRADING_IN, _TRADING_OUT),
        "market": ("/ws/market-data", _MARKET_IN, _MARKET_OUT),
    }
    kinds = list(dict.fromkeys([*_TRADING_IN, *_TRADING_OUT, *_MARKET_IN, *_MARKET_OUT]))
    # Both sockets have a Subscribe: schema names are told apart by their modules.
    found, schemas = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    payloads = dict(zip(kinds, found, strict=True))
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {"title": "Fondaco", "version": version},
        "channels": {},
        "operations": {},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "ticket": {"type": "httpApiKey", "in": "query", "name": "ticket"},
            },
        },
    }
    for name, (address, heard, said) in channels.items():
        messages = {
            kind.__name__: {"name": kind.__name__, "payload": payloads[kind]}
            for kind in (*heard, *said)
        }
        document["channels"][name] = {"address": address, "messages": messages}
        for action, of in (("receive", heard), ("send", said)):
            document["operations"][f"{name}.{action}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [
                    {"$ref": f"#/channels/{name}/messages/{kind.__name__}"} for kind in of
                ],
            }
    for each in topics:
        _add_topic(document, each)
    return document


def _add_topic(document: dict[str, Any], channel: Channel) -> None:
    key = {"kafka": {"key": {"type": "string"}}}
    document["channels"][channel.topic] = {
        "address": channel.topic,
        "summary": channel.summary,
        "messages": {
            name: {"name": name, "headers": channel.headers, "payload": schema, "bindings": key}
            for name, schema in channel.types.items()
        },
    }
    document["operations"][f"{channel.topic}.send"] = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel.topic}"},
    }


def meanings(reasons: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Every code with its HTTP status and what it means; `reasons` are those of rules."""
    rows = [
        (code, CODES[code].http if code in CODES else _STATUSES[code], text)
        for code, text in MEANINGS.items()
    ]
    return rows + [(code, 409, text) for code, text in reasons.items()]


_STATUSES: Final = {
    "key_reused": 409,
    "idempotency_key_reused": 409,
    "reply_not_kept": 409,
    "key_ended": 409,
    "idempotency_key_in_use": 409,
    "view_behind": 503,
    "kyc_required": 403,
    "link_encryption": 403,
    "link_mesh": 403,
    "link_user": 403,
    "link_session": 403,
    "link_mfa": 403,
    "link_device": 403,
    "link_audit": 403,
    "own_case": 403,
    "kyc_state": 409,
    "hits_open": 409,
    "not_screened": 409,
    "kyc_incomplete": 422,
    "bad_document": 422,
    "user_locked": 403,
    "user_taken": 409,
    "invitation_over": 403,
    "own_lock": 409,
    "still_open": 409,
    "last_admin": 409,
    "wrong_password": 403,
    "wrong_code": 403,
    "weak_password": 422,
    "csrf": 403,
    "second_factor_set": 409,
    "nothing_to_confirm": 409,
    "unknown_case": 404,
    "case_closed": 409,
    "case_open": 409,
    "another_open": 409,
    "unknown_approval": 404,
    "own_approval": 403,
    "own_review": 403,
    "own_name": 409,
    "glass_ended": 409,
    "not_waiting": 409,
    "glass_unreviewed": 409,
    "already_reviewed": 409,
    "too_many_waiting": 409,
    "query_too_deep": 422,
    "query_too_costly": 422,
    "query_too_large": 422,
    "document_not_listed": 403,
    "PERSISTED_QUERY_NOT_FOUND": 404,
    "already_waiting": 409,
    "own_agent": 403,
    "agent_stopped": 403,
    "too_many_agents": 403,
    "unknown_agent": 404,
    "address_refused": 422,
    "no_answer": 503,
    "circuit_open": 503,
    "gone": 404,
    "unknown_account": 404,
    "unknown_symbol": 404,
    "unknown_order": 404,
    "forbidden": 403,
    "separation_of_duties": 403,
    "not_placed": 409,
    "transfer_refused": 409,
}
_TRADING_IN: Final[tuple[type, ...]] = (
    talk.Auth,
    talk.Ping,
    trading.Place,
    trading.Cancel,
    trading.Replace,
    trading.Subscribe,
    trading.Resume,
    trading.Unsubscribe,
    following.Follow,
    following.Unfollow,
)
_TRADING_OUT: Final[tuple[type, ...]] = (
    talk.Done,
    talk.Failed,
    trading.Placed,
    trading.Changed,
    trading.Snapshot,
    trading.CaughtUp,
    tell.ExecutionMessage,
    tell.OrderMessage,
    tell.BalanceMessage,
    tell.MarginMessage,
    AssessmentMessage,
)
_MARKET_IN: Final[tuple[type, ...]] = (
    talk.Auth,
    talk.Ping,
    market.Subscribe,
    market.Unsubscribe,
)
_MARKET_OUT: Final[tuple[type, ...]] = (
    talk.Done,
    talk.Failed,
    market.BookMessage,
    market.TradesMessage,
    market.BarMessage,
    market.PriceMessage,
)
