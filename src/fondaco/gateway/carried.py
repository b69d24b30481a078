"""One operation for one caller, from any door that is not hot: GraphQL, MCP, and what comes later.

A door finds out who asks (`known`), which endpoint of the `Door` is meant, and which fields its
request has; `carry` does the rest as REST does, step by step: rate, pressure, fields, scope and
account, Idempotency-Key, `min_position`, and the same bytes of the answer or of the problem.
"""

from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fondaco.gateway.context import Context
from fondaco.gateway.house import Caller
from fondaco.gateway.rest import (
    Endpoint,
    Exchange,
    Headers,
    Response,
    bearer,
    of_cookie,
    unforeseen,
)
from fondaco.kernel.errors import Denied, FondacoError

_TEXTS: Final = (
    b"text/",
    b"application/json",
    b"application/problem+json",
    b"application/x-ndjson",
)
_NO_HEADERS: Final[Headers] = MappingProxyType({})


async def carry(
    endpoint: Endpoint,
    caller: Caller | None,
    fields: Mapping[str, Any],
    *,
    key: str = "",
    within: Exchange | None = None,
    address: str = "",
    door: str,
) -> Exchange:
    """Never raises for what is asked: `response` of what is returned is REST's, with its status,
    and `request_id` is this operation's own.

    `fields` are as JSON has them, `key` is an Idempotency-Key, `within` the request that this one
    is a part of: they share address, correlation and trace. `door` is what policies and the journal
    are told. The tally, the log and the journal hear
    of it as of any request. None as caller may do what is open to everybody."""
    exchange = Exchange(endpoint, _NO_HEADERS, _answered)
    exchange.address, exchange.door = address, door
    if within is not None:
        exchange.address = within.address
        exchange.correlation_id, exchange.given = within.correlation_id, within.given
    exchange.caller = caller
    try:
        endpoint.take(caller, exchange.address)
        if caller is None:
            endpoint.check_open()
        exchange.ask = ask = endpoint.read(fields)
        endpoint.authorise(caller, ask, door, exchange.address)
        response = await endpoint.reply(exchange, key.encode() if key else None)
    except FondacoError as error:
        response = exchange.problem(error)
    except Exception as error:  # A poison request fails alone.
        response = exchange.problem(unforeseen(error))
    exchange.finish(response)
    return exchange


def known(
    context: Context, headers: Headers, address: str, *, changes: bool = True
) -> Caller | None:
    """Who sends these headers; None where they name nobody. Raises `Denied` for a token that
    nobody has. `changes` is off for a request that cannot change anything (GET): a cookie then
    needs no X-CSRF-Token."""
    house = context.house
    try:
        if (authorization := headers.get(b"authorization")) is not None:
            return house.authenticate(bearer(authorization), address)
        if b"cookie" in headers:
            return of_cookie(house, headers, changes=changes, needed=True)
    except Denied:
        house.rates.check(None, address)  # who guesses asks, too
        raise
    return None


def told(response: Response) -> str:
    """A body for a door that carries text: one of bytes, such as a PDF, as base64 (RFC 4648)."""
    if response.media_type.startswith(_TEXTS):
        return response.body.decode()
    return b64encode(response.body).decode()


def _answered(_: Exchange) -> None:
    """The response is awaited, not called back."""
