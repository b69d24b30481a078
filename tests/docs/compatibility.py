"""What a change of a schema is to whoever uses it: breaking, an addition, or nothing.

A document is OpenAPI's, with schemas by name. To a caller it is breaking when something that they
send is read no more, or something that they read is not there, or is something else:

- an operation, a parameter, a status or a field of a reply that is gone, or of another type;
- a field of a request that must be given now, or may be given no more, or fewer values of it;
- a value that replies did not have before is none: callers must take values that they do not know.

Events are compared by place: a kind that is gone, or a field that is gone, moved, or has another
type, cannot be read from an old journal; a field at the end with a default can.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Document = Mapping[str, Any]
Level = Literal["breaking", "addition"]


class Change(NamedTuple):
    level: Level
    where: str
    what: str


def api_changes(old: Document, new: Document) -> list[Change]:
    """Of two OpenAPI documents, or two documents of schemas alone."""
    found: list[Change] = []
    before, after = _operations(old), _operations(new)
    for name in before:
        if name not in after:
            found.append(Change("breaking", name, "is gone"))
        else:
            found += _operation(name, before[name], after[name], old, new)
    found += [Change("addition", name, "is new") for name in after if name not in before]
    if not before:
        for name in _schemas(old):
            found += _reply(name, {"$ref": _ref(name)}, {"$ref": _ref(name)}, old, new, ())
    return list(dict.fromkeys(found))


def event_changes(
    old: Mapping[str, Sequence[Sequence[Any]]], new: Mapping[str, Sequence[Sequence[Any]]]
) -> list[Change]:
    """Of kinds of events, each with its fields: name, type, whether it has a default."""
    found = [Change("addition", kind, "is new") for kind in new if kind not in old]
    for kind, fields in old.items():
        if kind not in new:
            found.append(Change("breaking", kind, "is gone"))
            continue
        now = new[kind]
        for place, (was, field) in enumerate(zip(fields, now, strict=False)):
            if tuple(was[:2]) != tuple(field[:2]):
                what = f"field {place} was {was[0]}: {was[1]}, is {field[0]}: {field[1]}"
                found.append(Change("breaking", kind, what))
        found += [Change("breaking", kind, f"{each[0]} is gone") for each in fields[len(now) :]]
        for each in now[len(fields) :]:
            level: Level = "addition" if each[2] else "breaking"
            what = f"{each[0]} is new" if each[2] else f"{each[0]} is new and has no default"
            found.append(Change(level, kind, what))
    return found


def refused(changes: Sequence[Change], old: str, new: str) -> list[str]:
    """Why version `new` may not have these changes after `old`; semver.org, rules 6 to 8."""
    before, after = (tuple(map(int, version.split("."))) for version in (old, new))
    found = []
    for change in changes:
        if after[0] > before[0]:
            continue
        if change.level == "breaking":
            found.append(f"{change.where} {change.what}: that needs version {before[0] + 1}.0.0")
        elif after[:2] <= before[:2]:
            needed = f"{before[0]}.{before[1] + 1}.0"
            found.append(f"{change.where} {change.what}: that needs version {needed}")
    return found


def _operations(document: Document) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": item
        for path, methods in document.get("paths", {}).items()
        for method, item in methods.items()
    }


def _schemas(document: Document) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document["components"]["schemas"]
    return found


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"


def _operation(name: str, was: Any, now: Any, old: Document, new: Document) -> Iterator[Change]:
    before = {(each["in"], each["name"]): each for each in was.get("parameters", ())}
    after = {(each["in"], each["name"]): each for each in now.get("parameters", ())}
    for key, parameter in before.items():
        where = f"{name}: {key[1]}"
        if key not in after:
            yield Change("breaking", where, "is taken no more")
            continue
        if after[key]["required"] and not parameter["required"]:
            yield Change("breaking", where, "must be given now")
        yield from _request(where, parameter["schema"], after[key]["schema"], old, new, ())
    for key in after.keys() - before.keys():
        level: Level = "breaking" if after[key]["required"] else "addition"
        yield Change(level, f"{name}: {key[1]}", "may be given now")
    if "requestBody" in was and "requestBody" in now:
        yield from _request(
            name, _content(was["requestBody"]), _content(now["requestBody"]), old, new, ()
        )
    for status, response in was["responses"].items():
        if status not in now["responses"]:
            if status < "400":
                yield Change("breaking", f"{name}: {status}", "is answered no more")
        elif "content" in response and status < "400":
            then = now["responses"][status]
            yield from _reply(f"{name}: {status}", _content(response), _content(then), old, new, ())


def _content(body: Any) -> Any:
    for each in body.get("content", {}).values():
        return each.get("schema", {})
    return {}


def _resolved(schema: Any, document: Document) -> tuple[Any, str]:
    name = ""
    if isinstance(schema, bool):  # anything, or nothing
        return {}, name
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = _schemas(document).get(name, {})
    return schema, name


def _kinds(schema: Any, document: Document) -> frozenset[str]:
    """What its values may be, roughly: "string", "null", "object" …; and which constants."""
    schema, _ = _resolved(schema, document)
    if "anyOf" in schema:
        return frozenset().union(*(_kinds(each, document) for each in schema["anyOf"]))
    if "enum" in schema:
        return frozenset(f"={value}" for value in schema["enum"])
    given = schema.get("type", "anything")
    return frozenset([given] if isinstance(given, str) else given)


def _request(
    where: str, was: Any, now: Any, old: Document, new: Document, seen: tuple[str, ...]
) -> Iterator[Change]:
    """What callers send: as much as before must still be taken."""
    (before, name), (after, _) = _resolved(was, old), _resolved(now, new)
    if name in seen:
        return
    lost = _kinds(before, old) - _kinds(after, new)
    if lost and "anything" not in _kinds(after, new):
        yield Change("breaking", where, f"does not take {', '.join(sorted(lost))} any more")
    if _kinds(after, new) - _kinds(before, old):
        yield Change("addition", where, "takes more")
    fields, then = before.get("properties", {}), after.get("properties", {})
    for field in fields.keys() - then.keys():
        yield Change("breaking", f"{where}.{field}", "is taken no more")
    for field in then.keys() - fields.keys():
        yield Change("addition", f"{where}.{field}", "may be given now")
    for field in set(after.get("required", ())) - set(before.get("required", ())):
        yield Change("breaking", f"{where}.{field}", "must be given now")
    for field in fields.keys() & then.keys():
        at = f"{where}.{field}"
        yield from _request(
            at, fields[field], then[field], old, new, (*seen, name) if name else seen
        )
    if "items" in before and "items" in after:
        yield from _request(f"{where}[]", before["items"], after["items"], old, new, seen)
    for one, other in _alike(before, after):
        yield from _request(where, one, other, old, new, seen)


def _reply(
    where: str, was: Any, now: Any, old: Document, new: Document, seen: tuple[str, ...]
) -> Iterator[Change]:
    """What callers read: everything that was there must still be there, and be what it was."""
    (before, name), (after, _) = _resolved(was, old), _resolved(now, new)
    if name and name in seen:
        return
    more = {kind for kind in _kinds(after, new) - _kinds(before, old) if not kind.startswith("=")}
    if more and "anything" not in _kinds(before, old):
        yield Change("breaking", where, f"may be {', '.join(sorted(more))} now")
    fields, then = before.get("properties", {}), after.get("properties", {})
    for field in fields.keys() - then.keys():
        yield Change("breaking", f"{where}.{field}", "is gone")
    for field in then.keys() - fields.keys():
        yield Change("addition", f"{where}.{field}", "is new")
    for field in set(before.get("required", ())) - set(after.get("required", ())):
        if field in then:
            yield Change("breaking", f"{where}.{field}", "may be left out now")
    for field in fields.keys() & then.keys():
        at = f"{where}.{field}"
        yield from _reply(at, fields[field], then[field], old, new, (*seen, name) if name else seen)
    if "items" in before and "items" in after:
        yield from _reply(f"{where}[]", before["items"], after["items"], old, new, seen)
    for one, other in _alike(before, after):
        yield from _reply(where, one, other, old, new, seen)


def _alike(was: Any, now: Any) -> Iterator[tuple[Any, Any]]:
    """Schemas of the same name that either of two unions takes."""
    after = {each["$ref"]: each for each in now.get("anyOf", ()) if "$ref" in each}
    for each in was.get("anyOf", ()):
        if each.get("$ref") in after:
            yield each, after[each["$ref"]]
