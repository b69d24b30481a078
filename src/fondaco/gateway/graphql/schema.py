"""The schema: what REST asks with GET is a query, everything else a mutation.

A field is called as its operation, with `_` for the dot; its arguments are the fields of the
request, its type the reply's. What needs a second person may also be answered by `Held`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
)

from fondaco.gateway.graphql.asking import HELD, STATUS, Asking, Resolving
from fondaco.gateway.graphql.kinds import Kinds
from fondaco.gateway.graphql.relations import Relations, without_nulls
from fondaco.gateway.rest import Endpoint
from fondaco.kernel.operation import Held


def field_name(operation: str) -> str:
    """ "trading.place_order" is asked as `trading_place_order`."""
    return operation.replace(".", "_")


def schema_of(endpoints: Sequence[Endpoint], told: Mapping[str, GraphQLField]) -> GraphQLSchema:
    """`told` are the fields of subscriptions."""
    named = {endpoint.operation.name: endpoint for endpoint in endpoints}
    structs = [Held]
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


def _or_held(name: str, reply: Any, kinds: Kinds) -> GraphQLNonNull[Any]:
    held = kinds.object(kinds.of[Held])  # type: ignore[arg-type]

    def which(found: Any, *_: Any) -> str:
        return str((held if found.get(STATUS) == HELD else reply).name)

    union = "".join(part.title() for part in field_name(name).split("_")) + "Answer"
    return GraphQLNonNull(GraphQLUnionType(union, [reply, held], resolve_type=which))
