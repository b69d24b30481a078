"""Shops present themselves to app.py: a stream for each tenant, and what may be asked."""

from typing import Final

from fondaco.domain.payments.model import SHOP
from fondaco.domain.payments.shop.api import OPERATIONS
from fondaco.domain.payments.shop.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="shops", prefix=SHOP, decider=decider, operations=OPERATIONS)
