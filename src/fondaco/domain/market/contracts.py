"""Event contracts: what is known of the question that each one pays on. Pure.

What may follow what is said by `reference.model.Outcome`, for the market and for the house alike.
"""

import msgspec

from fondaco.domain.reference.model import Outcome, Symbol
from fondaco.domain.reference.model import Stage as Stage
from fondaco.kernel.event import Instant


class Contract(msgspec.Struct, gc=False):
    """One contract. Payouts are ticks a contract: nothing, the whole, or what a split says."""

    symbol: Symbol
    payout_ticks: int  # of a contract that was right: what one dollar is in ticks
    stage: Stage = Stage.CREATED
    since: Instant = Instant(0)
    close_at: Instant = Instant(0)  # when it closes by itself; 0 where nobody said
    determined: int = -1  # ticks that it would pay by what was said last; -1 before
    history: list[tuple[Stage, Instant]] = []
    refused: int = 0  # messages that cannot follow the stage it is in

    @property
    def payout(self) -> int | None:
        """What it paid, in ticks; None until it is settled."""
        return self.determined if self.stage is Stage.SETTLED else None

    @property
    def trades(self) -> bool:
        return self.stage is Stage.OPEN

    def move(self, stage: Stage, at: Instant, determined: int = -1) -> bool:
        """Go to `stage`, unless that cannot be: then nothing changes but the count.

        A determination states what it would pay; a settlement may state it again, and must agree.
        """
        outcome = Outcome(self.stage, self.determined).moved(stage, determined, self.payout_ticks)
        if outcome is None:
            self.refused += stage is not self.stage or self.determined != determined
            return False
        self.determined = outcome.payout
        self.stage, self.since = stage, at
        self.history.append((stage, at))
        return True

    def closes(self, now: Instant) -> bool:
        """Close it if its time has come: exchanges do not always say so."""
        due = bool(self.close_at) and now >= self.close_at
        return due and self.stage in (Stage.OPEN, Stage.PAUSED) and self.move(Stage.CLOSED, now)
