"""What must hold of a house at rest: nothing is under way, and the market stands still."""

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from fondaco.app.house import CURSOR_EVERY, Kernel
from fondaco.app.kinds import room_of
from fondaco.app.simulation.life import Life, empty_views, there
from fondaco.app.simulation.witness import check
from fondaco.app.views import every_view
from fondaco.domain.ledger.checks import not_cleared, standing_checks
from fondaco.domain.ledger.model import PREFIX as BOOKS
from fondaco.domain.ledger.model import LedgerAccount
from fondaco.domain.ledger.store import ledger_balances
from fondaco.domain.reference.model import Stage
from fondaco.domain.trading.events import AccountOpened, SwapCharged
from fondaco.domain.trading.model import PREFIX as ACCOUNTS
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    OpenLots,
    Order,
    OrdStatus,
    Side,
    TradingRefs,
)
from fondaco.domain.trading.rules.margin_limits import net_worth
from fondaco.domain.trading.rules.risk import valued
from fondaco.domain.trading.store.queries import client_balances
from fondaco.domain.venues.crossing.events import Uncrossed
from fondaco.domain.venues.crossing.model import CrossingState, Phase
from fondaco.domain.venues.crossing.schedule import last_step
from fondaco.domain.venues.events import OrderExecuted
from fondaco.domain.venues.model import VenueState, venue_stream
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.loading import Memory, load
from fondaco.runtime.projector import views_equal_replay

SLACK_NS = 300_000_000  # a few looks at the clock
_PENDING = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE, OrdStatus.PENDING_NEW)


def at_rest(life: Life, now_ns: int) -> None:
    """Raises `Broken`, naming what does not hold."""
    kernel = there(life.kernel)
    for stream in kernel.streams():
        replay_equals_live(kernel, stream)
    accounts = dict(_states(kernel, ACCOUNTS))
    for stream, state in accounts.items():
        if state.account_type is AccountType.MARGIN:
            margin_holds(stream, state, kernel.refs)
        else:
            sums_hold(stream, state)
        nothing_is_overdue(kernel, stream, state, now_ns)
    for stream, book in _states(kernel, BOOKS):
        for due in sorted(book.due):
            check(
                due > now_ns - SLACK_NS,
                "what is due expires",
                f"transfers {sorted(book.due[due])} of {stream} expired at {due}, it is {now_ns}",
            )
    nights_are_charged(kernel, accounts)
    contracts_are_paid(kernel, accounts)
    phases_follow(kernel, now_ns)
    venues_agree(kernel, accounts)
    books_balance(life, accounts)


def empty_handed(life: Life) -> None:
    """After everything was canceled: no order works, and nothing is held for one."""
    kernel = there(life.kernel)
    for stream, state in _states(kernel, ACCOUNTS):
        for number, order in state.working.items():
            check(False, "what is canceled ends", f"{stream} still works {number}: {order}")
        check(not state.open_lots, "no orphan holds", f"{stream} counts {state.open_lots}")
        for name, sums in (("held", state.held), ("coming", state.coming)):
            left = {asset: units for asset, units in sums.items() if units}
            check(not left, "no orphan holds", f"{stream} has no order, and {left} {name}")


def replay_equals_live(kernel: Kernel, stream: StreamId) -> None:
    decider = room_of(stream).decider
    live = kernel.peek(stream)
    if decider is None or live is None:
        return
    found = [("replay", load(stream, decider, kernel.journal))]
    if kernel.snapshots.version(stream):
        snapped = load(stream, decider, kernel.journal, kernel.snapshots)
        found.append(("snapshot and tail", snapped))
    for how, memory in found:
        for what, one, other in (
            ("version", live.version, memory.version),
            ("state", _comparable(live.state), _comparable(memory.state)),
            ("what was heard", live.heard, memory.heard),
            ("keys used", _keys(live), _keys(memory)),
        ):
            check(
                one == other,
                "replay equals live",
                f"{what} of {stream} by {how} is {_short(other)}, live {_short(one)}",
            )


def sums_hold(stream: StreamId, state: AccountState) -> None:
    """What is held is the sum of the holds of working orders, and no more than there is unless a
    venue executed more than it was asked for."""
    held: dict[str, int] = {}
    for order in state.working.values():
        paid = order.quote if order.side is Side.BUY else order.base
        held[paid] = held.get(paid, 0) + order.hold
    for asset in sorted({*held, *state.held}):
        kept, found = state.held.get(asset, 0), held.get(asset, 0)  # type: ignore[call-overload]
        check(
            kept == found,
            "no orphan holds",
            f"{stream} holds {kept} {asset}, and its orders {found}",
        )
        check(
            state.free(asset) >= 0,  # type: ignore[arg-type]
            "nobody spends what is not there",
            f"{stream} has {state.balances} and holds {state.held}",
        )


def margin_holds(stream: StreamId, state: AccountState, refs: TradingRefs) -> None:
    """On margin somebody may spend what they do not have, as long as everything that they have is
    worth what they owe: beyond that a liquidation is under way, which ends with nothing owed to
    anybody but the house's loss account. What working orders may take on is summed up."""
    held: dict[str, int] = {}
    sums: dict[str, OpenLots] = {}
    for order in state.working.values():
        if not order.hold:
            continue
        held[order.quote] = held.get(order.quote, 0) + order.hold
        each = sums.setdefault(order.symbol, OpenLots())
        left = max(max(order.lots, order.pending_lots) - order.cum_lots, 0)
        each.orders += 1
        each.buys += left if order.side is Side.BUY else 0
        each.sells += left if order.side is Side.SELL else 0
        each.reducing += left if order.reduce_only else 0
    kept = {asset: units for asset, units in state.held.items() if units}
    check(kept == held, "no orphan holds", f"{stream} holds {kept}, and its orders {held}")
    check(
        state.open_lots == sums,
        "no orphan holds",
        f"{stream} counts {state.open_lots}, and its orders are {sums}",
    )
    worth = net_worth(state, refs)
    check(
        worth is None or worth >= 0 or state.liquidating,
        "nobody spends what is not there",
        f"{stream} is worth {worth}: {state.balances}, {state.positions}",
    )


def nothing_is_overdue(kernel: Kernel, stream: StreamId, state: AccountState, now_ns: int) -> None:
    """Deadlines and stops are watched by somebody; who must answer, has answered."""
    check(
        not state.sent,
        "what is sent arrives",
        f"{stream} has sent {state.sent}, and nothing is under way",
    )
    for number, order in state.working.items():
        shown = f"order {number} of {stream}"
        check(
            not order.expire_time or order.expire_time > now_ns - SLACK_NS,
            "what is due expires",
            f"{shown} expired at {order.expire_time}, it is {now_ns}",
        )
        check(
            order.ord_status not in _PENDING,
            "venues answer",
            f"{shown} is {order.ord_status}, and nothing is under way",
        )
        if order.stop_px and not order.at_venue:
            found = kernel.triggers.find(stream, number)
            check(found is not None, "stops are watched", f"nobody watches {shown}: {order}")
            check(
                found is None or found.stop_px == order.stop_px,
                "stops are watched",
                f"{shown} stops at {order.stop_px}, and is watched at {found}",
            )


def venues_agree(kernel: Kernel, accounts: dict[StreamId, AccountState]) -> None:
    """Every order at a venue rests there as its account has it, and nothing else does."""
    resting: dict[tuple[StreamId, int], Any] = {}
    for symbol in kernel.board.instruments:
        venue: VenueState = state_of(kernel, venue_stream(symbol))
        for stream, orders in venue.orders.items():
            for number, rests in orders.items():
                resting[stream, number] = rests
        queue = kernel.queues.get(symbol)
        waits = sum(len(orders) for orders in venue.orders.values())
        check(
            queue is None or len(queue) == waits,
            "the queue knows what rests",
            f"{waits} orders rest in {symbol}, and {len(queue or ())} wait for the market",
        )
        check(
            queue is None or not queue.promised,
            "what the market reached executes",
            f"{queue and queue.promised} lots in {symbol} were reached, and did not execute",
        )
    for stream, market in kernel.markets.items():
        crossing: CrossingState = state_of(kernel, stream)
        for own in resting_in(crossing):
            resting[own.account_stream, own.number] = own
        check(
            crossing.book.dump() == market.shown.book.dump(),
            "what is shown rests there",
            f"{stream} has {crossing.book.dump()}, and shows {market.shown.book.dump()}",
        )
    for stream, state in accounts.items():
        for number, order in state.working.items():
            if order.at_venue:
                _agrees(stream, order, resting.pop((stream, number), None))
    unknown = {key: order for key, order in resting.items() if key[0] in accounts}
    check(not unknown, "venue and account agree", f"these rest, and no account has them: {unknown}")


def nights_are_charged(kernel: Kernel, accounts: dict[StreamId, AccountState]) -> None:
    """Whoever is on margin and has a position, for which there is a price, has begun the day."""
    today = kernel.refs.session_day
    if kernel.tick_count < 2 * CURSOR_EVERY:  # what has had no price at the start is asked again
        return
    for stream, state in accounts.items():
        if state.account_type is not AccountType.MARGIN or state.session_day < 0:
            continue
        kept = [symbol for symbol in state.positions if symbol in kernel.refs.swaps]
        check(
            not kept or state.session_day >= today or valued(state, kernel.refs) is None,
            "a night is charged",
            f"{stream} keeps {kept} and stands at day {state.session_day}, it is {today}",
        )


def contracts_are_paid(kernel: Kernel, accounts: dict[StreamId, AccountState]) -> None:
    """Nobody has anything of a contract that has settled, nor an order in it."""
    for symbol, outcome in kernel.refs.contracts.items():
        if outcome.stage is not Stage.SETTLED:
            continue
        base = kernel.refs.instruments[symbol].base
        for stream, state in accounts.items():
            has, works = state.balances.get(base, 0), [*state.working.values()]
            left = [order.number for order in works if order.symbol == symbol]
            check(
                not has and not left,
                "what has settled is paid",
                f"{stream} has {has} units of {base}, which has paid, and works {left}",
            )


def phases_follow(kernel: Kernel, now_ns: int) -> None:
    """A book that trades is not crossed, and has taken the steps of its schedule."""
    for stream in kernel.markets:
        state: CrossingState = state_of(kernel, stream)
        bids, asks = (state.book.matching.rows(side) for side in (0, 1))
        check(
            state.phase is not Phase.CONTINUOUS or not bids or not asks or bids[0][3] < asks[0][3],
            "a book that trades is not crossed",
            f"{stream} has {bids[:1]} against {asks[:1]}",
        )
        if state.schedule is None:
            continue
        due = last_step(state.schedule, Instant(now_ns - SLACK_NS))
        check(
            due is None or state.stepped >= due.at,
            "phases follow their schedule",
            f"{stream} is {state.phase}, its last step was {state.stepped}; due was {due}",
        )


def nights_once(entries: Iterable[Entry]) -> None:
    """A night is charged to each account once, and to nobody who pays in full."""
    kinds: dict[StreamId, AccountType] = {}
    last: dict[StreamId, int] = {}
    for entry in entries:
        event = entry.event
        if isinstance(event, AccountOpened):
            kinds[entry.stream] = event.account_type
        elif isinstance(event, SwapCharged):
            check(
                kinds.get(entry.stream) is AccountType.MARGIN
                and last.get(entry.stream, -1) <= event.day - event.days,
                "a night is charged once",
                f"{entry.stream}, {kinds.get(entry.stream)}, at day {last.get(entry.stream)}: "
                f"{event}",
            )
            last[entry.stream] = event.day


def auctions_execute(entries: Iterable[Entry]) -> None:
    """What an auction said that it executes, both sides have, in the same turn."""
    turns: dict[tuple[StreamId, CommandId], list[Entry]] = {}
    said: list[Entry] = []
    for entry in entries:
        if isinstance(entry.event, Uncrossed):
            said.append(entry)
        elif isinstance(entry.event, OrderExecuted):
            turns.setdefault((entry.stream, entry.caused_by), []).append(entry)
    for entry in said:
        event: Any = entry.event
        had = dict.fromkeys(Side, 0)
        for each in turns.get((entry.stream, entry.caused_by), ()):
            executed: Any = each.event
            had[executed.side] += sum(fill.lots for fill in executed.fills)
        check(
            set(had.values()) == {event.lots},
            "an auction executes what it says",
            f"{event} of {entry.stream} at {entry.position}: {had}",
        )


class Rests(NamedTuple):
    """An order in a book of our own, as venues and accounts speak of it."""

    account_stream: StreamId
    number: int
    side: Side
    px: int
    leaves_lots: int
    exec_number: int


def resting_in(state: CrossingState) -> Iterator[Rests]:
    for order_id, _, side, px, leaves, _, _ in state.book.dump():
        account_stream, number = state.whose(order_id)
        exec_number = state.terms[order_id].exec_number
        shown = Side.SELL if side else Side.BUY
        yield Rests(account_stream, number, shown, px, leaves, exec_number)


def _agrees(stream: StreamId, order: Order, found: Any) -> None:
    shown = f"order {order.number} of {stream}"
    check(found is not None, "venue and account agree", f"{shown} rests at no venue: {order}")
    there = (found.px, found.leaves_lots, found.exec_number, found.side)
    here = (order.px, order.leaves_lots, order.last_exec, order.side)
    check(
        there == here,
        "venue and account agree",
        f"{shown} is (px, leaves, executions) {here} here and {there} at its venue",
    )


def books_balance(life: Life, accounts: dict[StreamId, AccountState]) -> None:
    """The money in the views is that of the accounts, and none is between a venue and them."""
    projector, views = there(life.projector), there(life.views)
    projector.catch_up()
    with views.reading() as conn:
        clients = client_balances(conn)
        wrong = standing_checks(conn, clients) + not_cleared(ledger_balances(conn))
    check(not wrong, "the books balance", "; ".join(wrong))
    for stream, state in accounts.items():
        for asset, units in state.balances.items():
            shown = clients.get((LedgerAccount(stream), asset), 0)
            check(
                shown == units,
                "money is conserved",
                f"{stream} has {units} {asset}, by its view {shown}",
            )


def views_show_it(life: Life) -> None:
    """Views show what a replay into empty ones shows."""
    views, reading = there(life.views), there(life.reading)
    path = life.files.root / "again.db"
    path.write_bytes(empty_views())
    again = SqliteStore(path, durable=False)
    try:
        different = views_equal_replay(reading, views, again, lambda: every_view(reading))
    finally:
        again.close()
        for each in life.files.root.glob("again.db*"):
            each.unlink()
    check(not different, "views equal replay", "; ".join(different))


def _states(kernel: Kernel, prefix: str) -> Iterator[tuple[StreamId, Any]]:
    for stream in kernel.streams():
        if stream.startswith(prefix):
            yield stream, state_of(kernel, stream)


def state_of(kernel: Kernel, stream: StreamId) -> Any:
    """As its owner has it; where that one lost its lease and nobody has asked since, as a new owner
    would find it."""
    memory, decider = kernel.peek(stream), room_of(stream).decider
    if memory is None and decider is not None:
        memory = load(stream, decider, kernel.journal)
    return None if memory is None else memory.state


def _comparable(state: Any) -> Any:
    """A book of our own is compared order by order."""
    if isinstance(state, CrossingState):
        return msgspec.structs.replace(state, book=state.book.dump())
    return state


def _keys(memory: Memory[Any]) -> list[tuple[int, int]]:
    """Hashes of the keys that may not be used again, with their versions."""
    found: list[tuple[int, int]] = []
    for keys, versions in memory.answered.dump():
        pairs = zip(array("Q", keys), array("I", versions), strict=True)
        found += [(key, version) for key, version in pairs if version]
    return sorted(found)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 2_000 else f"{text[:2_000]} …"
