"""The laws of the crossing venue. Pure: no clock, no randomness, no I/O, no await.

Orders of the house meet each other at the maker's price, in price-time priority, or in proportion
to their size where the instrument says so. The kernel plans what a taker would have (`pro_rata` in
its place there); `decide` turns that into events and `evolve` books them. An account does
not trade with itself: the taker says what happens instead. In an auction orders rest until it
uncrosses.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.reference.model import Allocation
from fondaco.domain.trading.events import CASH_SPENT, Fill
from fondaco.domain.trading.model import OrdStatus, Side, TimeInForce
from fondaco.domain.venues.crossing.auction import Resting, Uncross, pairs, uncross
from fondaco.domain.venues.crossing.events import (
    CrossingCommand,
    CrossingEvent,
    FollowSchedule,
    PhaseSet,
    ScheduleSet,
    SetPhase,
    SetSchedule,
    StepPassed,
    Uncrossed,
)
from fondaco.domain.venues.crossing.matching import (
    CANCEL_BOTH,
    CANCEL_NEWEST,
    CUT,
    FILLED,
    LOTS_MAX,
)
from fondaco.domain.venues.crossing.model import MODES, PREFIX, CrossingState, Phase, Terms
from fondaco.domain.venues.crossing.pro_rata import LEAST_WITH_TOP, plan
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.model import VenueRefs
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import Instant, StreamId

_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)
SHUT: Final = (Phase.HALTED, Phase.CLOSED)
_AUCTIONS: Final = (Phase.PRE_OPEN, Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION)
_SELF_MATCH: Final = "self_match"
_SCHEDULE: Final = "schedule"  # who sets a phase, and why
_Key = tuple[StreamId, int]


def initial(stream: StreamId) -> CrossingState:
    """A book on which nothing rests."""
    return CrossingState(symbol=stream.removeprefix(PREFIX))  # type: ignore[arg-type]


def decide(
    state: CrossingState, command: CrossingCommand, refs: VenueRefs
) -> tuple[CrossingEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    return _DECIDE[type(command)](state, command, refs)


def evolve(state: CrossingState, event: CrossingEvent) -> CrossingState:
    """The book after this event. The state is its owner's alone, so it is changed in place."""
    _EVOLVE[type(event)](state, event)
    return state


# --- Entering -----------------------------------------------------------------------------------


def _enter(state: CrossingState, ask: EnterOrder, refs: VenueRefs) -> tuple[CrossingEvent, ...]:
    leaves = ask.lots - ask.cum_lots
    at_once = ask.is_market or ask.cash_qty > 0 or ask.time_in_force in _AT_ONCE
    wrong = _barred(state, ask.side, leaves, at_once=at_once)
    if wrong:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, wrong),)
    if state.phase in _AUCTIONS:
        return (_booked(ask, leaves, ask.exec_number),)
    mode = MODES[ask.self_match]
    way = _allocation(refs)
    taken = _Taken(state, ask.account_stream, ask.side, ask.px, leaves, mode, way)
    if taken.reaches and ask.post_only:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, "would_take"),)
    text = _SELF_MATCH if taken.is_stopped else "no_liquidity"
    if ask.cash_qty and refs.book is not None:
        affordable = taken.affordable(ask.cash_qty, refs.book.instrument)
        if affordable < taken.lots:
            text = CASH_SPENT
            taken = _Taken(state, ask.account_stream, ask.side, ask.px, affordable, mode, way)
    if ask.time_in_force is TimeInForce.FOK and taken.lots < leaves and text is not CASH_SPENT:
        text = "not_at_once" if taken.reaches else "no_liquidity"
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.EXPIRED, text),)
    events = taken.events(ask.number, ask.exec_number + 1, leaves - taken.lots)
    if taken.is_stopped and text is _SELF_MATCH:
        events.append(OrderEnded(ask.account_stream, ask.number, OrdStatus.CANCELED, text))
        return tuple(events)
    left = leaves - taken.lots - taken.cut
    is_top = way is Allocation.PRO_RATA_TOP and _betters(state, ask.side, ask.px)
    return (*events, *_rest(ask, taken, left, text, at_once=at_once, is_top=is_top))


def _rest(
    ask: EnterOrder, taken: "_Taken", left: int, text: str, *, at_once: bool, is_top: bool
) -> list[CrossingEvent]:
    """What becomes of what a taker has not had, and has not lost to itself."""
    if not left:
        return []
    if at_once:
        return [OrderEnded(ask.account_stream, ask.number, OrdStatus.EXPIRED, text)]
    booked = _booked(ask, left, ask.exec_number + (taken.lots > 0), is_top=is_top)
    if not taken.cut:
        return [booked]
    lots = ask.lots - taken.cut
    return [
        msgspec.structs.replace(booked, lots=lots),
        _restated(ask.account_stream, ask.number, lots, ask.px, left),
    ]


def _barred(state: CrossingState, side: Side, leaves: int, *, at_once: bool) -> str:
    """Why no order may come in now; "" if it may."""
    rungs = state.book.matching.bids if side is Side.BUY else state.book.matching.asks
    if leaves <= 0:
        return "nothing_left"
    if state.phase in SHUT:
        return str(state.phase)
    if at_once and state.phase in _AUCTIONS:
        return "auction"
    return "book_full" if leaves > LOTS_MAX - rungs.total else ""


def _allocation(refs: VenueRefs) -> Allocation:
    return Allocation.FIFO if refs.book is None else refs.book.instrument.allocation


def _betters(state: CrossingState, side: Side, px: int) -> bool:
    """Whether nobody on its side stands as well. A taker of one lot would say who does."""
    best = state.book.matching.plan(int(side is Side.BUY), 0, 1, 0, 0)
    return not best or (px > best[0][2] if side is Side.BUY else px < best[0][2])


def _booked(ask: EnterOrder, leaves: int, exec_number: int, *, is_top: bool = False) -> OrderBooked:
    return OrderBooked(
        ask.account_stream,
        ask.number,
        ask.side,
        ask.px,
        ask.lots,
        leaves,
        ask.display_lots,
        0,
        exec_number,
        ask.post_only,
        ask.self_match,
        is_top=is_top,
    )


def _restated(
    account_stream: StreamId, number: int, lots: int, px: int, left: int
) -> OrderReplaced:
    """What prevention has taken off is gone; the order stands where it stood."""
    return OrderReplaced(account_stream, number, lots, px, left, 0, True, True)


class _Taken:
    """What a taker has of the other side, as the kernel plans it."""

    def __init__(
        self,
        state: CrossingState,
        account_stream: StreamId,
        side: Side,
        px: int,
        lots: int,
        mode: int,
        allocation: Allocation,
    ) -> None:
        self._state = state
        self._account_stream = account_stream
        self._side = side
        owner = state.numbers.get(account_stream, 0)
        number, book = int(side is Side.SELL), state.book.matching
        if not lots:
            steps = []
        elif allocation is Allocation.FIFO:
            steps = book.plan(number, px, lots, owner, mode)
        else:
            with_top = allocation is Allocation.PRO_RATA_TOP
            top, least = (state.tops[1 - number], LEAST_WITH_TOP) if with_top else (0, 1)
            rows = book.rows(1 - number, px)
            steps = plan(rows, lots, owner, mode, top=top, least=least)
        self._steps = [step[1:] for step in steps if step[0] == FILLED]
        self._own = [step for step in steps if step[0] != FILLED]  # orders that it meets of its own
        self.lots = sum(each for _, _, each in self._steps)
        self.cut = sum(step[3] for step in self._own if step[0] == CUT)  # lots of it that are gone
        reached = book.plan(number, px, self.lots + 1, 0, 0)
        self.reaches = bool(reached)
        if mode == CANCEL_NEWEST:
            # Somebody is there for one lot more, but it is ourselves.
            more = sum(each for _, _, _, each in reached)
            self.is_stopped = self.lots < lots and more > self.lots
        elif mode == CANCEL_BOTH:
            self.is_stopped = bool(self._own)
        else:
            self.is_stopped = self.cut > 0 and self.lots + self.cut == lots

    def affordable(self, cash: int, instrument: Any) -> int:
        """The lots that `cash`, in ledger units, pays for, or needs to be raised."""
        lots = 0
        for _, px, each in self._steps:
            part = min(cash * instrument.cost_den // (px * instrument.cost_num), each)
            lots += part
            if part < each:
                break
            cash -= instrument.cost_up(px, part)
        return lots

    def events(self, number: int, exec_number: int, left: int) -> list[CrossingEvent]:
        """The taker's execution, then the makers'. Each maker is one fill, at its own price.

        Icebergs that have shown new parts come in the order in which they did so last, since that
        is how they stand in the queue from here on.
        """
        if not self._steps:
            return self._own_events()
        state, fills = self._state, dict[int, tuple[int, int]]()
        shown: dict[int, int] = {}
        renewed: dict[int, int] = {}
        for nth, (maker, px, lots) in enumerate(self._steps):
            _, _, _, _, leaves, display, visible = state.book.row(maker)
            fills[maker] = (px, fills.get(maker, (px, 0))[1] + lots)
            before = shown.get(maker, visible)
            if lots >= before and fills[maker][1] < leaves:
                renewed[maker] = nth
                shown[maker] = display - (lots - before) % display
            else:
                shown[maker] = before - lots
        taker_fills = tuple(Fill(px, lots) for px, lots in fills.values())
        events: list[CrossingEvent] = [
            OrderExecuted(
                self._account_stream,
                number,
                exec_number,
                state.symbol,
                self._side,
                taker_fills,
                is_maker=False,
                leaves_lots=left,
            )
        ]
        makers = sorted(fills, key=lambda each: renewed.get(each, -1))
        events += [_executed(state, each, (Fill(*fills[each]),)) for each in makers]
        return events + self._own_events()

    def _own_events(self) -> list[CrossingEvent]:
        """What becomes of the orders of its own that it met."""
        state, events = self._state, list[CrossingEvent]()
        for _, maker, px, lots in self._own:
            whose, left = state.whose(maker), state.book.row(maker)[4] - lots
            if left:
                terms = state.terms[maker]
                events.append(_restated(*whose, terms.lots - lots, px, left))
            else:
                events.append(OrderEnded(*whose, OrdStatus.CANCELED, _SELF_MATCH))
        return events


def _executed(state: CrossingState, order_id: int, fills: tuple[Fill, ...]) -> OrderExecuted:
    """Of an order that rests."""
    _, _, side, _, leaves, _, _ = state.book.row(order_id)
    return OrderExecuted(
        *state.whose(order_id),
        state.terms[order_id].exec_number + 1,
        state.symbol,
        Side.SELL if side else Side.BUY,
        fills,
        is_maker=True,
        leaves_lots=leaves - sum(fill.lots for fill in fills),
    )


# --- Changing -----------------------------------------------------------------------------------


def _cancel(state: CrossingState, ask: CancelAtVenue, _: VenueRefs) -> tuple[CrossingEvent, ...]:
    if state.order_id(ask.account_stream, ask.number) not in state.terms:
        return (ChangeDenied(ask.account_stream, ask.number, "too_late"),)
    status = OrdStatus.EXPIRED if ask.reason == "expired" else OrdStatus.CANCELED
    return (OrderEnded(ask.account_stream, ask.number, status, ask.reason),)


def _replace(
    state: CrossingState, ask: ReplaceAtVenue, refs: VenueRefs
) -> tuple[CrossingEvent, ...]:
    """New terms. Only less of it, at its price, keeps the place; else it may take."""
    account_stream, number = ask.account_stream, ask.number
    order_id = state.order_id(account_stream, number)
    terms, row = state.terms.get(order_id), state.book.matching.find(order_id)
    leaves = 0 if terms is None or row is None else ask.lots - (terms.lots - row[4])
    if terms is None or row is None or leaves <= 0:
        return (ChangeDenied(account_stream, number, "too_late"),)
    side = Side.SELL if row[2] else Side.BUY
    if ask.px == row[3] and leaves <= row[4]:
        return (OrderReplaced(account_stream, number, ask.lots, ask.px, leaves, 0, True),)
    wrong = _barred(state, side, max(leaves - row[4], 1), at_once=False)
    if wrong:
        return (ChangeDenied(account_stream, number, wrong),)
    replaced = OrderReplaced(account_stream, number, ask.lots, ask.px, leaves, 0, False)
    if state.phase in _AUCTIONS:
        return (replaced,)
    taken = _Taken(state, account_stream, side, ask.px, leaves, terms.mode, _allocation(refs))
    if taken.reaches and terms.post_only:
        return (ChangeDenied(account_stream, number, "would_take"),)
    events = taken.events(number, terms.exec_number + 1, leaves - taken.lots)
    left = leaves - taken.lots - taken.cut
    if taken.is_stopped:
        events.append(OrderEnded(account_stream, number, OrdStatus.CANCELED, _SELF_MATCH))
    elif taken.cut and left:
        events.append(_restated(account_stream, number, ask.lots - taken.cut, ask.px, left))
    return (replaced, *events)


# --- Phases -------------------------------------------------------------------------------------


def _set_phase(state: CrossingState, ask: SetPhase, _: VenueRefs) -> tuple[CrossingEvent, ...]:
    """An auction that ends in trading, or the closing one in whatever, uncrosses first."""
    return _into(state, PhaseSet(ask.phase, ask.reason, ask.by), ask.reference_px)


def _set_schedule(state: CrossingState, ask: SetSchedule, _: VenueRefs) -> tuple[CrossingEvent]:
    return (ScheduleSet(ask.schedule, ask.reason, ask.by),)


def _follow(state: CrossingState, ask: FollowSchedule, _: VenueRefs) -> tuple[CrossingEvent, ...]:
    """Steps are taken once, and in order. A halt has a cause that no clock knows: it stays."""
    if state.schedule is None or ask.due <= state.stepped:
        return (StepPassed(ask.due, ask.phase, "overtaken"),)
    if state.phase is Phase.HALTED:
        return (StepPassed(ask.due, ask.phase, Phase.HALTED),)
    return _into(state, PhaseSet(ask.phase, _SCHEDULE, _SCHEDULE, ask.due), 0)


def _into(state: CrossingState, event: PhaseSet, reference_px: int) -> tuple[CrossingEvent, ...]:
    was, phase = state.phase, event.phase
    ends = phase is Phase.CONTINUOUS and was is not Phase.CONTINUOUS
    ends = ends or (was is Phase.CLOSING_AUCTION and phase is Phase.CLOSED)
    if not ends:
        return (event,)
    buyers, sellers = _auctioned(state, 0), _auctioned(state, 1)
    uncrossed = uncross(
        [(each.px, each.lots) for each in buyers],
        [(each.px, each.lots) for each in sellers],
        reference_px or state.last_px,
    )
    if uncrossed is None:
        return (event, Uncrossed(0, 0, 0, 0))
    return (event, *_uncross(state, buyers, sellers, uncrossed))


def indicative(state: CrossingState) -> Uncross | None:
    """What an auction would give if it ended now, without a reference price of its own."""
    if state.phase not in _AUCTIONS:
        return None
    rows = state.book.matching.rows
    bids, asks = ([(row[3], row[4]) for row in rows(side)] for side in (0, 1))
    return uncross(bids, asks, state.last_px)


def _auctioned(state: CrossingState, side: int) -> list[Resting]:
    return [Resting(*state.whose(row[0]), row[3], row[4]) for row in state.book.matching.rows(side)]


def _uncross(
    state: CrossingState, buyers: list[Resting], sellers: list[Resting], at: Uncross
) -> list[CrossingEvent]:
    matched = pairs(buyers, sellers, at)
    fills: dict[_Key, list[Fill]] = {}
    for buyer, seller, lots in matched:
        for each in (buyer, seller):
            fills.setdefault((each.account_stream, each.number), []).append(Fill(at.px, lots))
    return [
        Uncrossed(at.px, at.lots, at.surplus, len(matched)),
        *(_executed(state, state.order_id(*key), tuple(each)) for key, each in fills.items()),
    ]


# --- What is true afterwards --------------------------------------------------------------------


def _on_booked(state: CrossingState, event: OrderBooked) -> None:
    if event.account_stream not in state.numbers:
        state.owners.append(event.account_stream)
        state.numbers[event.account_stream] = len(state.owners)
    order_id = state.order_id(event.account_stream, event.number)
    state.book.matching.add(
        order_id,
        state.numbers[event.account_stream],
        int(event.side is Side.SELL),
        event.px,
        event.leaves_lots,
        event.display_lots,
    )
    state.terms[order_id] = Terms(
        event.lots, event.exec_number, event.post_only, MODES[event.self_match]
    )
    if event.is_top:
        bid, ask = state.tops
        state.tops = (bid, order_id) if event.side is Side.SELL else (order_id, ask)


def _on_executed(state: CrossingState, event: OrderExecuted) -> None:
    if not event.is_maker:
        state.trades += len(event.fills)
        state.last_px = event.fills[-1].px
    order_id = state.order_id(event.account_stream, event.number)
    terms = state.terms.get(order_id)
    if terms is not None:  # a taker rests only if it was replaced
        terms.exec_number = event.exec_number
        lots = sum(fill.lots for fill in event.fills)
        state.book.matching.take_off(order_id, lots, event.is_maker)
        if not event.leaves_lots:
            del state.terms[order_id]


def _on_ended(state: CrossingState, event: OrderEnded) -> None:
    order_id = state.order_id(event.account_stream, event.number)
    if state.terms.pop(order_id, None) is not None:
        state.book.matching.take_off(order_id, 0, False)


def _on_replaced(state: CrossingState, event: OrderReplaced) -> None:
    order_id = state.order_id(event.account_stream, event.number)
    terms, row = state.terms.get(order_id), state.book.matching.find(order_id)
    if terms is None or row is None:
        return
    terms.lots = event.lots
    _, owner, side, _, leaves, display, _ = row
    if not event.keeps_place:
        bid, ask = state.tops
        state.tops = (bid * (bid != order_id), ask * (ask != order_id))
        state.book.matching.take_off(order_id, 0, False)
        state.book.matching.add(order_id, owner, side, event.px, event.leaves_lots, display)
    elif event.leaves_lots < leaves:
        state.book.matching.take_off(order_id, leaves - event.leaves_lots, False)


def _on_phase(state: CrossingState, event: PhaseSet) -> None:
    state.phase = event.phase
    state.stepped = max(state.stepped, event.due)


def _on_schedule(state: CrossingState, event: ScheduleSet) -> None:
    state.schedule = event.schedule
    state.stepped = Instant(0)


def _on_passed(state: CrossingState, event: StepPassed) -> None:
    if state.schedule is not None:
        state.stepped = max(state.stepped, event.due)


def _on_uncrossed(state: CrossingState, event: Uncrossed) -> None:
    if event.lots:
        state.trades += event.trades
        state.last_px = event.px


def _on_nothing(state: CrossingState, event: ChangeDenied) -> None:
    """The trace that a command left; the book is as it was."""


_DECIDE: Final[dict[type, Callable[[CrossingState, Any, VenueRefs], tuple[CrossingEvent, ...]]]] = {
    EnterOrder: _enter,
    CancelAtVenue: _cancel,
    ReplaceAtVenue: _replace,
    SetPhase: _set_phase,
    SetSchedule: _set_schedule,
    FollowSchedule: _follow,
}
_EVOLVE: Final[dict[type, Callable[[CrossingState, Any], None]]] = {
    OrderBooked: _on_booked,
    OrderExecuted: _on_executed,
    OrderEnded: _on_ended,
    OrderReplaced: _on_replaced,
    PhaseSet: _on_phase,
    ScheduleSet: _on_schedule,
    StepPassed: _on_passed,
    Uncrossed: _on_uncrossed,
    ChangeDenied: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, CrossingState)
