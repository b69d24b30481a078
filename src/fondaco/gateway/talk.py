"""What every WebSocket session has in common: who talks, what is asked, and how errors are said.

A peer is known by the header Authorization, by a single-use ticket (`?ticket=…`), or by its first
message, `{"op":"auth","token":"…"}`, for which it has a moment. Its key is looked at again now and
then: who was revoked is cut off, and what they ask before is denied at once.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fondaco.domain.identity.model import Action
from fondaco.gateway.context import Context
from fondaco.gateway.errors import Problem, problem_of
from fondaco.gateway.house import Caller
from fondaco.gateway.rest import bearer
from fondaco.gateway.sockets import Socket
from fondaco.kernel.errors import Denied, FondacoError, Invalid, Unavailable

AUTH_WITHIN_S: Final = 10.0
RECHECK_S: Final = 15.0
UNAUTHENTICATED: Final = 4401  # close codes: an HTTP status, and a thousand times four
SLOW: Final = 4008
Id = int | str | None
_encode: Final = msgspec.json.Encoder().encode


class Auth(msgspec.Struct, frozen=True, tag_field="op", tag="auth", forbid_unknown_fields=True):
    token: str
    id: Id = None


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping", forbid_unknown_fields=True):
    id: Id = None


class Done(msgspec.Struct, frozen=True, omit_defaults=True):
    """An ask was heard, and there is nothing more to say."""

    id: Id
    status: int
    op: str = ""


class Failed(msgspec.Struct, frozen=True):
    """The same `error` as over HTTP."""

    id: Id
    status: int
    error: Problem


class _Named(msgspec.Struct):
    id: Id = None


_named: Final = msgspec.json.Decoder(_Named)


class Talk:
    """One peer. `action` is what it must be allowed to do."""

    action = Action("gateway.none", "", reads=True, second=False)

    def __init__(
        self,
        context: Context,
        socket: Socket,
        headers: Mapping[str, str],
        query: dict[str, list[str]],
        users: dict[str, int],
        per_user_max: int,
    ) -> None:
        """Raises `Denied` for a header or a ticket that stands for nobody."""
        self.context = context
        self.house = context.house
        self.socket = socket
        self.caller: Caller | None = None
        self._as_of = -1  # what `House.changes` said when the caller was looked at last
        self.correlation_id = context.names.next()
        self.pressure: FondacoError | None = None
        self._is_closed = False
        self._users = users
        self._per_user_max = per_user_max
        if "authorization" in headers:
            token = bearer(headers["authorization"].encode())
            self.admit(self.house.authenticate(token, socket.address))
        elif "ticket" in query:
            self.admit(self.house.redeem(query["ticket"][0], socket.address))
        socket.loop.call_later(AUTH_WITHIN_S, self._must_be_known)

    def admit(self, caller: Caller) -> None:
        self.house.authorise(caller, self.action, (), None, "ws", self.socket.address)
        count = self._users.get(caller.name, 0)
        if count >= self._per_user_max:
            raise Unavailable(f"{count} connections of {caller.name} are open; close some")
        self._users[caller.name] = count + 1
        self.caller = caller

    def begin(self) -> None:
        self.pressure = self.house.pressure()

    def writable(self) -> None:
        """Nothing to do."""

    def closed(self) -> None:
        self._is_closed = True
        if self.caller is not None:
            self._users[self.caller.name] -= 1
            if not self._users[self.caller.name]:
                del self._users[self.caller.name]

    def known(self) -> Caller:
        if self.caller is None:
            raise Denied('say who you are first: {"op":"auth","token":"…"}', code="unauthenticated")
        changes = self.house.changes()
        if changes != self._as_of:
            self.house.recheck(self.caller)
            self._as_of = changes
        return self.caller

    def handle_auth(self, ask: Auth) -> None:
        if self.caller is not None:
            raise Invalid("you are known already")
        self.admit(self.house.authenticate(ask.token, self.socket.address))
        self.say(Done(ask.id, 200, "auth"))

    def say(self, message: Any) -> None:
        self.socket.tell(_encode(message))

    def fail(self, ask_id: Id, error: FondacoError, *, was_submitted: bool = False) -> None:
        if isinstance(error, Denied):
            self.house.denied(self.caller, self.action, error, "ws")
        problem = problem_of(
            error, self.context.names.next(), self.correlation_id, was_submitted=was_submitted
        )
        self.socket.tell(_encode(Failed(ask_id, problem.status, problem)))

    def malformed(self, message: bytes, error: Exception) -> None:
        """Under its id, if that can be read at all."""
        try:
            ask_id = _named.decode(message).id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            ask_id = None
        self.fail(ask_id, Invalid(str(error)))

    def _must_be_known(self) -> None:
        socket = self.socket
        if self._is_closed:
            return
        if self.caller is None:
            socket.close(UNAUTHENTICATED, "nobody said who they are")
            return
        try:
            self.house.recheck(self.caller)
        except Denied as error:
            socket.close(UNAUTHENTICATED, error.message)
        else:
            socket.loop.call_later(RECHECK_S, self._must_be_known)
