"""What accounts hear of assessments, and assessments of accounts. Pure: an entry in, messages out.
Ids come from the entry, so a redelivery asks for the same thing again."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.events import NoteDeposit, NoteTrade
from fondaco.domain.evaluation.assessments.model import assessment_of, assessment_stream
from fondaco.domain.trading.events import (
    CashDeposited,
    ClosePositions,
    OpenAccount,
    OrderFilled,
    RecordDeposit,
    SetLimits,
    SetTradingState,
)
from fondaco.domain.trading.model import (
    AccountType,
    Side,
    TradingState,
    account_of,
    account_stream,
)
from fondaco.kernel.event import Command, CommandId, Entry, Event, Instant, StreamId, message_id

_Messages: TypeAlias = tuple[tuple[StreamId, Command], ...]

HOUSE: Final = "assessment"


def _cause(entry: Entry) -> CommandId:
    return message_id(entry.stream, entry.version)


def open_account(entry: Entry, at: Instant) -> _Messages:
    event: ev.StageBegun = entry.event  # type: ignore[assignment]
    command = OpenAccount(
        _cause(entry),
        at,
        event.tenant,
        event.name,
        virtual=True,
        account_type=AccountType.MARGIN,
    )
    return ((account_stream(event.account), command),)


def deposit(entry: Entry, at: Instant) -> _Messages:
    event: ev.AccountProvided = entry.event  # type: ignore[assignment]
    command = RecordDeposit(_cause(entry), at, event.asset, event.amount)
    return ((account_stream(event.account), command),)


def limit(entry: Entry, at: Instant) -> _Messages:
    event: ev.AccountLimited = entry.event  # type: ignore[assignment]
    command = SetLimits(_cause(entry), at, event.limits, HOUSE)
    return ((account_stream(event.account), command),)


def _state(to: TradingState) -> Callable[[Entry, Instant], _Messages]:
    def tell(entry: Entry, at: Instant) -> _Messages:
        event: Any = entry.event
        reason = getattr(event, "reason", "") or "nothing is open any more"
        command = SetTradingState(_cause(entry), at, to, reason, HOUSE)
        return ((account_stream(event.account), command),)

    return tell


def close(entry: Entry, at: Instant) -> _Messages:
    event: ev.AccountClosing = entry.event  # type: ignore[assignment]
    return ((account_stream(event.account), ClosePositions(_cause(entry), at)),)


def started(entry: Entry, at: Instant) -> _Messages:
    """The money of a stage is on its account."""
    account = account_of(entry.stream)
    found = assessment_of(account)
    if found is None:
        return ()
    command = NoteDeposit(_cause(entry), at, account)
    return ((assessment_stream(found), command),)


def traded(entry: Entry, at: Instant) -> _Messages:
    account = account_of(entry.stream)
    found = assessment_of(account)
    if found is None:
        return ()
    event: OrderFilled = entry.event  # type: ignore[assignment]
    cost = event.position_cost
    opens = cost > 0 if event.side is Side.BUY else cost < 0
    command = NoteTrade(_cause(entry), at, account, event.symbol, event.number, opens)
    return ((assessment_stream(found), command),)


policies: Final[dict[type[Event], tuple[Callable[[Entry, Instant], Iterable[Any]], ...]]] = {
    ev.StageBegun: (open_account,),
    ev.AccountProvided: (deposit,),
    ev.AccountLimited: (limit,),
    ev.AccountStopped: (_state(TradingState.REDUCING),),
    ev.AccountResumed: (_state(TradingState.ACTIVE),),
    ev.AccountRetired: (_state(TradingState.HALTED),),
    ev.AccountClosing: (close,),
    CashDeposited: (started,),
    OrderFilled: (traded,),
}
