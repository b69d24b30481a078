"""Where market data comes from. Every feed speaks bytes of the exchange's own wire.

A feed is started once as a task: `run` calls `emit` with what arrived, in small batches, until it
is cancelled. It never touches the board: bytes go to the tape first, and a replay of that tape is
just another feed.
"""

from typing import Protocol

from fondaco.domain.market.connection import Wire
from fondaco.domain.market.intake import Clock, Emit
from fondaco.domain.market.listings import Listing
from fondaco.domain.reference.model import Instrument
from fondaco.kernel.money import Asset


class Feed(Protocol):
    @property
    def label(self) -> str:
        """The source as people read it: "synthetic", "replay:binance", "binance"."""
        ...

    @property
    def wire(self) -> Wire:
        """Who reads its bytes."""
        ...

    @property
    def listings(self) -> tuple[Listing, ...]: ...

    def instruments(self) -> tuple[Instrument, ...]: ...

    def assets(self) -> tuple[Asset, ...]: ...

    async def run(self, clock: Clock, emit: Emit) -> None:
        """Emit until cancelled."""
        ...
