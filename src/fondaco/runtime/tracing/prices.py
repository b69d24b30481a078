"""How long each hop of a price takes, as histograms: added up where it happens, since a price is
observed and nothing about it is ever in the journal.

    price_travelled   from the exchange's own time until it arrived; not counted of recordings
    price_taped       from its turn until it is on the tape
    price_shown       from the tape until books, marks and those who decide by them have it
    price_told        from there until it was on its way to subscribers
"""

from collections.abc import Callable
from typing import Final

from fondaco.runtime.tracing.hops import Histogram

HOPS: Final = ("price_travelled", "price_taped", "price_shown", "price_told")
_RECORDED_NS: Final = 60_000_000_000  # on its way for longer: somebody plays a recording


class PricePath:
    """Belongs to the loop's thread. Everything is in nanoseconds. Waits are measured by `clock`;
    where none is given they are not."""

    def __init__(self, clock: Callable[[], int] = int) -> None:
        self.clock = clock
        self.histograms = {hop: Histogram() for hop in HOPS}
        self._travelled, self._taped, self._shown, self._told = self.histograms.values()

    def arrived(self, said: int, at: int) -> None:
        """What an exchange has `said` came in `at`; its clock may be ahead of ours."""
        if -_RECORDED_NS < at - said < _RECORDED_NS:
            self._travelled.add(at - said)

    def took(self, taping: int, showing: int) -> None:
        self._taped.add(taping)
        self._shown.add(showing)

    def told(self, waited: int) -> None:
        self._told.add(waited)
