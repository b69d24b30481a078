"""WS /ws/trading: order entry, and what happens to the caller's accounts.

Entry is as cheap as it can be: a message is decoded, its turn is taken, and the answers of one
commit leave in one write. A message may be an array of asks.

    {"op":"place","id":1, …the fields of POST /api/orders}
    {"op":"cancel","id":2,"order_id":"demo.57"}
    {"op":"replace","id":3,"order_id":"demo.57","cl_ord_id":"…","price":"…"}
    {"op":"subscribe","id":4,"channels":["executions","orders","balances"],"accounts":["demo"]}
    {"op":"resume","id":5,"after":1234,"channels":[…],"accounts":[…],"mark":true}
    {"op":"follow","id":6,"assessments":["asm-0123456789abcdef"]}

Orders, cancels and replaces may bring a `traceparent` (W3C Trace Context); their answers then have
one.

A subscription begins with a snapshot as of a position, and goes on with every entry after it, each
with its own `position`; the fourth channel is `margin`, alerts of margin accounts. Who comes back
resumes after the last one seen. Who asks with `mark` is told when the journal's end is reached.
Nothing is left out: a peer that does not read fast enough is cut off and told after which position
to resume.

Assessments are followed by their own id, through all their accounts: see `gateway.following`.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fondaco.domain.identity.model import Action
from fondaco.domain.trading.api import orders as od
from fondaco.domain.trading.api.views import AccountRequest, OrdersRequest
from fondaco.domain.trading.model import AccountId, OrdStatus, account_stream
from fondaco.gateway.errors import codes_of
from fondaco.gateway.following import Follow, Following, Unfollow
from fondaco.gateway.house import Reading
from fondaco.gateway.looking import views_reach
from fondaco.gateway.rest import Endpoint
from fondaco.gateway.talk import SLOW, Auth, Done, Id, Ping, Talk
from fondaco.gateway.tally import Tally
from fondaco.gateway.tell import CHANNELS, Channel, Teller
from fondaco.kernel import trace
from fondaco.kernel.errors import FondacoError, Invalid, NotFound, Refused
from fondaco.kernel.event import Entry, Instant, StreamId
from fondaco.kernel.operation import Stamp
from fondaco.runtime.committer import Outcome
from fondaco.runtime.tracing.rows import Request

AccountsText = Annotated[list[od.AccountText], Meta(min_length=1, max_length=1_000)]
STEP: Final = 2_000  # entries read at once while catching up
CATCH_UP_MAX: Final = 1_000_000  # entries; who is further behind takes a snapshot
OPEN: Final = ",".join(
    status for status in OrdStatus if status not in ("filled", "canceled", "expired", "rejected")
)
_encode: Final = msgspec.json.Encoder().encode


class Place(
    od.PlaceOrderRequest,
    frozen=True,
    gc=False,
    kw_only=True,
    tag_field="op",
    tag="place",
    forbid_unknown_fields=True,
):
    id: Id = None
    traceparent: str = ""


class Cancel(
    msgspec.Struct, frozen=True, gc=False, tag_field="op", tag="cancel", forbid_unknown_fields=True
):
    order_id: od.OrderIdText
    id: Id = None
    traceparent: str = ""


class Replace(
    od.ReplaceOrderRequest,
    frozen=True,
    gc=False,
    kw_only=True,
    tag_field="op",
    tag="replace",
    forbid_unknown_fields=True,
):
    id: Id = None
    traceparent: str = ""


class Subscribe(
    msgspec.Struct, frozen=True, tag_field="op", tag="subscribe", forbid_unknown_fields=True
):
    accounts: AccountsText
    channels: tuple[Channel, ...] = CHANNELS
    id: Id = None
    mark: bool = False  # say when everything up to the journal's end was told


class Resume(msgspec.Struct, frozen=True, tag_field="op", tag="resume", forbid_unknown_fields=True):
    """Everything after a position that you have seen, without a snapshot."""

    after: Annotated[int, Meta(ge=0)]
    accounts: AccountsText
    channels: tuple[Channel, ...] = CHANNELS
    id: Id = None
    mark: bool = False


class Unsubscribe(
    msgspec.Struct, frozen=True, tag_field="op", tag="unsubscribe", forbid_unknown_fields=True
):
    accounts: AccountsText
    id: Id = None


class Placed(msgspec.Struct, frozen=True, gc=False):
    id: Id
    status: int
    order_id: str
    cl_ord_id: str
    ord_status: OrdStatus
    leaves_qty: str
    position: int
    traceparent: str | UnsetType = UNSET  # where one was given


class Changed(msgspec.Struct, frozen=True, gc=False):
    id: Id
    status: int
    order_id: str
    ord_status: OrdStatus
    position: int
    traceparent: str | UnsetType = UNSET


class Snapshot(msgspec.Struct, frozen=True):
    """The account as of `position`; what follows is every entry after it."""

    type: Literal["snapshot"]
    id: Id
    account_id: str
    position: int
    orders: list[Any]  # those that are open, as GET /api/orders shows them
    account: Any  # as GET /api/accounts/{account_id} shows it


class CaughtUp(msgspec.Struct, frozen=True):
    """Everything up to `position` was told; from here on entries come as they are committed."""

    type: Literal["caught_up"]
    id: Id
    position: int


OneAsk = (
    Place | Cancel | Replace | Subscribe | Resume | Unsubscribe | Follow | Unfollow | Auth | Ping
)
_decode: Final = msgspec.json.Decoder(OneAsk | list[OneAsk]).decode


class TradingTalk(Talk):
    action = Action("trading.stream", "orders:read", reads=True, second=False)

    def __init__(self, hub: "TradingHub", *args: Any) -> None:
        self._hub = hub
        self._cleared: set[str] = set()  # accounts that asks of this batch were let through for
        self._channels: dict[StreamId, frozenset[str]] = {}
        self._live_after: dict[StreamId, int] = {}  # entries up to here were sent
        self._tasks: set[asyncio.Task[None]] = set()
        self.seen = 0  # the last position that was sent
        self._following = Following(self, hub.assessment)
        super().__init__(*args)

    # Asks

    def begin(self) -> None:
        super().begin()
        self._cleared.clear()

    def receive(self, message: bytes) -> None:
        try:
            asks = _decode(message)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.malformed(message, error)
            return
        if type(asks) is Place:
            self._place(asks)
        elif isinstance(asks, list):
            for ask in asks:
                self._one(ask)
        else:
            self._one(asks)

    def _one(self, ask: OneAsk) -> None:
        if type(ask) is Place:
            self._place(ask)
            return
        try:
            match ask:
                case Auth():
                    self.handle_auth(ask)
                case Ping():
                    self.say(Done(ask.id, 200, "pong"))
                case Cancel() | Replace():
                    self._change(ask)
                case Subscribe() | Resume():
                    self._subscribe(ask)
                case Unsubscribe():
                    self._unsubscribe(ask)
                case Follow():
                    self._following.begin(ask)
                case Unfollow():
                    self._following.end(ask)
        except FondacoError as error:
            self.fail(ask.id, error)

    def _place(self, ask: Place) -> None:
        hub, began, account_id = self._hub, perf_counter(), ask.account_id
        try:
            if account_id in self._cleared:
                self.house.rates.check(self.known(), self.socket.address)
            elif self._check(hub.place, account_id, ask):
                self._cleared.add(account_id)
            house = self.house
            at = house.now()
            told = self._note(ask, hub.place, at) if ask.traceparent else UNSET
            command = od.placed_at(ask, at)
            answer = house.submit(od.stream_of_account(ask), command)
        except FondacoError as error:
            hub.tally.count(codes_of(error).http)
            self.fail(ask.id, error)
        else:
            answer.then(partial(self._placed, ask.id, ask.cl_ord_id, told, began))

    def _placed(
        self,
        ask_id: Id,
        cl_ord_id: str,
        told: str | UnsetType,
        began: float,
        outcome: Outcome,
    ) -> None:
        hub = self._hub
        found: od.OrderReply | FondacoError | None
        if isinstance(outcome, FondacoError):
            found = outcome
        else:
            found = hub.replies.order(cl_ord_id, outcome)
        if isinstance(found, od.OrderReply):
            self.socket.tell(
                _encode(
                    Placed(
                        ask_id,
                        201,
                        found.order_id,
                        cl_ord_id,
                        found.ord_status,
                        found.leaves_qty,
                        found.position,
                        told,
                    )
                )
            )
            hub.tally.add(201, perf_counter() - began)
        else:
            error = found or Refused("another order was placed under this id", code="key_reused")
            hub.tally.add(codes_of(error).http, perf_counter() - began)
            self.fail(ask_id, error, was_submitted=True)

    def _change(self, ask: Cancel | Replace) -> None:
        if isinstance(ask, Cancel):
            request: Any = od.CancelOrderRequest(ask.order_id)
            endpoint = self._hub.cancel
        else:
            values = {name: getattr(ask, name) for name in _REPLACED}
            request, endpoint = od.ReplaceOrderRequest(**values), self._hub.replace
        self._check(endpoint, od.account_of_order(ask), request)
        operation = endpoint.operation
        stamp = self._hub.stamp(self)
        told = self._note(ask, endpoint, stamp.at) if ask.traceparent else UNSET
        command = operation.command(request, stamp)

        def settled(outcome: Outcome) -> None:
            try:
                if isinstance(outcome, FondacoError):
                    raise outcome
                reply = operation.answer(request, outcome)
            except FondacoError as error:
                self.fail(ask.id, error, was_submitted=True)
            else:
                self.say(
                    Changed(ask.id, 200, reply.order_id, reply.ord_status, reply.position, told)
                )

        self.house.submit(operation.stream(request), command).then(settled)

    def _note(
        self, ask: Place | Cancel | Replace, endpoint: Endpoint, at: Instant
    ) -> str | UnsetType:
        """The trace that the caller has named; one that cannot be read is passed over."""
        given = trace.parsed(ask.traceparent)
        if given is None:
            return UNSET
        name = endpoint.operation.name
        self.context.note(Request(at, given.trace_id, given.parent_id, self.correlation_id, name))
        return trace.traceparent(given.trace_id, trace.request_span(at))

    def _check(self, endpoint: Endpoint, account_id: str, ask: Any) -> bool:
        """As the door does for HTTP; whether the same is so for whatever else is asked now."""
        caller = self.known()
        if self.pressure is not None:
            raise self.pressure
        self.house.rates.check(caller, self.socket.address)
        address = self.socket.address
        return self.house.authorise(caller, endpoint.action, (account_id,), ask, "ws", address)

    # What happens

    def _subscribe(self, ask: Subscribe | Resume) -> None:
        caller = self.known()
        self.house.authorise(caller, self.action, ask.accounts, ask, "ws", self.socket.address)
        for account in ask.accounts:  # a subscription takes the place of the one before
            self._forget(account_stream(AccountId(account)))
        task = self.socket.loop.create_task(self._catch_up(ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _catch_up(self, ask: Subscribe | Resume) -> None:
        """A snapshot or a position, then the journal from there, then live, without a gap."""
        try:
            streams = {account_stream(AccountId(account)) for account in ask.accounts}
            if isinstance(ask, Resume):
                after = ask.after
                if after > self._hub.position:
                    raise Invalid(f"after is {after}, beyond {self._hub.position}, the last entry")
                if self._hub.position - after > CATCH_UP_MAX:
                    raise NotFound(f"{after} is too far back; subscribe instead", code="gone")
                self.say(Done(ask.id, 200, "resume"))
            else:
                after = await self._snapshots(ask)
            channels = frozenset(ask.channels)
            after = await self._follow(after, streams, channels)
            for stream in streams:
                self._channels[stream] = channels
                self._live_after[stream] = after
                self._hub.watch(stream, self)
            if ask.mark:
                self.say(CaughtUp("caught_up", ask.id, after))
        except FondacoError as error:
            self.fail(ask.id, error)

    async def _follow(self, after: int, streams: set[StreamId], channels: frozenset[str]) -> int:
        """Tell what the journal says after a position, until it is as far as what was published.

        Returns how far that is; nothing may be awaited between this and watching.
        """
        journal = self.house.source("journal")
        while after < self._hub.position:
            found = await self._off_loop(journal.follow, after, STEP)
            if not found:
                break
            for entry in found:
                if entry.stream in streams:
                    self._tell(entry, self._hub.teller.messages(entry), channels)
            after = found[-1].position
            while self.socket.is_slow:
                await self.socket.writable_again()
        return after

    async def _snapshots(self, ask: Subscribe) -> int:
        """Of every account, from one state of the views; the position they show."""
        caller, hub = self.known(), self._hub
        journal = self.house.source("journal")

        def look() -> list[Snapshot]:
            with self.house.reading() as conn:
                on = Reading(conn, journal, caller.tenant, caller.accounts, self.house.now())
                return [hub.snapshot(ask.id, account, on) for account in ask.accounts]

        if hub.has_views:
            try:
                found: list[Snapshot] = await self._off_loop(look)
            except NotFound:  # who opens an account and subscribes is faster than the views
                await views_reach(self.house, self.context.readers, hub.position)
                found = await self._off_loop(look)
            for shown in found:
                self.say(shown)
            return min(shown.position for shown in found)
        self.say(Done(ask.id, 200, "subscribe"))
        return hub.position

    def _unsubscribe(self, ask: Unsubscribe) -> None:
        for account in ask.accounts:
            self._forget(account_stream(AccountId(account)))
        self.say(Done(ask.id, 200, "unsubscribe"))

    def _forget(self, stream: StreamId) -> None:
        self._channels.pop(stream, None)
        self._hub.unwatch(stream, self)

    def hear(self, entry: Entry, messages: Sequence[tuple[str, bytes]]) -> None:
        """One entry of a stream that is watched, as it was committed."""
        if entry.position > self._live_after[entry.stream]:
            self._tell(entry, messages, self._channels[entry.stream])

    def _tell(
        self, entry: Entry, messages: Sequence[tuple[str, bytes]], channels: frozenset[str]
    ) -> None:
        socket = self.socket
        if socket.is_full:
            socket.close(SLOW, f"reads too slowly; resume after {self.seen}")
            return
        for channel, message in messages:
            if channel in channels:
                socket.tell(message)
        self.seen = entry.position

    def closed(self) -> None:
        super().closed()
        for stream in list(self._channels):
            self._hub.unwatch(stream, self)
        self._channels.clear()
        self._following.closed()
        for task in self._tasks:
            task.cancel()

    async def _off_loop(self, act: Any, *args: Any) -> Any:
        return await self.socket.loop.run_in_executor(self.context.readers, act, *args)


class TradingHub:
    """Who watches which account. `publish` is called once for every commit, on the loop."""

    def __init__(self, endpoints: Sequence[Endpoint], refs: od.RefsNow, position: int = 0) -> None:
        found = {endpoint.operation.name: endpoint for endpoint in endpoints}
        self.place = found["trading.place_order"]
        self.cancel = found["trading.cancel_order"]
        self.replace = found["trading.replace_order"]
        self._orders = found.get("trading.orders")
        self._account = found.get("trading.account")
        self.assessment = found.get("evaluation.assessment")
        self.has_views = self._orders is not None and self._account is not None
        self.replies = od.Replies(refs)
        self.teller = Teller(refs)
        self.tally = Tally()  # of orders that came over sockets
        self.position = position  # of the last entry that was published
        self._watchers: dict[StreamId, list[TradingTalk]] = {}

    def publish(self, entries: Sequence[Entry]) -> None:
        self.position = entries[-1].position
        watchers = self._watchers
        if not watchers:
            return
        for entry in entries:
            found = watchers.get(entry.stream)
            if found:
                messages = self.teller.messages(entry)
                if messages:
                    for talk in tuple(found):
                        talk.hear(entry, messages)

    def watch(self, stream: StreamId, talk: TradingTalk) -> None:
        found = self._watchers.setdefault(stream, [])
        if talk not in found:
            found.append(talk)

    def unwatch(self, stream: StreamId, talk: TradingTalk) -> None:
        found = self._watchers.get(stream, [])
        if talk in found:
            found.remove(talk)
        if not found:
            self._watchers.pop(stream, None)

    def stamp(self, talk: TradingTalk) -> Stamp:
        """Every ask of a socket has an id of its own, so that it may be told apart."""
        context, caller = talk.context, talk.known()
        name = context.names.next()
        return Stamp(context.house.now(), name, caller.name, caller.tenant, name)

    def snapshot(self, ask_id: Id, account: str, on: Reading) -> Snapshot:
        orders, cursor = [], ""
        for _ in range(100):
            asked = OrdersRequest(account, ord_status=OPEN, cursor=cursor, limit=1_000)
            page = cast(Endpoint, self._orders).operation.answer(asked, on)
            orders += page.items
            cursor = page.next or ""
            if not cursor:
                break
        shown = cast(Endpoint, self._account).operation.answer(AccountRequest(account), on)
        return Snapshot("snapshot", ask_id, account, shown.position, orders, shown)


_REPLACED: Final = od.ReplaceOrderRequest.__struct_fields__
