"""The door for agents, which is read from disk and opened when the first of them comes."""

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from fondaco import __version__
from fondaco.app.answering import House
from fondaco.gateway.door import Door
from fondaco.gateway.mcp import places
from fondaco.settings import Settings


def agents_door(house: House, settings: Settings) -> Callable[[Door], Sequence[BaseRoute]]:
    """What a `Door` is given, to serve this one beside it."""

    def served(door: Door) -> Sequence[BaseRoute]:
        def opened() -> places.Application:
            from fondaco.gateway.mcp.http import McpDoor
            from fondaco.gateway.mcp.server import Server

            server = Server(house, door.endpoints, __version__)
            house.kernel.listeners.append(server.news.publish)
            return McpDoor(server, door, frozenset(settings.mcp_origins.split()))

        return places.routes(opened, lambda: str(house.source("issuer").url))

    return served
