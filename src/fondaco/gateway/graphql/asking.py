"""What resolvers ask: operations, in the name of whoever sent the document.

Resolvers run beside the loop of the house. `Asking` takes each ask over to it, where `carry` does
what REST does, and brings back what JSON has of the answer. What was said of each is kept for the
`extensions` of the response.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from fondaco.gateway.carried import told
from fondaco.gateway.rest import JSON, Endpoint, Exchange
from fondaco.kernel.errors import FondacoError

Carry = Callable[[Endpoint, Mapping[str, Any], str], "Future[Exchange]"]
Listen = Callable[[Any, Mapping[str, Any]], "Future[Any]"]
Problem = Callable[[FondacoError, bool], Mapping[str, Any]]
HELD: Final = 202  # answered by `Held`: a second person must agree
STATUS: Final = "__status"  # no field of a reply is called so
_decode: Final = msgspec.json.decode
_TELLING: Final = {b"fondaco-approval": "approval", b"idempotent-replayed": "replayed"}


class Asked(msgspec.Struct, frozen=True):
    """A GraphQL request, as clients send it."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815  # so the specification calls it
    extensions: dict[str, Any] | None = None


class Sent(NamedTuple):
    """A request, and what is known about it besides."""

    asked: Asked
    is_known: bool  # whether somebody sends it whom we know
    carry: Carry
    problem: Problem  # what to say of an error; and whether it goes to the log
    key: str = ""  # Idempotency-Key
    only_reads: bool = False


class ProblemError(Exception):
    """An operation's problem (RFC 9457), as REST says it: what `extensions` of an error hold."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem["message"])
        self.extensions = dict(problem)


class Asking:
    """One document under way; graphql-core's context value."""

    def __init__(self, carry: Carry, key: str = "") -> None:
        """`key` is the Idempotency-Key of the request: each mutation has its own part of it."""
        self._carry = carry
        self._key = key
        self.single = True  # whether the document changes one thing at most
        self.listen: Listen | None = None  # where something may be subscribed to
        self.said: list[dict[str, Any]] = []
        self.loaders: dict[Any, Loader] = {}

    async def ask(
        self, endpoint: Endpoint, fields: Mapping[str, Any], path: Sequence[str | int] = ()
    ) -> Any:
        """What REST answers, decoded. Raises `ProblemError`."""
        key = self._key
        if key and not self.single:
            key = f"{key}/{path[0]}"
        exchange = await asyncio.wrap_future(self._carry(endpoint, fields, key))
        response = exchange.response
        said: dict[str, Any] = {
            "operation": endpoint.operation.name,
            "status": response.status,
            "request_id": exchange.request_id,
        }
        for name, value in response.headers:
            if name in _TELLING:
                said[_TELLING[name]] = value.decode()
        self.said.append({"path": list(path), **said} if path else said)
        if response.status >= 400:
            raise ProblemError(_decode(response.body))
        if response.media_type != JSON:
            return told(response)
        if not response.body:
            return {}
        content = _decode(response.body)
        if response.status == HELD:
            content[STATUS] = HELD
        return content

    def loader(self, key: Any, load: Callable[[list[Any]], Awaitable[Mapping[Any, Any]]]) -> Any:
        """The one that is made for `key` within this document."""
        found = self.loaders.get(key)
        if found is None:
            found = self.loaders[key] = Loader(load)
        return found


class Resolving(Protocol):
    """What of graphql-core's `GraphQLResolveInfo` a resolver here needs."""

    @property
    def context(self) -> Asking: ...

    @property
    def path(self) -> Any: ...


class Loader:
    """Gathers what is wanted within one turn of the loop, and asks for it once."""

    def __init__(self, load: Callable[[list[Any]], Awaitable[Mapping[Any, Any]]]) -> None:
        self._load = load
        self._found: dict[Any, asyncio.Future[Any]] = {}
        self._wanted: list[Any] = []
        self._task: asyncio.Task[None] | None = None

    def get(self, key: Any) -> "asyncio.Future[Any]":
        """What `load` found under it; None where it found nothing."""
        found = self._found.get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            found = self._found[key] = loop.create_future()
            if not self._wanted:
                loop.call_soon(self._begin)
            self._wanted.append(key)
        return found

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._ask(self._wanted))
        self._wanted = []

    async def _ask(self, wanted: list[Any]) -> None:
        try:
            found = await self._load(wanted)
        except ProblemError as error:
            for key in wanted:
                self._found[key].set_exception(error)
                self._found[key].exception()  # heard, even where nobody waits any more
            return
        for key in wanted:
            value = found.get(key)
            if isinstance(value, ProblemError):
                self._found[key].set_exception(value)
                self._found[key].exception()
            else:
                self._found[key].set_result(value)
