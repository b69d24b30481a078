"""Asks about what holds for everybody who trades here: fees, the restricted list, the session."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.market.model import Finality
from fondaco.domain.reference import events as ref
from fondaco.domain.reference.api import check_time_zone
from fondaco.domain.reference.model import (
    HOUSE_STREAM,
    RATE_SCALE,
    SETTLE_DAYS_MAX,
    FeeFormula,
    Session,
    Stage,
    Swap,
    Symbol,
    SymbolText,
)
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.accounts import DoneReply, ReasonText, done
from fondaco.domain.trading.api.orders import (
    OrderIdText,
    RefsNow,
    account_of_order,
    number_of,
    own_id,
    stream_of_order,
)
from fondaco.kernel.errors import Refused
from fondaco.kernel.event import Entry, StreamId
from fondaco.kernel.money import DecimalText
from fondaco.kernel.operation import Ask, Operation, Stamp

Minute = Annotated[int, Meta(ge=0, lt=1_440, examples=[570])]
TimeZoneText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_/+-]{0,63}$", examples=["America/New_York"])
]


Rate = Annotated[int, Meta(gt=-RATE_SCALE, lt=RATE_SCALE, examples=[120])]


class FeesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In parts per million of the notional. A maker's may be negative, which is a rebate, but not
    more than what the taker pays. Of an event contract `formula` names whose rounding is used, and
    the rates are of C x P x (1 - P); left out, it stays what it is."""

    symbol: SymbolText
    maker_fee_ppm: Annotated[int, Meta(gt=-RATE_SCALE, lt=RATE_SCALE, examples=[100])]
    taker_fee_ppm: Annotated[int, Meta(ge=0, lt=RATE_SCALE, examples=[200])]
    formula: FeeFormula | None = None


class SettlementRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sessions that open between a fill and its settlement: T+n; 0 settles at once. What is traded
    before keeps its day. Only days of business of `calendar` count: an exchange's code (ISO 10383),
    WEEKDAYS, or "" for every day; left out, it stays what it is. With `confirms`, what a fill
    brings into a cash account is held until its exchange, or an operator, has said that it is
    confirmed."""

    symbol: SymbolText
    settle_days: Annotated[int, Meta(ge=0, le=SETTLE_DAYS_MAX, examples=[1])]
    calendar: Annotated[str, Meta(max_length=8, examples=["XNYS"])] | None = None
    confirms: bool | None = None


class SwapRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a position of a margin account is charged for each session day over which it is kept, in
    parts per million of its worth at the mark; below zero it is credited. Left out: nothing."""

    symbol: SymbolText
    reason: ReasonText
    long_ppm: Rate = 0
    short_ppm: Rate = 0


class ContractRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has become of an event contract. `payout` is what one contract pays, from 0 to 1; it is
    needed where the contract is determined, and settling may repeat it. Once it is settled, every
    position is paid, and nothing takes that back."""

    symbol: SymbolText
    stage: Stage
    reason: ReasonText
    payout: DecimalText | None = None


class FinalityRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an execution has become. Confirmed, what it brought in is free; failed, it is taken back
    as if it had never been. Either is for good; anything else changes nothing."""

    order_id: OrderIdText
    exec_number: Annotated[int, Meta(ge=1, le=2**53)]
    finality: Finality
    reason: ReasonText


class RestrictedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole restricted list as it is to be: what is not on it may be traded."""

    symbols: Annotated[list[SymbolText], Meta(max_length=10_000)]
    reason: ReasonText


class SessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a trading day begins: a minute of the local day in an IANA time zone."""

    time_zone: TimeZoneText
    opens_minute: Minute = 0


def set_fees(ask: FeesRequest, stamp: Stamp) -> ref.SetFees:
    command_id = own_id("fees", ask, stamp)
    fees = (ask.maker_fee_ppm, ask.taker_fee_ppm)
    symbol = Symbol(ask.symbol)
    return ref.SetFees(command_id, stamp.at, symbol, *fees, stamp.caller, ask.formula)


def set_swap(ask: SwapRequest, stamp: Stamp) -> ref.SetSwap:
    swap = Swap(ask.long_ppm, ask.short_ppm) if ask.long_ppm or ask.short_ppm else None
    command_id = own_id("swap", ask, stamp)
    return ref.SetSwap(command_id, stamp.at, Symbol(ask.symbol), swap, ask.reason, stamp.caller)


class Contracts:
    """Payouts from text to ticks."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def move(self, ask: ContractRequest, stamp: Stamp) -> ref.MoveContract:
        """Raises `Invalid` for a payout off the tick."""
        instrument = self._refs().instruments.get(Symbol(ask.symbol))
        payout = -1
        if ask.payout is not None and instrument is not None:
            payout = instrument.ticks(ask.payout, "payout")
        return ref.MoveContract(
            own_id("contract", ask, stamp),
            stamp.at,
            Symbol(ask.symbol),
            Stage(ask.stage),
            ask.reason,
            payout,
            stamp.caller,
        )


def record_finality(ask: FinalityRequest, stamp: Stamp) -> ev.RecordFinality:
    number, command_id = number_of(ask.order_id), own_id("finality", ask, stamp)
    return ev.RecordFinality(
        command_id, stamp.at, number, ask.exec_number, ask.finality, ask.reason, stamp.caller
    )


def finality_recorded(ask: FinalityRequest, entries: Sequence[Entry]) -> DoneReply:
    """Raises `Refused` for what does not wait for its confirmation."""
    last = entries[-1]
    match last.event:
        case ev.ReportUnmatched(_, text):
            raise Refused(text, code="not_waiting", position=last.position)
        case _:
            return done(ask, entries)


def set_settlement(ask: SettlementRequest, stamp: Stamp) -> ref.SetSettlement:
    command_id = own_id("settlement", ask, stamp)
    return ref.SetSettlement(
        command_id, stamp.at, Symbol(ask.symbol), ask.settle_days, stamp.caller, ask.calendar,
        ask.confirms,
    )  # fmt: skip


def restrict(ask: RestrictedRequest, stamp: Stamp) -> ref.RestrictInstruments:
    command_id = own_id("restricted", ask, stamp)
    symbols = tuple(map(Symbol, ask.symbols))
    return ref.RestrictInstruments(command_id, stamp.at, symbols, ask.reason, stamp.caller)


def set_session(ask: SessionRequest, stamp: Stamp) -> ref.SetSession:
    """Raises `Invalid` for a time zone that nobody knows, before the journal holds it."""
    check_time_zone(ask.time_zone)
    session = Session(ask.time_zone, ask.opens_minute)
    return ref.SetSession(own_id("session", ask, stamp), stamp.at, session, stamp.caller)


def _house(_: Any) -> StreamId:
    return HOUSE_STREAM


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    """Those that need the reference data to read what they are asked, and all others."""
    return (
        *OPERATIONS,
        Ask(
            name="reference.move_contract",
            summary="Say what has become of an event contract: settled, it pays every position.",
            method="PUT",
            path="/instruments/{symbol}/contract",
            request=ContractRequest,
            reply=DoneReply,
            scope=Scope.HOUSE_WRITE,
            errors=(Refused,),
            stream=_house,
            command=Contracts(refs).move,
            answer=done,
            example={"stage": "determined", "payout": "1", "reason": "the exchange's page says so"},
        ),
        Ask(
            name="trading.record_finality",
            summary="Say of an execution that its trade is confirmed, or has failed.",
            method="PUT",
            path="/orders/{order_id}/finality",
            request=FinalityRequest,
            reply=DoneReply,
            scope=Scope.HOUSE_WRITE,
            errors=(Refused,),
            account=account_of_order,
            stream=stream_of_order,
            command=record_finality,
            answer=finality_recorded,
        ),
    )


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Ask(
        name="reference.set_fees",
        summary="Set what an instrument's executions cost from now on.",
        method="PUT",
        path="/instruments/{symbol}/fees",
        request=FeesRequest,
        reply=DoneReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        stream=_house,
        command=set_fees,
        answer=done,
    ),
    Ask(
        name="reference.set_settlement",
        summary="Set after how many sessions an instrument's fills settle from now on.",
        method="PUT",
        path="/instruments/{symbol}/settlement",
        request=SettlementRequest,
        reply=DoneReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        stream=_house,
        command=set_settlement,
        answer=done,
    ),
    Ask(
        name="reference.set_swap",
        summary="Set what keeping a position of an instrument overnight costs on margin.",
        method="PUT",
        path="/instruments/{symbol}/swap",
        request=SwapRequest,
        reply=DoneReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        stream=_house,
        command=set_swap,
        answer=done,
    ),
    Ask(
        name="risk.set_restricted",
        summary="Set the list of instruments that nobody may trade.",
        method="PUT",
        path="/risk/restricted",
        request=RestrictedRequest,
        reply=DoneReply,
        scope=Scope.LIMITS_WRITE,
        errors=(Refused,),
        stream=_house,
        command=restrict,
        answer=done,
    ),
    Ask(
        name="risk.set_session",
        summary="Set when a trading day begins, from which daily loss is measured.",
        method="PUT",
        path="/risk/session",
        request=SessionRequest,
        reply=DoneReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        stream=_house,
        command=set_session,
        answer=done,
    ),
)
