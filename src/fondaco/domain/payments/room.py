"""Payments present themselves to app.py: a stream for each purchase, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.payments.api import OPERATIONS
from fondaco.domain.payments.disputes.api import OPERATIONS as DISPUTES
from fondaco.domain.payments.events import PayoutEvent, PurchaseEvent, ShopEvent
from fondaco.domain.payments.model import PREFIX
from fondaco.domain.payments.policies import policies
from fondaco.domain.payments.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="payments",
    prefix=PREFIX,
    decider=decider,
    policies=policies,
    operations=(*OPERATIONS, *DISPUTES),
    kinds=(*get_args(PurchaseEvent), *get_args(PayoutEvent), *get_args(ShopEvent)),
)
