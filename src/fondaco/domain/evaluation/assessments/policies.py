"""What accounts hear of assessments, and assessments of accounts. Pure: an entry in, messages out.
Ids come from the entry, so a redelivery asks for the same thing again."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.events import (
    AbandonAssessment,
    CreateAssessment,
    ExtendAssessment,
    FreezeAssessment,
    NoteDeposit,
    NotePayout,
    NoteTrade,
    ResetAssessment,
    ThawAssessment,
    UpgradeAssessment,
)
from fondaco.domain.evaluation.assessments.model import (
    PAYMENTS,
    PREFIX,
    assessment_id_of,
    assessment_of,
    assessment_stream,
    payout_name,
    payout_number,
)
from fondaco.domain.payments.events import (
    DisputeClosed,
    DisputeOpened,
    PayOut,
    PayoutFailed,
    PayoutPaid,
    PurchaseCompleted,
    Refunded,
)
from fondaco.domain.payments.model import PREFIX as PURCHASES
from fondaco.domain.payments.model import payout_stream
from fondaco.domain.trading.events import (
    CashDeposited,
    ClosePositions,
    FillBusted,
    FillCorrected,
    OpenAccount,
    OrderFilled,
    RecordDeposit,
    SetLimits,
    SetTradeRules,
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
EXTENDED_DAYS: Final = 30  # by one extension


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


def rule(entry: Entry, at: Instant) -> _Messages:
    event: ev.AccountRuled = entry.event  # type: ignore[assignment]
    command = SetTradeRules(_cause(entry), at, event.rules, HOUSE)
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


def corrected(entry: Entry, at: Instant) -> _Messages:
    """A venue has taken a trade back, or it was another one: what the account is worth by then is
    written down, and the rules have their say. A trade that was counted stays counted."""
    account = account_of(entry.stream)
    found = assessment_of(account)
    if found is None:
        return ()
    event: FillBusted | FillCorrected = entry.event  # type: ignore[assignment]
    command = NoteTrade(_cause(entry), at, account, event.symbol, event.number, opens=False)
    return ((assessment_stream(found), command),)


# --- Payments -------------------------------------------------------------------------------------


def bought(entry: Entry, at: Instant) -> _Messages:
    """A purchase can only make one assessment: its own, by name."""
    event: PurchaseCompleted = entry.event  # type: ignore[assignment]
    product, source, cause = event.product, event.purchase_id, _cause(entry)
    found, terms = product.assessment_id, product.terms.decode()
    match product.purpose:
        case "assessment":
            found = assessment_id_of(source)
            command: Command = CreateAssessment(
                cause, at, found, event.tenant, event.user, source, terms
            )
        case "reset":
            command = ResetAssessment(cause, at, source)
        case "extension":
            command = ExtendAssessment(cause, at, source, EXTENDED_DAYS)
        case "upgrade":
            command = UpgradeAssessment(cause, at, source, terms)
    return ((assessment_stream(found), command),)


def _made_by(entry: Entry) -> StreamId:
    """The assessment that a purchase has made."""
    return assessment_stream(assessment_id_of(entry.stream.removeprefix(PURCHASES)))


def refunded(entry: Entry, at: Instant) -> _Messages:
    """What was paid back as a whole ends."""
    event: Refunded = entry.event  # type: ignore[assignment]
    if not event.is_whole:
        return ()
    command = AbandonAssessment(_cause(entry), at, PAYMENTS, "it was paid back")
    return ((_made_by(entry), command),)


def disputed(entry: Entry, at: Instant) -> _Messages:
    command = FreezeAssessment(_cause(entry), at, "its payment is disputed", PAYMENTS)
    return ((_made_by(entry), command),)


def judged(entry: Entry, at: Instant) -> _Messages:
    event: DisputeClosed = entry.event  # type: ignore[assignment]
    command: Command = ThawAssessment(_cause(entry), at, "the dispute was won", PAYMENTS)
    if not event.is_won:
        command = AbandonAssessment(_cause(entry), at, PAYMENTS, "the dispute was lost")
    return ((_made_by(entry), command),)


def pay(entry: Entry, at: Instant) -> _Messages:
    event: ev.PayoutAgreed | ev.PayoutTriedAgain = entry.event  # type: ignore[assignment]
    name = entry.stream.removeprefix(PREFIX)
    command = PayOut(
        _cause(entry), at, event.tenant, event.user, name, event.amount, event.currency
    )
    nth = event.nth if isinstance(event, ev.PayoutTriedAgain) else 1
    return ((payout_stream(payout_name(name, event.number, nth)), command),)


def settled(entry: Entry, at: Instant) -> _Messages:
    event: PayoutPaid | PayoutFailed = entry.event  # type: ignore[assignment]
    if assessment_of(event.payout_id) is None:
        return ()
    number = payout_number(event.payout_id)
    text = "" if isinstance(event, PayoutPaid) else event.reason
    command = NotePayout(_cause(entry), at, number, isinstance(event, PayoutPaid), text)
    return ((assessment_stream(event.assessment_id), command),)


policies: Final[dict[type[Event], tuple[Callable[[Entry, Instant], Iterable[Any]], ...]]] = {
    ev.StageBegun: (open_account,),
    ev.AccountProvided: (deposit,),
    ev.AccountLimited: (limit,),
    ev.AccountRuled: (rule,),
    ev.AccountStopped: (_state(TradingState.REDUCING),),
    ev.AccountResumed: (_state(TradingState.ACTIVE),),
    ev.AccountRetired: (_state(TradingState.HALTED),),
    ev.AccountClosing: (close,),
    CashDeposited: (started,),
    OrderFilled: (traded,),
    FillBusted: (corrected,),
    FillCorrected: (corrected,),
    PurchaseCompleted: (bought,),
    Refunded: (refunded,),
    DisputeOpened: (disputed,),
    DisputeClosed: (judged,),
    ev.PayoutAgreed: (pay,),
    ev.PayoutTriedAgain: (pay,),
    PayoutPaid: (settled,),
    PayoutFailed: (settled,),
}
