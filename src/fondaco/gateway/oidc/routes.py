"""What an application and a browser ask of the provider. Starlette routes, because they speak forms
and redirects, which operations do not.
"""

import asyncio
import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fondaco.gateway import cookies
from fondaco.gateway.errors import codes_of
from fondaco.gateway.house import Caller, House
from fondaco.gateway.oidc import pages
from fondaco.gateway.oidc.external import ExternalDesk, ExternalDoor
from fondaco.gateway.rest import bearer
from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound, Unavailable

BODY_MAX: Final = 32_768
FIELDS_MAX: Final = 40
_encode: Final = msgspec.json.Encoder().encode
_NO_STORE: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_ANYWHERE: Final = {**_NO_STORE, "access-control-allow-origin": "*"}
_PUBLISHED: Final = {**_ANYWHERE, "cache-control": "max-age=300"}
# What an application asks for; the rest of a query is not handed on.
_ASKED: Final[tuple[str, ...]] = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "resource", "prompt", "response_mode",
)  # fmt: skip


class Refusal(Protocol):
    error: str
    description: str
    status: int


class Provider(Protocol):
    """What app.py makes of the identity room for this door. All of it but `url`, `metadata` and
    `providers` is called off the loop."""

    @property
    def refusal(self) -> type[Exception]: ...

    @property
    def url(self) -> str: ...

    @property
    def is_demo(self) -> bool: ...

    @property
    def providers(self) -> Mapping[str, str]: ...

    def device_begun(self, form: Mapping[str, str], secret: str, address: str) -> Any: ...

    def device_shown(self, user_code: str, caller: Any, address: str) -> Any: ...

    def device_decided(
        self, user_code: str, caller: Any, address: str, *, agrees: bool
    ) -> None: ...

    @property
    def external(self) -> ExternalDesk: ...

    def metadata(self) -> Mapping[str, Any]: ...

    def jwks(self) -> Mapping[str, Any]: ...

    def asked(self, query: Mapping[str, str]) -> Any: ...

    def may_skip(self, asked: Any, caller: Any) -> bool: ...

    def agreeable(self, asked: Sequence[str], caller: Any) -> Sequence[str]: ...

    def agree(self, asked: Any, caller: Any) -> str: ...

    def tokens(self, form: Mapping[str, str], secret: str) -> Any: ...

    def userinfo(self, token: str) -> Mapping[str, Any]: ...

    def revoke(self, form: Mapping[str, str], secret: str) -> None: ...

    def sign_in(
        self, form: Mapping[str, str], address: str, device: str = ""
    ) -> tuple[str, int, str]:
        """A session's token, how many seconds it lasts, and by what this browser is known from now
        on. `device` is by what it was known. Raises `Denied`."""
        ...

    def end_session(self, query: Mapping[str, str], caller: Any) -> str:
        """Where to go then; "" for nowhere."""
        ...

    def register(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]: ...


class ProviderDoor:
    def __init__(self, house: House, provider: Callable[[], Provider]) -> None:
        self._house, self._provider = house, provider

    def routes(self) -> list[Route]:
        found = {
            "/.well-known/openid-configuration": (self._metadata, ["GET"]),
            "/.well-known/oauth-authorization-server": (self._metadata, ["GET"]),
            "/.well-known/jwks.json": (self._jwks, ["GET"]),
            "/oauth/authorize": (self._authorize, ["GET", "POST"]),
            "/oauth/sign-in": (self._sign_in, ["POST"]),
            "/oauth/token": (self._token, ["POST"]),
            "/oauth/device_authorization": (self._device_begun, ["POST"]),
            "/oauth/device": (self._device, ["GET", "POST"]),
            "/oauth/userinfo": (self._userinfo, ["GET", "POST"]),
            "/oauth/revoke": (self._revoke, ["POST"]),
            "/oauth/end-session": (self._end_session, ["GET"]),
            "/oauth/register": (self._register, ["POST"]),
            "/oauth/external/{name}": (self._external_start, ["GET"]),
            "/oauth/external/{name}/callback": (self._external_finish, ["GET"]),
        }
        return [Route(path, self._told(act), methods=ways) for path, (act, ways) in found.items()]

    def _told(
        self, act: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Errors as OAuth words them."""

        async def answer(request: Request) -> Response:
            try:
                self._house.rates.check(None, _address(request))
                return await act(request)
            except self._provider().refusal as error:
                refusal: Any = error
                headers = dict(_ANYWHERE)
                if refusal.status == 401:
                    headers["www-authenticate"] = 'Basic realm="oauth"'
                return _json(
                    {"error": refusal.error, "error_description": refusal.description},
                    refusal.status,
                    headers,
                )
            except FondacoError as error:
                status = codes_of(error).http
                headers = dict(_ANYWHERE)
                if status == 401:
                    headers["www-authenticate"] = 'Bearer error="invalid_token"'
                said = "invalid_token" if status == 401 else "invalid_request"
                if status in (429, 503):
                    said = "temporarily_unavailable"
                    headers["retry-after"] = str(error.details.get("retry_after_s", 1))
                told = {"error": said, "error_description": error.message}
                return _json(told, 400 if status == 422 else status, headers)

        return answer

    # --- What is published ----------------------------------------------------------------------

    async def _metadata(self, _: Request) -> Response:
        return _json(self._provider().metadata(), 200, _PUBLISHED)

    async def _jwks(self, _: Request) -> Response:
        found = await asyncio.to_thread(self._provider().jwks)
        return _json(found, 200, _PUBLISHED)

    # --- With a person --------------------------------------------------------------------------

    async def _authorize(self, request: Request) -> Response:
        form = await _form(request) if request.method == "POST" else _query(request)
        provider = self._provider()
        query = {name: form[name] for name in _ASKED if name in form}
        try:
            asked = await asyncio.to_thread(provider.asked, query)
        except Invalid as error:
            return _html(pages.said("This cannot go on", error.message), 400)
        except provider.refusal as error:
            return self._back(query, {"error": error.error, "error_description": error.description})  # type: ignore[attr-defined]
        caller, token = self._signed_in(request)
        if request.method == "POST":
            _check_ours(request, provider.url)
            mark, wanted = form.get("csrf", "").encode(), cookies.csrf_of(token).encode()
            if caller is None or not hmac.compare_digest(mark, wanted):
                return _html(pages.said("This cannot go on", "Sign in again, then agree."), 403)
            if form.get("answer") != "yes":
                return self._back(query, {"error": "access_denied"})
            return await self._agreed(query, asked, caller)
        return await self._shown(form, query, asked, caller, token)

    async def _shown(
        self,
        form: Mapping[str, str],
        query: Mapping[str, str],
        asked: Any,
        caller: Caller | None,
        token: str,
    ) -> Response:
        """What a person sees who comes from an application: who they are, or what it asks for."""
        provider = self._provider()
        if caller is None and "here" not in form:
            there = pages.with_query("/oauth/authorize", {**query, "here": "1"})
            return _html(pages.again(there))
        if caller is None or (asked.prompt == "login" and "signed" not in form):
            if asked.prompt == "none":
                return self._back(query, {"error": "login_required"})
            return self._ask_who(asked, query, {})
        if asked.prompt != "consent" and provider.may_skip(asked, caller):
            return await self._agreed(query, asked, caller)
        if asked.prompt == "none":
            return self._back(query, {"error": "consent_required"})
        hidden = {**query, "csrf": cookies.csrf_of(token)}
        who = f"{caller.name.partition('/')[0]} of {caller.tenant}"
        scopes = provider.agreeable(asked.scopes, caller)
        page = pages.consent(asked.client.name, who, scopes, asked.redirect_uri, hidden)
        return _html(page, 200, asked.redirect_uri)

    async def _agreed(self, query: Mapping[str, str], asked: Any, caller: Caller) -> Response:
        try:
            code = await asyncio.to_thread(self._provider().agree, asked, caller)
        except Invalid as error:
            return _html(pages.said("This cannot go on", error.message), 403)
        return self._back(query, {"code": code})

    def _back(self, query: Mapping[str, str], said: Mapping[str, str]) -> Response:
        """To the application, whose address was checked before. `iss` as RFC 9207 has it."""
        more = {**said, "state": query.get("state", ""), "iss": self._provider().url}
        there = pages.with_query(query["redirect_uri"], more)
        return RedirectResponse(there, 303, headers=_NO_STORE)

    def _ask_who(
        self, asked: Any, query: Mapping[str, str], typed: Mapping[str, str], wrong: str = ""
    ) -> Response:
        provider = self._provider()
        page = pages.sign_in(
            asked.client.name,
            query,
            tenant=typed.get("tenant", asked.client.tenant),
            user=typed.get("user", ""),
            wrong=wrong,
            providers=provider.providers,
            demo=provider.is_demo,
        )
        return _html(page, 401 if wrong else 200)

    async def _sign_in(self, request: Request) -> Response:
        provider, form = self._provider(), await _form(request)
        _check_ours(request, provider.url)
        query = {name: form[name] for name in _ASKED if name in form}
        asked = await asyncio.to_thread(provider.asked, query)
        there = pages.with_query("/oauth/authorize", {**query, "here": "1", "signed": "1"})
        if form.get("provider") in provider.providers:
            start = f"/oauth/external/{form['provider']}"
            return RedirectResponse(pages.with_query(start, {"next": there}), 303)
        try:
            found = await self._session(request, form, there)
        except Denied as error:
            return self._ask_who(asked, query, form, error.message)
        return found

    async def _session(self, request: Request, form: dict[str, str], there: str) -> Response:
        """Signed in, in this browser, and sent on. Raises `Denied`."""
        whose = form.get("tenant", ""), form.get("user", "")
        known = cookies.device_in(request.headers.get("cookie", "").encode("latin-1"), *whose)
        sign_in, address = self._provider().sign_in, _address(request)
        token, seconds, device = await asyncio.to_thread(sign_in, form, address, known)
        found = RedirectResponse(there, 303, headers=_NO_STORE)
        kept = [cookies.set_cookie(token, seconds)]
        if device:
            kept.append(cookies.set_device(device, *whose))
        for name, value in kept:
            found.headers.append(name.decode(), value.decode())
        return found

    async def _end_session(self, request: Request) -> Response:
        query = _query(request)
        caller, _ = self._signed_in(request)
        if caller is None and "here" not in query:
            there = pages.with_query("/oauth/end-session", {**query, "here": "1"})
            return _html(pages.again(there))
        to = await asyncio.to_thread(self._provider().end_session, query, caller)
        page = pages.said("Signed out", "You are signed out here.")
        found = RedirectResponse(to, 303, headers=_NO_STORE) if to else _html(page)
        name, value = cookies.set_cookie("", 0)
        found.headers.append(name.decode(), value.decode())
        return found

    def _signed_in(self, request: Request) -> tuple[Caller | None, str]:
        token = cookies.token_in(request.headers.get("cookie", "").encode("latin-1"))
        if not token:
            return None, ""
        try:
            return self._house.authenticate(token, _address(request)), token
        except Denied:
            return None, ""

    async def _external_start(self, request: Request) -> Response:
        return await ExternalDoor(self._provider().external).start(request)

    async def _external_finish(self, request: Request) -> Response:
        return await ExternalDoor(self._provider().external).finish(request)

    async def _device(self, request: Request) -> Response:
        """A person types what a device shows, sees who asks for what, and agrees."""
        provider, form = self._provider(), {}
        if request.method == "POST":
            form = await _form(request)
            _check_ours(request, provider.url)
        given = form or _query(request)
        user_code, answer = given.get("user_code", "")[:40], form.get("answer", "")
        if answer == "sign-in":
            return await self._device_sign_in(request, form, user_code)
        caller, token = self._signed_in(request)
        if caller is None:
            if request.method == "GET" and "here" not in given:
                there = {"user_code": user_code, "here": "1"}
                return _html(pages.again(pages.with_query("/oauth/device", there)))
            return self._device_who(user_code, {})
        address, csrf = _address(request), cookies.csrf_of(token)
        is_ours = hmac.compare_digest(form.get("csrf", "").encode(), csrf.encode())
        if not user_code:
            return _html(pages.device_code(csrf))
        try:
            asked = await asyncio.to_thread(provider.device_shown, user_code, caller, address)
            if answer not in ("yes", "no"):
                who = f"{caller.name.partition('/')[0]} of {caller.tenant}"
                scopes = provider.agreeable(asked.scopes, caller)
                return _html(pages.device_consent(asked, scopes, who, csrf))
            if not is_ours:
                return _html(pages.said("This cannot go on", "Sign in again, then agree."), 403)
            decide = partial(provider.device_decided, agrees=answer == "yes")
            await asyncio.to_thread(decide, user_code, caller, address)
        except (NotFound, Invalid, Unavailable) as error:
            status = codes_of(error).http
            return _html(pages.device_code(csrf, error.message), 400 if status == 422 else status)
        if answer == "no":
            return _html(pages.said("Refused", "The device is given nothing."))
        return _html(pages.said("Done", "Go back to your device: it goes on by itself."))

    async def _device_sign_in(
        self, request: Request, form: dict[str, str], user_code: str
    ) -> Response:
        there = pages.with_query("/oauth/device", {"user_code": user_code, "here": "1"})
        provider = self._provider()
        if form.get("provider") in provider.providers:
            start = f"/oauth/external/{form['provider']}"
            return RedirectResponse(pages.with_query(start, {"next": there}), 303)
        try:
            found = await self._session(request, form, there)
        except Denied as error:
            return self._device_who(user_code, form, error.message)
        return found

    def _device_who(self, user_code: str, typed: Mapping[str, str], wrong: str = "") -> Response:
        provider = self._provider()
        page = pages.sign_in(
            "A device",
            {"user_code": user_code, "answer": "sign-in"},
            tenant=typed.get("tenant", ""),
            user=typed.get("user", ""),
            wrong=wrong,
            providers=provider.providers,
            demo=provider.is_demo,
            action="/oauth/device",
        )
        return _html(page, 401 if wrong else 200)

    # --- With an application --------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        form, secret = await _with_client(request)
        found = await asyncio.to_thread(self._provider().tokens, form, secret)
        return _json(found, 200, _ANYWHERE)

    async def _device_begun(self, request: Request) -> Response:
        form, secret = await _with_client(request)
        address = _address(request)
        found = await asyncio.to_thread(self._provider().device_begun, form, secret, address)
        return _json(found, 200, _ANYWHERE)

    async def _userinfo(self, request: Request) -> Response:
        token = bearer(request.headers.get("authorization", "").encode("latin-1") or None)
        found = await asyncio.to_thread(self._provider().userinfo, token)
        return _json(found, 200, _ANYWHERE)

    async def _revoke(self, request: Request) -> Response:
        form, secret = await _with_client(request)
        await asyncio.to_thread(self._provider().revoke, form, secret)
        return Response(status_code=200, headers=_ANYWHERE)

    async def _register(self, request: Request) -> Response:
        try:
            wanted = msgspec.json.decode(await _body(request), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Invalid(f"the body is no JSON object: {error}") from None
        found = await asyncio.to_thread(self._provider().register, wanted)
        return _json(found, 201, _ANYWHERE)


def _check_ours(request: Request, url: str) -> None:
    """A form of ours was sent from a page of ours. Raises `Denied`. Browsers that say where from
    are believed; and since our pages tell no referrer, the Origin of theirs is then "null"."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    here = f"{request.url.scheme}://{request.headers.get('host', '')}"
    is_ours = origin in (None, here, url) if site is None else site == "same-origin"
    if not is_ours:
        raise Denied("this form was sent from another site's page", code="csrf")


async def _with_client(request: Request) -> tuple[dict[str, str], str]:
    """The form, with the client who sends it, and its secret, from one place only."""
    form = await _form(request)
    given = request.headers.get("authorization", "")
    if given.lower().startswith("basic "):
        try:
            name, _, secret = b64decode(given[6:].strip(), validate=True).decode().partition(":")
        except (NotBase64, UnicodeDecodeError):
            raise Invalid("the header Authorization is no Basic of a client") from None
        name, secret = unquote_plus(name), unquote_plus(secret)
        if "client_secret" in form or form.get("client_id", name) != name:
            raise Invalid("the client is named twice")
        return {**form, "client_id": name}, secret
    return form, form.pop("client_secret", "")


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Invalid("send a form: Content-Type: application/x-www-form-urlencoded")
    try:
        text = (await _body(request)).decode()
        pairs = parse_qsl(text, True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise Invalid(f"the form cannot be read: {error}") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("a field of the form is given twice")
    return found


def _query(request: Request) -> dict[str, str]:
    pairs = request.query_params.multi_items()
    found = dict(pairs)
    if len(found) != len(pairs) or len(pairs) > FIELDS_MAX:
        raise Invalid("a parameter is given twice in the query, or there are too many")
    return found


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_MAX:
            raise Invalid(f"the body is above {BODY_MAX} bytes", code="too_large")
    return body


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _json(found: Any, status: int, headers: Mapping[str, str]) -> Response:
    return Response(_encode(found), status, headers, media_type="application/json")


def _html(page: str, status: int = 200, redirect_uri: str = "") -> Response:
    headers = {**_NO_STORE, "content-security-policy": pages.policy(redirect_uri)}
    return HTMLResponse(page, status, headers={**headers, "x-frame-options": "DENY"})
