"""What the link of a certificate leads to: its page, its pictures and its proof, for anybody whom
its owner gave the link. No key is asked for, so these are Starlette's routes and no operations."""

import asyncio
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fondaco.gateway.errors import codes_of
from fondaco.gateway.house import House
from fondaco.gateway.oidc.pages import page, policy
from fondaco.kernel.errors import FondacoError, NotFound

TYPES: Final = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png"}
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}
_HEADS: Final = {
    "valid": "This certificate holds",
    "ended": "This was so, and has ended",
    "suspended": "This certificate is suspended",
    "void": "This certificate is void",
    "withdrawn": "This certificate was withdrawn",
    "revoked": "This certificate was revoked",
}


class Certificates(Protocol):
    def public(self, certificate_id: str) -> tuple[Any, str]: ...

    def form(self, certificate_id: str, form: str) -> bytes: ...

    def proof(self, certificate_id: str) -> Any: ...


class CertificatesDoor:
    """`verifier` is the text of the program that checks proofs without us."""

    def __init__(
        self, house: House, part: Callable[[], Certificates], verifier: Callable[[], str]
    ) -> None:
        self._house, self._part, self._verifier = house, part, verifier

    def routes(self) -> list[Route]:
        there = "/certificates/{certificate_id}"
        acts = {
            "/api" + there: self._json,
            "/api/v1" + there: self._json,
            "/certificates/verifier.py": self._program,
            there: self._page,
            there + "/proof": self._proof,
            there + "/{form}": self._form,
        }
        return [Route(path, self._told(act), methods=["GET"]) for path, act in acts.items()]

    def _told(
        self, act: Callable[[str, Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._house.rates.check(None, request.client.host if request.client else "")
                return await act(str(request.path_params.get("certificate_id", "")), request)
            except FondacoError as error:
                status = codes_of(error).http
                if request.url.path.startswith("/api/"):
                    said = {"code": error.code, "message": error.message}
                    return _json(said, status)
                text = f"<h1>Nothing is shown</h1><p>{escape(error.message)}</p>"
                return _html(page("Certificate", text), status)

        return answer

    async def _json(self, certificate_id: str, _: Request) -> Response:
        found, firm = await asyncio.to_thread(self._part().public, certificate_id)
        return _json({**msgspec.to_builtins(found), "firm": firm}, 200)

    async def _page(self, certificate_id: str, _: Request) -> Response:
        found, firm = await asyncio.to_thread(self._part().public, certificate_id)
        return _html(page("Certificate", _shown(found, firm)), 200)

    async def _form(self, certificate_id: str, request: Request) -> Response:
        form = request.path_params["form"]
        if form not in TYPES:
            raise NotFound(f"a certificate has no {form[:20]!r}; it has {', '.join(TYPES)}, proof")
        content = await asyncio.to_thread(self._part().form, certificate_id, form)
        return Response(content, 200, _HEADERS, TYPES[form])

    async def _proof(self, certificate_id: str, _: Request) -> Response:
        found = await asyncio.to_thread(self._part().proof, certificate_id)
        return _json(msgspec.to_builtins(found), 200)

    async def _program(self, _: str, __: Request) -> Response:
        return Response(self._verifier(), 200, _HEADERS, "text/x-python")


def _json(content: Any, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, _HEADERS, "application/json")


def _html(text: str, status: int) -> Response:
    allowed = policy() + "; img-src 'self'"
    return HTMLResponse(text, status, {**_HEADERS, "content-security-policy": allowed})


def _shown(found: Any, firm: str) -> str:
    """What it says, whether it still holds, and how to check that without us."""
    why = f": {escape(found.why)}" if found.why else ""
    head = f"<h1>{_HEADS[found.standing]}</h1>"
    if found.standing == "withdrawn":
        return f"{head}<p>Its owner has taken it back{why}. It says nothing any more.</p>"
    here = f"/certificates/{found.certificate_id}"
    rows = "".join(
        f"<li><span>{name}</span><code>{escape(value)}</code></li>"
        for name, value in (
            ("Who", found.name),
            ("What", found.result),
            ("When", found.happened_at),
            ("Terms", f"{found.tier}, version {found.tier_version}"),
            ("Assessed by", firm),
            ("Made", found.made_at),
            ("Entry of the journal", str(found.position)),
            ("SHA-256 of what it says", found.sha256),
        )
    )
    said = f"<p>{found.standing.capitalize()}{why}.</p>" if why else ""
    if found.standing not in ("valid", "ended"):
        return f"{head}{said}<ul>{rows}</ul>"
    forms = " · ".join(f'<a href="{here}/{form}">{form.upper()}</a>' for form in TYPES)
    return (
        f'{head}{said}<p><img src="{here}/svg" alt="The certificate" style="width:100%"></p>'
        f"<p>{forms}</p><ul>{rows}</ul><p>That the entry is in the house's log can be checked "
        f'without the house: <a href="{here}/proof">the proof</a>, and '
        f'<a href="/certificates/verifier.py">the program</a>:</p>'
        f"<p><code>python verifier.py proof</code></p><p>Name and terms are the word of "
        f"{escape(firm)}; the entry names the assessment, and nobody.</p>"
    )
