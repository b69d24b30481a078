"""Versions of the API that are served at once, and what makes each newer one different.

Version 1 is what operations declare. A newer one is made of it by `Change`s, each of which reads
requests and writes replies of its version; so an operation is written once, and both versions go
through the same steps. A version is asked for by its path, `/api/v2/…`, or with the header
`Fondaco-Version: 2`, or a date: then it is the newest that was there on that day.

What ends is said with `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to its successor.
"""

import datetime
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.instants import is_instant, parsed_instant, rfc_3339
from fondaco.kernel.operation import Operation

# MAJOR.MINOR.PATCH of what is served (semver.org): docs/released has what each promises.
HEADER: Final = b"fondaco-version"
VERSIONS: Final = {1: "1.1.0", 2: "2.1.0"}
_TIME: Final = re.compile(r"(at|since|until|time|.*_at|.*_time)").fullmatch
_SINCE_2000_NS: Final = 946_684_800_000_000_000  # below are seconds, counts, or "never"
# Of the journal, although they are called as times are.
_POSITIONS: Final = {("KillRequestSince", "since"), ("KillProgressReply", "since")}
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Change(Protocol):
    """One way in which a version differs from the one before."""

    title: str
    why: str

    def request(self, fields: dict[str, Any], operation: Operation[Any, Any]) -> dict[str, Any]:
        """The same request as the version before has it. Raises `Invalid`."""

    def reply(self, found: Any) -> Any:
        """A reply of the version before, as this one has it."""

    def schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema of an object of the version before, as this one has it."""


class Times:
    """Version 2: every time is RFC 3339 in UTC with nanoseconds, and null where there is none."""

    title = "Times are RFC 3339 in UTC with nanoseconds; null where there is none"
    why = (
        "Version 1 has them as text in RFC 3339, as nanoseconds in text, and as nanoseconds in"
        " numbers, which JavaScript rounds to the nearest 256 ns."
    )

    def request(self, fields: dict[str, Any], operation: Operation[Any, Any]) -> dict[str, Any]:
        """Those that are numbers of nanoseconds in version 1; it reads the others by itself."""
        counted = _counted(operation.request)
        return {
            name: parsed_instant(str(value), name)
            if name in counted and value is not None
            else value
            for name, value in fields.items()
        }

    def reply(self, found: Any) -> Any:
        if isinstance(found, dict):
            return {
                name: _written(value) if _TIME(name) else self.reply(value)
                for name, value in found.items()
            }
        return [self.reply(each) for each in found] if isinstance(found, list) else found

    def schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties", {})
        told = {
            name: {**_told(each), "type": ["string", "null"], "format": "date-time"}
            if _TIME(name) and (schema.get("title"), name) not in _POSITIONS
            else each
            for name, each in properties.items()
        }
        return {**schema, "properties": told} if properties else schema


class Edition(NamedTuple):
    """A major version. `sunset` is when it is served no more; None where nobody has said so."""

    major: int
    released: date
    changes: tuple[Change, ...] = ()
    deprecated: date | None = None
    sunset: date | None = None

    @property
    def version(self) -> str:
        return VERSIONS[self.major]

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What each of its answers says of its end."""
        if self.deprecated is None or self.sunset is None:
            return ()
        since = int((_midnight(self.deprecated) - _EPOCH).total_seconds())
        # RFC 8594 has an HTTP date.
        until = _midnight(self.sunset).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return (
            (b"deprecation", b"@%d" % since),
            (b"sunset", until.encode()),
            (b"link", b'</api/v%d>; rel="successor-version"' % (self.major + 1)),
        )

    def request(self, fields: dict[str, Any], operation: Operation[Any, Any]) -> dict[str, Any]:
        for change in reversed(self.changes):
            fields = change.request(fields, operation)
        return fields

    def reply(self, body: bytes) -> bytes:
        """A reply in JSON as this version has it."""
        if not (self.changes and body):
            return body
        found = msgspec.json.decode(body)
        for change in self.changes:
            found = change.reply(found)
        return msgspec.json.encode(found)

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The OpenAPI document of version 1, as this one has it."""
        if not self.changes:
            return dict(document)
        schemas = dict(document["components"]["schemas"])
        for change in self.changes:
            schemas = {name: change.schema(schema) for name, schema in schemas.items()}
        prefix = f"/api/v{self.major}"
        return {
            **document,
            "info": {**document["info"], "version": self.version},
            "paths": {
                prefix + path.removeprefix("/api"): item
                for path, item in document["paths"].items()
                if path.startswith("/api/")
            },
            "components": {**document["components"], "schemas": schemas},
        }


EDITIONS: Final = (
    Edition(1, date(2026, 9, 1), deprecated=date(2026, 11, 22), sunset=date(2027, 11, 22)),
    Edition(2, date(2026, 11, 22), (Times(),)),
)
FIRST: Final = EDITIONS[0]


def edition_of(given: bytes | None) -> Edition:
    """What the header `Fondaco-Version` asks for; without one the first. Raises `Invalid`."""
    if given is None:
        return FIRST
    text = given.decode("latin-1").strip()
    for edition in EDITIONS:
        if text in (str(edition.major), edition.version):
            return edition
    try:
        day = date.fromisoformat(text)
    except ValueError:
        known = ", ".join(f"{each.major} (since {each.released})" for each in EDITIONS)
        raise Invalid(
            f"Fondaco-Version is {text[:40]!r}, must be a version or a date: there are {known}",
            code="unknown_version",
        ) from None
    found = [edition for edition in EDITIONS if edition.released <= day]
    if not found:
        raise Invalid(
            f"Fondaco-Version is {day}, before the first, which is of {FIRST.released}",
            code="unknown_version",
        )
    return found[-1]


def _written(value: Any) -> Any:
    """A time of version 1; what is none stays as it is."""
    match value:
        case bool():
            return value
        case int():
            return rfc_3339(value) if value >= _SINCE_2000_NS else None if value == 0 else value
        case "":
            return None
        case str() if value.isdecimal() and int(value) >= _SINCE_2000_NS:
            return rfc_3339(int(value))
        case str() if is_instant(value):
            return rfc_3339(parsed_instant(value, ""))
        case _:
            return value


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("description", "title")
    return {name: schema[name] for name in kept if name in schema}


def _counted(request: type[msgspec.Struct]) -> frozenset[str]:
    """Fields that are times, and numbers."""
    found = set()
    for field in msgspec.structs.fields(request):
        kinds = getattr(msgspec.inspect.type_info(field.type), "types", None)
        kinds = kinds or (msgspec.inspect.type_info(field.type),)
        is_number = any(isinstance(kind, msgspec.inspect.IntType) for kind in kinds)
        is_time = _TIME(field.name) and (request.__name__, field.name) not in _POSITIONS
        if is_number and is_time:
            found.add(field.name)
    return frozenset(found)


def _midnight(day: date) -> datetime.datetime:
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)
