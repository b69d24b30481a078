"""Event contracts: what is known of the question that each one pays on. Pure.

Closed is not settled. A market closes, then somebody determines the outcome, which may be disputed
or amended, and only a settled one has paid: before that it is worth what people would pay for it,
which is nobody's money yet. Names of states are Kalshi's; Polymarket's are mapped to them.

    created → open ⇄ paused → closed → determined ⇄ disputed → settled
"""

from enum import StrEnum
from typing import Final

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Instant


class Stage(StrEnum):
    """Where a contract is in its life. It trades in OPEN only, and has paid in SETTLED only."""

    CREATED = "created"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    DETERMINED = "determined"  # somebody said what the outcome is
    DISPUTED = "disputed"  # somebody else says otherwise
    SETTLED = "settled"  # final: paid


# What may follow what. Exchanges skip stages: a market that nobody closed may be determined.
NEXT: Final = {
    Stage.CREATED: frozenset({Stage.OPEN, Stage.PAUSED, Stage.CLOSED, Stage.DETERMINED}),
    Stage.OPEN: frozenset({Stage.PAUSED, Stage.CLOSED, Stage.DETERMINED}),
    Stage.PAUSED: frozenset({Stage.OPEN, Stage.CLOSED, Stage.DETERMINED}),
    Stage.CLOSED: frozenset({Stage.OPEN, Stage.DETERMINED}),
    Stage.DETERMINED: frozenset({Stage.DETERMINED, Stage.DISPUTED, Stage.SETTLED}),
    Stage.DISPUTED: frozenset({Stage.DETERMINED, Stage.CLOSED}),
    Stage.SETTLED: frozenset[Stage](),
}


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
        allowed = stage in NEXT[self.stage]
        if stage is Stage.DETERMINED:
            allowed = allowed and 0 <= determined <= self.payout_ticks
        if stage is Stage.SETTLED:
            allowed = allowed and determined in (-1, self.determined)
        if not allowed:
            self.refused += stage is not self.stage or self.determined != determined
            return False
        if stage is Stage.DETERMINED:
            self.determined = determined
        elif stage in (Stage.CLOSED, Stage.OPEN):
            self.determined = -1
        self.stage, self.since = stage, at
        self.history.append((stage, at))
        return True

    def closes(self, now: Instant) -> bool:
        """Close it if its time has come: exchanges do not always say so."""
        due = bool(self.close_at) and now >= self.close_at
        return due and self.stage in (Stage.OPEN, Stage.PAUSED) and self.move(Stage.CLOSED, now)
