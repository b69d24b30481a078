"""Operations asked for an agent, as every other door asks them."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from fondaco.gateway.carried import carry
from fondaco.gateway.house import Caller
from fondaco.gateway.rest import Endpoint, Response


class Asker(Protocol):
    """Who asks, and from where."""

    @property
    def caller(self) -> Caller: ...

    @property
    def address(self) -> str: ...


class Asking:
    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = {each.operation.name: each for each in endpoints}

    def __contains__(self, operation: str) -> bool:
        return operation in self._endpoints

    def endpoint(self, operation: str) -> Endpoint:
        return self._endpoints[operation]

    def may(self, caller: Caller, operation: str) -> bool:
        scope = self._endpoints[operation].operation.scope
        return not scope or scope in caller.scopes

    async def ask(self, peer: Asker, operation: str, fields: Mapping[str, Any]) -> Response:
        """What the operation answers these fields; an error is a `Problem`."""
        endpoint = self._endpoints[operation]
        done = await carry(endpoint, peer.caller, fields, address=peer.address, door="mcp")
        return done.response
