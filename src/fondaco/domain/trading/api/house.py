"""What `Do`s and `Look`s of this room need of the house: app.py has it, tests make a small one."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

from fondaco.domain.trading.api.orders import (
    BulkItem,
    BulkReply,
    BulkRequest,
    Replies,
    bulk_reply,
    failed,
    place_all,
    placed_at,
    stream_of_account,
)
from fondaco.domain.trading.events import TradingCommand, TradingEvent
from fondaco.domain.trading.model import AccountState, TradingRefs
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Command, StreamId
from fondaco.kernel.operation import Stamp
from fondaco.runtime.committer import Answer, Outcome

Decide: TypeAlias = Callable[[AccountState, TradingCommand, TradingRefs], Sequence[TradingEvent]]


class House(Protocol):
    """Called on the loop's thread."""

    def submit(self, stream: StreamId, command: Command) -> Answer: ...

    def peek(self, stream: StreamId) -> Any:
        """The state of the stream's owner, if it is in memory: to look at, never to change."""
        ...

    async def wake(self, stream: StreamId) -> None:
        """Have the owner in memory."""
        ...


class _Together:
    """Answers of several turns, counted rather than awaited one by one."""

    __slots__ = ("items", "left", "replies", "waiter")

    def __init__(self, replies: Replies, count: int) -> None:
        self.replies = replies
        self.items: list[BulkItem | None] = [None] * count
        self.left = count
        self.waiter = asyncio.get_running_loop().create_future()

    def heard(self, nth: int, cl_ord_id: str, outcome: Outcome) -> None:
        if isinstance(outcome, tuple):
            self.items[nth] = self.replies.item(cl_ord_id, outcome)
        else:
            self.items[nth] = failed(cl_ord_id, outcome)
        self.left -= 1
        if not self.left and not self.waiter.done():
            self.waiter.set_result(None)


def bulk(replies: Replies) -> Callable[[BulkRequest, Stamp, House], Any]:
    async def answer(ask: BulkRequest, stamp: Stamp, house: House) -> BulkReply:
        """All turns are taken before the first commit is awaited."""
        if ask.atomic or ask.contingency:
            command = place_all(ask, stamp)
            entries = await house.submit(stream_of_account(ask.orders[0]), command)
            return replies.all_placed(ask, entries)
        together = _Together(replies, len(ask.orders))
        for nth, order in enumerate(ask.orders):
            _submit(house, together, nth, order, stamp)
        await together.waiter
        return bulk_reply([item for item in together.items if item])

    return answer


def _submit(house: House, together: _Together, nth: int, order: Any, stamp: Stamp) -> None:
    name = order.cl_ord_id
    try:
        answer = house.submit(stream_of_account(order), placed_at(order, stamp.at))
    except FondacoError as error:
        together.heard(nth, name, error)
    else:
        answer.then(partial(together.heard, nth, name))
