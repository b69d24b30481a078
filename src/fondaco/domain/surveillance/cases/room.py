"""Cases present themselves to app.py: their stream, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.surveillance.cases.api import OPERATIONS
from fondaco.domain.surveillance.cases.events import CaseEvent
from fondaco.domain.surveillance.cases.model import PREFIX
from fondaco.domain.surveillance.cases.policies import to_case
from fondaco.domain.surveillance.cases.rules import decider
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.runtime.room import Room

room: Final = Room(
    name="cases",
    prefix=PREFIX,
    decider=decider,
    policies={AlertRaised: (to_case,)},
    operations=OPERATIONS,
    kinds=get_args(CaseEvent),
)
