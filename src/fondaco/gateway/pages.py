"""What is served beside operations: documents, the pages that show them, health and metrics.

Pages are whole in themselves: no script, nothing from elsewhere, light or dark as the reader likes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from html import escape
from typing import Any, Final

import msgspec
from starlette.responses import Response

from fondaco.domain.trading.model import Reason
from fondaco.gateway import metrics, openapi
from fondaco.gateway.editions import EDITIONS, FIRST, Edition
from fondaco.gateway.metrics import Metric
from fondaco.gateway.rest import Endpoint
from fondaco.gateway.tally import Tally

Checks = Mapping[str, tuple[bool, str]]
Page = Callable[[], Response]
PREFIXES: Final = ("", "/api", "/api/v1")
JSON: Final = "application/json"
SECURE: Final = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
PAGE: Final = {
    **SECURE,
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; frame-ancestors 'none'",
}
_STYLE: Final = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.5rem 1rem;border:1px solid
 color-mix(in srgb,currentColor 20%,transparent);border-radius:.4rem}
details{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent);padding:.4rem 0}
summary{cursor:pointer}.m{display:inline-block;min-width:4.5rem;font-weight:600}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .8rem .2rem 0;
 vertical-align:top}
"""


class Rendered:
    """A page that is made when somebody asks for it first, which most houses never see; `make` it
    off the loop, and it is served from memory."""

    def __init__(self, make: Callable[[], bytes], media_type: str) -> None:
        self._make, self._media_type = make, media_type
        self.content: bytes | None = None

    def make(self) -> bytes:
        if self.content is None:
            self.content = self._make()
        return self.content

    def __call__(self) -> Response:
        headers = SECURE if self._media_type == JSON else PAGE
        return Response(self.make(), media_type=self._media_type, headers=headers)


def pages(
    endpoints: Sequence[Endpoint],
    version: str,
    checks: Callable[[], Checks],
    numbers: Callable[[], Iterable[Metric]],
    sockets: Callable[[], Tally | None],
    topics: Callable[[], Sequence[openapi.Channel]] = tuple,
) -> dict[str, Page]:
    """What is served at each path, with and without a prefix."""

    def health() -> Response:
        return Response(b'{"status":"alive"}', media_type=JSON, headers=SECURE)

    def ready() -> Response:
        found = checks()
        is_ready = all(good for good, _ in found.values())
        body = {
            "status": "ready" if is_ready else "not ready",
            "checks": {name: {"ok": good, "text": text} for name, (good, text) in found.items()},
        }
        content = msgspec.json.encode(body)
        return Response(content, 200 if is_ready else 503, SECURE, JSON)

    def measured() -> Response:
        text = metrics.rendered(endpoints, sockets(), numbers())
        return Response(text, media_type=metrics.MEDIA_TYPE, headers=SECURE)

    def open_measured() -> Response:
        text = metrics.open_metrics(endpoints, sockets(), numbers())
        return Response(text, media_type=metrics.OPEN_MEDIA_TYPE, headers=SECURE)

    def start() -> Response:
        return Response(status_code=307, headers={**SECURE, "location": "/docs"})

    def no_icon() -> Response:
        return Response(status_code=204, headers=SECURE)

    served: dict[str, Page] = {
        "/health": health,
        "/ready": ready,
        "/metrics": measured,
        "/openmetrics": open_measured,
    }
    everywhere = {prefix + path: page for path, page in served.items() for prefix in PREFIXES}
    rendered = _rendered(endpoints, version, topics)
    return {"/": start, "/favicon.ico": no_icon, **everywhere, **rendered}


def _rendered(
    endpoints: Sequence[Endpoint], version: str, topics: Callable[[], Sequence[openapi.Channel]]
) -> dict[str, Page]:
    """Documents, and the pages that show them."""

    @cache
    def document() -> dict[str, Any]:
        operations = [endpoint.operation for endpoint in endpoints]
        return openapi.openapi(operations, FIRST.version)

    def shown(edition: Edition) -> bytes:
        return msgspec.json.encode(edition.document(document()))

    def events() -> bytes:
        return msgspec.json.encode(openapi.asyncapi(version, topics()))

    found: dict[str, Page] = {
        "/openapi.json": Rendered(lambda: msgspec.json.encode(document()), JSON),
        "/asyncapi.json": Rendered(events, JSON),
        "/docs": Rendered(lambda: docs(document()).encode(), "text/html"),
        "/docs/errors": Rendered(lambda: errors().encode(), "text/html"),
    }
    everywhere = {prefix + path: page for path, page in found.items() for prefix in PREFIXES}
    for edition in EDITIONS[1:]:
        everywhere[f"/api/v{edition.major}/openapi.json"] = Rendered(partial(shown, edition), JSON)
    return everywhere


def docs(document: Mapping[str, Any]) -> str:
    """Every operation with what it takes and what it answers."""
    parts = [
        "<h1>Fondaco</h1>",
        f"<p>{escape(document['info']['description'])}</p>",
        '<p><a href="/api/openapi.json">OpenAPI</a> · <a href="/api/asyncapi.json">AsyncAPI</a>'
        ' · <a href="/docs/errors">Errors</a></p>',
    ]
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_section(path, method.upper(), operation, schemas))
    return _page("Fondaco: operations", parts)


def _section(path: str, method: str, operation: Mapping[str, Any], schemas: Any) -> str:
    name = escape(operation["operationId"])
    lines = [
        f'<details id="{name}"><summary><code class="m">{method}</code>'
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
    ]
    if scope := operation.get("x-scope"):
        lines.append(f"<p>Scope: <code>{escape(scope)}</code></p>")
    rows = [
        (each["name"], each["in"], each["schema"], each["required"])
        for each in operation["parameters"]
    ]
    if body := operation.get("requestBody"):
        schema = openapi.resolved(body["content"][JSON]["schema"], schemas)
        required = schema.get("required", [])
        rows += [
            (field, "body", kind, field in required)
            for field, kind in schema.get("properties", {}).items()
        ]
    if rows:
        lines.append("<table><tr><th>field</th><th>in</th><th>type</th><th></th></tr>")
        lines += [
            f"<tr><td><code>{escape(field)}</code></td><td>{where}</td>"
            f"<td><code>{escape(_type(kind, schemas))}</code></td>"
            f"<td>{'required' if needed else ''}</td></tr>"
            for field, where, kind, needed in rows
        ]
        lines.append("</table>")
    for status, answer in operation["responses"].items():
        for content in answer["content"].values():
            if status.startswith("2"):
                shown = openapi.resolved(content["schema"], schemas)
                text = msgspec.json.format(msgspec.json.encode(shown)).decode()
                lines.append(f"<p>{status}</p><pre>{escape(text)}</pre>")
    statuses = ", ".join(s for s in operation["responses"] if not s.startswith("2"))
    lines.append(f'<p>Errors: {statuses} (<a href="/docs/errors">what they mean</a>)</p>')
    return "\n".join(lines) + "</details>"


def _type(schema: Mapping[str, Any], schemas: Any) -> str:
    found = openapi.resolved(schema, schemas)
    if "enum" in found:
        return " | ".join(map(str, found["enum"]))
    if "anyOf" in found:
        return " | ".join(_type(each, schemas) for each in found["anyOf"])
    kind = str(found.get("title") or found.get("type", "any"))
    if "pattern" in found:
        kind += f" {found['pattern']}"
    return kind + (f" = {found['default']}" if found.get("default") is not None else "")


def errors() -> str:
    """Every code that an error may have."""
    reasons = {reason.value: "A rule refused the order." for reason in Reason}
    rows = [
        f'<tr id="{escape(code)}"><td><code>{escape(code)}</code></td><td>{status}</td>'
        f"<td>{escape(text)}</td></tr>"
        for code, status, text in openapi.meanings(reasons)
    ]
    table = ["<table><tr><th>code</th><th>HTTP</th><th>meaning</th></tr>", *rows, "</table>"]
    intro = (
        "<p>Every error says: <code>retryable</code> (may the same request succeed later),"
        " <code>reached_venue</code> (may anybody have acted), <code>state</code> (what is true"
        " now). Refusals by a measuring rule name value, limit, distance and the largest order"
        " that passes.</p>"
    )
    return _page("Fondaco: errors", ["<h1>Errors</h1>", intro, *table])


def _page(title: str, parts: Sequence[str]) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(parts)
        + "</body></html>"
    )
