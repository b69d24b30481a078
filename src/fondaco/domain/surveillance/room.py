"""Surveillance presents itself to app.py: the stream of alerts, and what may be asked."""

from typing import Final

from fondaco.domain.surveillance.events import AlertRaised
from fondaco.domain.surveillance.looking import OPERATIONS
from fondaco.domain.surveillance.rules import PREFIX, decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="surveillance",
    prefix=PREFIX,
    decider=decider,
    operations=OPERATIONS,
    kinds=(AlertRaised,),
)
