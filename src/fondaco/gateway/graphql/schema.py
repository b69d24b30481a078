"""The schema: what REST asks with GET is a query, everything else a mutation.

A field is called as its operation, with `_` for the dot; its arguments are the fields of the
request, its type the reply's. What needs a second person may also be answered by `Held`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
)

from fondaco.gateway.graphql.asking import HELD, STATUS, Asking, ProblemError, Resolving
from fondaco.gateway.graphql.kinds import LONG, Kinds
from fondaco.gateway.graphql.live import TOLD, Told, said
from fondaco.gateway.graphql.relations import Relations, without_nulls
from fondaco.gateway.rest import Endpoint
from fondaco.kernel.errors import Invalid
from fondaco.kernel.operation import Held


def field_name(operation: str) -> str:
    """ "trading.place_order" is asked as `trading_place_order`."""
    return operation.replace(".", "_")


def schema_of(endpoints: Sequence[Endpoint]) -> GraphQLSchema:
    named = {endpoint.operation.name: endpoint for endpoint in endpoints}
    structs: list[Any] = [Held, *(each.message for each in TOLD)]
    for endpoint in endpoints:
        operation = endpoint.operation
        structs += [operation.request, operation.reply]
    kinds = Kinds(structs)
    kinds.more = Relations(named, kinds).of
    queries: dict[str, GraphQLField] = {}
    mutations: dict[str, GraphQLField] = {}
    for name, endpoint in sorted(named.items()):
        fields = queries if endpoint.operation.method == "GET" else mutations
        fields[field_name(name)] = _field(endpoint, kinds)
    told = {each.name: _told(each, kinds) for each in TOLD}
    return GraphQLSchema(
        _root("Query", queries), _root("Mutation", mutations), _root("Subscription", told)
    )


def _root(name: str, fields: Mapping[str, GraphQLField]) -> GraphQLObjectType | None:
    return GraphQLObjectType(name, dict(fields)) if fields else None


def _field(endpoint: Endpoint, kinds: Kinds) -> GraphQLField:
    operation = endpoint.operation
    kind: Any = kinds.output(kinds.of[operation.reply], operation.name, "")
    if operation.needs_second:
        kind = _or_held(operation.name, kind.of_type, kinds)

    async def resolve(_: Any, info: Resolving, **given: Any) -> Any:
        asking: Asking = info.context
        return await asking.ask(endpoint, without_nulls(endpoint, given), info.path.as_list())

    text = operation.summary
    if operation.scope:
        text += f" Scope: `{operation.scope}`."
    # A query that fails leaves the others of its document their answers.
    return GraphQLField(kind.of_type, kinds.arguments(operation.request), resolve, description=text)


def _told(told: Told, kinds: Kinds) -> GraphQLField:
    some: Any = GraphQLNonNull(GraphQLList(GraphQLNonNull(GraphQLID)))
    arguments = {"account_ids": GraphQLArgument(some), "after": GraphQLArgument(LONG)}
    text = f"{told.summary} `after` a position that you have seen; from now on without one."
    if told.is_market:
        arguments, text = {"symbols": GraphQLArgument(some)}, told.summary

    async def subscribe(_: Any, info: Resolving, **given: Any) -> AsyncIterator[Any]:
        if info.context.listen is None:
            raise Invalid("subscriptions come over WebSocket, as graphql-transport-ws")
        pipe = await asyncio.wrap_future(info.context.listen(told, given))
        async for message in pipe.messages():
            found, problem = said(message)
            if problem:
                raise ProblemError(problem)
            if found is not None:
                yield found

    def resolve(found: Any, _: Any, **__: Any) -> Any:
        return found

    kind = kinds.output(kinds.of[told.message], told.channel, "")
    return GraphQLField(kind, arguments, resolve, subscribe, description=text)


def _or_held(name: str, reply: Any, kinds: Kinds) -> GraphQLNonNull[Any]:
    held = kinds.object(kinds.of[Held])  # type: ignore[arg-type]

    def which(found: Any, *_: Any) -> str:
        return str((held if found.get(STATUS) == HELD else reply).name)

    union = "".join(part.title() for part in field_name(name).split("_")) + "Answer"
    return GraphQLNonNull(GraphQLUnionType(union, [reply, held], resolve_type=which))
