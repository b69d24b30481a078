"""Where users expect to go on from: an account's orders, an order's instrument, its executions.

They are made by names. What names an account (`account_id`), an instrument (`symbol`) or an order
(`order_id`) leads to it; an account and an instrument lead to whatever is asked of one of them.
Each is an operation, asked in the caller's own name: who may not ask it is told so at that field.
Many at once are asked for in batches.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Any, Final, get_args

from graphql import GraphQLField, GraphQLList, GraphQLNonNull
from msgspec import inspect
from msgspec.structs import fields as fields_of

from fondaco.gateway.graphql.asking import Asking, ProblemError, Resolving
from fondaco.gateway.graphql.kinds import Kinds
from fondaco.gateway.rest import Endpoint

RELATION: Final = {"relation": True}
BATCH: Final = 100  # orders asked for at once
PAGE: Final = 1_000
PAGES_MAX: Final = 5  # of the executions of a batch
# What an account or an instrument is shown as, and the field that says which one it is.
_ACCOUNTS: Final = ("AccountReply", "AccountLine")
_INSTRUMENTS: Final = ("InstrumentReply",)
_ORDERS: Final = ("OrderLine",)


class Relations:
    def __init__(self, endpoints: Mapping[str, Endpoint], kinds: Kinds) -> None:
        self._endpoints, self._kinds = endpoints, kinds
        reads = [each for each in endpoints.values() if each.operation.method == "GET"]
        self._of_account = _asked_of("account_id", reads, ("trading.account",))
        self._of_instrument = _asked_of("symbol", reads, ())

    def of(self, struct: inspect.StructType, name: str) -> dict[str, GraphQLField]:
        """Fields that an object type has besides its own."""
        own = {field.encode_name: field for field in struct.fields}
        found: dict[str, GraphQLField] = {}
        if name in _ACCOUNTS:
            found |= self._asks(self._of_account, "account_id")
        elif "account_id" in own and "trading.account" in self._endpoints:
            found["account"] = self._account()
        if name in _INSTRUMENTS:
            found |= self._asks(self._of_instrument, "symbol")
        elif "symbol" in own and "reference.instruments" in self._endpoints:
            found["instrument"] = self._instrument()
        if name in _ORDERS:
            found["executions"] = self._executions()
        elif "order_id" in own and "trading.orders" in self._endpoints:
            found["order"] = self._order()
        return {field: kind for field, kind in found.items() if field not in own}

    def _asks(self, endpoints: Mapping[str, Endpoint], known: str) -> dict[str, GraphQLField]:
        return {name: self._asked(endpoint, known) for name, endpoint in endpoints.items()}

    def _asked(self, endpoint: Endpoint, known: str) -> GraphQLField:
        operation = endpoint.operation
        arguments = self._kinds.arguments(operation.request)
        del arguments[known]

        async def resolve(source: Mapping[str, Any], info: Resolving, **given: Any) -> Any:
            asking: Asking = info.context
            fields = {**given, known: source[known]}
            return await asking.ask(endpoint, without_nulls(endpoint, fields), info.path.as_list())

        kind = self._kinds.output(self._kinds.of[operation.reply], operation.name, "")
        return GraphQLField(
            _nullable(kind), arguments, resolve, description=operation.summary, extensions=RELATION
        )

    # Batches

    def _account(self) -> GraphQLField:
        endpoint = self._endpoints["trading.account"]

        async def resolve(source: Mapping[str, Any], info: Resolving) -> Any:
            asking: Asking = info.context

            async def load(wanted: list[str]) -> dict[str, Any]:
                asks = (asking.ask(endpoint, {"account_id": each}) for each in wanted)
                found = await asyncio.gather(*map(_or_problem, asks))
                return dict(zip(wanted, found, strict=True))

            name = source.get("account_id")
            return await asking.loader("account", load).get(name) if name else None

        kind = self._kinds.output(self._kinds.of[endpoint.operation.reply], "", "")
        return GraphQLField(
            _nullable(kind), resolve=resolve, description="Whose it is.", extensions=RELATION
        )

    def _instrument(self) -> GraphQLField:
        endpoint = self._endpoints["reference.instruments"]
        reply = self._kinds.of[endpoint.operation.reply]

        async def resolve(source: Mapping[str, Any], info: Resolving) -> Any:
            asking: Asking = info.context

            async def load(_: list[str]) -> dict[str, Any]:
                items = (await asking.ask(endpoint, {}))["items"]
                return {each["symbol"]: each for each in items}

            symbol = source.get("symbol")
            return await asking.loader("instrument", load).get(symbol) if symbol else None

        return GraphQLField(
            self._kinds.object(item_of(reply)),
            resolve=resolve,
            description="As it is listed.",
            extensions=RELATION,
        )

    def _order(self) -> GraphQLField:
        endpoint = self._endpoints["trading.orders"]
        reply = self._kinds.of[endpoint.operation.reply]

        async def resolve(source: Mapping[str, Any], info: Resolving) -> Any:
            asking: Asking = info.context

            async def load(wanted: list[str]) -> dict[str, Any]:
                return {each["order_id"]: each for each in await _all(asking, endpoint, wanted)}

            order_id = source.get("order_id")
            return await asking.loader("order", load).get(order_id) if order_id else None

        return GraphQLField(
            self._kinds.object(item_of(reply)),
            resolve=resolve,
            description="As it stands now.",
            extensions=RELATION,
        )

    def _executions(self) -> GraphQLField:
        endpoint = self._endpoints["trading.executions"]
        line = self._kinds.object(item_of(self._kinds.of[endpoint.operation.reply]))

        async def resolve(source: Mapping[str, Any], info: Resolving) -> Any:
            asking: Asking = info.context

            async def load(wanted: list[str]) -> dict[str, Any]:
                found: dict[str, list[Any]] = {order_id: [] for order_id in wanted}
                for each in await _all(asking, endpoint, wanted):
                    found[each["order_id"]].append(each)
                return found

            return await asking.loader("executions", load).get(source["order_id"])

        return GraphQLField(
            GraphQLList(GraphQLNonNull(line)),
            resolve=resolve,
            description="Newest first.",
            extensions=RELATION,
        )


async def _all(asking: Asking, endpoint: Endpoint, wanted: Sequence[str]) -> list[Any]:
    """What `endpoint` lists of these orders: account by account, batch by batch, page by page.
    Raises `ProblemError` where that is more than a document should hold."""
    accounts: dict[str, list[str]] = {}
    for order_id in dict.fromkeys(wanted):
        accounts.setdefault(order_id.rpartition(".")[0], []).append(order_id)
    found: list[Any] = []
    for account_id, orders in accounts.items():
        for first in range(0, len(orders), BATCH):
            asked = {"account_id": account_id, "order_ids": ",".join(orders[first : first + BATCH])}
            cursor: str | None = ""
            for _ in range(PAGES_MAX):
                page = await asking.ask(endpoint, {**asked, "limit": PAGE, "cursor": cursor})
                found += page["items"]
                cursor = page.get("next")
                if not cursor:
                    break
            else:
                text = f"more than {PAGES_MAX * PAGE} belong to these orders: ask page by page"
                raise ProblemError({"message": text, "code": "too_large", "status": 413})
    return found


async def _or_problem(ask: Any) -> Any:
    try:
        return await ask
    except ProblemError as error:
        return error


def _asked_of(known: str, reads: Sequence[Endpoint], without: Sequence[str]) -> dict[str, Endpoint]:
    """By the last part of their names, which no two of them share."""
    found: dict[str, Endpoint] = {}
    for endpoint in reads:
        operation = endpoint.operation
        names = {field.encode_name for field in fields_of(operation.request)}
        if known in names and operation.name not in without:
            found.setdefault(operation.name.rpartition(".")[2], endpoint)
    return found


def item_of(reply: inspect.Type) -> inspect.StructType:
    """What a reply with `items` lists."""
    fields = {field.name: field.type for field in reply.fields}  # type: ignore[attr-defined]
    items = fields["items"]
    item: inspect.StructType = items.item_type
    return item


def without_nulls(endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """A null for what cannot be null is as if nothing were given: clients send all variables."""
    kept = nullable(endpoint.operation.request)
    return {name: value for name, value in given.items() if value is not None or name in kept}


@cache
def nullable(request: type) -> frozenset[str]:
    return frozenset(
        field.encode_name
        for field in fields_of(request)
        if field.type is Any or NoneType in get_args(field.type)
    )


def _nullable(kind: Any) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind
