"""Python text from an OpenAPI document: a TypedDict for each schema, a method for each operation.

What comes out needs nothing but the standard library, and is the same for the same document.
"""

import keyword
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any, Final

Schema = Mapping[str, Any]
_HEAD: Final = '''"""Made by `make clients` from the OpenAPI document; do not edit.

OpenAPI sha256 {digest}
"""

'''
_PLAIN: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool",
                 "null": "None"}  # fmt: skip
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def class_name(name: str) -> str:
    """Schemas that share a name are told apart by their room."""
    parts = name.split(".")
    room = parts[parts.index("domain") + 1].capitalize() if "domain" in parts else ""
    return re.sub(r"\W", "_", room + parts[-1])


def field_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def type_of(schema: Schema) -> str:
    """The annotation; what says nothing is Any."""
    if "$ref" in schema:
        return class_name(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return f"Literal[{', '.join(repr(each) for each in schema['enum'])}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(type_of(each) for each in choices))
    if "prefixItems" in schema:
        return f"tuple[{', '.join(type_of(each) for each in schema['prefixItems'])}]"
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema.get('items', {}))}]"
        case "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
        case str(kind):
            return _PLAIN[kind]
    return "Any"


def models(document: Schema, digest: str) -> str:
    """Module text. Aliases come first, since they are evaluated; classes are not."""
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    lines = [
        _HEAD.format(digest=digest) + "from __future__ import annotations\n",
        "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict",
    ]
    aliases: list[str] = []
    classes: list[str] = []
    for name, schema in schemas.items():
        if "properties" in schema or schema.get("type") == "object":
            classes += _class(class_name(name), schema)
        else:
            aliases.append(f"{class_name(name)}: TypeAlias = {_quoted(type_of(schema))}")
    return "\n".join([*lines, "", *aliases, *classes]) + "\n"


def _quoted(text: str) -> str:
    return text if text.startswith("Literal[") else f'"{text}"'


def _class(name: str, schema: Schema) -> Iterator[str]:
    required = schema.get("required", [])
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if any(map(keyword.iskeyword, properties)):  # no name of a field in a class
        yield from ("", "", f"{name} = TypedDict({name!r}, {{")
        for field, kind in properties.items():
            said = type_of(kind)
            yield f"    {field!r}: {(said if field in required else f'NotRequired[{said}]')!r},"
        yield "})"
        return
    yield from ("", "", f"class {name}(TypedDict):")
    yield from _docstring(schema.get("description", ""), 4)
    for field, kind in properties.items():
        said = type_of(kind)
        yield f"    {field}: {said if field in required else f'NotRequired[{said}]'}"
    if not properties and not schema.get("description"):
        yield "    pass"


def _docstring(text: str, indent: int) -> Iterator[str]:
    if not text:
        return
    room = " " * indent
    lines = wrap(" ".join(text.split()).replace('"""', "'''").replace("\\", "\\\\"), 96 - indent)
    if len(lines) == 1 and len(lines[0]) < 92 - indent and not lines[0].endswith('"'):
        yield f'{room}"""{lines[0]}"""'
        return
    yield f'{room}"""{lines[0]}'
    yield from (f"{room}{line}" for line in lines[1:])
    yield f'{room}"""'


def operations(document: Schema, digest: str) -> str:
    """Module text: one class a tag, one method an operation; aliases of a path are left out."""
    tags: dict[str, list[str]] = {}
    # A method called list hides the type from those below it.
    for path, method, operation in sorted(
        asked(document), key=lambda each: each[2]["operationId"].endswith(".list")
    ):
        tag, _, name = operation["operationId"].partition(".")
        if "." in name:
            continue
        tags.setdefault(tag, []).extend(_method(path, method, name, operation))
    for tag, methods in tags.items():
        if "    def list(" in methods:  # which hides the type from those beside it
            tags[tag] = [re.sub(r"\blist\[", "builtins.list[", line) for line in methods]
    lines = [
        _HEAD.format(digest=digest) + "from __future__ import annotations\n",
        "import builtins",
        "from typing import Any, Literal\n",
        "from fondaco_client import models as m",
        "from fondaco_client.asking import ABSENT, Asking",
    ]
    for tag, methods in tags.items():
        lines += ["", "", f"class {tag.capitalize()}:", "    def __init__(self, asking: Asking)"
                  " -> None:", "        self._ask = asking.ask", *methods]  # fmt: skip
    lines += ["", "", "class Operations:", '    """Every operation of the house, by room."""', "",
              "    def __init__(self, asking: Asking) -> None:"]  # fmt: skip
    lines += [f"        self.{tag} = {tag.capitalize()}(asking)" for tag in tags]
    return "\n".join(lines) + "\n"


def asked(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method.upper(), methods[method]


def _method(path: str, method: str, name: str, operation: Schema) -> Iterator[str]:
    given = list(_arguments(operation))
    given.sort(key=lambda each: not each[3])
    reply = next(
        type_in(content["schema"])
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for content in answer["content"].values()
    )
    yield ""
    yield f"    def {field_name(name)}("
    yield "        self,"
    if given:
        yield "        *,"
    for field, _, kind, required in given:
        yield f"        {field_name(field)}: {kind}{'' if required else ' = ABSENT'},"
    yield f"    ) -> {reply}:"
    scope = f" Scope: {operation['x-scope']}." if operation.get("x-scope") else ""
    yield from _docstring(operation["summary"] + scope, 8)
    places: dict[str, list[str]] = {"path": [], "query": [], "body": [], "header": []}
    for field, where, _, _ in given:
        key = "Idempotency-Key" if where == "header" else field
        places[where].append(f'"{key}": {field_name(field)}')
    yield f"        found: {reply} = self._ask("
    yield f'            "{method}",'
    yield f'            "{path}",'
    for where, pairs in places.items():
        if pairs:
            name = "path_" if where == "path" else where
            yield f"            {name}={{{', '.join(pairs)}}},"
    if "requestBody" in operation and not places["body"]:
        yield "            body={},"
    yield "        )"
    yield "        return found"


def _arguments(operation: Schema) -> Iterator[tuple[str, str, str, bool]]:
    """Name, place, annotation, and whether it must be given."""
    for each in operation["parameters"]:
        if each["name"] == "If-Match":
            continue  # the field `version` says it
        name = "idempotency_key" if each["in"] == "header" else each["name"]
        yield name, each["in"], type_in(each["schema"]), each["required"]
    if "requestBody" not in operation:
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    found = _BODIES[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = found.get("required", [])
    for name, kind in found.get("properties", {}).items():
        yield name, "body", type_in(kind), name in required


_BODIES: dict[str, Schema] = {}


def type_in(schema: Schema) -> str:
    """The annotation where schemas are in another module."""
    said = type_of(schema)
    named = {class_name(name) for name in _BODIES}
    parts = re.split(r"('[^']*'|\w+)", said)
    return "".join(f"m.{part}" if part in named else part for part in parts)


def files(document: Schema, digest: str) -> dict[str, str]:
    """Name and text of every module that is made."""
    _BODIES.clear()
    _BODIES.update(document["components"]["schemas"])
    return {"models.py": models(document, digest), "operations.py": operations(document, digest)}
