"""What is noted beside the journal. Times are nanoseconds since 1970 UTC of the machine's clock."""

from bisect import bisect_right

import msgspec


class Commit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One group of the committer: when each of its turns was decided, and when all were durable.

    Waits are counted back from `began` or on from it, so that they are small.
    """

    first: int  # position
    last: int
    began: int  # when the group went to the disk
    durable_ns: int  # after `began`: it was synced, and the loop knew
    told_ns: int  # after `began`: answers had left and subscribers were told
    firsts: list[int]  # of each turn: its first position, counted from `first`
    waits: list[int]  # of each turn: how long before `began` it was decided

    @property
    def durable(self) -> int:
        return self.began + self.durable_ns

    @property
    def told(self) -> int:
        return self.began + self.told_ns

    def decided(self, position: int) -> int:
        """When the turn that left the entry at `position` was over."""
        turn = bisect_right(self.firsts, position - self.first) - 1
        return self.began - (self.waits[turn] if turn >= 0 else 0)


class Request(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A request whose trace does not follow from what it left: its caller has named one, or it is
    several commands at once, and then noted once more when it has ended."""

    at: int  # its stamp, which all that it asks for has too
    trace_id: str
    parent_id: str  # empty: the trace begins here
    correlation_id: str
    operation: str
    has_end: bool = False  # which is noted, too
    ended: int = 0
    status: int = 0  # of HTTP, once it has ended


class Shown(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One step of the projector: entries that every view showed at the same moment."""

    first: int  # position
    last: int
    began: int
    ended: int
    parts: dict[str, int]  # how long each view took, ns, in their order
