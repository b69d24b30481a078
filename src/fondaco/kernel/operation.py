"""An operation is one thing that can be asked of us, declared once and rendered by every door.

An `Ask` becomes a command to one stream and is answered from the entries that it left; a `Look` is
answered from views or from memory and changes nothing; a `Do` is for records: rows in the store
that change in one transaction, and for what the house does to itself.

All parameters of an operation are fields of its `request`: those named in the path come from the
path, the others from the query string (GET, DELETE) or the JSON body (POST, PUT, PATCH).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec

from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Command, Entry, Instant, StreamId

Q = TypeVar("Q", bound=msgspec.Struct)
A = TypeVar("A")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What the door adds to a request. None of it is part of a retry's fingerprint."""

    at: Instant
    request_id: str
    caller: str  # the user or key that asks
    tenant: str
    idempotency_key: str = ""
    # The entry that has the house do this, "approvals/acme@7"; "" where somebody outside asks.
    cause: str = ""
    address: str = ""  # where the request came from


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Answered with 202: nothing was done, because a second person must agree first."""

    approval_id: str
    operation: str
    state: str
    message: str  # who may agree, until when, and how
    expires_at: str  # nanoseconds since 1970, UTC


class Answered(msgspec.Struct, frozen=True):
    """A reply that does not leave as its operation's usual one. `status` 0: the usual one."""

    reply: Any
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Q, A]):
    """What REST, GraphQL, WebSocket, MCP and the command line all need to know about one ask."""

    name: str  # permanent and public: operationId, MCP tool, GraphQL field: "trading.place_order"
    summary: str  # one sentence: the help text behind every door
    method: Method
    path: str  # bare, as the documents name it: "/orders/{order_id}"; doors add /api and /api/v1
    request: type[Q]
    reply: type[A]
    scope: str  # what the caller must hold; "" is open to everybody
    errors: tuple[type[FondacoError], ...] = ()  # of its own; any may also be Invalid, Denied …
    aliases: tuple[tuple[Method, str], ...] = ()  # other paths to the same thing
    account: Callable[[Q], str | None] | None = None  # the account it concerns, for authorisation
    status: int = 200
    media_type: str = "application/json"  # "text/csv": `reply` is str
    needs_second: bool = False  # a second person must agree, where the house is not one person's
    secret: bool = False  # its request or reply holds a secret: doors keep nothing of either
    # Replies carry an ETag, and a request's field `version` may be said as If-Match instead.
    versioned: bool = False
    bare: bool = False  # also served without /api, because a document names it so
    # Fields that an example sets beside those that a request must have.
    example: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Operation[Q, A]):
    """Becomes a command."""

    stream: Callable[[Q], StreamId]
    command: Callable[[Q, Stamp], Command]
    answer: Callable[[Q, tuple[Entry, ...]], A]  # of the entries that the command left; may raise
    hot: bool = False  # asked so often that every door reaches it before anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Operation[Q, A]):
    """Reads. `answer` is given what the room's `room.py` bound it to (a store connection, a board)
    by the door, on a thread where `on_loop` is false."""

    source: str  # "store", "market", "journal", "house": what `answer` is given
    answer: Callable[[Q, Any], A]
    on_loop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Do(Operation[Q, A]):
    """Neither: an awaitable of the house, such as several commands in one request."""

    source: str
    answer: Callable[[Q, Stamp, Any], Awaitable[A]]
    # Where a second person must agree: raises what is wrong before anybody is asked to.
    check: Callable[[Q, Stamp, Any], Awaitable[None]] | None = None
    # The user whom it is about, who may ask for it without its scope; another agrees.
    own: Callable[[Q], str] | None = None
