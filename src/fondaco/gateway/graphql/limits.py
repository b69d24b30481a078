"""What a document may ask for, measured before it is checked or executed.

Depth is how deep fields are nested; the cost is what an answer may hold: one for each object, ten
for each operation that is asked, and a list's children as often as its `limit` says (a list without
one: `LIST` times). A field under an alias, and one that a selection names again, count as aliases:
they are what makes a small document ask for much.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from fondaco.kernel.errors import Invalid

BYTES_MAX: Final = 100_000
TOKENS_MAX: Final = 4_000
DEPTH_MAX: Final = 12
ALIASES_MAX: Final = 50
FRAGMENTS_MAX: Final = 50
COST_MAX: Final = 20_000
LIST: Final = 20  # what a list is taken to hold where nothing says it
OPERATION: Final = 10
INTROSPECTION: Final = 1_000
_NEVER: Final = 10**9


class Bounds(NamedTuple):
    depth: int = DEPTH_MAX
    cost: int = COST_MAX
    aliases: int = ALIASES_MAX


class Measured(NamedTuple):
    depth: int
    cost: int
    aliases: int


def check(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, Any],
    limits: Bounds,
) -> None:
    """Raises `Invalid` for the first limit that an operation of the document passes, and for a
    fragment that holds itself."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    if len(fragments) > FRAGMENTS_MAX:
        raise _beyond("fragments", len(fragments), FRAGMENTS_MAX, "use fewer")
    operations = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    aliases = 0
    for operation in operations:
        found = _Walk(schema, fragments, _values(operation, variables)).operation(operation)
        aliases += found.aliases
        if found.depth > limits.depth:
            raise _beyond("depth", found.depth, limits.depth, "ask in several documents")
        if aliases > limits.aliases:
            raise _beyond("aliases", aliases, limits.aliases, "ask in several documents")
        if found.cost > limits.cost:
            raise _beyond("cost", found.cost, limits.cost, "lower `limit`, or ask page by page")


def _beyond(what: str, value: int, limit: int, advice: str) -> Invalid:
    code = {"depth": "query_too_deep", "cost": "query_too_costly"}.get(what, "query_too_large")
    text = f"the {what} of this document is {value}, above {limit}: {advice}"
    return Invalid(text, code=code, measure=what, value=value, limit=limit)


def _values(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    """Variables as they are, or their defaults."""
    defaults = {
        each.variable.name.value: each.default_value.value
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }
    return {**defaults, **given}


class _Walk:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema, self._fragments, self._variables = schema, fragments, variables
        self._known: dict[tuple[str, int], Measured] = {}
        self._within: set[str] = set()

    def operation(self, operation: OperationDefinitionNode) -> Measured:
        root = self._schema.get_root_type(OperationType(operation.operation))
        return self._selection(operation.selection_set, root, LIST)

    def _selection(self, selection: SelectionSetNode | None, parent: Any, limit: int) -> Measured:
        depth = cost = aliases = 0
        seen: set[str] = set()
        for each in selection.selections if selection else ():
            if isinstance(each, FieldNode):
                found = self._field(each, parent, limit)
                name = (each.alias or each.name).value
            elif isinstance(each, FragmentSpreadNode):
                found, name = self._spread(each.name.value, limit), f"...{each.name.value}"
            else:
                assert isinstance(each, InlineFragmentNode)  # noqa: S101  # there is no other kind
                on = each.type_condition
                kind = self._schema.get_type(on.name.value) if on else parent
                found, name = self._selection(each.selection_set, kind, limit), "... on"
            again = name in seen
            seen.add(name)
            depth = max(depth, found.depth)
            cost += found.cost
            aliases += found.aliases + again
        return Measured(depth, min(cost, _NEVER), aliases)

    def _spread(self, name: str, limit: int) -> Measured:
        fragment = self._fragments.get(name)
        if fragment is None:
            return Measured(0, 0, 0)
        if name in self._within:
            raise Invalid(f"the fragment {name} holds itself")
        found = self._known.get((name, limit))
        if found is None:
            self._within.add(name)
            kind = self._schema.get_type(fragment.type_condition.name.value)
            found = self._known[name, limit] = self._selection(fragment.selection_set, kind, limit)
            self._within.discard(name)
        return found

    def _field(self, node: FieldNode, parent: Any, limit: int) -> Measured:
        """`limit` is what the operation above was asked for, and holds for its lists."""
        field: GraphQLField | None = None
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            field = parent.fields.get(node.name.value)
        aliases = 1 if node.alias is not None else 0
        if node.selection_set is None:
            return Measured(1, 0, aliases)
        own, times = 1, 1
        if field is not None:
            limit = self._limit(node, field, limit)
            if field.args or parent in (self._schema.query_type, self._schema.mutation_type):
                own += OPERATION
            kind = get_nullable_type(field.type)
            while isinstance(kind, GraphQLList):
                times *= limit
                kind = get_nullable_type(kind.of_type)
        if node.name.value.startswith("__"):  # a rule of its own keeps introspection flat
            inner = self._selection(node.selection_set, None, 1)
            return Measured(1, INTROSPECTION, inner.aliases + aliases)
        child = get_named_type(field.type) if field is not None else None
        inner = self._selection(node.selection_set, child, LIST if times > 1 else limit)
        cost = own + times * (inner.cost + (1 if times > 1 else 0))
        return Measured(inner.depth + 1, min(cost, _NEVER), inner.aliases + aliases)

    def _limit(self, node: FieldNode, field: GraphQLField, above: int) -> int:
        if "limit" not in field.args:
            return LIST if field.args else above
        for argument in node.arguments or ():
            if argument.name.value == "limit":
                value: Any = argument.value
                found: Any = None
                if isinstance(value, IntValueNode):
                    found = int(value.value)
                elif isinstance(value, VariableNode):
                    found = self._variables.get(value.name.value)
                if isinstance(found, str) and found.isdecimal():
                    found = int(found)
                if isinstance(found, int):
                    return max(1, min(found, _NEVER))
        default = field.args["limit"].default_value
        return default if isinstance(default, int) else LIST
