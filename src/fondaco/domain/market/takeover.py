"""Which of several sources of one instrument is shown, and when the next one takes over. Pure.

Sources have an order. The one that is shown stays as long as its book is OK; when it is not, or has
missed a heartbeat, the first other one that is OK takes its place. One that goes before it comes
back once it has been OK for `return_after_ns`.

A price never jumps in silence. Where the new source's price is further than `band_bps` from the
last one, it is UNCONFIRMED: nothing may be opened on it. It is confirmed when it comes back into
the band, when another good source agrees with it, or when it stood within the band of itself for
`confirm_after_ns`.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from fondaco.kernel.event import Instant

MS: Final = 1_000_000
TEN_THOUSAND: Final = 10_000  # a basis point's denominator


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How a house changes sources."""

    silence_ms: int = 1_500  # heartbeats come every second: one was missed, the next is not due
    return_after_ns: int = 10_000 * MS
    band_bps: int = 50
    confirm_after_ns: int = 5_000 * MS


class Standing(msgspec.Struct, gc=False):
    """What is known of one source of one instrument."""

    ok: bool = False
    ok_since: Instant = Instant(0)


def chosen(standings: Sequence[Standing], shown: int, now: Instant, manners: Manners) -> int:
    """The place of the source to show from now on."""
    if standings[shown].ok:
        for place, each in enumerate(standings[:shown]):
            if each.ok and now - each.ok_since >= manners.return_after_ns:
                return place
        return shown
    return next((place for place, each in enumerate(standings) if each.ok), shown)


def jump_bps(before: int, after: int) -> int:
    """How far `after` is from `before`, in basis points, rounded up."""
    return -(-abs(after - before) * TEN_THOUSAND // before) if before > 0 else TEN_THOUSAND


class Doubt(msgspec.Struct, gc=False):
    """A price of a new source that nobody has confirmed yet."""

    before: int  # the last price that was believed
    stood: int  # the price that must hold
    since: Instant  # … and from when on

    def ends(self, px: int, others: Sequence[int], now: Instant, manners: Manners) -> bool:
        """Whether `px`, the price as it is now, may be believed; `others` are those of other good
        sources."""
        band = manners.band_bps
        if jump_bps(self.before, px) <= band or any(jump_bps(each, px) <= band for each in others):
            return True
        if jump_bps(self.stood, px) > band:
            self.stood, self.since = px, now
            return False
        return now - self.since >= manners.confirm_after_ns
