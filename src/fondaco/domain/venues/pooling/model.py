"""What waits at the pooling desk, and what of it is on the street. There is one stream, and one
state, per symbol."""

from typing import Final

import msgspec

from fondaco.domain.reference.model import POOL_MIC, Symbol
from fondaco.domain.trading.model import PREFIX as ACCOUNTS
from fondaco.domain.trading.model import AccountId, Side
from fondaco.domain.venues.pooling.events import BlockAllocated
from fondaco.kernel.event import Instant, StreamId

MIC: Final = POOL_MIC
PREFIX: Final = f"venue/{MIC}/"
# The house's own account that trades with the street and keeps what is left over.
DESK: Final = AccountId("pool-desk")
DESK_STREAM: Final = StreamId(ACCOUNTS + DESK)
WAITING_MAX: Final = 10_000  # orders of a symbol
MEMBERS_MAX: Final = 1_000  # orders of a block
RECENT_MAX: Final = 32  # blocks that are remembered once they are over


class Pooled(msgspec.Struct, gc=False, array_like=True):
    """An order that waits, or is part of a block. Only `evolve` changes it."""

    account_stream: StreamId
    number: int
    side: Side
    px: int  # no part of it executes beyond this
    lots: int
    leaves_lots: int
    exec_number: int
    place: int  # among all that ever joined: who came first
    at_once: bool  # it takes part in one block, and ends
    block: int = 0  # that it is part of; 0: none
    ending: str = ""  # why it ends once its block is over: a cancel that came meanwhile

    @property
    def cum_lots(self) -> int:
        return self.lots - self.leaves_lots


class Block(msgspec.Struct, gc=False, array_like=True):
    """A street order under way. `places` are the orders that it is for."""

    number: int
    side: Side
    lots: int
    px: int
    wanted: int  # lots of its members together
    places: tuple[int, ...]
    order_number: int = 0  # in the desk's account, once that has accepted it
    cum_lots: int = 0
    cost: int = 0  # ticks x lots


class PoolState(msgspec.Struct):
    """`inventory` is what blocks have left with the house: at least nothing, less than a round lot,
    in lots. The desk's account has that beside what it was given to work with."""

    symbol: Symbol
    orders: dict[int, Pooled] = {}  # by place, so that who came first comes first
    places: dict[StreamId, dict[int, int]] = {}
    joined: int = 0  # orders that ever joined, and joined anew
    inventory: int = 0
    block_count: int = 0
    blocks: dict[int, Block] = {}  # on the street; one at a time, in older journals one a side
    recent: list[BlockAllocated] = []  # the last that are over, oldest first
    # Of each side: not before then is the street asked again, and how often it had nothing for us.
    not_before: dict[Side, Instant] = {}
    failures: dict[Side, int] = {}

    def find(self, account_stream: StreamId, number: int) -> Pooled | None:
        places = self.places.get(account_stream)
        return None if places is None else self.orders.get(places.get(number, 0))

    def open_block(self, side: Side) -> Block | None:
        """The one on the street."""
        for block in self.blocks.values():
            if block.side is side:
                return block
        return None
