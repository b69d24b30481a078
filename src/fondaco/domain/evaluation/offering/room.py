"""Tiers present themselves to app.py: a stream for each tenant, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.evaluation.offering.api import OPERATIONS
from fondaco.domain.evaluation.offering.events import TierEvent
from fondaco.domain.evaluation.offering.model import PREFIX
from fondaco.domain.evaluation.offering.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="tiers",
    prefix=PREFIX,
    decider=decider,
    operations=OPERATIONS,
    kinds=get_args(TierEvent),
)
