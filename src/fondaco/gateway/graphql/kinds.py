"""Types of msgspec as types of GraphQL.

Amounts become `Decimal` (text, exact), whole numbers that may pass 32 bits `Long`, what ends in
`_id` an `ID`, moments `DateTime`; what has no shape of its own (an event of the journal, a map) is
`JSON`. A struct is one object type, and one input type where a request holds it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final, cast, get_args

import msgspec
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    ValueNode,
    value_from_ast_untyped,
)
from msgspec import inspect

INT_MAX: Final = 2**31 - 1  # of GraphQL's own Int
LONG_MAX: Final = 2**63 - 1
_NAME: Final = re.compile(r"[_A-Za-z][_0-9A-Za-z]*").fullmatch
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch
_AMOUNTS: Final = re.compile(
    "amount|balance|equity|fees?|notional|cost|realized|unrealized|held|free|gross|hold|qty|px|price"
    "|volume|slippage|surplus|power|maintenance|initial|cash|(tick|lot)_size|mid|high|low|open|close"
    "|opening|closing"
)
_AMOUNT: Final = re.compile(
    r"(^|_)(qty|px|price|amount|balance|cost|loss|volume)(_(exact|max|left))?$"
)


def _long(value: Any) -> int:
    if isinstance(value, str) and _DECIMAL(value) and "." not in value:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphQLError(f"a Long is a whole number, not {str(value)[:40]!r}")
    if not -LONG_MAX - 1 <= value <= LONG_MAX:
        raise GraphQLError(f"a Long has 64 bits; {str(value)[:40]} is beyond")
    return value


def _decimal(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise GraphQLError(f'a Decimal is text, such as "0.1", not {str(value)[:40]!r}')
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"this is text, not {str(value)[:40]!r}")
    return value


def _as_it_is(value: Any) -> Any:
    return value


def _scalar(name: str, parse: Callable[[Any], Any], text: str) -> GraphQLScalarType:
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        found = value_from_ast_untyped(node, variables)
        if name == "Decimal" and isinstance(found, float):
            found = cast(Any, node).value  # as it was written
        return parse(found)

    return GraphQLScalarType(
        name,
        serialize=_as_it_is,
        parse_value=parse,
        parse_literal=parse_literal,
        description=text,
    )


LONG: Final = _scalar("Long", _long, "A whole number of 64 bits; text of digits is taken, too.")
DECIMAL: Final = _scalar("Decimal", _decimal, "An exact amount as text: never a float.")
MOMENT: Final = _scalar(
    "DateTime",
    _text,
    "A moment as REST says it: ISO 8601 in UTC, or text of nanoseconds since 1970. To ask, ISO"
    " 8601 with an offset.",
)
ANYTHING: Final = _scalar("JSON", _as_it_is, "Whatever JSON can say.")
_MOMENTS: Final = frozenset({"at", "since", "until", "expire_time"})


class Kinds:
    """Made once, for all types that operations name."""

    def __init__(self, structs: Iterable[type]) -> None:
        wanted = list(dict.fromkeys(structs))
        found = inspect.multi_type_info(wanted)
        self.of: dict[Any, inspect.Type] = dict(zip(wanted, found, strict=True))
        self._outputs: dict[str, GraphQLObjectType] = {}
        self._inputs: dict[str, GraphQLInputObjectType] = {}
        self._enums: dict[tuple[str, ...], GraphQLEnumType | None] = {}
        # What relations add to an object type, by its struct.
        self.more: Callable[[inspect.StructType, str], dict[str, GraphQLField]] = _no_more
        names: dict[str, set[str]] = {}
        for kind in found:
            for struct in _structs(kind, set()):
                names.setdefault(_plain_name(struct), set()).add(struct.cls.__module__)
        self._shared = {name for name, modules in names.items() if len(modules) > 1}

    def name_of(self, struct: inspect.StructType) -> str:
        """Its class's; with the room before it, where two rooms have one of that name."""
        name = _plain_name(struct)
        if name not in self._shared:
            return name
        return struct.cls.__module__.split(".")[2].title() + name

    # Output

    def output(self, kind: inspect.Type, field: str, struct: str) -> GraphQLOutputType:
        """Of a field of a struct's name; non-null where it is always there."""
        kind, nullable = _without_null(kind)
        found = self._output(kind, field, struct)
        return found if nullable else GraphQLNonNull(found)

    def _output(self, kind: inspect.Type, field: str, struct: str) -> Any:
        match kind:
            case inspect.StructType():
                return self.object(kind)
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
                return GraphQLList(self.output(item, field, struct))
            case inspect.SetType(item_type=item) | inspect.FrozenSetType(item_type=item):
                return GraphQLList(self.output(item, field, struct))
            case _:
                return self._leaf(kind, field, struct)

    def object(self, struct: inspect.StructType) -> Any:
        if not struct.fields:
            return ANYTHING
        name = self.name_of(struct)
        if name not in self._outputs:

            def fields() -> dict[str, GraphQLField]:
                found = {each.encode_name: self._field(each, name) for each in struct.fields}
                if struct.array_like:
                    for nth, field in enumerate(found.values()):
                        field.resolve = _at(nth)
                    return found
                return {**self.more(struct, name), **found}

            self._outputs[name] = GraphQLObjectType(name, fields, description=_doc(struct.cls))
        return self._outputs[name]

    def _field(self, field: inspect.Field, struct: str) -> GraphQLField:
        kind = self.output(field.type, field.name, struct)
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if default in (msgspec.NODEFAULT, None, msgspec.UNSET):
            return GraphQLField(kind)
        name, plain = field.encode_name, msgspec.to_builtins(default)

        def resolve(source: Mapping[str, Any], _: Any) -> Any:
            return source.get(name, plain)  # a struct may leave out what is as usual

        return GraphQLField(kind, resolve=resolve)

    # Input

    def arguments(self, request: type) -> dict[str, GraphQLArgument]:
        """The fields of a request, beside one another."""
        struct = cast(inspect.StructType, self.of[request])
        return {
            each.encode_name: GraphQLArgument(
                self._given(each, struct), **_default(each), out_name=each.encode_name
            )
            for each in struct.fields
        }

    def _given(self, field: inspect.Field, struct: inspect.StructType) -> GraphQLInputType:
        kind, _ = _without_null(field.type)
        found = self._input(kind, field.name, self.name_of(struct))
        return cast(GraphQLInputType, GraphQLNonNull(found) if field.required else found)

    def _input(self, kind: inspect.Type, field: str, struct: str) -> Any:
        kind = _bare(kind)
        match kind:
            case inspect.StructType():
                name = re.sub(r"(Request|Body|Reply)$", "", self.name_of(kind)) + "Input"
                if name not in self._inputs:
                    self._inputs[name] = GraphQLInputObjectType(
                        name,
                        lambda: {
                            each.encode_name: GraphQLInputField(
                                self._given(each, kind), **_default(each)
                            )
                            for each in kind.fields
                        },
                        description=_doc(kind.cls),
                    )
                return self._inputs[name]
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
                bare, nullable = _without_null(item)
                found = self._input(bare, field, struct)
                return GraphQLList(found if nullable else GraphQLNonNull(found))
            case _:
                return self._leaf(kind, field, struct)

    # Leaves

    def _leaf(self, kind: inspect.Type, field: str, struct: str) -> Any:
        match _bare(kind):
            case inspect.BoolType():
                return GraphQLBoolean
            case inspect.IntType(ge=low, le=high):
                is_small = (
                    low is not None and high is not None and -INT_MAX <= low <= high <= INT_MAX
                )
                return GraphQLInt if is_small else LONG
            case inspect.FloatType():
                return GraphQLFloat
            case inspect.DateTimeType():
                return MOMENT
            case inspect.StrType() as text:
                return _text_kind(text, field)
            case inspect.BytesType():
                return GraphQLString
            case inspect.EnumType(cls=found):
                return self._enum([each.value for each in found], found.__name__)
            case inspect.LiteralType(values=values):
                return self._enum(list(values), struct + _pascal(field))
            case _:
                return ANYTHING

    def _enum(self, values: list[Any], name: str) -> Any:
        """Text, where a value cannot be a name."""
        if not all(isinstance(value, str) and _NAME(value) for value in values):
            return GraphQLString if all(isinstance(value, str) for value in values) else ANYTHING
        key = tuple(sorted(values))
        if key not in self._enums:
            self._enums[key] = GraphQLEnumType(name, {value: value for value in key})
        return self._enums[key]

    @property
    def objects(self) -> list[GraphQLObjectType]:
        return list(self._outputs.values())


def _at(nth: int) -> Callable[[Sequence[Any], Any], Any]:
    """Of a struct that JSON has as an array."""

    def resolve(source: Sequence[Any], _: Any) -> Any:
        return source[nth] if nth < len(source) else None

    return resolve


def _no_more(_: inspect.StructType, __: str) -> dict[str, GraphQLField]:
    return {}


def _text_kind(kind: inspect.StrType, field: str) -> GraphQLScalarType:
    if (kind.pattern or "").startswith("^[0-9]{1,12}(") or _is_amount(field):
        return DECIMAL
    if field == "id" or field.endswith("_id"):
        return GraphQLID
    return MOMENT if field in _MOMENTS or field.endswith("_at") else GraphQLString


def _is_amount(field: str) -> bool:
    return bool(_AMOUNTS.fullmatch(field) or _AMOUNT.search(field))


def _bare(kind: inspect.Type) -> inspect.Type:
    """Without what is said about it."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind


def _without_null(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    kind = _bare(kind)
    if isinstance(kind, inspect.AnyType):
        return kind, True
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    rest = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    nullable = len(rest) < len(kind.types)
    if len(rest) == 1:
        return _bare(rest[0]), nullable
    return inspect.AnyType(), True


def _default(field: inspect.Field) -> dict[str, Any]:
    """What stands where nothing is given, if it is said in a word."""
    value = field.default
    if isinstance(value, str | bool | int) and value != "":
        return {"default_value": msgspec.to_builtins(value)}
    return {}


def _structs(kind: inspect.Type, seen: set[str]) -> Iterable[inspect.StructType]:
    match _bare(kind):
        case inspect.StructType() as struct:
            name = f"{struct.cls.__module__}.{_plain_name(struct)}"
            if name not in seen:
                seen.add(name)
                yield struct
                for field in struct.fields:
                    yield from _structs(field.type, seen)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            for each in types:
                yield from _structs(each, seen)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield from _structs(item, seen)
        case inspect.DictType(value_type=item):
            yield from _structs(item, seen)
        case _:
            return


def _plain_name(struct: inspect.StructType) -> str:
    name = struct.cls.__name__.lstrip("_")
    if get_args(struct.cls):  # Page[OrderLine]: OrderLinePage
        items = _without_null(struct.fields[0].type)[0]
        if isinstance(items, inspect.ListType) and isinstance(items.item_type, inspect.StructType):
            name = items.item_type.cls.__name__ + name
    return name


def _pascal(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def _doc(kind: type) -> str | None:
    doc = kind.__doc__
    return cleandoc(doc) if doc and not doc.startswith(f"{kind.__name__}(") else None
