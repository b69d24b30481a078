"""Partners present themselves to app.py: one stream for the house, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.identity.partners.api import OPERATIONS
from fondaco.domain.identity.partners.events import PartnerEvent
from fondaco.domain.identity.partners.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="partners",
    prefix="partners/",
    decider=decider,
    operations=OPERATIONS,
    kinds=get_args(PartnerEvent),
)
