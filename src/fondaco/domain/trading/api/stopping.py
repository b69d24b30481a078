"""To stop an account, an instrument or the house: what that would do, doing it, and how far it is.

The kill switch of the house is `risk.kill`. Here is the same for one account or one instrument, and
for all three what they would cancel before, and what is not canceled yet after.
"""

from collections.abc import Iterator
from threading import Lock
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference import events as ref
from fondaco.domain.reference.model import HOUSE_STREAM, Symbol, SymbolText, TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.accounts import ReasonText
from fondaco.domain.trading.api.orders import AccountText, own_id
from fondaco.domain.trading.api.views import Position, Queries, Reading
from fondaco.domain.trading.model import PREFIX, AccountId, account_of, account_stream
from fondaco.domain.trading.replies import StateLine
from fondaco.kernel.errors import Invalid, NotFound, Refused
from fondaco.kernel.event import Command, CommandId, Entry, StreamId
from fondaco.kernel.instants import moment
from fondaco.kernel.operation import Do, Look, Operation, Stamp
from fondaco.ports.journal import Journal
from fondaco.runtime.committer import Answer

NAMED_MAX: Final = 200  # orders and accounts that one answer names
WATCHED_MAX: Final = 16  # stops that are followed at once
_STEP: Final = 2_000
_KILL: Final = "kill/"
_ENDS: Final = (ev.OrderCanceled, ev.OrderExpired, ev.OrderCompleted, ev.OrderRefused)


class StopScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account, one instrument, or, with neither, the house."""

    account_id: AccountText | None = None
    symbol: SymbolText | None = None


class StopRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account or one instrument; the house itself is stopped by POST /risk/kill."""

    reason: ReasonText
    account_id: AccountText | None = None
    symbol: SymbolText | None = None


class StoppedReply(msgspec.Struct, frozen=True):
    """Nothing new is accepted from `position` on; `since` of GET /risk/kill takes it."""

    changed: bool
    position: int
    accounts: int  # that are asked to cancel


class AtWork(msgspec.Struct, frozen=True):
    account_id: str
    orders: int


class KillPreviewReply(msgspec.Struct, frozen=True, kw_only=True):
    """What would be canceled now, in all tenants; `at_work` names your own accounts, those with
    the most working orders first. Positions stay: `positions` are not zero."""

    scope: str  # "house", "account", "instrument"
    name: str  # of the account or the instrument
    stopped: bool  # it is already
    orders: int
    accounts: int
    positions: int
    at_work: list[AtWork]
    position: int  # of the journal, as far as this shows it


class KillRequestSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`since` is the position at which something was stopped; absent: the house, when it was last
    killed."""

    since: Position | None = None


class Unconfirmed(msgspec.Struct, frozen=True):
    order_id: str
    account_id: str
    asked_at: str
    says: str  # what the venue said instead, if anything


class KillProgressReply(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stop is. `blocked`: nothing new is accepted. `sent` orders were asked to end;
    `confirmed` have been canceled, `ended_otherwise` had executed or expired before, and of
    `unconfirmed` nobody has said yet: the first few are named where they are yours."""

    scope: str  # "house", "account", "instrument"; "none": nothing was ever stopped
    name: str
    blocked: bool
    reason: str
    by: str
    since: int
    at: str | None
    ended_at: str | None  # when it was lifted
    sent: int
    confirmed: int
    ended_otherwise: int
    unconfirmed: int
    named: list[Unconfirmed]
    refused: int  # orders that came since and were not accepted
    positions: int  # that are not zero
    position: int  # of the journal


class RestrictionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With an account, what keeps its own orders out as well."""

    account_id: AccountText | None = None
    min_position: Position = 0


class RestrictionsReply(msgspec.Struct, frozen=True):
    """Whatever is not active, oldest first."""

    items: list[StateLine]


class House(Protocol):
    def submit(self, stream: StreamId, command: Command) -> Answer: ...

    async def accounts_at_work(self, symbol: Symbol, position: int) -> list[str]:
        """Accounts with working orders in an instrument, as of a position or later."""
        ...

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None:
        """For what must happen, and has nobody who would repeat it."""
        ...


def preview(queries: Queries) -> Any:
    def answer(ask: StopScope, on: Reading) -> KillPreviewReply:
        scope, name = _scope(ask.account_id, ask.symbol)
        if ask.account_id is not None:
            queries.account(on.source, on.tenant, ask.account_id)  # or there is none of theirs
        found = queries.at_work(on.source, ask.account_id, ask.symbol)
        ours = [
            AtWork(account_id, orders)
            for account_id, tenant, orders in found
            if tenant == on.tenant and (on.accounts is None or account_id in on.accounts)
        ]
        return KillPreviewReply(
            scope=scope,
            name=name,
            stopped=_is_stopped(on, queries, ask),
            orders=sum(orders for _, _, orders in found),
            accounts=len(found),
            positions=queries.positions_left(on.source, ask.account_id, ask.symbol),
            at_work=ours[:NAMED_MAX],
            position=queries.stands(on.source),
        )

    return answer


def restrictions(queries: Queries) -> Any:
    def answer(ask: RestrictionsRequest, on: Reading) -> RestrictionsReply:
        return RestrictionsReply(queries.restrictions(on.source, on.tenant, ask.account_id))

    return answer


def _scope(account_id: str | None, symbol: str | None) -> tuple[str, str]:
    if account_id is not None and symbol is not None:
        raise Invalid("name an account or an instrument, not both: a stop is of one of them")
    if account_id is not None:
        return "account", account_id
    return ("instrument", symbol) if symbol is not None else ("house", "")


def _is_stopped(on: Reading, queries: Queries, ask: StopScope) -> bool:
    if ask.account_id is not None:
        found = queries.account(on.source, on.tenant, ask.account_id)
        return found.account.trading_state == TradingState.HALTED.value
    stopped = False
    for entry in on.journal.read(HOUSE_STREAM):
        match entry.event:
            case ref.HouseKilled() if ask.symbol is None:
                stopped = True
            case ref.HouseUnkilled() if ask.symbol is None:
                stopped = False
            case ref.StateChanged() if (entry.event.symbol or None) == ask.symbol and ask.symbol:
                stopped = entry.event.state is TradingState.HALTED
    return stopped


async def stop(ask: StopRequest, stamp: Stamp, house: House) -> StoppedReply:
    """Halt first, so that nothing comes in behind, then cancel what works."""
    scope, name = _scope(ask.account_id, ask.symbol)
    if scope == "house":
        raise Invalid("name an account or an instrument; the house is stopped by POST /risk/kill")
    command_id = own_id("stop", ask, stamp)
    if ask.account_id is not None:
        stream = account_stream(AccountId(ask.account_id))
        halt: Command = ev.SetTradingState(
            command_id, stamp.at, TradingState.HALTED, ask.reason, stamp.caller
        )
    else:
        stream = HOUSE_STREAM
        halt = ref.SetHouseState(
            command_id, stamp.at, TradingState.HALTED, ask.reason, Symbol(name), stamp.caller
        )
    last = (await house.submit(stream, halt))[-1]
    if isinstance(last.event, ref.ChangeRefused):
        raise Refused(last.event.text, code=last.event.reason, position=last.position)
    changed = not isinstance(last.event, ref.NothingChanged | ev.NothingToDo)
    symbol = None if ask.symbol is None else Symbol(ask.symbol)
    accounts = [ask.account_id] if ask.account_id else []
    if symbol is not None:
        accounts = await house.accounts_at_work(symbol, last.position)
    cancel = ev.CancelOrders(CommandId(f"halt/{last.position}/"), stamp.at, symbol, reason="halt")
    for each in accounts:
        house.ask_again_until_done(account_stream(AccountId(each)), cancel)
    return StoppedReply(changed, last.position, len(accounts))


class _Watch:
    """One stop, followed along the journal."""

    def __init__(self, began: Entry) -> None:
        self.began = began
        self.cursor = began.position
        self.ended: Entry | None = None
        self.sent: dict[tuple[StreamId, int], Entry] = {}
        self.done: dict[tuple[StreamId, int], bool] = {}  # True: canceled
        self.said: dict[tuple[StreamId, int], str] = {}
        self.refused = 0
        event = began.event
        self.is_house = isinstance(event, ref.HouseKilled)
        self.symbol = getattr(event, "symbol", "") if began.stream == HOUSE_STREAM else ""
        self._prefix = _KILL if self.is_house else f"halt/{began.position}/"

    @property
    def scope(self) -> tuple[str, str]:
        if self.is_house:
            return "house", ""
        if self.began.stream.startswith(PREFIX):
            return "account", account_of(self.began.stream)
        return "instrument", self.symbol

    def follow(self, journal: Journal) -> None:
        """Up to the end, or to where it was lifted. While it lasts little is written."""
        while self.ended is None and (entries := journal.follow(self.cursor, _STEP)):
            for entry in entries:
                self._see(entry)
                self.cursor = entry.position
                if self._lifts(entry):
                    self.ended = entry
                    break

    def _lifts(self, entry: Entry) -> bool:
        event = entry.event
        if self.is_house:
            return isinstance(event, ref.HouseUnkilled)
        if entry.stream != self.began.stream:
            return False
        if isinstance(event, ref.StateChanged):
            return event.symbol == self.symbol and event.state is not TradingState.HALTED
        return isinstance(event, ev.TradingStateSet) and event.state is not TradingState.HALTED

    def _see(self, entry: Entry) -> None:
        event: Any = entry.event
        if not entry.stream.startswith(PREFIX):
            return
        if isinstance(event, ev.OrderRejected):
            self.refused += self._concerns(entry)
            return
        key = (entry.stream, getattr(event, "number", 0))
        ours = entry.caused_by.startswith(self._prefix)
        if ours and isinstance(event, ev.CancelRequested | ev.OrderCanceled):
            self.sent.setdefault(key, entry)
        if key not in self.sent:
            return
        if isinstance(event, _ENDS):
            self.done[key] = isinstance(event, ev.OrderCanceled)
        elif isinstance(event, ev.OrderFilled) and not event.leaves_lots:
            self.done[key] = False
        elif isinstance(event, ev.ChangeDenied):
            self.said[key] = event.text

    def _concerns(self, entry: Entry) -> bool:
        event: Any = entry.event
        if self.is_house:
            return True
        return event.symbol == self.symbol if self.symbol else entry.stream == self.began.stream

    def waiting(self) -> Iterator[tuple[tuple[StreamId, int], Entry]]:
        return ((key, entry) for key, entry in self.sent.items() if key not in self.done)


class Progress:
    """Stops that somebody looks at, each read on from where it was."""

    def __init__(self, queries: Queries) -> None:
        self._ask = queries
        self._lock = Lock()
        self._watches: dict[int, _Watch] = {}

    def answer(self, ask: KillRequestSince, on: Reading) -> KillProgressReply:
        with self._lock:
            watch = self._watch(ask.since, on)
            if watch is None:
                return _never(on.journal.head())
            watch.follow(on.journal)
            return self._reply(watch, on)

    def _watch(self, since: int | None, on: Reading) -> _Watch | None:
        began = _last_kill(on.journal) if since is None else _entry(on.journal, since)
        if began is None:
            if since is None:
                return None
            raise NotFound(f"nothing was stopped at {since}")
        if began.stream.startswith(PREFIX):
            self._ask.account(on.source, on.tenant, account_of(began.stream))
        known = self._watches.get(began.position)
        if known is None:
            while len(self._watches) >= WATCHED_MAX:
                del self._watches[next(iter(self._watches))]
            known = self._watches[began.position] = _Watch(began)
        return known

    def _reply(self, watch: _Watch, on: Reading) -> KillProgressReply:
        began, ended = watch.began, watch.ended
        scope, name = watch.scope
        waiting = list(watch.waiting())
        mine = self._ask.accounts_of(on.source, on.tenant)
        named = [
            Unconfirmed(
                f"{account_of(stream)}.{number}",
                account_of(stream),
                moment(entry.at),
                watch.said.get((stream, number), ""),
            )
            for (stream, number), entry in waiting
            if account_of(stream) in mine
        ]
        canceled = sum(watch.done.values())
        return KillProgressReply(
            scope=scope,
            name=name,
            blocked=ended is None,
            reason=getattr(began.event, "reason", ""),
            by=getattr(began.event, "by", ""),
            since=began.position,
            at=moment(began.at),
            ended_at=None if ended is None else moment(ended.at),
            sent=len(watch.sent),
            confirmed=canceled,
            ended_otherwise=len(watch.done) - canceled,
            unconfirmed=len(waiting),
            named=named[:NAMED_MAX],
            refused=watch.refused,
            positions=self._ask.positions_left(
                on.source,
                name if scope == "account" else None,
                name if scope == "instrument" else None,
            ),
            position=watch.cursor,
        )


def _last_kill(journal: Journal) -> Entry | None:
    kills = [each for each in journal.read(HOUSE_STREAM) if isinstance(each.event, ref.HouseKilled)]
    return kills[-1] if kills else None


def _entry(journal: Journal, position: int) -> Entry | None:
    """One at which something was stopped."""
    found = journal.follow(position - 1, 1) if position > 0 else []
    if not found or found[0].position != position:
        return None
    event = found[0].event
    is_stop = isinstance(event, ref.HouseKilled) or (
        isinstance(event, ref.StateChanged | ev.TradingStateSet)
        and event.state is TradingState.HALTED
    )
    return found[0] if is_stop else None


def _never(head: int) -> KillProgressReply:
    return KillProgressReply(
        scope="none", name="", blocked=False, reason="", by="", since=0, at=None, ended_at=None,
        sent=0, confirmed=0, ended_otherwise=0, unconfirmed=0, named=[], refused=0, positions=0,
        position=head,
    )  # fmt: skip


def operations() -> tuple[Operation[Any, Any], ...]:
    return (
        Do(
            name="risk.stop",
            summary="Accept nothing new of an account or an instrument, and cancel what works.",
            method="POST",
            path="/risk/stop",
            request=StopRequest,
            example={"account_id": "demo"},
            reply=StoppedReply,
            scope=Scope.LIMITS_WRITE,
            errors=(NotFound, Refused),
            account=lambda ask: ask.account_id,
            source="house",
            answer=stop,
        ),
    )


def looks(queries: Queries) -> tuple[Operation[Any, Any], ...]:
    return (
        Look(
            name="risk.kill_preview",
            summary="What stopping the house, an account or an instrument would cancel now.",
            method="GET",
            path="/risk/kill/preview",
            request=StopScope,
            reply=KillPreviewReply,
            scope=Scope.LIMITS_READ,
            errors=(NotFound,),
            account=lambda ask: ask.account_id,
            source="store",
            answer=preview(queries),
        ),
        Look(
            name="risk.restrictions",
            summary="What keeps orders out now: who halted or reduced what, when and why.",
            method="GET",
            path="/risk/restrictions",
            request=RestrictionsRequest,
            reply=RestrictionsReply,
            scope=Scope.LIMITS_READ,
            errors=(NotFound,),
            account=lambda ask: ask.account_id,
            source="store",
            answer=restrictions(queries),
        ),
        Look(
            name="risk.kill_progress",
            summary="How far a kill or a stop is: blocked, sent, confirmed, and what is not.",
            method="GET",
            path="/risk/kill",
            request=KillRequestSince,
            reply=KillProgressReply,
            scope=Scope.LIMITS_READ,
            errors=(NotFound,),
            source="store",
            answer=Progress(queries).answer,
        ),
    )
