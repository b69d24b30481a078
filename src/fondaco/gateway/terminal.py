"""The browser terminal: files that `setup.py` built from web/ into the folder beside this file.

The page and what tells of a new one are asked for each time; files under /assets are named by their
content and kept for ever. A file is sent packed where the browser can unpack it. Where nothing was
built, `/` says in plain words how to get it, and everything else works as ever.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

BUILT: Final = Path(__file__).parent / "web"
_NONCE: Final = b"__NONCE__"
_KINDS: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKINGS: Final = ((".br", "br"), (".gz", "gzip"))
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK: Final = "no-cache"
_SECURE: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# Nothing from elsewhere, no script but our files; styles that a grid writes carry the nonce.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:"
    " blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
_MISSING: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Fondaco</title>
<style>:root{color-scheme:light dark}body{font:15px/1.6 system-ui,sans-serif;max-width:42rem;
margin:12vh auto;padding:0 1rem}code{font:13px ui-monospace,monospace}</style></head><body>
<h1>The house serves; its page was not built</h1>
<p>Everything works but the browser terminal: see <a href="/docs">the operations</a> and
<a href="/ready">what is ready</a>.</p>
<p>The page is built when the package is installed, for which npm must be within reach. To get it:
install again with <code>pip install --force-reinstall --no-deps .</code>, or, in a clone,
<code>make page</code>. Node 20.19 or newer is used where it is installed; where it
is not, the build brings its own.</p></body></html>
"""


class _File(NamedTuple):
    content: bytes
    kind: str
    tag: str
    packed: Mapping[str, bytes]  # by the name of its encoding


def routes(folder: Path = BUILT) -> Sequence[BaseRoute]:
    """What is served of the built page. Files are read once, at the start: together they are small
    beside anything else that a house keeps in memory."""
    page = folder / "index.html"
    if not page.is_file():
        return [Route("/", _missing)]
    files = {_address(folder, path): _read(path) for path in _plain(folder)}
    html = page.read_bytes()

    async def index(_: Request) -> Response:
        nonce = token_urlsafe(16)
        policy = _POLICY.format(nonce=nonce)
        headers = {**_SECURE, "cache-control": ASK, "content-security-policy": policy}
        content = html.replace(_NONCE, nonce.encode())
        return Response(content, media_type="text/html", headers=headers)

    async def file(request: Request) -> Response:
        return _answer(request, files[request.url.path])

    return [Route("/", index), *(Route(address, file) for address in files)]


def state(folder: Path = BUILT) -> str:
    """Whether there is a page to serve, and how to get it: what `fondaco doctor` says."""
    if not (folder / "index.html").is_file():
        return "not built: `make page` in a clone, or install again where npm can be reached"
    size = sum(path.stat().st_size for path in _plain(folder))
    return f"built, {size:,} bytes of files beside index.html"


def _plain(folder: Path) -> list[Path]:
    """Files as they are, without their packed copies and without the page itself."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        path
        for path in found
        if path.suffix not in (".br", ".gz") and path.suffix in _KINDS and path.name != "index.html"
    ]


def _address(folder: Path, path: Path) -> str:
    return "/" + path.relative_to(folder).as_posix()


def _read(path: Path) -> _File:
    content = path.read_bytes()
    packed = {
        name: other.read_bytes()
        for suffix, name in _PACKINGS
        if (other := path.with_name(path.name + suffix)).is_file()
    }
    return _File(content, _KINDS[path.suffix], f'"{sha256(content).hexdigest()[:20]}"', packed)


def _answer(request: Request, found: _File) -> Response:
    address = request.url.path
    hashed = address.startswith("/assets/")
    headers = {**_SECURE, "cache-control": FOR_EVER if hashed else ASK, "etag": found.tag}
    if found.packed:
        headers["vary"] = "accept-encoding"
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    content = found.content
    for name, packed in found.packed.items():
        if _takes(request.headers.get("accept-encoding", ""), name):
            content, headers["content-encoding"] = packed, name
            break
    return Response(content, media_type=found.kind, headers=headers)


def _takes(accepted: str, name: str) -> bool:
    """Whether Accept-Encoding names it, and does not refuse it (RFC 9110, 12.5.3)."""
    for each in accepted.split(","):
        said, _, quality = each.strip().partition(";")
        if said.strip().lower() == name:
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", quality)
    return False


async def _missing(_: Request) -> Response:
    headers = {
        **_SECURE,
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline';"
        " base-uri 'none'; frame-ancestors 'none'",
    }
    return Response(_MISSING, media_type="text/html", headers=headers)
