"""What the gateway needs of a running house. app.py implements `House`; tests do so in memory.

All of it is called on the event loop's thread, except `reading` and `views_at`, which are called on
the gateway's reading threads.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from fondaco.domain.identity.model import Action
from fondaco.gateway.guard.rates import Rates
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Command, Instant, StreamId
from fondaco.runtime.committer import Answer


class Caller(Protocol):
    """Who is asking and what they may do. The identity room makes them; they are cached there."""

    @property
    def name(self) -> str:
        """Permanent: the user or key that asks."""
        ...

    @property
    def tenant(self) -> str: ...

    @property
    def scopes(self) -> frozenset[str]: ...

    @property
    def accounts(self) -> frozenset[str] | None:
        """Those of the tenant's that the caller is confined to; None: all of them."""
        ...


class House(Protocol):
    @property
    def draining(self) -> bool:
        """Whether it is closing: who waits for news is answered now."""
        ...

    def now(self) -> Instant:
        """Never goes back."""
        ...

    def authenticate(self, token: str, address: str = "") -> Caller:
        """Raises `Denied`, code "unauthenticated". Called for every request, so it is cached."""
        ...

    def signed(self, request: Any, address: str) -> Caller:
        """Whose signature a request bears: a `SignedRequest` of the identity room. Raises `Denied`,
        also for one that came before."""
        ...

    def redeem(self, ticket: str, address: str = "") -> Caller:
        """Whom a WebSocket's ticket was issued to, once. Raises `Denied`."""
        ...

    def changes(self) -> int:
        """Another number once somebody may have lost what they hold. Called for every request of a
        WebSocket."""
        ...

    def recheck(self, caller: Caller) -> None:
        """Raises `Denied` once the caller's key is revoked or has expired."""
        ...

    def authorise(
        self,
        caller: Caller,
        action: Action,
        accounts: Iterable[str],
        ask: Any,
        door: str,
        address: str,
    ) -> bool:
        """Raises `Denied`, or `NotFound` for an account that the caller may not know of. Every door
        asks this, and nothing else decides who may do what. Whether the answer is the same whatever
        else is asked of these accounts now, so that it need not be asked again at once."""
        ...

    async def noted(self, caller: Caller) -> None:
        """Until it is durable what the caller was allowed that others rely on. Raises
        `Unavailable`: then it must not be done."""
        ...

    def denied(self, caller: Caller | None, action: Action, error: FondacoError, door: str) -> None:
        """Told of every `Denied` that did not come from `authorise`."""
        ...

    def tenant_of(self, account_id: str) -> str | None:
        """Whose account this is; None where there is no such account."""
        ...

    def submit(self, stream: StreamId, command: Command) -> Answer:
        """A turn of the stream's owner, taken now. May raise `Unavailable`."""
        ...

    def pressure(self) -> FondacoError | None:
        """Why nothing new is taken on: the committer or the reactor is too far behind."""
        ...

    @property
    def rates(self) -> Rates:
        """How often who may ask."""
        ...

    def reading(self) -> AbstractContextManager[Any]:
        """A read-only connection to the views, of one state."""
        ...

    def views_at(self) -> int:
        """The position that every view has reached."""
        ...

    def source(self, name: str) -> Any:
        """What operations with this source are answered from: "market" the board, "journal" the
        journal, "house" whatever the room's `Do`s name as their Protocol."""
        ...


class Reading(msgspec.Struct, frozen=True):
    """What a `Look` is given: its source, and in whose name it looks."""

    source: Any  # a connection for "store", else what `House.source` gave
    journal: Any  # for "store": what views say is told from the journal
    tenant: str
    accounts: frozenset[str] | None
    at: Instant
