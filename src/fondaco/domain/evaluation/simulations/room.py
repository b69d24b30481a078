"""Simulations present themselves to app.py: a stream for each of a tenant's, and what may be
asked."""

from typing import Final, get_args

from fondaco.domain.evaluation.simulations.api import OPERATIONS
from fondaco.domain.evaluation.simulations.events import SimulationEvent
from fondaco.domain.evaluation.simulations.model import PREFIX
from fondaco.domain.evaluation.simulations.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="simulations",
    prefix=PREFIX,
    decider=decider,
    operations=OPERATIONS,
    kinds=get_args(SimulationEvent),
)
