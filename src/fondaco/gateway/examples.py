"""A request of each operation that documents can show: made of what its schema says of its fields.

A field shows the first of its `examples`, of its choices, or its bounds; the operation says what
else belongs to a request that makes sense.
"""

from collections.abc import Mapping
from typing import Any, Final

from fondaco.kernel.operation import Operation

Schemas = Mapping[str, Any]
_PLAIN: Final[dict[str, Any]] = {"string": "text", "boolean": True, "null": None, "number": 1.0}


def request_of(
    operation: Operation[Any, Any], schema: Mapping[str, Any], schemas: Schemas
) -> dict[str, Any]:
    """Fields of `operation.request`, wherever in a request they stand."""
    found: dict[str, Any] = value_of(schema, schemas)
    return {**found, **(operation.example or {})}


def value_of(schema: Mapping[str, Any], schemas: Schemas) -> Any:
    """What `schema` allows; of an object, the fields that it must have."""
    if "$ref" in schema:
        return value_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for choices in ("examples", "enum"):
        if choices in schema:
            return schema[choices][0]
    if "anyOf" in schema:
        return value_of(schema["anyOf"][0], schemas)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: value_of(fields[name], schemas) for name in schema.get("required", [])}
        case "array":
            return [value_of(schema["items"], schemas)]
        case "integer":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case kind:
            return _PLAIN[kind or "null"]
