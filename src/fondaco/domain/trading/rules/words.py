"""What the documents call the behaviours and states of an order, in the words of this room.

`OrdStatus` is FIX's and the only state there is; the documents' words are views of it. A behaviour
is the event that it becomes and, by that, the part of `evolve` which is run for it: an order that
is created has passed the rules in the same turn, or there is no order.
"""

from collections.abc import Mapping
from typing import Final

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import OrdStatus
from fondaco.domain.trading.rules.states import (
    CANCELED,
    EXPIRED,
    FILLED,
    NEW,
    PARTIALLY_FILLED,
    REJECTED,
)
from fondaco.kernel.event import Command, Event

# Requirement C34: what asks for it, and what it becomes; the first is when all goes well.
BEHAVIOURS: Final[Mapping[str, tuple[type[Command], tuple[type[Event], ...]]]] = {
    "OnOrderCreated": (ev.PlaceOrder, (ev.OrderAccepted, ev.OrderRejected)),
    # Marks and headroom of every rule stand in either event: the validation is a part of the turn.
    "OnRiskValidated": (ev.PlaceOrder, (ev.OrderAccepted, ev.OrderRejected)),
    "OnOrderFilled": (ev.RecordExecution, (ev.OrderFilled,)),
    "OnOrderCancelled": (ev.RecordEnd, (ev.OrderCanceled,)),
}

# Requirements C35 and X12. "NEW" of the documents, an order that nobody has looked at yet, is FIX's
# PendingNew, which nobody can see: an account answers at once. Spot settles with its fill: money
# and asset have moved in the same event.
STATES: Final[Mapping[str, tuple[OrdStatus, ...]]] = {
    "NEW": (OrdStatus.PENDING_NEW,),
    "ACCEPTED": (NEW, PARTIALLY_FILLED),
    "FILLED": (FILLED,),
    "SETTLED": (FILLED,),
    "REJECTED": (REJECTED,),
    "CANCELLED": (CANCELED, EXPIRED),
}
