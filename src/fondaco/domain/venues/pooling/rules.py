"""The laws of the pooling desk. Pure: no clock, no randomness, no I/O, no await.

The street trades round lots only. Orders that are not whole ones wait here, and at every turn of
the clock those of a side that the market would meet now become one street order, in the name of the
desk's account: as few round lots as, with the house's inventory, are enough for a buy; as many as,
with the inventory, there are for a sale. What the street did is shared as it was done:

- Who takes part: every order of the side that its own limit lets meet the best price displayed; the
  street order's limit is the strictest of theirs, so that no limit is broken.
- How much: a street order that was done whole fills everybody; one that was done in part is shared
  in proportion to what each has left. The house comes last: it has only what lies between whole
  round lots and the sum of the orders, and of a part nothing that a customer wants.
- At which price: the average of the street's fills, the same for all; see `allocation` for what
  does not divide.
- An inventory that is enough by itself, or room for all of a sale, needs no street: the price is
  then the best displayed at the side that a street order would have met.
"""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.market.model import Quality
from fondaco.domain.trading.model import OrdStatus, Side, TimeInForce
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.model import Depth, VenueRefs, symbol_of
from fondaco.domain.venues.pooling.allocation import apportion, due, fills_at
from fondaco.domain.venues.pooling.events import (
    BlockAccepted,
    BlockAllocated,
    BlockCut,
    BlockExecuted,
    CancelNoted,
    CutBlock,
    Part,
    PoolCommand,
    PoolEvent,
    PoolJoined,
    RecordStreetEnd,
    RecordStreetFill,
    RecordStreetOrder,
)
from fondaco.domain.venues.pooling.model import (
    MEMBERS_MAX,
    RECENT_MAX,
    WAITING_MAX,
    Block,
    Pooled,
    PoolState,
)
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import Instant, StreamId

_BUY: Final = Side.BUY
_OTHER: Final = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
AGAIN_NS: Final = 1_000_000_000  # after a block of which the street did nothing; doubled each time
DOUBLED_MAX: Final = 6


def initial(stream: StreamId) -> PoolState:
    """A desk at which nobody waits."""
    return PoolState(symbol=symbol_of(stream))


def decide(state: PoolState, command: PoolCommand, refs: VenueRefs) -> tuple[PoolEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    return _DECIDE[type(command)](state, command, refs)


def evolve(state: PoolState, event: PoolEvent) -> PoolState:
    """The desk after this event. The state is its owner's alone, so it is changed in place."""
    _EVOLVE[type(event)](state, event)
    return state


# --- Coming and going ---------------------------------------------------------------------------


def _enter(state: PoolState, ask: EnterOrder, refs: VenueRefs) -> tuple[PoolEvent, ...]:
    leaves, at_once = ask.lots - ask.cum_lots, ask.is_market or ask.time_in_force is _IOC
    wrong = _barred(state, ask, leaves)
    if wrong:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, wrong),)
    idle = ask.at < state.not_before.get(ask.side, 0)
    if at_once and (idle or not _meets(ask.side, ask.px, best_px(refs.book, ask.side))):
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.EXPIRED, "no_liquidity"),)
    return (
        PoolJoined(
            ask.account_stream, ask.number, ask.side, ask.px, ask.lots, leaves, ask.exec_number,
            at_once,
        ),
    )  # fmt: skip


def _barred(state: PoolState, ask: EnterOrder, leaves: int) -> str:
    """Why no order may join; "" if it may."""
    if leaves <= 0:
        return "nothing_left"
    if ask.cash_qty or not ask.px or ask.time_in_force is _FOK:
        return "unsupported"
    if ask.post_only or ask.display_lots or ask.min_lots:
        return "unsupported"
    return "book_full" if len(state.orders) >= WAITING_MAX else ""


def _cancel(state: PoolState, ask: CancelAtVenue, _: VenueRefs) -> tuple[PoolEvent, ...]:
    order = state.find(ask.account_stream, ask.number)
    if order is None:
        return (ChangeDenied(ask.account_stream, ask.number, "too_late"),)
    if order.block:
        return (CancelNoted(ask.account_stream, ask.number, ask.reason),)
    return (_ended(order, ask.reason),)


def _ended(order: Pooled, reason: str) -> OrderEnded:
    lapsed = reason in ("expired", "no_liquidity")
    status = OrdStatus.EXPIRED if lapsed else OrdStatus.CANCELED
    return OrderEnded(order.account_stream, order.number, status, reason)


def _replace(state: PoolState, ask: ReplaceAtVenue, _: VenueRefs) -> tuple[PoolEvent, ...]:
    """New terms, for the next block. Less of it at its limit keeps its place."""
    order = state.find(ask.account_stream, ask.number)
    if order is None or order.block or ask.lots <= order.cum_lots:
        return (ChangeDenied(ask.account_stream, ask.number, "too_late"),)
    leaves = ask.lots - order.cum_lots
    keeps_place = ask.px == order.px and leaves <= order.leaves_lots
    return (
        OrderReplaced(ask.account_stream, ask.number, ask.lots, ask.px, leaves, 0, keeps_place),
    )


# --- To the street ------------------------------------------------------------------------------


def best_px(book: Depth | None, side: Side) -> int:
    """What an order of `side` would meet first; 0 while the book is not fit to be believed."""
    if book is None or book.quality is not Quality.OK or not book.is_continuous:
        return 0
    levels = book.asks(1) if side is _BUY else book.bids(1)
    return levels[0][0] if levels else 0


def _meets(side: Side, px: int, best: int) -> bool:
    return best > 0 and (px >= best if side is _BUY else px <= best)


def is_due(state: PoolState, side: Side, book: Depth | None, now: Instant) -> bool:
    """Whether a block of `side` would be cut now. There is one at a time, for two would count on
    the same inventory; a side that has just had one lets the other go first."""
    if state.blocks or not _waits(state, side, book, now):
        return False
    had_its_turn = bool(state.recent) and state.recent[-1].side is side
    return not (had_its_turn and _waits(state, _OTHER[side], book, now))


def _waits(state: PoolState, side: Side, book: Depth | None, now: Instant) -> bool:
    best = best_px(book, side)
    return now >= state.not_before.get(side, 0) and any(
        order.side is side and (order.at_once or _meets(side, order.px, best))
        for order in state.orders.values()
    )


def _cut(state: PoolState, ask: CutBlock, refs: VenueRefs) -> tuple[PoolEvent, ...]:
    book, side = refs.book, ask.side
    best = best_px(book, side)
    if book is None or not is_due(state, side, book, ask.at):
        return (NothingMatched(best),)
    mine = [order for order in state.orders.values() if order.side is side]
    members = [order for order in mine if _meets(side, order.px, best)][:MEMBERS_MAX]
    if not members:
        return tuple(_ended(order, "no_liquidity") for order in mine if order.at_once)
    terms = book.instrument
    wanted = sum(order.leaves_lots for order in members)
    round_lots = max(terms.round_lots, 1)
    if side is _BUY:
        lots = -((state.inventory - wanted) // round_lots) * round_lots
        px = min(order.px for order in members)
    else:
        lots = (state.inventory + wanted) // round_lots * round_lots
        px = max(order.px for order in members)
    lots, number = max(lots, 0), state.block_count + 1
    cut = BlockCut(
        number, state.symbol, side, lots, px, wanted, tuple(order.place for order in members),
        f"pool-{state.symbol}-{number}", terms.qty_text(lots), terms.px_text(px),
    )  # fmt: skip
    if lots:
        return (cut,)
    parts = [(order, order.leaves_lots, best * order.leaves_lots) for order in members]
    return (cut, *_shared(state, number, side, 0, 0, parts, members, "", ask.at))


def _accepted(state: PoolState, told: RecordStreetOrder, _: VenueRefs) -> tuple[PoolEvent, ...]:
    block = state.blocks.get(told.block)
    if block is None or block.order_number:
        return (NothingMatched(0),)
    return (BlockAccepted(told.block, told.order_number),)


def _filled(state: PoolState, told: RecordStreetFill, _: VenueRefs) -> tuple[PoolEvent, ...]:
    """Also what the desk's account has traded by itself comes here: that is no block's."""
    block = _sent_as(state, told.order_number)
    if block is None:
        return (NothingMatched(told.px),)
    executed = BlockExecuted(block.number, told.px, told.lots)
    if not told.is_done:
        return (executed,)
    lots, cost = block.cum_lots + told.lots, block.cost + told.lots * told.px
    return (executed, *_allocated(state, block, lots, cost, "", told.at))


def _street_ended(state: PoolState, told: RecordStreetEnd, _: VenueRefs) -> tuple[PoolEvent, ...]:
    block = state.blocks.get(told.block) or _sent_as(state, told.order_number)
    if block is None:
        return (NothingMatched(0),)
    return _allocated(state, block, block.cum_lots, block.cost, told.text, told.at)


def _sent_as(state: PoolState, order_number: int) -> Block | None:
    for block in state.blocks.values():
        if order_number and block.order_number == order_number:
            return block
    return None


# --- Back from the street -----------------------------------------------------------------------


def _allocated(
    state: PoolState, block: Block, lots: int, cost: int, text: str, at: Instant
) -> tuple[PoolEvent, ...]:
    """The street has done `lots` of it at `cost`: everybody has theirs."""
    members = [state.orders[place] for place in block.places]
    total = block.wanted if lots >= block.lots else min(block.wanted, lots)
    shares = apportion(total, [order.leaves_lots for order in members])
    costs = apportion(due(block.side, total, lots, cost), shares) if total else shares
    parts = list(zip(members, shares, costs, strict=True))
    return _shared(state, block.number, block.side, lots, cost, parts, members, text, at)


def _shared(
    state: PoolState,
    number: int,
    side: Side,
    street_lots: int,
    street_cost: int,
    parts: list[tuple[Pooled, int, int]],
    members: list[Pooled],
    text: str,
    at: Instant,
) -> tuple[PoolEvent, ...]:
    """One event that says all of it, one for each execution, and the ends of those that do not
    wait for another block."""
    parts = [part for part in parts if part[1]]
    total = sum(lots for _, lots, _ in parts)
    moved = street_lots - total if side is _BUY else total - street_lots
    not_before = Instant(0)
    if not total:
        failures = min(state.failures.get(side, 0), DOUBLED_MAX)
        not_before = Instant(at + (AGAIN_NS << failures))
    events: list[PoolEvent] = [
        BlockAllocated(
            number,
            state.symbol,
            side,
            street_lots,
            street_cost,
            tuple(Part(each.account_stream, each.number, n, cost) for each, n, cost in parts),
            state.inventory + moved,
            text,
            not_before,
        )
    ]
    left = {order.place: order.leaves_lots for order in members}
    for order, lots, cost in parts:
        left[order.place] -= lots
        events.append(
            OrderExecuted(
                order.account_stream,
                order.number,
                order.exec_number + 1,
                state.symbol,
                side,
                fills_at(lots, cost),
                is_maker=False,
                leaves_lots=left[order.place],
            )
        )
    events += [
        _ended(order, order.ending or "no_liquidity")
        for order in members
        if left[order.place] and (order.ending or order.at_once)
    ]
    return tuple(events)


# --- What is true afterwards --------------------------------------------------------------------


def _on_joined(state: PoolState, event: PoolJoined) -> None:
    order = Pooled(
        event.account_stream, event.number, event.side, event.px, event.lots, event.leaves_lots,
        event.exec_number, 0, event.at_once,
    )  # fmt: skip
    _put(state, order)


def _put(state: PoolState, order: Pooled) -> None:
    """At the back."""
    state.joined += 1
    order.place = state.joined
    state.orders[order.place] = order
    state.places.setdefault(order.account_stream, {})[order.number] = order.place


def _remove(state: PoolState, order: Pooled) -> None:
    del state.orders[order.place]
    places = state.places[order.account_stream]
    del places[order.number]
    if not places:
        del state.places[order.account_stream]


def _on_executed(state: PoolState, event: OrderExecuted) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.exec_number, order.leaves_lots = event.exec_number, event.leaves_lots
    if not event.leaves_lots:
        _remove(state, order)


def _on_ended(state: PoolState, event: OrderEnded) -> None:
    order = state.find(event.account_stream, event.number)
    if order is not None:
        _remove(state, order)


def _on_noted(state: PoolState, event: CancelNoted) -> None:
    order = state.find(event.account_stream, event.number)
    if order is not None:
        order.ending = event.reason


def _on_replaced(state: PoolState, event: OrderReplaced) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.lots, order.px, order.leaves_lots = event.lots, event.px, event.leaves_lots
    if not event.keeps_place:
        _remove(state, order)
        _put(state, order)


def _on_cut(state: PoolState, event: BlockCut) -> None:
    state.block_count = event.block
    for place in event.places:
        state.orders[place].block = event.block
    state.blocks[event.block] = Block(
        event.block, event.side, event.lots, event.px, event.wanted, event.places
    )


def _on_accepted(state: PoolState, event: BlockAccepted) -> None:
    state.blocks[event.block].order_number = event.order_number


def _on_street(state: PoolState, event: BlockExecuted) -> None:
    block = state.blocks[event.block]
    block.cum_lots += event.lots
    block.cost += event.lots * event.px


def _on_allocated(state: PoolState, event: BlockAllocated) -> None:
    block = state.blocks.pop(event.block)
    for place in block.places:
        state.orders[place].block = 0
    state.inventory = event.inventory
    state.recent.append(event)
    del state.recent[:-RECENT_MAX]
    if event.not_before:
        state.not_before[event.side] = event.not_before
        state.failures[event.side] = state.failures.get(event.side, 0) + 1
    else:
        state.not_before.pop(event.side, None)
        state.failures.pop(event.side, None)


def _on_nothing(state: PoolState, event: ChangeDenied | NothingMatched) -> None:
    """The trace that a command left; the desk is as it was."""


_DECIDE: Final[dict[type, Callable[[PoolState, Any, VenueRefs], tuple[PoolEvent, ...]]]] = {
    EnterOrder: _enter,
    CancelAtVenue: _cancel,
    ReplaceAtVenue: _replace,
    CutBlock: _cut,
    RecordStreetOrder: _accepted,
    RecordStreetFill: _filled,
    RecordStreetEnd: _street_ended,
}
_EVOLVE: Final[dict[type, Callable[[PoolState, Any], None]]] = {
    PoolJoined: _on_joined,
    CancelNoted: _on_noted,
    BlockCut: _on_cut,
    BlockAccepted: _on_accepted,
    BlockExecuted: _on_street,
    BlockAllocated: _on_allocated,
    OrderExecuted: _on_executed,
    OrderEnded: _on_ended,
    OrderReplaced: _on_replaced,
    ChangeDenied: _on_nothing,
    NothingMatched: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, PoolState)
