"""Requests of old partners, made into ours before anything reads them: other paths, other names of
headers, other shapes of bodies, by rules in a file. What no rule names is refused, not passed on.

A mapped request goes through the door as any other: who asks, what they may, rates and limits are
judged of what it became.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from fondaco.kernel.errors import FondacoError, Invalid

if TYPE_CHECKING:
    from fondaco.gateway.door import Door

FIELDS_MAX: Final = 100
DEPTH_MAX: Final = 8
HEADER_MAX: Final = 4_096  # bytes of a value
# What is between two machines and not between two programs, or is ours to say (RFC 9110, 7.6.1).
NEVER: Final = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "cookie", "forwarded"}
    | {"host", "keep-alive", "proxy-authorization", "signature", "signature-input", "te"}
    | {"trailer", "transfer-encoding", "upgrade"}
    | {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
)

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Place = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$")]
Scalar = str | int | bool | None


_FROM: Final = {"source": "from"}


class HeaderRule(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}
):
    """`shape` is what is sent, with {} for the value that came."""

    source: HeaderName
    shape: Annotated[str, Meta(max_length=200, pattern=r"^[^{}]*\{\}[^{}]*$")] = "{}"


class BodyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=_FROM):
    """Either where it comes from, or what it always is. `values` are other words for the same; one
    that is not listed is refused."""

    source: Place = ""
    value: Scalar = None
    values: dict[str, Scalar] = {}
    optional: bool = False
    as_text: bool = False  # a number is sent as its digits


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`path` begins with /partners/, so that none hides an operation; `to` is an operation's.
    `headers` and `body` go from our name to theirs."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    path: Annotated[str, Meta(pattern=r"^/partners/[a-z0-9/_-]{1,200}$")]
    to: Annotated[str, Meta(pattern=r"^/api/[A-Za-z0-9/_-]{1,200}$")]
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[HeaderName, HeaderName | HeaderRule] = {}
    body: dict[Place, Place | BodyRule] = {}
    ignore: tuple[Place, ...] = ()  # what may stand in a body and says nothing to us


_rules: Final = msgspec.json.Decoder(dict[str, Any])


def load(path: Path) -> tuple[Map, ...]:
    """Raises `Invalid` for a file that is none, or says what cannot be."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))
        maps = msgspec.convert(found.get("maps", []), tuple[Map, ...])
    except OSError as error:
        raise Invalid(f"request_maps: {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"request_maps: {path}: {error}") from error
    places = [(each.method, each.path) for each in maps]
    if len(places) != len(set(places)):
        raise Invalid(f"request_maps: {path} names one method and path twice")
    for each in maps:
        _check(each)
    return maps


def _check(rules: Map) -> None:
    ours = {name.lower() for name in rules.headers}
    if wrong := sorted(ours & NEVER):
        raise Invalid(f"request_maps: {rules.name} sets {wrong[0]}, which no rule may")
    if len(rules.body) + len(rules.ignore) > FIELDS_MAX:
        raise Invalid(f"request_maps: {rules.name} has more than {FIELDS_MAX} fields")
    names = sorted(rules.body)
    for first, second in pairwise(names):
        if second.startswith(f"{first}."):
            raise Invalid(f"request_maps: {rules.name} has {second} within {first}")
    for name, rule in rules.body.items():
        if isinstance(rule, BodyRule) and bool(rule.source) == (rule.value is not None):
            raise Invalid(f"request_maps: {rules.name}: {name} needs either from or value")


def mapped_headers(rules: Map, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What came, with ours made of theirs; theirs go. Raises `Invalid`."""
    came: dict[str, bytes] = {}
    for raw, value in headers:
        came.setdefault(raw.decode("latin-1").lower(), value)
    if "signature" in came:
        raise Invalid("a signed request is done as it was signed, and cannot be mapped")
    made: dict[bytes, bytes] = {}
    theirs = set()
    for ours, said in rules.headers.items():
        rule = HeaderRule(said) if isinstance(said, str) else said
        theirs.add(rule.source.lower().encode())
        found = came.get(rule.source.lower())
        if found is not None:
            shaped = rule.shape.encode().replace(b"{}", found)
            if len(shaped) > HEADER_MAX:
                raise Invalid(f"the header {rule.source} is above {HEADER_MAX} bytes")
            made[ours.lower().encode()] = shaped
    drop = theirs | set(made) | {b"content-length", b"content-type"}
    kept = [(name, value) for name, value in headers if name.lower() not in drop]
    return [*kept, *made.items(), (b"content-type", b"application/json")]


def mapped_body(rules: Map, raw: bytes) -> bytes:
    """Our body. Raises `Invalid`, naming what is missing, unknown or another word."""
    try:
        came = _rules.decode(raw or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"the body is no JSON object: {error}") from error
    theirs = _flat(came)
    made: dict[str, Any] = {}
    used = set(rules.ignore)
    for ours, said in rules.body.items():
        rule = BodyRule(said) if isinstance(said, str) else said
        if not rule.source:
            _put(made, ours, rule.value)
            continue
        used.add(rule.source)
        if rule.source in theirs:
            _put(made, ours, _worded(rule, theirs[rule.source]))
        elif not rule.optional:
            raise Invalid(f"the body has no field {rule.source}", field=rule.source)
    unknown = sorted(set(theirs) - used)
    if unknown:
        raise Invalid(f"the body has fields that {rules.name} does not name: {unknown[0][:64]}")
    return msgspec.json.encode(made)


def _flat(came: Mapping[str, Any]) -> dict[str, Any]:
    """By places; objects are looked into, lists are values."""
    found: dict[str, Any] = {}
    left: list[tuple[str, int, Mapping[str, Any]]] = [("", 1, came)]
    while left:
        prefix, depth, part = left.pop()
        if depth > DEPTH_MAX:
            raise Invalid(f"the body is deeper than {DEPTH_MAX}")
        for name, value in part.items():
            if isinstance(value, dict):
                left.append((f"{prefix}{name}.", depth + 1, value))
            else:
                found[f"{prefix}{name}"] = value
        if len(found) + len(left) > FIELDS_MAX:
            raise Invalid(f"the body has more than {FIELDS_MAX} fields")
    return found


def _worded(rule: BodyRule, value: Any) -> Any:
    if rule.values:
        word = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if word not in rule.values:
            listed = ", ".join(sorted(rule.values))
            raise Invalid(f"{rule.source} is {word[:40]!r}, must be one of {listed}")
        return rule.values[word]
    if rule.as_text and not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    return value


def _put(made: dict[str, Any], place: str, value: Any) -> None:
    *path, last = place.split(".")
    for name in path:
        made = made.setdefault(name, {})
    made[last] = value


def mapped_door(path: str) -> Callable[["Door"], Sequence[BaseRoute]]:
    """What a `Door` is given, to serve what the file at `path` maps beside itself; "": nothing."""
    maps = load(Path(path)) if path else ()

    def served(door: "Door") -> Sequence[BaseRoute]:
        places: dict[str, dict[str, Map]] = {}
        for each in maps:
            places.setdefault(each.path, {})[each.method] = each
        return [Route(place, _Mapped(door, found)) for place, found in places.items()]

    return served


class _Mapped:
    """All maps at one path."""

    def __init__(self, door: "Door", maps: Mapping[str, Map]) -> None:
        self._door, self._maps = door, maps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rules = self._maps.get(scope["method"])
        if rules is None:
            allow = ", ".join(sorted(self._maps))
            error: FondacoError = Invalid(
                f"{scope['path']} is asked with {allow}", code="method_not_allowed", allow=allow
            )
            await self._door.refuse(error, scope, send)
            return
        try:
            headers = mapped_headers(rules, scope["headers"])
            body = mapped_body(rules, await self._door.body(scope, receive))
        except ClientDisconnect:
            return
        except FondacoError as wrong:
            await self._door.refuse(wrong, scope, send)
            return
        headers.append((b"content-length", b"%d" % len(body)))
        # Names of headers came in small letters, as ASGI says.
        ours = {
            **scope,
            "path": rules.to,
            "raw_path": rules.to.encode(),
            "query_string": b"",
            "headers": headers,
        }
        for gone in ("path_params", "endpoint"):  # of the route that led here
            ours.pop(gone, None)
        left = [body]

        async def replayed() -> Message:
            if left:
                return {"type": "http.request", "body": left.pop(), "more_body": False}
            return await receive()

        await self._door(ours, replayed, send)
