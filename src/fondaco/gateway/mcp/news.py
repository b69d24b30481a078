"""Who is told that a resource has changed: "updated", never what it says now.

News of an account are its entries, as they are committed. A client that does not read is told of a
resource once, however often it has changed meanwhile.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from fondaco.gateway.house import Caller
from fondaco.gateway.mcp.resources import found_at
from fondaco.kernel.event import Entry, StreamId

URIS_MAX: Final = 100  # of one client
_ACCOUNT: Final = "account/"
_APPROVALS: Final = "approvals/"


class Listener:
    """One client, and what it wants to hear of."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.uris: set[str] = set()
        self.changed: dict[str, None] = {}
        self.wakes = asyncio.Event()

    def tell(self, uri: str) -> None:
        self.changed[uri] = None
        self.wakes.set()

    def take(self) -> list[str]:
        found = list(self.changed)
        self.changed.clear()
        self.wakes.clear()
        return found


class News:
    def __init__(self) -> None:
        self._by_stream: dict[StreamId, dict[tuple[Listener, str], str]] = {}

    def publish(self, entries: Iterable[Entry]) -> None:
        """Called for whatever was committed; costs nothing while nobody listens."""
        by_stream = self._by_stream
        if not by_stream:
            return
        for entry in entries:
            for (listener, uri), order in by_stream.get(entry.stream, {}).items():
                number = getattr(entry.event, "number", None)
                if not order or number is None or str(number) == order:
                    listener.tell(uri)

    def follow(self, listener: Listener, uri: str) -> None:
        stream, order = _source_of(listener.caller, uri)
        listener.uris.add(uri)
        if stream:
            self._by_stream.setdefault(stream, {})[listener, uri] = order

    def leave(self, listener: Listener, uri: str) -> None:
        listener.uris.discard(uri)
        stream, _ = _source_of(listener.caller, uri)
        held = self._by_stream.get(stream, {})
        held.pop((listener, uri), None)
        if not held:
            self._by_stream.pop(stream, None)

    def end(self, listener: Listener) -> None:
        for uri in list(listener.uris):
            self.leave(listener, uri)
        listener.wakes.set()


def _source_of(caller: Caller, uri: str) -> tuple[StreamId, str]:
    """The stream whose entries change it, and the number of the order where only that counts."""
    found = found_at(uri)
    if found is None or not found[0].follows:
        return StreamId(""), ""
    resource, fields = found
    if resource.follows == "approvals":
        return StreamId(_APPROVALS + caller.tenant), ""
    account, _, number = fields.get("order_id", fields.get("account_id", "")).partition(".")
    return StreamId(_ACCOUNT + account), number
