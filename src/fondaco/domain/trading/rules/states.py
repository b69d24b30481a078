"""Which event may take an order from which OrdStatus to which: FIX's state matrices, as data.

`tests/trading/test_states.py` compares this table with what the rules do, both ways: nothing
happens that is not in it, and everything in it happens. PENDING_NEW is not in it, because an
account answers at once.

What an order has been asked goes before what it has done, as FIX orders its statuses
(PendingCancel, PendingReplace, then PartiallyFilled): a fill leaves a pending status as it is,
until it is the last one.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import OrdStatus
from fondaco.kernel.event import Event

Moves: TypeAlias = Mapping[type[Event], tuple[OrdStatus, ...]]

NEW: Final = OrdStatus.NEW
PARTIALLY_FILLED: Final = OrdStatus.PARTIALLY_FILLED
FILLED: Final = OrdStatus.FILLED
PENDING_CANCEL: Final = OrdStatus.PENDING_CANCEL
PENDING_REPLACE: Final = OrdStatus.PENDING_REPLACE
CANCELED: Final = OrdStatus.CANCELED
EXPIRED: Final = OrdStatus.EXPIRED
REJECTED: Final = OrdStatus.REJECTED
SUSPENDED: Final = OrdStatus.SUSPENDED
UNKNOWN: Final = OrdStatus.UNKNOWN

_ENDS: Final[Moves] = {
    ev.OrderCanceled: (CANCELED,),
    ev.OrderExpired: (EXPIRED,),
    ev.OrderRefused: (REJECTED,),
}
# An order by cash that has executed, and whose cash is spent.
_SPENT: Final[Moves] = {ev.OrderCompleted: (FILLED,)}
# What a venue takes back, or corrects, leaves what the order was asked as it is.
_PENDING_CANCEL: Final[Moves] = {
    ev.FillBusted: (PENDING_CANCEL,),
    ev.FillCorrected: (PENDING_CANCEL, FILLED),
}
_PENDING_REPLACE: Final[Moves] = {
    ev.FillBusted: (PENDING_REPLACE,),
    ev.FillCorrected: (PENDING_REPLACE, FILLED),
}
_SILENCE: Final[Moves] = {ev.OrderUnknown: (UNKNOWN,)}


def _done(status: OrdStatus) -> Moves:
    """A late fill is booked as over, and a late change denied; the order stays done. Of one that
    was filled and has less now, nothing more executes."""
    less = (FILLED, CANCELED) if status is FILLED else (status,)
    return {
        ev.OrderFilled: (status,),
        ev.ChangeDenied: (status,),
        ev.FillBusted: less,
        ev.FillCorrected: less,
    }


MOVES: Final[Mapping[OrdStatus | None, Moves]] = {
    None: {
        ev.OrderAccepted: (NEW, SUSPENDED),
        ev.OrderRejected: (REJECTED,),
    },
    NEW: {
        ev.OrderFilled: (PARTIALLY_FILLED, FILLED),
        ev.OrderTriggered: (NEW,),
        ev.OrderTrailed: (NEW,),
        ev.OrderReleased: (NEW,),
        ev.CancelRequested: (PENDING_CANCEL,),
        ev.ReplaceRequested: (PENDING_REPLACE,),
        ev.OrderReplaced: (NEW,),  # of an order that waits at the account, or restated
        ev.ChangeDenied: (NEW,),
        **_SILENCE,
        **_ENDS,
    },
    PARTIALLY_FILLED: {
        ev.OrderFilled: (PARTIALLY_FILLED, FILLED),
        ev.FillBusted: (NEW, PARTIALLY_FILLED),
        ev.FillCorrected: (PARTIALLY_FILLED, FILLED),
        ev.CancelRequested: (PENDING_CANCEL,),
        ev.ReplaceRequested: (PENDING_REPLACE,),
        ev.OrderReplaced: (PARTIALLY_FILLED,),  # restated
        ev.ChangeDenied: (PARTIALLY_FILLED,),
        **_SILENCE,
        **_SPENT,
        **_ENDS,
    },
    PENDING_CANCEL: {
        ev.OrderFilled: (PENDING_CANCEL, FILLED),
        **_PENDING_CANCEL,
        ev.OrderReplaced: (PENDING_CANCEL, FILLED),  # asked before the cancel was
        ev.ChangeDenied: (NEW, PARTIALLY_FILLED, PENDING_CANCEL),
        **_SILENCE,
        **_SPENT,
        **_ENDS,
    },
    PENDING_REPLACE: {
        ev.OrderFilled: (PENDING_REPLACE, FILLED),
        **_PENDING_REPLACE,
        ev.CancelRequested: (PENDING_CANCEL,),
        ev.OrderReplaced: (NEW, PARTIALLY_FILLED, FILLED, PENDING_REPLACE),
        ev.ChangeDenied: (NEW, PARTIALLY_FILLED, PENDING_REPLACE),
        **_SILENCE,
        **_ENDS,
    },
    UNKNOWN: {
        ev.OrderFilled: (PARTIALLY_FILLED, PENDING_CANCEL, PENDING_REPLACE, FILLED),
        ev.FillBusted: (UNKNOWN,),
        ev.FillCorrected: (PARTIALLY_FILLED, PENDING_CANCEL, PENDING_REPLACE, FILLED),
        ev.CancelRequested: (PENDING_CANCEL,),
        ev.OrderReplaced: (NEW, PARTIALLY_FILLED, PENDING_CANCEL, FILLED, UNKNOWN),
        ev.ChangeDenied: (NEW, PARTIALLY_FILLED, UNKNOWN),
        ev.OrderResolved: (NEW, PARTIALLY_FILLED, PENDING_CANCEL, PENDING_REPLACE),
        **_SPENT,
        **_ENDS,
    },
    SUSPENDED: {
        ev.OrderReleased: (NEW,),
        ev.OrderReplaced: (SUSPENDED,),
        ev.ChangeDenied: (SUSPENDED,),
        ev.OrderCanceled: (CANCELED,),
        ev.OrderExpired: (EXPIRED,),
    },
    FILLED: _done(FILLED),
    CANCELED: _done(CANCELED),
    EXPIRED: _done(EXPIRED),
    REJECTED: _done(REJECTED),
}
