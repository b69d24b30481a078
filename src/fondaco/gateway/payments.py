"""What a payment provider asks of us, and the checkout page of the one in this house. Starlette
routes, because they speak raw bytes and forms, which operations do not. No page of ours has a field
for a card.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fondaco.gateway.errors import codes_of
from fondaco.gateway.house import House
from fondaco.gateway.oidc.pages import page, policy
from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound

BODY_MAX: Final = 256 * 1024  # an event of Stripe is a few kilobytes
BUTTONS: Final[Mapping[str, str]] = {
    "pay": "Pay",
    "later": "Pay by bank, later",
    "decline": "Have the card declined",
    "arrive": "The bank pays",
    "bounce": "The bank does not pay",
    "dispute": "Pay, then dispute it",
    "win": "The dispute is won",
    "lose": "The dispute is lost",
}
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Hearing(Protocol):
    async def take(self, provider: str, headers: Mapping[str, str], raw: bytes) -> str: ...


class Checkouts(Protocol):
    """The provider in this house: its pages."""

    def shown(self, session: str) -> dict[str, Any]: ...

    async def press(self, session: str, button: Any) -> str: ...


class Till(Protocol):
    """What app.py makes of the payments room for this door."""

    @property
    def intake(self) -> Hearing | None: ...

    @property
    def sandbox(self) -> Checkouts | None: ...


class PaymentsDoor:
    def __init__(self, house: House, till: Callable[[], Till]) -> None:
        self._house, self._till = house, till

    def routes(self) -> list[Route]:
        shown = "/sandbox/checkout/{session}"
        return [
            Route("/payments/webhooks/{provider}", self._told(self._webhook), methods=["POST"]),
            Route(shown, self._told(self._checkout), methods=["GET", "POST"]),
        ]

    def _told(
        self, act: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._house.rates.check(None, request.client.host if request.client else "")
                return await act(request)
            except FondacoError as error:
                # A provider takes 401 and 403 for a fault of its own set-up; 400 is "not believed".
                status = 400 if isinstance(error, Denied) else codes_of(error).http
                if request.url.path.startswith("/sandbox/"):
                    text = f"<h1>This cannot go on</h1><p>{escape(error.message)}</p>"
                    return _html(page("Checkout", text), status)
                return Response(error.code, status, _HEADERS, "text/plain")

        return answer

    # --- What the provider says -------------------------------------------------------------------

    async def _webhook(self, request: Request) -> Response:
        intake = self._till().intake
        if intake is None:
            raise NotFound("this house takes no payments")
        raw = await _body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = await intake.take(request.path_params["provider"], headers, raw)
        return Response(found, 200, _HEADERS, "text/plain")

    # --- The provider in this house ---------------------------------------------------------------

    async def _checkout(self, request: Request) -> Response:
        sandbox = self._till().sandbox
        if sandbox is None:
            raise NotFound("there is no sandbox here")
        session = request.path_params["session"]
        if request.method == "POST":
            button = (await _body(request)).decode("ascii", "replace").removeprefix("button=")
            if button not in BUTTONS:
                raise Invalid(f"there is no button {button[:20]!r}")
            there = await sandbox.press(session, button)
            here = f"/sandbox/checkout/{session}"
            return RedirectResponse(there or here, 303, headers=_HEADERS)
        found = await asyncio.to_thread(sandbox.shown, session)
        return _html(page("Checkout", _shown(found)), 200, found["success_url"])


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_MAX:
            raise Invalid(f"the body is above {BODY_MAX} bytes", code="too_large")
    return body


def _html(text: str, status: int, leads_to: str = "") -> Response:
    headers = {**_HEADERS, "content-security-policy": policy(leads_to)}
    return HTMLResponse(text, status, headers)


def _shown(session: Mapping[str, Any]) -> str:
    """The lines, the total, and the buttons that there are just now."""
    digits = session["digits"]
    rows = "".join(
        f"<li><span>{escape(text)}</span><code>{_money(amount, digits)}</code></li>"
        for text, amount in session["lines"]
    )
    currency, total = session["currency"].upper(), _money(session["amount_total"], digits)
    buttons = "".join(
        f'<button{" class=first" if name in ("pay", "arrive", "win") else ""} name="button" '
        f'value="{name}">{escape(_label(name, session["buttons"]))}</button>'
        for name in session["buttons"]
    )
    row = f'<form method="post"><div class="row">{buttons}</div></form>' if buttons else ""
    back = escape(session["cancel_url"], quote=True)
    return (
        f"<h1>{escape(session['title'])}</h1><p>A checkout of the sandbox: no money moves, and no "
        f"card is asked for. It stands at <b>{escape(session['says'])}</b>.</p><ul>{rows}"
        f"<li><span><b>Total</b></span><code>{total} {currency}</code></li></ul>{row}"
        f'<p><a href="{back}">Back to the house</a></p>'
    )


def _label(name: str, among: list[str]) -> str:
    return "Dispute it" if name == "dispute" and "pay" not in among else BUTTONS[name]


def _money(minor: int, digits: int) -> str:
    whole, part = divmod(abs(minor), 10**digits)
    text = f"{whole}.{part:0{digits}d}" if digits else str(whole)
    return f"-{text}" if minor < 0 else text
