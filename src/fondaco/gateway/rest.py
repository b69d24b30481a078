"""Operations rendered as HTTP: from headers, path, query and body to a response.

An `Endpoint` is one operation behind one door. `Exchange` is one request of a hot one: its turn is
taken while the request is read, and what follows is a callback of the commit, without a task. Both
go through the same steps, so that they answer alike: who asks, what is asked, may they, and only
then the house.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec.structs import replace

from fondaco.domain.identity.model import Action, is_lent
from fondaco.gateway import cookies, idempotency
from fondaco.gateway.context import Context
from fondaco.gateway.editions import FIRST, Edition
from fondaco.gateway.errors import problem_of
from fondaco.gateway.guard import caching
from fondaco.gateway.guard.rates import Limited
from fondaco.gateway.house import Caller, House
from fondaco.gateway.idempotency import Kept
from fondaco.gateway.looking import look, off_loop
from fondaco.gateway.tally import SAMPLE_EVERY, Example, Tally
from fondaco.gateway.unread import told
from fondaco.kernel import trace
from fondaco.kernel.errors import (
    Conflict,
    Corrupt,
    Denied,
    FondacoError,
    Invalid,
)
from fondaco.kernel.event import Entry, Instant, fingerprint
from fondaco.kernel.operation import Answered, Ask, Do, Look, Operation, Stamp
from fondaco.runtime.committer import Outcome
from fondaco.runtime.tracing.rows import Request

JSON: Final = b"application/json"
PROBLEM_JSON: Final = b"application/problem+json"
_ID: Final = re.compile(rb"[A-Za-z0-9_.:/+=-]{1,128}").fullmatch
_VERSION: Final = re.compile(rb'"([0-9]{1,9})"').fullmatch  # a strong tag
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_encode: Final = msgspec.json.Encoder().encode
Headers = Mapping[bytes, bytes]


class Response(NamedTuple):
    status: int
    media_type: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Exchange:
    """One request. `respond` is called once, with what its sender gets."""

    __slots__ = (
        "address",
        "ask",
        "caller",
        "correlation_id",
        "door",
        "endpoint",
        "given",
        "noted",
        "request_id",
        "respond",
        "response",
        "span_id",
        "started",
        "trace_id",
        "was_submitted",
    )

    def __init__(
        self, endpoint: "Endpoint", headers: Headers, respond: Callable[["Exchange"], None]
    ) -> None:
        self.endpoint = endpoint
        self.respond = respond
        self.started = time.perf_counter()
        self.was_submitted = False
        self.address = ""
        self.door = "rest"
        self.caller: Caller | None = None
        self.ask: Any = None
        given = headers.get(b"x-request-id")
        name = given.decode() if given and _ID(given) else endpoint.context.names.next()
        self.request_id = name
        given = headers.get(b"x-correlation-id")
        if not given or not _ID(given):
            given = None
        self.correlation_id = name if given is None else given.decode()
        self.trace_id = self.span_id = ""
        self.given: trace.Given | None = None
        self.noted: Request | None = None
        if given is not None or b"traceparent" in headers:
            self.given = trace.given(headers, given)
        self.response = _NOTHING

    def begin(self, headers: Headers, body: bytes, address: str) -> None:
        """Take the turn now; `respond` is called after its commit, or at once with an error."""
        endpoint, self.address = self.endpoint, address
        try:
            check_media_type(headers)
            self.caller = caller = endpoint.admit(headers, address)
            self.ask = ask = endpoint.decode(body)
            endpoint.authorise(caller, ask, "rest", address)
            answer = endpoint.submit(ask, self.stamp(caller or NOBODY, ""))
        except FondacoError as error:
            self.fail(error)
        except Exception as error:  # A poison request fails alone.
            self.fail(unforeseen(error))
        else:
            self.was_submitted = True
            answer.then(self._settled)

    def stamp(self, caller: Caller, key: str) -> Stamp:
        context = self.endpoint.context
        key = blake2b(key.encode(), digest_size=16).hexdigest() if key else context.names.next()
        at = context.house.now()
        if self.given is not None or self.endpoint.is_several:
            self._note(at)
        return Stamp(at, self.request_id, caller.name, caller.tenant, key, address=self.address)

    def _note(self, at: Instant) -> None:
        operation = self.endpoint.operation
        named = self.given or trace.Given(trace.trace_of_correlation(self.correlation_id))
        self.trace_id, self.span_id = named.trace_id, trace.request_span(at)
        has_end = self.endpoint.is_several
        self.noted = Request(
            at,
            named.trace_id,
            named.parent_id,
            self.correlation_id,
            operation.name,
            has_end,
        )
        self.endpoint.context.note(self.noted)

    def left(self, entries: tuple[Entry, ...]) -> None:
        """Be part of the trace that they tell, where the caller has named none."""
        if entries and not self.trace_id:
            first = entries[0]
            self.trace_id = trace.trace_of(first.stream, first.caused_by)
            self.span_id = trace.request_span(first.at)

    @property
    def traceparent(self) -> str:
        """For the response. What left no entry is named after its ids."""
        if not self.span_id:
            named = self.given or trace.Given(trace.trace_of_correlation(self.correlation_id))
            self.trace_id = named.trace_id
            self.span_id = trace.span_named(self.request_id)
        return trace.traceparent(self.trace_id, self.span_id)

    def _settled(self, outcome: Outcome) -> None:
        if isinstance(outcome, FondacoError):
            self.fail(outcome)
            return
        self.left(outcome)
        endpoint = self.endpoint
        try:
            reply = endpoint.operation.answer(self.ask, outcome)
        except FondacoError as error:
            self.fail(error)
        except Exception as error:
            self.fail(unforeseen(error))
        else:
            self.finish(Response(endpoint.status, JSON, _encode(reply), endpoint.more))

    def finish(self, response: Response) -> None:
        endpoint = self.endpoint
        rates = endpoint.context.house.rates
        told = rates.headers(self.caller, self.address, if_scarce=endpoint.is_hot)
        if told and response.status != 429:  # which says so itself
            response = response._replace(headers=response.headers + told)
        self.response = response
        seconds = time.perf_counter() - self.started
        tally = endpoint.tally
        tally.add(response.status, seconds)
        tally.left -= 1
        if tally.left <= 0:
            example = Example(self.traceparent[3:35], seconds, time.time())
            tally.show(example, SAMPLE_EVERY if endpoint.is_hot else 1)
        if self.noted is not None and self.noted.has_end:
            ended = Instant(self.noted.at + int(seconds * 1e9))
            endpoint.context.note(replace(self.noted, ended=ended, status=response.status))
        log = endpoint.context.log
        if response.status >= log.status_min:
            log.request(self, response.status, seconds)
        self.respond(self)

    def fail(self, error: FondacoError) -> None:
        self.finish(self.problem(error))

    def problem(self, error: FondacoError) -> Response:
        problem = problem_of(
            error, self.request_id, self.correlation_id, was_submitted=self.was_submitted
        )
        codes = self.endpoint.tally.codes
        codes[problem.code] = codes.get(problem.code, 0) + 1
        if isinstance(error, Denied):
            endpoint = self.endpoint
            endpoint.context.house.denied(self.caller, endpoint.action, error, self.door)
        if problem.status >= 500:
            self.endpoint.context.log.error(self, error)
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if problem.status in (429, 503):
            after = error.details.get("retry_after_s", 1)  # also of who guesses passwords
            headers = ((b"retry-after", str(after).encode()),)
            if isinstance(error, Limited):
                headers += error.headers
        elif problem.status == 401:
            headers = ((b"www-authenticate", b"Bearer"),)
        elif problem.status == 405:
            headers = ((b"allow", str(error.details.get("allow", "")).encode()),)
        headers += self.endpoint.more
        return Response(problem.status, PROBLEM_JSON, _encode(problem), headers)


def _numbers_in(operation: Operation[Any, Any]) -> frozenset[str]:
    """What an operation's path names that is a whole number."""
    if "{" not in operation.path:
        return frozenset()
    return frozenset(
        each.encode_name
        for each in msgspec.structs.fields(operation.request)
        if f"{{{each.encode_name}}}" in operation.path
        and isinstance(msgspec.inspect.type_info(each.type), msgspec.inspect.IntType)
    )


class Endpoint:
    """One operation behind this door."""

    def __init__(
        self, operation: Operation[Any, Any], context: Context, edition: Edition = FIRST
    ) -> None:
        self.operation: Any = operation
        self.context = context
        self.edition = edition
        self.more = edition.headers
        self._editions: dict[int, Endpoint] = {}
        self.tally = Tally()
        self.status = operation.status
        self.media_type = operation.media_type.encode()
        self.is_hot = isinstance(operation, Ask) and operation.hot and not edition.changes
        self.is_several = isinstance(operation, Do)  # commands, or none
        self.has_body = operation.method in ("POST", "PUT", "PATCH")
        self._decoder = msgspec.json.Decoder(operation.request)
        # Beside a body, whose numbers are no texts, those in a path still are.
        self._numbers = _numbers_in(operation) if self.has_body else frozenset()
        self._only_reads = isinstance(operation, Look) or operation.method == "GET"
        self._is_kept = operation.method == "GET" and caching.is_kept(
            operation.name, secret=operation.secret
        )
        self._scope = operation.scope
        self.action = Action(
            operation.name, operation.scope, self._only_reads, operation.needs_second
        )
        self._account = operation.account
        self._accounts = hasattr(operation.request, "account_ids")  # several, to be checked each

    def of(self, edition: Edition) -> "Endpoint":
        """The same as a version of the API has it. What is counted is counted together."""
        if edition is self.edition:
            return self
        found = self._editions.get(edition.major)
        if found is None:
            found = self._editions[edition.major] = Endpoint(self.operation, self.context, edition)
            found.tally = self.tally
        return found

    # The steps that all requests take, in this order

    def admit(self, headers: Headers, address: str, signer: Caller | None = None) -> Caller | None:
        """Who is asking; `signer` where that is known already. Raises `Denied`, or `Unavailable`
        while nothing new is taken on; to read is nothing new."""
        house = self.context.house
        authorization = headers.get(b"authorization")
        caller = signer
        if caller is None and authorization is None and b"cookie" in headers:
            changes = self.operation.method != "GET"
            caller = of_cookie(house, headers, changes=changes, needed=bool(self._scope))
        if caller is None and (authorization is not None or self._scope):
            try:
                caller = house.authenticate(bearer(authorization), address)
            except Denied:
                house.rates.check(None, address)  # who guesses asks, too
                raise
        if caller is not None:
            self.context.uses.count(caller, self.edition.major)
        self.take(caller, address)
        return caller

    def _signer(self, signed: Callable[[], Caller], address: str) -> Caller:
        try:
            return signed()
        except Denied:
            self.context.house.rates.check(None, address)  # who guesses asks, too
            raise

    def take(self, caller: Caller | None, address: str) -> None:
        """Raises `Unavailable` for who asks too often, and while nothing new is taken on."""
        house = self.context.house
        house.rates.check(caller, address)
        if not self._only_reads:
            pressure = house.pressure()
            if pressure is not None:
                raise pressure

    def decode(self, body: bytes) -> Any:
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise Invalid(told(self.operation.request, error)) from error
        except (RecursionError, UnicodeDecodeError) as error:
            raise Invalid(f"the body is no JSON that we read: {error}") from error

    def convert(self, path: Mapping[str, Any], query: bytes, body: bytes) -> Any:
        """The request of an operation with parameters elsewhere than in its body."""
        if self.has_body and not path:
            if query:
                raise Invalid("parameters of this request belong in its body, not in the query")
            if not self.edition.changes:
                return self.decode(body or b"{}")
        try:
            if self.has_body:
                found = msgspec.json.decode(body or b"{}", type=dict[str, Any])
            else:
                pairs = parse_qsl(query.decode("latin-1"), True, errors="strict", max_num_fields=64)
                found = dict(pairs)
                if len(found) != len(pairs):
                    raise Invalid("a parameter is given twice in the query")
            if twice := found.keys() & path.keys():
                raise Invalid(f"{', '.join(sorted(twice))} is given twice: the path says it")
            if self._numbers:
                path = {n: self._number(n, each) for n, each in path.items()}
            found = self.edition.request({**found, **path}, self.operation)
            return self.read(found, strict=self.has_body)
        except msgspec.MsgspecError as error:
            raise Invalid(told(self.operation.request, error)) from error
        except (RecursionError, ValueError) as error:
            raise Invalid(f"the request cannot be read: {error}") from error

    def _number(self, name: str, value: Any) -> Any:
        is_number = name in self._numbers and isinstance(value, str) and value.isdecimal()
        return int(value) if is_number else value

    def _seen(self, path: Mapping[str, Any], headers: Headers) -> Mapping[str, Any]:
        """Which version a change is of, where If-Match says it (RFC 9110, 13.1.1)."""
        if not self.operation.versioned or b"if-match" not in headers or not self.has_body:
            return path
        given = headers[b"if-match"].strip()
        found = _VERSION(given)
        if found is None:
            raise Invalid(
                f"If-Match is {given[:60].decode('latin-1')}, must be one version as the ETag of "
                'a reply said it: "3"'
            )
        return {**path, "version": int(found[1])}

    def check_open(self) -> None:
        """Raises `Denied` where nobody unknown may ask this."""
        if self._scope:
            bearer(None)

    def read(self, fields: Mapping[str, Any], *, strict: bool = True) -> Any:
        """The request whose fields these are. `strict` is off where all of them came as text."""
        try:
            return msgspec.convert(fields, self.operation.request, strict=strict)
        except msgspec.MsgspecError as error:
            raise Invalid(told(self.operation.request, error)) from error
        except (RecursionError, ValueError) as error:
            raise Invalid(f"the request cannot be read: {error}") from error

    def authorise(
        self,
        caller: Caller | None,
        ask: Any,
        door: str = "rest",
        address: str = "",
        scope: str | None = None,
    ) -> bool:
        """Raises `Denied`, and `NotFound` for what is another tenant's; see `House.authorise`.
        `scope` is asked for instead of the operation's where it is only proposed."""
        accounts: Iterable[str] = ()
        if self._account is not None:
            account_id = self._account(ask)
            if account_id is not None:
                accounts = (account_id,)
        elif self._accounts:
            accounts = ask.account_ids
        house, action = self.context.house, self.action
        if scope is not None and scope != action.scope:
            action = action._replace(scope=scope)
        return house.authorise(caller or NOBODY, action, accounts, ask, door, address)

    def submit(self, ask: Any, stamp: Stamp) -> Any:
        operation = self.operation
        return self.context.house.submit(operation.stream(ask), operation.command(ask, stamp))

    # The long way, for whatever is not hot

    async def serve(
        self,
        exchange: Exchange,
        headers: Headers,
        path: Mapping[str, str],
        query: bytes,
        body: bytes,
        address: str,
        signed: Callable[[], Caller] | None = None,
    ) -> Response:
        """What the sender gets; also says so to the tally and the log."""
        exchange.address = address
        try:
            if self.has_body and body:
                check_media_type(headers)
            signer = self._signer(signed, address) if signed else None
            exchange.caller = caller = self.admit(headers, address, signer)
            exchange.ask = ask = self.convert(self._seen(path, headers), query, body)
            self.authorise(caller, ask, "rest", address)
            response = await self.reply(exchange, headers.get(b"idempotency-key"))
        except FondacoError as error:
            response = exchange.problem(error)
        except Exception as error:  # A poison request fails alone.
            response = exchange.problem(unforeseen(error))
        if response.media_type in (JSON, PROBLEM_JSON):
            response = response._replace(body=self.edition.reply(response.body))
        return self._tagged(response, exchange.caller or NOBODY, headers)

    def _tagged(self, response: Response, caller: Caller, headers: Headers) -> Response:
        """With an ETag where it may be kept; 304 where the sender has it already."""
        if not self._is_kept or response.status != 200:
            return response
        if any(name == b"etag" for name, _ in response.headers):
            return response
        tag = caching.tag_of(caller, response.body)
        more = (*response.headers, (b"etag", tag), *caching.HEADERS)
        asked = headers.get(b"if-none-match")
        if asked is not None and caching.is_same(asked, tag):
            return Response(304, response.media_type, b"", more)
        return response._replace(headers=more)

    # What follows is the same for every door that is not hot

    async def reply(self, exchange: Exchange, key: bytes | None) -> Response:
        """To who may ask what the exchange says; `key` is the Idempotency-Key."""
        caller = exchange.caller
        if caller is not None and (self.action.is_privileged or is_lent(caller.name)):
            await self.context.house.noted(caller)
        if key is not None and caller is not None and self.operation.method != "GET":
            return await self._once(exchange, caller, idempotency.key_of(key))
        return await self._answer(exchange, caller or NOBODY, "")

    async def _once(self, exchange: Exchange, caller: Caller, key: str) -> Response:
        context = self.context
        name = f"{caller.tenant}/{caller.name}/{self.operation.name}/{key}"
        is_secret = self.operation.secret
        content = idempotency.WITHHELD if is_secret else fingerprint(exchange.ask)
        if name in context.in_use:
            raise Conflict(
                "the first request with this Idempotency-Key is under way; ask again",
                code="idempotency_key_in_use",
            )
        context.in_use.add(name)
        try:
            kept = await off_loop(context.readers, context.replies.get, name)
            if kept is not None:
                kept = idempotency.replayed(kept, content)
                more = (REPLAYED, *self.more)
                return Response(kept.status, kept.media_type.encode(), kept.body, more)
            try:
                response = await self._answer(exchange, caller, key)
            except FondacoError as error:
                response = exchange.problem(error)
                if is_secret or not idempotency.is_kept(error):
                    return response
            body = b"" if is_secret else response.body
            kept = Kept(content, response.status, response.media_type.decode(), body)
            await off_loop(context.readers, context.replies.put, name, kept, context.house.now())
            return response
        finally:
            context.in_use.discard(name)

    async def _answer(self, exchange: Exchange, caller: Caller, key: str) -> Response:
        operation, ask, house = self.operation, exchange.ask, self.context.house
        if isinstance(operation, Ask):
            answer = self.submit(ask, exchange.stamp(caller, key))
            exchange.was_submitted = True
            entries = await answer
            exchange.left(entries)
            reply = operation.answer(ask, entries)
        elif isinstance(operation, Do):
            stamp = exchange.stamp(caller, key)
            exchange.was_submitted = True
            reply = await operation.answer(ask, stamp, house.source(operation.source))
        else:
            reply = await look(house, self.context.readers, operation, ask, caller)
        status, more = self.status, self.more
        if isinstance(reply, Answered):
            status, more, reply = reply.status or status, reply.headers + more, reply.reply
        if isinstance(reply, str) and self.media_type != JSON:
            return Response(status, self.media_type, reply.encode(), more)
        if isinstance(reply, bytes):
            return Response(status, self.media_type, reply, more)
        return Response(status, JSON, b"" if status == 204 else _encode(reply), more)


class _Nobody(NamedTuple):
    """Who asks for what is open to everybody."""

    name: str = ""
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = frozenset()


NOBODY: Final[Caller] = _Nobody()
REPLAYED: Final = (b"idempotent-replayed", b"true")
_NOTHING: Final = Response(500, JSON, b"")


def bearer(authorization: bytes | None) -> str:
    if authorization is not None:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if token and scheme.lower() == "bearer":
            return token.strip()
    raise Denied("send the header Authorization: Bearer <token>", code="unauthenticated")


def of_cookie(house: House, headers: Headers, *, changes: bool, needed: bool) -> Caller | None:
    """Whose session a browser sends. Where nobody needs to be known, an old one is none."""
    token = cookies.token_in(headers[b"cookie"])
    if not token:
        return None
    try:
        if changes:
            cookies.check_csrf(token, headers)
        return house.authenticate(token)
    except Denied:
        if needed:
            raise
        return None


def check_media_type(headers: Headers) -> None:
    given = headers.get(b"content-type", JSON)
    if given != JSON and given.partition(b";")[0].strip().lower() != JSON:
        raise Invalid(
            f"the body is {given[:60].decode('latin-1')}, must be JSON: send the header "
            "Content-Type: application/json",
            code="unsupported_media_type",
        )


def parameters_of(path: str) -> list[str]:
    """The names in braces."""
    return _PARAMETER.findall(path)


def unforeseen(error: Exception) -> Corrupt:
    """The traceback goes to the log; the sender is told that it was us."""
    known = Corrupt("this request met an error of ours; it is logged under its request id")
    known.__cause__ = error
    return known
