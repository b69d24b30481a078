"""The venues present themselves to app.py."""

from typing import Final, get_args

from fondaco.domain.venues.crossing.events import OwnEvent
from fondaco.domain.venues.events import VenueEvent
from fondaco.domain.venues.model import PREFIX
from fondaco.domain.venues.policies import policies
from fondaco.domain.venues.pooling.events import OwnPoolEvent
from fondaco.domain.venues.routed.events import OwnRouted
from fondaco.domain.venues.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="venues",
    prefix=PREFIX,
    decider=decider,
    policies=policies,
    kinds=(
        *get_args(VenueEvent),
        *get_args(OwnEvent),
        *get_args(OwnPoolEvent),
        *get_args(OwnRouted),
    ),
)
