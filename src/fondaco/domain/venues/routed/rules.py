"""The laws of a venue elsewhere. Pure: no clock, no randomness, no I/O, no await.

Nothing is guessed. An order is what their reports have said, each ExecID once. Where they have
executed more than they have told us, or do not answer, it is silent until they say the rest: never
is an execution made up of a difference. While they are away nothing new is sent.
"""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import OrdStatus
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.model import symbol_of
from fondaco.domain.venues.routed.events import (
    CancelRouted,
    ExecutionBusted,
    HearDenial,
    HearNothing,
    HearReport,
    NeverLeft,
    OrderHeard,
    OrderRouted,
    OrderSilent,
    ReplaceRouted,
    ReportNoted,
    RoutedCommand,
    RoutedEvent,
    TradeDisputed,
)
from fondaco.domain.venues.routed.evolving import evolve
from fondaco.domain.venues.routed.model import Change, Routed, RoutedState, RouteRefs, new_name
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import StreamId

NOBODY: Final = StreamId("")
AWAY: Final = "venue_away"
_ENDS: Final = {
    "3": OrdStatus.EXPIRED,  # done for the day
    "4": OrdStatus.CANCELED,
    "C": OrdStatus.EXPIRED,
    "8": OrdStatus.REJECTED,
}
_WORKING: Final = frozenset("01569ADE")  # OrdStatus of what has not ended
_DENIALS: Final = {"0": "too_late", "1": "unknown_order"}  # CxlRejReason (102)
_Events = list[RoutedEvent]


def initial(stream: StreamId) -> RoutedState:
    """Nothing was ever sent."""
    return RoutedState(symbol=symbol_of(stream))


def decide(state: RoutedState, command: RoutedCommand, refs: RouteRefs) -> tuple[RoutedEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    return tuple(_DECIDE[type(command)](state, command, refs))


# --- What accounts ask --------------------------------------------------------------------------


def _enter(state: RoutedState, ask: EnterOrder, refs: RouteRefs) -> _Events:
    known = state.find(ask.account_stream, ask.number)
    if known is not None:  # more of a bracket's leg works
        return [_replacing(known, ask.lots, ask.px, is_quiet=True)]
    if ask.lots <= ask.cum_lots:
        return [_refused(ask, "nothing_left")]
    if not refs.is_up:
        return [_refused(ask, AWAY)]
    if ask.cash_qty or (ask.is_market and not ask.px):
        return [_refused(ask, "unsupported_here")]
    return [
        OrderRouted(
            ask.account_stream,
            ask.number,
            new_name(state.symbol, ask.at, state.serial + 1),
            state.symbol,
            ask.side,
            ask.px,
            ask.lots,
            ask.cum_lots,
            ask.time_in_force,
            ask.is_market,
            ask.display_lots,
            ask.post_only,
            ask.min_lots,
            ask.exec_number,
        )
    ]


def _refused(ask: EnterOrder, text: str) -> OrderEnded:
    return OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, text)


def _cancel(state: RoutedState, ask: CancelAtVenue, _: RouteRefs) -> _Events:
    """Sent even while they are away: they are told once they are back."""
    order = state.find(ask.account_stream, ask.number)
    if order is None:
        return [ChangeDenied(ask.account_stream, ask.number, "too_late")]
    name = _next_name(order)
    return [CancelRouted(ask.account_stream, ask.number, name, order.cl_ord_id, ask.reason)]


def _replace(state: RoutedState, ask: ReplaceAtVenue, refs: RouteRefs) -> _Events:
    order = state.find(ask.account_stream, ask.number)
    if order is None or ask.lots <= order.cum_lots:
        return [ChangeDenied(ask.account_stream, ask.number, "too_late")]
    if not refs.is_up:
        return [ChangeDenied(ask.account_stream, ask.number, AWAY)]
    return [_replacing(order, ask.lots, ask.px)]


def _replacing(order: Routed, lots: int, px: int, *, is_quiet: bool = False) -> ReplaceRouted:
    name, orig = _next_name(order), order.cl_ord_id
    return ReplaceRouted(order.account_stream, order.number, name, orig, lots, px, is_quiet)


def _next_name(order: Routed) -> str:
    return f"{order.name}.{order.change_count + 1}"


def _never(state: RoutedState, told: NeverLeft, _: RouteRefs) -> _Events:
    order = state.named(told.cl_ord_id)
    if order is not None and not order.is_done:
        if order.name == told.cl_ord_id and not order.is_acknowledged:
            return [OrderEnded(order.account_stream, order.number, OrdStatus.REJECTED, AWAY)]
        if told.cl_ord_id in order.changes:
            return _denied(order, told.cl_ord_id, AWAY)
    return [ReportNoted("silence", told.cl_ord_id, NOBODY, 0)]


def _nothing(state: RoutedState, told: HearNothing, _: RouteRefs) -> _Events:
    order = state.find(told.account_stream, told.number)
    if order is None or order.is_silent:
        return [ReportNoted("silence", "", told.account_stream, told.number)]
    return [OrderSilent(order.account_stream, order.number, told.text)]


# --- What they say ------------------------------------------------------------------------------


def _report(state: RoutedState, told: HearReport, _: RouteRefs) -> _Events:
    order = state.named(told.cl_ord_id, told.orig_cl_ord_id)
    if order is None:
        return [_noted("stray", None, told)]
    if told.exec_type == "I" or told.exec_id in ("", "0"):
        return _status(order, told)
    if told.exec_id in order.seen:
        return [_noted("repeated", order, told)]
    if told.exec_type in ("G", "H"):
        return _amended(state, order, told)
    if told.exec_type == "F":
        return _executed(state, order, told)
    if order.is_done:
        return [_noted("repeated", order, told)]
    if told.exec_type in _ENDS:
        return _ended(order, told)
    if told.exec_type in ("5", "D"):
        return _replaced(order, told)
    what = "acknowledged" if told.exec_type in ("0", "L", "9") else "pending"
    return [_noted(what, order, told), *_standing(order, told)]


def _executed(state: RoutedState, order: Routed, told: HearReport) -> _Events:
    if told.wrong or told.last_lots <= 0 or told.last_px <= 0:
        text = told.wrong or "an execution without a quantity or a price"
        return [_disputed(order, told, text), *_silent(order, text)]
    cum = order.cum_lots + told.last_lots
    events: _Events = [
        _noted("executed", order, told),
        OrderExecuted(
            order.account_stream,
            order.number,
            order.exec_number + 1,
            state.symbol,
            order.side,
            (Fill(told.last_px, told.last_lots),),
            told.is_maker,
            0 if order.is_done else max(order.lots - cum, 0),
        ),
    ]
    if order.is_done or cum >= order.lots:
        return events
    known = max(order.told_lots, _their_cum(order, told))
    if known > cum:  # the account takes an execution for an answer: this one answers too little
        text = f"{known - cum} more lots have executed than we were told"
        events.append(OrderSilent(order.account_stream, order.number, text))
    elif order.ending is not None:
        status, text = order.ending.ord_status, order.ending.text
        events.append(OrderEnded(order.account_stream, order.number, status, text))
    return events


def _amended(state: RoutedState, order: Routed, told: HearReport) -> _Events:
    """They take an execution back, or correct it, by its ExecID or that of its last correction. An
    order that is done stays so, whatever they make of it: nobody here waits for it any more."""
    known = order.counted.get(told.ref_id)
    while known is not None and known.amended_by:
        known = order.counted.get(known.amended_by)
    fill, text = None, told.text
    if told.exec_type == "G":
        fill = Fill(told.last_px, told.last_lots)
        if told.last_lots <= 0 or told.last_px <= 0:
            text = told.wrong or "a correction without a quantity or a price"
    if known is None or not known.lots:
        text = told.text or f"{told.ref_id or 'what they take back'} was never counted"
    if known is None or not known.lots or (fill and (fill.lots <= 0 or fill.px <= 0)):
        return [_disputed(order, told, text), *_silent(order, text)]
    change = (fill.lots if fill else 0) - known.lots
    cum = order.cum_lots + change
    theirs = _their_cum(order, told) if told.cum_lots >= 0 else max(order.told_lots + change, cum)
    noted = ReportNoted(
        "busted",
        told.cl_ord_id,
        order.account_stream,
        order.number,
        told.exec_id,
        told.order_id,
        theirs,
        told.ord_status,
        told.text,
    )
    busted = ExecutionBusted(
        order.account_stream,
        order.number,
        order.exec_number + 1,
        known.exec_number,
        state.symbol,
        order.side,
        Fill(known.px, known.lots),
        fill,
        known.is_maker,
        0 if order.is_done else max(order.lots - cum, 0),
        told.text,
    )
    return [noted, busted, *_after_bust(order, told, theirs, cum)]


def _after_bust(order: Routed, told: HearReport, theirs: int, cum: int) -> _Events:
    if order.is_done or cum >= order.lots:
        return []
    if theirs > cum:
        return _silent(order, f"{theirs - cum} more lots have executed than we were told")
    if order.ending is not None:
        status, text = order.ending.ord_status, order.ending.text
        return [OrderEnded(order.account_stream, order.number, status, text)]
    if order.is_silent and told.ord_status in _WORKING:
        return [OrderHeard(order.account_stream, order.number)]
    return []


def _ended(order: Routed, told: HearReport) -> _Events:
    status, text = _ENDS[told.exec_type], told.text
    asked = order.changes.get(told.cl_ord_id)
    if asked is not None and not asked.lots:
        text = asked.reason
        if text == "expired":
            status = OrdStatus.EXPIRED
    if _their_cum(order, told) > order.cum_lots:
        return _short(order, told, status)
    noted = _noted("status", order, told)
    return [noted, OrderEnded(order.account_stream, order.number, status, text or "by the venue")]


def _replaced(order: Routed, told: HearReport) -> _Events:
    """New terms, asked for or not. Where they name none, those that were asked for."""
    asked = order.changes.get(told.cl_ord_id, Change(0))
    lots = order.base_lots + told.lots if told.lots else asked.lots
    px = told.px or asked.px or order.px
    if told.wrong or lots < order.cum_lots or not lots:
        return [_disputed(order, told, told.wrong or f"{lots} lots are no terms of this order")]
    noted = _noted("replaced", order, told)
    leaves = lots - order.cum_lots
    replaced = OrderReplaced(
        order.account_stream,
        order.number,
        lots,
        px,
        leaves,
        0,
        keeps_place=px == order.px and lots <= order.lots,
        is_restated=not asked.lots or asked.is_quiet,
    )
    return [noted, *_standing(order, told), replaced]


def _status(order: Routed, told: HearReport) -> _Events:
    """They were asked how it stands."""
    if order.is_done:
        return [_noted("status", order, told)]
    if told.ord_status == "8" and told.cum_lots <= 0 and order.is_acknowledged:
        return [_noted("disputed", order, told), *_silent(order, "they no longer know the order")]
    theirs = _their_cum(order, told)
    if theirs > order.cum_lots:
        return _short(order, told, _ENDS.get(told.ord_status))
    if 0 <= told.cum_lots < order.cum_lots - order.base_lots:
        text = f"they say that {told.cum_lots} lots have executed, and have told us of more"
        return [_noted("disputed", order, told), *_silent(order, text)]
    if told.ord_status in _ENDS:
        text = told.text if order.is_acknowledged else "never_arrived"
        noted = _noted("status", order, told)
        status = _ENDS[told.ord_status]
        return [noted, OrderEnded(order.account_stream, order.number, status, text or "status")]
    return [_noted("status", order, told), *_standing(order, told)]


def _denial(state: RoutedState, told: HearDenial, _: RouteRefs) -> _Events:
    order = state.named(told.cl_ord_id, told.orig_cl_ord_id)
    if order is None or order.is_done or told.cl_ord_id not in order.changes:
        what = "stray" if order is None else "repeated"
        return [ReportNoted(what, told.cl_ord_id, NOBODY, 0, text=told.text)]
    return _denied(order, told.cl_ord_id, _DENIALS.get(told.reason) or told.text or "denied")


def _denied(order: Routed, cl_ord_id: str, text: str) -> _Events:
    """Nobody waits for the answer to a quiet one."""
    noted = ReportNoted("denied", cl_ord_id, order.account_stream, order.number, text=text)
    if order.changes[cl_ord_id].is_quiet:
        return [noted]
    return [noted, ChangeDenied(order.account_stream, order.number, text)]


# --- What is made of it -------------------------------------------------------------------------


def _their_cum(order: Routed, told: HearReport) -> int:
    return order.base_lots + told.cum_lots if told.cum_lots >= 0 else 0


def _standing(order: Routed, told: HearReport) -> _Events:
    """A report of what works ends a silence, unless more has executed than we know."""
    if max(order.told_lots, _their_cum(order, told)) > order.cum_lots:
        return _silent(order, "more has executed than we were told")
    if order.is_silent and told.ord_status in _WORKING:
        return [OrderHeard(order.account_stream, order.number)]
    return []


def _silent(order: Routed, text: str) -> _Events:
    if order.is_silent or order.is_done:
        return []
    return [OrderSilent(order.account_stream, order.number, text)]


def _short(order: Routed, told: HearReport, status: OrdStatus | None) -> _Events:
    """They have executed more than they have told us; it may have ended, too."""
    theirs = _their_cum(order, told)
    noted = ReportNoted(
        "short",
        told.cl_ord_id,
        order.account_stream,
        order.number,
        told.exec_id if told.exec_type != "I" else "",
        told.order_id,
        theirs,
        status.value if status is not None else "",
        told.text,
    )
    return [noted, *_silent(order, f"{theirs - order.cum_lots} lots have executed untold")]


def _noted(what: str, order: Routed | None, told: HearReport) -> ReportNoted:
    stream, number = (NOBODY, 0) if order is None else (order.account_stream, order.number)
    cum = -1 if order is None or told.cum_lots < 0 else order.base_lots + told.cum_lots
    exec_id = "" if told.exec_id == "0" else told.exec_id
    return ReportNoted(
        what,
        told.cl_ord_id,
        stream,
        number,
        exec_id,
        told.order_id,
        cum,
        told.ord_status,
        told.text,
    )


def _disputed(order: Routed, told: HearReport, text: str) -> TradeDisputed:
    return TradeDisputed(
        order.account_stream,
        order.number,
        told.cl_ord_id,
        told.exec_type,
        told.exec_id,
        told.ref_id,
        told.last_lots,
        told.last_px,
        text,
    )


_DECIDE: Final[dict[type, Callable[[RoutedState, Any, RouteRefs], _Events]]] = {
    EnterOrder: _enter,
    CancelAtVenue: _cancel,
    ReplaceAtVenue: _replace,
    HearReport: _report,
    HearDenial: _denial,
    HearNothing: _nothing,
    NeverLeft: _never,
}

decider: Final = Decider(initial, decide, evolve, RoutedState)
